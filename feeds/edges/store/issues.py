"""Issues in the memory: what was told, with which letters, and to whom. Each method is one transaction."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from feeds.edges.store.codec import encode_topics, from_column_time, to_column_time
from feeds.edges.store.schema import (
    announced,
    contents,
    deliveries,
    issues,
    letters,
    paused_domains,
    pauses,
    subscribers,
    subscriptions,
)
from feeds.model import (
    AdoptedIssue,
    DeliveryState,
    Issue,
    IssueContent,
    IssuePage,
    IssueState,
    Letter,
    NewIssue,
    RenderedIssue,
    SubscriberPreferences,
)

#: Slots are unique: of issues that are adopted together each has its own.
_SECOND = timedelta(seconds=1)
#: Columns that a letter is made of.
_LETTER = ("lang", "subject", "html", "text")


class Issues:
    """An open store."""

    def __init__(self, connection: sa.Connection) -> None:
        self._db = connection

    # Issues -----------------------------------------------------------------------------------------------------

    def announced_ids(self, newsletter: str) -> frozenset[str]:
        """Return the ids of the entries a newsletter has announced."""
        query = sa.select(announced.c.entry_id).where(announced.c.newsletter == newsletter)
        with self._db.begin():
            return frozenset(self._db.execute(query).scalars())

    def last_issue(self, newsletter: str) -> tuple[datetime | None, int]:
        """Return the last slot that was used, in UTC, and the highest number given; a correction uses up no slot."""
        slots = sa.func.max(issues.c.slot).filter(issues.c.corrects.is_(None))
        query = sa.select(slots, sa.func.max(issues.c.number))
        with self._db.begin():
            slot, number = self._db.execute(query.where(issues.c.newsletter == newsletter)).one()
        return (from_column_time(slot) if slot else None), number or 0

    def freeze(self, plan: NewIssue, now: datetime) -> bool:
        """Keep an issue with its letters, announcements and recipients, all or nothing.

        Returns False when the slot or number was used in the meantime: somebody else has composed it.
        """
        try:
            with self._db.begin():
                self._freeze(plan, now)
        except sa.exc.IntegrityError:
            if not self._has_taken(plan):
                raise
            return False
        return True

    def _has_taken(self, plan: NewIssue) -> bool:
        place = sa.or_(issues.c.slot == to_column_time(plan.slot), issues.c.number == plan.number)
        query = sa.select(issues.c.id).where(issues.c.newsletter == plan.newsletter, place)
        with self._db.begin():
            return self._db.execute(query).first() is not None

    def _freeze(self, plan: NewIssue, now: datetime) -> None:
        issue_id = self._insert_one(
            issues.insert().values(
                newsletter=plan.newsletter,
                number=plan.number,
                slot=to_column_time(plan.slot),
                state=IssueState.SENDING,
                subject=plan.subject,
                composed_at=to_column_time(now),
                approved=plan.rendered is not None,
                note=plan.selection.note.digest if plan.selection.note else "",
                seed=plan.seed,
                transport=plan.transport,
                corrects=plan.corrects,
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
        said = {"page": plan.page.html, "entry": plan.page.entry, "content": msgspec.json.encode(plan.content)}
        self._insert(contents, [{"issue_id": issue_id} | said])
        if plan.rendered:
            self._address(issue_id, plan.newsletter, plan.rendered)

    def _address(self, issue_id: int, newsletter: str, mailing: RenderedIssue) -> None:
        """Write down the letters, and a delivery for each reader and copy; a reader who is a copy as well gets one."""
        ids = [self._insert_one(letters.insert().values(issue_id=issue_id, **_columns(one))) for one in mailing.letters]
        for choice, place in mailing.letter_index.items():
            this = {"issue_id": issue_id, "letter_id": ids[place], "state": DeliveryState.READY}
            to = sa.select(
                *(sa.literal(value).label(name) for name, value in this.items()),
                subscribers.c.id,
                subscribers.c.email,
                subscribers.c.email_key,
            ).where(*_reads(newsletter, mailing.recipients_of), subscribers.c.lang.is_not_distinct_from(choice.lang))
            to = to.where(subscriptions.c.topics == encode_topics(choice.topics)).order_by(subscribers.c.id)
            columns = [*this, "subscriber_id", "recipient", "recipient_key"]
            self._db.execute(deliveries.insert().from_select(columns, to))
        here = sa.select(deliveries.c.recipient_key).where(deliveries.c.issue_id == issue_id)
        keys = [key for _, key in mailing.copies]
        had = set(self._db.execute(here.where(deliveries.c.recipient_key.in_(keys))).scalars())
        copies = {key: email for email, key in mailing.copies if key not in had}
        common = {"issue_id": issue_id, "state": DeliveryState.READY, "letter_id": ids[mailing.copy_letter_index]}
        self._insert(deliveries, [common | {"recipient": e, "recipient_key": k} for k, e in copies.items()])
        everybody = sa.select(sa.func.count()).where(deliveries.c.issue_id == issue_id).scalar_subquery()
        self._db.execute(issues.update().where(issues.c.id == issue_id).values(recipients=everybody))

    def _insert_one(self, row: sa.Insert) -> int:
        key = self._db.execute(row).inserted_primary_key
        assert key is not None
        return int(key[0])

    def _insert(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._db.execute(table.insert(), rows)

    def has_sent_by(self, transport: str) -> bool:
        """Return whether any issue was ever sent so."""
        with self._db.begin():
            return self._db.execute(sa.select(issues.c.id).where(issues.c.transport == transport)).first() is not None

    def load_issues(self, *, unfinished: bool = False) -> tuple[Issue, ...]:
        """Return the issues, oldest first; only those on their way if *unfinished*."""
        stories = sa.select(sa.func.count()).where(announced.c.issue_id == issues.c.id, announced.c.how == "story")
        other = issues.alias()
        corrected = sa.select(other.c.number).where(other.c.id == issues.c.corrects).scalar_subquery()
        query = sa.select(issues, stories.scalar_subquery().label("posts"), corrected.label("corrected"))
        query = query.order_by(issues.c.slot, issues.c.id)
        query = query.where(issues.c.number > 0)
        if unfinished:
            query = query.where(issues.c.state != IssueState.SENT, issues.c.approved)
        with self._db.begin():
            return tuple(_issue(row) for row in self._db.execute(query))

    def load_letters(self, issue_id: int) -> dict[int, Letter]:
        """Return an issue's letters by their ids, as they were frozen."""
        with self._db.begin():
            rows = self._db.execute(sa.select(letters).where(letters.c.issue_id == issue_id)).all()
        return {row.id: Letter(**{name: getattr(row, name) for name in _LETTER}) for row in rows}

    def load_encoded(self, letter_id: int) -> bytes | None:
        """Return a letter as it goes out; None before it has been put so."""
        with self._db.begin():
            return self._db.execute(sa.select(letters.c.encoded).where(letters.c.id == letter_id)).scalar()

    def save_encoded(self, letter_id: int, encoded: bytes) -> None:
        """Keep a letter as it goes out."""
        with self._db.begin():
            self._db.execute(letters.update().where(letters.c.id == letter_id).values(encoded=encoded))

    def load_page(self, issue_id: int) -> IssuePage:
        """Return an issue as everybody may see it."""
        query = sa.select(contents.c.page, contents.c.entry).where(contents.c.issue_id == issue_id)
        with self._db.begin():
            row = self._db.execute(query).one()
        return IssuePage(html=row.page, entry=row.entry)

    def load_content(self, issue_id: int) -> IssueContent | None:
        """Return what an issue tells; None where an older version froze it, or froze it in a form of its own."""
        with self._db.begin():
            found = self._db.execute(sa.select(contents.c.content).where(contents.c.issue_id == issue_id)).scalar()
        try:
            return msgspec.json.decode(found, type=IssueContent) if found else None
        except msgspec.DecodeError:
            return None

    def adopt(self, newsletter: str, sent: Sequence[AdoptedIssue], entry_ids: Iterable[str], now: datetime) -> int:
        """Keep issues that were sent without this store, and take entries as told by them; return how many were not.

        Where there is no issue at all one of the number 0 stands for what was told elsewhere; nothing shows it.
        """
        with self._db.begin():
            known = sa.select(sa.func.max(issues.c.id)).where(issues.c.newsletter == newsletter)
            last = self._db.execute(known).scalar()
            for at, one in enumerate(sent):
                last = self._adopt(newsletter, one, now - (len(sent) - 1 - at) * _SECOND, now)
            if last is None:
                last = self._adopt(newsletter, AdoptedIssue(number=0, subject="", page=""), now, now)
            had = set(
                self._db.execute(sa.select(announced.c.entry_id).where(announced.c.newsletter == newsletter)).scalars()
            )
            new = [one for one in entry_ids if one not in had]
            common = {"newsletter": newsletter, "issue_id": last, "how": "passed_over", "position": 0}
            self._insert(announced, [common | {"entry_id": one} for one in new])
            return len(new)

    def _adopt(self, newsletter: str, one: AdoptedIssue, slot: datetime, now: datetime) -> int:
        about = {"newsletter": newsletter, "number": one.number, "subject": one.subject, "state": IssueState.SENT}
        row = issues.insert().values(slot=to_column_time(slot), composed_at=to_column_time(now), **about)
        issue_id = self._insert_one(row)
        self._insert(contents, [{"issue_id": issue_id, "page": one.page, "entry": ""}])
        return issue_id

    def note_digests(self, newsletter: str) -> frozenset[str]:
        """Return the digests of the editor's notes that a newsletter's issues were composed with."""
        query = sa.select(issues.c.note).where(issues.c.newsletter == newsletter, issues.c.note != "")
        with self._db.begin():
            return frozenset(self._db.execute(query).scalars())

    def correction_digests(self, issue_id: int) -> frozenset[str]:
        """Return the digests of the notes that an issue was corrected with."""
        query = sa.select(issues.c.note).where(issues.c.corrects == issue_id)
        with self._db.begin():
            return frozenset(self._db.execute(query).scalars())

    def reached_keys(self, issue_id: int, keys: Collection[str]) -> frozenset[str]:
        """Return which addresses, as they are compared, got an issue or may have got it."""
        query = sa.select(deliveries.c.recipient_key).where(*_got(issue_id), deliveries.c.recipient_key.in_(keys))
        with self._db.begin():
            return frozenset(self._db.execute(query).scalars())

    def count_recipients(self, newsletter: str, mailing: RenderedIssue) -> int:
        """Return how many a mailing would go to, give or take a reader who is a copy as well."""
        counts = self.load_preferences(newsletter, recipients_of=mailing.recipients_of)
        return sum(counts.get(choice, 0) for choice in mailing.letter_index) + len(dict(mailing.copies))

    def load_preferences(
        self, newsletter: str, *, recipients_of: int | None = None
    ) -> dict[SubscriberPreferences, int]:
        """Return what a newsletter's active readers have asked for, and how many of them asked for just that.

        With the id of an issue in *recipients_of*, only those count who got it, or may have got it.
        """
        query = sa.select(subscribers.c.lang, subscriptions.c.topics, sa.func.count()).where(
            *_reads(newsletter, recipients_of)
        )
        query = query.group_by(subscribers.c.lang, subscriptions.c.topics)
        query = query.order_by(subscribers.c.lang, subscriptions.c.topics)
        with self._db.begin():
            rows = self._db.execute(query).all()
        return {
            SubscriberPreferences(lang=lang, topics=tuple(msgspec.json.decode(topics))): number
            for lang, topics, number in rows
        }

    def approve(self, issue: Issue, mailing: RenderedIssue) -> None:
        """Freeze who an issue goes to and with which letters; from now on it is on its way."""
        with self._db.begin():
            here = issues.update().where(issues.c.id == issue.id, ~issues.c.approved).values(approved=True)
            if self._db.execute(here).rowcount:
                self._address(issue.id, issue.newsletter, mailing)

    def cancel(self, issue_id: int) -> None:
        """Forget an issue that nobody has approved: its posts are news again, its slot and number free."""
        with self._db.begin():
            waiting = sa.select(issues.c.id).where(issues.c.id == issue_id, ~issues.c.approved)
            for table in (announced, contents):
                self._db.execute(table.delete().where(table.c.issue_id.in_(waiting)))
            self._db.execute(issues.delete().where(issues.c.id == issue_id, ~issues.c.approved))

    def retract(self, issue_id: int, at: datetime | None, reason: str = "") -> None:
        """Write down that an issue was taken back, and why; without a moment, that it was not."""
        said = {"retracted_at": to_column_time(at) if at else None, "retraction": reason}
        with self._db.begin():
            self._db.execute(issues.update().where(issues.c.id == issue_id).values(said))

    def finish(self, issue_id: int) -> None:
        """Write down that an issue has come to its end with everybody, and how many it reached."""
        here = deliveries.c.issue_id == issue_id
        reached = sa.select(sa.func.count()).where(here, deliveries.c.state == DeliveryState.SENT).scalar_subquery()
        done = issues.update().where(issues.c.id == issue_id).values(state=IssueState.SENT, sent=reached)
        with self._db.begin():
            self._db.execute(done)


def _reads(newsletter: str, of: int | None = None) -> tuple[sa.ColumnElement[bool], ...]:
    """Return what is true of a newsletter's active readers and their subscription; who is paused is left out.

    With the id *of* an issue, of those only who got it or may have got it.
    """
    got = () if of is None else (subscribers.c.id.in_(sa.select(deliveries.c.subscriber_id).where(*_got(of))),)
    return (
        *got,
        subscriptions.c.newsletter == newsletter,
        subscribers.c.id == subscriptions.c.subscriber_id,
        subscribers.c.status == "active",
        ~sa.exists().where(pauses.c.subscriber_id == subscribers.c.id),
        ~sa.exists().where(subscribers.c.email_key.like("%@" + paused_domains.c.domain)),
    )


def _got(issue_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    """Return what is true of the deliveries of an issue that have arrived or may have, also where it was ended then."""
    arrived = sa.or_(deliveries.c.state.in_([DeliveryState.SENT, DeliveryState.UNKNOWN]), deliveries.c.unknowns > 0)
    return (deliveries.c.issue_id == issue_id, arrived)


def _columns(letter: Letter) -> dict[str, str]:
    return {name: getattr(letter, name) for name in _LETTER}


def _issue(row: Any) -> Issue:
    return Issue(
        id=row.id,
        newsletter=row.newsletter,
        number=row.number,
        slot=from_column_time(row.slot),
        state=IssueState(row.state) if row.approved else IssueState.COMPOSED,
        subject=row.subject,
        posts=row.posts,
        recipients=row.recipients,
        sent=row.sent,
        seed=row.seed,
        halt_reason=row.halted,
        released_to_all=row.whole,
        composed_at=from_column_time(row.composed_at),
        retracted_at=from_column_time(row.retracted_at) if row.retracted_at else None,
        retraction=row.retraction,
        corrects=row.corrected,
    )
