"""The interface of a database for the repositories of the store, and how it keeps times.

Statements are named (`entries.load`): their SQL is in `sql/`, see `feeds.edges.store.statements`. Values are given by
the names of the statement's parameters, and rows are tuples in the order of its columns.

| Python | SQLite | PostgreSQL |
|---|---|---|
| an aware `datetime` | text: UTC, to the microsecond, without an offset | `timestamptz` |
| `bool` | 0 or 1 | `boolean` |
| `list` | JSON, for `json_each` | an array, for `= ANY` |
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from feeds.edges.store.statements import Dialect

T = TypeVar("T")
Row = tuple[Any, ...]
Mode = Literal["exclusive", "shared", "read"]


class Column(NamedTuple):
    """A column of a table."""

    name: str
    #: As declared in SQLite, such as `DATETIME`.
    type: str


class Database(Protocol):
    """One connection to a database. Each statement outside of `transaction` is a transaction of its own."""

    #: The driver's own.
    connection: Any
    dialect: Dialect
    #: Whether changes are recorded in the journal file: only a SQLite file is backed up by us.
    keeps_journal: bool
    #: Whether the database is a server, which may crash and lose what was not synced, while this process goes on.
    crashes_alone: bool
    #: Statements that begin what `transaction` does by default, for migrations, which have their own connection.
    begin_exclusive: Sequence[str]

    def transaction(self, mode: Mode = "exclusive", *, synced: bool = True) -> AbstractContextManager[None]:
        """Run the block in a transaction, which is rolled back on an exception; there is no other one inside.

        Args:
            mode: `exclusive` waits until no other exclusive one is at work, so what the block reads stays true until
                it has written. `shared` writes too, by statements that are right whatever others do meanwhile.
                Within `retry`, `execute` cannot return how many rows it has changed then. `read` changes nothing but
                temporary tables.
            synced: whether the commit is on the disk at the end; only in `bulk_mode` it may be later.

        Raises:
            LockedError: another process has not released the store in time.
        """
        ...

    def retry(self, work: Callable[[], T]) -> T:
        """Return the result of *work*; if the connection to the database is lost meanwhile, connect and do it again.

        Also if the database has ended it because it and another transaction waited for each other.

        *work* is a transaction that may have been committed before it is done again. Reading outside of a transaction,
        and beginning one, are tried again in any case.
        """
        ...

    def bulk_mode(self) -> AbstractContextManager[None]:
        """Run the block with settings for thousands of commits a second, and patience for long imports."""
        ...

    def sync(self) -> None:
        """Write what was committed in `bulk_mode` to the disk."""
        ...

    def lock(self, task: str) -> AbstractContextManager[None]:
        """Be the only process that does a task (`sending`, `mailing`) with this store during the block.

        Raises:
            LockedError: another process does it.
        """
        ...

    def one(self, statement: str, /, **values: object) -> Row | None:
        """Return the first row."""
        ...

    def value(self, statement: str, /, **values: object) -> Any:
        """Return the first value of the first row; None without a row."""
        row = self.one(statement, **values)
        return row[0] if row else None

    def all(self, statement: str, /, **values: object) -> list[Row]:
        """Return all rows."""
        ...

    def iterate(self, statement: str, /, **values: object) -> Iterator[Row]:
        """Yield the rows as they are read: for results that may be long. Do not write before the end."""
        ...

    def execute(self, statement: str, /, **values: object) -> int:
        """Run a statement; return how many rows it has changed."""
        ...

    def execute_many(self, statement: str, /, rows: Iterable[dict[str, object]]) -> int:
        """Run a statement once for each of the *rows*; return how many rows were changed in all."""
        ...

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Insert many rows into a table, by the quickest way that the database has."""
        ...

    def create(self, script: str) -> None:
        """Run statements that create tables, which are separated by a semicolon at the end of a line."""
        for statement in script.split(";\n"):
            self.connection.execute(statement)

    def analyze(self, tables: Sequence[str]) -> None:
        """Let the planner know that many rows of *tables* have changed, where it depends on it: in PostgreSQL."""
        ...

    def find_damage(self) -> list[str]:
        """Return descriptions of the damage that the database itself finds."""
        ...

    def overwrite_deleted(self) -> None:
        """Overwrite in the file what is deleted from now on, where the database can: SQLite."""
        ...

    def remove_deleted(self, tables: Sequence[str]) -> None:
        """Remove what was deleted from the files of *tables*, outside of any transaction.

        SQLite rewrites its file, and has no other files beside it afterwards. PostgreSQL removes deleted rows from
        tables and indexes, once no transaction can read them any more; they remain in its write-ahead log, and in
        backups, until those are deleted, and may remain in unused space of the tables until it is used again.

        Raises:
            LockedError: another process is reading the store.
        """
        ...

    def query(self, sql: str) -> Iterator[Row]:
        """Yield the rows of a query whose SQL is made at run time, from names of ours."""
        ...

    def as_in_sqlite(self, column: Column) -> str:
        """Return the SQL of a column whose values are as SQLite keeps them, see above; `load` takes them."""
        ...

    def continue_ids(self, tables: Iterable[str]) -> None:
        """Let the next ids of tables follow the highest ones, after rows with ids were loaded."""
        ...

    def connect_again(self) -> Any:
        """Return another connection to the same database, the driver's own, for migrations."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


def encode_time(moment: datetime) -> str:
    """Return a time as SQLite stores it: such texts sort as their times do."""
    return moment.astimezone(UTC).isoformat(" ", "microseconds")[:-6]  # years below 1000 too


def decode_time(stored: str | datetime) -> datetime:
    """Return a time in UTC from a value that a database has returned."""
    if isinstance(stored, datetime):
        return stored.astimezone(UTC)
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)


def decode_time_if_any(stored: str | datetime | None) -> datetime | None:
    """Return the same, and None for NULL."""
    return None if stored is None else decode_time(stored)


def encode_topics(names: Iterable[str]) -> str:
    """Return topics as a sorted JSON list, so that equal sets are equal texts. No SQL looks inside."""
    return json.dumps(sorted(set(names)), ensure_ascii=False)
