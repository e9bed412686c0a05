"""Deliveries in the store: what is recorded before and after each message is sent.

A sender asks thousands of times a second. Guarantees:

* `leased` and `handing_over` are recorded before the step that they announce, the answer after it. If the process is
  killed, no delivery is lost, and only one in `handing_over` may have been delivered.
* A killed process loses nothing that it has recorded: each commit is passed to the operating system (SQLite's WAL) or
  to the database server. It reaches the disk within a quarter of a second, with later ones (`commit_and_begin`), so a
  power failure may lose that much.
* Transactions of the sender are shared: on PostgreSQL they do not wait until an import ends. Their statements check the
  states again that others may have changed, and lock rows in the order of ids, or only those that are free.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from feeds.edges.store.interface import Database, Row, decode_time, decode_time_if_any, encode_time
from feeds.model import Delivery, DeliveryOutcome, DeliveryState

#: How long a commit may stay in the memory of the operating system.
_SYNC_EVERY = timedelta(milliseconds=250)
#: The codes of an answer; a delivery that was given up keeps the last one (`feeds.core.newsletters.replies`).
_REPLY_CODES = re.compile(r"(?:given up after \d+ tries: )?(\d{3}(?: \d\.\d{1,3}\.\d{1,3})?)")
#: The answer of deliveries that wait because their domain is paused. Stored, and compared: do not change it.
DOMAIN_PAUSED = "waits: its domain is paused"


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

    def __init__(self, database: Database) -> None:
        self._db = database
        self._synced_at: datetime | None = None
        #: True if anything was committed since.
        self._has_unsynced = False
        #: Its outcomes, and the connection: a server that has crashed may have lost them, and lost the connection.
        self._unsynced: dict[int, DeliveryOutcome] = {}
        self._connection = database.connection

    def bulk_mode(self) -> AbstractContextManager[None]:
        """Run the block with settings for thousands of commits a second; a SQLite store is one file again then."""
        return self._db.bulk_mode()

    def recover(self, issue_id: int) -> None:
        """Recover after a killed sender: leased deliveries are ready again; those handed over may have been delivered.

        Call it only while no other sender is at work.
        """
        with self._db.transaction():
            self._db.execute("deliveries.release", issue=issue_id)
            self._db.execute("deliveries.mark_unknown", issue=issue_id)

    def claim(self, issue_id: int, limit: int, now: datetime, *, resend: int, every: int = 1) -> list[Delivery]:
        """Lease deliveries that are ready, or due at *now*, in the order of their ids: all, or one in *every*.

        One that may have been delivered is handed over again at most *resend* times.
        """
        values = {"issue": issue_id, "limit": limit, "now": now, "resend": resend, "every": every}
        return self._claim("deliveries.claim", values)

    def claim_untried(self, issue_id: int, limit: int, *, every: int = 1) -> list[Delivery]:
        """Lease deliveries that no server has answered yet, in the order of their ids: all, or one in *every*."""
        return self._claim("deliveries.claim_untried", {"issue": issue_id, "limit": limit, "every": every})

    def _claim(self, statement: str, values: dict[str, object]) -> list[Delivery]:
        """Lease deliveries. After a lost connection some may be leased twice over; `release` returns the others."""

        def claim() -> list[Row]:
            with self._db.transaction("shared", synced=self._db.crashes_alone):  # else they could be leased again
                return self._db.all(statement, **values)

        return _to_deliveries(self._db.retry(claim))

    def commit_and_begin(self, outcomes: Sequence[DeliveryOutcome], begin: Sequence[int], now: datetime) -> set[int]:
        """Record outcomes, and mark deliveries as being handed over, in one transaction.

        With neither, only sync earlier commits to the disk when that is due. Returns the ids that are still to be
        handed over: a delivery that was cancelled meanwhile is not, because its subscriber has unsubscribed. If one is
        cancelled while it is being handed over, only a success is recorded.
        """
        is_due = self._synced_at is None or now - self._synced_at >= _SYNC_EVERY or now < self._synced_at
        if not (outcomes or begin):
            if is_due and self._has_unsynced:  # no later commit will sync it soon
                self._db.retry(lambda: self._sync(now))
                self._note_commit([], now, synced=True)
            return set()
        begun = self._db.retry(lambda: self._commit(outcomes, begin, now, synced=is_due))
        self._note_commit(outcomes, now, synced=is_due)
        return begun

    def _sync(self, now: datetime) -> None:
        self._db.sync()
        if self._lost:
            self._commit([], [], now, synced=True)

    def _commit(
        self, outcomes: Sequence[DeliveryOutcome], begin: Sequence[int], now: datetime, *, synced: bool
    ) -> set[int]:
        """Record outcomes and begin; done twice, it changes nothing more."""
        with self._db.transaction("shared", synced=synced):
            self._finish([*(self._lost | _by_id(outcomes)).values()], now)
            return self._begin(begin, now)

    @property
    def _lost(self) -> dict[int, DeliveryOutcome]:
        """Outcomes that were committed, and that a crashed server may have lost, by delivery."""
        return {} if self._db.connection is self._connection else self._unsynced

    def _note_commit(self, outcomes: Sequence[DeliveryOutcome], now: datetime, *, synced: bool) -> None:
        self._connection, self._has_unsynced = self._db.connection, not synced
        if synced:
            self._synced_at = now
            self._unsynced = {}
        elif self._db.crashes_alone:
            self._unsynced |= _by_id(outcomes)

    def _finish(self, outcomes: Sequence[DeliveryOutcome], now: datetime) -> None:
        if outcomes:
            values = json.dumps([_outcome_values(outcome) for outcome in outcomes], ensure_ascii=False)
            self._db.execute("deliveries.finish", outcomes=values, now=now)

    def _begin(self, ids: Sequence[int], now: datetime) -> set[int]:
        return {row[0] for row in self._db.all("deliveries.begin", ids=list(ids), now=now)} if ids else set()

    def leased_ids(self, issue_id: int) -> frozenset[int]:
        """Return the ids of leased deliveries of an issue; a lease that is missing was cancelled."""
        return frozenset(row[0] for row in self._db.all("deliveries.leased_ids", issue=issue_id))

    def release(self, issue_id: int) -> None:
        """Return leased deliveries that were not begun."""
        with self._db.transaction("shared", synced=False):
            self._db.execute("deliveries.release", issue=issue_id)

    def count_states(self, issue_id: int) -> dict[DeliveryState, int]:
        """Return how many deliveries of an issue are in each state."""
        counts: dict[str, int] = dict(self._db.all("deliveries.count_states", issue=issue_id))
        return {state: counts.get(state, 0) for state in DeliveryState}

    def count_sent(self, since: datetime) -> int:
        """Return how many messages were sent after *since*: deliveries of all issues, and mail outside of issues."""
        return int(self._db.value("deliveries.count_sent", since=since))

    def sent_before(self, number: int, now: datetime) -> datetime:
        """Return when the *number*-th last of these messages was sent; *now* if there are fewer."""
        found = self._db.value("deliveries.sent_before", offset=number - 1)
        return decode_time(found) if found else now

    def has_begun(self, issue_id: int) -> bool:
        """Return whether any delivery of an issue was ever attempted."""
        return self._db.one("deliveries.has_begun", issue=issue_id) is not None

    def has_sent(self, issue_id: int) -> bool:
        """Return whether any delivery of an issue was sent."""
        return self._db.one("deliveries.has_sent", issue=issue_id) is not None

    def sent_per_minute(self, issue_id: int, now: datetime) -> int:
        """Return how many deliveries were sent in the minute before *now*."""
        return int(self._db.value("deliveries.sent_since", issue=issue_id, since=now - timedelta(minutes=1)))

    def count_refusals(self, issue_id: int) -> Iterator[RefusalCount]:
        """Yield how often each answer code occurs at each domain among deliveries not sent, the most frequent first."""
        counts: Counter[tuple[str, str]] = Counter()
        for domain, answer, number in self._db.iterate("deliveries.count_answers", issue=issue_id, but=DOMAIN_PAUSED):
            codes = _REPLY_CODES.match(answer)
            counts[domain, codes[1] if codes else ""] += number
        yield from (RefusalCount(*key, number) for key, number in counts.most_common())

    def load_results(self, issue_id: int) -> Iterator[DeliveryResult]:
        """Yield the results of the deliveries of an issue, in the order of their ids."""
        for recipient, lang, state, sent_at, answer, tries in self._db.iterate(
            "deliveries.load_results", issue=issue_id
        ):
            yield DeliveryResult(recipient, lang, DeliveryState(state), decode_time_if_any(sent_at), answer, tries)

    def pending(self, issue_id: int, *, resend: int) -> tuple[int, datetime | None, int]:
        """Return how many deliveries are pending, when the first is due, and how many are held.

        Held are those that may have been delivered more than *resend* times, until the operator decides.
        """
        row = self._db.one("deliveries.count_pending", issue=issue_id, resend=resend)
        assert row is not None
        number, first, held = row
        return number, decode_time_if_any(first), held

    def first_batch_stats(self, issue_id: int, every: int) -> FirstBatchStats:
        """Return the results of one delivery in *every* of an issue."""
        row = self._db.one("deliveries.first_batch", issue=issue_id, every=every)
        assert row is not None
        number, pending, sent, failed, last = row
        return FirstBatchStats(
            number=number, pending=pending, sent=sent, failed=failed, last_sent_at=decode_time_if_any(last)
        )

    def release_to_all(self, issue_id: int) -> None:
        """Record that an issue may be sent to all recipients."""
        with self._db.transaction():
            self._db.execute("deliveries.release_to_all", issue=issue_id)

    def retry_now(self, issue_id: int) -> None:
        """Make all deferred and held deliveries ready, after the operator has decided so."""
        with self._db.transaction():
            self._db.execute("deliveries.retry_now", issue=issue_id)
            self._db.execute("deliveries.release_to_all", issue=issue_id)

    def cancel_pending(self, issue_id: int, answer: str) -> int:
        """Cancel everything that is not sent yet; return how many deliveries that were.

        One that is being handed over stays known as possibly delivered, even if its sender is killed.
        """
        with self._db.transaction():
            return self._db.execute("deliveries.cancel", issue=issue_id, answer=answer)

    def halt(self, issue_id: int, reason: str) -> None:
        """Record why an issue is halted; empty: it is not."""
        with self._db.transaction():
            self._db.execute("deliveries.halt", issue=issue_id, reason=reason)


def _by_id(outcomes: Iterable[DeliveryOutcome]) -> dict[int, DeliveryOutcome]:
    return {outcome.id: outcome for outcome in outcomes}


def _outcome_values(outcome: DeliveryOutcome) -> dict[str, object]:
    return {
        "id": outcome.id,
        "state": outcome.state,
        "answer": outcome.answer,
        "tries": outcome.tries,
        "next_at": encode_time(outcome.next_at) if outcome.next_at else None,
    }


def _to_deliveries(rows: Iterable[Row]) -> list[Delivery]:
    return sorted(map(_to_delivery, rows), key=attrgetter("id"))


def _to_delivery(row: Row) -> Delivery:
    delivery_id, letter_id, recipient, state, handed_over_at, subscriber_id, tries = row
    return Delivery(
        id=delivery_id,
        letter_id=letter_id,
        recipient=recipient,
        state=DeliveryState(state),
        handed_over_at=decode_time_if_any(handed_over_at),
        subscriber_id=subscriber_id,
        tries=tries,
    )
