"""What can be asked of the memory, and told to it. Each method is one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from feeds.edges.store.schema import announced, deliveries, issues, letters, subscribers, subscriptions
from feeds.model import (
    Delivery,
    DeliveryState,
    Issue,
    IssueState,
    Letter,
    Selection,
    Subscriber,
)

_TO_BE_MADE = deliveries.c.state.in_([DeliveryState.READY, DeliveryState.HANDING_OVER])

#: Columns that a letter is made of.
_LETTER = ("lang", "subject", "html", "text", "page", "entry")


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """An address an issue will go to."""

    email: str
    key: str
    message_id: str
    lang: str
    #: None for `copy_to` addresses.
    subscriber_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """An issue before the store knows of it."""

    newsletter: str
    number: int
    slot: datetime
    selection: Selection
    letters: Sequence[Letter]
    #: Nobody yet, while it waits for approval.
    recipients: Sequence[Recipient]
    approved: bool = True


class Memory:
    """An open store."""

    def __init__(self, connection: sa.Connection) -> None:
        self._db = connection

    # Issues -----------------------------------------------------------------------------------------------------

    def announced(self, newsletter: str) -> frozenset[str]:
        """Return the ids of the entries a newsletter has announced."""
        query = sa.select(announced.c.entry_id).where(announced.c.newsletter == newsletter)
        with self._db.begin():
            return frozenset(self._db.execute(query).scalars())

    def last(self, newsletter: str) -> tuple[datetime | None, int]:
        """Return the last slot that was used, in UTC, and the highest number given."""
        query = sa.select(sa.func.max(issues.c.slot), sa.func.max(issues.c.number))
        with self._db.begin():
            slot, number = self._db.execute(query.where(issues.c.newsletter == newsletter)).one()
        return (_aware(slot) if slot else None), number or 0

    def freeze(self, plan: Plan, now: datetime) -> bool:
        """Keep an issue with its letters, announcements and recipients, all or nothing.

        Returns False when the slot or number was used in the meantime: somebody else has composed it.
        """
        try:
            with self._db.begin():
                self._freeze(plan, now)
        except sa.exc.IntegrityError:
            slot, number = self.last(plan.newsletter)
            if number < plan.number and slot != plan.slot:
                raise
            return False
        return True

    def _freeze(self, plan: Plan, now: datetime) -> None:
        issue_id = self._insert_one(
            issues.insert().values(
                newsletter=plan.newsletter,
                number=plan.number,
                slot=_naive(plan.slot),
                state=IssueState.SENDING,
                subject=plan.letters[0].subject,
                composed_at=_naive(now),
                approved=plan.approved,
                note=plan.selection.note.digest if plan.selection.note else "",
            ),
        )
        told = (
            ("story", plan.selection.stories),
            ("also", plan.selection.also),
            ("passed_over", plan.selection.passed_over),
        )
        rows = [
            {
                "newsletter": plan.newsletter,
                "entry_id": entry.id,
                "issue_id": issue_id,
                "how": how,
                "position": position,
            }
            for how, chosen in told
            for position, entry in enumerate(chosen)
        ]
        self._insert(announced, rows)
        self._insert(letters, [{"issue_id": issue_id} | _columns(letter) for letter in plan.letters])
        self._insert(deliveries, [_delivery(issue_id, recipient) for recipient in plan.recipients])

    def _insert_one(self, row: sa.Insert) -> int:
        key = self._db.execute(row).inserted_primary_key
        assert key is not None
        return int(key[0])

    def _insert(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._db.execute(table.insert(), rows)

    def issues(self, *, unfinished: bool = False) -> tuple[Issue, ...]:
        """Return the issues, oldest first; only those on their way if *unfinished*."""
        stories = sa.select(sa.func.count()).where(announced.c.issue_id == issues.c.id, announced.c.how == "story")
        to = sa.select(sa.func.count()).where(deliveries.c.issue_id == issues.c.id)
        query = sa.select(
            issues,
            stories.scalar_subquery().label("posts"),
            to.scalar_subquery().label("recipients"),
            to.where(deliveries.c.state == DeliveryState.SENT).scalar_subquery().label("sent"),
        ).order_by(issues.c.slot, issues.c.id)
        if unfinished:
            query = query.where(issues.c.state != IssueState.SENT, issues.c.approved)
        with self._db.begin():
            return tuple(_issue(row) for row in self._db.execute(query))

    def letters(self, issue_id: int) -> dict[str, Letter]:
        """Return an issue's letters by language, as they were frozen."""
        with self._db.begin():
            rows = self._db.execute(sa.select(letters).where(letters.c.issue_id == issue_id)).all()
        return {row.lang: Letter(**{name: getattr(row, name) for name in _LETTER}) for row in rows}

    def notes(self, newsletter: str) -> frozenset[str]:
        """Return the digests of the editor's notes that a newsletter's issues were composed with."""
        query = sa.select(issues.c.note).where(issues.c.newsletter == newsletter, issues.c.note != "")
        with self._db.begin():
            return frozenset(self._db.execute(query).scalars())

    def approve(self, issue_id: int, recipients: Sequence[Recipient]) -> None:
        """Freeze who an issue goes to; from now on it is on its way."""
        with self._db.begin():
            here = issues.update().where(issues.c.id == issue_id, ~issues.c.approved).values(approved=True)
            if self._db.execute(here).rowcount:
                self._insert(deliveries, [_delivery(issue_id, recipient) for recipient in recipients])

    def cancel(self, issue_id: int) -> None:
        """Forget an issue that nobody has approved: its posts are news again, its slot and number free."""
        with self._db.begin():
            waiting = sa.select(issues.c.id).where(issues.c.id == issue_id, ~issues.c.approved)
            for table in (announced, letters):
                self._db.execute(table.delete().where(table.c.issue_id.in_(waiting)))
            self._db.execute(issues.delete().where(issues.c.id == issue_id, ~issues.c.approved))

    def finish(self, issue_id: int) -> None:
        """Write down that an issue is on its way to everybody."""
        with self._db.begin():
            self._db.execute(issues.update().where(issues.c.id == issue_id).values(state=IssueState.SENT))

    # Deliveries -------------------------------------------------------------------------------------------------

    def waiting(self, issue_id: int) -> tuple[Delivery, ...]:
        """Return the deliveries that are still to be made, in order."""
        query = sa.select(deliveries).where(deliveries.c.issue_id == issue_id, _TO_BE_MADE)
        with self._db.begin():
            return tuple(_read_delivery(row) for row in self._db.execute(query.order_by(deliveries.c.id)))

    def hand_over(self, delivery_id: int, at: datetime) -> Delivery:
        """Write down, before the act, that a transport is about to see a message; return the delivery as it is now."""
        here = deliveries.c.id == delivery_id
        first = sa.func.coalesce(deliveries.c.handed_over_at, sa.bindparam("at", _naive(at), sa.DateTime))
        with self._db.begin():
            self._db.execute(
                deliveries.update().where(here).values(state=DeliveryState.HANDING_OVER, handed_over_at=first),
            )
            return _read_delivery(self._db.execute(sa.select(deliveries).where(here)).one())

    def sent(self, delivery_id: int, at: datetime, answer: str) -> None:
        """Write down, after the act, what the transport answered."""
        here = deliveries.c.id == delivery_id
        values = {"state": DeliveryState.SENT, "sent_at": _naive(at), "answer": answer}
        with self._db.begin():
            self._db.execute(deliveries.update().where(here).values(**values))

    # People -----------------------------------------------------------------------------------------------------

    def subscribers(self, *, newsletter: str | None = None, active: bool = False) -> tuple[Subscriber, ...]:
        """Return people in the order of their addresses, perhaps only a newsletter's, perhaps only active ones."""
        query = sa.select(subscribers).order_by(subscribers.c.email_key)
        if active:
            query = query.where(subscribers.c.status == "active")
        with self._db.begin():
            rows = self._db.execute(query).all()
            pairs = self._db.execute(sa.select(subscriptions).order_by(subscriptions.c.newsletter)).all()
        reads: dict[int, list[str]] = {}
        for pair in pairs:
            reads.setdefault(pair.subscriber_id, []).append(pair.newsletter)
        found = (
            Subscriber(
                id=row.id,
                email=row.email,
                key=row.email_key,
                status=row.status,
                lang=row.lang,
                newsletters=tuple(reads.get(row.id, ())),
                consent=row.consent,
            )
            for row in rows
        )
        return tuple(s for s in found if newsletter is None or newsletter in s.newsletters)

    def subscriber(self, key: str) -> Subscriber | None:
        """Return the person with this address (compared as `key`)."""
        with self._db.begin():
            found = self._db.execute(sa.select(subscribers.c.id).where(subscribers.c.email_key == key)).scalar()
        return next((s for s in self.subscribers() if s.id == found), None)

    def subscribe(
        self, email: str, key: str, newsletters: Iterable[str], *, lang: str | None, consent: str, at: datetime
    ) -> None:
        """Keep a person as active reader of *newsletters*, beside what they read already."""
        values = {"email": email, "status": "active", "consent": consent, "status_at": _naive(at)}
        with self._db.begin():
            found = self._db.execute(sa.select(subscribers.c.id).where(subscribers.c.email_key == key)).scalar()
            if found is None:
                row = subscribers.insert().values(email_key=key, lang=lang, created_at=_naive(at), **values)
                found = self._insert_one(row)
            else:
                values |= {"lang": lang} if lang else {}
                self._db.execute(subscribers.update().where(subscribers.c.id == found).values(**values))
            mine = sa.select(subscriptions.c.newsletter).where(subscriptions.c.subscriber_id == found)
            had = set(self._db.execute(mine).scalars())
            self._insert(
                subscriptions, [{"subscriber_id": found, "newsletter": n} for n in sorted(set(newsletters) - had)]
            )

    def unsubscribe(self, key: str, at: datetime) -> None:
        """Write down that a person has left, and end what is ready for them.

        They stay known, so that nothing brings them back by accident.
        """
        here = subscribers.c.email_key == key
        theirs = deliveries.c.subscriber_id.in_(sa.select(subscribers.c.id).where(here))
        gone = {"state": DeliveryState.FAILED, "answer": "left before it was known to be sent"}
        with self._db.begin():
            self._db.execute(subscribers.update().where(here).values(status="unsubscribed", status_at=_naive(at)))
            self._db.execute(deliveries.update().where(theirs, _TO_BE_MADE).values(**gone))


def _delivery(issue_id: int, recipient: Recipient) -> dict[str, Any]:
    return {
        "issue_id": issue_id,
        "subscriber_id": recipient.subscriber_id,
        "recipient": recipient.email,
        "recipient_key": recipient.key,
        "lang": recipient.lang,
        "copy": recipient.subscriber_id is None,
        "message_id": recipient.message_id,
        "state": DeliveryState.READY,
    }


def _read_delivery(row: Any) -> Delivery:
    return Delivery(
        id=row.id,
        recipient=row.recipient,
        lang=row.lang,
        state=DeliveryState(row.state),
        message_id=row.message_id,
        handed_over_at=_aware(row.handed_over_at) if row.handed_over_at else None,
        copy=row.copy,
    )


def _columns(letter: Letter) -> dict[str, str]:
    return {name: getattr(letter, name) for name in _LETTER}


def _issue(row: Any) -> Issue:
    return Issue(
        id=row.id,
        newsletter=row.newsletter,
        number=row.number,
        slot=_aware(row.slot),
        state=IssueState(row.state) if row.approved else IssueState.COMPOSED,
        subject=row.subject,
        posts=row.posts,
        recipients=row.recipients,
        sent=row.sent,
    )


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
