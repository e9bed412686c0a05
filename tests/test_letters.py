"""Letters as servers, filters and mail programs see them."""

import imaplib
import re
import shutil
import smtplib
import subprocess
import time
from email import message_from_bytes, policy

import pytest

from tests import mailserver
from tests.letters import NAMES, written


@pytest.fixture(scope="module")
def letters(tmp_path_factory):
    return written(tmp_path_factory.mktemp("letters"))


@pytest.mark.skipif(shutil.which("spamassassin") is None, reason="SpamAssassin is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_spamassassin_finds_next_to_nothing(letters, name, tmp_path):
    """At most half a point of the five that make spam, by its own rules alone (no network)."""
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
def test_every_server_takes_it_as_it_is(letters, name):
    """ASCII only, lines of at most 998 bytes (RFC 5322, 2.1.1), text before HTML, both below Gmail's cut."""
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
    """Each letter as a real IMAP server shows it after a real mail server has delivered it, by name."""
    with mailserver.running(tmp_path_factory.mktemp("mail")) as server:
        with smtplib.SMTP("127.0.0.1", server.smtp, timeout=20) as smtp:
            for name, raw in letters.items():
                smtp.sendmail("letters@example.com", [f"{name}@{mailserver.DOMAIN}"], raw)
        return fetched(server, len(letters))


def fetched(server, number):
    """Every message in the mailbox, by the local part it was delivered to, once *number* of them are there."""
    with imaplib.IMAP4("127.0.0.1", server.imap, timeout=20) as imap:
        imap.login("reader", mailserver.PASSWORD)
        for _ in range(100):
            if int(imap.select()[1][0]) >= number:
                break
            time.sleep(0.1)
        found = [imap.fetch(str(n), "(RFC822)")[1][0][1] for n in range(1, number + 1)]
    return {re.search(rb"^Delivered-To: ([^@]*)", raw, re.MULTILINE)[1].decode(): raw for raw in found}


@pytest.mark.skipif(bool(mailserver.MISSING), reason=mailserver.MISSING)
@pytest.mark.parametrize("name", NAMES)
def test_it_arrives_as_it_was_sent(letters, delivered, name):
    """Through a real Postfix and a real Dovecot: every header we wrote, and both parts, byte for byte."""
    sent, seen = (message_from_bytes(raw, policy=policy.default) for raw in (letters[name], delivered[name]))
    assert {key: seen[key] for key in sent} == dict(sent.items())
    assert delivered[name].partition(b"\r\n\r\n")[2] == letters[name].partition(b"\r\n\r\n")[2]
    assert [part.get_content() for part in seen.iter_parts()] == [part.get_content() for part in sent.iter_parts()]
