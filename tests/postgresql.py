"""A PostgreSQL server for tests: `FEEDS_POSTGRESQL` is the URL of a database on it, whose owner the tests are.

A test has a schema of its own there, or one for all tests of the process, whose tables are emptied before each.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from feeds.edges.store.database import open_store

#: Read before the tests, whose environment has no variables of Feeds.
_SERVER = os.environ.get("FEEDS_POSTGRESQL", "")
_NUMBERS = count()
_SCHEMAS = ExitStack()
#: Foreign keys are not checked meanwhile, so the order does not matter.
_EMPTY = """
DO $$
DECLARE one text;
BEGIN
    SET LOCAL session_replication_role = replica;
    SET LOCAL lock_timeout = '20s';
    FOR one IN
        SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename != 'alembic_version'
    LOOP
        EXECUTE 'DELETE FROM ' || one;
    END LOOP;
    PERFORM setval(oid::regclass, 1, false) FROM pg_class
    WHERE relkind = 'S' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema());
END $$
"""


def server_url() -> str:
    """Return the URL of the server, or skip the test."""
    if _SERVER:
        return _SERVER
    pytest.skip("FEEDS_POSTGRESQL names no PostgreSQL server")


@contextmanager
def schema_url() -> Iterator[str]:
    """Return the URL of an empty schema, which exists during the block."""
    import psycopg

    server, name = server_url(), f"test_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
        try:
            yield f"{server}{'&' if '?' in server else '?'}options=-csearch_path%3D{name}"
        finally:
            connection.execute(f"DROP SCHEMA {name} CASCADE")


def change(url: str, *, role: str = "", password: str | None = None, path: str | None = None, options: str = "") -> str:
    """Return a URL with another role, password or path, and further options."""
    parts = urlsplit(url)
    user = (role or parts.username or "") + (f":{quote(password, safe='')}" if password else "")
    place = f"{user}@{parts.netloc.rpartition('@')[2]}"
    extra = "".join(f"%20-c{quote(option, safe='')}" for option in options.split())
    return parts._replace(netloc=place, path=path or parts.path, query=parts.query + extra).geturl()


@contextmanager
def new_role(*groups: str, password: str = "") -> Iterator[str]:
    """Create a role that may log in, for the block."""
    import psycopg

    name = f"reader_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(server_url(), autocommit=True) as connection:
        for group in groups:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (group,)).fetchone():
                connection.execute(f"CREATE ROLE {group}")
        connection.execute(f"DROP ROLE IF EXISTS {name}")
        connection.execute(f"CREATE ROLE {name} LOGIN {'IN ROLE ' if groups else ''}{', '.join(groups)}")
        if password:
            connection.execute(f"ALTER ROLE {name} PASSWORD '{password}'")
        try:
            yield name
        finally:
            connection.execute(f"DROP OWNED BY {name}")
            connection.execute(f"DROP ROLE {name}")


def run_sql(url: str, *statements: str) -> None:
    """Run statements as the owner."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def schema_of(url: str) -> str:
    """Return the schema of a test's URL."""
    return url.rpartition("%3D")[2]


def empty_schema_url() -> str:
    """Return the URL of the schema for all tests of this process; its tables are empty now."""
    run_sql(url := _schema_with_tables(), _EMPTY)
    return url


@cache
def _schema_with_tables() -> str:
    url = _SCHEMAS.enter_context(schema_url())
    with open_store(url, Path()):
        return url


def remove_schemas() -> None:
    """Remove the schema for all tests."""
    _SCHEMAS.close()


@contextmanager
def own_server() -> Iterator[str]:
    """Run a server that a test may crash, with its usual settings; yield its URL. Skip the test where there is none."""
    server_url()  # where there is none, there are no programs for one either
    command = [
        "bash",
        str(Path(__file__).parents[1] / ".ci/postgresql"),
        "sh",
        "-c",
        "echo $FEEDS_POSTGRESQL; exec cat",
    ]
    environ = os.environ | {"POSTGRESQL_SETTINGS": ""}
    with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.communicate("")


def crash_server(url: str) -> None:
    """Kill a process of the server: it ends all sessions, forgets what is not on the disk, and recovers."""
    import psycopg

    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'").fetchone()
    assert row
    os.kill(row[0], signal.SIGKILL)
