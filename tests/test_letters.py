"""Letters in spam filters, mail servers and mail programs."""

import imaplib
import re
import shutil
import smtplib
import subprocess
import time
from email import message_from_bytes, policy

import pytest

from tests import mailserver
from tests.letters import NAMES, publish_letters


@pytest.fixture(scope="module")
def letters(tmp_path_factory):
    return publish_letters(tmp_path_factory.mktemp("letters"))


@pytest.mark.skipif(shutil.which("spamassassin") is None, reason="SpamAssassin is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_spamassassin_gives_a_low_score(letters, name, tmp_path):
    """SpamAssassin without network gives each letter at most half a point; five make spam."""
    done = subprocess.run(
        ["spamassassin", "-L", "-t"],
        input=letters[name],
        capture_output=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
        timeout=60,
    )
    found = re.search(rb"^Content analysis details:\s+\((-?[0-9.]+) points", done.stdout, re.MULTILINE)
    assert found is not None
    assert float(found[1]) <= 0.5, done.stdout[-2000:].decode()


@pytest.mark.parametrize("name", NAMES)
def test_every_server_accepts_it_as_it_is(letters, name):
    """A message is ASCII with lines of at most 998 bytes (RFC 5322, 2.1.1), text before HTML, below Gmail's limit."""
    raw = letters[name]
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    text, html = message_from_bytes(raw, policy=policy.default).iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text.get_content().strip()
    assert len(html.get_content().encode()) < 100_000
    assert len(html.get_payload()) < 100_000


@pytest.fixture(scope="module")
def delivered(letters, tmp_path_factory):
    """Return each letter by name, as fetched with IMAP after Postfix and Dovecot have delivered it."""
    with mailserver.running(tmp_path_factory.mktemp("mail")) as server:
        with smtplib.SMTP("127.0.0.1", server.smtp, timeout=20) as smtp:
            for name, raw in letters.items():
                smtp.sendmail("letters@example.com", [f"{name}@{mailserver.DOMAIN}"], raw)
        return fetch_all(server, len(letters))


def fetch_all(server, count):
    """Return the messages in the mailbox by the local part of their recipient, when *count* messages are there."""
    with imaplib.IMAP4("127.0.0.1", server.imap, timeout=20) as imap:
        imap.login("reader", mailserver.PASSWORD)
        for _ in range(100):
            if int(imap.select()[1][0]) >= count:
                break
            time.sleep(0.1)
        messages = [imap.fetch(str(n), "(RFC822)")[1][0][1] for n in range(1, count + 1)]
    return {re.search(rb"^Delivered-To: ([^@]*)", raw, re.MULTILINE)[1].decode(): raw for raw in messages}


@pytest.mark.skipif(bool(mailserver.MISSING), reason=mailserver.MISSING)
@pytest.mark.parametrize("name", NAMES)
def test_it_arrives_as_it_was_sent(letters, delivered, name):
    """Postfix and Dovecot deliver every header that we wrote, and both parts byte for byte."""
    sent, received = (message_from_bytes(raw, policy=policy.default) for raw in (letters[name], delivered[name]))
    assert {key: received[key] for key in sent} == dict(sent.items())
    assert delivered[name].partition(b"\r\n\r\n")[2] == letters[name].partition(b"\r\n\r\n")[2]
    assert [part.get_content() for part in received.iter_parts()] == [part.get_content() for part in sent.iter_parts()]
