"""Backing up and adopting a store, on real sites."""

import sqlite3
import stat
from datetime import timedelta

import pytest

from feeds.edges.store.database import open_store
from feeds.errors import FeedsError, StoreError
from feeds.jobs.context import Context
from feeds.jobs.store import backup
from tests.conftest import CONFIG, NEWSLETTER, NOW

WEEK = timedelta(days=7)


def adopt(site, now=NOW, **options):
    return backup.adopt_public(site.config, now, Context(clock=lambda: now), **options)


@pytest.mark.usefixtures("databases")
def test_a_store_that_has_forgotten_takes_over_what_was_sent(letter_site):
    """After adopting, a new store repeats no issue, continues the numbers, keeps the pages and sends what is new."""
    letter_site.publish()
    letter_site.post("second", date="2026-11-25")
    letter_site.publish(NOW + WEEK)
    pages = letter_site.files("public/newsletters")
    letter_site.lose_store()
    before = letter_site.files("public", ".feeds/outbox", "posts")
    assert adopt(letter_site, NOW + WEEK, dry_run=True) == [
        "weekly: issues 1 to 2 would be marked as sent, 2 posts would be marked as announced"
    ]
    assert adopt(letter_site, NOW + WEEK) == ["weekly: issues 1 to 2 marked as sent, 2 posts marked as announced"]
    assert letter_site.files("public", ".feeds/outbox", "posts") == before
    assert adopt(letter_site, NOW + WEEK) == ["weekly: 0 posts marked as announced"]
    letter_site.post("third", date="2026-12-02")
    [issue] = letter_site.publish(NOW + 2 * WEEK).issues
    assert (issue.number, issue.posts, issue.state) == (3, 1, "sent")
    assert (
        letter_site.files("public/newsletters")["public/newsletters/weekly/1/index.html"]
        == pages["public/newsletters/weekly/1/index.html"]
    )
    with open_store(letter_site.config.store_url, letter_site.folder) as store:
        assert [(i.number, i.subject) for i in store.issues.load_issues()] == [
            (1, "first"),
            (2, "second"),
            (3, "third"),
        ]


@pytest.mark.usefixtures("databases")
def test_a_site_from_another_tool_begins_with_what_comes_next(letter_site, feeds):
    """After adopting another program's site, old posts are announced, no issue is shown, and our first is number 1."""
    done = feeds("store", "adopt", "--now", "2026-11-23T12:00Z")
    assert (done.returncode, done.stdout) == (0, "weekly: 1 post marked as announced\n")
    assert letter_site.publish().issues == []
    assert feeds("issues").stdout == "weekly: no posts wait for Monday 30 November 08:00 UTC\n"
    assert not (letter_site.folder / "public/newsletters").exists()
    letter_site.post("second", date="2026-11-25")
    assert [(i.number, i.posts) for i in letter_site.publish(NOW + WEEK).issues] == [(1, 1)]


def test_a_site_without_newsletters_has_told_nothing(site):
    """Adopting a site without newsletters is an error."""
    with pytest.raises(FeedsError, match="has no \\[\\[newsletters\\]\\]"):
        adopt(site)


def test_a_backup_is_the_store_at_one_moment(letter_site, feeds):
    """A backup is a private copy of store and keys, and overwrites nothing."""
    with pytest.raises(StoreError, match="there is no store to copy yet"):
        backup.backup_store(letter_site.config, letter_site.folder / "b.db")
    letter_site.publish()
    (letter_site.folder / ".feeds/feeds.key").write_text("keys", "ascii")
    done = feeds("store", "backup", "b.db")
    assert (done.returncode, done.stdout) == (0, "wrote b.db\nwrote b.db.key\n")
    for name in ("b.db", "b.db.key"):
        assert stat.S_IMODE((letter_site.folder / name).stat().st_mode) == 0o600
    with sqlite3.connect(letter_site.folder / "b.db") as db:
        assert db.execute("SELECT count(*) FROM deliveries").fetchone() == (1,)
    db.close()
    again = feeds("store", "backup", "b.db")
    assert (again.returncode, "b.db: exists already" in again.stderr) == (1, True)
    assert "the tables are at version" in feeds("store", "upgrade").stdout


def test_a_backup_can_be_put_back(letter_site, feeds):
    """A backup that is as new as the last issue can be copied over the store, and no issue is repeated."""
    letter_site.configure(CONFIG + NEWSLETTER)
    letter_site.publish()
    feeds("store", "backup", "b.db")
    (letter_site.folder / "b.db").replace(letter_site.folder / ".feeds/feeds.db")
    assert letter_site.publish().issues == []
