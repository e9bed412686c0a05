"""All transports pass the same checks."""

import socket
import stat
from email import message_from_bytes, policy
from mailbox import Maildir as StandardMaildir

import pytest
from aiosmtpd.controller import Controller

from feeds.config import load_config
from feeds.edges.mail import transport_conformance, transport_registry
from feeds.edges.mail.outbox import Maildir, Outbox
from feeds.edges.mail.sendmail import Sendmail
from feeds.edges.mail.smtp.sender import SmtpTransport
from feeds.edges.mail.transport import Unconfirmed
from feeds.errors import ConfigError, SenderRejected
from feeds.settings import MailSettings, SmtpSettings
from tests.conftest import CONFIG

COMMAND = """#!/bin/sh
[ "$1 $2 $4" = "-i -f --" ] || exit 64
case "$5" in {refuse}) echo "not today" >&2; exit {code};; esac
cat > "{folder}/$5"
"""


def command(folder, refuse="unknown@*", code=75):
    """A command that accepts mail like sendmail, but fails for some recipients."""
    file = folder / "sendmail"
    (folder / "accepted").mkdir(exist_ok=True)
    file.write_text(COMMAND.format(folder=folder / "accepted", refuse=refuse, code=code), "utf-8")
    file.chmod(0o755)
    return str(file)


def read_all(folder, pattern):
    return [file.read_bytes() for file in sorted(folder.glob(pattern))]


def test_the_outbox_conforms(tmp_path):
    """Each message is a file that only its owner may read."""
    received = lambda: read_all(tmp_path / "o", "trial/1/*.eml")  # noqa: E731
    transport_conformance.check_transport(lambda: Outbox(tmp_path / "o"), received)
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "o").rglob("*.eml")} == {0o600}


def test_a_maildir_conforms(tmp_path):
    """Its messages can be read by another Maildir implementation."""
    transport_conformance.check_transport(lambda: Maildir(tmp_path / "m"), lambda: read_all(tmp_path / "m", "new/*"))
    box = StandardMaildir(tmp_path / "m", create=False)
    subjects = [message_from_bytes(bytes(message), policy=policy.default)["Subject"] for message in box]
    assert set(subjects) == {"手紙"}
    assert len(subjects) == len(read_all(tmp_path / "m", "new/*"))


def test_a_sendmail_command_conforms(tmp_path):
    """It gets the envelope as arguments, and the message with the line ends of this system."""
    path = command(tmp_path)
    received = lambda: read_all(tmp_path / "accepted", "*")  # noqa: E731
    transport_conformance.check_transport(lambda: Sendmail(path), received, recipients=5)
    assert not any(b"\r" in message for message in read_all(tmp_path / "accepted", "*"))


@pytest.mark.parametrize("pipelining", [True, False])
def test_smtp_conforms(pipelining):
    """It passes the checks with PIPELINING and without."""
    accepted = []

    class Handler:
        async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's name for it
            accepted.append(envelope.content)
            return "250 2.0.0 kept"

        async def handle_EHLO(self, _server, session, _envelope, hostname, responses):  # noqa: N802 - likewise
            session.host_name = hostname
            return [*responses[:-1], *(["250-PIPELINING"] if pipelining else []), responses[-1]]

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(Handler(), hostname="127.0.0.1", port=port)
    server.start()
    try:
        settings = SmtpSettings(host="127.0.0.1", port=port)
        transport_conformance.check_transport(lambda: SmtpTransport([(settings, "")], "example.com"), lambda: accepted)
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("code", "reply"), [(67, "550 5.1.1"), (75, "451 4.3.0"), (69, "451 4.3.0"), (65, "554 5.6.0"), (1, "550 5.7.8")]
)
def test_the_exit_code_of_a_command_becomes_a_reply(tmp_path, code, reply):
    """sysexits(3); the reply has the output of the command, and the next mail is sent."""
    queue = transport_conformance.InMemoryQueue(["unknown@example.org", "ada@example.org"])
    Sendmail(command(tmp_path, code=code)).run(queue)
    assert str(queue.outcomes[0].reply).startswith(reply)
    assert "not today" in str(queue.outcomes[0].reply)
    assert queue.outcomes[1].reply.code == 250


def test_a_command_that_does_not_exist_is_an_error(tmp_path):
    """The error names the command and the key, and all mail stays in the queue."""
    queue = transport_conformance.InMemoryQueue(["ada@example.org"])
    with pytest.raises(SenderRejected, match=r"mail\.sendmail: the command .*/none does not exist"):
        Sendmail(str(tmp_path / "none")).run(queue)
    assert (len(queue.waiting), queue.started) == (1, [])


def test_a_command_that_does_not_end_leaves_the_mail_unconfirmed(tmp_path, monkeypatch):
    """It is killed after the timeout."""
    monkeypatch.setattr("feeds.edges.mail.sendmail._TIMEOUT", 0.2)
    file = tmp_path / "slow"
    file.write_text("#!/bin/sh\nexec sleep 20\n", "utf-8")
    file.chmod(0o755)
    queue = transport_conformance.InMemoryQueue(["ada@example.org"])
    Sendmail(str(file)).run(queue)
    assert [type(outcome) for outcome in queue.outcomes] == [Unconfirmed]


def create(folder, **mail):
    settings = MailSettings(**mail)
    passwords = [""] * len(settings.all_servers)
    return transport_registry.create_transport(settings, folder, outbox=folder / "o", passwords=passwords, name="x")


def test_a_transport_is_named_in_the_settings(tmp_path):
    """A name that is neither ours nor that of an installed package is an error with the known names."""
    for name, kind in (("outbox", Outbox), ("maildir", Maildir), ("smtp", SmtpTransport), ("sendmail", Sendmail)):
        assert type(create(tmp_path, transport=name)) is kind
    with pytest.raises(SenderRejected, match="unknown transport 'pigeon'; available: outbox, maildir, smtp, sendmail"):
        create(tmp_path, transport="pigeon")
    message = r"mail\.smtp\.user is set, but the environment variable FEEDS_SMTP_PASSWORD is not"
    with pytest.raises(SenderRejected, match=message):
        create(tmp_path, transport="smtp", smtp=SmtpSettings(user="me"))
    servers = (SmtpSettings(), SmtpSettings(user="me", password_env="SECOND"))
    message = r"mail\.servers\[1\]\.user is set, but the environment variable SECOND is not"
    with pytest.raises(SenderRejected, match=message):
        create(tmp_path, transport="smtp", servers=servers)
    (tmp_path / "posts").mkdir()
    (tmp_path / "c.toml").write_text(f'{CONFIG}[mail]\ntransport = "sendmial"\n', "utf-8")
    with pytest.raises(ConfigError, match=r"mail\.transport: 'sendmial' is not a known value; did you mean `sendmail`"):
        load_config(tmp_path / "c.toml", {})


def test_another_package_may_provide_a_transport(tmp_path, monkeypatch):
    """It does so by an entry point; an exception while it is loaded becomes an error of the settings."""
    package = tmp_path / "pigeon-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: pigeon\nVersion: 1.0\n", "utf-8")
    (package / "entry_points.txt").write_text("[feeds.transports]\npigeon = pigeon:make\nill = pigeon:ill\n", "utf-8")
    (tmp_path / "pigeon.py").write_text(
        "from feeds.edges.mail.outbox import Outbox\n"
        "def make(mail, folder): return Outbox(folder / mail.transport)\n"
        "def ill(mail, folder): raise RuntimeError('a broken wing')\n",
        "utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "posts").mkdir()
    (tmp_path / "c.toml").write_text(f'{CONFIG}[mail]\ntransport = "pigeon"\n', "utf-8")
    mail = load_config(tmp_path / "c.toml", {}).settings.mail
    made = transport_registry.create_transport(mail, tmp_path, outbox=tmp_path, passwords=[""], name="x")
    assert made.path("a", "b") == "a/b.eml"
    with pytest.raises(SenderRejected, match="ill cannot be loaded: RuntimeError: a broken wing"):
        create(tmp_path, transport="ill")
