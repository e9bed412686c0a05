"""The records that the repositories write into the journal, inside the transaction of the change that it is about.

Every assigned id, every issue that may be sent, and every change by which a person gets less or more mail is recorded,
so that a backup and the journal together are what the store was (`feeds.edges.store.journal_file`). PostgreSQL has
backups of its own, and no journal.
"""

from collections.abc import Iterable
from datetime import datetime

from feeds.edges.store.interface import Database, Row


def record_ids(database: Database, rows: Iterable[Row]) -> None:
    """Record new or replaced ids: each row is the id of an entry, and the time when it became public."""
    _add(database, (("id", entry_id, "", at) for entry_id, at in rows))


def record_issue(database: Database, issue_id: int) -> None:
    """Record the present state of an issue, unless it waits for approval."""
    if database.keeps_journal:
        database.execute("journal.add_issue", id=issue_id)


def record_statuses(database: Database, rows: Iterable[Row]) -> None:
    """Record statuses that have changed, or that new subscribers have who are gone: status, address and time.

    Addresses are given as addresses are compared, here and below.
    """
    _add(database, ((status, key, "", at) for status, key, at in rows))


def record_arrivals(database: Database, at: datetime) -> None:
    """Record the same of all rows of an import, which are still staged."""
    if database.keeps_journal:
        database.execute("journal.add_arrivals", at=at)


def record_leave(database: Database, key: str, newsletter: str, at: datetime) -> None:
    """Record that a subscriber has left one newsletter."""
    _add(database, [("left", key, newsletter, at)])


def record_returns(database: Database, key: str, newsletters: Iterable[str], at: datetime) -> None:
    """Record that a subscriber gets newsletters again that they had left."""
    _add(database, (("returned", key, newsletter, at) for newsletter in newsletters))


def record_suppression(database: Database, digest: str, reason: str, at: datetime) -> None:
    """Record that a digest was added to the suppression list, or got another reason; `allowed`: it was removed."""
    _add(database, [(reason, digest, "", at)])


def _add(database: Database, rows: Iterable[Row]) -> None:
    if database.keeps_journal:
        names = ("what", "who", "newsletter", "at")
        database.execute_many("journal.add", (dict(zip(names, row, strict=True)) for row in rows))
