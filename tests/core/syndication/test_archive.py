"""Archive pages: an entry stays on its page, whatever other entries do (RFC 5005)."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.syndication import archive
from feeds.core.syndication.feed import ArchivePosition, Feed
from feeds.settings import FeedSettings, Settings
from tests.core.factory import START, entry

NAMES = st.integers(0, 25)
#: The public posts of each run, with the days of their dates: any may appear, vanish, return or change its date.
RUNS = st.lists(st.dictionaries(NAMES, st.integers(0, 60), max_size=12), min_size=1, max_size=8)
SIZES = st.integers(1, 5)


def feed(days, size=3):
    """Return a feed of posts, by name, published so many days after the start."""
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


def pages_after(pages, current):
    """Return the pages after a run with the *current* feed."""
    return archive.merge_pages(pages, archive.fill_pages(current, pages))


def runs_of(data, *, sizes=SIZES):
    """Yield each run of a random history: the feed, the pages before and after."""
    pages = []
    for days in data.draw(RUNS, label="runs"):
        current, before = feed(days, data.draw(sizes, label="size")), pages
        pages = pages_after(pages, current)
        yield current, before, pages


def names(page):
    return [entry_id.partition(":")[2].partition(":")[2].removesuffix(".md") for entry_id in page.entries]


def test_pages_are_as_large_as_the_feed_and_begin_with_the_oldest():
    """Seven posts and a feed of three give two full pages and an open one."""
    pages = pages_after([], feed({n: n for n in range(7)}))
    assert [names(page) for page in pages] == [["0", "1", "2"], ["3", "4", "5"], ["6"]]
    assert [(page.kind, page.key, page.number) for page in pages] == [("all", "", n) for n in (1, 2, 3)]


def test_only_what_is_new_or_has_more_on_it_is_written():
    """A run with one new post changes one page, and a run without new posts changes none."""
    pages = pages_after([], feed({n: n for n in range(7)}))
    assert [page.number for page in archive.fill_pages(feed({n: n for n in range(8)}), pages)] == [3]
    assert archive.fill_pages(feed({n: n for n in range(7)}), pages) == []


def test_a_feed_without_entries_has_no_archive():
    """A feed without entries has no archive pages."""
    assert archive.fill_pages(feed({}), []) == []
    assert archive.published_pages(feed({}), []) == []


def test_a_late_post_with_an_old_date_goes_to_the_last_page():
    """A post that is published late with an old date goes to the last page, and no other entry moves."""
    days = {n: n + 10 for n in range(5)}
    pages = pages_after(pages_after([], feed(days)), feed(days | {9: 1}))
    assert [names(page) for page in pages] == [["0", "1", "2"], ["3", "4", "9"]]


@given(st.data())
def test_an_entry_never_leaves_its_page(data):
    """An entry stays on its page, whatever posts appear, vanish, return or change their date, at any feed size."""
    for current, before, pages in runs_of(data):
        assert [page.number for page in pages] == list(range(1, len(pages) + 1))
        placed = [entry_id for page in pages for entry_id in page.entries]
        assert len(placed) == len(set(placed))
        assert {e.id for e in current.entries} <= set(placed)
        for was, now in zip(before, pages, strict=False):
            assert now.entries[: len(was.entries)] == was.entries


@given(st.data())
def test_no_page_is_filled_beyond_the_size_of_the_feed(data):
    """A page that gets entries has at most as many as the feed shows."""
    for current, before, _ in runs_of(data):
        had = {page.number: page.entries for page in before}
        gained = [page for page in archive.fill_pages(current, before) if page.entries != had.get(page.number)]
        assert all(len(page.entries) <= current.size for page in gained)


@given(st.data())
def test_a_page_that_was_full_never_gains_an_entry(data):
    """A full page gets no more entries, even if the feed shows more than before: readers may cache it permanently."""
    full = {}
    for current, _, pages in runs_of(data):
        for page in pages:
            assert full.get(page.number, page.entries) == page.entries
        full |= {page.number: page.entries for page in pages[:-1]}
        full |= {page.number: page.entries for page in pages[-1:] if len(page.entries) >= min(current.size, page.size)}


@given(st.data())
def test_the_feed_and_the_pages_it_links_to_hold_every_entry(data):
    """After each run, the feed and its published pages together have every entry."""
    for current, _, pages in runs_of(data):
        reached = {entry_id for page in archive.published_pages(current, pages) for entry_id in page.entries}
        assert {e.id for e in current.entries} <= reached | {e.id for e in current.shown}


@given(st.data())
def test_the_open_page_is_published_only_if_it_has_an_entry_that_the_feed_does_not_show(data):
    """The open page is published only if it has an entry that the feed does not show; all others always are."""
    for current, _, pages in runs_of(data):
        linked = archive.published_pages(current, pages)
        assert linked[: len(pages) - 1] == pages[:-1]
        if pages and len(pages[-1].entries) < pages[-1].size:
            hidden = {e.id for e in current.entries} - {e.id for e in current.shown}
            assert (linked == pages) == bool(hidden & set(pages[-1].entries))


def test_positions_are_a_chain():
    """Each page has its neighbours; the first has no older one and the last no newer one."""
    pages = pages_after([], feed({n: n for n in range(9)}))
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
def test_archives_are_for_atom_and_by_default_for_small_sites(archives, formats, posts, begun, wanted):
    """Archives are enabled as configured, by default once begun or for few posts, and only with Atom."""
    settings = Settings(feeds=FeedSettings(archives=archives, formats=formats))
    assert archive.archives_enabled(settings, posts, begun=begun) is wanted
