"""The OPML file with all feeds."""

from datetime import timedelta

import pytest
from lxml import etree

from feeds.config_types import IdAuthority, Url
from feeds.core.syndication import plan
from feeds.core.syndication.feed import FILES
from feeds.core.syndication.opml import render_opml
from feeds.model import Author, Catalogue
from feeds.settings import CustomFeed, FeedSettings, Newsletter, Settings, SiteSettings
from tests.core.factory import START, entry
from tests.validity.opml import opml_faults

SITE = SiteSettings(title="Test & <b>", url=Url("https://example.com/"), id_authority=IdAuthority("example.com,2026"))
GROUPS = {
    "category": "Categories",
    "tag": "Tags",
    "author": "Authors & others",
    "language": "Languages",
    "extra": "Selections",
    "newsletter": "Newsletters",
}
POSTS = (
    entry("b.md", topics=["B"], tags=["t"], days=1, authors=(Author(name="葵"),), lang="ja"),
    entry("a.md", topics=["A", "投資"], tags=["u", "t"]),
)


def planned(*entries, **feeds):
    settings = Settings(site=SITE, feeds=FeedSettings(**feeds))
    return plan.plan_feeds(Catalogue(now=START + timedelta(days=9), entries=entries, outcomes=()), settings)


def listed(feeds):
    """Return the root of the OPML file; every test checks that it is valid."""
    document = render_opml(feeds, "Feeds of <Test> & others", GROUPS)
    assert opml_faults(document) == []
    return etree.fromstring(document)


def tree(root):
    """Return the names of outlines, groups with the names in them."""
    return [
        (outline.get("text"), [inner.get("text") for inner in outline]) if len(outline) else outline.get("text")
        for outline in root.find("body")
    ]


def test_each_kind_of_feeds_is_a_group():
    """The feed of everything comes first, without a group, then the groups in the order of the plan."""
    feeds = planned(
        *POSTS, by=("category", "tag", "author", "language"), extra=(CustomFeed(name="picks", title="Picks", tag="u"),)
    )
    assert tree(listed(feeds)) == [
        "Test & <b>",
        ("Categories", ["A", "B", "投資"]),
        ("Tags", ["t", "u"]),
        ("Authors & others", ["Ada", "葵"]),
        ("Languages", ["English", "日本語"]),
        ("Selections", ["Picks"]),
    ]


def test_newsletters_are_a_group_too():
    """The feeds of newsletters are the last group."""
    settings = Settings(site=SITE)
    newsletter = Newsletter(name="weekly", title="The weekly", schedule="0 8 * * mon")
    letters = plan.plan_newsletter_feed(newsletter, settings, issues=3, updated=START, known=None)
    root = listed([*planned(entry("a.md")), letters])
    assert tree(root) == ["Test & <b>", ("Newsletters", ["The weekly"])]
    (outline,) = root.iterfind(".//outline[@text='The weekly']")
    assert outline.get("xmlUrl") == "https://example.com/newsletters/weekly/atom.xml"


def test_a_feed_says_what_it_is_and_where():
    """An outline has names, language, document and HTML page; its type is `rss` for all formats."""
    root = listed(planned(entry("a.md", lang="ja"), by=("language",)))
    assert [dict(outline.attrib) for outline in root.iter("outline") if outline.get("xmlUrl")] == [
        {
            "type": "rss",
            "text": "Test & <b>",
            "title": "Test & <b>",
            "language": "en",
            "xmlUrl": "https://example.com/feeds/atom.xml",
            "htmlUrl": "https://example.com/feeds/all/",
        },
        {
            "type": "rss",
            "text": "日本語",
            "title": "日本語 · Test & <b>",
            "language": "ja",
            "xmlUrl": "https://example.com/feeds/language/ja/atom.xml",
            "htmlUrl": "https://example.com/feeds/language/ja/",
        },
    ]


@pytest.mark.parametrize(
    ("formats", "name"),
    [(("json", "rss", "atom"), "atom.xml"), (("json", "rss"), "rss.xml"), (("json",), "feed.json")],
)
def test_atom_is_preferred(formats, name):
    """Atom is listed if the feed has it, else RSS, else JSON Feed; no version is named, as OPML knows only RSS's."""
    for outline in listed(planned(entry("a.md", topics=["A"]), formats=formats)).iter("outline"):
        if outline.get("xmlUrl"):
            assert outline.get("version") is None
            assert outline.get("xmlUrl").endswith(f"/{name}")


def test_a_retired_format_is_not_listed():
    """Instead of a retired format the next one is listed; a feed without formats is not listed."""
    catalogue = Catalogue(now=START, entries=(entry("a.md", topics=["A"]),), outcomes=())
    retired = ["feeds/atom.xml", *(f"feeds/category/a/{name}" for name in FILES.values())]
    feeds = plan.plan_feeds(catalogue, Settings(site=SITE), retired=retired)
    root = etree.fromstring(render_opml(feeds, "T", GROUPS))
    assert [o.get("xmlUrl") for o in root.iter("outline") if o.get("xmlUrl")] == ["https://example.com/feeds/rss.xml"]


def test_a_feed_without_formats_is_not_listed():
    """A feed whose formats are all retired is not listed, nor is its group if it was the only feed in it."""
    retired = [f"feeds/category/x/{name}" for name in FILES.values()]
    catalogue = Catalogue(now=START, entries=(entry("a.md", topics=["X"]),), outcomes=())
    root = listed(plan.plan_feeds(catalogue, Settings(site=SITE), retired=retired))
    assert [outline.get("text") for outline in root.iter("outline")] == [SITE.title]


def test_addresses_are_quoted():
    """URLs are percent-encoded, though folders keep their script."""
    (outline,) = listed(planned(entry("a.md", topics=["投資"]))).iterfind(".//outline[@text='投資']")
    assert outline.get("xmlUrl") == "https://example.com/feeds/category/%E6%8A%95%E8%B3%87/atom.xml"


def test_the_list_is_as_new_as_the_newest_feed():
    """`dateModified` comes from the newest feed, not from the clock; without entries there is none."""
    assert listed(planned(*POSTS)).findtext("head/dateModified") == "Fri, 02 Jan 2026 00:00:00 +0000"
    assert listed(planned()).find("head/dateModified") is None
    assert listed(planned()).findtext("head/title") == "Feeds of <Test> & others"
