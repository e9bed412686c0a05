"""JSON Feed documents."""

import json

import pytest

from feeds.config_types import Endpoint, Language, Url
from feeds.core.posts.markdown import render_markdown
from feeds.core.syndication import documents, plan
from feeds.core.syndication.item import item_of_entry
from feeds.model import Author, Catalogue, Enclosure, Image, OriginalFeed
from feeds.settings import FeedSettings, Settings, SiteSettings
from tests.core.factory import START, entry, texts
from tests.validity.jsonfeed import json_faults

SITE = SiteSettings(title="Test", url=Url("https://example.com/"), author="Desk")
SETTINGS = Settings(site=SITE)
EPISODE = Enclosure(url="https://example.com/1.mp3", type="audio/mpeg", length=1234, seconds=3723, title="One")
PICTURE = Image(url="https://example.com/p.png", alt="A picture")


def feed(*entries, settings=SETTINGS, **text):
    """Return the feed of everything; every test checks that it is valid."""
    planned = plan.plan_feeds(Catalogue(now=START, entries=entries, outcomes=()), settings)[0]
    post_texts = texts(*entries, **text)
    items = [item_of_entry(e, post_texts[e.post.path], full=planned.content == "full", sizes={}) for e in planned.shown]
    ((_, document),) = documents.render_documents(planned, items, settings, ["feeds/feed.json"])
    assert json_faults(document) == []
    return json.loads(document)


def item(*entries, **more):
    return feed(*entries, **more)["items"][0]


RICH = {
    "everything": {
        "topics": ["投資"],
        "tags": ["AI"],
        "external_url": "https://o.example/",
        "canonical": "https://c.example/",
        "rights": "CC BY",
        "image": PICTURE,
        "enclosures": (EPISODE, Enclosure(url="https://example.com/thing")),
        "source": OriginalFeed(title="O", url="https://o.example/feed", id="urn:o"),
        "authors": (Author(name="葵", uri="https://aoi.example/"), Author(name="Ada", email="ada@ada.example")),
    },
    "nothing": {"authors": ()},
    "odd text": {
        "title": '"\\</script>\u2028 \u202e]]>&',
        "tags": ['"', "\\", "👩\u200d👧"],
        "lang": "zh-Hant-TW",
    },
}


@pytest.mark.parametrize("values", RICH.values(), ids=RICH)
@pytest.mark.parametrize("content", ["full", "summary"])
@pytest.mark.parametrize("html", ["<p>A</p>", ""])
def test_every_feed_is_valid(values, content, html):
    """Feeds of any post are valid, with and without the full text."""
    settings = Settings(site=SITE, feeds=FeedSettings(content=content, hub=Endpoint("https://hub.example/")))
    assert len(feed(entry("a.md", **values), settings=settings, html=html)["items"]) == 1


def test_a_feed_has_its_url_and_author():
    """A feed has its own URL, the home page, its language and the site's author."""
    settings = Settings(site=SiteSettings(title="日本", url=SITE.url, language=Language("ja"), author="葵"))
    assert feed(settings=settings) == {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "日本",
        "home_page_url": "https://example.com/",
        "feed_url": "https://example.com/feeds/feed.json",
        "language": "ja",
        "authors": [{"name": "葵"}],
        "items": [],
    }


def test_everything_a_reader_wants_is_there():
    """An item has id, URL, title, text, summary, dates, authors with their pages, tags and language."""
    written = entry(
        "a.md",
        topics=["投資"],
        tags=["AI"],
        lang="ja",
        title="日本 & <b>",
        authors=(Author(name="葵", uri="https://aoi.example/"), Author(name="Ada", email="ada@ada.example")),
    )
    assert item(written, html=render_markdown("本文 **太字**\n\n![x](/a.png)\n")) == {
        "id": written.id,
        "url": "https://example.com/a/",
        "title": "日本 & <b>",
        "content_html": '<p>本文 <strong>太字</strong></p>\n<p><img src="https://example.com/a.png" alt="x"></p>\n',
        "summary": "Excerpt of a.md.",
        "date_published": "2026-01-01T00:00:00+00:00",
        "date_modified": "2026-01-01T00:00:00+00:00",
        "authors": [{"name": "葵", "url": "https://aoi.example/"}, {"name": "Ada"}],
        "tags": ["投資", "AI"],
        "language": "ja",
    }


def test_a_link_post_has_our_page_and_the_one_it_points_to():
    """In an item of a link post, `url` is the post's own page and `external_url` its target."""
    link = item(entry("a.md", external_url="https://o.example/"))
    assert (link["url"], link["external_url"]) == ("https://example.com/a/", "https://o.example/")
    assert "external_url" not in item(entry("a.md"))


def test_files_are_attachments():
    """Every enclosure is an attachment, with size, duration and title if they are known; an unknown type is generic."""
    found = item(entry("a.md", enclosures=(EPISODE, Enclosure(url="https://example.com/thing", length=0))))
    assert found["attachments"] == [
        {
            "url": EPISODE.url,
            "mime_type": "audio/mpeg",
            "title": "One",
            "size_in_bytes": 1234,
            "duration_in_seconds": 3723,
        },
        {"url": "https://example.com/thing", "mime_type": "application/octet-stream", "size_in_bytes": 0},
    ]


def test_the_lead_image_is_the_items_image():
    """The lead image is `image` and not an attachment, which readers would list below the text."""
    found = item(entry("a.md", image=PICTURE))
    assert found["image"] == PICTURE.url
    assert "attachments" not in found


def test_a_hub_is_named():
    """The hub is in `hubs`, which is left out without a hub."""
    settings = Settings(site=SITE, feeds=FeedSettings(hub=Endpoint("https://hub.example/?a=b")))
    assert feed(settings=settings)["hubs"] == [{"type": "WebSub", "url": "https://hub.example/?a=b"}]
    assert "hubs" not in feed()


@pytest.mark.parametrize(
    ("excerpt", "text"), [("1 < 2 & 3", "1 < 2 & 3"), ("", "a.md")], ids=["the excerpt", "else the title"]
)
def test_an_item_without_html_has_text(excerpt, text):
    """An item without HTML has `content_text`, the excerpt or else the title, not escaped."""
    settings = Settings(site=SITE, feeds=FeedSettings(content="summary"))
    found = item(entry("a.md"), settings=settings, excerpt=excerpt)
    assert found["content_text"] == text
    assert "content_html" not in found
    assert "content_text" not in item(entry("a.md"), excerpt=excerpt)


def test_a_tag_that_is_a_category_too_is_listed_once():
    """Categories and tags are one list, in which each name is once."""
    assert item(entry("a.md", topics=["B", "A"], tags=["C", "A", "b"]))["tags"] == ["B", "A", "C", "b"]


def test_items_are_newest_first():
    """Items are in the order newest first."""
    found = feed(entry("b.md", days=1), entry("a.md"))
    assert [one["title"] for one in found["items"]] == ["b.md", "a.md"]
