"""Archive pages: what an entry was put on it stays on, whatever comes, goes or changes its date (RFC 5005)."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.syndication import archive
from feeds.core.syndication.feed import ArchivePosition, Feed
from feeds.settings import FeedSettings, Settings
from tests.core.factory import START, entry

NAMES = st.integers(0, 25)
#: The posts that are public in each pass, with the days of their dates: any may come, go, come back or be dated anew.
PASSES = st.lists(st.dictionaries(NAMES, st.integers(0, 60), max_size=12), min_size=1, max_size=8)
SIZES = st.integers(1, 5)


def feed(days, size=3):
    """A feed of posts that were published so many days after the start, by name."""
    newest_first = sorted(days.items(), key=lambda item: (-item[1], item[0]))
    return Feed(
        kind="all",
        key="",
        id="tag:example.com,2026:feeds/",
        title="Test",
        label="Test",
        folder="feeds/",
        url="https://example.com/feeds/",
        home="https://example.com/",
        lang="en",
        entries=tuple(entry(f"{name}.md", days=day) for name, day in newest_first),
        total=len(days),
        size=size,
        content="full",
        formats=("atom",),
        updated=START + timedelta(days=max(days.values(), default=0)),
    )


def passed(pages, shown):
    """The pages after a pass in which the feed is *shown*."""
    return archive.merge_pages(pages, archive.fill_pages(shown, pages))


def passes_of(data, *, sizes=SIZES):
    """Each pass of a random history: the feed, the pages before and after."""
    pages = []
    for days in data.draw(PASSES, label="passes"):
        shown, before = feed(days, data.draw(sizes, label="size")), pages
        pages = passed(pages, shown)
        yield shown, before, pages


def names(page):
    return [identity.partition(":")[2].partition(":")[2].removesuffix(".md") for identity in page.entries]


def test_pages_are_as_large_as_the_feed_and_begin_with_the_oldest():
    """Seven posts and a feed of three: two full pages and one that takes the next ones."""
    pages = passed([], feed({n: n for n in range(7)}))
    assert [names(page) for page in pages] == [["0", "1", "2"], ["3", "4", "5"], ["6"]]
    assert [(page.kind, page.key, page.number) for page in pages] == [("all", "", n) for n in (1, 2, 3)]


def test_only_what_is_new_or_has_more_on_it_is_written():
    """A pass that brings one post changes one page, and one that brings none changes nothing."""
    pages = passed([], feed({n: n for n in range(7)}))
    assert [page.number for page in archive.fill_pages(feed({n: n for n in range(8)}), pages)] == [3]
    assert archive.fill_pages(feed({n: n for n in range(7)}), pages) == []


def test_a_feed_without_entries_has_no_archive():
    """There is nothing to put on a page."""
    assert archive.fill_pages(feed({}), []) == []
    assert archive.published_pages(feed({}), []) == []


def test_what_comes_late_with_an_old_date_goes_to_the_end():
    """Pages are in the order in which entries came, not in that of their dates: nothing shifts."""
    days = {n: n + 10 for n in range(5)}
    pages = passed(passed([], feed(days)), feed(days | {9: 1}))
    assert [names(page) for page in pages] == [["0", "1", "2"], ["3", "4", "9"]]


@given(st.data())
def test_an_entry_never_leaves_its_page(data):
    """Whatever comes, goes, comes back or is dated anew, however large the feed is: once placed, placed for good."""
    for shown, before, pages in passes_of(data):
        assert [page.number for page in pages] == list(range(1, len(pages) + 1))
        placed = [identity for page in pages for identity in page.entries]
        assert len(placed) == len(set(placed))
        assert {e.id for e in shown.entries} <= set(placed)
        for was, now in zip(before, pages, strict=False):
            assert now.entries[: len(was.entries)] == was.entries


@given(st.data())
def test_no_page_is_filled_beyond_the_size_of_the_feed(data):
    """What is put on a page leaves it no larger than what the feed shows."""
    for shown, before, _ in passes_of(data):
        had = {page.number: page.entries for page in before}
        gained = [page for page in archive.fill_pages(shown, before) if page.entries != had.get(page.number)]
        assert all(len(page.entries) <= shown.size for page in gained)


@given(st.data())
def test_a_page_that_was_full_never_gains_an_entry(data):
    """Readers may keep a full page for good: it takes nothing more, not even when the feed shows more than it did."""
    full = {}
    for shown, _, pages in passes_of(data):
        for page in pages:
            assert full.get(page.number, page.entries) == page.entries
        full |= {page.number: page.entries for page in pages[:-1]}
        full |= {page.number: page.entries for page in pages[-1:] if len(page.entries) >= min(shown.size, page.size)}


@given(st.data())
def test_the_feed_and_the_pages_it_links_to_hold_every_entry(data):
    """A reader who follows the links misses nothing, at any time."""
    for shown, _, pages in passes_of(data):
        reached = {identity for page in archive.published_pages(shown, pages) for identity in page.entries}
        assert {e.id for e in shown.entries} <= reached | {e.id for e in shown.shown}


@given(st.data())
def test_the_open_page_is_linked_only_if_it_holds_what_the_feed_does_not_show(data):
    """All others always are."""
    for shown, _, pages in passes_of(data):
        linked = archive.published_pages(shown, pages)
        assert linked[: len(pages) - 1] == pages[:-1]
        if pages and len(pages[-1].entries) < pages[-1].size:
            hidden = {e.id for e in shown.entries} - {e.id for e in shown.shown}
            assert (linked == pages) == bool(hidden & set(pages[-1].entries))


def test_places_are_a_chain():
    """Each page knows its neighbours, the first has none before it and the last none behind it."""
    pages = passed([], feed({n: n for n in range(9)}))
    assert list(archive.archive_positions(pages)) == [
        ArchivePosition(number=1, older=None, newer=2),
        ArchivePosition(number=2, older=1, newer=3),
        ArchivePosition(number=3, older=2, newer=None),
    ]
    assert list(archive.archive_positions([])) == []


@pytest.mark.parametrize(
    ("archives", "formats", "posts", "begun", "wanted"),
    [
        ("auto", ("atom",), 2000, False, True),
        ("auto", ("atom",), 2001, False, False),
        ("auto", ("atom",), 2001, True, True),
        (True, ("atom",), 9999, False, True),
        (False, ("atom",), 1, True, False),
        (True, ("rss", "json"), 1, True, False),
    ],
)
def test_archives_are_atom_and_for_sites_that_can_bear_them(archives, formats, posts, begun, wanted):
    """As configured, else once begun or for few posts; they are Atom documents, so without Atom there are none."""
    settings = Settings(feeds=FeedSettings(archives=archives, formats=formats))
    assert archive.archives_enabled(settings, posts, begun=begun) is wanted
