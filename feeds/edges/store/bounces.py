"""Bounces in the store: the bounces of each subscriber, the decisions on them, and pauses.

The effects of a message, and the fact that it was processed, are committed together (`transaction`): if the process is
killed, all of it is stored, or nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from feeds.edges.store.deliveries import DOMAIN_PAUSED
from feeds.edges.store.interface import Database, Row, decode_time, decode_time_if_any
from feeds.edges.store.journal_records import record_statuses
from feeds.edges.store.signups import delete_signup
from feeds.edges.store.subscribers import record_activations
from feeds.edges.store.subscription_changes import record_changes
from feeds.edges.store.suppressions import add_suppression
from feeds.edges.store.unsubscribe import cancel_pending, leave
from feeds.model import BounceRecord, ChangeSource, Recipient

#: How long the digest of a processed message is kept: the message may be put back into the mailbox.
_KEEP_FOR = timedelta(days=365)


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

    def __init__(self, database: Database) -> None:
        self._db = database

    @contextmanager
    def transaction(self, *, dry_run: bool = False) -> Iterator[None]:
        """Run the block in one transaction; a dry run is rolled back."""
        with suppress(_Rollback), self._db.transaction():
            yield
            if dry_run:
                raise _Rollback

    # Messages -----------------------------------------------------------------------------------------------------

    def claim_message(self, digest: str, now: datetime) -> bool:
        """Record a message as processed; return False if it was recorded before. Inside `transaction`."""
        return self._db.execute("bounces.claim_message", digest=digest, at=now) > 0

    def has_handled(self) -> bool:
        """Return whether a message of a bounce mailbox was processed lately."""
        return self._db.one("bounces.has_handled") is not None

    def delete_old_messages(self, now: datetime) -> None:
        """Delete the digests of messages that were processed long ago. Inside `transaction`."""
        self._db.execute("bounces.delete_old_messages", before=now - _KEEP_FOR)

    def find_delivery(self, delivery_id: int) -> Recipient | None:
        """Return the recipient of a delivery; None if the store does not have it."""
        row = self._db.one("bounces.find_delivery", id=delivery_id)
        if row is None:
            return None
        issue_id, subscriber_id, domain, email, seed, newsletter, number = row
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
        row = self._db.one("bounces.find_service_mail", id=mail_id)
        if row is None:
            return None
        email, domain, seed, subscriber_id = row
        return Recipient(subscriber_id=subscriber_id, email=email, domain=domain, seed=seed, mail_id=mail_id)

    def apply_service_bounce(self, mail_id: int, said: str) -> None:
        """Record that a mail outside of any issue did not arrive, so that no reminder follows. Inside `transaction`."""
        self._db.execute("bounces.fail_service_mail", id=mail_id, said=said)

    def apply_service_complaint(self, recipient: Recipient, digest: str, at: datetime) -> None:
        """Suppress the address of a mail outside of any issue that was reported as spam. Inside `transaction`.

        It gets nothing more: no confirmation, and no letter if it has subscribed.
        """
        key = self._db.value("bounces.record_complaint", id=recipient.mail_id, at=at)
        add_suppression(self._db, digest, at)
        delete_signup(self._db, key)
        if recipient.subscriber_id is not None:
            self._give_up(recipient.subscriber_id, "complained", at)

    def find_subscriber(self, subscriber_id: int) -> Recipient | None:
        """Return a subscriber as a recipient; None if the store does not have them."""
        row = self._db.one("bounces.find_subscriber", id=subscriber_id)
        return Recipient(subscriber_id=row[0], domain=row[1], email=row[2]) if row else None

    # Unsubscribing ------------------------------------------------------------------------------------------------

    def newsletters_of(self, subscriber_id: int) -> list[str]:
        """Return the newsletters that a subscriber reads or has unsubscribed from: a token may be about any of them."""
        return [row[0] for row in self._db.all("bounces.newsletters_of", id=subscriber_id)]

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
        bounce_id = self._db.value(
            "bounces.add",
            subscriber_id=recipient.subscriber_id,
            delivery_id=recipient.delivery_id,
            issue_id=recipient.issue_id,
            domain=recipient.domain,
            kind=kind,
            status=status,
            said=said,
            at=at,
        )
        return bounce_id or 0

    def refused_deliveries(self, issue_id: int, last: int, limit: int) -> list[Refusal]:
        """Return the first refused deliveries of an issue, after id *last*, that have no bounce yet."""
        rows = self._db.all("bounces.load_refused", issue_id=issue_id, last=last, limit=limit)
        return [Refusal(delivery_id=d, subscriber_id=s, domain=domain, answer=a) for d, s, domain, a in rows]

    def load_undecided(self) -> list[BounceRecord]:
        """Return the undecided bounces, in the order in which they arrived."""
        return [_to_bounce(row) for row in self._db.all("bounces.load_undecided")]

    def earlier_bounces(self, subscriber_id: int, excluded: int) -> list[tuple[str, datetime]]:
        """Return kind and time of a subscriber's bounces that count, except the *excluded* one."""
        rows = self._db.all("bounces.load_earlier", subscriber_id=subscriber_id, excluded=excluded)
        return [(kind, decode_time(at)) for kind, at in rows]

    def last_arrival(self, subscriber_id: int, before: datetime) -> datetime | None:
        """Return when the last letter was sent to a subscriber, up to *before*, that did not bounce."""
        return decode_time_if_any(self._db.value("bounces.last_arrival", subscriber_id=subscriber_id, before=before))

    def apply_decision(self, bounce: BounceRecord, decision: str, until: datetime | None = None) -> None:
        """Store the decision on a bounce and apply it to the subscriber. Inside `transaction`.

        Args:
            bounce: the bounce.
            decision: a new status of the subscriber, `paused`, or a decision without a consequence.
            until: when a pause ends.
        """
        self._db.execute("bounces.decide", id=bounce.id, decision=decision)
        if decision == "paused" and until is not None:
            self._db.execute("bounces.pause_subscriber", subscriber_id=bounce.subscriber_id, until=until)
        if decision in ("bounced", "complained"):
            self._give_up(bounce.subscriber_id, decision, bounce.at)

    def _give_up(self, subscriber_id: int, status: str, at: datetime) -> None:
        """Send nothing more to a subscriber, whose status is the reason."""
        changes = self._db.all("bounces.set_status", subscriber_id=subscriber_id, status=status, at=at)
        record_statuses(self._db, changes)
        cancel_pending(self._db, subscriber_id)

    # Domains ------------------------------------------------------------------------------------------------------

    def count_bounces(self, domain: str, issue_id: int, *, decided: bool = False) -> tuple[int, int]:
        """Return the number of an issue's hard and policy bounces at a domain; if *decided*, only those applied."""
        values = {"domain": domain, "issue_id": issue_id}
        rows = self._db.all("bounces.count_decided", **values) if decided else self._db.all("bounces.count", **values)
        [(hard, policy)] = rows
        return hard, policy

    def count_recipients(self, domain: str, issue_id: int) -> int:
        """Return how many deliveries of an issue were attempted at a domain; scans the whole issue."""
        return int(self._db.value("bounces.count_recipients", issue_id=issue_id, domain=domain))

    def is_domain_held(self, domain: str, issue_id: int) -> bool:
        """Return whether bounces of an issue at a domain are held as a suspected outage."""
        return self._db.one("bounces.is_domain_held", domain=domain, issue_id=issue_id) is not None

    def pause_domain(self, domain: str, issue_id: int, until: datetime, reason: str, now: datetime) -> None:
        """Pause a domain, and undo the decisions on bounces of this issue there. Inside `transaction`."""
        self._db.execute("bounces.pause_domain", domain=domain, until=until, reason=reason)
        self._db.execute("bounces.defer_deliveries", domain=domain, until=until, answer=DOMAIN_PAUSED)
        values = {"domain": domain, "issue_id": issue_id}
        record_activations(self._db, self._db.all("bounces.reactivate_in_issue", **values, now=now))
        self._db.execute("bounces.unpause_in_issue", **values)
        self._db.execute("bounces.hold_in_issue", **values)

    def release_domain(self, domain: str) -> int:
        """End the pause of a domain, and make its held bounces undecided; return how many. Inside `transaction`."""
        self._unpause(domain)
        return self._db.execute("bounces.release_held", domain=domain)

    def paused_domains(self, now: datetime) -> tuple[PausedDomain, ...]:
        """Return the domains that are paused now."""
        rows = self._db.all("bounces.load_paused_domains", now=now)
        return tuple(
            PausedDomain(domain=domain, until=decode_time(until), reason=reason) for domain, until, reason in rows
        )

    def end_pauses(self, now: datetime) -> None:
        """End the pauses that have expired; without any, nothing is written."""
        if self._db.one("bounces.has_expired_pauses", now=now) is not None:
            with self._db.transaction():
                self._db.execute("bounces.end_pauses", now=now)
                self._db.execute("bounces.end_domain_pauses", now=now)
                self._db.execute("bounces.end_chosen_pauses", now=now)

    def revive_domain(self, domain: str, start: datetime, end: datetime, now: datetime) -> RevivalCounts:
        """Undo the decisions on bounces at a domain from *start* to before *end*, except on complaints.

        The domain itself is no longer paused, whenever its pause began.
        """
        values = {"domain": domain, "start": start, "end": end}
        with self._db.transaction():
            reactivated = self._db.all("bounces.reactivate_in_period", **values, now=now)
            record_activations(self._db, reactivated)
            unpaused = self._db.execute("bounces.unpause_in_period", **values)
            undone = self._db.execute("bounces.undo_in_period", **values)
            was_paused = self._unpause(domain)
        return RevivalCounts(reactivated=len(reactivated), unpaused=unpaused, undone=undone, domain_unpaused=was_paused)

    def _unpause(self, domain: str) -> bool:
        """End the pause of a domain, and release the deliveries that waited for it; return whether it was paused."""
        self._db.execute("bounces.release_deliveries", domain=domain, answer=DOMAIN_PAUSED)
        return self._db.execute("bounces.unpause_domain", domain=domain) > 0


def _to_bounce(row: Row) -> BounceRecord:
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
