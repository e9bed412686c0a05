"""Entries in the memory: every one that was ever public, and what it was before.

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
    """The part of an open store that knows entries."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._had: dict[str, KnownEntry] | None = None

    def schema_version(self) -> str | None:
        """Return the last migration that was applied; None for a store without tables."""
        named = self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        if named is None:
            return None
        row = self._db.execute("SELECT version_num FROM alembic_version").fetchone()
        return None if row is None else str(row[0])

    def create_tables(self, tables: str, version: str) -> None:
        """Make the tables of a new store, unless another process has just done so."""
        with transaction(self._db):
            if self.schema_version() is None:
                for statement in tables.split(";\n"):
                    self._db.execute(statement)
                self._db.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
                self._db.execute("INSERT INTO alembic_version VALUES (?)", (version,))

    def load_entries(self) -> tuple[KnownEntry, ...]:
        """Return every entry that was ever public, in the order in which they were."""
        found = tuple(_known(row) for row in self._db.execute(_SELECT + " ORDER BY rowid"))
        self._had = {k.id: k for k in found}
        return found

    def save_entries(self, found: Iterable[Entry], now: datetime) -> None:
        """Keep what is public now: new entries, and where known ones lie and what they say today.

        Call it under the site's lock: what `known` has returned is taken for what there is.
        """
        if self._had is None:
            self.load_entries()
        had = self._had or {}
        new, changed = [], []
        for entry in found:
            before = had.get(entry.id)
            if before is None:
                new.append(_row(entry))
            elif not _is_the_same(before, entry.post):
                changed.append((before, _row(entry)))
        if new or changed:
            at = encode_time(now)
            past = ((b.id, at, b.path, b.text_digest, b.title) for b, row in changed if _looks(b) != row[1:4])
            with transaction(self._db):
                self._db.executemany(_INSERT, ((*row, at) for row in new))
                self._db.executemany(_HISTORY, past)
                self._db.executemany(_UPDATE, ((*row[1:], row[0]) for _, row in changed))
        self._had = None

    def history(self, identity: str) -> tuple[EntryVersion, ...]:
        """Return what an entry was, oldest first, what it is last; empty for an id that was never given."""
        now = self._db.execute(
            "SELECT path, text_digest, title, first_public_at FROM entries WHERE id = ?", (identity,)
        ).fetchone()
        if now is None:
            return ()
        rows = self._db.execute(
            "SELECT until, path, text_digest, title FROM entry_history WHERE entry_id = ? ORDER BY id", (identity,)
        ).fetchall()
        since = [decode_time(now[3]), *(decode_time(row[0]) for row in rows)]
        states = [(row[1], row[2], row[3]) for row in rows] + [now[:3]]
        return tuple(
            EntryVersion(since=at, path=path, text_digest=digest, title=title)
            for at, (path, digest, title) in zip(since, states, strict=True)
        )

    def ids_at(self, path: str) -> tuple[str, ...]:
        """Return the ids of the entries that lie or once lay in a file, the present one first."""
        rows = self._db.execute(
            "SELECT id, 1 FROM entries WHERE path = ? UNION SELECT entry_id, 0 FROM entry_history WHERE path = ?"
            " ORDER BY 2 DESC, 1",
            (path, path),
        )
        return tuple(dict.fromkeys(row[0] for row in rows))

    def add_known(self, found: Iterable[KnownEntry], now: datetime) -> int:
        """Keep entries that another store knows; return how many were new. What is known here stays as it is.

        Raises:
            StoreError: one of them is of no use.
        """
        rows = [
            (k.id, k.path, k.text_digest, k.title, k.published and k.published.isoformat(), k.sketch) for k in found
        ]
        if any(not row[0] or not row[1] for row in rows):
            raise StoreError("an entry without id or path cannot be kept")
        with transaction(self._db):
            had = {row[0] for row in self._db.execute("SELECT id FROM entries")}
            new = [row for row in rows if row[0] not in had]
            self._db.executemany(_INSERT, ((*row, encode_time(now)) for row in new))
        return len(new)


def _is_the_same(known: KnownEntry, post: Post) -> bool:
    return (
        known.text_digest == post.text_digest
        and known.path == post.path
        and known.title == post.title
        and known.sketch == post.sketch
        and known.published == post.published
    )


def _looks(known: KnownEntry) -> tuple[Any, ...]:
    """Return what history tells of."""
    return (known.path, known.text_digest, known.title)


def _row(entry: Entry) -> tuple[Any, ...]:
    post = entry.post
    return (entry.id, post.path, post.text_digest, post.title, post.published.isoformat(), post.sketch)


def _known(row: tuple[Any, ...]) -> KnownEntry:
    identity, path, digest, title, published, sketch = row
    at = datetime.fromisoformat(published) if published else None
    return KnownEntry(id=identity, path=path, text_digest=digest, title=title, published=at, sketch=sketch)
