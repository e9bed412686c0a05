"""Opening a connection: TLS and passwords, with servers that want them."""

import socket

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from feeds.edges.mail import transport_conformance
from feeds.edges.mail.smtp.connect import connect, tls_context
from feeds.edges.mail.smtp.sender import SmtpTransport
from feeds.errors import MailServerUnavailable, SenderRejected
from feeds.settings import SmtpSettings as Settings
from tests.authority import Authority
from tests.smtpserver import OFFERS, SmtpServer, at, offering

SECRET = "correct horse"


@pytest.fixture
def authority(tmp_path, monkeypatch):
    """One that this process trusts."""
    found = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(found.file))
    return found


def opening(server, password="", name="me"):
    return connect(server, password, name, tls_context(server))


class Keep:
    """Keeps what aiosmtpd takes, and how it came."""

    def __init__(self):
        self.taken = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name for it
        self.taken.append(
            (server.transport.get_extra_info("cipher") is not None, session.authenticated, envelope.content)
        )
        return "250 2.0.0 kept"


def authenticator(_server, _session, _envelope, _mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"desk", SECRET.encode()), handled=False)


@pytest.fixture
def serve():
    """Open servers of aiosmtpd; return where they listen."""
    found = []

    def start(keep, **about):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        found.append(Controller(keep, hostname="127.0.0.1", port=port, **about))
        found[-1].start()
        return port

    yield start
    for one in found:
        one.stop()


def send(settings, password="", readers=3):
    desk = transport_conformance.InMemoryQueue([f"r{n}@example.org" for n in range(readers)])
    SmtpTransport([(settings, password)], "me.example.com").run(desk)
    assert {answer.reply.code for answer in desk.answers} == {250}
    return desk


def refusal(port, password="", host="127.0.0.1", **settings):
    """What a connection fails with, in words."""
    with pytest.raises(SenderRejected) as found:
        opening(Settings(host=host, port=port, **settings), password, "me.example.com")
    return str(found.value)


def test_tls_from_the_first_byte(authority, serve):
    """The certificate is verified against the authorities of the system."""
    keep = Keep()
    port = serve(keep, ssl_context=authority.server())
    send(Settings(port=port, security="tls", connections=2))
    assert [secure for secure, _, _ in keep.taken] == [True] * 3


def test_starttls_with_a_password(authority, serve):
    """The password goes through TLS only where the server says so, and opens the door."""
    keep = Keep()
    about = {"auth_required": True, "authenticator": authenticator, "require_starttls": True}
    port = serve(keep, tls_context=authority.server(), **about)
    send(Settings(port=port, security="starttls", user="desk"), SECRET)
    assert [(secure, who) for secure, who, _ in keep.taken] == [(True, True)] * 3
    said = refusal(port, "wrong", security="starttls", user="desk")
    assert "does not accept user and password: 535" in said
    assert "wrong" not in said


def test_pipelining_through_tls(authority):
    """Large messages and many, over several connections."""
    with SmtpServer(tls=authority.server(), implicit=True) as server:
        send(Settings(port=server.port, security="tls", connections=4), readers=300)
        assert len(server.counts()) == len(server.taken) == 300
    with SmtpServer(offers=("STARTTLS", *OFFERS), tls=authority.server()) as server:
        send(Settings(port=server.port, security="starttls"), readers=10)
        assert len(server.taken) == 10


def test_starttls_required_means_required():
    """Not offered, or refused: nothing is said in the clear."""
    with SmtpServer() as server:
        said = refusal(server.port, security="starttls", user="desk")
        assert "STARTTLS extension not supported by server. See its keys in config.toml" in said
    assert {words.split()[0] for _, words in server.heard} == {"ehlo"}
    later = pytest.raises(MailServerUnavailable, match=r"says 454 4\.7\.0 not now")
    with SmtpServer(at("starttls", "454 4.7.0 not now"), offers=("STARTTLS",)) as server, later:
        opening(Settings(port=server.port, security="starttls"))
    with SmtpServer(at("starttls", "502 no"), offers=("STARTTLS",)) as server:
        assert "refuses us: 502 no" in refusal(server.port, security="starttls")


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_must_be_trusted_and_for_this_host(authority, monkeypatch, security):
    """Nobody in the middle reads readers' addresses."""
    about = {"offers": ("STARTTLS", *OFFERS), "implicit": security == "tls"}
    with SmtpServer(tls=authority.server("mail.example.org"), **about) as server:
        said = refusal(server.port, security=security)
        assert "its certificate is not to be trusted: IP address mismatch" in said
    with SmtpServer(tls=authority.server(), **about) as server:
        monkeypatch.delenv("SSL_CERT_FILE")
        assert "its certificate is not to be trusted: unable to get local issuer" in refusal(
            server.port, security=security
        )
        assert server.taken == []


def test_the_wrong_kind_of_security_is_named():
    """TLS to a port without."""
    with SmtpServer() as server:
        assert "TLS fails: " in (said := refusal(server.port, security="tls"))
        assert "its `security` in config.toml may be wrong" in said


def test_what_is_said_before_tls_does_not_count_behind_it(authority):
    """Somebody in the middle could say it (CVE-2011-0411)."""
    injected = "220 2.0.0 go on\r\n" + offering("PIPELINING", "EVIL")
    with SmtpServer(at("starttls", injected), offers=("STARTTLS", "8BITMIME"), tls=authority.server()) as server:
        try:
            found = opening(Settings(port=server.port, security="starttls"))
        except (MailServerUnavailable, SenderRejected):
            return
        found.socket.close()
        assert "evil" not in found.offers


@pytest.mark.parametrize(
    ("offers", "answer", "error", "words"),
    [
        (("AUTH PLAIN",), "535 5.7.8 wrong", SenderRejected, "does not accept user and password: 535 5.7.8 wrong"),
        (("AUTH PLAIN",), "454 4.7.0 not now", MailServerUnavailable, "says 454 4.7.0 not now"),
        (("AUTH PLAIN",), "421 4.3.2 closing", MailServerUnavailable, "says 421 4.3.2 closing"),
        (("8BITMIME",), None, SenderRejected, "SMTP AUTH extension not supported by server. See its keys"),
        (("AUTH WHO KNOWS",), None, SenderRejected, "No suitable authentication method found. See its keys"),
    ],
)
def test_a_password_that_is_not_taken_is_told_of(offers, answer, error, words):
    """Whether somebody has to mend it, or another try may fare better."""
    with SmtpServer(at("auth", answer), offers=offers) as server, pytest.raises(error) as found:
        opening(Settings(port=server.port, user="desk"), SECRET)
    assert words in str(found.value)
    assert SECRET not in str(found.value)


def test_what_is_not_ascii_is_named():
    """A password, or a host that is no name: words, no traceback."""
    with SmtpServer(offers=("AUTH PLAIN",)) as server:
        said = refusal(server.port, "pässword", user="desk")
    assert "host, user and password must be ASCII" in said
    assert "pässword" not in said
    assert "host, user and password must be ASCII" in refusal(25, host="mail..example.com")


def test_an_older_server_is_greeted_in_the_older_way():
    """HELO where EHLO is not known; nothing is offered then."""
    with SmtpServer(at("ehlo", "502 5.5.1 what?")) as server:
        server.rule = lambda step: {"ehlo": "502 5.5.1 what?", "helo": "250 me"}.get(step.stage)
        send(Settings(port=server.port))
    assert server.hasty == []
    assert len(server.taken) == 3
