"""The list of all feeds that feed readers import."""

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
    """The list's root; it is valid, whatever a test is about."""
    document = render_opml(feeds, "Feeds of <Test> & others", GROUPS)
    assert opml_faults(document) == []
    return etree.fromstring(document)


def tree(root):
    """What a reader shows: names, those of groups with what is in them."""
    return [
        (one.get("text"), [inner.get("text") for inner in one]) if len(one) else one.get("text")
        for one in root.find("body")
    ]


def test_each_kind_of_feeds_is_a_group():
    """The feed of everything stands by itself, then the groups in the order of the plan."""
    found = planned(
        *POSTS, by=("category", "tag", "author", "language"), extra=(CustomFeed(name="picks", title="Picks", tag="u"),)
    )
    assert tree(listed(found)) == [
        "Test & <b>",
        ("Categories", ["A", "B", "投資"]),
        ("Tags", ["t", "u"]),
        ("Authors & others", ["Ada", "葵"]),
        ("Languages", ["English", "日本語"]),
        ("Selections", ["Picks"]),
    ]


def test_newsletters_are_a_group_too():
    """Their feeds are no part of the plan, and behind it."""
    settings = Settings(site=SITE)
    newsletter = Newsletter(name="weekly", title="The weekly", schedule="0 8 * * mon")
    letters = plan.plan_newsletter_feed(newsletter, settings, issues=3, updated=START, known=None)
    root = listed([*planned(entry("a.md")), letters])
    assert tree(root) == ["Test & <b>", ("Newsletters", ["The weekly"])]
    (outline,) = root.iterfind(".//outline[@text='The weekly']")
    assert outline.get("xmlUrl") == "https://example.com/newsletters/weekly/atom.xml"


def test_a_feed_says_what_it_is_and_where():
    """Names, language, the document, the page for people; `rss` is the type of all feeds."""
    root = listed(planned(entry("a.md", lang="ja"), by=("language",)))
    assert [dict(outline.attrib) for outline in root.iter("outline") if outline.get("xmlUrl")] == [
        {
            "type": "rss",
            "text": "Test & <b>",
            "title": "Test & <b>",
            "language": "en",
            "version": "ATOM1",
            "xmlUrl": "https://example.com/feeds/atom.xml",
            "htmlUrl": "https://example.com/feeds/all/",
        },
        {
            "type": "rss",
            "text": "日本語",
            "title": "日本語 · Test & <b>",
            "language": "ja",
            "version": "ATOM1",
            "xmlUrl": "https://example.com/feeds/language/ja/atom.xml",
            "htmlUrl": "https://example.com/feeds/language/ja/",
        },
    ]


@pytest.mark.parametrize(
    ("formats", "version", "name"),
    [
        (("json", "rss", "atom"), "ATOM1", "atom.xml"),
        (("json", "rss"), "RSS2", "rss.xml"),
        (("json",), "JSON1", "feed.json"),
    ],
)
def test_atom_is_preferred(formats, version, name):
    """Else the first format there is; the order in the config does not matter."""
    for outline in listed(planned(entry("a.md", topics=["A"]), formats=formats)).iter("outline"):
        if outline.get("xmlUrl"):
            assert outline.get("version") == version
            assert outline.get("xmlUrl").endswith(f"/{name}")


def test_a_format_that_was_ended_is_not_listed():
    """Then the next one is; a feed without any is left out."""
    catalogue = Catalogue(now=START, entries=(entry("a.md", topics=["A"]),), outcomes=())
    ended = ["feeds/atom.xml", *(f"feeds/category/a/{name}" for name in FILES.values())]
    found = plan.plan_feeds(catalogue, Settings(site=SITE), retired=ended)
    root = etree.fromstring(render_opml(found, "T", GROUPS))
    assert [o.get("xmlUrl") for o in root.iter("outline") if o.get("xmlUrl")] == ["https://example.com/feeds/rss.xml"]


def test_a_feed_without_formats_is_not_listed():
    """All formats of a feed may have been ended one by one; then its group goes too, if it was the only one in it."""
    ended = [f"feeds/category/x/{name}" for name in FILES.values()]
    catalogue = Catalogue(now=START, entries=(entry("a.md", topics=["X"]),), outcomes=())
    root = listed(plan.plan_feeds(catalogue, Settings(site=SITE), retired=ended))
    assert [outline.get("text") for outline in root.iter("outline")] == [SITE.title]


def test_addresses_are_quoted():
    """Folders keep their script, addresses are ASCII."""
    (outline,) = listed(planned(entry("a.md", topics=["投資"]))).iterfind(".//outline[@text='投資']")
    assert outline.get("xmlUrl") == "https://example.com/feeds/category/%E6%8A%95%E8%B3%87/atom.xml"


def test_the_list_is_as_new_as_the_newest_feed():
    """It is told by the posts, not by the clock; a list of feeds that never told of anything has no date."""
    assert listed(planned(*POSTS)).findtext("head/dateModified") == "Fri, 02 Jan 2026 00:00:00 +0000"
    assert listed(planned()).find("head/dateModified") is None
    assert listed(planned()).findtext("head/title") == "Feeds of <Test> & others"
