"""Opening the memory: the file, its rights, its tables brought up to date."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from feeds.edges.store.alerts import Alerts
from feeds.edges.store.bounces import Bounces
from feeds.edges.store.deliveries import Deliveries
from feeds.edges.store.entries import Entries
from feeds.edges.store.feeds import Feeds
from feeds.edges.store.journal import Journal
from feeds.edges.store.subscriber_import import SubscriberImport
from feeds.edges.store.subscribers import Subscribers
from feeds.edges.store.suppressions import Suppressions
from feeds.errors import StoreError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from feeds.edges.store.issues import Issues
    from feeds.edges.store.replay import JournalReplay

_HERE = Path(__file__).parent
_MIGRATIONS = _HERE / "migrations"
#: https://www.sqlite.org/fileformat.html, section 1.3.1.
_MAGIC = b"SQLite format 3\0"
#: The last migration; a test holds that it is.
SCHEMA_VERSION = "0006"


class Store:
    """An open store. Entries and feeds are asked for in every pass; what only newsletters need is loaded late."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.entries = Entries(connection)
        self.deliveries = Deliveries(connection)
        self.feeds = Feeds(connection)
        self.subscribers = Subscribers(connection)
        self.subscriber_import = SubscriberImport(connection)
        self.suppressions = Suppressions(connection)
        self.bounces = Bounces(connection)
        self.alerts = Alerts(connection)
        self.journal = Journal(connection)

    @cached_property
    def issues(self) -> "Issues":
        """Issues and their letters."""
        from feeds.edges.store.issues import Issues  # noqa: PLC0415 - SQLAlchemy takes longer to load than a pass takes

        return Issues(self._alchemy)

    @cached_property
    def replay(self) -> "JournalReplay":
        """What a journal says, done again."""
        from feeds.edges.store.replay import JournalReplay  # noqa: PLC0415 - only where a backup is brought back

        return JournalReplay(self._connection)

    @cached_property
    def _alchemy(self) -> "sa.Connection":
        return self.engine.connect()

    @cached_property
    def engine(self) -> "sa.Engine":
        """SQLAlchemy, on this very connection."""
        import sqlalchemy as sa  # noqa: PLC0415 - as above

        engine = sa.create_engine("sqlite://", creator=lambda: self._connection, poolclass=sa.StaticPool)
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        return engine

    @property
    def has_issues(self) -> bool:
        """Whether anything was ever composed."""
        return self._connection.execute("SELECT 1 FROM issues LIMIT 1").fetchone() is not None

    def copy(self, file: Path) -> None:
        """Copy everything, as it is at one moment, to a file."""
        with closing(sqlite3.connect(file)) as other:
            self._connection.backup(other)

    def close(self) -> None:
        """Let the database go."""
        if "engine" in self.__dict__:
            self.engine.dispose()
        self._connection.close()


@contextmanager
def open_store(url: str, folder: Path, *, create: bool = True) -> Iterator[Store]:
    """Hold the store open; a relative SQLite path starts at *folder*.

    Without *create*, a store that does not exist yet is an empty one that leaves no trace.

    Raises:
        StoreError: it cannot be opened, is damaged, or belongs to a newer version of this program.
    """
    file = store_path(url, folder)
    exists = file.is_file() and file.stat().st_size > 0
    if exists and not _is_database(file):
        raise StoreError(f"{file}: the store cannot be used: file is not a database")
    try:
        if exists or create:
            _make_private(file)
        store = Store(_connected(str(file) if exists or create else ":memory:"))
        try:
            _upgrade(store, file)
            yield store
        finally:
            store.close()
    except Exception as e:
        if not _is_the_databases(e):
            raise
        reason = str(getattr(e, "orig", None) or e)
        raise StoreError(f"{file}: the store cannot be used: {reason}") from e


def copy_store(url: str, folder: Path, to: Path, keys: Path) -> list[Path]:
    """Copy a store to a file that is new, and the file of *keys* beside it if there is one; return what was written.

    Raises:
        StoreError: there is no store, *to* is there already or cannot be written.
    """
    beside = to.with_name(f"{to.name}.key")
    source = store_path(url, folder)
    if not source.is_file():
        raise StoreError(f"{source}: there is no store to copy yet")
    for file in (to, beside):
        if file.exists():
            raise StoreError(f"{file}: is there already; name another file")
    _make_private(to)
    with open_store(url, folder) as store:
        store.copy(to)
    if not keys.is_file():
        return [to]
    _make_private(beside)
    beside.write_bytes(keys.read_bytes())
    return [to, beside]


def store_path(url: str, folder: Path) -> Path:
    """Return the file of a SQLite store."""
    return folder / url.removeprefix("sqlite:///")


def _is_the_databases(error: Exception) -> bool:
    """Return whether an error is SQLite's or SQLAlchemy's, without loading the latter to ask."""
    return isinstance(error, sqlite3.Error) or type(error).__module__.startswith("sqlalchemy.")


def _is_database(file: Path) -> bool:
    """Return whether a file begins as SQLite's do: what lies beside another one it would take for its own, and remove.

    One that cannot be read is left to SQLite to complain of.
    """
    try:
        with file.open("rb") as opened:
            return opened.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return True


def _make_private(file: Path) -> None:
    """Create the file so that only its owner can read the addresses in it."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as e:
        raise StoreError(f"{file}: the store cannot be opened: {e.strerror or e}") from e


def _connected(file: str) -> sqlite3.Connection:
    """Return a connection: keys are checked, a lock is waited for, and transactions begin where we say."""
    raw = sqlite3.connect(file, isolation_level=None)
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute("PRAGMA busy_timeout = 10000")
    raw.execute("PRAGMA synchronous = FULL")
    return raw


def _upgrade(store: Store, file: Path) -> None:
    """Bring the tables to `HEAD`. Alembic is loaded only when there is something to do."""
    found = store.entries.schema_version()
    if found == SCHEMA_VERSION:
        return
    if found is None:
        store.entries.create_tables((_HERE / "fresh.sql").read_text("utf-8"), SCHEMA_VERSION)
        return
    if found > SCHEMA_VERSION:
        raise StoreError(f"{file}: the store was written by a newer version (its tables are at {found}); upgrade feeds")
    migrate(store)


def migrate(store: Store) -> None:
    """Apply the migrations that are missing, in one transaction."""
    from alembic import command  # noqa: PLC0415 - slow to load, seldom needed
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with store.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
