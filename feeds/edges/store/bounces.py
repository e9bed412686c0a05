"""Bounces in the store: the bounces of each subscriber, the decisions on them, and pauses.

The effects of a message, and the fact that it was processed, are committed together (`transaction`): if the process is
killed, all of it is stored, or nothing.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from feeds.edges.store.codec import decode_time, encode_time
from feeds.edges.store.deliveries import DOMAIN_PAUSED
from feeds.edges.store.signups import delete_signup
from feeds.edges.store.sqlite import IS_OPEN, transaction
from feeds.edges.store.subscription_changes import record_changes
from feeds.edges.store.suppressions import add_suppression
from feeds.edges.store.unsubscribe import CANCEL_PENDING, leave
from feeds.model import BounceRecord, ChangeSource, Recipient

#: How long the digest of a processed message is kept: the message may be put back into the mailbox.
_KEEP_FOR = timedelta(days=365)
#: The domain of an address.
_DOMAIN_OF = "substr({0}, instr({0}, '@') + 1)"
_SELECT_DELIVERY = f"""
    SELECT d.id, d.issue_id, d.subscriber_id, {_DOMAIN_OF.format("d.recipient_key")}, d.recipient,
        i.seed, i.newsletter, i.number
    FROM deliveries d JOIN issues i ON i.id = d.issue_id WHERE d.id = ?
"""  # noqa: S608 - made of constants, as are all below
_SELECT_SERVICE_MAIL = """
    SELECT m.recipient, substr(m.recipient_key, instr(m.recipient_key, '@') + 1), m.seed, s.id
    FROM service_mails m LEFT JOIN subscribers s ON s.email_key = m.recipient_key WHERE m.id = ?
"""
_SELECT_SUBSCRIBER = f"SELECT id, {_DOMAIN_OF.format('email_key')}, email FROM subscribers WHERE id = ?"  # noqa: S608 - as above
_INSERT_BOUNCE = """
    INSERT INTO bounces (subscriber_id, delivery_id, issue_id, domain, kind, status, said, at)
    SELECT id, ?, ?, ?, ?, ?, ?, ? FROM subscribers WHERE id = ? ON CONFLICT DO NOTHING RETURNING id
"""
#: The ids of an issue's deliveries are consecutive, so they are searched by id (`+`: do not use the issue's index).
_SELECT_REFUSED = f"""
    SELECT d.id, d.subscriber_id, {_DOMAIN_OF.format("d.recipient_key")}, d.answer FROM deliveries d
    WHERE d.id > max(:last, (SELECT min(id) - 1 FROM deliveries WHERE issue_id = :issue))
    AND d.id <= (SELECT max(id) FROM deliveries WHERE issue_id = :issue) AND +d.issue_id = :issue
    AND d.state = 'failed' AND d.subscriber_id IS NOT NULL AND d.answer IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM bounces b WHERE b.delivery_id = d.id) ORDER BY d.id LIMIT :most
"""  # noqa: S608 - as above
_BOUNCE_COLUMNS = "b.id, b.subscriber_id, b.issue_id, b.domain, b.kind, b.status, b.said, b.at, s.email, s.status"
_SELECT_UNDECIDED = f"""
    SELECT {_BOUNCE_COLUMNS} FROM bounces b JOIN subscribers s ON s.id = b.subscriber_id
    WHERE b.decision = '' ORDER BY b.id
"""  # noqa: S608 - as above
#: Bounces before the subscriber's last change of status do not count.
_SELECT_EARLIER = """
    SELECT b.kind, b.at FROM bounces b JOIN subscribers s ON s.id = b.subscriber_id
    WHERE b.subscriber_id = ? AND b.id != ? AND b.at >= s.status_at AND b.decision NOT IN ('', 'held', 'undone')
"""
_SELECT_LAST_ARRIVAL = """
    SELECT max(d.sent_at) FROM deliveries d WHERE d.subscriber_id = ? AND d.state = 'sent' AND d.sent_at <= ?
    AND NOT EXISTS (SELECT 1 FROM bounces b WHERE b.delivery_id = d.id)
"""
_COUNT_BOUNCES = """
    SELECT count(*) FILTER (WHERE kind = 'hard'), count(*) FILTER (WHERE kind = 'policy') FROM bounces
    WHERE domain = ? AND issue_id = ? AND decision NOT IN ({0})
"""
_COUNT_RECIPIENTS = """
    SELECT count(*) FROM deliveries WHERE issue_id = ? AND subscriber_id IS NOT NULL
    AND (state IN ('sent', 'failed') OR handed_over_at IS NOT NULL) AND recipient_key LIKE '%@' || ?
"""
_SELECT_HELD = "SELECT 1 FROM bounces WHERE domain = ? AND issue_id = ? AND decision = 'held' LIMIT 1"
_SET_STATUS = "UPDATE subscribers SET status = ?, status_at = ? WHERE id = ?"
_INSERT_PAUSE = (
    "INSERT INTO pauses (subscriber_id, until) VALUES (?, ?) ON CONFLICT DO UPDATE SET until = excluded.until"
)
_INSERT_PAUSED_DOMAIN = """
    INSERT INTO paused_domains (domain, until, reason) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET until = excluded.until, reason = excluded.reason
"""
_PENDING_AT_DOMAIN = f"{IS_OPEN} AND recipient_key LIKE '%@' || :domain"
_DEFER_DELIVERIES = f"""
    UPDATE deliveries SET state = 'deferred', next_at = :until, answer = :answer
    WHERE {_PENDING_AT_DOMAIN} AND state IN ('ready', 'leased', 'deferred')
"""  # noqa: S608 - made of constants
_RELEASE_DELIVERIES = f"UPDATE deliveries SET next_at = NULL WHERE {_PENDING_AT_DOMAIN} AND answer = :answer"  # noqa: S608 - as above
#: Subscribers whose last change of status was caused by the bounce.
_REACTIVATE = """
    UPDATE subscribers SET status = 'active', status_at = :now WHERE status = 'bounced' AND EXISTS (
        SELECT 1 FROM bounces b WHERE b.subscriber_id = subscribers.id AND b.at = subscribers.status_at
        AND b.decision = 'bounced' AND {0})
"""
_DELETE_PAUSES = """
    DELETE FROM pauses WHERE subscriber_id IN (
        SELECT b.subscriber_id FROM bounces b WHERE b.decision = 'paused' AND {0})
"""
_SET_DECISION = """
    UPDATE bounces AS b SET decision = :decision
    WHERE b.kind != 'complaint' AND b.decision NOT IN (:decision, 'undone') AND {0}
"""
_IN_ISSUE = "b.domain = :domain AND b.issue_id = :issue"
_IN_PERIOD = "b.domain = :domain AND b.at >= :start AND b.at < :end"


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A delivery that a server has refused."""

    delivery_id: int
    subscriber_id: int
    domain: str
    answer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PausedDomain:
    """A domain that gets no letters for now."""

    domain: str
    until: datetime
    #: A text for the operator.
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RevivalCounts:
    """The result of a revival."""

    #: Subscribers who get letters again: those who had bounced, and those who were paused.
    reactivated: int
    unpaused: int
    #: Bounces whose decision was undone.
    undone: int
    #: True if the domain itself was paused.
    domain_unpaused: bool


class _Rollback(Exception):  # noqa: N818 - not an error
    """Rolls back a dry run."""


class Bounces:
    """The bounces in an open store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    @contextmanager
    def transaction(self, *, dry_run: bool = False) -> Iterator[None]:
        """Run the block in one transaction; a dry run is rolled back."""
        with suppress(_Rollback), transaction(self._db):
            yield
            if dry_run:
                raise _Rollback

    # Messages -----------------------------------------------------------------------------------------------------

    def claim_message(self, digest: str, now: datetime) -> bool:
        """Record a message as processed; return False if it was recorded before. Inside `transaction`."""
        query = "INSERT INTO handled_messages (digest, at) VALUES (?, ?) ON CONFLICT DO NOTHING"
        return self._db.execute(query, (digest, encode_time(now))).rowcount > 0

    def has_handled(self) -> bool:
        """Return whether a message of a bounce mailbox was processed lately."""
        return self._db.execute("SELECT 1 FROM handled_messages LIMIT 1").fetchone() is not None

    def delete_old_messages(self, now: datetime) -> None:
        """Delete the digests of messages that were processed long ago. Inside `transaction`."""
        self._db.execute("DELETE FROM handled_messages WHERE at < ?", (encode_time(now - _KEEP_FOR),))

    def find_delivery(self, delivery_id: int) -> Recipient | None:
        """Return the recipient of a delivery; None if the store does not have it."""
        row = self._db.execute(_SELECT_DELIVERY, (delivery_id,)).fetchone()
        if row is None:
            return None
        _, issue_id, subscriber_id, domain, email, seed, newsletter, number = row
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

    def find_service_mail(self, mail_id: int) -> Recipient | None:
        """Return the recipient of a mail outside of any issue; None if it was erased."""
        row = self._db.execute(_SELECT_SERVICE_MAIL, (mail_id,)).fetchone()
        if row is None:
            return None
        email, domain, seed, subscriber_id = row
        return Recipient(subscriber_id=subscriber_id, email=email, domain=domain, seed=seed, mail_id=mail_id)

    def apply_service_bounce(self, mail_id: int, said: str) -> None:
        """Record that a mail outside of any issue did not arrive, so that no reminder follows. Inside `transaction`."""
        query = "UPDATE service_mails SET state = 'failed', answer = ? WHERE id = ?"
        self._db.execute(query, (said, mail_id))

    def apply_service_complaint(self, recipient: Recipient, digest: str, at: datetime) -> None:
        """Suppress the address of a mail outside of any issue that was reported as spam. Inside `transaction`.

        It gets nothing more: no confirmation, and no letter if it has subscribed.
        """
        now = encode_time(at)
        query = (
            "UPDATE service_mails SET complained_at = coalesce(complained_at, ?) WHERE id = ? RETURNING recipient_key"
        )
        [key] = self._db.execute(query, (now, recipient.mail_id)).fetchone()
        add_suppression(self._db, digest, at)
        delete_signup(self._db, key)
        if recipient.subscriber_id is not None:
            self._db.execute(_SET_STATUS, ("complained", now, recipient.subscriber_id))
            self._db.execute(f"{CANCEL_PENDING} (?)", (recipient.subscriber_id,))

    def find_subscriber(self, subscriber_id: int) -> Recipient | None:
        """Return a subscriber as a recipient; None if the store does not have them."""
        row = self._db.execute(_SELECT_SUBSCRIBER, (subscriber_id,)).fetchone()
        return Recipient(subscriber_id=row[0], domain=row[1], email=row[2]) if row else None

    # Unsubscribing ------------------------------------------------------------------------------------------------

    def newsletters_of(self, subscriber_id: int) -> list[str]:
        """Return the newsletters that a subscriber reads or has unsubscribed from: a token may be about any of them."""
        query = "SELECT newsletter FROM subscriptions WHERE subscriber_id = ? UNION SELECT newsletter FROM leaves"
        return [row[0] for row in self._db.execute(f"{query} WHERE subscriber_id = ?", (subscriber_id, subscriber_id))]

    def unsubscribe_from(self, recipient: Recipient, newsletter: str, at: datetime) -> list[str]:
        """Unsubscribe from one newsletter, or `ALL_NEWSLETTERS`; return those they had. Inside `transaction`.

        A subscriber who has no subscription left is unsubscribed from everything.
        """
        if recipient.subscriber_id is None:
            return []
        with record_changes(self._db, recipient.subscriber_id, ChangeSource(how="mail"), at):
            return leave(self._db, recipient.subscriber_id, newsletter, at)

    # Bounces ------------------------------------------------------------------------------------------------------

    def record_bounce(self, recipient: Recipient, kind: str, status: str, said: str, at: datetime) -> int:
        """Store an undecided bounce; return its id. Inside `transaction`.

        Returns 0 if it is stored already, or if its subscriber is unknown.
        """
        values = (recipient.delivery_id, recipient.issue_id, recipient.domain, kind, status, said, encode_time(at))
        row = self._db.execute(_INSERT_BOUNCE, (*values, recipient.subscriber_id)).fetchone()
        return int(row[0]) if row else 0

    def refused_deliveries(self, issue_id: int, last: int, limit: int) -> list[Refusal]:
        """Return the first refused deliveries of an issue, after id *last*, that have no bounce yet."""
        rows = self._db.execute(_SELECT_REFUSED, {"issue": issue_id, "last": last, "most": limit}).fetchall()
        return [Refusal(delivery_id=d, subscriber_id=s, domain=domain, answer=a) for d, s, domain, a in rows]

    def load_undecided(self) -> list[BounceRecord]:
        """Return the undecided bounces, in the order in which they arrived."""
        return [_to_bounce(row) for row in self._db.execute(_SELECT_UNDECIDED).fetchall()]

    def earlier_bounces(self, subscriber_id: int, excluded: int) -> list[tuple[str, datetime]]:
        """Return kind and time of a subscriber's bounces that count, except the *excluded* one."""
        rows = self._db.execute(_SELECT_EARLIER, (subscriber_id, excluded)).fetchall()
        return [(kind, decode_time(at)) for kind, at in rows]

    def last_arrival(self, subscriber_id: int, before: datetime) -> datetime | None:
        """Return when the last letter was sent to a subscriber, up to *before*, that did not bounce."""
        found = self._db.execute(_SELECT_LAST_ARRIVAL, (subscriber_id, encode_time(before))).fetchone()[0]
        return decode_time(found) if found else None

    def apply_decision(self, bounce: BounceRecord, decision: str, until: datetime | None = None) -> None:
        """Store the decision on a bounce and apply it to the subscriber. Inside `transaction`.

        Args:
            bounce: the bounce.
            decision: a new status of the subscriber, `paused`, or a decision without a consequence.
            until: when a pause ends.
        """
        self._db.execute("UPDATE bounces SET decision = ? WHERE id = ?", (decision, bounce.id))
        if decision == "paused" and until is not None:
            self._db.execute(_INSERT_PAUSE, (bounce.subscriber_id, encode_time(until)))
        if decision in ("bounced", "complained"):
            self._db.execute(_SET_STATUS, (decision, encode_time(bounce.at), bounce.subscriber_id))
            self._db.execute(f"{CANCEL_PENDING} (?)", (bounce.subscriber_id,))

    # Domains ------------------------------------------------------------------------------------------------------

    def count_bounces(self, domain: str, issue_id: int, *, decided: bool = False) -> tuple[int, int]:
        """Return the number of an issue's hard and policy bounces at a domain; if *decided*, only those applied."""
        excluded = "'', 'held', 'undone'" if decided else "'undone'"
        hard, policy = self._db.execute(_COUNT_BOUNCES.format(excluded), (domain, issue_id)).fetchone()
        return hard, policy

    def count_recipients(self, domain: str, issue_id: int) -> int:
        """Return how many deliveries of an issue were attempted at a domain; scans the whole issue."""
        return int(self._db.execute(_COUNT_RECIPIENTS, (issue_id, domain)).fetchone()[0])

    def is_domain_held(self, domain: str, issue_id: int) -> bool:
        """Return whether bounces of an issue at a domain are held as a suspected outage."""
        return self._db.execute(_SELECT_HELD, (domain, issue_id)).fetchone() is not None

    def pause_domain(self, domain: str, issue_id: int, until: datetime, reason: str, now: datetime) -> None:
        """Pause a domain, and undo the decisions on bounces of this issue there. Inside `transaction`."""
        self._db.execute(_INSERT_PAUSED_DOMAIN, (domain, encode_time(until), reason))
        self._db.execute(_DEFER_DELIVERIES, {"answer": DOMAIN_PAUSED, "until": encode_time(until), "domain": domain})
        values = {"domain": domain, "issue": issue_id, "now": encode_time(now)}
        self._undo(_IN_ISSUE, values)
        self._db.execute(_SET_DECISION.format(_IN_ISSUE), values | {"decision": "held"})

    def release_domain(self, domain: str) -> int:
        """End the pause of a domain, and make its held bounces undecided; return how many. Inside `transaction`."""
        self._unpause(domain)
        return self._db.execute(
            "UPDATE bounces SET decision = '' WHERE domain = ? AND decision = 'held'", (domain,)
        ).rowcount

    def paused_domains(self, now: datetime) -> tuple[PausedDomain, ...]:
        """Return the domains that are paused now."""
        query = "SELECT domain, until, reason FROM paused_domains WHERE until > ? ORDER BY domain"
        rows = self._db.execute(query, (encode_time(now),)).fetchall()
        return tuple(
            PausedDomain(domain=domain, until=decode_time(until), reason=reason) for domain, until, reason in rows
        )

    def end_pauses(self, now: datetime) -> None:
        """End the pauses that have expired; without any, nothing is written."""
        for table in ("pauses", "paused_domains", "chosen_pauses"):
            expired = f"FROM {table} WHERE until <= ?"
            if self._db.execute(f"SELECT 1 {expired} LIMIT 1", (encode_time(now),)).fetchone():
                self._db.execute(f"DELETE {expired}", (encode_time(now),))

    def revive_domain(self, domain: str, start: datetime, end: datetime, now: datetime) -> RevivalCounts:
        """Undo the decisions on bounces at a domain from *start* to before *end*, except on complaints.

        The domain itself is no longer paused, whenever its pause began.
        """
        values = {"domain": domain, "start": encode_time(start), "end": encode_time(end), "now": encode_time(now)}
        with transaction(self._db):
            reactivated, unpaused = self._undo(_IN_PERIOD, values)
            undone = self._db.execute(_SET_DECISION.format(_IN_PERIOD), values | {"decision": "undone"}).rowcount
            was_paused = self._unpause(domain)
        return RevivalCounts(reactivated=reactivated, unpaused=unpaused, undone=undone, domain_unpaused=was_paused)

    def _unpause(self, domain: str) -> bool:
        """End the pause of a domain, and release the deliveries that waited for it; return whether it was paused."""
        self._db.execute(_RELEASE_DELIVERIES, {"answer": DOMAIN_PAUSED, "domain": domain})
        return self._db.execute("DELETE FROM paused_domains WHERE domain = ?", (domain,)).rowcount > 0

    def _undo(self, condition: str, values: Mapping[str, object]) -> tuple[int, int]:
        """Return how many subscribers were reactivated, and how many pauses were ended."""
        reactivated = self._db.execute(_REACTIVATE.format(condition), values).rowcount
        return reactivated, self._db.execute(_DELETE_PAUSES.format(condition), values).rowcount


def _to_bounce(row: tuple[int, int, int | None, str, str, str, str, str, str, str]) -> BounceRecord:
    bounce_id, subscriber_id, issue_id, domain, kind, status, said, at, email, subscriber_status = row
    return BounceRecord(
        id=bounce_id,
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
