"""The shapes of the tables, read from those of a new store: for what goes through all tables in the same way."""

from contextlib import closing
from dataclasses import dataclass
from functools import cache

from feeds.edges.store.interface import Column, Database
from feeds.edges.store.schema import load_tables
from feeds.edges.store.sqlite import SqliteDatabase

#: Tables that are not what a store knows: its version, the site that it is of, which depends on where it is, and the
#: journal, a file beside a SQLite store.
_OTHER = frozenset({"alembic_version", "sites", "journal"})


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table: its columns in order, and those of its primary key."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    #: True if the key begins with a number, so that the table can be copied in ranges of it.
    has_ranges: bool


@cache
def table_shapes() -> tuple[TableShape, ...]:
    """Return the tables, each after those that its rows refer to."""
    with closing(SqliteDatabase(None)) as empty:
        empty.create(load_tables("sqlite"))
        names = empty.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid")
        return tuple(_read_shape(empty, name) for (name,) in [*names] if name not in _OTHER)


def _read_shape(empty: Database, table: str) -> TableShape:
    rows = [*empty.query(f"SELECT name, type, pk FROM pragma_table_info('{table}') ORDER BY cid")]  # noqa: S608 - names of ours
    key = sorted((row for row in rows if row[2]), key=lambda row: row[2])
    return TableShape(
        name=table,
        columns=tuple(Column(row[0], row[1]) for row in rows),
        key=tuple(row[0] for row in key),
        has_ranges=key[0][1] == "INTEGER",
    )


def count_rows(database: Database) -> dict[str, int]:
    """Return how many rows each table of a store has."""
    return {table.name: count_table(database, table) for table in table_shapes()}


def count_table(database: Database, table: TableShape) -> int:
    """Return how many rows a table has."""
    return int(next(database.query(f"SELECT count(*) FROM {table.name}"))[0])  # noqa: S608 - names of ours
