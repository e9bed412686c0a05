"""Copies of stores between databases, row by row."""

from contextlib import closing

import pytest
import sqlalchemy as sa

from feeds.edges.store import copy_tables
from feeds.edges.store.copy_tables import copy_rows, find_difference
from feeds.edges.store.postgresql import connect
from feeds.edges.store.schema import create_tables
from feeds.edges.store.sqlite import SqliteDatabase
from feeds.edges.store.table_shapes import count_rows, table_shapes
from tests.edges.store.fresh_schema import migrate
from tests.edges.store.test_schema import fill_tables
from tests.postgresql import schema_url


def ignore(_table, _rows):
    """Show no progress."""


@pytest.fixture
def source(tmp_path):
    """A SQLite database with two rows in every table."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'source.db'}", poolclass=sa.NullPool)
    with engine.begin() as connection:
        migrate(connection, "head")
        fill_tables(connection)
    with closing(SqliteDatabase(tmp_path / "source.db")) as database:
        yield database


@pytest.fixture
def postgresql():
    """An empty store on PostgreSQL."""
    with schema_url() as url, closing(connect(url)) as database:
        create_tables(database, "p")
        yield database


@pytest.fixture
def target(tmp_path):
    """An empty store on SQLite."""
    with closing(SqliteDatabase(tmp_path / "target.db")) as database:
        create_tables(database, "t")
        yield database


def test_a_store_comes_back_from_postgresql_as_it_was(source, postgresql, target):
    """Copied there and back, every row of every table is what it was: times, booleans, bytes and missing values."""
    rows = 2 * len(table_shapes())
    assert copy_rows(source, postgresql, ignore) == copy_rows(postgresql, target, ignore) == rows
    assert find_difference(source, postgresql, ignore) is None
    assert find_difference(source, target, ignore) is None


@pytest.mark.parametrize("ids_at_once", [1, 2, 50_000])
def test_an_interrupted_copy_goes_on(monkeypatch, source, target, ids_at_once):
    """What was copied is not copied again, wherever it stopped."""
    monkeypatch.setattr(copy_tables, "_RANGE", ids_at_once)

    class Stopped(Exception):  # noqa: N818 - not an error of ours
        pass

    total, done = sum(count_rows(source).values()), 0
    for stop in range(1, total, 7):

        def advance(_table, rows, stop=stop):
            nonlocal done
            done += rows
            if done >= stop:
                raise Stopped

        with pytest.raises(Stopped):
            copy_rows(source, target, advance)
    assert done + copy_rows(source, target, ignore) == total
    assert find_difference(source, target, ignore) is None


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ("UPDATE subscribers SET lang = NULL WHERE id = 2", "subscribers 2"),
        ("UPDATE issues SET slot = '2026-02-01 00:00:00.000001' WHERE id = 1", "issues 1"),
        ("DELETE FROM pings WHERE path = 'pings.path.1'", "pings pings.path.1"),
        ("UPDATE letters SET encoded = x'00' WHERE id = 1", "letters 1"),
    ],
)
def test_a_difference_is_named_by_table_and_key(source, target, change, place):
    """A value that is missing or other, and a row that is missing."""
    copy_rows(source, target, ignore)
    target.connection.execute(change)
    assert find_difference(source, target, ignore) == place


def test_new_ids_follow_copied_ones(source, postgresql):
    """PostgreSQL assigns none that a copied row has."""
    copy_rows(source, postgresql, ignore)
    query = (
        "INSERT INTO subscribers (email, email_key, status, consent, created_at, status_at)"
        " VALUES ('a', 'a', 'active', '', now(), now()) RETURNING id"
    )
    assert postgresql.connection.execute(query).fetchone() == (3,)
