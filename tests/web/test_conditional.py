"""Conditional requests, content codings, languages and proxies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.web.conditional import choose_coding, is_modified_since, parse_tags
from feeds.web.languages import choose_language
from feeds.web.proxies import client_address


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (b"gzip, deflate, br, zstd", "br"),
        (b"gzip", "gzip"),
        (b"br;q=0.1, gzip;q=0.9", "gzip"),
        (b"br;q=0, *", "gzip"),
        (b"*;q=0", ""),
        (b"identity", ""),
        (b"GZIP ; q=1", "gzip"),
        (b"br;q=high", ""),
        (b"\xff\xfe", ""),
    ],
)
def test_the_coding_is_one_that_the_client_accepts(accepted, coding):
    """The coding with the highest weight is taken, brotli before gzip; none if the client accepts neither."""
    assert choose_coding(accepted) == coding


def test_entity_tags_are_compared_without_their_coding():
    """A tag is found in a list, weak or strong, with the ending of a coding of ours or of another server."""
    tags = parse_tags(b'"a", W/"b-gz" ,"c-br","d-gzip", "e-gz-gzip", "" , "f')
    assert list(tags) == ["a", "b", "c", "d", "e", ""]
    assert (tags["a"], tags["b"]) == (b'"a"', b'"b-gz"')
    assert parse_tags(b"garbage") == {}


def test_a_date_that_is_none_does_not_count():
    """A date in any of the forms of HTTP counts; with any other text the file is sent."""
    assert not is_modified_since(b"Mon, 23 Nov 2026 12:00:00 GMT", 1795435200)
    assert is_modified_since(b"Mon, 23 Nov 2026 11:59:59 GMT", 1795435200)
    for text in (b"yesterday", b"", b"\xff", b"Mon, 99 Nov 2026 12:00:00 GMT"):
        assert is_modified_since(text, 0)


@given(st.binary(max_size=200))
def test_any_header_can_be_read(value):
    """No value of a header is an error."""
    parse_tags(value)
    choose_coding(value)
    is_modified_since(value, 0)
    choose_language(value.decode("latin-1"), ["en", "de"])
    client_address("127.0.0.1", [value.decode("latin-1")], ["127.0.0.1"])


@pytest.mark.parametrize(
    ("accepted", "lang"),
    [
        ("de-AT, en;q=0.8", "de"),
        ("zh-Hant-TW, zh;q=0.5", "zh-Hant"),
        ("zh-CN", "zh"),
        ("fr, *;q=0.5", None),
        ("en;q=0, de;q=0.001", "de"),
        ("de;q=2", None),
        ("", None),
    ],
)
def test_a_range_of_languages_finds_the_nearest_one(accepted, lang):
    """A language is found by the longest beginning of its tag; a weight of 0 or above 1 does not count."""
    assert choose_language(accepted, ["en", "de", "zh", "zh-Hant"]) == lang


PROXIES = ["127.0.0.1", "10.0.0.0/8", "::1"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["192.0.2.66, 198.51.100.1, 10.1.2.3"], "198.51.100.1"),
        ("127.0.0.1", ["192.0.2.66", "198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["<script>"], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("::1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("::1", ["2001:db8::7"], "2001:db8::7"),
        ("::ffff:127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        (None, ["198.51.100.1"], "198.51.100.1"),
        (None, [], None),
        ("127.0.0.1", ["10.0.0.9"], "10.0.0.9"),
    ],
)
def test_only_trusted_proxies_are_believed(peer, forwarded, client):
    """The client is the last address that a trusted proxy has appended; what the client wrote itself is ignored."""
    assert client_address(peer, forwarded, PROXIES) == client
