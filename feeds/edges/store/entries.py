"""Entries in the store: every one that was ever public, and its earlier versions.

Each method is one transaction.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from feeds.edges.store.interface import Database, decode_time
from feeds.edges.store.journal_records import record_ids
from feeds.errors import StoreError
from feeds.model import AdoptedDate, Entry, EntryVersion, KnownEntry, Post

Values = dict[str, Any]
#: The values that make a new version when they change.
_VERSION = ("path", "text_digest", "title")
_NOT_ADOPTED = {"own_updated": None, "shown_updated": None}


class Entries:
    """The entries in an open store."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._known: dict[str, KnownEntry] | None = None

    def load_entries(self) -> tuple[KnownEntry, ...]:
        """Return every entry that was ever public, in the order in which they were published."""
        entries = tuple(_to_known(row) for row in self._db.all("entries.load"))
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
                new.append(_to_values(entry))
            elif not _is_unchanged(old, entry.post):
                changed.append((old, _to_values(entry)))
        if new or changed or replaced:
            with self._db.transaction():
                self._add(new, now)
                self._add_versions(changed, now)
                self._db.execute_many("entries.change", (values for _, values in changed))
                self._replace((replaced or {}).items())
        self._known = None

    def _add(self, new: Iterable[Values], now: datetime) -> None:
        """Store new entries, in their order."""
        first = self._db.value("entries.last_number") + 1
        rows = [{**_NOT_ADOPTED, **values, "at": now, "number": number} for number, values in enumerate(new, first)]
        self._db.execute_many("entries.add", rows)
        record_ids(self._db, ((row["id"], now) for row in rows))

    def _add_versions(self, changed: Iterable[tuple[KnownEntry, Values]], now: datetime) -> None:
        """Store the versions that changed entries had, where readers see a difference."""
        versions = (old for old, values in changed if any(getattr(old, name) != values[name] for name in _VERSION))
        rows = ({"id": old.id, "until": now, **{name: getattr(old, name) for name in _VERSION}} for old in versions)
        self._db.execute_many("entries.add_version", rows)

    def replace_ids(self, replaced: Mapping[str, str]) -> None:
        """Store that ids were replaced: the former id by the new one. Both are ids of stored entries."""
        with self._db.transaction():
            self._replace(replaced.items())

    def _replace(self, pairs: Iterable[tuple[str, str]]) -> None:
        for new, old in pairs:
            record_ids(self._db, self._db.all("entries.replace_id", new=new, old=old))
            record_ids(self._db, self._db.all("entries.use_again", new=new))

    def history(self, entry_id: str) -> tuple[EntryVersion, ...]:
        """Return the versions of an entry, oldest first; empty for an unknown id."""
        present = self._db.one("entries.current_version", id=entry_id)
        if present is None:
            return ()
        rows = self._db.all("entries.versions", id=entry_id)
        since = [decode_time(present[3]), *(decode_time(row[0]) for row in rows)]
        versions = [(row[1], row[2], row[3]) for row in rows] + [present[:3]]
        return tuple(
            EntryVersion(since=at, path=path, text_digest=digest, title=title)
            for at, (path, digest, title) in zip(since, versions, strict=True)
        )

    def ids_at(self, path: str) -> tuple[str, ...]:
        """Return the ids of the entries that are, or once were, in a file, the present one first."""
        return tuple(dict.fromkeys(row[0] for row in self._db.all("entries.ids_at", path=path)))

    def add_known(self, entries: Iterable[KnownEntry], now: datetime) -> int:
        """Store entries of another store; return how many were new. Entries that are known stay as they are.

        Only the id that replaces theirs is stored as well. Of several with one id, the last counts.

        Raises:
            StoreError: an entry has no id or path.
        """
        given = {entry.id: entry for entry in entries}
        if any(not entry.id or not entry.path for entry in given.values()):
            raise StoreError("an entry without id or path cannot be stored")
        with self._db.transaction():
            known = {row[0] for row in self._db.all("entries.ids")}
            new = [_known_to_values(entry) for entry in given.values() if entry.id not in known]
            self._add(new, now)
            for entry in given.values():
                if entry.replaced_by:
                    record_ids(self._db, self._db.all("entries.set_replaced", id=entry.id, new=entry.replaced_by))
        return len(new)


def _is_unchanged(known: KnownEntry, post: Post) -> bool:
    return (
        known.text_digest == post.text_digest
        and known.path == post.path
        and known.title == post.title
        and known.sketch == post.sketch
        and known.published == post.published
    )


def _to_values(entry: Entry) -> Values:
    post = entry.post
    return {
        "id": entry.id,
        "path": post.path,
        "text_digest": post.text_digest,
        "title": post.title,
        "published": post.published.isoformat(),
        "sketch": post.sketch,
    }


def _known_to_values(entry: KnownEntry) -> Values:
    adopted = entry.adopted
    return {
        "id": entry.id,
        "path": entry.path,
        "text_digest": entry.text_digest,
        "title": entry.title,
        "published": entry.published and entry.published.isoformat(),
        "sketch": entry.sketch,
        "own_updated": adopted and adopted.own.isoformat(),
        "shown_updated": adopted and adopted.shown.isoformat(),
    }


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
