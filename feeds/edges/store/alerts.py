"""Alerts that the operator has received, so that none is repeated every few minutes."""

import sqlite3
from datetime import datetime, timedelta

from feeds.edges.store.codec import encode_time
from feeds.edges.store.sqlite import transaction

#: How long an alert is not repeated.
_KEEP_FOR = timedelta(days=90)


class Alerts:
    """The alerts in an open store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def is_recorded(self, about: str) -> bool:
        """Return whether an alert was recorded."""
        return self._db.execute("SELECT 1 FROM alerts WHERE about = ?", (about,)).fetchone() is not None

    def record(self, about: str, now: datetime) -> bool:
        """Record an alert; return False if it was recorded before."""
        query = "INSERT INTO alerts (about, at) VALUES (?, ?) ON CONFLICT DO NOTHING"
        with transaction(self._db):
            self._db.execute("DELETE FROM alerts WHERE at < ?", (encode_time(now - _KEEP_FOR),))
            return self._db.execute(query, (about, encode_time(now))).rowcount > 0
