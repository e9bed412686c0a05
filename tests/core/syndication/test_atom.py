"""Atom documents."""

from datetime import datetime, timedelta, timezone

import feedparser
import pytest
from feedgen.feed import FeedGenerator
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from feeds.core.posts.markdown import to_html, without_illegal
from feeds.core.syndication import atom, plan
from feeds.model import Author, Catalogue
from feeds.settings import Feeds, IdAuthority, Settings, Site, Url
from tests.core.factory import START, entry, texts

SITE = Site(title="Test", url=Url("https://example.com/"), id_authority=IdAuthority("example.com,2026"))
SETTINGS = Settings(site=SITE)
ATOM = "{http://www.w3.org/2005/Atom}"


def feeds_of(*entries, settings=SETTINGS):
    return plan.plan(Catalogue(now=START, entries=entries, verdicts=()), settings)


def document(*entries, settings=SETTINGS, **said):
    return atom.document(feeds_of(*entries, settings=settings)[0], texts(*entries, **said), settings)


def test_there_is_a_feed_of_everything_and_one_a_category():
    """Each where the contract puts it, its slug quoted in the address only."""
    feeds = feeds_of(entry("a.md", topics=["投資"]), entry("b.md", topics=["B"]))
    assert [f.path for f in feeds] == ["feeds/atom.xml", "feeds/category/b/atom.xml", "feeds/category/投資/atom.xml"]
    assert feeds[2].atom_url == "https://example.com/feeds/category/%E6%8A%95%E8%B3%87/atom.xml"
    assert [e.post.path for e in feeds[1].entries] == ["b.md"]


def test_a_feed_shows_the_newest():
    """As many as the config says."""
    settings = Settings(site=SITE, feeds=Feeds(entries=2))
    assert len(feeds_of(*(entry(f"{n}.md") for n in range(5)), settings=settings)[0].entries) == 2


def test_a_post_may_stay_out_of_feeds():
    """`feed: false`."""
    assert feeds_of(entry("a.md", feed=False))[0].entries == ()


def test_everything_a_reader_wants_is_there():
    """Read back by feedparser: ids, dates, languages, authors, categories with labels, links, summary, content."""
    written = entry(
        "a.md",
        topics=["投資"],
        tags=["AI"],
        lang="ja",
        title="日本 & <b>",
        updated=START + timedelta(days=1),
        authors=(Author(name="葵", uri="https://aoi.example/"), Author(name="Ada")),
        target="https://other.example/",
    )
    html = to_html("本文 **太字**\n\n![x](/a.png)\n")
    found = feedparser.parse(document(written, html=html), sanitize_html=False)
    assert not found.bozo
    assert (found.feed.title, found.feed.id, found.feed.language) == ("Test", "tag:example.com,2026:feeds/", "en")
    assert {link.rel: link.href for link in found.feed.links} == {
        "self": "https://example.com/feeds/atom.xml",
        "alternate": "https://example.com/",
    }
    one = found.entries[0]
    assert (one.id, one.title) == (written.id, "日本 & <b>")
    assert (one.published, one.updated) == ("2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00")
    assert [a.name for a in one.authors] == ["葵", "Ada"]
    assert [(t.term, t.label) for t in one.tags] == [("投資", "投資"), ("AI", "AI")]
    assert {link.rel: link.href for link in one.links} == {
        "alternate": "https://example.com/a/",
        "related": "https://other.example/",
    }
    assert one.links[0].type == "text/html"
    assert one.summary == "Excerpt of a.md."
    assert one.content[0].language == "ja"
    assert "<strong>太字</strong>" in one.content[0].value
    assert 'src="https://example.com/a.png"' in one.content[0].value


def test_bare_feedgen_loses_the_rel_and_language_of_an_entry():
    """This is why an extension writes them."""
    made = FeedGenerator()
    made.id("urn:x"), made.title("T")
    item = made.add_entry()
    item.id("urn:y"), item.title("T"), item.link(href="https://example.com/", rel="alternate", type="text/html")
    link = etree.fromstring(made.atom_str()).find(f"{ATOM}entry/{ATOM}link")
    assert link.attrib == {"href": "https://example.com/"}


def test_an_empty_feed_is_valid_and_does_not_know_the_time():
    """`updated` is required, and must be the same tomorrow."""
    found = feedparser.parse(document())
    assert not found.bozo
    assert found.feed.updated == "1970-01-01T00:00:00+00:00"


def test_a_summary_feed_carries_no_content():
    """`content = "summary"`."""
    settings = Settings(site=SITE, feeds=Feeds(content="summary"))
    assert b"<content" not in document(entry("a.md"), settings=settings)


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        (timezone(timedelta(hours=9)), "2026-01-01T08:30:00+09:00"),
        (timezone(timedelta(hours=9, minutes=18, seconds=59)), "2025-12-31T23:11:01+00:00"),
    ],
)
def test_dates_are_as_rfc_3339_can_write_them(zone, written):
    """No microseconds, no offsets with seconds (local mean time of long ago)."""
    moment = datetime(2026, 1, 1, 8, 30, 0, 250, tzinfo=zone)
    assert written.encode() in document(entry("a.md", published=moment))


@given(st.text(max_size=30), st.text(max_size=60))
def test_any_title_and_text_give_a_well_formed_document(title, body):
    """`]]>`, bidi marks, emoji: the reader gets them, the parser does not choke."""
    made = document(entry("a.md", title=without_illegal(title) or "x"), html=to_html(body))
    assert etree.fromstring(made).find(f"{ATOM}entry/{ATOM}content").get("type") == "html"


def test_bytes_depend_on_posts_and_settings_only():
    """Twice the same."""
    assert document(entry("a.md")) == document(entry("a.md"))
