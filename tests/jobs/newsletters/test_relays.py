"""Messages as relays get them, on real connections: the headers for relays, and signatures."""

import json
import re
from base64 import b64encode
from email import message_from_bytes, policy
from itertools import combinations

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from feeds.relays import RELAYS
from tests.mailing import Mailing, addresses, subscribe
from tests.smtpserver import Fault, SmtpServer, at, wait_for

KEY = rsa.generate_private_key(65537, 2048)
RECORD = b"v=DKIM1; k=rsa; p=" + b64encode(
    KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
)
#: A server on this machine in place of a relay.
HERE = {"host": "127.0.0.1", "security": "none"}


@pytest.fixture
def server():
    with SmtpServer() as found:
        yield found


@pytest.fixture
def mailing(letter_site, server):
    """A weekly newsletter with four subscribers and a DKIM key."""
    subscribe(letter_site.folder, addresses(4))
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (letter_site.folder / "dkim.pem").write_bytes(pem)
    return Mailing(letter_site, server)


def send_through(mailing, *relays):
    """Return the messages that the servers accept, with these relays in the settings, all at one address."""
    first, *others = relays
    further = "".join(
        f'[[mail.servers]]\nrelay = "{relay}"\nhost = "127.0.0.1"\nport = {mailing.server.port}\nsecurity = "none"\n'
        for relay in others
    )
    signing = '[[mail.dkim]]\nselector = "s1"\nkey_file = "dkim.pem"\n'
    mailing.configure(mail=signing + further, relay=first, **HERE)
    assert mailing.publish().exit_code == 0
    return [message.content for message in mailing.server.accepted]


def relay_headers(content):
    """Return the headers whose names begin with X-, parsed, without our own; no line of the header is long."""
    head = content.partition(b"\r\n\r\n")[0]
    assert max(len(line) for line in head.split(b"\r\n")) <= 78
    found = message_from_bytes(content, policy=policy.default)
    assert found.defects == []
    del found["X-Auto-Response-Suppress"]
    return [(name, str(value)) for name, value in found.items() if name.startswith("X-")]


def strip_relay_headers(content):
    """Return a message as it is after a relay has removed its headers."""
    return re.sub(rb"^X-[^\r]*\r\n([ \t][^\r]*\r\n)*", b"", content, flags=re.MULTILINE)


def is_signature_valid(content):
    return dkim.verify(content, dnsfunc=lambda _, timeout=5: RECORD)  # noqa: ARG005 - dkimpy names it


@pytest.mark.parametrize("relay", RELAYS)
def test_a_message_has_the_headers_of_its_relay(mailing, relay):
    """A message has the headers of its relay, each once, and of no other relay."""
    for content in send_through(mailing, relay):
        assert relay_headers(content) == list(RELAYS[relay].headers)


def test_headers_for_relays_are_as_documented():
    """The headers of each relay have the values from its documentation."""
    headers = {name: dict(relay.headers) for name, relay in RELAYS.items()}
    off = {"settings": {"enable": 0}}
    filters = json.loads(headers["sendgrid"].pop("X-SMTPAPI"))["filters"]
    assert filters == {"clicktrack": off, "opentrack": off, "ganalytics": off, "subscriptiontrack": off}
    assert headers == {
        "plain": {},
        "ses": {},
        "postmark": {
            "X-PM-Message-Stream": "broadcast",
            "X-PM-KeepID": "true",
            "X-PM-TrackOpens": "false",
            "X-PM-TrackLinks": "None",
        },
        "mailgun": {"X-Mailgun-Track": "no", "X-Mailgun-Track-Clicks": "no", "X-Mailgun-Track-Opens": "no"},
        "sendgrid": {},
    }


@pytest.mark.parametrize("relays", [*combinations(RELAYS, 2)], ids="+".join)
def test_a_message_is_for_every_relay_and_signed_unless_one_rewrites_it(mailing, relays):
    """A message has the headers of all relays; if none rewrites it, it is signed, also without these headers."""
    signed = not any(RELAYS[relay].rewrites for relay in relays)
    for content in send_through(mailing, *relays):
        assert relay_headers(content) == [header for relay in relays for header in RELAYS[relay].headers]
        assert content.startswith(b"DKIM-Signature:") == (b"DKIM-Signature:" in content) == signed
        if signed:
            assert is_signature_valid(content)
            assert is_signature_valid(strip_relay_headers(content))


def test_two_servers_of_one_relay_share_headers(mailing):
    """Two servers of one relay give each header once."""
    for content in send_through(mailing, "mailgun", "mailgun"):
        assert relay_headers(content) == list(RELAYS["mailgun"].headers)


@pytest.mark.parametrize("relay", [name for name, relay in RELAYS.items() if not relay.rewrites])
def test_a_signature_covers_no_header_for_relays(mailing, relay):
    """A signature covers no header that a relay removes, so that it is still valid afterwards."""
    for content in send_through(mailing, relay):
        signature = str(message_from_bytes(content, policy=policy.default)["DKIM-Signature"])
        names = re.search(r"h=([^;]*);", signature)[1].replace(" ", "").split(":")
        assert [name for name in names if name.startswith("x-")] == []
        assert relay_headers(strip_relay_headers(content)) == []
        assert is_signature_valid(strip_relay_headers(content))


def test_a_message_is_the_same_through_each_server(mailing):
    """A message that may have arrived through one server is sent through another byte for byte the same."""
    mailing.server.rule = at("content", Fault.KEEP_AND_HANG_UP, times=1)
    with SmtpServer() as other:
        other.rule = lambda step: wait_for(lambda: mailing.server.accepted) if step.stage == "greeting" else None
        further = f'[[mail.servers]]\nrelay = "mailgun"\nhost = "127.0.0.1"\nport = {other.port}\nsecurity = "none"\n'
        mailing.configure(mail=further)
        mailing.publish()
        [lost] = [message for message in mailing.server.accepted if message.recipient not in sent(mailing)]
        mailing.server.rule = at("greeting", "554 5.7.1 no mail here")
        mailing.wait(hours=1)
        assert mailing.publish().exit_code == 0
    [again] = [message for message in other.accepted if message.recipient == lost.recipient]
    assert again.content == lost.content


def sent(mailing):
    return [fared.recipient for fared in mailing.deliveries() if fared.state == "sent"]
