"""Feeds of other programs: every format, and ids byte for byte."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from feeds.core.curation.old_feed import OldEntry, parse_old_feed
from feeds.errors import FeedsError

JEKYLL = """<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" ><link
href="http://b.example/feed.xml" rel="self" /><link href="http://b.example/" rel="alternate" type="text/html" />
<updated>2026-01-01T00:00:00+09:00</updated><id>http://b.example/feed.xml</id><title type="html">B</title><entry>
<title type="html">A &amp;amp; B – “one”</title><link href="http://b.example/2024/%E9%9B%A8.html" rel="alternate" />
<published>2024-08-01T10:00:00+09:00</published><updated>2024-08-02T10:00:00+09:00</updated>
<id>http://b.example/2024/%E9%9B%A8</id><content type="html" xml:base="http://b.example/x"><![CDATA[<p>]]></content>
</entry></feed>"""
ATOM_03 = """<feed version="0.3" xmlns="http://purl.org/atom/ns#"><link rel="alternate" href="http://b.example/"/>
<entry><title>Old</title><link rel="alternate" href="http://b.example/old"/><id>tag:b.example,2003:1</id>
<issued>2003-05-01T12:00:00Z</issued><modified>2003-05-02T12:00:00Z</modified></entry></feed>"""
RSS = """<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/"
xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"><channel><title>B</title>
<atom:link href="https://b.example/index.xml" rel="self"/><link>https://b.example/</link>
<atom:link href="/page/2.xml" rel="next"/>
<item><media:title>A picture</media:title><title>C &lt;b&gt;bold&lt;/b&gt;</title><link>https://b.example/c/</link>
<pubDate>Wed, 01 May 2024 10:00:00 +0200</pubDate><guid isPermaLink="false"> 12 at https://b.example </guid></item>
<item><title>No guid</title><link>https://b.example/no-guid/</link></item>
<item><title>Only a guid</title><guid>https://b.example/?p=7</guid></item>
<item><title>By a service</title><link>https://feeds.service.example/~r/1</link><guid isPermaLink="false">g</guid>
<feedburner:origLink>https://b.example/d/</feedburner:origLink></item>
<item><title>Neither</title></item></channel></rss>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="http://b.example/rdf"><link>http://b.example/</link>
</channel><item rdf:about="http://b.example/id/1"><title>R</title><link>http://b.example/r</link>
<dc:date>2005-01-02T03:04:05+09:00</dc:date></item></rdf:RDF>"""
JSON = {
    "version": "https://jsonfeed.org/version/1",
    "home_page_url": "https://b.example/",
    "next_url": "https://b.example/feed-2.json",
    "items": [
        {"id": 17, "url": "https://b.example/j", "title": "J", "date_published": "2024-01-01T00:00:00Z"},
        {"id": "x", "external_url": "https://elsewhere.example/", "date_modified": "2024-02-01T00:00:00-05:00"},
    ],
}
JST = timezone(timedelta(hours=9))


def parse(written, url=""):
    return parse_old_feed(written.encode(), url)


def test_a_feed_of_jekyll_is_read():
    """An Atom entry has its id, title without markup, page and both dates; the feed has its home page."""
    feed = parse(JEKYLL)
    assert feed.home == "http://b.example/"
    assert feed.entries == (
        OldEntry(
            id="http://b.example/2024/%E9%9B%A8",
            title="A & B – “one”",
            links=("http://b.example/2024/%E9%9B%A8.html",),
            published=datetime(2024, 8, 1, 10, tzinfo=JST),
            updated=datetime(2024, 8, 2, 10, tzinfo=JST),
        ),
    )


def test_an_rss_feed_is_read():
    """An RSS item has its own title and guid, or its link as id; FeedBurner's original link is its page."""
    feed = parse(RSS, "https://b.example/index.xml")
    assert (feed.home, feed.older) == ("https://b.example/", ("https://b.example/page/2.xml",))
    assert [(entry.id, entry.title, entry.links[0]) for entry in feed.entries] == [
        (" 12 at https://b.example ", "C bold", "https://b.example/c/"),
        ("https://b.example/no-guid/", "No guid", "https://b.example/no-guid/"),
        ("https://b.example/?p=7", "Only a guid", "https://b.example/?p=7"),
        ("g", "By a service", "https://b.example/d/"),
    ]
    assert feed.entries[0].published == datetime(2024, 5, 1, 8, tzinfo=UTC)
    assert feed.warnings == ("1 of 5 entries have neither id nor link; they are left out",)


def test_feeds_of_the_first_years_are_read():
    """RSS 1.0 has ids in `rdf:about` and dates of Dublin Core, Atom 0.3 has other names for dates."""
    [entry] = parse(RDF).entries
    assert (entry.id, entry.links, entry.published) == (
        "http://b.example/id/1",
        ("http://b.example/r",),
        datetime(2005, 1, 2, 3, 4, 5, tzinfo=JST),
    )
    [entry] = parse(ATOM_03).entries
    assert (entry.id, entry.last_change) == ("tag:b.example,2003:1", datetime(2003, 5, 2, 12, tzinfo=UTC))


def test_a_json_feed_is_read():
    """A number is an id as its digits, and an external URL is a link."""
    feed = parse(json.dumps(JSON))
    assert (feed.home, feed.older) == ("https://b.example/", ("https://b.example/feed-2.json",))
    assert [(entry.id, entry.links) for entry in feed.entries] == [
        ("17", ("https://b.example/j",)),
        ("x", ("https://elsewhere.example/",)),
    ]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_an_id_is_taken_byte_for_byte_or_not_at_all(written):
    """What lxml and json write as an id is read unchanged, unless XML cannot hold it or it is blank."""
    expected = [written] if written.strip() else []
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": [{"id": written}]}
    entry = etree.Element("{http://www.w3.org/2005/Atom}feed")
    try:
        etree.SubElement(
            etree.SubElement(entry, "{http://www.w3.org/2005/Atom}entry"), "{http://www.w3.org/2005/Atom}id"
        ).text = written
    except ValueError:
        expected = []
    else:
        assert [one.id for one in parse_old_feed(etree.tostring(entry, encoding="utf-8"), "").entries] == expected
    found = [one.id for one in parse(json.dumps(feed)).entries]
    assert found in (expected, [])


def test_base_addresses_count():
    """Relative links are resolved against `xml:base`, and without it against the address of the feed."""
    feed = '<feed xmlns="http://www.w3.org/2005/Atom"><entry{}><id>i</id><link href="a b/c"/></entry></feed>'
    assert parse(feed.format(' xml:base="https://base.example/x/"')).entries[0].links == (
        "https://base.example/x/a b/c",
    )
    assert parse(feed.format(""), "https://b.example/feed").entries[0].links == ("https://b.example/a b/c",)


def test_a_feed_with_faults_is_read_with_a_warning():
    """Undeclared entities and a missing end are reported with their line, and the entries before them are read."""
    feed = parse(JEKYLL.replace("<published>", "<summary>a&nbsp;b</summary><published>").removesuffix("</feed>"))
    assert [entry.id for entry in feed.entries] == ["http://b.example/2024/%E9%9B%A8"]
    assert feed.warnings[0].startswith("is not well-formed XML (line ")


def test_entities_do_not_grow_and_no_file_is_read(tmp_path):
    """An entity of the document's own is not replaced, whatever it stands for."""
    (tmp_path / "secret").write_text("secret", "utf-8")
    head = f'<!DOCTYPE feed [<!ENTITY a "xxxx"><!ENTITY s SYSTEM "file://{tmp_path}/secret">]>'
    [entry] = parse(
        f"{head}<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>i</id><title>&a;&s;</title></entry></feed>"
    ).entries
    assert "xxxx" not in entry.title
    assert "secret" not in entry.title


PAGE = '<html><head><link rel="alternate" type="application/atom+xml" href="/feed.xml"><title>B</title></head></html>'


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (PAGE, "its first element is <html>; the page names the feed https://b.example/feed.xml"),
        ("", "cannot be read as XML"),
        ("plain words", "cannot be read as XML"),
        ("\0\0\0\0" + RSS, "cannot be read as XML"),
        ("\0" + ATOM_03, "cannot be read as XML"),
        ("<opml/>", "its first element is <opml>"),
        ('{"version": "1", "items": []}', "is not a JSON Feed: it has no version"),
        ("{", "is not a JSON Feed: Expecting"),
        ('{"a":' + "[" * 100_000, "is not a JSON Feed"),
    ],
    ids=["page", "empty", "text", "zeros", "a zero", "other XML", "other JSON", "broken JSON", "deep JSON"],
)
def test_what_is_not_a_feed_is_named(written, reason):
    """A page, an empty file, text and other XML or JSON are errors; of a page, the feeds it links to are named."""
    with pytest.raises(FeedsError) as caught:
        parse(written, "https://b.example/blog/")
    assert reason in str(caught.value)


@given(st.sampled_from([JEKYLL, ATOM_03, RSS, RDF, json.dumps(JSON), PAGE]), st.data())
def test_a_damaged_feed_is_read_or_refused(written, data):
    """Whatever is changed, cut out or put into a feed, entries with ids come out, or an error of ours."""
    content = written.encode()
    at = data.draw(st.integers(0, len(content)))
    size = data.draw(st.integers(0, 40))
    try:
        feed = parse_old_feed(content[:at] + data.draw(st.binary(max_size=20)) + content[at + size :], "http://[x")
    except FeedsError:
        return
    assert all(entry.id.strip() for entry in feed.entries)
