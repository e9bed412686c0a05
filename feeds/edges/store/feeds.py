"""Feeds in the store: folders, archive pages, retired paths, pending WebSub pings."""

import json
from collections.abc import Iterable
from datetime import datetime

from feeds.edges.store.interface import Database, decode_time, decode_time_if_any
from feeds.model import ArchivePage, KnownFeed, Ping

Values = dict[str, object]


class Feeds:
    """The feeds in an open store. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def load_feeds(self) -> tuple[KnownFeed, ...]:
        """Return every feed that was ever published, in the order of their folders."""
        return tuple(
            KnownFeed(
                kind=kind,
                key=key,
                id=feed_id,
                folder=folder,
                label=label,
                updated=decode_time_if_any(updated),
                former=tuple(json.loads(former)),
            )
            for kind, key, feed_id, folder, label, updated, former in self._db.all("feeds.load")
        )

    def mark_undeployed(self, now: datetime) -> bool:
        """Record that files may have changed since the last deployment; return whether that was recorded before."""
        with self._db.transaction():
            was_marked = self.is_undeployed()
            if not was_marked:
                self._db.execute("feeds.mark_undeployed", since=now)
        return was_marked

    def is_undeployed(self) -> bool:
        """Return whether files may have changed since the last deployment."""
        return self._db.one("feeds.is_undeployed") is not None

    def mark_deployed(self) -> None:
        """Record that everything is deployed."""
        with self._db.transaction():
            self._db.execute("feeds.mark_deployed")

    def load_archive_pages(self) -> tuple[ArchivePage, ...]:
        """Return every archive page, a feed's oldest first."""
        return tuple(
            ArchivePage(kind=kind, key=key, number=number, size=size, entries=tuple(json.loads(entries)))
            for kind, key, number, size, entries in self._db.all("feeds.load_archive_pages")
        )

    def save_feeds(self, feeds: Iterable[KnownFeed], pages: Iterable[ArchivePage]) -> None:
        """Store new and changed feeds and pages together: a page belongs to a feed."""
        rows = [_to_values(feed) for feed in feeds]
        page_rows = [_page_to_values(page) for page in pages]
        if not rows and not page_rows:
            return
        with self._db.transaction():
            # Two categories may have swapped their slugs: both folders must be free before either is taken.
            self._db.execute_many("feeds.delete", rows)
            self._db.execute_many("feeds.add", rows)
            self._db.execute_many("feeds.save_archive_page", page_rows)

    def load_retired(self) -> frozenset[str]:
        """Return the retired folders, with a slash at the end, and documents."""
        return frozenset(row[0] for row in self._db.all("feeds.load_retired"))

    def retire(self, paths: Iterable[str], now: datetime) -> None:
        """Record that feeds or single documents are retired, and delete their pending pings."""
        rows = [{"path": path, "at": now} for path in paths]
        with self._db.transaction():
            self._db.execute_many("feeds.retire", rows)
            self._db.execute_many("feeds.delete_pings_below", rows)

    def unretire(self, paths: Iterable[str]) -> bool:
        """Delete retired paths; return whether there were any."""
        with self._db.transaction():
            return self._db.execute_many("feeds.unretire", ({"path": path} for path in paths)) > 0

    # Pings ------------------------------------------------------------------------------------------------------

    def load_pings(self) -> tuple[Ping, ...]:
        """Return the pending pings, the oldest first."""
        return tuple(
            Ping(path=path, since=decode_time(since), tries=tries, next_at=decode_time(next_at))
            for path, since, tries, next_at in self._db.all("feeds.load_pings")
        )

    def expect_pings(self, paths: Iterable[str], now: datetime) -> frozenset[str]:
        """Add pending pings for documents that may change; return the paths that had one already."""
        rows = [{"path": path, "now": now} for path in paths]
        if not rows:
            return frozenset()
        waiting = frozenset(ping.path for ping in self.load_pings())
        with self._db.transaction():
            self._db.execute_many("feeds.expect_ping", rows)
        return waiting & {row["path"] for row in rows}

    def reset_pings(self, paths: Iterable[str], now: datetime) -> None:
        """Restart the pending pings of documents that have changed again: no tries, due now."""
        rows = [{"path": path, "now": now} for path in paths]
        if rows:
            with self._db.transaction():
                self._db.execute_many("feeds.reset_ping", rows)

    def clear_pings(self, paths: Iterable[str]) -> None:
        """Delete pending pings, because the hub was notified or the documents have not changed."""
        rows: list[Values] = [{"path": path} for path in paths]
        if rows:
            with self._db.transaction():
                self._db.execute_many("feeds.clear_ping", rows)

    def postpone_pings(self, pings: Iterable[Ping]) -> None:
        """Store when to try pings again."""
        rows = [{"path": p.path, "since": p.since, "tries": p.tries, "next_at": p.next_at} for p in pings]
        if rows:
            with self._db.transaction():
                self._db.execute_many("feeds.save_ping", rows)


def _to_values(feed: KnownFeed) -> Values:
    return {
        "kind": feed.kind,
        "key": feed.key,
        "id": feed.id,
        "folder": feed.folder,
        "label": feed.label,
        "updated": feed.updated,
        "former": json.dumps(feed.former, ensure_ascii=False),
    }


def _page_to_values(page: ArchivePage) -> Values:
    entries = json.dumps(page.entries, ensure_ascii=False)
    return {"kind": page.kind, "key": page.key, "number": page.number, "size": page.size, "entries": entries}
