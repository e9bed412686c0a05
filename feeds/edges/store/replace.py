"""Replace a store by a restored one in one step; the previous store is kept beside it."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from feeds.edges.files.private_folder import create_private_folder
from feeds.edges.files.write_files import sync
from feeds.edges.store.schema import SCHEMA_VERSION, read_version
from feeds.edges.store.sqlite import SqliteDatabase
from feeds.errors import StoreError

#: Files that SQLite may have put beside a store.
_SUFFIXES = ("-wal", "-shm", "-journal")


@contextmanager
def open_replacement(backup: Path, store: Path) -> Iterator[Path]:
    """Yield a copy of a backup, in the folder of the store that it will replace; at the end, delete what is left of it.

    Raises:
        StoreError: the file is not a backup, or cannot be copied.
    """
    copy = store.with_name(f".{store.name}-unfinished")
    try:
        _copy(backup, copy)
        yield copy
    finally:
        _delete(copy)


def _copy(backup: Path, to: Path) -> None:
    try:
        create_private_folder(to.parent)
        _delete(to)  # left by a killed process
        os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        place = f"{backup.resolve().as_uri()}?mode=ro&immutable=1"  # SQLite creates no files beside it
        with closing(sqlite3.connect(place, uri=True)) as source, closing(sqlite3.connect(to)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")
        with closing(SqliteDatabase(to)) as copied:
            _check_copy(copied, backup)
    except (OSError, sqlite3.Error) as e:
        raise StoreError(f"{backup}: cannot be restored: {getattr(e, 'strerror', None) or e}") from e


def _check_copy(copied: SqliteDatabase, backup: Path) -> None:
    if damage := copied.find_damage():
        raise StoreError(f"{backup}: is damaged: {damage[0]}")
    version = read_version(copied)
    if version is None:
        raise StoreError(f"{backup}: is not a copy of a store")
    if version > SCHEMA_VERSION:
        raise StoreError(f"{backup}: was written by a newer version (its tables are at {version}); upgrade feeds")


def _delete(copy: Path) -> None:
    for suffix in ("", *_SUFFIXES):
        copy.with_name(copy.name + suffix).unlink(missing_ok=True)


def replace_store(copy: Path, store: Path, until: str) -> Path | None:
    """Replace the store by a copy that is not open; return the new path of the previous store, if there was one.

    The previous store gets a second name first, so a store exists at any moment.

    Raises:
        StoreError: the store cannot be replaced; the previous store is unchanged.
    """
    try:
        sync(copy)
        aside = _keep_aside(store, until)
        for suffix in _SUFFIXES:  # else SQLite would apply them to the new store
            with suppress(FileNotFoundError):
                beside = store.with_name(store.name + suffix)
                beside.replace(aside.with_name(aside.name + suffix))
        copy.replace(store)
        sync(store.parent)
    except OSError as e:
        raise StoreError(f"{store}: cannot be replaced by the backup: {e.strerror or e}") from e
    return aside if aside.exists() else None


def _keep_aside(store: Path, until: str) -> Path:
    """Give the previous store a second name and return that; without a store, return a free name."""
    number = 1
    while True:
        aside = store.with_name(f"{store.name}.until-{until}" + (f"-{number}" if number > 1 else ""))
        try:
            aside.hardlink_to(store)
        except FileExistsError:
            number += 1
        except FileNotFoundError:
            return aside
        else:
            return aside
