"""Replies, as they come in pieces."""

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
    """The bytes of one reply, of one line or more."""
    code, end = draw(CODES), draw(ENDS)
    *first, last = draw(st.lists(TEXTS, min_size=1, max_size=4))
    return b"".join(b"%d-%b%b" % (code, text, end) for text in first) + b"%d %b%b" % (code, last, end)


def heard(pieces):
    """What was understood, and whether there was an end to it."""
    found, parser = [], ReplyParser()
    try:
        for piece in pieces:
            for reply in parser.feed(piece):
                found.append(reply)  # noqa: PERF402 - what came before the fault counts
    except ProtocolError:
        return found, True
    return found, False


@given(st.lists(st.one_of(replies(), replies(), st.binary(max_size=12))), st.lists(st.integers(0, 9000)))
def test_it_does_not_matter_how_bytes_are_cut(parts, cuts):
    """The same replies, and the same end where something else follows them."""
    whole = b"".join(parts) + b"\r\n"
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    pieces = [whole[a:b] for a, b in pairwise(places)]
    size = 1 if len(whole) < 500 else 1000
    even = [whole[at : at + size] for at in range(0, len(whole), size)]
    assert heard(pieces) == heard([whole]) == heard(even)


@given(st.lists(st.binary(max_size=60)))
def test_garbage_is_a_protocol_error_and_nothing_else(pieces):
    """Whatever a stranger says, and however."""
    found, _ = heard(pieces)
    assert all(200 <= reply.code <= 599 and reply.text.isprintable() for reply in found)


@pytest.mark.parametrize(
    ("said", "code", "text"),
    [
        (b"250 2.1.5 Ok\r\n", 250, "2.1.5 Ok"),
        (b"250\r\n", 250, ""),
        (b"550-5.1.1 Nobody here\r\n550-5.1.1 by this name\r\n550 5.1.1 see https://x.example/\r\n", 550, None),
        (b"421 4.3.2 \xe3\x81\x95\xe3\x82\x88\xe3\x81\x86\xe3\x81\xaa\xe3\x82\x89\n", 421, "4.3.2 さような\u3089"),
        (b"250 a\x1b[31m\0b\xff\r\n", 250, "a [31m b\ufffd"),
    ],
)
def test_a_reply_is_one_line_of_words(said, code, text):
    """Several lines are joined, and nothing in it moves a terminal's cursor."""
    whole = "5.1.1 Nobody here 5.1.1 by this name 5.1.1 see https://x.example/" if text is None else text
    assert list(ReplyParser().feed(said)) == [Reply(code, whole)]


@pytest.mark.parametrize(
    "said",
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
def test_what_is_no_reply_ends_it(said):
    """Nothing is guessed, and no line or reply grows without end."""
    with pytest.raises(ProtocolError, match=r"is no SMTP reply|more than 128 lines"):
        list(ReplyParser().feed(said))


def test_what_came_before_the_garbage_counts():
    """An answer that was given is not lost with the connection: the message would be sent again."""
    said = b"250 2.0.0 kept\r\nTraceback (most recent call last):\r\n"
    assert heard([said]) == ([Reply(250, "2.0.0 kept")], True)


@pytest.mark.parametrize(
    ("text", "enhanced"),
    [
        ("5.1.1 nobody", "5.1.1"),
        ("5.7.515 Access denied", "5.7.515"),
        ("4.7.0", "4.7.0"),
        ("5.1.1: nobody", ""),
        ("nobody 5.1.1", ""),
        ("3.0.0 what", ""),
        ("5.1.1.2 a version", ""),
        ("", ""),
    ],
)
def test_an_enhanced_code_stands_first(text, enhanced):
    """RFC 2034 section 4; a version number or an address in the text is none."""
    assert Reply(550, text).enhanced == enhanced
