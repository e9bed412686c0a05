"""The readers themselves, with hand-written feeds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from xml.sax.saxutils import escape

import pytest

from tests.readers import harness
from tests.readers.harness import READERS, ReadEntry, Reader, reader_params

SAMPLES = harness.HERE / "samples"
FILES = {"atom": "atom.xml", "rss": "rss.xml", "json": "feed.json"}

FIRST = ReadEntry(
    id="tag:example.com,2026:everything",
    title="日本語の題 & <b>bold</b> ]]> 👩‍💻 “é”",
    link="https://example.com/%E6%8A%95%E8%B3%87/?a=1&b=2",
    published=datetime(2026, 11, 21, 8, 30, tzinfo=timezone(timedelta(hours=9))),
    categories=("投資", "R&D", "Plain"),
    enclosures=(("https://example.com/audio/one.mp3?x=1&y=2", "audio/mpeg"),),
    authors=("葵", "Ada & Co"),
    content='<p>本文 &amp; <a href="https://example.com/x?a=1&amp;b=2">link</a> ]]> &lt;i&gt; 👩‍💻</p>',
)
SECOND = ReadEntry(
    id="tag:example.com,2026:twice",
    title="Written as &lt;b&gt; and &amp;",
    link="https://example.com/twice/",
    published=datetime(2026, 11, 20, tzinfo=UTC),
    categories=("Plain",),
    enclosures=(),
    authors=(),
    content="<p>Second.</p>",
)

NO_CATEGORIES = {"categories": None}
ADDRESS_ONLY = {"enclosures": ((FIRST.enclosures[0][0], ""),), "authors": ("葵",)}
IMAGE = (("https://example.com/pictures/one.png", "image/png"),)
#: The fields of the two entries that a reader changes.
CHANGED = {
    ("newsboat", "atom"): (NO_CATEGORIES | {"authors": ("葵, Ada & Co",)}, NO_CATEGORIES),
    ("newsboat", "rss"): (NO_CATEGORIES | {"authors": ("Ada & Co",)}, NO_CATEGORIES),
    ("sfeed", "atom"): (ADDRESS_ONLY | {"categories": ("投資", "r&d", "Plain")}, {}),
    ("sfeed", "rss"): (ADDRESS_ONLY, {}),
    ("reader", "atom"): (NO_CATEGORIES | {"authors": ("Ada & Co",)}, NO_CATEGORIES),
    ("reader", "rss"): (NO_CATEGORIES | {"authors": ("Ada & Co",)}, NO_CATEGORIES),
    ("reader", "json"): (NO_CATEGORIES, NO_CATEGORIES),
    ("feedsmith", "atom"): ({"media": ()}, {"media": ()}),
    ("feedsmith", "rss"): ({"media": IMAGE}, {"media": ()}),
    ("feedsmith", "json"): ({}, {}),
}

XML = {
    "atom": """<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:f</id><title>f</title>
<updated>2026-01-01T00:00:00Z</updated>{}</feed>""",
    "rss": """<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>f</title>
<link>https://example.com/</link><description>d</description>{}</channel></rss>""",
}
ENTRY = {
    "atom": """<entry><id>urn:{day}</id><title>t</title><updated>2026-01-{day:02}T00:00:00Z</updated>
<link href="https://example.com/"/><content type="html">{content}</content></entry>""",
    "rss": """<item><guid isPermaLink="false">urn:{day}</guid><title>t</title>
<pubDate>{day:02} Jan 2026 00:00:00 GMT</pubDate><link>https://example.com/</link><content:encoded>{content}</content:encoded></item>""",
}


def feed_of(folder, format_, *days, content="c"):
    """Write a feed with an entry for each day; return its path."""
    entries = "".join(ENTRY[format_].format(day=day, content=escape(content)) for day in days)
    file = folder / f"{format_}.xml"
    file.write_text(XML[format_].format(entries), "utf-8")
    return file


@pytest.mark.parametrize(("reader", "format_"), reader_params("atom", "rss", "json"))
def test_a_reader_keeps_what_is_written(reader, format_):
    """A reader keeps every field of an entry, with markup, CJK and emoji, except for the changes listed above."""
    first, second = CHANGED[reader.name, format_]
    assert reader.read(SAMPLES / FILES[format_]) == [replace(FIRST, **first), replace(SECOND, **second)]


@pytest.mark.parametrize(("reader", "format_"), reader_params("atom", "rss"))
def test_entries_come_in_the_readers_order(reader, format_, tmp_path):
    """Entries are in the order of the document; lemon24's reader sorts the newest first."""
    order = ["urn:20", "urn:10", "urn:5"] if reader.name == "reader" else ["urn:5", "urn:20", "urn:10"]
    assert [entry.id for entry in reader.read(feed_of(tmp_path, format_, 5, 20, 10))] == order


@pytest.mark.parametrize(("reader", "format_"), reader_params("atom", "rss"))
def test_content_keeps_its_line_ends_tabs_and_backslashes(reader, format_, tmp_path):
    """Line ends, tabs and backslashes in the content are unchanged."""
    content = "<pre>a\tb\nc \\n \\\\t</pre>"
    assert [entry.content for entry in reader.read(feed_of(tmp_path, format_, 1, content=content))] == [content]


@pytest.mark.parametrize(("reader", "format_"), reader_params("atom"))
def test_a_file_that_is_not_a_feed_is_an_error(reader, format_, tmp_path):
    """A file that is not a feed is an error, except for sfeed, for which it is a feed without entries."""
    file = feed_of(tmp_path, format_)
    assert reader.read(file) == []
    file.write_text("<html><title>Not found</title></html>", "utf-8")
    if reader.name == "sfeed":
        assert reader.read(file) == []
    else:
        with pytest.raises(RuntimeError):
            reader.read(file)


@pytest.mark.parametrize(("reader", "format_"), reader_params("rss"))
def test_nothing_of_the_machine_is_touched(reader, format_, tmp_path, monkeypatch):
    """No reader writes to the home folder, the working folder or the feed."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    file = feed_of(tmp_path, format_, 1)
    before = file.read_bytes()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(work)
    assert len(reader.read(file)) == 1
    assert [*home.iterdir(), *work.iterdir()] == []
    assert file.read_bytes() == before


def test_a_reader_that_is_not_installed_is_skipped_by_name(monkeypatch):
    """The skip reason of a missing reader has its name and package."""
    missing = Reader(
        name="missing",
        formats=harness.XML,
        needs="a package",
        is_installed=lambda: False,
        entries=lambda *_: (),
    )
    monkeypatch.setattr(harness, "READERS", (missing,))
    (only,) = reader_params("rss", "json")
    assert only.id == "missing-rss"
    assert only.marks[0].args == (True,)
    assert only.marks[0].kwargs["reason"] == "missing is not installed (a package)"


def test_every_format_has_two_readers():
    """At least two readers support each format."""
    for format_ in FILES:
        assert sum(format_ in reader.formats for reader in READERS) >= 2
