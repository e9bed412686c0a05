"""Entries in the store: every one that was ever public, and its earlier versions.

Each method is one transaction.
"""

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from feeds.edges.store.codec import decode_time, encode_time
from feeds.edges.store.sqlite import transaction
from feeds.errors import StoreError
from feeds.model import Entry, EntryVersion, KnownEntry, Post

_SELECT = "SELECT id, path, text_digest, title, published, sketch FROM entries"
_INSERT = (
    "INSERT INTO entries (id, path, text_digest, title, published, sketch, first_public_at) VALUES (?,?,?,?,?,?,?)"
)
_UPDATE = "UPDATE entries SET path = ?, text_digest = ?, title = ?, published = ?, sketch = ? WHERE id = ?"
_HISTORY = "INSERT INTO entry_history (entry_id, until, path, text_digest, title) VALUES (?, ?, ?, ?, ?)"


class Entries:
    """The entries in an open store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._known: dict[str, KnownEntry] | None = None

    def schema_version(self) -> str | None:
        """Return the last migration that was applied; None for a store without tables."""
        table = self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        if table is None:
            return None
        row = self._db.execute("SELECT version_num FROM alembic_version").fetchone()
        return None if row is None else str(row[0])

    def create_tables(self, tables: str, version: str) -> None:
        """Create the tables of a new store, unless another process has just done so."""
        with transaction(self._db):
            if self.schema_version() is None:
                for statement in tables.split(";\n"):
                    self._db.execute(statement)
                self._db.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
                self._db.execute("INSERT INTO alembic_version VALUES (?)", (version,))

    def load_entries(self) -> tuple[KnownEntry, ...]:
        """Return every entry that was ever public, in the order in which they were published."""
        entries = tuple(_to_known(row) for row in self._db.execute(_SELECT + " ORDER BY rowid"))
        self._known = {entry.id: entry for entry in entries}
        return entries

    def save_entries(self, entries: Iterable[Entry], now: datetime) -> None:
        """Store new entries, and the path and text of known ones that have changed.

        Call it under the site's lock: the result of `load_entries` is assumed to be current.
        """
        if self._known is None:
            self.load_entries()
        known = self._known or {}
        new, changed = [], []
        for entry in entries:
            old = known.get(entry.id)
            if old is None:
                new.append(_to_row(entry))
            elif not _is_unchanged(old, entry.post):
                changed.append((old, _to_row(entry)))
        if new or changed:
            at = encode_time(now)
            past = [(old.id, at, *_history_values(old)) for old, row in changed if _history_values(old) != row[1:4]]
            with transaction(self._db):
                self._db.executemany(_INSERT, ((*row, at) for row in new))
                self._db.executemany(_HISTORY, past)
                self._db.executemany(_UPDATE, ((*row[1:], row[0]) for _, row in changed))
        self._known = None

    def history(self, entry_id: str) -> tuple[EntryVersion, ...]:
        """Return the versions of an entry, oldest first; empty for an unknown id."""
        present = self._db.execute(
            "SELECT path, text_digest, title, first_public_at FROM entries WHERE id = ?", (entry_id,)
        ).fetchone()
        if present is None:
            return ()
        rows = self._db.execute(
            "SELECT until, path, text_digest, title FROM entry_history WHERE entry_id = ? ORDER BY id", (entry_id,)
        ).fetchall()
        since = [decode_time(present[3]), *(decode_time(row[0]) for row in rows)]
        versions = [(row[1], row[2], row[3]) for row in rows] + [present[:3]]
        return tuple(
            EntryVersion(since=at, path=path, text_digest=digest, title=title)
            for at, (path, digest, title) in zip(since, versions, strict=True)
        )

    def ids_at(self, path: str) -> tuple[str, ...]:
        """Return the ids of the entries that are, or once were, in a file, the present one first."""
        rows = self._db.execute(
            "SELECT id, 1 FROM entries WHERE path = ? UNION SELECT entry_id, 0 FROM entry_history WHERE path = ?"
            " ORDER BY 2 DESC, 1",
            (path, path),
        )
        return tuple(dict.fromkeys(row[0] for row in rows))

    def add_known(self, entries: Iterable[KnownEntry], now: datetime) -> int:
        """Store entries of another store; return how many were new. Entries that are known stay as they are.

        Raises:
            StoreError: an entry has no id or path.
        """
        rows = [
            (e.id, e.path, e.text_digest, e.title, e.published and e.published.isoformat(), e.sketch) for e in entries
        ]
        if any(not row[0] or not row[1] for row in rows):
            raise StoreError("an entry without id or path cannot be stored")
        with transaction(self._db):
            known = {row[0] for row in self._db.execute("SELECT id FROM entries")}
            new = [row for row in rows if row[0] not in known]
            self._db.executemany(_INSERT, ((*row, encode_time(now)) for row in new))
        return len(new)


def _is_unchanged(known: KnownEntry, post: Post) -> bool:
    return (
        known.text_digest == post.text_digest
        and known.path == post.path
        and known.title == post.title
        and known.sketch == post.sketch
        and known.published == post.published
    )


def _history_values(known: KnownEntry) -> tuple[Any, ...]:
    """Return the values that make a new version when they change."""
    return (known.path, known.text_digest, known.title)


def _to_row(entry: Entry) -> tuple[Any, ...]:
    post = entry.post
    return (entry.id, post.path, post.text_digest, post.title, post.published.isoformat(), post.sketch)


def _to_known(row: tuple[Any, ...]) -> KnownEntry:
    entry_id, path, digest, title, published, sketch = row
    at = datetime.fromisoformat(published) if published else None
    return KnownEntry(id=entry_id, path=path, text_digest=digest, title=title, published=at, sketch=sketch)
