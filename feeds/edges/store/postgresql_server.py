"""Checks that a server and a session can be used for the store, once for each connection."""

from contextlib import closing
from typing import TYPE_CHECKING, Any

from feeds.edges.store.postgresql_errors import POOLER_MODE, POOLER_OPTIONS
from feeds.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

#: The oldest version with all that is used here, as psycopg reports it.
_OLDEST = 140000
#: A pooler that lends two idle sessions in turn gives both connections what they had, but not in the next round.
_ROUNDS = 3


def check_connection(
    connection: "psycopg.Connection[Any]", connect: "Callable[[], psycopg.Connection[Any]]", name: str
) -> None:
    """Check the server of a new connection to the store *name*; *connect* makes another one.

    Raises:
        StoreError: it cannot be used.
    """
    info = connection.info
    schema, process = _row(connection, "SELECT current_schema(), pg_backend_pid()")
    encoding = info.parameter_status("server_encoding")
    problem = find_problem(version=info.server_version, encoding=encoding, schema=schema)
    if not problem and process != info.backend_pid:  # a pooler invents the number that it reports to its clients
        problem = _find_pooler_problem(connection, process, connect)
    if problem:
        raise StoreError(f"{name}: {problem}")


def find_problem(*, version: int, encoding: str | None, schema: str | None) -> str:
    """Return why a server cannot be used; empty: it can.

    Args:
        version: as libpq reports it, such as 150004.
        encoding: of the database.
        schema: the first one of the search path that exists and that the role may use.
    """
    if version < _OLDEST:
        return f"this is PostgreSQL {version // 10000}; Feeds needs version {_OLDEST // 10000} or newer"
    if encoding != "UTF8":
        return f"the encoding of the database is {encoding}; create one with `createdb --encoding UTF8`"
    if schema is None:
        return (
            "no schema of `search_path` exists, or the role may use none; create it with"
            " `CREATE SCHEMA ... AUTHORIZATION ...`, or correct the URL"
        )
    return ""


def _find_pooler_problem(
    connection: "psycopg.Connection[Any]", process: int, connect: "Callable[[], psycopg.Connection[Any]]"
) -> str:
    """Return whether a pooler lends a session for one transaction: another client gets ours then, or we another one."""
    if connection.info.options:
        return POOLER_OPTIONS
    with closing(connect()) as other:
        if all(_are_apart(connection, other, process) for _ in range(_ROUNDS)):
            return ""
    return f"PgBouncer is in transaction mode, where the lock that keeps a second sender away fails; {POOLER_MODE}"


def _are_apart(connection: "psycopg.Connection[Any]", other: "psycopg.Connection[Any]", process: int) -> bool:
    """Return whether a connection has the same session as before while another one has a transaction in its own."""
    with other.transaction():
        (theirs,) = _row(other, "SELECT pg_backend_pid()")
        (ours,) = _row(connection, "SELECT pg_backend_pid()")
    return bool(theirs != ours == process)


def _row(connection: "psycopg.Connection[Any]", query: str) -> tuple[Any, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None
    return tuple(row)
