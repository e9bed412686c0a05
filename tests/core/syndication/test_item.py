"""Items, and documents in all formats: valid for any post."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from msgspec.structs import replace

from feeds.config_types import IdAuthority, Url
from feeds.core.curation.catalogue import build_catalogue
from feeds.core.posts import parse, render
from feeds.core.posts.markdown import render_markdown, strip_illegal_xml
from feeds.core.posts.text import clean_line
from feeds.core.syndication import plan
from feeds.core.syndication.documents import render_documents
from feeds.core.syndication.feed import NEVER, ArchivePosition, to_rfc3339
from feeds.core.syndication.item import FeedDocument, item_of_entry, item_of_issue
from feeds.errors import PostError
from feeds.model import Author, Catalogue, Enclosure, Image, Issue, IssueState, PublishedCategory, Text
from feeds.settings import FeedSettings, Settings, SiteSettings
from tests.core.factory import START, entry, texts
from tests.validity.atom import atom_faults, updated_faults
from tests.validity.jsonfeed import json_faults
from tests.validity.rss import rss_faults

SITE = SiteSettings(title="Test", url=Url("https://example.com/"), id_authority=IdAuthority("example.com,2026"))
SETTINGS = Settings(site=SITE)
NOW = START + timedelta(days=100)
ATOM, RSS, JSON = "feeds/atom.xml", "feeds/rss.xml", "feeds/feed.json"
IN_ATOM = "{http://www.w3.org/2005/Atom}"
LOCAL_MEAN_TIME = timezone(timedelta(hours=9, minutes=18, seconds=59))


def documents(entries, post_texts, settings=SETTINGS):
    """Return the documents of the feed of everything, by path."""
    feed = plan.plan_feeds(Catalogue(now=NOW, entries=tuple(entries), outcomes=()), settings)[0]
    items = [item_of_entry(e, post_texts[e.post.path], full=feed.content == "full", sizes={}) for e in feed.shown]
    return dict(render_documents(feed, items, settings, feed.files.values()))


def documents_of(*entries, settings=SETTINGS, **text):
    return documents(entries, texts(*entries, **text), settings)


def published(front, body):
    """Return the documents of a site with one file; front matter is YAML or a JSON object."""
    head = front if front.startswith("{") else f"---\n{front}\n---"
    path, content = "2026-01-02-a.md", f"{head}\n\n{body}\n".encode()
    post = parse.parse_post(path, content, SETTINGS)
    entries = build_catalogue([post], now=NOW, known=(), settings=SETTINGS).entries
    return documents(entries, {path: render.render_post(path, content, SETTINGS)})


def faults(made):
    """Return the faults of a feed's documents, by format."""
    atom, rss = made[ATOM], made[RSS]
    return [
        *(f"atom: {line}" for line in (*atom_faults(atom), *updated_faults(atom))),
        *(f"rss: {line}" for line in rss_faults(rss)),
        *(f"json: {line}" for line in json_faults(made[JSON])),
        *(f"feedparser: {name}" for name in (ATOM, RSS) if feedparser.parse(made[name]).bozo),
    ]


def titles(made):
    """Return the title of the first entry in each format."""
    atom, rss = etree.fromstring(made[ATOM]), etree.fromstring(made[RSS])
    return (
        atom.findtext(f"{IN_ATOM}entry/{IN_ATOM}title"),
        rss.findtext("channel/item/title"),
        json.loads(made[JSON])["items"][0]["title"],
    )


def bodies(made):
    """Return the HTML of the first entry in each format."""
    atom, rss = etree.fromstring(made[ATOM]), etree.fromstring(made[RSS])
    return (
        atom.findtext(f"{IN_ATOM}entry/{IN_ATOM}content"),
        rss.findtext("channel/item/{http://purl.org/rss/1.0/modules/content/}encoded"),
        json.loads(made[JSON])["items"][0]["content_html"],
    )


# Any input --------------------------------------------------------------------------------------------------------

BAD_TITLES = {
    "markup": "<script>alert(1)</script> & <b>",
    "the end of a CDATA section": "a ]]> b",
    "a document type": '<!DOCTYPE x [<!ENTITY e "e">]> now',
    "bidi controls": "a \u202egnp.exe\u202c b \u2066c\u2069",
    "emoji with joiners": "👩\u200d👩\u200d👧\u200d👦 and 🏳\ufe0f\u200d🌈",
    "combining marks": "Z\u0351\u036b\u0343a\u0329",
    "characters beyond the basic plane": "𠮷野家 𝔘𝔫𝔦",
    "5,000 characters": "long " * 999 + "title",
    "C1 controls": "a\u009fc",
}


@pytest.mark.parametrize("title", BAD_TITLES.values(), ids=BAD_TITLES)
def test_a_title_arrives_as_it_was_written(title):
    """A title has the same characters in every format, whatever markup it resembles."""
    made = published(json.dumps({"title": title, "author": title}), "Words.")
    assert faults(made) == []
    assert set(titles(made)) == {title}


def test_entities_in_a_title_are_characters():
    """Character references in a title are decoded in every format."""
    made = published('title: "EPA&#8217;s &lt;plan&gt; &amp; &amp;amp;"', "Words.")
    assert faults(made) == []
    assert set(titles(made)) == {"EPA’s <plan> & &amp;"}


FORBIDDEN = [*range(1, 9), 0x0B, 0x0C, *range(0x0E, 0x20), 0xFFFE, 0xFFFF]
BAD_BODIES = {
    "markup": ("<div onclick=x()>a <b>b</div> <script>bad()</script> <x-y>", "<div>a <b>b"),
    "entities": ("a &lt;b&gt; &amp;amp; &copy; &unknown; &#0; &#xD800; &#x110000;", "a &lt;b&gt; &amp;amp; ©"),
    "characters that are forbidden, as entities": ("a&#1;b&#xFFFE;c <i>d&#2;e</i>", "abc <i>de</i>"),
    "the end of a CDATA section": ("a ]]> b `]]>`", "a ]]&gt; b"),
    "bidi controls": ("a \u202egnp.exe\u202c", "\u202egnp.exe\u202c"),
    "emoji with joiners": ("👩\u200d👩\u200d👧\u200d👦", "👩\u200d👩\u200d👧\u200d👦"),
    "5,000 characters": ("x" * 5000, "x" * 5000),
    "every character that XML forbids": (f"a{''.join(map(chr, FORBIDDEN))}b", "ab"),
    "pictures with spaces and CJK": (
        "Words ![x](</a b.png>) ![y](/絵.png)\n\n<img src='/a b 絵.png'>",
        'src="https://example.com/a%20b.png"',
    ),
    "an invalid address": ("[x](//[bad) ![y](http://[) <a href='http://a b/'>z</a>", "x"),
}


@pytest.mark.parametrize(("body", "there"), BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_text_arrives_without_what_is_not_allowed(body, there):
    """The text of a post is the same valid HTML in every format."""
    made = published("title: A", body)
    assert faults(made) == []
    shown = set(bodies(made))
    assert len(shown) == 1
    assert there in shown.pop()


@pytest.mark.parametrize(
    "content",
    [b"---\ntitle: A\n---\nlone \xed\xa0\x80 surrogate\n", b"---\ntitle: A\n---\nNUL \x00\n"],
    ids=["a lone surrogate", "NUL"],
)
def test_bytes_that_are_not_text_are_an_error(content):
    """A post with NUL or a lone surrogate is an error with file and line."""
    with pytest.raises(PostError, match=r"2026-01-02-a\.md:4"):
        parse.parse_post("2026-01-02-a.md", content, SETTINGS)


BAD_FRONT = {
    "forbidden characters": json.dumps(
        {
            "title": "A\x01\ufffe\ud800\uffffB",
            "author": {"name": "A\x02da", "url": "https://ada.example/\ud800"},
            "rights": "C\x03C",
            "image": "/a.png",
            "image_alt": "a\x04b",
            "excerpt": "a\x05b \udfff",
            "enclosures": [{"url": "/a.mp3", "title": "a\x06b\ufffe"}],
            "source": {"title": "a\x07b", "url": "https://o.example/feed", "id": "urn:\x08o"},
        }
    ),
    "markup in names": 'title: A\ncategories: ["<b>&", "]]>"]\ntags: ["<i>", "&amp;"]\nauthors: ["<u>", "]]>"]',
    "a name of 5,000 characters": f"title: A\ncategories: [{'c' * 5000}]\ntags: [{'t' * 5000}]\nauthor: {'n' * 5000}",
    "a picture with spaces and CJK": 'title: A\nimage: "/img/a b 絵 (1).png"',
    "a file with spaces and CJK": 'title: A\naudio: "/files/第 1 回.mp3"',
    "a file without type": "title: A\nenclosure: /files/thing",
    "a file of an unknown ending": "title: A\nenclosure: /files/thing.q7",
    "several files": "title: A\nenclosures:\n- /a.mp3 12 audio/mpeg\n- {url: /b.ogg, title: '<b>'}\n- /c",
    "a feed it came from": "title: A\nsource: {title: '<b>', url: 'https://o.example/a b', id: 'urn:o'}",
    "pages elsewhere with CJK": 'title: A\nexternal_url: "https://o.example/絵 ?q=絵"\ncanonical: "https://c.example/絵"',
    "an address with CJK": 'title: A\npermalink: "/絵 と/"',
    "an id that is not a URI": 'title: A\nid: "my post 絵 <1>"',
    "several languages": "title: A\nlang: zh-hant-tw",
    "an empty excerpt": "title: A\nexcerpt: ''",
    "an author's page": "title: A\nauthors:\n- {name: Ada, url: 'https://ada.example/', email: ada@ada.example}",
}


@pytest.mark.parametrize("front", BAD_FRONT.values(), ids=BAD_FRONT)
def test_no_front_matter_makes_an_invalid_feed(front):
    """Any post that can be parsed gives valid documents in every format."""
    made = published(front, "Words.")
    assert faults(made) == []
    assert titles(made)[0].startswith("A")


def test_a_post_without_text_is_an_entry():
    """A post without text is a valid entry with its title."""
    made = published("title: A", "")
    assert faults(made) == []
    assert json.loads(made[JSON])["items"][0]["content_text"] == "A"


PERSONS = {
    "an address with CJK": "{name: Ada, url: 'https://ada.example/絵'}",
    "a relative address": "{name: Ada, url: /about/}",
    "an invalid page address": "{name: Ada, url: my page}",
    "an invalid e-mail address": "{name: Ada, email: ada}",
}


@pytest.mark.parametrize("person", PERSONS.values(), ids=PERSONS)
def test_no_author_makes_an_invalid_feed(person):
    """Invalid URLs and mail addresses of authors are left out or corrected."""
    assert faults(published(f"title: A\nauthors:\n- {person}", "Words.")) == []


def test_no_source_makes_an_invalid_feed():
    """The id of a source is a URI or left out (RFC 4287 section 4.2.6)."""
    source = "{title: O, url: 'https://o.example/feed', id: 7}"
    assert faults(published(f"title: A\nsource: {source}", "Words.")) == []


def cleaned(value):
    """Return a line of front matter as the parser leaves it."""
    return strip_illegal_xml(clean_line(value)).strip()


NAMES = st.lists(st.text(max_size=12).map(cleaned).filter(bool), max_size=3)


@given(st.text(max_size=30).map(cleaned), st.text(max_size=60), st.text(max_size=30).map(cleaned), NAMES, NAMES, NAMES)
def test_any_words_give_valid_documents(title, body, excerpt, tags, topics, authors):
    """Any text in title, body, excerpt and names gives valid documents with the same title."""
    title = title or "x"
    one = entry("a.md", title=title, tags=tags, authors=tuple(Author(name=name) for name in authors))
    other = entry("b.md", topics=topics)
    made = documents_of(one, other, html=render_markdown(body), excerpt=excerpt)
    assert faults(made) == []
    assert set(titles(made)) == {title}


def test_an_empty_feed_is_valid():
    """A feed without posts is valid, and its date does not come from the clock."""
    made = documents_of()
    assert faults(made) == []
    assert b"1970-01-01T00:00:00+00:00" in made[ATOM]
    assert b"lastBuildDate" not in made[RSS]


def test_a_feed_of_summaries_is_valid_and_carries_no_text():
    """With `content = "summary"` documents are valid and have the excerpt only."""
    made = documents_of(entry("a.md"), settings=Settings(site=SITE, feeds=FeedSettings(content="summary")))
    assert faults(made) == []
    assert all(b"Body of" not in document and b"Excerpt of" in document for document in made.values())


def test_documents_depend_on_posts_and_settings_only():
    """The same posts and settings give the same bytes."""
    assert documents_of(entry("a.md"), entry("b.md")) == documents_of(entry("a.md"), entry("b.md"))


# Items ------------------------------------------------------------------------------------------------------------


def item(one, *, full=True, sizes=None, **values):
    text = Text(**{"html": "<p>Body</p>", "excerpt": "Words", "reading_minutes": 1} | values)
    return item_of_entry(one, text, full=full, sizes=sizes or {})


NOTE = (
    '<p>a<sup class="footnote-ref"><a href="#fn-1" id="fnref-1" data-footnote-ref>1</a></sup></p>'
    '<section class="footnotes" data-footnotes><ol><li id="fn-1"><p>b <a href="#fnref-1" class="footnote-backref" '
    "data-footnote-backref>↩</a></p></li></ol></section>"
)


def test_two_entries_with_footnotes_have_different_ids():
    """The footnotes of two entries have different ids, to which the links of each lead; in a link post there are none.

    Readers take a fragment of a link post for one of the page that it links to.
    """
    first, second = (item(entry(path), html=NOTE).html for path in ("a.md", "b.md"))
    ids = [set(re.findall(r'id="([^"]*)', html)) for html in (first, second)]
    links = [set(re.findall(r'href="#([^"]*)', html)) for html in (first, second)]
    assert ids == links
    assert len(ids[0] | ids[1]) == 4
    assert "href" not in item(entry("a.md", external_url="https://o.example/"), html=NOTE).html


def test_a_link_post_is_about_the_page_it_points_to():
    """A link post's URL is its target; its own page is `via` and `page`."""
    plain, link = item(entry("a.md")), item(entry("a.md", external_url="https://o.example/"))
    assert (plain.url, plain.via, plain.page) == ("https://example.com/a/", None, "https://example.com/a/")
    assert (link.url, link.via) == ("https://o.example/", "https://example.com/a/")
    assert link.page == "https://example.com/a/"


def test_addresses_in_a_text_start_from_our_page():
    """Relative URLs in a text are resolved against the post's own page, also in a link post."""
    html = '<a href="b">b</a><script>x()</script>'
    shown = item(entry("a.md", external_url="https://o.example/"), html=html).html
    assert shown == '<a href="https://example.com/a/b">b</a>'


@pytest.mark.parametrize(
    ("lang", "is_wrapped"), [("fa", True), ("ar-EG", True), ("he", True), ("en", False), ("ku", False)]
)
def test_a_text_has_the_direction_of_its_language(lang, is_wrapped):
    """The text of an entry in Persian, Arabic or Hebrew says that it runs from right to left."""
    shown = item(entry("a.md", lang=lang), html="<p>a</p>").html
    assert shown == ('<div dir="rtl">\n<p>a</p></div>' if is_wrapped else "<p>a</p>")
    assert item(entry("a.md", lang=lang), html="").html == ""


def test_a_summary_is_escaped_as_html():
    """Markup characters in a summary are escaped in `html_summary`."""
    assert item(entry("a.md"), excerpt='1 < 2 & "3"').html_summary == '1 &lt; 2 &amp; "3"'


def test_categories_come_before_tags():
    """Categories come before tags, with term and label; a tag with the term of a category is left out."""
    labelled = PublishedCategory(term="D", label="The D", slug="d")
    labelled_entry = replace(entry("a.md", topics=["B", "A"], tags=["c", "A", "D"]), categories=(labelled,))
    assert item(labelled_entry).categories == (("D", "The D"), ("c", "c"), ("A", "A"))
    assert item(entry("a.md", topics=["B", "A"], tags=["c", "A"])).categories == (("B", "B"), ("A", "A"), ("c", "c"))


def test_a_file_on_this_machine_has_the_size_it_has():
    """A file on this machine has its real size, whatever the post says; other files have the size in the post."""
    files = (
        Enclosure(url="https://example.com/here.mp3", length=1, type="audio/mpeg", seconds=9, title="T"),
        Enclosure(url="https://o.example/there.mp3", length=2),
    )
    image = Image(url="https://example.com/p.webp", alt="A picture")
    found = item(
        entry("a.md", enclosures=files, image=image),
        sizes={"https://example.com/here.mp3": 100, "https://example.com/p.webp": 300},
    )
    assert {f.url: f.length for f in found.files} == {
        "https://example.com/here.mp3": 100,
        "https://o.example/there.mp3": 2,
        "https://example.com/p.webp": 300,
    }
    assert (found.files[0].type, found.files[0].seconds, found.files[0].title) == ("audio/mpeg", 9, "T")
    assert (found.image.type, found.image.title) == ("image/webp", "A picture")


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (datetime(2026, 1, 1, 8, 30, 0, 250, tzinfo=timezone(timedelta(hours=9))), "2026-01-01T08:30:00+09:00"),
        (datetime(2026, 1, 1, 8, 30, tzinfo=LOCAL_MEAN_TIME), "2025-12-31T23:11:01+00:00"),
        (datetime(2026, 1, 1, 8, 30, 59, 999999, tzinfo=UTC), "2026-01-01T08:30:59+00:00"),
        (datetime(2026, 1, 12, 17, 30, tzinfo=timezone(timedelta(hours=17.5))), "2026-01-12T00:00:00+00:00"),
        (datetime(2026, 1, 12, 1, 0, tzinfo=timezone(timedelta(hours=-23.5))), "2026-01-13T00:30:00+00:00"),
        (datetime(2026, 1, 12, 1, 0, tzinfo=timezone(timedelta(hours=14))), "2026-01-12T01:00:00+14:00"),
    ],
    ids=["microseconds", "local mean time", "no rounding", "far east", "far west", "Line Islands"],
)
def test_dates_of_entries_are_valid_in_rfc_3339(time, expected):
    """Dates have neither microseconds nor offsets that no zone has or that have seconds (local mean time)."""
    assert to_rfc3339(time).isoformat() == expected
    found = item(entry("a.md", published=time))
    assert (found.published.isoformat(), found.updated.isoformat()) == (expected, expected)


@pytest.mark.parametrize(
    "time",
    [datetime(2026, 1, 1, 8, 30, 0, 250, tzinfo=UTC), datetime(1880, 1, 1, tzinfo=LOCAL_MEAN_TIME)],
    ids=["microseconds", "local mean time"],
)
def test_the_date_of_a_feed_is_valid_in_rfc_3339_and_822(time):
    """The date of a feed has neither microseconds nor an offset with seconds."""
    assert faults(documents_of(entry("a.md", published=time))) == []


def test_an_issue_is_an_item_of_its_newsletters_feed():
    """An issue is an item with its own id and the URL of its page."""
    sent = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    issue = Issue(
        id=7,
        newsletter="weekly",
        number=3,
        slot=sent,
        state=IssueState.SENT,
        subject="S",
        posts=2,
        recipients=1,
        sent=1,
    )
    url = "https://example.com/newsletters/weekly/3/"
    found = item_of_issue(issue, "<p>x</p>", title="S", url=url, lang="ja", authority="a,2026")
    assert (found.id, found.title, found.lang) == ("tag:a,2026:newsletters/weekly/3", "S", "ja")
    assert (found.published, found.updated, found.html) == (sent, sent, "<p>x</p>")
    arabic = item_of_issue(issue, "<p>x</p>", title="S", url=url, lang="ar", authority="a,2026")
    assert arabic.html == '<div dir="rtl">\n<p>x</p></div>'


def test_an_archive_page_is_as_old_as_its_newest_entry():
    """`updated` of an archive page is that of its newest entry, so that it does not change with the feed."""
    feed = plan.plan_feeds(Catalogue(now=NOW, entries=(entry("b.md", days=9),), outcomes=()), SETTINGS)[0]
    items = (item(entry("a.md", days=1)), item(entry("c.md", days=2)))
    assert FeedDocument(feed=feed, items=items, author="A").updated == START + timedelta(days=9)
    assert FeedDocument(
        feed=feed, items=items, author="A", position=ArchivePosition(number=1)
    ).updated == START + timedelta(days=2)
    assert FeedDocument(feed=feed, items=(), author="A", position=ArchivePosition(number=1)).updated == NEVER
