"""Deliveries in the memory: what is written down before and after each message.

Through the driver, since a sender asks thousands of times a second. What it promises:

* `leased` and `handing_over` are written before the act they announce, the answer after it. So a killed process loses
  nobody, and at most what was `handing_over` may have arrived.
* A process that is killed leaves everything it has written: commits go to the operating system at once (WAL). To the
  disk they go at most a quarter of a second later, together (`turn`), so that a power loss takes that much.
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from feeds.edges.store.codec import decode_time, encode_time
from feeds.edges.store.sqlite import transaction
from feeds.model import Delivery, DeliveryOutcome, DeliveryState

#: Milliseconds that a sender waits for somebody who writes a long list into the store; mail servers wait as long for us
#: (RFC 5321 section 4.5.3.2.7), everybody else waits for the store as `opening` says.
_PATIENCE, _USUAL_PATIENCE = 240_000, 10_000
#: How long what is written may stay with the operating system only.
_SYNC_EVERY = timedelta(milliseconds=250)
_CODES = re.compile(r"(?:\d{3})?(?: \d\.\d{1,3}\.\d{1,3})?")
_COLUMNS = "id, letter_id, recipient, state, handed_over_at, subscriber_id, tries"
_CLAIM = f"""
    UPDATE deliveries SET state = 'leased' WHERE id IN (
        SELECT id FROM deliveries WHERE issue_id = ? AND state NOT IN ('sent', 'failed')
        AND id % ? = 0 AND (state = 'ready' OR (coalesce(next_at, '') <= ? AND
            (state = 'deferred' OR (state = 'unknown' AND unknowns <= ?)))) ORDER BY id LIMIT ?
    ) RETURNING {_COLUMNS}
"""  # noqa: S608 - made of constants
_BEGIN = """
    UPDATE deliveries SET state = 'handing_over', handed_over_at = coalesce(handed_over_at, ?)
    WHERE id = ? AND state = 'leased'
"""
_END = """
    UPDATE deliveries SET state = ?, sent_at = ?, answer = ?, tries = ?, next_at = ?, unknowns = unknowns + ?
    WHERE id = ? AND (state != 'failed' OR ? = 'sent')
"""
#: What waits because nobody at its domain is written to for a while says so.
PAUSED = "waits: its domain is paused"
_SHARE = """
    SELECT count(*), count(*) FILTER (WHERE state IN ('ready', 'leased', 'handing_over')),
        count(*) FILTER (WHERE state = 'sent'), count(*) FILTER (WHERE state = 'failed' OR EXISTS
            (SELECT 1 FROM bounces b WHERE b.delivery_id = d.id AND b.kind IN ('hard', 'policy', 'complaint'))),
        max(sent_at)
    FROM deliveries d WHERE issue_id = ? AND id % ? = 0
"""
_WIDEN = "UPDATE issues SET whole = 1 WHERE id = ?"
_RELEASE = "UPDATE deliveries SET state = 'ready' WHERE issue_id = ? AND state = 'leased'"
_RECOVER = """
    UPDATE deliveries SET state = 'unknown', unknowns = unknowns + 1, next_at = NULL,
    answer = 'the sender was stopped before the answer came' WHERE issue_id = ? AND state = 'handing_over'
"""


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """How one delivery fared."""

    recipient: str
    lang: str
    state: DeliveryState
    sent_at: datetime | None
    answer: str
    tries: int


@dataclass(frozen=True, slots=True)
class RefusalCount:
    """How often a domain's deliveries got one kind of answer."""

    domain: str
    #: The reply's codes: `550 5.1.1`, `451`.
    code: str
    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstBatchStats:
    """How the part of an issue that left first has fared."""

    number: int
    #: Not handed over yet.
    to_come: int
    sent: int
    #: Refused for good, came back for good, or complained of.
    bad: int
    last_sent_at: datetime | None


class Deliveries:
    """The part of an open store that knows how far letters have come."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._synced: datetime | None = None
        #: Whether anything was written since.
        self._is_ahead = False

    @contextmanager
    def bulk_mode(self) -> Iterator[None]:
        """Hold the store ready for thousands of commits a second; afterwards it is one file again."""
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute(f"PRAGMA busy_timeout = {_PATIENCE}")
        try:
            yield
        finally:
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute(f"PRAGMA busy_timeout = {_USUAL_PATIENCE}")
            with suppress(sqlite3.OperationalError):  # somebody reads it just now; the next sender will tidy up
                self._db.execute("PRAGMA journal_mode = DELETE")

    def recover(self, issue_id: int) -> None:
        """Take up what a killed sender left: what it leased is ready again, what it was handing over may have arrived.

        Call it only where no other sender can be at work.
        """
        with transaction(self._db):
            self._db.execute(_RELEASE, (issue_id,))
            self._db.execute(_RECOVER, (issue_id,))

    def claim(self, issue_id: int, most: int, now: datetime, *, resend: int, every: int = 1) -> list[Delivery]:
        """Lease deliveries that are ready, or wait until *now*, in their order: all of them, or one in *every*.

        One that may have arrived is handed over again if that has happened to it at most *resend* times.
        """
        with transaction(self._db):
            rows = self._db.execute(_CLAIM, (issue_id, every, encode_time(now), resend, most)).fetchall()
        return sorted(map(_delivery, rows), key=lambda delivery: delivery.id)

    def commit_and_begin(self, outcomes: Sequence[DeliveryOutcome], begin: Sequence[int], now: datetime) -> set[int]:
        """Write down what has come of deliveries and which are handed over next, in one transaction.

        With neither, only see to it that what was written comes to the disk in time.
        Returns which of the latter are still needed: one that was ended meanwhile, since the reader has left, is not.
        Of one that was being handed over when it was ended, only that it was sent is written down.
        """
        due = self._synced is None or now - self._synced >= _SYNC_EVERY or now < self._synced
        if not (outcomes or begin):
            if due and self._is_ahead:  # and nothing will soon be written that could take it along
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")
                self._synced, self._is_ahead = now, False
            return set()
        at = encode_time(now)
        if due:
            self._db.execute("PRAGMA synchronous = FULL")
        with transaction(self._db):
            self._db.executemany(_END, [_ended(outcome, at) for outcome in outcomes])
            done = self._db.executemany(_BEGIN, [(at, one) for one in begin]).rowcount if begin else 0
            begun = set(begin) if done == len(begin) else {one for one in begin if self._is_begun(one)}
        if due:
            self._synced = now
            self._db.execute("PRAGMA synchronous = NORMAL")
        self._is_ahead = not due
        return begun

    def _is_begun(self, delivery_id: int) -> bool:
        query = "SELECT 1 FROM deliveries WHERE id = ? AND state = 'handing_over'"
        return self._db.execute(query, (delivery_id,)).fetchone() is not None

    def leased_ids(self, issue_id: int) -> frozenset[int]:
        """Return which deliveries of an issue are leased still; what else was leased has been ended meanwhile."""
        # The last condition says nothing but which index serves.
        query = "SELECT id FROM deliveries WHERE issue_id = ? AND state = 'leased' AND state NOT IN ('sent', 'failed')"
        return frozenset(row[0] for row in self._db.execute(query, (issue_id,)))

    def release(self, issue_id: int) -> None:
        """Give back what was leased and not touched."""
        with transaction(self._db):
            self._db.execute(_RELEASE, (issue_id,))

    def count_states(self, issue_id: int) -> dict[DeliveryState, int]:
        """Return how many deliveries of an issue are in which state."""
        query = "SELECT state, count(*) FROM deliveries WHERE issue_id = ? GROUP BY state"
        found = dict(self._db.execute(query, (issue_id,)).fetchall())
        return {state: found.get(state, 0) for state in DeliveryState}

    def sent_since(self, moment: datetime) -> int:
        """Return how many were sent after a moment, of all issues."""
        query = "SELECT count(*) FROM deliveries WHERE sent_at > ?"
        return int(self._db.execute(query, (encode_time(moment),)).fetchone()[0])

    def sent_before(self, number: int, now: datetime) -> datetime:
        """Return when the *number*-th last was sent, of all issues; *now* where fewer were."""
        query = "SELECT sent_at FROM deliveries WHERE sent_at IS NOT NULL ORDER BY sent_at DESC LIMIT 1 OFFSET ?"
        row = self._db.execute(query, (number - 1,)).fetchone()
        return decode_time(row[0]) if row else now

    def has_begun(self, issue_id: int) -> bool:
        """Return whether a server was ever asked to take anything of an issue."""
        query = (
            "SELECT 1 FROM deliveries WHERE issue_id = ? AND (handed_over_at IS NOT NULL OR answer IS NOT NULL) LIMIT 1"
        )
        return self._db.execute(query, (issue_id,)).fetchone() is not None

    def sent_per_minute(self, issue_id: int, now: datetime) -> int:
        """Return how many were sent in the minute before *now*."""
        query = "SELECT count(*) FROM deliveries WHERE issue_id = ? AND sent_at > ?"
        return int(self._db.execute(query, (issue_id, encode_time(now - timedelta(minutes=1)))).fetchone()[0])

    def count_refusals(self, issue_id: int) -> Iterator[RefusalCount]:
        """Yield what was said of deliveries that are not sent, by domain and code, the most frequent first."""
        query = (
            "SELECT substr(recipient_key, instr(recipient_key, '@') + 1), answer, count(*) FROM deliveries"
            " WHERE issue_id = ? AND state != 'sent' AND answer IS NOT NULL GROUP BY 1, 2"
        )
        found: Counter[tuple[str, str]] = Counter()
        for domain, answer, number in self._db.execute(query, (issue_id,)):
            codes = _CODES.match(answer)
            found[domain, codes[0].strip() if codes else ""] += number
        yield from (RefusalCount(*key, number) for key, number in found.most_common())

    def load_results(self, issue_id: int) -> Iterator[DeliveryResult]:
        """Yield how each delivery of an issue fared, in their order."""
        query = (
            "SELECT d.recipient, l.lang, d.state, d.sent_at, coalesce(d.answer, ''), d.tries"
            " FROM deliveries d JOIN letters l ON l.id = d.letter_id WHERE d.issue_id = ? ORDER BY d.id"
        )
        for recipient, lang, state, sent_at, answer, tries in self._db.execute(query, (issue_id,)):
            yield DeliveryResult(
                recipient, lang, DeliveryState(state), decode_time(sent_at) if sent_at else None, answer, tries
            )

    def pending(self, issue_id: int, *, resend: int) -> tuple[int, datetime | None, int]:
        """Return how many deliveries are still to come, when the first of them is due, and how many are held.

        Held is what may have arrived more than *resend* times, until a person decides.
        """
        query = (
            "SELECT count(*) FILTER (WHERE state != 'unknown' OR unknowns <= :resend),"
            " min(coalesce(next_at, '')) FILTER (WHERE state != 'unknown' OR unknowns <= :resend),"
            " count(*) FILTER (WHERE state = 'unknown' AND unknowns > :resend)"
            " FROM deliveries WHERE issue_id = :issue AND state NOT IN ('sent', 'failed')"
        )
        number, first, held = self._db.execute(query, {"issue": issue_id, "resend": resend}).fetchone()
        return number, decode_time(first) if first else None, held

    def first_batch_stats(self, issue_id: int, every: int) -> FirstBatchStats:
        """Return how one delivery in *every* of an issue has fared."""
        number, to_come, sent, bad, last = self._db.execute(_SHARE, (issue_id, every)).fetchone()
        return FirstBatchStats(
            number=number, to_come=to_come, sent=sent, bad=bad, last_sent_at=decode_time(last) if last else None
        )

    def release_to_all(self, issue_id: int) -> None:
        """Write down that an issue may go to all."""
        with transaction(self._db):
            self._db.execute(_WIDEN, (issue_id,))

    def retry_now(self, issue_id: int) -> None:
        """Make everything that waits due at once, and what is held ready: somebody has decided."""
        with transaction(self._db):
            query = (
                "UPDATE deliveries SET state = 'ready', unknowns = 0, tries = 0, next_at = NULL"
                " WHERE issue_id = ? AND state IN ('deferred', 'unknown')"
            )
            self._db.execute(query, (issue_id,))
            self._db.execute(_WIDEN, (issue_id,))

    def cancel_pending(self, issue_id: int, answer: str) -> int:
        """End everything that is still to come, without having been sent; return how many that were.

        Of what is being handed over just now it stays known that it may have arrived, whatever becomes of its sender.
        """
        query = (
            "UPDATE deliveries SET unknowns = unknowns + (state = 'handing_over'), state = 'failed', answer = ?"
            " WHERE issue_id = ? AND state NOT IN ('sent', 'failed')"
        )
        with transaction(self._db):
            return self._db.execute(query, (answer, issue_id)).rowcount

    def halt(self, issue_id: int, reason: str) -> None:
        """Write down why nothing of an issue is handed over for now; empty: it is again."""
        with transaction(self._db):
            self._db.execute("UPDATE issues SET halted = ? WHERE id = ?", (reason, issue_id))


def _ended(outcome: DeliveryOutcome, now: str) -> tuple[object, ...]:
    sent_at = now if outcome.state is DeliveryState.SENT else None
    next_at = encode_time(outcome.next_at) if outcome.next_at else None
    again = outcome.state is DeliveryState.UNKNOWN
    return (outcome.state, sent_at, outcome.answer, outcome.tries, next_at, again, outcome.id, outcome.state)


def _delivery(row: tuple[int, int, str, str, str | None, int | None, int]) -> Delivery:
    identity, letter_id, recipient, state, handed_over_at, subscriber_id, tries = row
    return Delivery(
        id=identity,
        letter_id=letter_id,
        recipient=recipient,
        state=DeliveryState(state),
        handed_over_at=decode_time(handed_over_at) if handed_over_at else None,
        subscriber_id=subscriber_id,
        tries=tries,
    )
