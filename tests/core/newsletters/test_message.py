"""The bytes of messages, and tokens in addresses."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from zoneinfo import ZoneInfo

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from feeds.config_types import Crontab, NamedAddress
from feeds.core.newsletters import tokens
from feeds.core.newsletters.dkim import DkimKey, Signer, load_private_key
from feeds.core.newsletters.message import EncodedLetter, IssueHeaders, MessageBuilder, encode_letter
from feeds.model import Delivery, DeliveryState, Letter
from feeds.settings import Newsletter

AT = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
NEWSLETTER = Newsletter(name="weekly", schedule=Crontab("0 8 * * 1"))


def headers(**values):
    return IssueHeaders(
        **{
            "newsletter": NEWSLETTER,
            "number": 3,
            "sender": NamedAddress.parse("手紙 <letters@example.com>"),
            "reply_to": NamedAddress.parse("desk@example.com"),
            "zone": ZoneInfo("Asia/Tokyo"),
            "archive_url": "https://example.com/newsletters/weekly/",
            "seed": b"seed",
        }
        | values,
    )


def delivery(**values):
    return Delivery(
        **{
            "id": 1,
            "letter_id": 1,
            "recipient": "ada@example.org",
            "state": DeliveryState.HANDING_OVER,
            "handed_over_at": AT,
            "subscriber_id": 7,
        }
        | values,
    )


def letter(subject="件名", html="<p>本文</p>", text="本文\n"):
    return Letter(lang="ja", subject=subject, html=html, text=text)


#: A subscriber's unsubscribe token.
TOKEN = "0123456789abcdef" * 2 + "01234567"


def message(headers, letter, delivery):
    return MessageBuilder(headers, encode_letter(headers, letter)).build(delivery, TOKEN, AT)


def parse(content):
    return message_from_bytes(content, policy=policy.default)


@pytest.mark.parametrize("domain", ["a.io", "example.com", "news.a-long-name.example", "例え.example"])
def test_the_sender_in_the_feedback_id_has_5_to_15_characters(domain):
    """Gmail counts complaints by a sender of 5 to 15 characters; another domain gets a name that stays the same."""
    issue = headers(sender=NamedAddress.parse(f"letters@{domain}"))
    issue_id, name, kind, sender = parse(message(issue, letter(), delivery()))["Feedback-ID"].split(":")
    assert (issue_id, name, kind) == ("weekly.3", "weekly", "newsletter")
    assert 5 <= len(sender) <= 15
    assert sender.isascii()
    assert sender == domain or len(domain) not in range(5, 16) or not domain.isascii()


def test_issues_of_two_newsletters_have_no_identifier_in_common_but_the_sender():
    """Gmail counts each identifier of Feedback-ID separately, so the third issues of two newsletters differ."""
    weekly, daily = (
        parse(message(headers(newsletter=msgspec.structs.replace(NEWSLETTER, name=name)), letter(), delivery()))[
            "Feedback-ID"
        ]
        for name in ("weekly", "daily")
    )
    assert set(weekly.split(":")) & set(daily.split(":")) == {"newsletter", "example.com"}


@pytest.mark.parametrize(
    ("bounces", "found"),
    [
        (None, None),
        ("bounces@example.com", "bounces@example.com; report=arf"),
        ("b@in.example.com", "b@in.example.com; report=arf"),
        ("b@other.example", None),
        ("b@badexample.com", None),
    ],
)
def test_providers_learn_where_complaints_go(bounces, found):
    """CFBL-Address (RFC 9477) is the bounce mailbox, if it is at the sender's domain or below it."""
    issue = headers(bounces=bounces and NamedAddress.parse(bounces))
    assert parse(message(issue, letter(), delivery()))["CFBL-Address"] == found


def test_a_message_says_who_what_when_and_how_to_leave():
    """A message has every header of the specification, and each is parsed back as it was written."""
    found = parse(message(headers(), letter(), delivery()))
    assert str(found["From"]) == "手紙 <letters@example.com>"
    assert str(found["To"]) == "ada@example.org"
    assert str(found["Reply-To"]) == "desk@example.com"
    assert found["Subject"] == "件名"
    assert found["Date"] == "Mon, 23 Nov 2026 09:00:00 +0900"
    token = tokens.delivery_token(b"seed", 1)
    assert found["Message-ID"] == f"<weekly.3.{token}@example.com>"
    assert found["List-Id"] == "<weekly.example.com>"
    assert found["List-Unsubscribe"] == "<mailto:desk@example.com?subject=unsubscribe%20weekly>"
    assert found["List-Archive"] == "<https://example.com/newsletters/weekly/>"
    assert found["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert found["Feedback-ID"] == "weekly.3:weekly:newsletter:example.com"
    assert found["Auto-Submitted"] == "auto-generated"


WEB = "https://letters.example.com/"


@pytest.mark.parametrize("bounces", [None, NamedAddress.parse("bounces@example.com")])
def test_a_letter_of_a_site_with_a_web_server_has_one_click_unsubscribe(bounces):
    """With a web server, List-Unsubscribe has the web page and then mailto; List-Unsubscribe-Post says one click."""
    content = message(headers(web_url=WEB, bounces=bounces), letter(), delivery())
    found = parse(content)
    mailto = f"mailto:bounces+u-{TOKEN}@example.com" if bounces else "mailto:desk@example.com"
    assert found["List-Unsubscribe"].replace(">, <", "> <").split() == [
        f"<{WEB}unsubscribe/{TOKEN}>",
        f"<{mailto}?subject=unsubscribe%20weekly>",
    ]
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert max(map(len, content.partition(b"\r\n\r\n")[0].split(b"\r\n"))) < 200
    copy = parse(message(headers(web_url=WEB, bounces=bounces), letter(), delivery(subscriber_id=None)))
    assert (copy["List-Unsubscribe"], copy["List-Unsubscribe-Post"]) == (None, None)


def test_the_signature_covers_the_fields_that_need_it():
    """DKIM covers one-click unsubscribe (RFC 8058 section 4) and CFBL-Address (RFC 9477 section 3.1.4)."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    signer = Signer("example.com", [DkimKey("a", load_private_key(pem))])
    issue = headers(web_url=WEB, bounces=NamedAddress.parse("bounces@in.example.com"))
    content = MessageBuilder(issue, encode_letter(issue, letter()), signer).build(delivery(), TOKEN, AT)
    signed = re.search(r"h=([^;]+);", str(parse(content)["DKIM-Signature"]))[1]
    names = [name.strip() for name in signed.split(":")]
    assert {"list-unsubscribe", "list-unsubscribe-post", "cfbl-address"} <= set(names)


def test_a_letter_encoded_by_an_older_version_keeps_its_headers():
    """A letter that was encoded without a web page is sent without one, though the site has a web server now."""
    old = msgspec.json.decode(msgspec.json.encode(encode_letter(headers(), letter())))
    del old[-1]
    encoded = msgspec.convert(old, EncodedLetter)
    found = MessageBuilder(headers(web_url=WEB), encoded).build(delivery(), TOKEN, AT)
    assert found == message(headers(), letter(), delivery())


def test_text_comes_first_and_html_last():
    """The text part comes first and the HTML part last, as RFC 2046 section 5.1.4 recommends."""
    found = parse(message(headers(), letter(), delivery()))
    assert found.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in found.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_content().strip() for part in found.iter_parts()] == ["本文", "<p>本文</p>"]
    assert [part["Content-Language"] for part in found.iter_parts()] == ["ja", "ja"]


def test_a_copy_has_no_list_unsubscribe():
    """A copy has no List-Unsubscribe, since its recipient is not a subscriber."""
    assert parse(message(headers(), letter(), delivery(subscriber_id=None)))["List-Unsubscribe"] is None


def test_a_long_list_header_is_never_encoded_words():
    """A long List-Unsubscribe has no encoded words: Gmail ignores them, the standard library would write them."""
    long = NamedAddress.parse(f"{'a' * 60}@{'b' * 60}.{'c' * 60}.example.com")
    content = message(headers(reply_to=long), letter(), delivery())
    line = next(line for line in content.split(b"\r\n") if line.startswith(b"List-Unsubscribe:"))
    assert b"=?" not in line
    assert line.endswith(b"?subject=unsubscribe%20weekly>")


def test_the_smaller_transfer_encoding_is_taken():
    """English text is encoded as quoted-printable, Japanese text as base64."""
    for text, expected in (("plain words " * 50, "quoted-printable"), ("日本語の本文" * 50, "base64")):
        found = parse(message(headers(), letter(html=f"<p>{text}</p>", text=text), delivery()))
        assert [part["Content-Transfer-Encoding"] for part in found.iter_parts()] == [expected, expected]


def test_the_same_delivery_always_gives_the_same_bytes():
    """Building the message of a delivery twice gives the same bytes, with the same boundary."""
    assert message(headers(), letter(), delivery()) == message(headers(), letter(), delivery())


def test_a_recipient_beyond_ascii_is_written_in_utf8():
    """A local part beyond ASCII is written in UTF-8 (RFC 6532)."""
    content = message(headers(), letter(), delivery(recipient="葵@example.org"))
    assert "To: 葵@example.org\r\n".encode() in content


@given(st.text(max_size=400))
def test_no_subject_injects_a_header_or_a_long_line(subject):
    """Any subject gives one header and no others, in lines of at most 998 bytes that end with CRLF."""
    content = message(headers(), letter(subject=subject + "\r\nBcc: evil@example.com"), delivery())
    head = content.partition(b"\r\n\r\n")[0]
    assert not [line for line in head.split(b"\r\n") if line.lower().startswith(b"bcc:")]
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert parse(content)["Bcc"] is None


@pytest.mark.parametrize(
    "subject", ["=?utf-8?q?Hi=0D=0ABcc:_evil@x.org?=", "第3回 が レポート week 投資分析 と が", "A=?utf-8?q?b?="]
)
def test_a_subject_arrives_as_it_is(subject):
    """A subject that looks like an encoded word stays text, and spaces survive; the standard library fails at both."""
    found = parse(message(headers(), letter(subject=subject), delivery()))
    assert found["Subject"] == subject
    assert found["Bcc"] is None


#: Texts that must be folded, or cannot be.
WORDS = [
    "w" * 90,
    "A " + "w" * 61,
    "https://example.com/" + "path/" * 30,
    "日本語の件名" * 20,
    "Straße " * 30,
    "word, " * 40,
    "手紙 " + "w" * 90,
    "ü",
]
_MOST_ENCODED = 75


def read_mailbox(content, name):
    """Return the display name and the address of a header; Python's newer parser puts spaces between encoded words."""
    raw = message_from_bytes(content)[name].replace("\r\n", "")
    words, _, address = raw.rpartition(" <")
    words = re.sub(r"\\(.)", r"\1", words[1:-1]) if words.startswith('"') else str(make_header(decode_header(words)))
    return words, address.removesuffix(">")


def check_lines(content):
    """No line of the header is empty or too long, and no encoded word is longer than RFC 2047 allows."""
    for line in content.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        assert line.strip()
        assert not re.fullmatch(rb"[A-Za-z-]+:\s*", line)
        assert max((len(word) for word in line.split() if word.startswith(b"=?")), default=0) <= _MOST_ENCODED


@pytest.mark.parametrize("words", WORDS, ids=ascii)
def test_a_subject_and_a_name_begin_on_the_first_line(words):
    """A subject or name without spaces, or a long one, has no empty first line and no encoded word over 75."""
    name = NamedAddress.parse(f"{words} <letters@example.com>")
    content = message(headers(sender=name, reply_to=name), letter(subject=words), delivery())
    check_lines(content)
    found = parse(content)
    assert found["Subject"] == " ".join(words.split())
    assert read_mailbox(content, "From") == (words.strip(), "letters@example.com")
    assert read_mailbox(content, "Reply-To") == (words.strip(), "letters@example.com")


@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=200
    ).filter(str.strip)
)
def test_any_words_arrive_as_written(words):
    """Any subject and any display name arrive as they were written, spaces apart, in lines that are not empty."""
    words = " ".join(words.split())
    try:
        sender = NamedAddress.parse(f"{words} <letters@example.com>")
    except ValueError:
        return
    content = message(headers(sender=sender), letter(subject=words), delivery())
    check_lines(content)
    assert parse(content)["Subject"] == words
    if sender.address.display_name:
        assert read_mailbox(content, "From") == (sender.address.display_name, "letters@example.com")


def test_a_senders_domain_in_another_script_is_in_ascii_everywhere():
    """A sender at a domain in another script has no encoded word in the address, and one domain in all headers."""
    sender = NamedAddress.parse("Bü <letters@straße.example>")
    bounces = NamedAddress.parse("bounces@νόμος.example")
    issue = headers(sender=sender, reply_to=sender, bounces=bounces)
    content = message(issue, letter(), delivery())
    head = content.partition(b"\r\n\r\n")[0].decode("ascii")
    assert "From: =?utf-8?b?QsO8?= <letters@xn--strae-oqa.example>" in head.split("\r\n")
    assert "Reply-To: =?utf-8?b?QsO8?= <letters@xn--strae-oqa.example>" in head.split("\r\n")
    assert "List-Id: <weekly.xn--strae-oqa.example>" in head
    assert "@xn--xxabhm1c.example?subject=" in head
    assert issue.return_path(1).endswith("@xn--xxabhm1c.example")
    assert issue.message_id(1).endswith("@xn--strae-oqa.example>")


@pytest.mark.parametrize("lang", ["plain words and ", "日本語の本文と、", "ä=é.\n.", "."])
@pytest.mark.parametrize(
    ("web", "url"),
    [
        (None, f"mailto:bounces+u-{TOKEN}@example.com?subject=unsubscribe%20weekly"),
        (WEB, f"{WEB}unsubscribe/{TOKEN}"),
    ],
)
@given(before=st.integers(0, 130), between=st.integers(0, 90))
def test_a_token_is_inserted_in_any_encoding(lang, web, url, before, between):
    """The token replaces each placeholder, wherever lines break around it, and the other text stays as written."""
    issue = headers(bounces=NamedAddress.parse("bounces@example.com"), web_url=web)
    placeholder = issue.unsubscribe_url
    text = f"{(lang * 130)[:before]}{placeholder} {(lang * 90)[:between]}{placeholder}{lang * 40}"
    content = message(issue, letter(html=f"<p>{text}</p>", text=text), delivery())
    found = parse(content)
    expected = text.replace(placeholder, url)
    assert [part.get_content().replace("\r\n", "\n").strip("\n") for part in found.iter_parts()] == [
        expected.strip("\n"),
        f"<p>{expected}</p>",
    ]
    assert f"<{url}>" in found["List-Unsubscribe"]
    lines = content.partition(b"\r\n\r\n")[2].split(b"\r\n")
    assert max(map(len, lines)) <= 78
    assert not [line for line in lines if line.startswith(b".")]


@given(st.text(max_size=600))
def test_any_text_arrives_as_written(text):
    """Any text arrives as written, except for other line breaks than CRLF and blank lines at its ends."""
    found = parse(message(headers(), letter(html=text, text=text), delivery()))
    wanted = re.sub("\r\n?", "\n", text).strip("\n").encode("utf-8", "replace").decode()
    for part in found.iter_parts():
        assert part.get_payload(decode=True).decode().replace("\r\n", "\n").strip("\n") == wanted


@given(st.binary(min_size=1, max_size=16), st.integers(0, 2**40 - 1), st.integers(0, 2**40 - 1))
def test_a_delivery_is_known_by_its_token_and_by_no_other(seed, one, other):
    """A token gives its delivery's id in any case of letters, and is verified only with the seed of its issue."""
    token = tokens.delivery_token(seed, one)
    assert tokens.parse_delivery_token(token.upper()) == one
    assert tokens.verify_delivery_token(seed, token.upper())
    assert not tokens.verify_delivery_token(seed + b"x", token)
    assert (tokens.delivery_token(seed, other) == token) == (one == other)


@given(st.integers(0, 2**40 - 1), st.text(max_size=20), st.text(max_size=60))
def test_a_reader_leaves_by_their_token_only(subscriber, newsletter, wrong):
    """An unsubscribe token names one subscription, has a fixed length, and is valid while its key exists."""
    token = tokens.unsubscribe_token(3, b"key", subscriber, newsletter)
    assert len(token) == tokens.LENGTH
    assert tokens.parse_unsubscribe_token(token.upper(), {3: b"key"}) == (subscriber, tokens.name_digest(newsletter))
    for keys in ({3: b"other"}, {4: b"key"}, {}):
        assert tokens.parse_unsubscribe_token(token, keys) is None
    assert wrong == token or tokens.parse_unsubscribe_token(wrong, {3: b"key"}) is None
