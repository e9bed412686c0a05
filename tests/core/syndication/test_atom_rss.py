"""Atom and RSS documents: the faults of feedgen without our extension, and what feedparser reads."""

import json
import locale
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import feedparser
import pytest
from feedgen.feed import FeedGenerator
from lxml import etree
from msgspec.structs import replace

from feeds.config_types import Endpoint, IdAuthority, TimeZone, Url
from feeds.core.curation.catalogue import build_catalogue
from feeds.core.posts import parse
from feeds.core.posts.markdown import render_markdown
from feeds.core.posts.render import render_post
from feeds.core.syndication import documents, plan
from feeds.core.syndication.feed import CURRENT, ArchivePosition
from feeds.core.syndication.item import item_of_entry
from feeds.model import Author, Catalogue, Enclosure, Image, KnownFeed, OriginalFeed, PublishedCategory
from feeds.settings import CategorySettings, FeedSettings, Settings, SiteSettings
from tests.core.factory import START, entry, post, texts
from tests.validity.atom import archive_faults, atom_faults, updated_faults
from tests.validity.rss import rss_faults

SITE = SiteSettings(
    title="Test", url=Url("https://example.com/"), id_authority=IdAuthority("example.com,2026"), author="Desk"
)
SETTINGS = Settings(site=SITE)
WITH_HUB = Settings(site=SITE, feeds=FeedSettings(hub=Endpoint("https://hub.example/?a=b")))
NOW = START + timedelta(days=100)
SPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "fh": "http://purl.org/syndication/history/1.0",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
}
EPISODE = Enclosure(url="https://example.com/1.mp3", type="audio/mpeg", length=1234, seconds=3723, title="One")
FILM = Enclosure(url="https://example.com/2.webm", type="video/webm")
BARE_FILE = Enclosure(url="https://example.com/thing")
IMAGE = Image(url="https://example.com/p.png", alt="A picture")
ORIGIN = OriginalFeed(title="Origin", url="https://o.example/feed.xml", id="urn:origin")


def feeds_of(*entries, settings=SETTINGS, known=()):
    return plan.plan_feeds(Catalogue(now=NOW, entries=entries, outcomes=()), settings, known)


def render(feed, post_texts, settings=SETTINGS, position=CURRENT, paths=None, sizes=None):
    """Return both documents of a feed; each must be valid, for feedparser too."""
    items = [
        item_of_entry(e, post_texts[e.post.path], full=feed.content == "full", sizes=sizes or {}) for e in feed.shown
    ]
    wanted = paths or [path for name, path in feed.files.items() if name != "json"]
    rendered = dict(documents.render_documents(feed, items, settings, wanted, position))
    for document in rendered.values():
        is_rss = b"<rss" in document
        assert (rss_faults if is_rss else atom_faults)(document) == []
        assert is_rss or updated_faults(document) == []
        assert not feedparser.parse(document).bozo
    return tuple(rendered.values())


def both(*entries, settings=SETTINGS, sizes=None, **text):
    """Return Atom and RSS of the feed of everything."""
    return render(feeds_of(*entries, settings=settings)[0], texts(*entries, **text), settings, sizes=sizes)


def found(document, path):
    """Return the result of an XPath expression in a document."""
    return etree.fromstring(document).xpath(path, namespaces=SPACES)


def bare():
    """Return a feed of feedgen without our extension."""
    generator = FeedGenerator()
    generator.id("urn:feed")
    generator.title("T")
    generator.description("D")
    generator.link(href="https://example.com/")
    return generator


def bare_entry(generator, name="a"):
    added = generator.add_entry()
    added.id(f"urn:{name}")
    added.title(name)
    added.link(href=f"https://example.com/{name}/", rel="alternate", type="text/html")
    return added


# Faults of bare feedgen -------------------------------------------------------------------------------------------


def test_links_of_entries_keep_their_attributes():
    """Links of entries keep `rel`, `type`, `length` and `title` in Atom; bare feedgen loses them."""
    generator = bare()
    bare_entry(generator).link(href=EPISODE.url, rel="enclosure", type="audio/mpeg", length="1234", title="One")
    links = found(generator.atom_str(), "//atom:entry/atom:link")
    assert [dict(link.attrib) for link in links] == [{"href": "https://example.com/a/"}, {"href": EPISODE.url}]

    atom, _ = both(entry("a.md", enclosures=(EPISODE,)))
    assert [dict(link.attrib) for link in found(atom, "//atom:entry/atom:link")] == [
        {"href": "https://example.com/a/", "rel": "alternate", "type": "text/html"},
        {"href": EPISODE.url, "rel": "enclosure", "type": "audio/mpeg", "length": "1234", "title": "One"},
    ]


def test_the_link_of_an_item_is_its_page():
    """The link of an RSS item is the post's page; bare feedgen takes the last link, which may be another page."""
    generator = bare()
    bare_entry(generator).link(href="https://example.com/print/", rel="alternate", type="application/pdf")
    assert found(generator.rss_str(), "//item/link/text()") == ["https://example.com/print/"]

    _, rss = both(entry("a.md", canonical="https://c.example/", enclosures=(EPISODE, FILM)))
    assert found(rss, "//item/link/text()") == ["https://example.com/a/"]


def test_no_file_of_several_is_lost():
    """Of several files RSS has the first as enclosure, and Media RSS has all; bare feedgen keeps only the last."""
    generator, audio = bare(), Enclosure(url="https://example.com/1.mp3", type="audio/mpeg", length=1)
    item = bare_entry(generator)
    for file in (audio, FILM):
        item.link(href=file.url, rel="enclosure", type=file.type)
    assert found(generator.rss_str(), "//item//@url") == [FILM.url]

    atom, rss = both(entry("a.md", enclosures=(audio, FILM)))
    assert found(atom, "//atom:link[@rel='enclosure']/@href") == [audio.url, FILM.url]
    assert found(rss, "//item/enclosure/@url") == [audio.url]
    for document in (atom, rss):
        assert found(document, "//media:content/@url") == [audio.url, FILM.url]


def test_authors_need_no_mailbox():
    """Authors without an address are in RSS as `dc:creator`; bare feedgen drops them, since `author` is an address."""
    generator = bare()
    bare_entry(generator).author(name="Ada")
    assert found(generator.rss_str(), "//item/author | //item/dc:creator") == []

    atom, rss = both(entry("a.md", authors=(Author(name="Ada"), Author(name="葵", email="aoi@aoi.example"))))
    assert found(rss, "//item/dc:creator/text()") == ["Ada", "葵"]
    assert found(rss, "//item/author") == []
    assert found(atom, "//atom:entry/atom:author/atom:name/text()") == ["Ada", "葵"]


def test_a_category_is_its_term_in_rss():
    """RSS has the term of a category as Atom has; bare feedgen writes the label, another name."""
    generator = bare()
    generator.category(term="投資", label="Investing")
    bare_entry(generator).category(term="投資", label="Investing")
    assert set(found(generator.rss_str(), "//category/text()")) == {"Investing"}

    settings = Settings(site=SITE, categories={"投資": CategorySettings(label="Investing", slug="investing")})
    catalogue = build_catalogue([post("a.md", categories=("投資",))], now=NOW, known=(), settings=settings)
    feed = plan.plan_feeds(catalogue, settings)[1]
    atom, rss = render(feed, texts(*feed.entries), settings)
    assert found(rss, "//channel/category/text()") == found(rss, "//item/category/text()") == ["投資"]
    assert found(atom, "//atom:category/@term") == ["投資", "投資"]
    assert found(atom, "//atom:category/@label") == ["Investing", "Investing"]


def test_a_date_without_a_zone_is_in_the_zone_of_the_site():
    """A post's date without a zone is in the zone of the site; bare feedgen raises an error."""
    with pytest.raises(ValueError, match="no timezone"):
        bare_entry(bare()).published(datetime(2026, 1, 2, 8, 30))
    settings = Settings(site=SiteSettings(title="Test", url=SITE.url, timezone=TimeZone("Asia/Tokyo")))
    content = b"---\ntitle: A\ndate: 2026-01-02 08:30\n---\n\nWords.\n"
    catalogue = build_catalogue([parse.parse_post("a.md", content, settings)], now=NOW, known=(), settings=settings)
    atom, rss = render(plan.plan_feeds(catalogue, settings)[0], texts(*catalogue.entries), settings)
    assert found(atom, "//atom:published/text()") == ["2026-01-02T08:30:00+09:00"]
    assert found(rss, "//item/pubDate/text()") == ["Fri, 02 Jan 2026 08:30:00 +0900"]


@pytest.mark.parametrize(
    ("time", "wrong", "right"),
    [
        (
            datetime(2026, 1, 1, 8, 30, 0, 250, tzinfo=UTC),
            "2026-01-01T08:30:00.000250+00:00",
            "2026-01-01T08:30:00+00:00",
        ),
        (
            datetime(2026, 1, 1, 8, 30, tzinfo=timezone(timedelta(hours=9, minutes=18, seconds=59))),
            "2026-01-01T08:30:00+09:18:59",
            "2025-12-31T23:11:01+00:00",
        ),
    ],
    ids=["microseconds", "local mean time"],
)
def test_dates_are_whole_seconds_with_an_offset_of_minutes(time, wrong, right):
    """Dates are valid in RFC 3339; bare feedgen writes microseconds and offsets with seconds."""
    generator = bare()
    bare_entry(generator).published(time)
    assert found(generator.atom_str(), "//atom:published/text()") == [wrong]

    newest = entry("b.md", days=1)  # so that this is not the date of the feed
    atom, rss = both(newest, entry("a.md", published=time))
    assert found(atom, "//atom:entry[2]/atom:published/text()") == [right]
    assert found(rss, "//item[2]/pubDate/text()") == [format_datetime(datetime.fromisoformat(right))]


def test_entries_keep_their_order():
    """Entries are in the order in which they are added; bare feedgen reverses it."""
    generator = bare()
    bare_entry(generator, "newest"), bare_entry(generator, "oldest")
    assert found(generator.rss_str(), "//item/title/text()") == ["oldest", "newest"]

    atom, rss = both(entry("newest.md", days=1), entry("oldest.md"))
    assert found(atom, "//atom:entry/atom:title/text()") == ["newest.md", "oldest.md"]
    assert found(rss, "//item/title/text()") == ["newest.md", "oldest.md"]


@pytest.fixture
def locales(monkeypatch):
    """Return a list that records each locale set during the test."""
    calls, real = [], locale.setlocale

    def setlocale(category, wanted=None):
        calls.extend([] if wanted is None else [wanted])
        return real(category, wanted)

    monkeypatch.setattr(locale, "setlocale", setlocale)
    return calls


def test_bare_feedgen_sets_a_locale_for_the_whole_process(locales):
    """Bare feedgen sets the locale of the process for each date of RSS."""
    bare().rss_str()
    assert locales[0] == "C"


def test_dates_are_english_and_no_locale_is_set_for_that(locales):
    """The date of a feed is in English, and no locale is set."""
    feed = feeds_of(known=[KnownFeed(kind="all", key="", id="urn:a", folder="feeds/", label="T", updated=START)])[0]
    _, rss = documents.render_documents(feed, [], SETTINGS, ["feeds/atom.xml", "feeds/rss.xml"])
    assert found(rss[1], "//lastBuildDate/text()") == ["Thu, 01 Jan 2026 00:00:00 +0000"]
    assert locales == []


def test_dates_of_items_are_english_and_no_locale_is_set_for_that(locales):
    """The date of an item is in English, and no locale is set."""
    _, rss = both(entry("a.md"))
    assert found(rss, "//item/pubDate/text()") == ["Thu, 01 Jan 2026 00:00:00 +0000"]
    assert locales == []


@pytest.mark.parametrize("character", ["\x01", "\x08", "\ufffe", "\ud800"], ids=ascii)
def test_characters_that_xml_cannot_carry_are_left_out(character):
    """Characters that XML forbids are removed; bare feedgen raises, so that one post would block all others."""
    generator = bare()
    item = bare_entry(generator)
    item.title(f"a{character}b")
    with pytest.raises((ValueError, UnicodeEncodeError)):
        generator.atom_str()

    head = json.dumps({"title": f"a{character}b", "date": "2026-01-02"})
    content = f"{head}\n\nc{character.encode(errors='replace').decode()}d &#{ord(character)};\n".encode()
    one = parse.parse_post("a.md", content, SETTINGS)
    catalogue = build_catalogue([one], now=NOW, known=(), settings=SETTINGS)
    feed = plan.plan_feeds(catalogue, SETTINGS)[0]
    for document in render(feed, {"a.md": render_post("a.md", content, SETTINGS)}):
        assert found(document, "//atom:entry/atom:title/text() | //item/title/text()") == ["ab"]


UNKNOWN = {
    "the language of an entry": ("atom", "//atom:entry/@xml:lang", ["ja"]),
    "the feed an entry comes from": ("atom", "//atom:entry/atom:source/atom:id/text()", ["urn:origin"]),
    "files in Atom": ("atom", "//media:content/@duration", ["3723"]),
    "an image in Atom": ("atom", "//media:thumbnail/@url", [IMAGE.url]),
    "the canonical URL in Atom": (
        "atom",
        "//atom:entry/atom:link[@rel='canonical']/@href",
        ["https://c.example/"],
    ),
    "the hub of RSS": ("rss", "//channel/atom:link[@rel='hub']/@href", ["https://hub.example/?a=b"]),
    "authors in RSS": ("rss", "//item/dc:creator/text()", ["Ada"]),
    "rights in RSS": ("rss", "//item/dc:rights/text()", ["CC BY"]),
    "files in RSS": ("rss", "//media:content/@fileSize", ["1234"]),
    "an image in RSS": ("rss", "//media:thumbnail/@url", [IMAGE.url]),
    "the duration in RSS": ("rss", "//item/itunes:duration/text()", ["3723"]),
    "the canonical URL in RSS": ("rss", "//item/atom:link[@rel='canonical']/@href", ["https://c.example/"]),
}


@pytest.mark.parametrize(("name", "path", "wanted"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_bare_feedgen_does_not_support_is_written(name, path, wanted):
    """Each of these elements is written; bare feedgen leaves it out."""
    generator = bare()
    generator.link(href="https://hub.example/?a=b", rel="hub")
    item = bare_entry(generator)
    item.author(name="Ada"), item.rights("CC BY"), item.source(url=ORIGIN.url, title=ORIGIN.title)
    item.link(href=EPISODE.url, rel="enclosure", type=EPISODE.type, length=str(EPISODE.length))
    with pytest.raises(ValueError, match="rel"):
        item.link(href="https://c.example/", rel="canonical")
    item.link([link for link in item.link() if link["rel"] != "canonical"], replace=True)
    assert found(generator.atom_str() if name == "atom" else generator.rss_str(), path) == []

    one = entry(
        "a.md",
        lang="ja",
        source=ORIGIN,
        rights="CC BY",
        enclosures=(EPISODE,),
        image=IMAGE,
        canonical="https://c.example/",
    )
    atom, rss = both(one, settings=WITH_HUB)
    assert found(atom if name == "atom" else rss, path) == wanted


def test_an_archive_page_is_marked_and_linked():
    """Archive pages have the mark and links of RFC 5005, which lead to every entry; bare feedgen has neither."""
    generator = bare()
    bare_entry(generator)
    assert b"purl.org/syndication/history" not in generator.atom_str()

    feed = feeds_of(entry("a.md"))[0]
    post_texts = texts(*feed.entries)
    positions = {
        "atom.xml": ArchivePosition(older=2),
        "archive/2.xml": ArchivePosition(number=2, older=1),
        "archive/1.xml": ArchivePosition(number=1, newer=2),
    }
    chain = {
        feed.url_of(path): render(feed, post_texts, WITH_HUB, position, [f"feeds/{path}"])[0]
        for path, position in positions.items()
    }
    assert archive_faults(chain) == []
    current, newer, older = chain.values()
    assert found(current, "//fh:archive") == []
    assert found(newer, "count(/atom:feed/fh:archive)") == 1
    assert found(older, "/atom:feed/atom:id/text()") == found(current, "/atom:feed/atom:id/text()")
    assert found(current, "//atom:link[@rel='hub']/@href") == ["https://hub.example/?a=b"]
    assert found(newer, "//atom:link[@rel='hub']") == []


def test_rss_has_no_archive():
    """RSS has no links to archive pages, which are Atom documents."""
    feed = feeds_of(entry("a.md"))[0]
    (rss,) = render(feed, texts(*feed.entries), SETTINGS, ArchivePosition(older=2), ["feeds/rss.xml"])
    assert found(rss, "//channel/atom:link/@rel") == ["self"]


# Content ----------------------------------------------------------------------------------------------------------


def test_everything_a_reader_wants_is_there():
    """Titles, ids, dates, authors, categories, summary and text can be read back from both formats."""
    html = render_markdown("本文 **太字**\n\n![x](/a.png)\n")
    one = entry(
        "a.md",
        topics=["投資"],
        tags=["AI"],
        lang="ja",
        title="日本 & <b>",
        updated=START + timedelta(days=1),
        authors=(Author(name="葵", uri="https://aoi.example/"), Author(name="Ada", email="ada@ada.example")),
    )
    both_documents = both(one, html=html, excerpt="1 < 2 & 3")
    for document, kind in zip(both_documents, ("atom", "rss"), strict=True):
        read_back = feedparser.parse(document, sanitize_html=False)
        feed, item = read_back.feed, read_back.entries[0]
        assert (feed.title, feed.language, feed.link) == ("Test", "en", "https://example.com/")
        assert {link.rel: link.href for link in feed.links} == {
            "self": f"https://example.com/feeds/{kind}.xml",
            "alternate": "https://example.com/",
        }
        assert (item.id, item.title, item.link) == (one.id, "日本 & <b>", "https://example.com/a/")
        assert item.published_parsed[:6] == (2026, 1, 1, 0, 0, 0)
        assert [tag.term for tag in item.tags] == ["投資", "AI"]
        assert "<strong>太字</strong>" in item.content[0].value
        assert 'src="https://example.com/a.png"' in item.content[0].value
        assert feed.updated_parsed[:6] == (2026, 1, 2, 0, 0, 0)
    atom, rss = (feedparser.parse(document, sanitize_html=False) for document in both_documents)
    assert (atom.feed.id, atom.feed.author) == ("tag:example.com,2026:feeds/", "Desk")
    assert atom.entries[0].updated == "2026-01-02T00:00:00+00:00"
    assert atom.entries[0].content[0].language == "ja"
    assert atom.entries[0].summary == "1 < 2 & 3"
    assert rss.entries[0].summary == "1 &lt; 2 &amp; 3"
    assert not rss.entries[0].guidislink


def test_each_of_several_authors_keeps_their_page():
    """In Atom each author has the page or mail address, in RSS the name."""
    authors = (Author(name="葵", uri="https://aoi.example/"), Author(name="Ada", email="ada@ada.example"))
    atom, rss = both(entry("a.md", authors=authors))
    persons = found(atom, "//atom:entry/atom:author")
    assert [[(part.tag.rpartition("}")[2], part.text) for part in person] for person in persons] == [
        [("name", "葵"), ("uri", "https://aoi.example/")],
        [("name", "Ada"), ("email", "ada@ada.example")],
    ]
    assert found(rss, "//item/dc:creator/text()") == ["葵", "Ada"]


def test_the_author_of_an_entry_without_authors_is_the_sites():
    """An entry without authors has the feed's author: the site's author, or the site's name."""
    atom, rss = both(entry("a.md", authors=()))
    assert found(atom, "//atom:author/atom:name/text()") == ["Desk"]
    assert found(atom, "//atom:entry/atom:author") == found(rss, "//dc:creator") == []
    nameless = Settings(site=SiteSettings(title="Test", url=SITE.url))
    assert found(both(entry("a.md", authors=()), settings=nameless)[0], "//atom:author/atom:name/text()") == ["Test"]


def test_a_link_post_leads_to_its_target():
    """The target of a link post is `alternate` and its own page `via`, from which relative URLs start."""
    atom, rss = both(entry("a.md", external_url="https://o.example/?a=1&b=2"), html='<a href="b">b</a>')
    assert {link.get("rel"): link.get("href") for link in found(atom, "//atom:entry/atom:link")} == {
        "alternate": "https://o.example/?a=1&b=2",
        "via": "https://example.com/a/",
    }
    assert found(atom, "//@xml:base") == []
    assert found(rss, "//item/link/text()") == ["https://o.example/?a=1&b=2"]
    assert found(rss, "//item/atom:link[@rel='via']/@href") == ["https://example.com/a/"]
    assert found(atom, "string(//atom:content)") == '<a href="https://example.com/a/b">b</a>'


def test_canonical_url_and_rights_are_written():
    """The canonical URL (RFC 6596) and the rights are in both formats."""
    atom, rss = both(entry("a.md", canonical="https://c.example/", rights="© 葵 & Ada, CC BY"))
    assert found(atom, "//atom:entry/atom:link[@rel='canonical']/@href") == ["https://c.example/"]
    assert found(rss, "//item/atom:link[@rel='canonical']/@href") == ["https://c.example/"]
    assert found(atom, "//atom:entry/atom:rights/text()") == ["© 葵 & Ada, CC BY"]
    assert found(rss, "//item/dc:rights/text()") == ["© 葵 & Ada, CC BY"]


def test_a_source_is_the_feed_it_came_from():
    """The source has its id in Atom, if it has one, and its URL in both formats."""
    atom, rss = both(entry("a.md", source=ORIGIN))
    (source,) = found(atom, "//atom:entry/atom:source")
    assert source.xpath("atom:title/text()", namespaces=SPACES) == ["Origin"]
    assert source.xpath("atom:link[@rel='self']/@href", namespaces=SPACES) == [ORIGIN.url]
    assert [(s.get("url"), s.text) for s in found(rss, "//item/source")] == [(ORIGIN.url, "Origin")]
    nameless = OriginalFeed(title="Origin", url=ORIGIN.url)
    assert found(both(entry("a.md", source=nameless))[0], "//atom:source/atom:id") == []


def test_an_image_is_a_file_and_a_thumbnail():
    """The lead image is the last file, with the type of its ending and its size on this machine, and a thumbnail."""
    with_image = entry("a.md", image=IMAGE)
    atom, rss = both(with_image, sizes={IMAGE.url: 77})
    (link,) = found(atom, "//atom:link[@rel='enclosure']")
    assert dict(link.attrib) == {
        "href": IMAGE.url,
        "rel": "enclosure",
        "type": "image/png",
        "length": "77",
        "title": "A picture",
    }
    (file,) = found(rss, "//item/enclosure")
    assert dict(file.attrib) == {"url": IMAGE.url, "length": "77", "type": "image/png"}
    for document in (atom, rss):
        assert found(document, "//media:thumbnail/@url") == [IMAGE.url]
        assert found(document, "//media:content") == []
    atom, rss = both(entry("a.md", image=IMAGE, enclosures=(EPISODE,)))
    assert found(atom, "//atom:link[@rel='enclosure']/@href") == [EPISODE.url, IMAGE.url]
    assert found(rss, "//item/enclosure/@url") == [EPISODE.url]


def test_a_file_of_unknown_type_and_size_is_a_file():
    """For a file of unknown type and size, Atom leaves the attributes out and RSS has defaults for both."""
    atom, rss = both(entry("a.md", enclosures=(BARE_FILE,)))
    (link,) = found(atom, "//atom:link[@rel='enclosure']")
    assert dict(link.attrib) == {"href": BARE_FILE.url, "rel": "enclosure"}
    (file,) = found(rss, "//item/enclosure")
    assert dict(file.attrib) == {"url": BARE_FILE.url, "length": "0", "type": "application/octet-stream"}


def test_a_podcast_says_how_long_it_plays():
    """A file with a duration has it as `itunes:duration` and in Media RSS; other files have none."""
    atom, rss = both(entry("a.md", enclosures=(EPISODE, FILM)))
    assert found(rss, "//item/itunes:duration/text()") == ["3723"]
    for document in (atom, rss):
        assert found(document, "//media:content[1]/@duration") == ["3723"]
        assert found(document, "//media:content[2]/@duration") == []
    assert found(both(entry("a.md", enclosures=(FILM,)))[1], "//itunes:duration") == []


def test_a_hub_is_named_in_both_formats():
    """Both formats have a link to the hub (WebSub, section 4) if there is one."""
    for document in both(entry("a.md"), settings=WITH_HUB):
        assert found(document, "/*/atom:link[@rel='hub']/@href | //channel/atom:link[@rel='hub']/@href") == [
            "https://hub.example/?a=b"
        ]
    assert all(b"hub" not in document for document in both(entry("a.md")))


def test_the_text_of_a_post_without_summary_is_its_description():
    """The full text of a post without summary is the description, and not repeated as `content:encoded`."""
    _, rss = both(entry("a.md"), excerpt="")
    assert found(rss, "//item/description/text()") == ["<p>Body of a.md.</p>\n"]
    assert found(rss, "//content:encoded") == []


def test_a_feed_says_what_it_is_about():
    """A feed has its subtitle and its category, with term and label; a missing subtitle is the title in RSS."""
    topic = PublishedCategory(term="X", label="The X", slug="x", description="All of X")
    one = entry("a.md", topics=["Y"])
    about = replace(entry("b.md"), categories=(topic,))
    everything, x, _ = feeds_of(about, one)
    atom, rss = render(x, texts(*x.entries))
    assert found(atom, "/atom:feed/atom:title/text()") == ["The X · Test"]
    assert found(atom, "/atom:feed/atom:subtitle/text()") == found(rss, "//channel/description/text()") == ["All of X"]
    assert [dict(c.attrib) for c in found(atom, "/atom:feed/atom:category")] == [{"term": "X", "label": "The X"}]
    assert found(rss, "//channel/category/text()") == ["X"]
    atom, rss = render(everything, texts(*everything.entries))
    assert found(atom, "/atom:feed/atom:subtitle | /atom:feed/atom:category") == []
    assert found(rss, "//channel/description/text()") == ["Test"]
    assert found(rss, "//channel/category") == []


def test_the_first_lines_are_the_same_whatever_the_posts_hold():
    """The first line of a document has all prefixes, so that it is the same for any posts."""
    rich = entry(
        "a.md",
        enclosures=(EPISODE,),
        image=IMAGE,
        rights="CC",
        external_url="https://o.example/",
        source=ORIGIN,
        lang="ja",
    )
    poor = entry("a.md", authors=())
    for with_rich, with_poor, empty in zip(both(rich), both(poor), both(), strict=True):
        heads = {document.split(b"\n")[1] for document in (with_rich, with_poor, empty)}
        assert len(heads) == 1
        assert b"xmlns:media" in heads.pop()
        assert b"ns0" not in with_rich
        assert with_rich.count(b"xmlns") == with_poor.count(b"xmlns")


def test_an_empty_feed_has_no_date_of_its_own():
    """An empty feed has the epoch as `updated` in Atom, which requires it, and no date in RSS, or the published one."""
    atom, rss = both()
    assert found(atom, "//atom:updated/text()") == ["1970-01-01T00:00:00+00:00"]
    assert found(rss, "//lastBuildDate") == []
    published = START + timedelta(days=5)
    known = KnownFeed(kind="all", key="", id="tag:a,2020:old", folder="feeds/", label="Test", updated=published)
    feed = feeds_of(known=[known])[0]
    atom, rss = (
        dict(documents.render_documents(feed, [], SETTINGS, feed.files.values()))[f"feeds/{n}.xml"]
        for n in ("atom", "rss")
    )
    assert found(atom, "//atom:updated/text()") == ["2026-01-06T00:00:00+00:00"]
    assert found(rss, "//lastBuildDate/text()") == ["Tue, 06 Jan 2026 00:00:00 +0000"]


def test_a_feed_of_summaries_carries_no_text():
    """With `content = "summary"` documents have the summary only."""
    atom, rss = both(entry("a.md"), settings=Settings(site=SITE, feeds=FeedSettings(content="summary")))
    assert found(atom, "//atom:content") == found(rss, "//content:encoded") == []
    assert found(atom, "//atom:summary/text()") == found(rss, "//item/description/text()") == ["Excerpt of a.md."]


def test_a_lead_picture_without_file_extension_is_a_picture():
    """In RSS, which requires a type, a lead picture of an unknown type is a picture; other files are of no type."""
    picture = Image(url="https://example.com/covers/42", alt="")
    assert found(both(entry("a.md", image=picture))[1], "//item/enclosure/@type") == ["image/jpeg"]
    assert found(both(entry("a.md", image=picture))[0], "//atom:link[@rel='enclosure']/@type") == []
    assert found(both(entry("a.md", enclosures=(BARE_FILE,)))[1], "//item/enclosure/@type") == [
        "application/octet-stream"
    ]


def test_only_content_with_links_inside_the_entry_has_a_base():
    """Where links are relative, the content has the post's page as base; other content has none, as before."""
    note = '<h2 id="x">X</h2><p><a href="#x">a</a></p>'
    for html, bases in ((note, ["https://example.com/a/"]), ("<p>a</p>", [])):
        for document in both(entry("a.md"), html=html):
            assert found(document, "//*[@xml:base]/@xml:base") == bases
            parsed = feedparser.parse(document).entries[0].content[0].value
            assert ("https://example.com/a/#x" in parsed) == bool(bases)
