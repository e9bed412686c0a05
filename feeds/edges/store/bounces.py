"""What comes back, in the memory: what each reader's letters met with, what was decided, and who is paused.

What a message says, what follows from it, and that it was read are written down together (`together`): whoever is
killed in between has done all of it, or nothing.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from feeds.edges.store.codec import decode_time, encode_time
from feeds.edges.store.deliveries import PAUSED
from feeds.edges.store.sqlite import transaction
from feeds.edges.store.unsubscribe import CANCEL_PENDING, unsubscribe_from, unsubscribe_if_last
from feeds.model import BounceRecord, Recipient

#: How long it is remembered that a message was read: it is removed at once, unless somebody brings it back.
_REMEMBERED = timedelta(days=365)
#: Of a reader's domain.
_AT = "substr({0}, instr({0}, '@') + 1)"
_DELIVERY = f"""
    SELECT d.id, d.issue_id, d.subscriber_id, {_AT.format("d.recipient_key")}, d.recipient,
        i.seed, i.newsletter, i.number
    FROM deliveries d JOIN issues i ON i.id = d.issue_id WHERE d.id = ?
"""  # noqa: S608 - made of constants, as are all below
_READER = f"SELECT id, {_AT.format('email_key')}, email FROM subscribers WHERE id = ?"  # noqa: S608 - as above
_INSERT = """
    INSERT INTO bounces (subscriber_id, delivery_id, issue_id, domain, kind, status, said, at)
    SELECT id, ?, ?, ?, ?, ?, ?, ? FROM subscribers WHERE id = ? ON CONFLICT DO NOTHING RETURNING id
"""
#: The ids of an issue's deliveries follow each other, so a part of it is found by them alone (`+`: not by the index).
_REFUSED = f"""
    SELECT d.id, d.subscriber_id, {_AT.format("d.recipient_key")}, d.answer FROM deliveries d
    WHERE d.id > max(:last, (SELECT min(id) - 1 FROM deliveries WHERE issue_id = :issue))
    AND d.id <= (SELECT max(id) FROM deliveries WHERE issue_id = :issue) AND +d.issue_id = :issue
    AND d.state = 'failed' AND d.subscriber_id IS NOT NULL AND d.answer IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM bounces b WHERE b.delivery_id = d.id) ORDER BY d.id LIMIT :most
"""  # noqa: S608 - as above
_ENTRY = "b.id, b.subscriber_id, b.issue_id, b.domain, b.kind, b.status, b.said, b.at, s.email, s.status"
_UNDECIDED = f"""
    SELECT {_ENTRY} FROM bounces b JOIN subscribers s ON s.id = b.subscriber_id WHERE b.decision = '' ORDER BY b.id
"""  # noqa: S608 - as above
#: What was before somebody came back does not count any more.
_EARLIER = """
    SELECT b.kind, b.at FROM bounces b JOIN subscribers s ON s.id = b.subscriber_id
    WHERE b.subscriber_id = ? AND b.id != ? AND b.at >= s.status_at AND b.decision NOT IN ('', 'held', 'undone')
"""
_ARRIVED = """
    SELECT max(d.sent_at) FROM deliveries d WHERE d.subscriber_id = ? AND d.state = 'sent' AND d.sent_at <= ?
    AND NOT EXISTS (SELECT 1 FROM bounces b WHERE b.delivery_id = d.id)
"""
_TALLY = """
    SELECT count(*) FILTER (WHERE kind = 'hard'), count(*) FILTER (WHERE kind = 'policy') FROM bounces
    WHERE domain = ? AND issue_id = ? AND decision NOT IN ({0})
"""
_WENT_TO = """
    SELECT count(*) FROM deliveries WHERE issue_id = ? AND subscriber_id IS NOT NULL
    AND (state IN ('sent', 'failed') OR handed_over_at IS NOT NULL) AND recipient_key LIKE '%@' || ?
"""
_HELD = "SELECT 1 FROM bounces WHERE domain = ? AND issue_id = ? AND decision = 'held' LIMIT 1"
_SUPPRESS = "UPDATE subscribers SET status = ?, status_at = ? WHERE id = ?"
_PAUSE = "INSERT INTO pauses (subscriber_id, until) VALUES (?, ?) ON CONFLICT DO UPDATE SET until = excluded.until"
_PAUSE_DOMAIN = """
    INSERT INTO paused_domains (domain, until, reason) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET until = excluded.until, reason = excluded.reason
"""
_AT_DOMAIN = "state NOT IN ('sent', 'failed') AND recipient_key LIKE '%@' || :domain"
_HOLD_BACK = f"""
    UPDATE deliveries SET state = 'deferred', next_at = :until, answer = :answer
    WHERE {_AT_DOMAIN} AND state IN ('ready', 'leased', 'deferred')
"""  # noqa: S608 - made of constants
_LET_GO = f"UPDATE deliveries SET next_at = NULL WHERE {_AT_DOMAIN} AND answer = :answer"  # noqa: S608 - as above
#: Readers who are where a bounce has put them, at that moment: nothing has happened to them since.
_BACK = """
    UPDATE subscribers SET status = 'active', status_at = :now WHERE status = 'bounced' AND EXISTS (
        SELECT 1 FROM bounces b WHERE b.subscriber_id = subscribers.id AND b.at = subscribers.status_at
        AND b.decision = 'bounced' AND {0})
"""
_UNPAUSE = """
    DELETE FROM pauses WHERE subscriber_id IN (
        SELECT b.subscriber_id FROM bounces b WHERE b.decision = 'paused' AND {0})
"""
_DECIDE_ANEW = """
    UPDATE bounces AS b SET decision = :decision
    WHERE b.kind != 'complaint' AND b.decision NOT IN (:decision, 'undone') AND {0}
"""
_OF_ISSUE = "b.domain = :domain AND b.issue_id = :issue"
_BETWEEN = "b.domain = :domain AND b.at >= :start AND b.at < :end"


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A delivery that a server's answer has ended."""

    delivery_id: int
    subscriber_id: int
    domain: str
    answer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PausedDomain:
    """A domain that gets no letters for now."""

    domain: str
    until: datetime
    #: In words.
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RevivalCounts:
    """What was undone."""

    #: Readers who get letters again: those who were given up, and those who were paused.
    readers: int
    unpaused: int
    #: Bounces that count no more.
    bounces: int
    #: Whether the domain itself was paused.
    domain: bool


class _DryRun(Exception):  # noqa: N818 - no fault, but the way out
    """Nothing is to be kept."""


class Bounces:
    """The part of an open store that knows them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    @contextmanager
    def transaction(self, *, dry_run: bool = False) -> Iterator[None]:
        """Hold what is done inside together: all of it is kept, or nothing; in a dry run nothing."""
        with suppress(_DryRun), transaction(self._db):
            yield
            if dry_run:
                raise _DryRun

    # Messages ---------------------------------------------------------------------------------------------------

    def claim_message(self, digest: str, now: datetime) -> bool:
        """Write down that a message is being handled; return False where it was before. Inside `together`."""
        query = "INSERT INTO handled_messages (digest, at) VALUES (?, ?) ON CONFLICT DO NOTHING"
        return self._db.execute(query, (digest, encode_time(now))).rowcount > 0

    def delete_old_messages(self, now: datetime) -> None:
        """Forget messages that were read long ago. Inside `together`."""
        self._db.execute("DELETE FROM handled_messages WHERE at < ?", (encode_time(now - _REMEMBERED),))

    def find_delivery(self, identity: int) -> Recipient | None:
        """Return whom a delivery is for; None where there is none of this number."""
        row = self._db.execute(_DELIVERY, (identity,)).fetchone()
        if row is None:
            return None
        delivery_id, issue_id, subscriber_id, domain, email, seed, newsletter, number = row
        return Recipient(
            subscriber_id=subscriber_id,
            email=email,
            domain=domain,
            delivery_id=delivery_id,
            issue_id=issue_id,
            newsletter=newsletter,
            number=number,
            seed=seed,
        )

    def find_subscriber(self, identity: int) -> Recipient | None:
        """Return a person; None where there is none of this number."""
        row = self._db.execute(_READER, (identity,)).fetchone()
        return Recipient(subscriber_id=row[0], domain=row[1], email=row[2]) if row else None

    # Leaving ----------------------------------------------------------------------------------------------------

    def newsletters_of(self, subscriber_id: int) -> list[str]:
        """Return the newsletters that a person reads, or has left one by one: what a token may speak of."""
        query = "SELECT newsletter FROM subscriptions WHERE subscriber_id = ? UNION SELECT newsletter FROM leaves"
        return [row[0] for row in self._db.execute(f"{query} WHERE subscriber_id = ?", (subscriber_id, subscriber_id))]

    def unsubscribe_from(self, recipient: Recipient, newsletter: str, at: datetime) -> bool:
        """Unsubscribe from one newsletter; return False if there is no such subscription. Inside `transaction`.

        A subscriber who has no subscription left is unsubscribed from everything.
        """
        query = "SELECT subscriber_id FROM subscriptions WHERE subscriber_id = ? AND newsletter = ?"
        row = self._db.execute(query, (recipient.subscriber_id, newsletter)).fetchone()
        if row is None:
            return False
        unsubscribe_from(self._db, row[0], newsletter, at)
        unsubscribe_if_last(self._db, row[0], at)
        return True

    # Bounces ----------------------------------------------------------------------------------------------------

    def record_bounce(self, reader: Recipient, kind: str, status: str, said: str, at: datetime) -> int:
        """Keep a bounce, undecided; return its number, 0 where it is known, or the reader is not. Inside `together`."""
        about = (reader.delivery_id, reader.issue_id, reader.domain, kind, status, said, encode_time(at))
        row = self._db.execute(_INSERT, (*about, reader.subscriber_id)).fetchone()
        return int(row[0]) if row else 0

    def refused_deliveries(self, issue_id: int, last: int, most: int) -> list[Refusal]:
        """Return the first deliveries of an issue behind *last* that servers refused and of which nothing is kept."""
        rows = self._db.execute(_REFUSED, {"issue": issue_id, "last": last, "most": most}).fetchall()
        return [Refusal(delivery_id=d, subscriber_id=s, domain=domain, answer=a) for d, s, domain, a in rows]

    def load_undecided(self) -> list[BounceRecord]:
        """Return the bounces of which nothing was decided yet, in the order in which they came."""
        return [_entry(row) for row in self._db.execute(_UNDECIDED).fetchall()]

    def earlier_bounces(self, subscriber_id: int, but: int) -> list[tuple[str, datetime]]:
        """Return kind and moment of a reader's bounces *but* one: those that count, since they stand as they do."""
        rows = self._db.execute(_EARLIER, (subscriber_id, but)).fetchall()
        return [(kind, decode_time(at)) for kind, at in rows]

    def last_arrival(self, subscriber_id: int, before: datetime) -> datetime | None:
        """Return when the last letter went out to a reader, up to a moment, that did not come back."""
        found = self._db.execute(_ARRIVED, (subscriber_id, encode_time(before))).fetchone()[0]
        return decode_time(found) if found else None

    def apply_decision(self, entry: BounceRecord, decision: str, until: datetime | None = None) -> None:
        """Write down what follows from a bounce, and let it follow. Inside `together`.

        Args:
            entry: the bounce.
            decision: a status that the reader has from now on, `paused`, or what changes nothing.
            until: how long a pause lasts.
        """
        self._db.execute("UPDATE bounces SET decision = ? WHERE id = ?", (decision, entry.id))
        if decision == "paused" and until is not None:
            self._db.execute(_PAUSE, (entry.subscriber_id, encode_time(until)))
        if decision in ("bounced", "complained"):
            self._db.execute(_SUPPRESS, (decision, encode_time(entry.at), entry.subscriber_id))
            self._db.execute(f"{CANCEL_PENDING} (?)", (entry.subscriber_id,))

    # Domains ----------------------------------------------------------------------------------------------------

    def count_bounces(self, domain: str, issue_id: int, *, decided: bool = False) -> tuple[int, int]:
        """Return how many bounces of an issue at a domain were hard, and how many about us; or those that counted."""
        but = "'', 'held', 'undone'" if decided else "'undone'"
        hard, policy = self._db.execute(_TALLY.format(but), (domain, issue_id)).fetchone()
        return hard, policy

    def count_recipients(self, domain: str, issue_id: int) -> int:
        """Return for how many readers of a domain an issue was handed over; looks through all of the issue."""
        return int(self._db.execute(_WENT_TO, (issue_id, domain)).fetchone()[0])

    def is_domain_held(self, domain: str, issue_id: int) -> bool:
        """Return whether the domain was found to blame for what became of an issue there."""
        return self._db.execute(_HELD, (domain, issue_id)).fetchone() is not None

    def pause_domain(self, domain: str, issue_id: int, until: datetime, reason: str, now: datetime) -> None:
        """Write nobody there for a while, and take back what bounces of this issue had decided. Inside `together`."""
        self._db.execute(_PAUSE_DOMAIN, (domain, encode_time(until), reason))
        self._db.execute(_HOLD_BACK, {"answer": PAUSED, "until": encode_time(until), "domain": domain})
        about = {"domain": domain, "issue": issue_id, "now": encode_time(now)}
        self._undo(_OF_ISSUE, about)
        self._db.execute(_DECIDE_ANEW.format(_OF_ISSUE), about | {"decision": "held"})

    def release_domain(self, domain: str) -> int:
        """Let what was held at a domain be decided, and pause it no longer; return how many. Inside `together`."""
        self._unpause(domain)
        return self._db.execute(
            "UPDATE bounces SET decision = '' WHERE domain = ? AND decision = 'held'", (domain,)
        ).rowcount

    def paused_domains(self, now: datetime) -> tuple[PausedDomain, ...]:
        """Return the domains that get no letters at this moment."""
        query = "SELECT domain, until, reason FROM paused_domains WHERE until > ? ORDER BY domain"
        rows = self._db.execute(query, (encode_time(now),)).fetchall()
        return tuple(
            PausedDomain(domain=domain, until=decode_time(until), reason=reason) for domain, until, reason in rows
        )

    def end_pauses(self, now: datetime) -> None:
        """End the pauses whose time has come; nothing is written where there are none."""
        for table in ("pauses", "paused_domains"):
            over = f"FROM {table} WHERE until <= ?"
            if self._db.execute(f"SELECT 1 {over} LIMIT 1", (encode_time(now),)).fetchone():
                self._db.execute(f"DELETE {over}", (encode_time(now),))

    def revive_domain(self, domain: str, start: datetime, end: datetime, now: datetime) -> RevivalCounts:
        """Undo what bounces at a domain had decided from *start* to before *end*; complaints and leaves stand.

        The domain itself is paused no longer, whenever that began.
        """
        about = {"domain": domain, "start": encode_time(start), "end": encode_time(end), "now": encode_time(now)}
        with transaction(self._db):
            readers, unpaused = self._undo(_BETWEEN, about)
            number = self._db.execute(_DECIDE_ANEW.format(_BETWEEN), about | {"decision": "undone"}).rowcount
            was = self._unpause(domain)
        return RevivalCounts(readers=readers, unpaused=unpaused, bounces=number, domain=was)

    def _unpause(self, domain: str) -> bool:
        """Pause a domain no longer, and let go what waited for that; return whether it was paused."""
        self._db.execute(_LET_GO, {"answer": PAUSED, "domain": domain})
        return self._db.execute("DELETE FROM paused_domains WHERE domain = ?", (domain,)).rowcount > 0

    def _undo(self, which: str, about: Mapping[str, object]) -> tuple[int, int]:
        """Return how many readers were brought back, and how many were paused and are no more."""
        readers = self._db.execute(_BACK.format(which), about).rowcount
        return readers, self._db.execute(_UNPAUSE.format(which), about).rowcount


def _entry(row: tuple[int, int, int | None, str, str, str, str, str, str, str]) -> BounceRecord:
    identity, subscriber_id, issue_id, domain, kind, status, said, at, email, subscriber_status = row
    return BounceRecord(
        id=identity,
        subscriber_id=subscriber_id,
        issue_id=issue_id,
        domain=domain,
        kind=kind,
        status=status,
        said=said,
        at=decode_time(at),
        email=email,
        subscriber_status=subscriber_status,
    )
