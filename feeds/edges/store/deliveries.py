"""Deliveries in the store: what is recorded before and after each message is sent.

Through the sqlite3 driver, since a sender asks thousands of times a second. Guarantees:

* `leased` and `handing_over` are recorded before the step that they announce, the answer after it. If the process is
  killed, no delivery is lost, and only one in `handing_over` may have been delivered.
* A killed process loses nothing that it has recorded: each commit is passed to the operating system (WAL). It reaches
  the disk within a quarter of a second, with later ones (`commit_and_begin`), so a power failure may lose that much.
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from feeds.edges.store.old_codec import decode_time, encode_time
from feeds.edges.store.old_sqlite import IS_OPEN, transaction
from feeds.model import Delivery, DeliveryOutcome, DeliveryState

#: Milliseconds that a sender waits for a long import to release the store: mail servers wait as long for us (RFC 5321
#: section 4.5.3.2.7). All others wait the default time (see `database`).
_SENDER_TIMEOUT, _DEFAULT_TIMEOUT = 240_000, 10_000
#: How long a commit may stay in the memory of the operating system.
_SYNC_EVERY = timedelta(milliseconds=250)
#: The codes of an answer; a delivery that was given up keeps the last one (`feeds.core.newsletters.replies`).
_REPLY_CODES = re.compile(r"(?:given up after \d+ tries: )?(\d{3}(?: \d\.\d{1,3}\.\d{1,3})?)")
_COLUMNS = "id, letter_id, recipient, state, handed_over_at, subscriber_id, tries"
_CLAIM_UNTRIED = f"""
    UPDATE deliveries SET state = 'leased' WHERE id IN (
        SELECT id FROM deliveries WHERE issue_id = ? AND {IS_OPEN}
        AND id % ? = 0 AND state = 'ready' AND answer IS NULL ORDER BY id LIMIT ?
    ) RETURNING {_COLUMNS}
"""  # noqa: S608 - made of constants
_CLAIM = f"""
    UPDATE deliveries SET state = 'leased' WHERE id IN (
        SELECT id FROM deliveries WHERE issue_id = ? AND {IS_OPEN}
        AND id % ? = 0 AND (state = 'ready' OR (coalesce(next_at, '') <= ? AND
            (state = 'deferred' OR (state = 'unknown' AND unknowns <= ?)))) ORDER BY id LIMIT ?
    ) RETURNING {_COLUMNS}
"""  # noqa: S608 - made of constants
_BEGIN = """
    UPDATE deliveries SET state = 'handing_over', handed_over_at = coalesce(handed_over_at, ?)
    WHERE id = ? AND state = 'leased'
"""
_FINISH = """
    UPDATE deliveries SET state = ?, sent_at = ?, answer = ?, tries = ?, next_at = ?, unknowns = unknowns + ?
    WHERE id = ? AND (state NOT IN ('failed', 'cancelled') OR ? = 'sent')
"""
#: The answer of deliveries that wait because their domain is paused. Stored, and compared: do not change it.
DOMAIN_PAUSED = "waits: its domain is paused"
_FIRST_BATCH = """
    SELECT count(*), count(*) FILTER (WHERE state IN ('ready', 'leased', 'handing_over')),
        count(*) FILTER (WHERE state = 'sent'), count(*) FILTER (WHERE state = 'failed' OR EXISTS
            (SELECT 1 FROM bounces b WHERE b.delivery_id = d.id AND b.kind IN ('hard', 'policy', 'complaint'))),
        max(sent_at)
    FROM deliveries d WHERE issue_id = ? AND id % ? = 0 AND state != 'cancelled'
"""
_COUNT_PENDING = f"""
    SELECT count(*) FILTER (WHERE state != 'unknown' OR unknowns <= :resend),
        min(coalesce(next_at, '')) FILTER (WHERE state != 'unknown' OR unknowns <= :resend),
        count(*) FILTER (WHERE state = 'unknown' AND unknowns > :resend)
    FROM deliveries WHERE issue_id = :issue AND {IS_OPEN}
"""  # noqa: S608 - made of constants
_CANCEL = f"""
    UPDATE deliveries SET unknowns = unknowns + (state = 'handing_over'), state = 'cancelled', answer = ?
    WHERE issue_id = ? AND {IS_OPEN}
"""  # noqa: S608 - made of constants
_RELEASE_TO_ALL = "UPDATE issues SET whole = 1 WHERE id = ?"
_RELEASE = "UPDATE deliveries SET state = 'ready' WHERE issue_id = ? AND state = 'leased'"
_MARK_UNKNOWN = """
    UPDATE deliveries SET state = 'unknown', unknowns = unknowns + 1, next_at = NULL,
    answer = 'the sender was stopped before the server answered' WHERE issue_id = ? AND state = 'handing_over'
"""

_COUNT_SENT = """
    SELECT (SELECT count(*) FROM deliveries WHERE sent_at > ?) + (SELECT count(*) FROM service_mails WHERE sent_at > ?)
"""
_SELECT_SENT_BEFORE = """
    SELECT sent_at FROM deliveries WHERE sent_at IS NOT NULL
    UNION ALL SELECT sent_at FROM service_mails WHERE sent_at IS NOT NULL ORDER BY sent_at DESC LIMIT 1 OFFSET ?
"""


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """The result of one delivery."""

    recipient: str
    lang: str
    state: DeliveryState
    sent_at: datetime | None
    answer: str
    tries: int


@dataclass(frozen=True, slots=True)
class RefusalCount:
    """How many deliveries to a domain have answers with the same code."""

    domain: str
    #: Reply code and enhanced code: `550 5.1.1`, `451`.
    code: str
    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstBatchStats:
    """The results of the part of an issue that is sent first."""

    number: int
    #: Not attempted yet.
    pending: int
    sent: int
    #: Refused, bounced, or complained about.
    failed: int
    last_sent_at: datetime | None


class Deliveries:
    """The deliveries in an open store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._synced_at: datetime | None = None
        #: True if anything was committed since.
        self._has_unsynced = False

    @contextmanager
    def bulk_mode(self) -> Iterator[None]:
        """Run the block with settings for thousands of commits a second; afterwards the store is one file again."""
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute(f"PRAGMA busy_timeout = {_SENDER_TIMEOUT}")
        try:
            yield
        finally:
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute(f"PRAGMA busy_timeout = {_DEFAULT_TIMEOUT}")
            with suppress(sqlite3.OperationalError):  # another process reads it; the next sender will do it
                self._db.execute("PRAGMA journal_mode = DELETE")

    def recover(self, issue_id: int) -> None:
        """Recover after a killed sender: leased deliveries are ready again; those handed over may have been delivered.

        Call it only while no other sender is at work.
        """
        with transaction(self._db):
            self._db.execute(_RELEASE, (issue_id,))
            self._db.execute(_MARK_UNKNOWN, (issue_id,))

    def claim(self, issue_id: int, limit: int, now: datetime, *, resend: int, every: int = 1) -> list[Delivery]:
        """Lease deliveries that are ready, or due at *now*, in the order of their ids: all, or one in *every*.

        One that may have been delivered is handed over again at most *resend* times.
        """
        return self._claim(_CLAIM, (issue_id, every, encode_time(now), resend, limit))

    def claim_untried(self, issue_id: int, limit: int, *, every: int = 1) -> list[Delivery]:
        """Lease deliveries that no server has answered yet, in the order of their ids: all, or one in *every*."""
        return self._claim(_CLAIM_UNTRIED, (issue_id, every, limit))

    def _claim(self, query: str, values: tuple[object, ...]) -> list[Delivery]:
        with transaction(self._db):
            rows = self._db.execute(query, values).fetchall()
        return sorted(map(_to_delivery, rows), key=lambda delivery: delivery.id)

    def commit_and_begin(self, outcomes: Sequence[DeliveryOutcome], begin: Sequence[int], now: datetime) -> set[int]:
        """Record outcomes, and mark deliveries as being handed over, in one transaction.

        With neither, only sync earlier commits to the disk when that is due. Returns the ids that are still to be
        handed over: a delivery that was cancelled meanwhile is not, because its subscriber has unsubscribed. If one is
        cancelled while it is being handed over, only a success is recorded.
        """
        is_due = self._synced_at is None or now - self._synced_at >= _SYNC_EVERY or now < self._synced_at
        if not (outcomes or begin):
            if is_due and self._has_unsynced:  # no later commit will sync it soon
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")
                self._synced_at, self._has_unsynced = now, False
            return set()
        at = encode_time(now)
        if is_due:
            self._db.execute("PRAGMA synchronous = FULL")
        with transaction(self._db):
            self._db.executemany(_FINISH, [_finish_values(outcome, at) for outcome in outcomes])
            count = self._db.executemany(_BEGIN, [(at, number) for number in begin]).rowcount if begin else 0
            begun = set(begin) if count == len(begin) else {number for number in begin if self._is_begun(number)}
        if is_due:
            self._synced_at = now
            self._db.execute("PRAGMA synchronous = NORMAL")
        self._has_unsynced = not is_due
        return begun

    def _is_begun(self, delivery_id: int) -> bool:
        query = "SELECT 1 FROM deliveries WHERE id = ? AND state = 'handing_over'"
        return self._db.execute(query, (delivery_id,)).fetchone() is not None

    def leased_ids(self, issue_id: int) -> frozenset[int]:
        """Return the ids of leased deliveries of an issue; a lease that is missing was cancelled."""
        # The last condition only selects the index.
        query = f"SELECT id FROM deliveries WHERE issue_id = ? AND state = 'leased' AND {IS_OPEN}"  # noqa: S608 - constant
        return frozenset(row[0] for row in self._db.execute(query, (issue_id,)))

    def release(self, issue_id: int) -> None:
        """Return leased deliveries that were not begun."""
        with transaction(self._db):
            self._db.execute(_RELEASE, (issue_id,))

    def count_states(self, issue_id: int) -> dict[DeliveryState, int]:
        """Return how many deliveries of an issue are in each state."""
        query = "SELECT state, count(*) FROM deliveries WHERE issue_id = ? GROUP BY state"
        counts = dict(self._db.execute(query, (issue_id,)).fetchall())
        return {state: counts.get(state, 0) for state in DeliveryState}

    def count_sent(self, since: datetime) -> int:
        """Return how many messages were sent after *since*: deliveries of all issues, and mail outside of issues."""
        at = encode_time(since)
        return int(self._db.execute(_COUNT_SENT, (at, at)).fetchone()[0])

    def sent_before(self, number: int, now: datetime) -> datetime:
        """Return when the *number*-th last of these messages was sent; *now* if there are fewer."""
        row = self._db.execute(_SELECT_SENT_BEFORE, (number - 1,)).fetchone()
        return decode_time(row[0]) if row else now

    def has_begun(self, issue_id: int) -> bool:
        """Return whether any delivery of an issue was ever attempted."""
        query = (
            "SELECT 1 FROM deliveries WHERE issue_id = ? AND (handed_over_at IS NOT NULL OR answer IS NOT NULL) LIMIT 1"
        )
        return self._db.execute(query, (issue_id,)).fetchone() is not None

    def has_sent(self, issue_id: int) -> bool:
        """Return whether any delivery of an issue was sent."""
        query = "SELECT 1 FROM deliveries WHERE issue_id = ? AND state = 'sent' LIMIT 1"
        return self._db.execute(query, (issue_id,)).fetchone() is not None

    def sent_per_minute(self, issue_id: int, now: datetime) -> int:
        """Return how many deliveries were sent in the minute before *now*."""
        query = "SELECT count(*) FROM deliveries WHERE issue_id = ? AND sent_at > ?"
        return int(self._db.execute(query, (issue_id, encode_time(now - timedelta(minutes=1)))).fetchone()[0])

    def count_refusals(self, issue_id: int) -> Iterator[RefusalCount]:
        """Yield how often each answer code occurs at each domain among deliveries not sent, the most frequent first."""
        query = (
            "SELECT substr(recipient_key, instr(recipient_key, '@') + 1), answer, count(*) FROM deliveries"
            " WHERE issue_id = ? AND state NOT IN ('sent', 'cancelled') AND answer IS NOT NULL AND answer != ?"
            " GROUP BY 1, 2"
        )
        counts: Counter[tuple[str, str]] = Counter()
        for domain, answer, number in self._db.execute(query, (issue_id, DOMAIN_PAUSED)):
            codes = _REPLY_CODES.match(answer)
            counts[domain, codes[1] if codes else ""] += number
        yield from (RefusalCount(*key, number) for key, number in counts.most_common())

    def load_results(self, issue_id: int) -> Iterator[DeliveryResult]:
        """Yield the results of the deliveries of an issue, in the order of their ids."""
        query = (
            "SELECT d.recipient, l.lang, d.state, d.sent_at, coalesce(d.answer, ''), d.tries"
            " FROM deliveries d JOIN letters l ON l.id = d.letter_id WHERE d.issue_id = ? ORDER BY d.id"
        )
        for recipient, lang, state, sent_at, answer, tries in self._db.execute(query, (issue_id,)):
            yield DeliveryResult(
                recipient, lang, DeliveryState(state), decode_time(sent_at) if sent_at else None, answer, tries
            )

    def pending(self, issue_id: int, *, resend: int) -> tuple[int, datetime | None, int]:
        """Return how many deliveries are pending, when the first is due, and how many are held.

        Held are those that may have been delivered more than *resend* times, until the operator decides.
        """
        number, first, held = self._db.execute(_COUNT_PENDING, {"issue": issue_id, "resend": resend}).fetchone()
        return number, decode_time(first) if first else None, held

    def first_batch_stats(self, issue_id: int, every: int) -> FirstBatchStats:
        """Return the results of one delivery in *every* of an issue."""
        number, pending, sent, failed, last = self._db.execute(_FIRST_BATCH, (issue_id, every)).fetchone()
        return FirstBatchStats(
            number=number, pending=pending, sent=sent, failed=failed, last_sent_at=decode_time(last) if last else None
        )

    def release_to_all(self, issue_id: int) -> None:
        """Record that an issue may be sent to all recipients."""
        with transaction(self._db):
            self._db.execute(_RELEASE_TO_ALL, (issue_id,))

    def retry_now(self, issue_id: int) -> None:
        """Make all deferred and held deliveries ready, after the operator has decided so."""
        with transaction(self._db):
            query = (
                "UPDATE deliveries SET state = 'ready', unknowns = 0, tries = 0, next_at = NULL"
                " WHERE issue_id = ? AND state IN ('deferred', 'unknown')"
            )
            self._db.execute(query, (issue_id,))
            self._db.execute(_RELEASE_TO_ALL, (issue_id,))

    def cancel_pending(self, issue_id: int, answer: str) -> int:
        """Cancel everything that is not sent yet; return how many deliveries that were.

        One that is being handed over stays known as possibly delivered, even if its sender is killed.
        """
        with transaction(self._db):
            return self._db.execute(_CANCEL, (answer, issue_id)).rowcount

    def halt(self, issue_id: int, reason: str) -> None:
        """Record why an issue is halted; empty: it is not."""
        with transaction(self._db):
            self._db.execute("UPDATE issues SET halted = ? WHERE id = ?", (reason, issue_id))


def _finish_values(outcome: DeliveryOutcome, now: str) -> tuple[object, ...]:
    sent_at = now if outcome.state is DeliveryState.SENT else None
    next_at = encode_time(outcome.next_at) if outcome.next_at else None
    is_unknown = outcome.state is DeliveryState.UNKNOWN
    return (outcome.state, sent_at, outcome.answer, outcome.tries, next_at, is_unknown, outcome.id, outcome.state)


def _to_delivery(row: tuple[int, int, str, str, str | None, int | None, int]) -> Delivery:
    delivery_id, letter_id, recipient, state, handed_over_at, subscriber_id, tries = row
    return Delivery(
        id=delivery_id,
        letter_id=letter_id,
        recipient=recipient,
        state=DeliveryState(state),
        handed_over_at=decode_time(handed_over_at) if handed_over_at else None,
        subscriber_id=subscriber_id,
        tries=tries,
    )
