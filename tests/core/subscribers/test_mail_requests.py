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
    """Mail to the bounce address itself, or to similar addresses, is not a request."""
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


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # header.d decides; header.i is below it, or the result is not believed
        ("dkim=pass header.d=evil.example header.i=@example.org", False),
        ("dkim=pass header.i=@example.org header.d=evil.example", False),
        ("dkim=pass header.d=evil.example header.i=ada@example.org header.b=abc", False),
        ("dkim=pass header.d=example.org header.i=@evil.example", False),
        ("dkim=pass header.d=example.org header.i=@mail.example.org", True),
        ("dkim=pass header.d=mail.example.org header.i=@example.org", False),
        ("dkim=pass header.d=notexample.org header.i=@example.org", False),
        ("dkim=pass header.d=evil.example header.d=example.org", False),
        ("dkim=pass header.d=evil.example. header.i=@example.org", False),
        ("dkim=pass header.d=x@example.org header.i=@evil.example", False),
        # Gmail writes header.i alone
        ("dkim=pass header.i=@example.org header.s=20230601 header.b=abc", True),
        ("dkim=pass header.i=ada@example.org", True),
        ("dkim=pass header.i=@example.org@evil.example", False),
        ("dkim=pass header.i=@org", False),
        # several results
        ("dkim=fail header.d=example.org; dkim=pass header.d=evil.example header.i=@example.org", False),
        ("dkim=pass header.d=list.example; dkim=pass header.d=example.org", True),
        ("dkim=fail header.d=example.org; dkim=pass header.d=example.org", True),
        # SPF and DMARC
        ("spf=pass smtp.helo=example.org", False),
        ("spf=pass smtp.mailfrom=evil.example smtp.helo=example.org", False),
        ("spf=pass smtp.helo=mx.evil.example smtp.mailfrom=example.org", True),
        ("spf=pass smtp.mailfrom=ada@example.org@evil.example", False),
        ("spf=pass smtp.mailfrom=header.from=example.org", False),
        ("spf=pass header.from=example.org", False),
        ("dmarc=pass smtp.mailfrom=example.org", False),
        ("dmarc=pass (p=reject dis=none) header.from=evil.example", False),
        ("dmarc=fail header.from=example.org; arc=pass header.from=example.org", False),
        ("dmarc=pass header.from=evil.example header.from=example.org", False),
        # names and results that only begin like the right ones
        ("dkim=pass-not header.d=example.org", False),
        ("dkim=dkim_pass header.d=example.org", False),
        ("dkim=pass x-header.d=example.org", False),
        ("dkim=pass policy.header.d=example.org", False),
        ("dkim/2=pass header.d=example.org", False),
        ("dkim / 1 = pass header . d = example.org", True),
        ("DKIM=PASS HEADER.D=EXAMPLE.ORG", True),
        # quoted strings, comments, folding
        ('dkim=pass header.d="example.org"', True),
        ('dkim=pass header.i="a b; c"@example.org', True),
        ('spf=pass smtp.mailfrom="example.org"@evil.example', False),
        ('spf=pass smtp.mailfrom="a dkim=pass header.d=example.org b"@evil.example', False),
        ("dkim=pass (header.d=example.org) header.d=evil.example", False),
        ("dkim=fail (x (y)) ; dkim=pass (a (b) c) header.d=example.org", True),
        ("dkim=fail (x \\) ; dkim=pass header.d=example.org", False),
        ("dkim=pass\r\n\t(2048-bit\r\n key)\r\n header.d=example.org", True),
        ("dkim=pass\r\n header.d=evil.example\r\n\theader.i=@example.org", False),
        # a local part with quotation marks or parentheses, which a server repeats in a comment
        ('spf=fail (domain of "x) ; dkim=pass header.d=example.org ("@evil.example) smtp.mailfrom=evil.example', False),
        ('spf=pass (of a"b@evil.example) header.i="x smtp.mailfrom=example.org "@evil.example', False),
        ('dkim=pass header.d=example.org (domain of "x)', False),
        ("dkim=pass header.d=example.org (no end", False),
        ("dkim=pass header.d=example.org" + " " * 4000, False),
        (f"dkim=pass {'x' * 3940} header.d=example.org.evil.example", False),
    ],
)
def test_alignment_is_decided_by_the_domain_that_has_signed(value, expected):
    """Whatever else a result names, in whatever order, quoting, comment or folding, the domain that passed decides."""
    assert is_from_domain([f"{SERVER}; {value}"], "example.org", SERVER) is expected
    assert is_from_domain([f"{SERVER}; {value}", f"{SERVER}; {DKIM}"], "example.org", SERVER) is expected


@pytest.mark.parametrize("domain", ["exämple.org", "EXÄMPLE.org", "xn--exmple-cua.org"])
@pytest.mark.parametrize("signed", ["exämple.org", "xn--exmple-cua.org"])
def test_domains_are_compared_as_dns_has_them(domain, signed):
    """A domain in another script is the same in both of its spellings."""
    assert is_from_domain([f"{SERVER}; dkim=pass header.d={signed}"], domain, SERVER)
    assert not is_from_domain([f"{SERVER}; dkim=pass header.d=example.org"], domain, SERVER)


@pytest.mark.parametrize("name", [f'"{SERVER}"', f"(a) {SERVER} (b) 1", f"{SERVER}\r\n 1"])
def test_the_servers_name_may_be_written_in_other_ways(name):
    """The name of the server may be quoted or folded, with comments and the version; another version is not read."""
    assert is_from_domain([f"{name}; {DKIM}"], "example.org", SERVER)
    assert not is_from_domain([f"{SERVER} 2; {DKIM}"], "example.org", SERVER)


@given(
    st.sampled_from(["", "a", "ada@", "@"]),
    st.sampled_from(["evil.example", "example.org.evil.example", "org", "xexample.org"]),
    st.sampled_from(["", " (x)", "\r\n ", ' reason="example.org"', " header.i=@example.org", " header.b=example.org"]),
    st.sampled_from(["dkim", "spf", "dmarc"]),
)
def test_a_pass_for_another_domain_never_counts(local, other, more, method):
    """A result of another domain authenticates no one, whatever else it names."""
    name = {"dkim": "header.d", "spf": "smtp.mailfrom", "dmarc": "header.from"}[method]
    for properties in (f" {name}={local}{other}{more}", f"{more} {name}={local}{other}"):
        assert not is_from_domain([f"{SERVER}; {method}=pass{properties}"], "example.org", SERVER)


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
