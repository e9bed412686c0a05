"""Atom and RSS: what bare feedgen gets wrong, what is written instead, and what readers make of it."""

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
from feeds.core.posts import parse, render
from feeds.core.posts.markdown import render_markdown
from feeds.core.syndication import documents, plan
from feeds.core.syndication.item import item_of_entry
from feeds.core.syndication.plan import CURRENT, ArchivePosition
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
PICTURE = Image(url="https://example.com/p.png", alt="A picture")
ORIGIN = OriginalFeed(title="Origin", url="https://o.example/feed.xml", id="urn:origin")


def feeds_of(*entries, settings=SETTINGS, known=()):
    return plan.plan_feeds(Catalogue(now=NOW, entries=entries, outcomes=()), settings, known)


def written(feed, said, settings=SETTINGS, place=CURRENT, paths=None, sizes=None):
    """Both documents of a feed; each is valid and read without complaint, whatever a test is about."""
    items = [item_of_entry(e, said[e.post.path], full=feed.content == "full", sizes=sizes or {}) for e in feed.shown]
    wanted = paths or [path for name, path in feed.files.items() if name != "json"]
    made = dict(documents.render_documents(feed, items, settings, wanted, place))
    for document in made.values():
        is_rss = b"<rss" in document
        assert (rss_faults if is_rss else atom_faults)(document) == []
        assert is_rss or updated_faults(document) == []
        assert not feedparser.parse(document).bozo
    return tuple(made.values())


def both(*entries, settings=SETTINGS, sizes=None, **said):
    """Atom and RSS of the feed of everything."""
    return written(feeds_of(*entries, settings=settings)[0], texts(*entries, **said), settings, sizes=sizes)


def found(document, path):
    """What XPath finds in a document, texts and attributes as they are."""
    return etree.fromstring(document).xpath(path, namespaces=SPACES)


def bare():
    """A feed of feedgen's, without anything of ours."""
    made = FeedGenerator()
    made.id("urn:feed")
    made.title("T")
    made.description("D")
    made.link(href="https://example.com/")
    return made


def bare_entry(made, name="a"):
    one = made.add_entry()
    one.id(f"urn:{name}")
    one.title(name)
    one.link(href=f"https://example.com/{name}/", rel="alternate", type="text/html")
    return one


# What bare feedgen gets wrong -------------------------------------------------------------------------------------


def test_links_of_entries_keep_their_attributes():
    """Bare feedgen sets up `rel`, `type`, `length` and `title` on a name it has overwritten, and loses them in Atom."""
    made = bare()
    bare_entry(made).link(href=EPISODE.url, rel="enclosure", type="audio/mpeg", length="1234", title="One")
    links = found(made.atom_str(), "//atom:entry/atom:link")
    assert [dict(link.attrib) for link in links] == [{"href": "https://example.com/a/"}, {"href": EPISODE.url}]

    atom, _ = both(entry("a.md", enclosures=(EPISODE,)))
    assert [dict(link.attrib) for link in found(atom, "//atom:entry/atom:link")] == [
        {"href": "https://example.com/a/", "rel": "alternate", "type": "text/html"},
        {"href": EPISODE.url, "rel": "enclosure", "type": "audio/mpeg", "length": "1234", "title": "One"},
    ]


def test_the_link_of_an_item_is_its_page():
    """Bare feedgen takes the last link for it, which may be another page."""
    made = bare()
    bare_entry(made).link(href="https://example.com/print/", rel="alternate", type="application/pdf")
    assert found(made.rss_str(), "//item/link/text()") == ["https://example.com/print/"]

    _, rss = both(entry("a.md", canonical="https://c.example/", enclosures=(EPISODE, FILM)))
    assert found(rss, "//item/link/text()") == ["https://example.com/a/"]


def test_no_file_of_several_is_lost():
    """Bare feedgen keeps the last one; RSS takes one, so the first is it, and Media RSS lists all."""
    made, one = bare(), Enclosure(url="https://example.com/1.mp3", type="audio/mpeg", length=1)
    item = bare_entry(made)
    for file in (one, FILM):
        item.link(href=file.url, rel="enclosure", type=file.type)
    assert found(made.rss_str(), "//item//@url") == [FILM.url]

    atom, rss = both(entry("a.md", enclosures=(one, FILM)))
    assert found(atom, "//atom:link[@rel='enclosure']/@href") == [one.url, FILM.url]
    assert found(rss, "//item/enclosure/@url") == [one.url]
    for document in (atom, rss):
        assert found(document, "//media:content/@url") == [one.url, FILM.url]


def test_authors_need_no_mailbox():
    """Bare feedgen drops those without one from RSS, whose `author` is an address; `dc:creator` is a name."""
    made = bare()
    bare_entry(made).author(name="Ada")
    assert found(made.rss_str(), "//item/author | //item/dc:creator") == []

    atom, rss = both(entry("a.md", authors=(Author(name="Ada"), Author(name="葵", email="aoi@aoi.example"))))
    assert found(rss, "//item/dc:creator/text()") == ["Ada", "葵"]
    assert found(rss, "//item/author") == []
    assert found(atom, "//atom:entry/atom:author/atom:name/text()") == ["Ada", "葵"]


def test_a_category_is_called_by_its_term():
    """Bare feedgen writes the label in RSS, so that the two formats file one post under two names."""
    made = bare()
    made.category(term="投資", label="Investing")
    bare_entry(made).category(term="投資", label="Investing")
    assert set(found(made.rss_str(), "//category/text()")) == {"Investing"}

    settings = Settings(site=SITE, categories={"投資": CategorySettings(label="Investing", slug="investing")})
    catalogue = build_catalogue([post("a.md", categories=("投資",))], now=NOW, known=(), settings=settings)
    feed = plan.plan_feeds(catalogue, settings)[1]
    atom, rss = written(feed, texts(*feed.entries), settings)
    assert found(rss, "//channel/category/text()") == found(rss, "//item/category/text()") == ["投資"]
    assert found(atom, "//atom:category/@term") == ["投資", "投資"]
    assert found(atom, "//atom:category/@label") == ["Investing", "Investing"]


def test_a_date_without_a_zone_is_no_reason_to_stop():
    """Bare feedgen refuses it; a post's is in the zone of its site."""
    with pytest.raises(ValueError, match="no timezone"):
        bare_entry(bare()).published(datetime(2026, 1, 2, 8, 30))
    settings = Settings(site=SiteSettings(title="Test", url=SITE.url, timezone=TimeZone("Asia/Tokyo")))
    content = b"---\ntitle: A\ndate: 2026-01-02 08:30\n---\n\nWords.\n"
    catalogue = build_catalogue([parse.parse_post("a.md", content, settings)], now=NOW, known=(), settings=settings)
    atom, rss = written(plan.plan_feeds(catalogue, settings)[0], texts(*catalogue.entries), settings)
    assert found(atom, "//atom:published/text()") == ["2026-01-02T08:30:00+09:00"]
    assert found(rss, "//item/pubDate/text()") == ["Fri, 02 Jan 2026 08:30:00 +0900"]


@pytest.mark.parametrize(
    ("at", "wrong", "right"),
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
def test_dates_are_whole_seconds_with_an_offset_of_minutes(at, wrong, right):
    """Bare feedgen writes any date as Python has it, which RFC 3339 may not be able to."""
    made = bare()
    bare_entry(made).published(at)
    assert found(made.atom_str(), "//atom:published/text()") == [wrong]

    newest = entry("b.md", days=1)  # the feed's own date is another matter
    atom, rss = both(newest, entry("a.md", published=at))
    assert found(atom, "//atom:entry[2]/atom:published/text()") == [right]
    assert found(rss, "//item[2]/pubDate/text()") == [format_datetime(datetime.fromisoformat(right))]


def test_entries_stand_in_the_order_they_come_in():
    """Bare feedgen puts each before the last: the newest, which came first, would stand at the end."""
    made = bare()
    bare_entry(made, "newest"), bare_entry(made, "oldest")
    assert found(made.rss_str(), "//item/title/text()") == ["oldest", "newest"]

    atom, rss = both(entry("newest.md", days=1), entry("oldest.md"))
    assert found(atom, "//atom:entry/atom:title/text()") == ["newest.md", "oldest.md"]
    assert found(rss, "//item/title/text()") == ["newest.md", "oldest.md"]


@pytest.fixture
def locales(monkeypatch):
    """The locales that are set while a test runs; to ask which one is in force sets none."""
    calls, real = [], locale.setlocale

    def setlocale(category, wanted=None):
        calls.extend([] if wanted is None else [wanted])
        return real(category, wanted)

    monkeypatch.setattr(locale, "setlocale", setlocale)
    return calls


def test_bare_feedgen_sets_a_locale_for_the_whole_process(locales):
    """For each date of RSS, under the feet of whatever else the process does."""
    bare().rss_str()
    assert locales[0] == "C"


def test_dates_are_english_and_no_locale_is_set_for_that(locales):
    """What a feed says of itself, in both formats."""
    feed = feeds_of(known=[KnownFeed(kind="all", key="", id="urn:a", folder="feeds/", label="T", updated=START)])[0]
    _, rss = documents.render_documents(feed, [], SETTINGS, ["feeds/atom.xml", "feeds/rss.xml"])
    assert found(rss[1], "//lastBuildDate/text()") == ["Thu, 01 Jan 2026 00:00:00 +0000"]
    assert locales == []


def test_dates_of_items_are_english_and_no_locale_is_set_for_that(locales):
    """Nor for what a post says."""
    _, rss = both(entry("a.md"))
    assert found(rss, "//item/pubDate/text()") == ["Thu, 01 Jan 2026 00:00:00 +0000"]
    assert locales == []


@pytest.mark.parametrize("character", ["\x01", "\x08", "\ufffe", "\ud800"], ids=ascii)
def test_characters_that_xml_cannot_carry_are_left_out(character):
    """Bare feedgen raises, and one post would keep all others from being published."""
    made = bare()
    item = bare_entry(made)
    item.title(f"a{character}b")
    with pytest.raises((ValueError, UnicodeEncodeError)):
        made.atom_str()

    head = json.dumps({"title": f"a{character}b", "date": "2026-01-02"})
    content = f"{head}\n\nc{character.encode(errors='replace').decode()}d &#{ord(character)};\n".encode()
    one = parse.parse_post("a.md", content, SETTINGS)
    catalogue = build_catalogue([one], now=NOW, known=(), settings=SETTINGS)
    feed = plan.plan_feeds(catalogue, SETTINGS)[0]
    for document in written(feed, {"a.md": render.render_post("a.md", content, SETTINGS)}):
        assert found(document, "//atom:entry/atom:title/text() | //item/title/text()") == ["ab"]


UNKNOWN = {
    "the language of an entry": ("atom", "//atom:entry/@xml:lang", ["ja"]),
    "the base of an entry": ("atom", "//atom:entry/@xml:base", ["https://example.com/a/"]),
    "the feed an entry comes from": ("atom", "//atom:entry/atom:source/atom:id/text()", ["urn:origin"]),
    "files in Atom": ("atom", "//media:content/@duration", ["3723"]),
    "a picture in Atom": ("atom", "//media:thumbnail/@url", [PICTURE.url]),
    "where a text stands first, in Atom": (
        "atom",
        "//atom:entry/atom:link[@rel='canonical']/@href",
        ["https://c.example/"],
    ),
    "the hub of RSS": ("rss", "//channel/atom:link[@rel='hub']/@href", ["https://hub.example/?a=b"]),
    "authors in RSS": ("rss", "//item/dc:creator/text()", ["Ada"]),
    "rights in RSS": ("rss", "//item/dc:rights/text()", ["CC BY"]),
    "files in RSS": ("rss", "//media:content/@fileSize", ["1234"]),
    "a picture in RSS": ("rss", "//media:thumbnail/@url", [PICTURE.url]),
    "how long RSS plays": ("rss", "//item/itunes:duration/text()", ["3723"]),
    "where a text stands first, in RSS": ("rss", "//item/atom:link[@rel='canonical']/@href", ["https://c.example/"]),
}


@pytest.mark.parametrize(("name", "path", "wanted"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_bare_feedgen_does_not_know_is_written(name, path, wanted):
    """Told all it takes, it leaves these out."""
    made = bare()
    made.link(href="https://hub.example/?a=b", rel="hub")
    item = bare_entry(made)
    item.author(name="Ada"), item.rights("CC BY"), item.source(url=ORIGIN.url, title=ORIGIN.title)
    item.link(href=EPISODE.url, rel="enclosure", type=EPISODE.type, length=str(EPISODE.length))
    with pytest.raises(ValueError, match="rel"):
        item.link(href="https://c.example/", rel="canonical")
    item.link([link for link in item.link() if link["rel"] != "canonical"], replace=True)
    assert found(made.atom_str() if name == "atom" else made.rss_str(), path) == []

    one = entry(
        "a.md",
        lang="ja",
        source=ORIGIN,
        rights="CC BY",
        enclosures=(EPISODE,),
        image=PICTURE,
        canonical="https://c.example/",
    )
    atom, rss = both(one, settings=WITH_HUB)
    assert found(atom if name == "atom" else rss, path) == wanted


def test_a_page_of_the_archive_is_marked_and_linked():
    """Bare feedgen knows neither the mark nor the links of RFC 5005; ours are a chain that leads to every entry."""
    made = bare()
    bare_entry(made)
    assert b"purl.org/syndication/history" not in made.atom_str()

    feed = feeds_of(entry("a.md"))[0]
    said = texts(*feed.entries)
    places = {
        "atom.xml": ArchivePosition(older=2),
        "archive/2.xml": ArchivePosition(number=2, older=1),
        "archive/1.xml": ArchivePosition(number=1, newer=2),
    }
    chain = {
        feed.url_of(path): written(feed, said, WITH_HUB, place, [f"feeds/{path}"])[0] for path, place in places.items()
    }
    assert archive_faults(chain) == []
    current, newer, older = chain.values()
    assert found(current, "//fh:archive") == []
    assert found(newer, "count(/atom:feed/fh:archive)") == 1
    assert found(older, "/atom:feed/atom:id/text()") == found(current, "/atom:feed/atom:id/text()")
    assert found(current, "//atom:link[@rel='hub']/@href") == ["https://hub.example/?a=b"]
    assert found(newer, "//atom:link[@rel='hub']") == []


def test_rss_has_no_archive():
    """Its pages are Atom documents, which no reader of RSS asks for."""
    feed = feeds_of(entry("a.md"))[0]
    (rss,) = written(feed, texts(*feed.entries), SETTINGS, ArchivePosition(older=2), ["feeds/rss.xml"])
    assert found(rss, "//channel/atom:link/@rel") == ["self"]


# What readers make of them ----------------------------------------------------------------------------------------


def test_everything_a_reader_wants_is_there():
    """Read back by feedparser, in both formats: titles, ids, dates, authors, categories, summary, text."""
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
    made = both(one, html=html, excerpt="1 < 2 & 3")
    for document, kind in zip(made, ("atom", "rss"), strict=True):
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
    atom, rss = (feedparser.parse(document, sanitize_html=False) for document in made)
    assert (atom.feed.id, atom.feed.author) == ("tag:example.com,2026:feeds/", "Desk")
    assert atom.entries[0].updated == "2026-01-02T00:00:00+00:00"
    assert atom.entries[0].content[0].language == "ja"
    assert atom.entries[0].summary == "1 < 2 & 3"
    assert rss.entries[0].summary == "1 &lt; 2 &amp; 3"
    assert not rss.entries[0].guidislink


def test_each_of_several_authors_keeps_their_page():
    """In Atom, which has a place for it."""
    authors = (Author(name="葵", uri="https://aoi.example/"), Author(name="Ada", email="ada@ada.example"))
    atom, rss = both(entry("a.md", authors=authors))
    persons = found(atom, "//atom:entry/atom:author")
    assert [[(part.tag.rpartition("}")[2], part.text) for part in person] for person in persons] == [
        [("name", "葵"), ("uri", "https://aoi.example/")],
        [("name", "Ada"), ("email", "ada@ada.example")],
    ]
    assert found(rss, "//item/dc:creator/text()") == ["葵", "Ada"]


def test_an_entry_without_authors_is_its_sites():
    """The feed names who answers for it: the site's author, or the site."""
    atom, rss = both(entry("a.md", authors=()))
    assert found(atom, "//atom:author/atom:name/text()") == ["Desk"]
    assert found(atom, "//atom:entry/atom:author") == found(rss, "//dc:creator") == []
    nameless = Settings(site=SiteSettings(title="Test", url=SITE.url))
    assert found(both(entry("a.md", authors=()), settings=nameless)[0], "//atom:author/atom:name/text()") == ["Test"]


def test_a_link_post_leads_to_its_target():
    """The target is the alternate, our page is where we tell of it; addresses in the text start from our page."""
    atom, rss = both(entry("a.md", external_url="https://o.example/?a=1&b=2"), html='<a href="b">b</a>')
    assert {link.get("rel"): link.get("href") for link in found(atom, "//atom:entry/atom:link")} == {
        "alternate": "https://o.example/?a=1&b=2",
        "via": "https://example.com/a/",
    }
    assert found(atom, "//atom:entry/@xml:base") == ["https://example.com/a/"]
    assert found(rss, "//item/link/text()") == ["https://o.example/?a=1&b=2"]
    assert found(rss, "//item/atom:link[@rel='via']/@href") == ["https://example.com/a/"]
    assert found(atom, "string(//atom:content)") == '<a href="https://example.com/a/b">b</a>'


def test_another_first_place_and_rights_are_told():
    """Whose text it is and where it stands first (RFC 6596), in both formats."""
    atom, rss = both(entry("a.md", canonical="https://c.example/", rights="© 葵 & Ada, CC BY"))
    assert found(atom, "//atom:entry/atom:link[@rel='canonical']/@href") == ["https://c.example/"]
    assert found(rss, "//item/atom:link[@rel='canonical']/@href") == ["https://c.example/"]
    assert found(atom, "//atom:entry/atom:rights/text()") == ["© 葵 & Ada, CC BY"]
    assert found(rss, "//item/dc:rights/text()") == ["© 葵 & Ada, CC BY"]


def test_a_source_is_the_feed_it_came_from():
    """With its id in Atom and its address in both; one without an id has none."""
    atom, rss = both(entry("a.md", source=ORIGIN))
    (source,) = found(atom, "//atom:entry/atom:source")
    assert source.xpath("atom:title/text()", namespaces=SPACES) == ["Origin"]
    assert source.xpath("atom:link[@rel='self']/@href", namespaces=SPACES) == [ORIGIN.url]
    assert [(s.get("url"), s.text) for s in found(rss, "//item/source")] == [(ORIGIN.url, "Origin")]
    nameless = OriginalFeed(title="Origin", url=ORIGIN.url)
    assert found(both(entry("a.md", source=nameless))[0], "//atom:source/atom:id") == []


def test_a_picture_is_a_file_and_a_thumbnail():
    """With the type that its name tells and the size that it has on this machine, behind the post's own files."""
    pictured = entry("a.md", image=PICTURE)
    atom, rss = both(pictured, sizes={PICTURE.url: 77})
    (link,) = found(atom, "//atom:link[@rel='enclosure']")
    assert dict(link.attrib) == {
        "href": PICTURE.url,
        "rel": "enclosure",
        "type": "image/png",
        "length": "77",
        "title": "A picture",
    }
    (file,) = found(rss, "//item/enclosure")
    assert dict(file.attrib) == {"url": PICTURE.url, "length": "77", "type": "image/png"}
    for document in (atom, rss):
        assert found(document, "//media:thumbnail/@url") == [PICTURE.url]
        assert found(document, "//media:content") == []
    atom, rss = both(entry("a.md", image=PICTURE, enclosures=(EPISODE,)))
    assert found(atom, "//atom:link[@rel='enclosure']/@href") == [EPISODE.url, PICTURE.url]
    assert found(rss, "//item/enclosure/@url") == [EPISODE.url]


def test_a_file_of_no_known_type_and_size_is_a_file_all_the_same():
    """Atom says nothing of what is not known; RSS wants all three attributes."""
    atom, rss = both(entry("a.md", enclosures=(BARE_FILE,)))
    (link,) = found(atom, "//atom:link[@rel='enclosure']")
    assert dict(link.attrib) == {"href": BARE_FILE.url, "rel": "enclosure"}
    (file,) = found(rss, "//item/enclosure")
    assert dict(file.attrib) == {"url": BARE_FILE.url, "length": "0", "type": "application/octet-stream"}


def test_a_podcast_says_how_long_it_plays():
    """To programs for podcasts and to those that know Media RSS; what does not play says nothing."""
    atom, rss = both(entry("a.md", enclosures=(EPISODE, FILM)))
    assert found(rss, "//item/itunes:duration/text()") == ["3723"]
    for document in (atom, rss):
        assert found(document, "//media:content[1]/@duration") == ["3723"]
        assert found(document, "//media:content[2]/@duration") == []
    assert found(both(entry("a.md", enclosures=(FILM,)))[1], "//itunes:duration") == []


def test_a_hub_is_named_in_both_formats():
    """WebSub, section 4: beside the feed's own address; without a hub no link."""
    for document in both(entry("a.md"), settings=WITH_HUB):
        assert found(document, "/*/atom:link[@rel='hub']/@href | //channel/atom:link[@rel='hub']/@href") == [
            "https://hub.example/?a=b"
        ]
    assert all(b"hub" not in document for document in both(entry("a.md")))


def test_the_text_of_a_post_without_summary_is_its_description():
    """RSS has a description first, and the full text beside it only where the two differ."""
    _, rss = both(entry("a.md"), excerpt="")
    assert found(rss, "//item/description/text()") == ["<p>Body of a.md.</p>\n"]
    assert found(rss, "//content:encoded") == []


def test_a_feed_says_what_it_is_about():
    """Its subtitle, and its category by term and label; RSS takes the title where there is no subtitle."""
    topic = PublishedCategory(term="X", label="The X", slug="x", description="All of X")
    one = entry("a.md", topics=["Y"])
    about = replace(entry("b.md"), categories=(topic,))
    everything, x, _ = feeds_of(about, one)
    atom, rss = written(x, texts(*x.entries))
    assert found(atom, "/atom:feed/atom:title/text()") == ["The X · Test"]
    assert found(atom, "/atom:feed/atom:subtitle/text()") == found(rss, "//channel/description/text()") == ["All of X"]
    assert [dict(c.attrib) for c in found(atom, "/atom:feed/atom:category")] == [{"term": "X", "label": "The X"}]
    assert found(rss, "//channel/category/text()") == ["X"]
    atom, rss = written(everything, texts(*everything.entries))
    assert found(atom, "/atom:feed/atom:subtitle | /atom:feed/atom:category") == []
    assert found(rss, "//channel/description/text()") == ["Test"]
    assert found(rss, "//channel/category") == []


def test_the_first_lines_are_the_same_whatever_the_posts_hold():
    """A prefix that nothing uses stays: the line would change with every podcast episode that comes and goes."""
    rich = entry(
        "a.md",
        enclosures=(EPISODE,),
        image=PICTURE,
        rights="CC",
        external_url="https://o.example/",
        source=ORIGIN,
        lang="ja",
    )
    poor = entry("a.md", authors=())
    for of_rich, of_poor, of_none in zip(both(rich), both(poor), both(), strict=True):
        heads = {document.split(b"\n")[1] for document in (of_rich, of_poor, of_none)}
        assert len(heads) == 1
        assert b"xmlns:media" in heads.pop()
        assert b"ns0" not in of_rich
        assert of_rich.count(b"xmlns") == of_poor.count(b"xmlns")


def test_an_empty_feed_tells_of_nothing_and_no_time():
    """`updated` is required in Atom, so it says the epoch; RSS leaves it out."""
    atom, rss = both()
    assert found(atom, "//atom:updated/text()") == ["1970-01-01T00:00:00+00:00"]
    assert found(rss, "//lastBuildDate") == []
    said = START + timedelta(days=5)
    known = KnownFeed(kind="all", key="", id="tag:a,2020:old", folder="feeds/", label="Test", updated=said)
    feed = feeds_of(known=[known])[0]
    atom, rss = (
        dict(documents.render_documents(feed, [], SETTINGS, feed.files.values()))[f"feeds/{n}.xml"]
        for n in ("atom", "rss")
    )
    assert found(atom, "//atom:updated/text()") == ["2026-01-06T00:00:00+00:00"]
    assert found(rss, "//lastBuildDate/text()") == ["Tue, 06 Jan 2026 00:00:00 +0000"]


def test_a_feed_of_summaries_carries_no_text():
    """`content = "summary"`."""
    atom, rss = both(entry("a.md"), settings=Settings(site=SITE, feeds=FeedSettings(content="summary")))
    assert found(atom, "//atom:content") == found(rss, "//content:encoded") == []
    assert found(atom, "//atom:summary/text()") == found(rss, "//item/description/text()") == ["Excerpt of a.md."]
