"""Feeds in the store: folders, archive pages, retired paths, pending WebSub pings."""

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime

from feeds.edges.store.old_codec import decode_time, encode_time
from feeds.edges.store.old_sqlite import transaction
from feeds.model import ArchivePage, KnownFeed, Ping

_FEED = "INSERT OR REPLACE INTO feeds (kind, key, id, folder, label, updated, former) VALUES (?, ?, ?, ?, ?, ?, ?)"
_PAGE = "INSERT OR REPLACE INTO archive_pages (kind, key, number, size, entries) VALUES (?, ?, ?, ?, ?)"
_PING = "INSERT OR REPLACE INTO pings (path, since, tries, next_at) VALUES (?, ?, ?, ?)"
_NEW_PING = "INSERT OR IGNORE INTO pings (path, since, tries, next_at) VALUES (?, ?, ?, ?)"


class Feeds:
    """The feeds in an open store. Each method is one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def load_feeds(self) -> tuple[KnownFeed, ...]:
        """Return every feed that was ever published, in the order of their folders."""
        rows = self._db.execute(
            "SELECT kind, key, id, folder, label, updated, former FROM feeds ORDER BY folder"
        ).fetchall()
        return tuple(
            KnownFeed(
                kind=kind,
                key=key,
                id=feed_id,
                folder=folder,
                label=label,
                updated=None if updated is None else decode_time(updated),
                former=tuple(json.loads(former)),
            )
            for kind, key, feed_id, folder, label, updated, former in rows
        )

    def mark_undeployed(self, now: datetime) -> bool:
        """Record that files may have changed since the last deployment; return whether that was recorded before."""
        with transaction(self._db):
            was_marked = self._db.execute("SELECT 1 FROM undeployed").fetchone() is not None
            if not was_marked:
                self._db.execute("INSERT INTO undeployed VALUES (?)", (encode_time(now),))
        return was_marked

    def is_undeployed(self) -> bool:
        """Return whether files may have changed since the last deployment."""
        return self._db.execute("SELECT 1 FROM undeployed").fetchone() is not None

    def mark_deployed(self) -> None:
        """Record that everything is deployed."""
        with transaction(self._db):
            self._db.execute("DELETE FROM undeployed")

    def load_archive_pages(self) -> tuple[ArchivePage, ...]:
        """Return every archive page, a feed's oldest first."""
        rows = self._db.execute("SELECT kind, key, number, size, entries FROM archive_pages ORDER BY kind, key, number")
        return tuple(
            ArchivePage(kind=kind, key=key, number=number, size=size, entries=tuple(json.loads(entries)))
            for kind, key, number, size, entries in rows
        )

    def save_feeds(self, feeds: Iterable[KnownFeed], pages: Iterable[ArchivePage]) -> None:
        """Store new and changed feeds and pages together: a page belongs to a feed."""
        rows = [_to_row(feed) for feed in feeds]
        page_rows = [(p.kind, p.key, p.number, p.size, json.dumps(p.entries, ensure_ascii=False)) for p in pages]
        if not rows and not page_rows:
            return
        with transaction(self._db):
            # Two categories may have swapped their slugs: both folders must be free before either is taken.
            self._db.executemany("DELETE FROM feeds WHERE kind = ? AND key = ?", [row[:2] for row in rows])
            self._db.executemany(_FEED, rows)
            self._db.executemany(_PAGE, page_rows)

    def load_retired(self) -> frozenset[str]:
        """Return the retired folders, with a slash at the end, and documents."""
        return frozenset(row[0] for row in self._db.execute("SELECT path FROM retired"))

    def retire(self, paths: Iterable[str], now: datetime) -> None:
        """Record that feeds or single documents are retired, and delete their pending pings."""
        retired = list(paths)
        with transaction(self._db):
            self._db.executemany(
                "INSERT OR IGNORE INTO retired (path, at) VALUES (?, ?)", [(path, encode_time(now)) for path in retired]
            )
            self._db.executemany(
                "DELETE FROM pings WHERE substr(path, 1, length(?)) = ?", [(path, path) for path in retired]
            )

    def unretire(self, paths: Iterable[str]) -> bool:
        """Delete retired paths; return whether there were any."""
        with transaction(self._db):
            return self._db.executemany("DELETE FROM retired WHERE path = ?", [(path,) for path in paths]).rowcount > 0

    # Pings ------------------------------------------------------------------------------------------------------

    def load_pings(self) -> tuple[Ping, ...]:
        """Return the pending pings, the oldest first."""
        rows = self._db.execute("SELECT path, since, tries, next_at FROM pings ORDER BY since, path")
        return tuple(
            Ping(path=path, since=decode_time(since), tries=tries, next_at=decode_time(next_at))
            for path, since, tries, next_at in rows
        )

    def expect_pings(self, paths: Iterable[str], now: datetime) -> frozenset[str]:
        """Add pending pings for documents that may change; return the paths that had one already."""
        rows = [(path, encode_time(now), 0, encode_time(now)) for path in paths]
        if not rows:
            return frozenset()
        waiting = {ping.path for ping in self.load_pings()}
        with transaction(self._db):
            self._db.executemany(_NEW_PING, rows)
        return frozenset(row[0] for row in rows if row[0] in waiting)

    def reset_pings(self, paths: Iterable[str], now: datetime) -> None:
        """Restart the pending pings of documents that have changed again: no tries, due now."""
        rows = [(encode_time(now), encode_time(now), path) for path in paths]
        if rows:
            with transaction(self._db):
                self._db.executemany("UPDATE pings SET since = ?, tries = 0, next_at = ? WHERE path = ?", rows)

    def clear_pings(self, paths: Iterable[str]) -> None:
        """Delete pending pings, because the hub was notified or the documents have not changed."""
        rows = [(path,) for path in paths]
        if rows:
            with transaction(self._db):
                self._db.executemany("DELETE FROM pings WHERE path = ?", rows)

    def postpone_pings(self, pings: Iterable[Ping]) -> None:
        """Store when to try pings again."""
        rows = [(ping.path, encode_time(ping.since), ping.tries, encode_time(ping.next_at)) for ping in pings]
        if rows:
            with transaction(self._db):
                self._db.executemany(_PING, rows)


def _to_row(feed: KnownFeed) -> tuple[str, str, str, str, str, str | None, str]:
    former = json.dumps(feed.former, ensure_ascii=False)
    updated = None if feed.updated is None else encode_time(feed.updated)
    return (feed.kind, feed.key, feed.id, feed.folder, feed.label, updated, former)
