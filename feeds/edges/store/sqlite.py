"""Plain SQL through the driver (PEP 249), for what every pass asks.

Loading SQLAlchemy would take longer than the rest of a pass in which little has changed.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def transaction(connection: sqlite3.Connection, *, writes: bool = True) -> Iterator[None]:
    """Hold a transaction open: all of it is kept, or nothing.

    One that *writes* to the store waits for others that do before it begins; temporary tables are not the store.
    """
    connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
