"""PostgreSQL 14 and newer: the store past one machine (`feeds.edges.store.interface.Database`)."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING, Any

from feeds.edges.process.lock import HOLDERS
from feeds.edges.store.interface import Column, Database, Mode, Row, T
from feeds.edges.store.postgresql_errors import hide_password, translated_errors
from feeds.edges.store.postgresql_server import check_connection
from feeds.edges.store.statements import Dialect, Statements
from feeds.errors import LockedError

if TYPE_CHECKING:
    import psycopg

#: Seconds that an operation waits for another process, and that a sender waits for a long import.
_PATIENCE, _SENDER_PATIENCE = 10, 240
#: Seconds before each attempt to connect again: nine in all, since a person may wait; for a sender four minutes.
_PAUSES = (0.0, 0.2, 0.5, 1, 2, 5)
_SENDER_PAUSES = (*_PAUSES, *[10.0] * 23)
#: Of our advisory locks; the second half of their key is the number below, and the schema's.
_LOCKS = {"writing": 1, "sending": 2, "mailing": 3}
_LOCK_KEY = "hashtextextended('feeds ' || current_schema(), {})"
#: Until the end of the transaction.
_LOCK_WRITING = f"SELECT pg_advisory_xact_lock({_LOCK_KEY.format(_LOCKS['writing'])})"
#: Rows that are fetched at once: some tables have whole letters.
_FETCHED = 250
#: Type of a column in SQLite -> SQL of its value as it is kept there.
_AS_IN_SQLITE = {
    "DATETIME": """to_char("{}" AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')""",
    "BOOLEAN": 'CAST("{}" AS INTEGER)',
}
#: References of deliveries that the server does not check: column -> table. With checks, freezing an issue takes three
#: times as long, and each row of a subscriber is written to be locked. Deliveries are selected from those tables.
_UNCHECKED = {"issue_id": "issues", "letter_id": "letters", "subscriber_id": "subscribers"}
_FIND_BROKEN = """
    SELECT d.id FROM deliveries AS d
    WHERE d.{column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {other} AS o WHERE o.id = d.{column})
    ORDER BY d.id LIMIT 10
"""
#: Of each session: times that are loaded as texts have no offset.
_UTC = ("timezone", "UTC")
#: Likewise, unless the URL has options of that name. They are set by statements: a pooler refuses options.
_SESSION = {
    "default_transaction_isolation": "read committed",
    "jit": "off",  # our statements are short: to compile one takes longer than to run it
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": f"{_PATIENCE}s",
}


def connect(url: str) -> "PostgresqlDatabase":
    """Return a connection to the database of a URL, which may have any parameter of libpq.

    Raises:
        StoreError: it cannot be reached or used; the reason has no password.
    """
    with translated_errors(url):
        return PostgresqlDatabase(url)


def is_postgresql(url: str) -> bool:
    """Return whether the URL of a store is PostgreSQL's."""
    return url.startswith("postgresql")


class PostgresqlDatabase(Database):
    """One connection to a PostgreSQL database."""

    dialect: Dialect = "postgresql"
    keeps_journal = False
    crashes_alone = True
    begin_exclusive = ("BEGIN", _LOCK_WRITING)

    def __init__(self, url: str) -> None:
        self._url = url
        self.connection: psycopg.Connection[Row] = self.connect_again()
        self._statements = Statements(self.dialect)
        self._is_bulk = self._is_inside = self._is_repeatable = False
        self._held: list[str] = []
        self._numbers = count()

    def _single(self, query: str) -> Any:
        row = self.connection.execute(query).fetchone()
        return row and row[0]

    def connect_again(self) -> "psycopg.Connection[Row]":
        """See `Database`. It begins no transaction by itself.

        Raises:
            StoreError: the server, or what is between, cannot be used.
        """
        with ExitStack() as on_error:
            connection = on_error.enter_context(closing(self._open()))
            check_connection(connection, self._open, hide_password(self._url))
            wanted = (pair for pair in _SESSION.items() if pair[0] not in connection.info.options)
            connection.execute("; ".join(f"SET {name} = '{value}'" for name, value in (_UTC, *wanted)))
            on_error.pop_all()
        return connection

    def _open(self) -> "psycopg.Connection[Row]":
        import logging

        import psycopg
        from psycopg.conninfo import conninfo_to_dict

        logging.getLogger("psycopg").setLevel(logging.CRITICAL)  # it warns of what `retry` expects: lost connections
        parameters: dict[str, Any] = {"connect_timeout": _PATIENCE, "application_name": "feeds"}
        parameters |= conninfo_to_dict(_to_libpq(self._url))
        parameters["client_encoding"] = "UTF8"  # else PGCLIENTENCODING
        return psycopg.connect(autocommit=True, **parameters)

    @contextmanager
    def transaction(self, mode: Mode = "exclusive", *, synced: bool = True) -> Iterator[None]:
        """See `Database`. Writers of mode `exclusive` wait for each other at an advisory lock."""
        with ExitStack() as stack:
            together = mode == "shared" and self._is_repeatable
            stack.push(self.retry(lambda: self._begin(together=together)))
            stack.enter_context(self._inside())
            if mode == "read":
                self.connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            if mode == "exclusive":
                self.connection.execute(_LOCK_WRITING)
            if self._is_bulk and synced:
                self.connection.execute("SET LOCAL synchronous_commit = on")
            yield

    def _begin(self, *, together: bool) -> ExitStack:
        """Begin a transaction, whose statements may be sent together, up to the first whose rows are read.

        Over a network, waiting for the answer to each takes as long as the work of the server. But a lost connection is
        noticed late then, so only work that `retry` does again is sent like this.
        """
        with ExitStack() as stack:
            if together:
                stack.enter_context(self.connection.pipeline())
            stack.enter_context(self.connection.transaction())
            return stack.pop_all()

    def retry(self, work: Callable[[], T]) -> T:
        """See `Database`: it waits as long for the server as for another process."""
        import psycopg

        for pause in (*(_SENDER_PAUSES if self._is_bulk else _PAUSES), None):
            try:
                with self._repeatable():
                    return work()
            except psycopg.Error as e:
                is_lost, is_deadlock = self.connection.closed, isinstance(e, psycopg.errors.DeadlockDetected)
                if pause is None or self._is_inside or not (is_lost or is_deadlock):
                    raise
                if is_lost:
                    self._reconnect(pause)
        raise AssertionError  # the last pause is None

    @contextmanager
    def bulk_mode(self) -> Iterator[None]:
        """See `Database`."""
        self._set_bulk(is_bulk=True)
        try:
            yield
        finally:
            self._set_bulk(is_bulk=False)

    def _set_bulk(self, *, is_bulk: bool) -> None:
        self._is_bulk = is_bulk
        if not self.connection.closed:
            patience = _SENDER_PATIENCE if is_bulk else _PATIENCE
            self.connection.execute(f"SET synchronous_commit = {'off' if is_bulk else 'on'}")
            self.connection.execute(f"SET lock_timeout = '{patience}s'")

    def sync(self) -> None:
        """See `Database`: a commit that is synced also syncs those before it, if it has written anything."""
        with self.transaction("shared"):
            self.connection.execute("SELECT pg_current_xact_id()")

    @contextmanager
    def lock(self, task: str) -> Iterator[None]:
        """See `Database`: the session holds the lock, so the server releases it when the connection ends."""
        self._take_lock(task)
        self._held.append(task)
        try:
            yield
        finally:
            self._held.remove(task)
            if not self.connection.closed:
                self.connection.execute(f"SELECT pg_advisory_unlock({_lock_key(task)})")

    def _take_lock(self, task: str) -> None:
        if self._single(f"SELECT pg_try_advisory_lock({_lock_key(task)})") is not True:
            raise LockedError(f"{HOLDERS[task]}; nothing was sent here")

    def _reconnect(self, pause: float) -> None:
        """Connect again after a pause, with the settings and locks of the lost connection, if the server is there.

        Raises:
            LockedError: another process has taken over a task meanwhile.
        """
        import psycopg

        time.sleep(pause)
        with suppress(psycopg.OperationalError):
            self.connection = self.connect_again()
            if self._is_bulk:
                self._set_bulk(is_bulk=True)
            for task in self._held:
                self._take_lock(task)

    @contextmanager
    def _repeatable(self) -> Iterator[None]:
        """Remember that the block is done again if the connection is lost."""
        before, self._is_repeatable = self._is_repeatable, True
        try:
            yield
        finally:
            self._is_repeatable = before

    @contextmanager
    def _inside(self) -> Iterator[None]:
        """Remember that a transaction is open: a lost connection ends it, so nothing in it is done again alone."""
        self._is_inside = True
        try:
            yield
        finally:
            self._is_inside = False

    def one(self, statement: str, /, **values: object) -> Row | None:
        """See `Database`."""
        return self.retry(lambda: self.connection.execute(self._statements[statement], values).fetchone())

    def all(self, statement: str, /, **values: object) -> list[Row]:
        """See `Database`."""
        return self.retry(lambda: self.connection.execute(self._statements[statement], values).fetchall())

    def iterate(self, statement: str, /, **values: object) -> Iterator[Row]:
        """See `Database`."""
        return self._stream(self._statements[statement], values)

    def _stream(self, sql: str, values: dict[str, object] | None = None) -> Iterator[Row]:
        """Yield rows from a cursor of the server, which needs no transaction."""
        with self.connection.cursor(f"rows_{next(self._numbers)}", withhold=True) as cursor:
            cursor.itersize = _FETCHED
            yield from cursor.execute(sql, values)

    def execute(self, statement: str, /, **values: object) -> int:
        """See `Database`."""
        return self.connection.execute(self._statements[statement], values).rowcount

    def execute_many(self, statement: str, /, rows: Iterable[dict[str, object]]) -> int:
        """See `Database`."""
        with self.connection.cursor() as cursor:
            cursor.executemany(self._statements[statement], rows)
            return max(cursor.rowcount, 0)

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """See `Database`: by COPY."""
        with self.connection.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def find_damage(self) -> list[str]:
        """See `Database`: the server reports unreadable pages itself, and has checked all other references."""
        return [
            f"deliveries: row {number} refers to a row of {other} that is missing"
            for column, other in _UNCHECKED.items()
            for (number,) in self.query(_FIND_BROKEN.format(column=column, other=other))
        ]

    def query(self, sql: str) -> Iterator[Row]:
        """See `Database`."""
        return self._stream(sql)

    def as_in_sqlite(self, column: Column) -> str:
        """See `Database`."""
        return _AS_IN_SQLITE.get(column.type, '"{}"').format(column.name)

    def continue_ids(self, tables: Iterable[str]) -> None:
        """See `Database`: what assigns the ids does not see those that are given."""
        for table in tables:
            last = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table} HAVING max(id) > 0"  # noqa: S608 - names of ours
            self.connection.execute(last)

    def analyze(self, tables: Sequence[str]) -> None:
        """See `Database`: the server does it by itself too, but only after a minute."""
        self.connection.execute(f"ANALYZE {', '.join(tables)}")

    def overwrite_deleted(self) -> None:
        """See `Database`: PostgreSQL cannot."""

    def remove_deleted(self, tables: Sequence[str]) -> None:
        """See `Database`; indexes are cleaned up however few rows were deleted."""
        self.connection.execute(f"VACUUM (INDEX_CLEANUP ON) {', '.join(tables)}")

    def close(self) -> None:
        """See `Database`."""
        self.connection.close()


def _to_libpq(url: str) -> str:
    """Return a URL without the name of a driver, as SQLAlchemy writes it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def _lock_key(task: str) -> str:
    return _LOCK_KEY.format(_LOCKS[task])
