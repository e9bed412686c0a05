"""Open the store: its file and permissions, its tables at the current version."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from feeds.edges.files.private_folder import create_private_folder
from feeds.edges.store.alerts import Alerts
from feeds.edges.store.bounces import Bounces
from feeds.edges.store.delays import Delays
from feeds.edges.store.deliveries import Deliveries
from feeds.edges.store.entries import Entries
from feeds.edges.store.feeds import Feeds
from feeds.edges.store.interface import Database
from feeds.edges.store.journal import Journal
from feeds.edges.store.postgresql import connect, is_postgresql
from feeds.edges.store.postgresql_backup import dump_command
from feeds.edges.store.postgresql_errors import hide_password, translated_errors
from feeds.edges.store.preferences import Preferences
from feeds.edges.store.schema import check_writable, prepare_tables, read_version, refuse_foreign
from feeds.edges.store.service_mails import ServiceMails
from feeds.edges.store.signups import Signups
from feeds.edges.store.sites import check_site, save_site
from feeds.edges.store.sqlite import PATIENCE, SqliteDatabase
from feeds.edges.store.subscriber_import import SubscriberImport
from feeds.edges.store.subscribers import Subscribers
from feeds.edges.store.suppressions import Suppressions
from feeds.errors import LockedError, StoreError
from feeds.settings import SiteSettings

if TYPE_CHECKING:
    from feeds.edges.store.issues import Issues
    from feeds.edges.store.replay import JournalReplay

#: https://www.sqlite.org/fileformat.html, section 1.3.1.
_MAGIC = b"SQLite format 3\0"
#: The extended codes of SQLITE_BUSY and SQLITE_LOCKED that one process gives another.
_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_RECOVERY, sqlite3.SQLITE_BUSY_SNAPSHOT})
_LOCKED_MESSAGE = f"{{}}: another process has kept the database locked for {PATIENCE // 1000} seconds"


class Store:
    """An open store. What only newsletters need is imported on first use."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.entries = Entries(database)
        self.deliveries = Deliveries(database)
        self.feeds = Feeds(database)
        self.subscribers = Subscribers(database)
        self.subscriber_import = SubscriberImport(database)
        self.suppressions = Suppressions(database)
        self.bounces = Bounces(database)
        self.alerts = Alerts(database)
        self.delays = Delays(database)
        self.preferences = Preferences(database)
        self.service_mails = ServiceMails(database)
        self.signups = Signups(database)
        self.journal = Journal(database)

    @cached_property
    def issues(self) -> "Issues":
        """Issues and their letters."""
        from feeds.edges.store.issues import Issues

        return Issues(self.database)

    @cached_property
    def replay(self) -> "JournalReplay":
        """Replays a journal's records."""
        from feeds.edges.store.replay import JournalReplay

        assert isinstance(self.database, SqliteDatabase)
        return JournalReplay(self.database)

    @property
    def has_issues(self) -> bool:
        """True if any issue was ever composed."""
        return self.database.one("issues.any") is not None

    def lock(self, task: str) -> AbstractContextManager[None]:
        """See `Database.lock`."""
        return self.database.lock(task)


@contextmanager
def open_store(url: str, folder: Path, *, create: bool = True, site: SiteSettings | None = None) -> Iterator[Store]:
    """Open the store for the block; a relative SQLite path is relative to *folder*.

    Without *create*, a store that does not exist is an empty one in memory. If a *site* is given, it becomes the one
    that the store is of, unless there is one.

    Raises:
        StoreError: it cannot be opened, is damaged, was written by a newer version of this program, or is another
            site's.
        LockedError: another process does not release it.
    """
    name = store_name(url, folder)
    with open_database(url, folder, create=create) as database:
        version = read_version(database) if database else None
        if database and (create or version is not None):
            is_saved = site is None or check_site(database, site, name)
            prepare_tables(database, name, version)
            if create:
                check_writable(database, name)
            if create and site and not is_saved:
                save_site(database, site, name)
            yield Store(database)
        else:
            if database:
                refuse_foreign(database, name)
            with closing(SqliteDatabase(None)) as empty:
                prepare_tables(empty, name, None)
                yield Store(empty)


@contextmanager
def open_database(url: str, folder: Path, *, create: bool = True) -> Iterator[Database | None]:
    """Open the database of a store for the block, whatever its tables; None if it does not exist, without *create*.

    Raises:
        StoreError, LockedError: as for `open_store`; errors of the database in the block become these too.
    """
    if is_postgresql(url):
        with translated_errors(url), closing(connect(url)) as database:
            yield database
        return
    file = store_path(url, folder)
    exists = file.is_file() and file.stat().st_size > 0
    if exists and not _has_sqlite_header(file):
        raise StoreError(f"{file}: the store cannot be used: file is not a database")
    with _translated_errors(file):
        if not (exists or create):
            yield None
            return
        _create_private(file)
        with closing(SqliteDatabase(file)) as opened:
            yield opened


def is_in_folder(url: str, folder: Path) -> bool:
    """Return whether a store is a file in a folder, however the path is written; so no other site has it."""
    return not is_postgresql(url) and store_path(url, folder).resolve().is_relative_to(folder.resolve())


def store_name(url: str, folder: Path) -> str:
    """Return how messages name a store: the path of its file, or its URL without the password."""
    return hide_password(url) if is_postgresql(url) else str(store_path(url, folder))


@contextmanager
def _translated_errors(file: Path) -> Iterator[None]:
    """Make the errors of SQLite and SQLAlchemy ours during the block."""
    try:
        yield
    except Exception as e:
        if not _is_database_error(e):
            raise
        cause = getattr(e, "orig", None) or e
        if getattr(cause, "sqlite_errorcode", None) in _LOCKED:
            raise LockedError(_LOCKED_MESSAGE.format(file)) from e
        reason = str(cause)
        raise StoreError(f"{file}: the store cannot be used: {reason}") from e


def check_store(file: Path, site: SiteSettings | None) -> tuple[int, int]:
    """Read from a store without creating or upgrading it; return device and inode of its file.

    Raises:
        StoreError: the store does not exist, it cannot be read, it is not one of this program, or not of the *site*.
        LockedError: another process does not release it.
    """
    try:
        found = file.stat()
    except OSError as e:
        raise StoreError(f"{file}: the store cannot be read: {e.strerror}") from e
    if found.st_size == 0 or not _has_sqlite_header(file):
        raise StoreError(f"{file}: the store cannot be used: file is not a database")
    with _translated_errors(file), closing(SqliteDatabase(file)) as database:
        if read_version(database) is None:
            raise StoreError(f"{file}: the store cannot be used: it has no tables of this program")
        if site:
            check_site(database, site, str(file))
    return found.st_dev, found.st_ino


def can_use_store(url: str, folder: Path, site: SiteSettings | None) -> bool:
    """Return whether a site can open and read a store now; a database without tables is a new store."""
    try:
        with open_store(url, folder, create=False, site=site) as store:
            store.feeds.is_undeployed()
    except (StoreError, LockedError):
        return False
    return True


def copy_store(url: str, folder: Path, to: Path, keys: Path, *, site: SiteSettings | None = None) -> list[Path]:
    """Copy a store to a new file, and the *keys* file beside it if there is one; return the new files.

    Raises:
        StoreError: the store does not exist, or is not SQLite's, or not of the *site*, or *to* exists already or cannot
            be written.
    """
    if is_postgresql(url):
        raise StoreError(
            f"{hide_password(url)}: PostgreSQL has its own backups: run `{dump_command(url, to)}`,"
            f" and copy {keys} as well"
        )
    key_copy = to.with_name(f"{to.name}.key")
    source = store_path(url, folder)
    if not source.is_file():
        raise StoreError(f"{source}: there is no store to copy yet")
    for file in (to, key_copy):
        if file.exists():
            raise StoreError(f"{file}: exists already; choose another file")
    with open_store(url, folder, site=site) as store:
        _create_private(to)
        assert isinstance(store.database, SqliteDatabase)
        store.database.copy(to)
    if not keys.is_file():
        return [to]
    _create_private(key_copy)
    key_copy.write_bytes(keys.read_bytes())
    return [to, key_copy]


def store_path(url: str, folder: Path) -> Path:
    """Return the file of a SQLite store. PostgreSQL has none."""
    return folder / url.removeprefix("sqlite:///")


def merge_wal(file: Path) -> None:
    """Write what is in a store's WAL file into the store, so that it is one file.

    Raises:
        StoreError: another process uses the store, or it is damaged.
    """
    try:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("BEGIN EXCLUSIVE")  # fails if another process has it open for writing
    except sqlite3.Error as e:
        raise StoreError(f"{file}: the store cannot be moved: {e}; stop what uses it, and try again") from e


def _is_database_error(error: Exception) -> bool:
    """Return whether an error is from SQLite or SQLAlchemy, without importing the latter."""
    return isinstance(error, sqlite3.Error) or type(error).__module__.startswith("sqlalchemy.")


def _has_sqlite_header(file: Path) -> bool:
    """Return whether a file has SQLite's magic header.

    SQLite would delete the -wal and -journal files beside any file that it opens. If the file cannot be read, return
    True: SQLite will report that.
    """
    try:
        with file.open("rb") as opened:
            return opened.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return True


def _create_private(file: Path) -> None:
    """Create a file that only its owner can read, since it will have addresses."""
    try:
        create_private_folder(file.parent)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as e:
        raise StoreError(f"{file}: the store cannot be opened: {e.strerror or e}") from e
