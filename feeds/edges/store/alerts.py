"""Alerts that the operator has received, so that none is repeated every few minutes."""

from datetime import datetime, timedelta

from feeds.edges.store.interface import Database

#: How long an alert is not repeated.
_KEEP_FOR = timedelta(days=90)


class Alerts:
    """The alerts in an open store."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def is_recorded(self, about: str) -> bool:
        """Return whether an alert was recorded."""
        return self._db.one("alerts.is_recorded", about=about) is not None

    def record(self, about: str, now: datetime) -> bool:
        """Record an alert; return False if it was recorded before."""
        with self._db.transaction():
            self._db.execute("alerts.delete_old", before=now - _KEEP_FOR)
            return self._db.execute("alerts.record", about=about, at=now) > 0
