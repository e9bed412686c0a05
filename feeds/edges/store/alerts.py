"""What the operator was told to look after, so that nobody is told the same every few minutes."""

import sqlite3
from datetime import datetime, timedelta

from feeds.edges.store.codec import encode_time
from feeds.edges.store.sqlite import transaction

#: How long it is remembered.
_REMEMBERED = timedelta(days=90)


class Alerts:
    """The part of an open store that knows."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def record(self, about: str, now: datetime) -> bool:
        """Write down that the operator is told; return False where they were before."""
        query = "INSERT INTO alerts (about, at) VALUES (?, ?) ON CONFLICT DO NOTHING"
        with transaction(self._db):
            self._db.execute("DELETE FROM alerts WHERE at < ?", (encode_time(now - _REMEMBERED),))
            return self._db.execute(query, (about, encode_time(now))).rowcount > 0
