"""Mail that asks to subscribe, and what the receiving server says of its author."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.subscribers.mail_requests import MailRequestParser
from feeds.core.subscribers.sender_authentication import is_from_domain

SERVER = "mx.example.com"
PARSER = MailRequestParser("bounces@example.com", SERVER)
DKIM = "dkim=pass (2048-bit key; secure) header.d=example.org header.i=@example.org header.b=abc"


def message(to="bounces+join-weekly@example.com", sender="Ada <ada@example.org>", results=f"{SERVER}; {DKIM}", more=""):
    return (
        f"Authentication-Results: {results}\r\nFrom: {sender}\r\nTo: {to}\r\n{more}Subject: hi\r\n\r\nHi.\r\n".encode()
    )


def test_a_request_names_newsletter_author_and_authentication():
    """A mail to the join address names the newsletter and its author, who is authenticated by the server's field."""
    found = PARSER.parse(message())
    assert (found.newsletter, found.token, found.sender) == ("weekly", "", "ada@example.org")
    assert (found.is_automatic, found.is_authenticated) == (False, True)


def test_a_reply_names_its_token():
    """A mail to the address of a confirmation names its token, in any case of letters."""
    found = PARSER.parse(message(to=f"Letters <BOUNCES+C-{'AB' * 16}@Example.com>"))
    assert (found.newsletter, found.token) == ("", "ab" * 16)


@pytest.mark.parametrize(
    "to",
    [
        "bounces@example.com",
        "xbounces+join-weekly@example.com",
        "bounces+join-@example.com",
        "bounces+join-weekly@example.com.evil.example",
        "bounces+join-weekly@other.example",
        f"bounces+c-{'ab' * 15}@example.com",
    ],
)
def test_mail_to_other_addresses_is_no_request(to):
    """Mail to the bounce address itself, or to similar addresses, is no request."""
    assert PARSER.parse(message(to=to)) is None


@pytest.mark.parametrize(
    "more",
    [
        "Auto-Submitted: auto-replied\r\n",
        "Precedence: bulk\r\n",
        "List-Id: <x.example.org>\r\n",
        "X-Autoreply: yes\r\n",
    ],
)
def test_mail_of_programs_is_automatic(more):
    """An absence notice, or mail of a list, is automatic: it neither asks to subscribe nor confirms."""
    assert PARSER.parse(message(more=more)).is_automatic
    assert PARSER.parse(message(sender="MAILER-DAEMON@example.org")).is_automatic


@pytest.mark.parametrize("sender", ["", "Ada", "a@example.org, b@example.org", "a@example.org\r\nFrom: b@example.org"])
def test_a_mail_without_exactly_one_author_is_from_nobody(sender):
    """Mail of no author, or of several, has no sender and is not authenticated."""
    found = PARSER.parse(message(sender=sender))
    assert (found.sender, found.is_authenticated) == ("", False)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"{SERVER}; {DKIM}", True),
        (f"{SERVER} 1; spf=pass smtp.mailfrom=ada@example.org", True),
        (f"{SERVER.upper()}; dmarc=pass (p=none dis=none) header.from=example.org", True),
        (f"{SERVER}; dkim=pass header.d=org; dkim=fail header.d=example.org", False),
        (f"{SERVER}; spf=pass smtp.mailfrom=bounce@mail.example.org; dmarc=pass header.from=example.org", True),
        (f"{SERVER}; spf=pass smtp.mailfrom=bounce@mail.example.org", False),
        (f"{SERVER}; dkim=fail header.d=example.org", False),
        (f"{SERVER}; dkim=pass header.d=evil.example; spf=pass smtp.mailfrom=x@evil.example", False),
        (f"{SERVER}; spf=softfail (dkim=pass header.d=example.org) smtp.mailfrom=example.org", False),
        (f'{SERVER}; dkim=pass reason="header.d=example.org" header.d=evil.example', False),
        (f"{SERVER}; iprev=pass policy.iprev=192.0.2.1; auth=pass smtp.auth=x header.d=example.org", False),
        (f'{SERVER}; spf=pass smtp.mailfrom="x;dkim=pass header.d=example.org"@evil.example', False),
        (f"{SERVER}; none", False),
        (f"mx.evil.example; {DKIM}", False),
        (f"({SERVER}) mx.evil.example; {DKIM}", False),
        ("", False),
    ],
)
def test_only_a_pass_for_the_authors_domain_counts(value, expected):
    """A message is authenticated by a pass of DMARC, DKIM or SPF for the author's domain, from this server's field."""
    assert is_from_domain([value], "example.org", SERVER) is expected


def test_only_the_uppermost_field_of_the_server_counts():
    """A field of the server's name below its own is forged and does not count; fields of others are skipped."""
    forged, own = f"{SERVER}; {DKIM}", f"{SERVER}; dkim=none"
    assert not is_from_domain([own, forged], "example.org", SERVER)
    assert is_from_domain(["mx.other.example; dkim=none", forged], "example.org", SERVER)


def test_without_the_servers_name_nobody_is_authenticated():
    """Without a configured server, no field authenticates anybody."""
    parser = MailRequestParser("bounces@example.com", "")
    assert not parser.parse(message(results=f"; {DKIM}")).is_authenticated


@given(st.text(alphabet='();=\\" abcdkimpass.@' + SERVER, max_size=300))
def test_any_field_is_read(text):
    """Any text in the field is read without an error."""
    is_from_domain([f"{SERVER};{text}", text], "example.org", SERVER)


@given(st.binary(max_size=400))
def test_any_bytes_are_read(raw):
    """Any bytes are read without an error, also behind a request's headers."""
    PARSER.parse(raw)
    PARSER.parse(b"To: bounces+join-weekly@example.com\r\nFrom: " + raw)
