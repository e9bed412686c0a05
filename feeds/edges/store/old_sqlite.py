"""SQL through the sqlite3 driver (PEP 249), for what every run asks.

Loading SQLAlchemy would take longer than the rest of a run with few changes.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

#: The condition for deliveries that are not finished; the index `ix_deliveries_open` has the same, so SQLite uses it.
IS_OPEN = "state NOT IN ('sent', 'failed', 'cancelled')"

#: The highest id that a subscriber has or had: the links in letters name it, so no id is given twice.
LAST_SUBSCRIBER_ID = """max(coalesce((SELECT max(id) FROM subscribers), 0),
    coalesce((SELECT max(id) FROM erased_subscribers), 0))"""


@contextmanager
def transaction(connection: sqlite3.Connection, *, writes: bool = True) -> Iterator[None]:
    """Run the block in a transaction, which is rolled back on an exception.

    One that *writes* to the store waits for other writers before it begins; temporary tables are not in the store.
    """
    connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
