"""A PostgreSQL server for tests: `FEEDS_POSTGRESQL` is the URL of a database on it, whose owner the tests are.

Each test has a schema of its own there, which is deleted at its end.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import pytest

#: Read before the tests, whose environment has no variables of Feeds.
_SERVER = os.environ.get("FEEDS_POSTGRESQL", "")
_NUMBERS = count()


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
