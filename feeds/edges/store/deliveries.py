"""Deliveries in the memory: what is written down before and after each message.

Through the driver, since a sender asks thousands of times a second. What it promises:

* `leased` and `handing_over` are written before the act they announce, the answer after it. So a killed process loses
  nobody, and at most what was `handing_over` may have arrived.
* A process that is killed leaves everything it has written: commits go to the operating system at once (WAL). To the
  disk they go at most a quarter of a second later, together (`turn`), so that a power loss takes that much.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from feeds.edges.store.plain import read, transaction, written
from feeds.model import Delivery, DeliveryState

#: How long what is written may stay with the operating system only.
_SYNC_EVERY = timedelta(milliseconds=250)
_COLUMNS = "id, letter_id, recipient, state, handed_over_at, subscriber_id, tries"
_CLAIM = f"""
    UPDATE deliveries SET state = 'leased' WHERE id IN (
        SELECT id FROM deliveries WHERE issue_id = ? AND state NOT IN ('sent', 'failed')
        AND (state = 'ready' OR (state = 'deferred' AND next_at <= ?)) ORDER BY id LIMIT ?
    ) RETURNING {_COLUMNS}
"""  # noqa: S608 - made of constants
_BEGIN = """
    UPDATE deliveries SET state = 'handing_over', handed_over_at = coalesce(handed_over_at, ?)
    WHERE id = ? AND state = 'leased' RETURNING handed_over_at
"""
_END = "UPDATE deliveries SET state = ?, sent_at = ?, answer = ?, tries = ?, next_at = ? WHERE id = ?"
_RECOVER = (
    "UPDATE deliveries SET state = 'ready' WHERE issue_id = ? AND state = 'leased'",
    "UPDATE deliveries SET state = 'unknown', unknowns = unknowns + 1 WHERE issue_id = ? AND state = 'handing_over'",
)
_RESEND = "UPDATE deliveries SET state = 'ready' WHERE issue_id = ? AND state = 'unknown' AND unknowns <= ?"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one delivery."""

    id: int
    state: DeliveryState
    #: The server's answer, or what happened instead of one.
    answer: str
    tries: int = 0
    #: For a deferred one: not before.
    next_at: datetime | None = None


class Deliveries:
    """The part of an open store that knows how far letters have come."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._synced: datetime | None = None

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Hold the store ready for thousands of commits a second; afterwards it is one file again."""
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            self._db.execute("PRAGMA synchronous = FULL")
            with suppress(sqlite3.OperationalError):  # somebody reads it just now; the next sender will tidy up
                self._db.execute("PRAGMA journal_mode = DELETE")

    def recover(self, issue_id: int, *, resend: int) -> int:
        """Take up what a killed sender left; return how many deliveries are held for a person to decide.

        What was leased is ready again. What was being handed over may have arrived: it is sent again if that has
        happened to it at most *resend* times. Call it only where no other sender can be at work.
        """
        with transaction(self._db):
            for statement in _RECOVER:
                self._db.execute(statement, (issue_id,))
            self._db.execute(_RESEND, (issue_id, resend))
            return self._count(issue_id, DeliveryState.UNKNOWN)

    def _count(self, issue_id: int, state: DeliveryState) -> int:
        query = "SELECT count(*) FROM deliveries WHERE issue_id = ? AND state = ?"
        return int(self._db.execute(query, (issue_id, state)).fetchone()[0])

    def claim(self, issue_id: int, most: int, now: datetime) -> list[Delivery]:
        """Lease deliveries that are ready, or deferred until *now*, in their order."""
        with transaction(self._db):
            rows = self._db.execute(_CLAIM, (issue_id, written(now), most)).fetchall()
        return sorted(map(_delivery, rows), key=lambda delivery: delivery.id)

    def turn(self, outcomes: Sequence[Outcome], begin: Iterable[int], now: datetime) -> dict[int, datetime]:
        """Write down what has come of deliveries and which are handed over next, in one transaction.

        Returns for each of the latter the moment of its first hand-over; one that was ended meanwhile, since the reader
        has left, is missing.
        """
        due = self._synced is None or now - self._synced >= _SYNC_EVERY or now < self._synced
        if due:
            self._db.execute("PRAGMA synchronous = FULL")
        with transaction(self._db):
            self._db.executemany(_END, map(_ended, outcomes, [written(now)] * len(outcomes)))
            found = {one: self._db.execute(_BEGIN, (written(now), one)).fetchone() for one in begin}
        if due:
            self._synced = now
            self._db.execute("PRAGMA synchronous = NORMAL")
        return {one: read(row[0]) for one, row in found.items() if row}

    def release(self, issue_id: int) -> None:
        """Give back what was leased and not touched."""
        with transaction(self._db):
            self._db.execute(_RECOVER[0], (issue_id,))

    def counts(self, issue_id: int) -> dict[DeliveryState, int]:
        """Return how many deliveries of an issue are in which state."""
        query = "SELECT state, count(*) FROM deliveries WHERE issue_id = ? GROUP BY state"
        found = dict(self._db.execute(query, (issue_id,)).fetchall())
        return {state: found.get(state, 0) for state in DeliveryState}

    def next_at(self, issue_id: int) -> datetime | None:
        """Return when the first deferred delivery may be tried again; None where none waits."""
        query = "SELECT min(next_at) FROM deliveries WHERE issue_id = ? AND state = 'deferred'"
        found = self._db.execute(query, (issue_id,)).fetchone()[0]
        return read(found) if found else None


def _ended(outcome: Outcome, now: str) -> tuple[object, ...]:
    sent_at = now if outcome.state is DeliveryState.SENT else None
    next_at = written(outcome.next_at) if outcome.next_at else None
    return (outcome.state, sent_at, outcome.answer, outcome.tries, next_at, outcome.id)


def _delivery(row: tuple[int, int, str, str, str | None, int | None, int]) -> Delivery:
    identity, letter_id, recipient, state, handed_over_at, subscriber_id, tries = row
    return Delivery(
        id=identity,
        letter_id=letter_id,
        recipient=recipient,
        state=DeliveryState(state),
        handed_over_at=read(handed_over_at) if handed_over_at else None,
        subscriber_id=subscriber_id,
        tries=tries,
    )
