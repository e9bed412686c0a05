"""Opening a connection with TLS and a password."""

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
from tests.smtpserver import OFFERS, SmtpServer, at, ehlo_reply

SECRET = "correct horse"


@pytest.fixture
def authority(tmp_path, monkeypatch):
    """A certificate authority that this process trusts."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


def open_connection(server, password="", name="me"):
    return connect(server, password, name, tls_context(server))


class Handler:
    """Keeps the messages that aiosmtpd accepts, each with whether TLS and a password were used."""

    def __init__(self):
        self.accepted = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name for it
        self.accepted.append(
            (server.transport.get_extra_info("cipher") is not None, session.authenticated, envelope.content)
        )
        return "250 2.0.0 kept"


def authenticator(_server, _session, _envelope, _mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"desk", SECRET.encode()), handled=False)


@pytest.fixture
def serve():
    """A function that starts a server of aiosmtpd and returns its port."""
    controllers = []

    def start(handler, **options):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        controllers.append(Controller(handler, hostname="127.0.0.1", port=port, **options))
        controllers[-1].start()
        return port

    yield start
    for controller in controllers:
        controller.stop()


def send(settings, password="", recipients=3):
    queue = transport_conformance.InMemoryQueue([f"r{n}@example.org" for n in range(recipients)])
    SmtpTransport([(settings, password)], "me.example.com").run(queue)
    assert {outcome.reply.code for outcome in queue.outcomes} == {250}
    return queue


def rejection(port, password="", host="127.0.0.1", **settings):
    """The message of the error when a connection is opened."""
    with pytest.raises(SenderRejected) as error:
        open_connection(Settings(host=host, port=port, **settings), password, "me.example.com")
    return str(error.value)


def test_tls_from_the_first_byte(authority, serve):
    """The certificate is verified with the authorities of the system."""
    handler = Handler()
    port = serve(handler, ssl_context=authority.server_context())
    send(Settings(port=port, security="tls", connections=2))
    assert [is_encrypted for is_encrypted, _, _ in handler.accepted] == [True] * 3


def test_starttls_with_a_password(authority, serve):
    """The password is sent after STARTTLS; a wrong one is an error that does not repeat it."""
    handler = Handler()
    options = {"auth_required": True, "authenticator": authenticator, "require_starttls": True}
    port = serve(handler, tls_context=authority.server_context(), **options)
    send(Settings(port=port, security="starttls", user="desk"), SECRET)
    assert [(is_encrypted, has_login) for is_encrypted, has_login, _ in handler.accepted] == [(True, True)] * 3
    message = rejection(port, "wrong", security="starttls", user="desk")
    assert "rejects user and password: 535" in message
    assert "wrong" not in message


def test_pipelining_through_tls(authority):
    """Many messages arrive over several connections, with TLS from the first byte and with STARTTLS."""
    with SmtpServer(tls=authority.server_context(), implicit=True) as server:
        send(Settings(port=server.port, security="tls", connections=4), recipients=300)
        assert len(server.counts()) == len(server.accepted) == 300
    with SmtpServer(offers=("STARTTLS", *OFFERS), tls=authority.server_context()) as server:
        send(Settings(port=server.port, security="starttls"), recipients=10)
        assert len(server.accepted) == 10


def test_starttls_is_required_if_the_settings_say_so():
    """If it is not offered, or refused, nothing is sent unencrypted."""
    with SmtpServer() as server:
        message = rejection(server.port, security="starttls", user="desk")
        assert "STARTTLS extension not supported by server. Check its keys in config.toml" in message
    assert {words.split()[0] for _, words in server.received} == {"ehlo"}
    unavailable = pytest.raises(MailServerUnavailable, match=r"replied 454 4\.7\.0 not now")
    with SmtpServer(at("starttls", "454 4.7.0 not now"), offers=("STARTTLS",)) as server, unavailable:
        open_connection(Settings(port=server.port, security="starttls"))
    with SmtpServer(at("starttls", "502 no"), offers=("STARTTLS",)) as server:
        assert "rejects the connection: 502 no" in rejection(server.port, security="starttls")


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_must_be_trusted_and_for_this_host(authority, monkeypatch, security):
    """Otherwise no address is sent."""
    options = {"offers": ("STARTTLS", *OFFERS), "implicit": security == "tls"}
    with SmtpServer(tls=authority.server_context("mail.example.org"), **options) as server:
        assert "its certificate is not valid: IP address mismatch" in rejection(server.port, security=security)
    with SmtpServer(tls=authority.server_context(), **options) as server:
        monkeypatch.delenv("SSL_CERT_FILE")
        message = rejection(server.port, security=security)
        assert "its certificate is not valid: unable to get local issuer" in message
        assert server.accepted == []


def test_tls_to_a_port_without_it_is_an_error_that_names_the_key():
    """The key is `security`."""
    with SmtpServer() as server:
        assert "TLS failed: " in (message := rejection(server.port, security="tls"))
        assert "check its key `security` in config.toml" in message


def test_the_server_of_the_tests_refuses_bytes_that_are_no_command():
    """What a client of TLS sends to a port without it is random, and may hold the end of a line."""
    with SmtpServer() as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        client.recv(1024)
        client.sendall(b"\x16\x03\xfc\r\n")
        assert client.recv(1024) == b"502 5.5.1 what?\r\n"


def test_a_reply_before_tls_does_not_count_after_it(authority):
    """An attacker on the network could have inserted it (CVE-2011-0411)."""
    injected = "220 2.0.0 go on\r\n" + ehlo_reply("PIPELINING", "EVIL")
    context = authority.server_context()
    with SmtpServer(at("starttls", injected), offers=("STARTTLS", "8BITMIME"), tls=context) as server:
        try:
            ready = open_connection(Settings(port=server.port, security="starttls"))
        except (MailServerUnavailable, SenderRejected):
            return
        ready.socket.close()
        assert "evil" not in ready.extensions


@pytest.mark.parametrize(
    ("offers", "answer", "error", "message"),
    [
        (("AUTH PLAIN",), "535 5.7.8 wrong", SenderRejected, "rejects user and password: 535 5.7.8 wrong"),
        (("AUTH PLAIN",), "454 4.7.0 not now", MailServerUnavailable, "replied 454 4.7.0 not now"),
        (("AUTH PLAIN",), "421 4.3.2 closing", MailServerUnavailable, "replied 421 4.3.2 closing"),
        (("8BITMIME",), None, SenderRejected, "SMTP AUTH extension not supported by server. Check its keys"),
        (("AUTH WHO KNOWS",), None, SenderRejected, "No suitable authentication method found. Check its keys"),
    ],
)
def test_a_login_that_fails_is_an_error(offers, answer, error, message):
    """Its type says whether a later try may succeed; it never repeats the password."""
    with SmtpServer(at("auth", answer), offers=offers) as server, pytest.raises(error) as raised:
        open_connection(Settings(port=server.port, user="desk"), SECRET)
    assert message in str(raised.value)
    assert SECRET not in str(raised.value)


def test_a_password_or_host_that_is_not_ascii_is_an_error():
    """So is a host with an empty label; none of them is a UnicodeError."""
    with SmtpServer(offers=("AUTH PLAIN",)) as server:
        message = rejection(server.port, "pässword", user="desk")
    assert "host, user and password must be ASCII" in message
    assert "pässword" not in message
    assert "host, user and password must be ASCII" in rejection(25, host="mail..example.com")


def test_a_server_without_ehlo_is_greeted_with_helo():
    """It is then used without extensions."""
    with SmtpServer(at("ehlo", "502 5.5.1 what?")) as server:
        server.rule = lambda step: {"ehlo": "502 5.5.1 what?", "helo": "250 me"}.get(step.stage)
        send(Settings(port=server.port))
    assert server.too_early == []
    assert len(server.accepted) == 3
