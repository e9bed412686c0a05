"""Every transport keeps the same promises."""

import socket
import stat
from email import message_from_bytes, policy
from mailbox import Maildir as Read

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


def command(folder, refuse="nobody@*", code=75):
    """A command that takes mail as sendmail does, and refuses some."""
    file = folder / "sendmail"
    (folder / "taken").mkdir(exist_ok=True)
    file.write_text(COMMAND.format(folder=folder / "taken", refuse=refuse, code=code), "utf-8")
    file.chmod(0o755)
    return str(file)


def read(folder, pattern):
    return [file.read_bytes() for file in sorted(folder.glob(pattern))]


def test_an_outbox_keeps_the_promises(tmp_path):
    """A file for each message, for its owner only."""
    transport_conformance.check_transport(lambda: Outbox(tmp_path / "o"), lambda: read(tmp_path / "o", "trial/1/*.eml"))
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "o").rglob("*.eml")} == {0o600}


def test_a_maildir_keeps_the_promises(tmp_path):
    """And any program that reads a Maildir reads it."""
    transport_conformance.check_transport(lambda: Maildir(tmp_path / "m"), lambda: read(tmp_path / "m", "new/*"))
    found = [message_from_bytes(bytes(m), policy=policy.default)["Subject"] for m in Read(tmp_path / "m", create=False)]
    assert set(found) == {"手紙"}
    assert len(found) == len(read(tmp_path / "m", "new/*"))


def test_a_command_keeps_the_promises(tmp_path):
    """It is given the envelope in words, and the message with lines as this system has them."""
    made = command(tmp_path)
    transport_conformance.check_transport(lambda: Sendmail(made), lambda: read(tmp_path / "taken", "*"), readers=5)
    assert not any(b"\r" in message for message in read(tmp_path / "taken", "*"))


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_server_keeps_the_promises(pipelining):
    """With PIPELINING and without."""
    taken = []

    class Keep:
        async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's name for it
            taken.append(envelope.content)
            return "250 2.0.0 kept"

        async def handle_EHLO(self, _server, session, _envelope, hostname, responses):  # noqa: N802 - likewise
            session.host_name = hostname
            return [*responses[:-1], *(["250-PIPELINING"] if pipelining else []), responses[-1]]

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(Keep(), hostname="127.0.0.1", port=port)
    server.start()
    try:
        settings = SmtpSettings(host="127.0.0.1", port=port)
        transport_conformance.check_transport(lambda: SmtpTransport([(settings, "")], "example.com"), lambda: taken)
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("code", "reply"), [(67, "550 5.1.1"), (75, "451 4.3.0"), (69, "451 4.3.0"), (65, "554 5.6.0"), (1, "550 5.7.8")]
)
def test_how_a_command_ends_is_its_answer(tmp_path, code, reply):
    """sysexits(3), with what it said; whoever comes next is not held up."""
    desk = transport_conformance.InMemoryQueue(["nobody@example.org", "ada@example.org"])
    Sendmail(command(tmp_path, code=code)).run(desk)
    assert str(desk.answers[0].reply).startswith(reply)
    assert "not today" in str(desk.answers[0].reply)
    assert desk.answers[1].reply.code == 250


def test_a_command_that_is_not_there_is_named_and_nothing_is_lost(tmp_path):
    """Everything stays with the desk."""
    desk = transport_conformance.InMemoryQueue(["ada@example.org"])
    with pytest.raises(SenderRejected, match=r"no command .*/none; mail\.sendmail names another one"):
        Sendmail(str(tmp_path / "none")).run(desk)
    assert (len(desk.waiting), desk.given) == (1, [])


def test_a_command_that_hangs_may_have_sent_it(tmp_path, monkeypatch):
    """It is stopped, and the parcel is lost to our knowledge."""
    monkeypatch.setattr("feeds.edges.mail.sendmail._PATIENCE", 0.2)
    file = tmp_path / "slow"
    file.write_text("#!/bin/sh\nexec sleep 20\n", "utf-8")
    file.chmod(0o755)
    desk = transport_conformance.InMemoryQueue(["ada@example.org"])
    Sendmail(str(file)).run(desk)
    assert [type(answer) for answer in desk.answers] == [Unconfirmed]


def test_a_transport_is_named_in_the_settings(tmp_path):
    """Ours, or one that an installed package brings; anything else is an error with the nearest name."""
    for name, kind in (("outbox", Outbox), ("maildir", Maildir), ("smtp", SmtpTransport), ("sendmail", Sendmail)):
        assert (
            type(transport_registry.create_transport(MailSettings(transport=name), tmp_path, passwords=[""], name="x"))
            is kind
        )
    with pytest.raises(
        SenderRejected, match="there is no transport 'pigeon'; known here: outbox, maildir, smtp, sendmail"
    ):
        transport_registry.create_transport(MailSettings(transport="pigeon"), tmp_path, passwords=[""], name="x")
    with pytest.raises(SenderRejected, match=r"mail\.smtp\.user is set, and the variable FEEDS_SMTP_PASSWORD is not"):
        transport_registry.create_transport(
            MailSettings(transport="smtp", smtp=SmtpSettings(user="me")), tmp_path, passwords=[""], name="x"
        )
    second = MailSettings(transport="smtp", servers=(SmtpSettings(), SmtpSettings(user="me", password_env="SECOND")))
    with pytest.raises(SenderRejected, match=r"mail\.servers\[1\]\.user is set, and the variable SECOND is not"):
        transport_registry.create_transport(second, tmp_path, passwords=["", "", ""], name="x")
    (tmp_path / "posts").mkdir()
    (tmp_path / "c.toml").write_text(f'{CONFIG}[mail]\ntransport = "sendmial"\n', "utf-8")
    with pytest.raises(ConfigError, match=r"mail\.transport: 'sendmial' is not a known value; did you mean `sendmail`"):
        load_config(tmp_path / "c.toml", {})


def test_another_package_may_bring_a_transport(tmp_path, monkeypatch):
    """By an entry point; what it raises is told in words."""
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
    assert transport_registry.create_transport(mail, tmp_path, passwords=[""], name="x").path("a", "b") == "a/b.eml"
    with pytest.raises(SenderRejected, match="ill cannot be used: RuntimeError: a broken wing"):
        transport_registry.create_transport(MailSettings(transport="ill"), tmp_path, passwords=[""], name="x")
