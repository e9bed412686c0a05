"""A newsletter with a thousand subscribers, sent through Postfix into Dovecot; each message is read and compared."""

import imaplib
import re
import sqlite3
import time
from base64 import b64encode
from collections import Counter
from contextlib import closing
from email import message_from_bytes, policy
from types import SimpleNamespace

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from feeds.core.newsletters import tokens
from tests import mailserver
from tests.conftest import SampleSite
from tests.mailing import configured, subscribe

READERS = 1000
#: Preferences of subscribers: language and topics.
PREFERENCES = [(lang, topics) for lang in (None, "ja") for topics in ("[]", '["News"]', '["Tools"]')]
TITLES = {"News": "What is new", "Tools": "What is useful", "Notes": "What is noted"}
EXPECTED = {"[]": {*TITLES.values()}, '["News"]': {TITLES["News"]}, '["Tools"]': {TITLES["Tools"]}}


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """Return the store's rows of all deliveries, the messages in mailboxes by recipient, and the public key."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "posts").mkdir()
    site, key = SampleSite(folder), rsa.generate_private_key(65537, 2048)
    (folder / "dkim.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for name, title in TITLES.items():
        site.post(name.lower(), title=title, categories=f"[{name}]")
    with mailserver.running(tmp_path_factory.mktemp("mail")) as server:
        signing = '[[mail.dkim]]\nselector = "s1"\nkey_file = "dkim.pem"\n'
        site.configure(configured(SimpleNamespace(port=server.smtp), mail=signing, connections=4))
        for place, (lang, topics) in enumerate(PREFERENCES):
            readers = (f"r{n:04}@{mailserver.DOMAIN}" for n in range(place, READERS, len(PREFERENCES)))
            subscribe(folder, readers, lang=lang, topics=topics)
        report = site.publish()
        assert (report.exit_code, [issue.recipients for issue in report.issues]) == (0, [READERS])
        found = fetch_messages(server, READERS)
    with closing(sqlite3.connect(folder / ".feeds/feeds.db")) as db:
        db.row_factory = sqlite3.Row
        rows = db.execute(
            "SELECT d.id, d.recipient, d.state, d.answer, l.lang, l.subject, l.text, l.html, i.seed, s.lang AS wanted,"
            " (SELECT topics FROM subscriptions WHERE subscriber_id = s.id) AS topics FROM deliveries d"
            " JOIN letters l ON l.id = d.letter_id JOIN issues i ON i.id = d.issue_id"
            " JOIN subscribers s ON s.id = d.subscriber_id"
        ).fetchall()
    return rows, found, key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def fetch_messages(server, number):
    """Return the messages by the address they were delivered to, once there are *number* of them."""
    with imaplib.IMAP4("127.0.0.1", server.imap, timeout=20) as imap:
        imap.login("reader", mailserver.PASSWORD)
        for _ in range(300):
            if int(imap.select()[1][0]) >= number:
                break
            time.sleep(0.1)
        raw = [part[1] for part in imap.fetch("1:*", "(RFC822)")[1] if isinstance(part, tuple)]
    found = [(re.search(rb"^Delivered-To: (\S+)", one, re.MULTILINE)[1].decode(), one) for one in raw]
    assert set(Counter(to for to, _ in found).values()) == {1}
    return dict(found)


def normalize(text):
    return re.sub(r"\r\n?", "\n", text).strip("\n")


@pytest.mark.skipif(bool(mailserver.MISSING), reason=mailserver.MISSING)
def test_each_mailbox_has_the_letter_of_its_delivery(sent):
    """Each mailbox has one message, with the letter of its language and topics and the Message-ID of its delivery."""
    rows, found, _ = sent
    assert len(rows) == len(found) == READERS
    for row in rows:
        message = message_from_bytes(found[row["recipient"]], policy=policy.default)
        text, html = (part.get_content() for part in message.iter_parts())
        assert (row["state"], row["answer"][:3], row["lang"]) == ("sent", "250", row["wanted"] or "en")
        assert (message["To"], message["Subject"]) == (row["recipient"], row["subject"])
        assert message["Message-ID"] == f"<weekly.1.{tokens.delivery_token(row['seed'], row['id'])}@example.com>"
        assert [part["Content-Language"] for part in message.iter_parts()] == [row["lang"]] * 2
        assert (normalize(text), normalize(html)) == (normalize(row["text"]), normalize(row["html"]))
        assert {title for title in TITLES.values() if title in text} == EXPECTED[row["topics"]]


@pytest.mark.skipif(bool(mailserver.MISSING), reason=mailserver.MISSING)
def test_delivered_messages_are_signed(sent):
    """Delivered messages have a valid DKIM signature, which dkimpy verifies; a changed message has not."""
    _, found, public = sent
    record = b"v=DKIM1; k=rsa; p=" + b64encode(public)
    queried = []

    def dns(name, timeout=5):
        queried.append(name)
        return record

    for to in sorted(found)[:30]:
        assert dkim.verify(found[to], dnsfunc=dns)
    assert set(queried) == {b"s1._domainkey.example.com."}
    changed = found[min(found)].replace(b"Message-ID: <weekly.1.", b"Message-ID: <weekly.2.")
    assert not dkim.verify(changed, dnsfunc=dns)
