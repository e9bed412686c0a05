"""Putting another store in a store's place, in one step; what stood there is kept beside it."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from feeds.edges.files.write_files import sync
from feeds.edges.store.database import SCHEMA_VERSION
from feeds.edges.store.entries import Entries
from feeds.errors import StoreError

#: What SQLite may have laid beside a store.
_ENDINGS = ("-wal", "-shm", "-journal")


@contextmanager
def open_replacement(backup: Path, store: Path) -> Iterator[Path]:
    """Hold a copy of a backup open, beside the store that it is to replace; what is left of it at the end goes.

    Raises:
        StoreError: the backup is none, or cannot be copied.
    """
    copy = store.with_name(f".{store.name}-unfinished")
    try:
        _copy(backup, copy)
        yield copy
    finally:
        _remove(copy)


def _copy(backup: Path, to: Path) -> None:
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        _remove(to)  # of a process that was killed
        os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        place = f"{backup.resolve().as_uri()}?mode=ro&immutable=1"  # nothing is laid beside it
        with closing(sqlite3.connect(place, uri=True)) as source, closing(sqlite3.connect(to)) as target:
            _check(source, backup)
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")
    except (OSError, sqlite3.Error) as e:
        raise StoreError(f"{backup}: cannot be brought back: {getattr(e, 'strerror', None) or e}") from e


def _check(source: sqlite3.Connection, backup: Path) -> None:
    said = source.execute("PRAGMA quick_check(1)").fetchone()[0]
    if said != "ok":
        raise StoreError(f"{backup}: is damaged: {said}")
    found = Entries(source).schema_version()
    if found is None:
        raise StoreError(f"{backup}: is no copy of a store")
    if found > SCHEMA_VERSION:
        raise StoreError(f"{backup}: is of a newer version (its tables are at {found}); upgrade feeds")


def _remove(copy: Path) -> None:
    for ending in ("", *_ENDINGS):
        copy.with_name(copy.name + ending).unlink(missing_ok=True)


def replace_store(copy: Path, store: Path, when: str) -> Path | None:
    """Put a copy that nobody has open in the store's place; return where the former store lies now, if there was one.

    There is never no store: the old one has a second name before the new one takes its first.

    Raises:
        StoreError: it cannot be put there; the former store is where it was.
    """
    try:
        sync(copy)
        aside = _aside(store, when)
        for ending in _ENDINGS:  # else they would be taken for the new one's
            with suppress(FileNotFoundError):
                beside = store.with_name(store.name + ending)
                beside.replace(aside.with_name(aside.name + ending))
        copy.replace(store)
        sync(store.parent)
    except OSError as e:
        raise StoreError(f"{store}: the backup cannot be put here: {e.strerror or e}") from e
    return aside if aside.exists() else None


def _aside(store: Path, when: str) -> Path:
    """Return where the former store has its second name; a name that is free where there is none."""
    number = 1
    while True:
        aside = store.with_name(f"{store.name}.until-{when}" + (f"-{number}" if number > 1 else ""))
        try:
            aside.hardlink_to(store)
        except FileExistsError:
            number += 1
        except FileNotFoundError:
            return aside
        else:
            return aside
