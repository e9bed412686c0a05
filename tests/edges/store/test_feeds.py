"""Feeds in a real store."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from feeds.edges.store.database import open_store
from feeds.model import ArchivePage, KnownFeed, Ping

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def feeds(store):
    return store.feeds


def known(key, folder=None, **values):
    folder = folder or f"feeds/category/{key}/"
    return KnownFeed(kind="category", key=key, id=f"tag:example.com,2026:{key}", folder=folder, label=key, **values)


def page(number, *entries, key="x"):
    return ArchivePage(kind="category", key=key, number=number, size=3, entries=entries)


def test_a_feed_is_remembered_as_it_is(feeds):
    """A feed is loaded with all its fields, in the order of folders, in any script."""
    rain = known("雨", updated=NOW, former=("feeds/category/ame/", "feeds/category/雨/"))
    plain = known("x")
    feeds.save_feeds([rain, plain], [])
    assert feeds.load_feeds() == (plain, rain)


def test_what_is_known_of_a_feed_is_brought_up_to_date(feeds):
    """Saving a feed again replaces it."""
    feeds.save_feeds([known("x"), known("y")], [])
    moved = known("x", "feeds/category/z/", former=("feeds/category/x/",), updated=NOW)
    feeds.save_feeds([moved], [])
    assert feeds.load_feeds() == (known("y"), moved)


def test_two_feeds_may_swap_their_folders(feeds):
    """Two feeds can swap their folders, although folders are unique."""
    feeds.save_feeds([known("x"), known("y")], [])
    swapped = [known("x", "feeds/category/y/"), known("y", "feeds/category/x/")]
    feeds.save_feeds(swapped, [])
    assert {(feed.key, feed.folder) for feed in feeds.load_feeds()} == {
        ("x", "feeds/category/y/"),
        ("y", "feeds/category/x/"),
    }


def test_a_feed_under_another_name_takes_over_its_folder(feeds):
    """A feed that has another key, but the folder of a known feed, replaces that one."""
    feeds.save_feeds([known("x"), known("y")], [])
    renamed = known("z", "feeds/category/x/")
    feeds.save_feeds([renamed], [])
    assert feeds.load_feeds() == (renamed, known("y"))


def test_files_are_undeployed_until_they_are_deployed(feeds):
    """The first change since a deployment is recorded once, until the next deployment."""
    assert not feeds.is_undeployed()
    assert [feeds.mark_undeployed(NOW), feeds.mark_undeployed(LATER)] == [False, True]
    assert feeds.is_undeployed()
    feeds.mark_deployed()
    assert not feeds.is_undeployed()
    assert not feeds.mark_undeployed(LATER)


def test_what_is_remembered_outlives_the_process(tmp_path, store_url):
    """Feeds, pages, retired paths and pings are in the store after it is closed."""
    with open_store(store_url, tmp_path) as store:
        store.feeds.save_feeds([known("x", updated=NOW)], [page(1, "a")])
        store.feeds.retire(["feeds/rss.xml"], NOW)
        store.feeds.expect_pings(["feeds/atom.xml"], NOW)
    with open_store(store_url, tmp_path) as store:
        assert store.feeds.load_feeds() == (known("x", updated=NOW),)
        assert store.feeds.load_archive_pages() == (page(1, "a"),)
        assert store.feeds.load_retired() == {"feeds/rss.xml"}
        assert [ping.path for ping in store.feeds.load_pings()] == ["feeds/atom.xml"]


def test_pages_are_in_the_order_of_their_numbers(feeds):
    """Pages are loaded in numeric order; saving a page again replaces it."""
    feeds.save_feeds([known("x"), known("y")], [page(n, f"{n}") for n in (10, 9, 1)])
    feeds.save_feeds([], [page(10, "10", "11", "雨"), page(1, "1", key="y")])
    assert feeds.load_archive_pages() == (page(1, "1"), page(9, "9"), page(10, "10", "11", "雨"), page(1, "1", key="y"))


@pytest.mark.parametrize("store_url", ["sqlite:///feeds.db"])
def test_nothing_to_remember_writes_nothing(tmp_path, feeds):
    """Saving nothing does not change the file, on which the fast path relies."""
    before = (tmp_path / "feeds.db").stat()
    feeds.save_feeds([], [])
    assert feeds.expect_pings([], NOW) == frozenset()
    feeds.clear_pings([])
    feeds.postpone_pings([])
    after = (tmp_path / "feeds.db").stat()
    assert (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size)


def test_what_was_ended_can_be_brought_back(feeds):
    """A retired path can be unretired once, together with the others of its feed."""
    paths = ["feeds/category/x/", "feeds/category/old/"]
    feeds.retire(paths[:1], NOW)
    feeds.retire(paths, LATER)
    assert feeds.load_retired() == set(paths)
    assert [feeds.unretire(group) for group in (["feeds/category/y/"], paths, paths, [])] == [
        False,
        True,
        False,
        False,
    ]
    assert feeds.load_retired() == frozenset()


def test_no_hub_hears_of_what_was_ended(feeds):
    """Retiring a folder deletes the pending pings of documents in it, and only those."""
    kept = ["feeds/category/x_y/atom.xml", "feeds/category/xy/atom.xml", "feeds/category/雨/atom.xml"]
    paths = ["feeds/category/x/atom.xml", "feeds/category/x/rss.xml", "feeds/category/%/atom.xml", "feeds/rss.xml"]
    feeds.expect_pings([*paths, *kept], NOW)
    feeds.retire(["feeds/category/x/", "feeds/category/%/", "feeds/rss.xml"], NOW)
    assert [ping.path for ping in feeds.load_pings()] == kept


def test_pings_wait_until_they_are_settled(feeds):
    """Pending pings are loaded oldest first, then by path, until they are cleared."""
    feeds.expect_pings(["feeds/b.xml"], LATER)
    feeds.expect_pings(["feeds/c.xml", "feeds/a.xml"], NOW)
    assert feeds.load_pings() == (
        Ping(path="feeds/a.xml", since=NOW, next_at=NOW),
        Ping(path="feeds/c.xml", since=NOW, next_at=NOW),
        Ping(path="feeds/b.xml", since=LATER, next_at=LATER),
    )
    feeds.clear_pings(["feeds/a.xml", "feeds/b.xml", "feeds/never.xml"])
    assert [ping.path for ping in feeds.load_pings()] == ["feeds/c.xml"]


def test_a_ping_can_be_put_off(feeds):
    """A postponed ping keeps its start and its tries."""
    feeds.expect_pings(["feeds/a.xml"], NOW)
    (ping,) = feeds.load_pings()
    postponed = replace(ping, tries=3, next_at=LATER)
    feeds.postpone_pings([postponed])
    assert feeds.load_pings() == (postponed,)


def test_what_changes_again_waits_from_then_on(feeds):
    """Resetting a ping restarts it with the new time and no tries."""
    feeds.expect_pings(["feeds/a.xml"], NOW)
    feeds.postpone_pings(replace(ping, tries=3, next_at=LATER + timedelta(days=1)) for ping in feeds.load_pings())
    assert feeds.expect_pings(["feeds/a.xml", "feeds/b.xml"], LATER) == {"feeds/a.xml"}
    feeds.reset_pings(["feeds/a.xml"], LATER)
    feeds.clear_pings(["feeds/b.xml"])
    assert feeds.load_pings() == (Ping(path="feeds/a.xml", since=LATER, next_at=LATER),)


def test_a_change_that_is_refused_leaves_all_as_it_was(feeds):
    """If a page cannot be saved, neither are the feeds."""
    import sqlite3

    import psycopg

    feeds.save_feeds([known("x")], [page(1, "a")])
    with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError)):
        feeds.save_feeds([known("x", updated=NOW)], [page(2, "b"), page(None, "c")])
    assert (feeds.load_feeds(), feeds.load_archive_pages()) == ((known("x"),), (page(1, "a"),))
