"""Parsing replies from pieces of any size."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.edges.mail.smtp.reply import ProtocolError, ReplyParser
from feeds.edges.mail.transport import Reply

TEXTS = st.one_of(
    st.binary(max_size=30), st.integers(4080, 4100).map(lambda size: b"x" * size), st.just(b"2.1.5 ok")
).map(lambda text: text.replace(b"\r", b"").replace(b"\n", b""))
CODES = st.integers(200, 599)
ENDS = st.sampled_from([b"\r\n", b"\n"])


@st.composite
def replies(draw):
    """The bytes of a reply of one line or more."""
    code, end = draw(CODES), draw(ENDS)
    *first, last = draw(st.lists(TEXTS, min_size=1, max_size=4))
    return b"".join(b"%d-%b%b" % (code, text, end) for text in first) + b"%d %b%b" % (code, last, end)


def parse(pieces):
    """The replies, and whether something invalid follows them."""
    found, parser = [], ReplyParser()
    try:
        for piece in pieces:
            for reply in parser.feed(piece):
                found.append(reply)  # noqa: PERF402 - replies before the error count
    except ProtocolError:
        return found, True
    return found, False


@given(st.lists(st.one_of(replies(), replies(), st.binary(max_size=12))), st.lists(st.integers(0, 9000)))
def test_the_size_of_the_pieces_does_not_matter(parts, cuts):
    """Bytes that are cut anywhere give the same replies and the same error."""
    whole = b"".join(parts) + b"\r\n"
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    pieces = [whole[a:b] for a, b in pairwise(places)]
    size = 1 if len(whole) < 500 else 1000
    even = [whole[at : at + size] for at in range(0, len(whole), size)]
    assert parse(pieces) == parse([whole]) == parse(even)


@given(st.lists(st.binary(max_size=60)))
def test_any_bytes_give_valid_replies_or_a_protocol_error(pieces):
    """No other exception is raised."""
    found, _ = parse(pieces)
    assert all(200 <= reply.code <= 599 and reply.text.isprintable() for reply in found)


@pytest.mark.parametrize(
    ("data", "code", "text"),
    [
        (b"250 2.1.5 Ok\r\n", 250, "2.1.5 Ok"),
        (b"250\r\n", 250, ""),
        (b"550-5.1.1 No user here\r\n550-5.1.1 by this name\r\n550 5.1.1 see https://x.example/\r\n", 550, None),
        (b"421 4.3.2 \xe3\x81\x95\xe3\x82\x88\xe3\x81\x86\xe3\x81\xaa\xe3\x82\x89\n", 421, "4.3.2 さような\u3089"),
        (b"250 a\x1b[31m\0b\xff\r\n", 250, "a [31m b\ufffd"),
    ],
)
def test_a_reply_becomes_one_printable_line(data, code, text):
    """Several lines are joined, and control characters become spaces."""
    whole = "5.1.1 No user here 5.1.1 by this name 5.1.1 see https://x.example/" if text is None else text
    assert list(ReplyParser().feed(data)) == [Reply(code, whole)]


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\r\n250 ok\r\n",
        b"199 too small\r\n",
        b"600 too large\r\n",
        b"250 a bare \r in it\r\n",
        b"x" * 5000,
        b"250 " + b"x" * 5000 + b"\r\n",
        b"250-and so on\r\n" * 200,
    ],
)
def test_an_invalid_or_endless_reply_is_a_protocol_error(data):
    """The length of lines and the number of lines are bounded."""
    with pytest.raises(ProtocolError, match=r"is not an SMTP reply|more than 128 lines"):
        list(ReplyParser().feed(data))


def test_a_reply_before_invalid_bytes_counts():
    """Otherwise the message that it confirms would be sent again."""
    data = b"250 2.0.0 kept\r\nTraceback (most recent call last):\r\n"
    assert parse([data]) == ([Reply(250, "2.0.0 kept")], True)


@pytest.mark.parametrize(
    ("text", "enhanced"),
    [
        ("5.1.1 unknown user", "5.1.1"),
        ("5.7.515 Access denied", "5.7.515"),
        ("4.7.0", "4.7.0"),
        ("'5.1.1 unknown user'", "5.1.1"),
        ("#5.1.0 Address rejected.", "5.1.0"),
        ("(5.1.1) unknown user", "5.1.1"),
        ("5.1.1: unknown user", ""),
        ("unknown user 5.1.1", ""),
        ("3.0.0 what", ""),
        ("5.1.1.2 a version", ""),
        ("", ""),
    ],
)
def test_an_enhanced_code_is_the_first_word_of_a_reply(text, enhanced):
    """RFC 2034 section 4, also in quotes; a version number or an IP address later in the text is not one."""
    assert Reply(550, text).enhanced == enhanced
