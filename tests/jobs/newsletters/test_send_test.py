"""A test message, through every transport."""

import json
import subprocess
from email import message_from_bytes, policy

import pytest

from feeds.errors import FeedsError, MailServerUnavailable
from feeds.jobs.newsletters.send_test import send_test
from tests.conftest import CONFIG, NEWSLETTER, NOW, asked
from tests.mailing import configured
from tests.smtpserver import Fault, SmtpServer, at

ME = "me@example.org"
#: A site that is on no web, and sends to people: an issue would be asked for, and would wait.
EXTERNAL = ("https://example.com/", "https://letters.example.museum/")


@pytest.fixture
def server():
    with SmtpServer() as running:
        yield running


def send(site):
    return send_test(site.config, "weekly", ME, NOW, asked()[1])


def test_a_test_message_is_sent_by_smtp(letter_site, server, feeds):
    """With SMTP a test message is sent at once, marked in its subject, and `--json` prints JSON; nothing is stored."""
    letter_site.configure(configured(server).replace(*EXTERNAL).replace("@example.com", "@letters.example.museum"))
    done = feeds("send", "weekly", "--test", ME, "--json")
    assert done.returncode == 0, done.stderr
    [accepted] = server.accepted
    sent = message_from_bytes(accepted.content, policy=policy.default)
    assert (accepted.recipient, sent["Subject"], sent["To"]) == (ME, "[Test] first", ME)
    assert sent["List-Unsubscribe"] == "<mailto:desk@letters.example.museum?subject=unsubscribe%20weekly>"
    found = json.loads(done.stdout)
    assert found.pop("answer").startswith("2.0.0")
    assert found == {"newsletter": "weekly", "number": 1, "subject": "[Test] first", "recipient": ME}
    assert not (letter_site.folder / ".feeds/feeds.db").exists()
    assert letter_site.letters() == []


def test_a_test_message_goes_through_the_command(letter_site):
    """With the sendmail transport the command gets the test message."""
    command = letter_site.folder / "sendmail"
    command.write_text("#!/bin/sh\ncat > sent.eml\n", "utf-8")
    command.chmod(0o755)
    letter_site.configure(f'{CONFIG}{NEWSLETTER}transport = "sendmail"\nsendmail = "{command}"\n')
    assert send(letter_site).answer.startswith("2.0.0 accepted by the command")
    assert "Subject: [Test] first\n" in letter_site.read("sent.eml")


def test_a_test_message_becomes_a_file_of_a_maildir(letter_site):
    """With the maildir transport the test message is in the Maildir, where mail programs find it."""
    letter_site.configure(f'{CONFIG}{NEWSLETTER}transport = "maildir"\n')
    assert "saved as new/" in send(letter_site).answer
    [path] = letter_site.letters()
    assert "Subject: [Test] first\r\n" in (letter_site.folder / ".feeds/outbox" / path).read_bytes().decode()


def test_a_test_message_is_signed_like_a_letter(letter_site, server):
    """A test message is signed with the keys that sign letters."""
    subprocess.run(["openssl", "genrsa", "-out", "dkim.pem", "2048"], check=True, capture_output=True)
    keys = '[[mail.dkim]]\nselector = "s1"\nkey_file = "dkim.pem"\n'
    letter_site.configure(configured(server).replace("[mail.smtp]", f"{keys}[mail.smtp]"))
    send(letter_site)
    assert b"DKIM-Signature:" in server.accepted[0].content


@pytest.mark.parametrize(
    ("stage", "reply", "error", "text"),
    [
        ("rcpt", "550 5.1.1 no such user", FeedsError, "was refused: 550 5.1.1 no such user"),
        ("mail", "550 5.7.1 not you", FeedsError, "was refused: 550 5.7.1 not you"),
        ("content", "451 4.3.0 later", MailServerUnavailable, "was not taken yet: 451 4.3.0 later"),
        ("content", Fault.KEEP_AND_HANG_UP, FeedsError, "may have arrived"),
    ],
)
def test_a_test_message_that_is_not_accepted_is_an_error(letter_site, server, stage, reply, error, text):
    """A test message that the server refuses, puts off or does not answer for is an error with the server's words."""
    letter_site.configure(configured(server))
    server.rule = at(stage, reply)
    with pytest.raises(error, match=f"the test message to {ME} {text}") as raised:
        send(letter_site)
    assert raised.value.exit_code == (3 if error is MailServerUnavailable else 1)


def test_a_server_that_cannot_be_reached_is_an_error(letter_site, server, monkeypatch):
    """If the server cannot be reached, the test fails with the reason, and exit code 3."""
    monkeypatch.setattr("feeds.edges.mail.smtp.sender._PAUSES", (0.0,))
    letter_site.configure(configured(server, port=9))
    with pytest.raises(MailServerUnavailable, match=r"127\.0\.0\.1:9 cannot be reached"):
        send(letter_site)
