"""Entries in the store: every one that was ever public, and its earlier versions.

Each method is one transaction.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from feeds.edges.store.codec import decode_time, encode_time
from feeds.edges.store.sqlite import transaction
from feeds.errors import StoreError
from feeds.model import AdoptedDate, Entry, EntryVersion, KnownEntry, Post

_SELECT = "SELECT id, path, text_digest, title, published, sketch, own_updated, shown_updated, replaced_by FROM entries"
_INSERT = (
    "INSERT INTO entries (id, path, text_digest, title, published, sketch, first_public_at) VALUES (?,?,?,?,?,?,?)"
)
_INSERT_KNOWN = """
    INSERT INTO entries (id, path, text_digest, title, published, sketch, own_updated, shown_updated, first_public_at)
    VALUES (?,?,?,?,?,?,?,?,?)
"""
#: An id that was replaced by this one is replaced by the new one as well.
_REPLACE = "UPDATE entries SET replaced_by = :new WHERE (id = :old OR replaced_by = :old) AND id != :new"
_USE_AGAIN = "UPDATE entries SET replaced_by = NULL WHERE id = :new"
_SET_REPLACED = "UPDATE entries SET replaced_by = ? WHERE id = ?"
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

    def save_entries(self, entries: Iterable[Entry], now: datetime, replaced: Mapping[str, str] | None = None) -> None:
        """Store new entries, the path and text of known ones that have changed, and which ids were *replaced*.

        *replaced* has the former id by the new one. Call it under the site's lock: the result of `load_entries` is
        assumed to be current.
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
        if new or changed or replaced:
            at = encode_time(now)
            past = [(old.id, at, *_history_values(old)) for old, row in changed if _history_values(old) != row[1:4]]
            with transaction(self._db):
                self._db.executemany(_INSERT, ((*row, at) for row in new))
                self._db.executemany(_HISTORY, past)
                self._db.executemany(_UPDATE, ((*row[1:], row[0]) for _, row in changed))
                self._replace((replaced or {}).items())
        self._known = None

    def replace_ids(self, replaced: Mapping[str, str]) -> None:
        """Store that ids were replaced: the former id by the new one. Both are ids of stored entries."""
        with transaction(self._db):
            self._replace(replaced.items())

    def _replace(self, pairs: Iterable[tuple[str, str]]) -> None:
        for new, old in pairs:
            self._db.execute(_REPLACE, {"new": new, "old": old})
            self._db.execute(_USE_AGAIN, {"new": new})

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

        Only the id that replaces theirs is stored as well. Of several with one id, the last counts.

        Raises:
            StoreError: an entry has no id or path.
        """
        given = {entry.id: entry for entry in entries}
        if any(not entry.id or not entry.path for entry in given.values()):
            raise StoreError("an entry without id or path cannot be stored")
        with transaction(self._db):
            known = {row[0] for row in self._db.execute("SELECT id FROM entries")}
            new = [_known_to_row(entry) for entry in given.values() if entry.id not in known]
            self._db.executemany(_INSERT_KNOWN, ((*row, encode_time(now)) for row in new))
            replaced = [(entry.replaced_by, entry.id) for entry in given.values() if entry.replaced_by]
            self._db.executemany(_SET_REPLACED, replaced)
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


def _known_to_row(entry: KnownEntry) -> tuple[Any, ...]:
    published = entry.published and entry.published.isoformat()
    adopted = entry.adopted
    dates = (adopted.own.isoformat(), adopted.shown.isoformat()) if adopted else (None, None)
    return (entry.id, entry.path, entry.text_digest, entry.title, published, entry.sketch, *dates)


def _to_known(row: tuple[Any, ...]) -> KnownEntry:
    entry_id, path, digest, title, published, sketch, own, shown, replaced_by = row
    return KnownEntry(
        id=entry_id,
        path=path,
        text_digest=digest,
        title=title,
        published=datetime.fromisoformat(published) if published else None,
        sketch=sketch,
        adopted=AdoptedDate(own=datetime.fromisoformat(own), shown=datetime.fromisoformat(shown)) if own else None,
        replaced_by=replaced_by,
    )
