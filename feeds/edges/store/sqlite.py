"""SQLite: the store as one file (`feeds.edges.store.interface.Database`)."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path

from feeds.edges.process.lock import lock_task
from feeds.edges.store.interface import Column, Database, Mode, Row, T, encode_time
from feeds.edges.store.statements import Dialect, Statements
from feeds.errors import LockedError

#: Milliseconds that an operation waits for another process, and that a sender waits for a long import: mail servers
#: wait as long for us (RFC 5321 section 4.5.3.2.7).
PATIENCE, SENDER_PATIENCE = 10_000, 240_000

sqlite3.register_adapter(datetime, encode_time)
sqlite3.register_adapter(list, json.dumps)


class SqliteDatabase(Database):
    """One connection to a SQLite file."""

    dialect: Dialect = "sqlite"
    keeps_journal = True
    crashes_alone = False
    begin_exclusive = ("BEGIN IMMEDIATE",)

    def __init__(self, file: Path | None) -> None:
        """Open a file, which is created if it is missing; None: a database in memory."""
        self.file = file
        self.connection = self.connect_again()
        self._statements = Statements(self.dialect)
        self._is_bulk = False

    def connect_again(self) -> sqlite3.Connection:
        """See `Database`. It begins no transaction by itself, checks foreign keys, and waits for other processes."""
        connection = sqlite3.connect(self.file or ":memory:", isolation_level=None)
        for setting in ("foreign_keys = ON", f"busy_timeout = {PATIENCE}", "synchronous = FULL"):
            connection.execute(f"PRAGMA {setting}")
        return connection

    @contextmanager
    def transaction(self, mode: Mode = "exclusive", *, synced: bool = True) -> Iterator[None]:
        """See `Database`. There is one writer at a time, whatever the mode."""
        if self._is_bulk:
            self._pragma(f"synchronous = {'FULL' if synced else 'NORMAL'}")
        self.connection.execute("BEGIN" if mode == "read" else "BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def retry(self, work: Callable[[], T]) -> T:
        """See `Database`: a file is not lost."""
        return work()

    @contextmanager
    def bulk_mode(self) -> Iterator[None]:
        """See `Database`; afterwards the store is one file again."""
        self._pragma("journal_mode = WAL")
        self._pragma(f"busy_timeout = {SENDER_PATIENCE}")
        self._is_bulk = True
        try:
            yield
        finally:
            self._is_bulk = False
            self._pragma("synchronous = FULL")
            self._pragma(f"busy_timeout = {PATIENCE}")
            with suppress(sqlite3.OperationalError):  # another process reads it; the next sender will do it
                self._pragma("journal_mode = DELETE")

    def sync(self) -> None:
        """See `Database`."""
        self._pragma("wal_checkpoint(PASSIVE)")

    def disable_fsync(self) -> None:
        """Do not sync commits to the disk; the caller syncs the file after it has closed the store."""
        self._pragma("synchronous = OFF")

    def find_damage(self) -> list[str]:
        """See `Database`: faults of the file's structure, and rows that refer to missing ones."""
        results = [row[0] for row in self.connection.execute("PRAGMA integrity_check")]
        broken = self.connection.execute("PRAGMA foreign_key_check").fetchall()
        return [str(one) for one in results if one != "ok"] + [
            f"{table}: row {number} refers to a row of {other} that is missing" for table, number, other, _ in broken
        ]

    def copy(self, file: Path) -> None:
        """Copy the store, as it is at one moment, to another file."""
        with closing(sqlite3.connect(file)) as other:
            self.connection.backup(other)

    def lock(self, task: str) -> AbstractContextManager[None]:
        """See `Database`: a file beside the store is locked."""
        return lock_task(self.file, task) if self.file else nullcontext()

    def one(self, statement: str, /, **values: object) -> Row | None:
        """See `Database`."""
        row: Row | None = self.connection.execute(self._statements[statement], values).fetchone()
        return row

    def all(self, statement: str, /, **values: object) -> list[Row]:
        """See `Database`."""
        return self.connection.execute(self._statements[statement], values).fetchall()

    def iterate(self, statement: str, /, **values: object) -> Iterator[Row]:
        """See `Database`."""
        return self.connection.execute(self._statements[statement], values)

    def execute(self, statement: str, /, **values: object) -> int:
        """See `Database`."""
        return self.connection.execute(self._statements[statement], values).rowcount

    def execute_many(self, statement: str, /, rows: Iterable[dict[str, object]]) -> int:
        """See `Database`."""
        return self.connection.executemany(self._statements[statement], rows).rowcount

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """See `Database`."""
        values = ", ".join("?" * len(columns))
        self.connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})", rows)  # noqa: S608 - names of ours

    def query(self, sql: str) -> Iterator[Row]:
        """See `Database`."""
        return self.connection.execute(sql)

    def as_in_sqlite(self, column: Column) -> str:
        """See `Database`."""
        return f'"{column.name}"'

    def continue_ids(self, tables: Iterable[str]) -> None:
        """See `Database`: SQLite does it by itself."""

    def analyze(self, tables: Sequence[str]) -> None:
        """See `Database`: SQLite plans by the indexes alone."""

    def overwrite_deleted(self) -> None:
        """See `Database`."""
        self._pragma("secure_delete = ON")

    def remove_deleted(self, tables: Sequence[str]) -> None:  # noqa: ARG002 - the file has all of them
        """See `Database`."""
        self.overwrite_deleted()  # else VACUUM fills free space with old data
        try:
            self._pragma("journal_mode = DELETE")
            self.connection.execute("VACUUM")
        except sqlite3.OperationalError as e:
            if e.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            raise LockedError(
                "another process is reading the store, so erased data is still in its file; try again"
            ) from e

    def close(self) -> None:
        """See `Database`."""
        self.connection.close()

    def _pragma(self, setting: str) -> None:
        self.connection.execute(f"PRAGMA {setting}")
