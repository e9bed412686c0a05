"""Copy all rows of a store to another one, of either database, and compare them.

A copy is made in steps, each a transaction of the target: a table, or a range of ids of a large one. What is there is
not copied again, so a copy that was interrupted goes on. Until it is complete, its version is `COPYING`, and no other
command opens it. Rows are read as SQLite keeps them, so that those of both databases are equal, and no code of ours
runs for each. The SQL is made from the names of tables and columns, so it is not among the named statements.
"""

from collections.abc import Callable, Iterator
from itertools import islice, zip_longest

from feeds.edges.store.interface import Database, Row
from feeds.edges.store.table_shapes import TableShape, count_table, table_shapes

#: Ids that are copied at once, and rows that are compared at once: some tables have whole letters.
_RANGE, _BATCH = 50_000, 250

#: Called with the name of a table and a number of rows that are done.
Advance = Callable[[str, int], None]


def copy_rows(source: Database, target: Database, advance: Advance) -> int:
    """Copy the rows that the target does not have yet; return how many. Then new ids follow those that were copied."""
    copied = sum(_copy_table(source, target, table, advance) for table in table_shapes())
    target.continue_ids({table.name for table in table_shapes() if table.key == ("id",) and table.has_ranges})
    return copied


def _copy_table(source: Database, target: Database, table: TableShape, advance: Advance) -> int:
    copied = 0
    for condition in _missing_parts(source, target, table):
        with target.transaction():
            rows = [*_read_rows(source, table, condition)]
            target.load(table.name, [column.name for column in table.columns], rows)
        advance(table.name, len(rows))
        copied += len(rows)
    return copied


def _missing_parts(source: Database, target: Database, table: TableShape) -> Iterator[str]:
    """Yield conditions for the parts of a table that the target does not have."""
    if not table.has_ranges:
        if not count_table(target, table):
            yield "1 = 1"
        return
    first = table.key[0]
    after, last = _last_id(target, table), _last_id(source, table)
    while after < last:
        yield f"{first} > {after} AND {first} <= {after + _RANGE}"
        after += _RANGE


def _read_rows(database: Database, table: TableShape, condition: str = "1 = 1") -> Iterator[Row]:
    """Yield rows in the order of their keys, which is the same in both databases."""
    columns = ", ".join(database.as_in_sqlite(column) for column in table.columns)
    order = ", ".join(f'"{name}"' for name in table.key)
    return database.query(f"SELECT {columns} FROM {table.name} WHERE {condition} ORDER BY {order}")  # noqa: S608 - names of ours


def find_difference(source: Database, target: Database, advance: Advance) -> str | None:
    """Return where two stores differ first, as the name of a table and a key; None if all rows are equal."""
    end: list[Row] = []
    for table in table_shapes():
        for ours, theirs in zip_longest(_read_batches(source, table), _read_batches(target, table), fillvalue=end):
            if ours != theirs:
                return f"{table.name} {_first_difference(table, ours, theirs)}"
            advance(table.name, len(ours))
    return None


def _read_batches(database: Database, table: TableShape) -> Iterator[list[Row]]:
    rows = _read_rows(database, table)
    while batch := [*islice(rows, _BATCH)]:
        yield batch


def _first_difference(table: TableShape, ours: list[Row], theirs: list[Row]) -> str:
    """Return the key of the first row that is not the same in both."""
    row = next(one or other for one, other in zip_longest(ours, theirs) if one != other)
    names = [column.name for column in table.columns]
    return ", ".join(str(row[names.index(name)]) for name in table.key)


def _last_id(database: Database, table: TableShape) -> int:
    """Return the highest first value of the key; 0 for an empty table."""
    return next(database.query(f"SELECT max({table.key[0]}) FROM {table.name}"))[0] or 0  # noqa: S608 - names of ours
