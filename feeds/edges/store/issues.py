"""Issues in the store: their content, letters, announcements and recipients. Each method is one transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from feeds.edges.store.old_codec import encode_topics, from_column_time, to_column_time
from feeds.edges.store.old_schema import (
    announced,
    chosen_pauses,
    contents,
    deliveries,
    entries,
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

#: The time between the slots of issues that are adopted together, since slots are unique.
_SECOND = timedelta(seconds=1)
_LETTER_COLUMNS = ("lang", "subject", "html", "text")

_Conditions = tuple[sa.ColumnElement[bool], ...]


class Issues:
    """The issues in an open store."""

    def __init__(self, connection: sa.Connection) -> None:
        self._db = connection

    # Issues -------------------------------------------------------------------------------------------------------

    def announced_ids(self, newsletter: str, replaced: Mapping[str, str] | None = None) -> frozenset[str]:
        """Return the ids of the entries that a newsletter has announced, and the ids that replace them.

        *replaced* are ids that are not stored as replaced yet, by the new id: in a dry run and in a preview.
        """
        query = sa.select(announced.c.entry_id).where(announced.c.newsletter == newsletter)
        replacing = sa.select(entries.c.replaced_by).join(announced, announced.c.entry_id == entries.c.id)
        replacing = replacing.where(announced.c.newsletter == newsletter, entries.c.replaced_by.is_not(None))
        with self._db.begin():
            found = frozenset(self._db.execute(query.union(replacing)).scalars())
        return found.union(new for new, old in (replaced or {}).items() if old in found)

    def last_issue(self, newsletter: str) -> tuple[datetime | None, int]:
        """Return the last used slot, in UTC, and the highest number; a correction uses no slot."""
        slots = sa.func.max(issues.c.slot).filter(issues.c.corrects.is_(None))
        query = sa.select(slots, sa.func.max(issues.c.number))
        with self._db.begin():
            slot, number = self._db.execute(query.where(issues.c.newsletter == newsletter)).one()
        return (from_column_time(slot) if slot else None), number or 0

    def freeze(self, issue: NewIssue, now: datetime) -> bool:
        """Store an issue with its letters, announcements and recipients, all or nothing.

        Returns False if the slot or number was used meanwhile, because another process has composed the issue.
        """
        try:
            with self._db.begin():
                self._insert_issue(issue, now)
        except sa.exc.IntegrityError:
            if not self._is_taken(issue):
                raise
            return False
        return True

    def _is_taken(self, issue: NewIssue) -> bool:
        is_taken = sa.or_(issues.c.slot == to_column_time(issue.slot), issues.c.number == issue.number)
        query = sa.select(issues.c.id).where(issues.c.newsletter == issue.newsletter, is_taken)
        with self._db.begin():
            return self._db.execute(query).first() is not None

    def _insert_issue(self, issue: NewIssue, now: datetime) -> None:
        issue_id = self._insert_one(
            issues.insert().values(
                newsletter=issue.newsletter,
                number=issue.number,
                slot=to_column_time(issue.slot),
                state=IssueState.SENDING,
                subject=issue.subject,
                composed_at=to_column_time(now),
                approved=issue.rendered is not None,
                note=issue.selection.note.digest if issue.selection.note else "",
                seed=issue.seed,
                transport=issue.transport,
                corrects=issue.corrects,
            ),
        )
        announcements = (
            ("story", issue.selection.stories),
            ("also", issue.selection.also),
            ("passed_over", issue.selection.passed_over),
        )
        rows = [
            {
                "newsletter": issue.newsletter,
                "entry_id": entry.id,
                "issue_id": issue_id,
                "how": how,
                "position": position,
            }
            for how, entries in announcements
            for position, entry in enumerate(entries)
        ]
        self._insert(announced, rows)
        values = {"page": issue.page.html, "entry": issue.page.entry, "content": msgspec.json.encode(issue.content)}
        self._insert(contents, [{"issue_id": issue_id} | values])
        if issue.rendered:
            self._insert_deliveries(issue_id, issue.newsletter, issue.rendered)

    def _insert_deliveries(self, issue_id: int, newsletter: str, rendered: RenderedIssue) -> None:
        """Store letters and deliveries; a subscriber whose address is in `copy_to` gets only one."""
        rows = [letters.insert().values(issue_id=issue_id, **_letter_values(letter)) for letter in rendered.letters]
        ids = [self._insert_one(row) for row in rows]
        is_recipient = _is_recipient(newsletter, rendered.recipients_of)
        for preferences, index in rendered.letter_index.items():
            self._insert_subscriber_deliveries(issue_id, ids[index], preferences, is_recipient)
        self._insert_copies(issue_id, ids[rendered.copy_letter_index] if rendered.copies else 0, rendered.copies)
        count = sa.select(sa.func.count()).where(deliveries.c.issue_id == issue_id).scalar_subquery()
        self._db.execute(issues.update().where(issues.c.id == issue_id).values(recipients=count))

    def _insert_subscriber_deliveries(
        self, issue_id: int, letter_id: int, preferences: SubscriberPreferences, is_recipient: _Conditions
    ) -> None:
        common = {"issue_id": issue_id, "letter_id": letter_id, "state": DeliveryState.READY}
        recipients = sa.select(
            *(sa.literal(value).label(name) for name, value in common.items()),
            subscribers.c.id,
            subscribers.c.email,
            subscribers.c.email_key,
        ).where(*is_recipient, subscribers.c.lang.is_not_distinct_from(preferences.lang))
        recipients = recipients.where(subscriptions.c.topics == encode_topics(preferences.topics))
        columns = [*common, "subscriber_id", "recipient", "recipient_key"]
        self._db.execute(deliveries.insert().from_select(columns, recipients.order_by(subscribers.c.id)))

    def _insert_copies(self, issue_id: int, letter_id: int, copies: Sequence[tuple[str, str]]) -> None:
        query = sa.select(deliveries.c.recipient_key).where(deliveries.c.issue_id == issue_id)
        keys = [key for _, key in copies]
        subscribed = set(self._db.execute(query.where(deliveries.c.recipient_key.in_(keys))).scalars())
        emails = {key: email for email, key in copies if key not in subscribed}
        common = {"issue_id": issue_id, "state": DeliveryState.READY, "letter_id": letter_id}
        self._insert(deliveries, [common | {"recipient": e, "recipient_key": k} for k, e in emails.items()])

    def _insert_one(self, row: sa.Insert) -> int:
        key = self._db.execute(row).inserted_primary_key
        assert key is not None
        return int(key[0])

    def _insert(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._db.execute(table.insert(), rows)

    def has_sent_by(self, transport: str) -> bool:
        """Return whether any issue was ever sent with this transport."""
        with self._db.begin():
            return self._db.execute(sa.select(issues.c.id).where(issues.c.transport == transport)).first() is not None

    def load_issues(self, *, unfinished: bool = False) -> tuple[Issue, ...]:
        """Return the issues, oldest first; if *unfinished*, only those being sent."""
        stories = sa.select(sa.func.count()).where(announced.c.issue_id == issues.c.id, announced.c.how == "story")
        other = issues.alias()
        corrected = sa.select(other.c.number).where(other.c.id == issues.c.corrects).scalar_subquery()
        query = sa.select(issues, stories.scalar_subquery().label("posts"), corrected.label("corrected"))
        query = query.order_by(issues.c.slot, issues.c.id)
        query = query.where(issues.c.number > 0)
        if unfinished:
            query = query.where(issues.c.state != IssueState.SENT, issues.c.approved)
        with self._db.begin():
            return tuple(_to_issue(row) for row in self._db.execute(query))

    def load_letters(self, issue_id: int) -> dict[int, Letter]:
        """Return the letters of an issue by id."""
        with self._db.begin():
            rows = self._db.execute(sa.select(letters).where(letters.c.issue_id == issue_id)).all()
        return {row.id: Letter(**{name: getattr(row, name) for name in _LETTER_COLUMNS}) for row in rows}

    def load_encoded(self, letter_id: int) -> bytes | None:
        """Return a letter encoded for sending; None if it is not encoded yet."""
        with self._db.begin():
            return self._db.execute(sa.select(letters.c.encoded).where(letters.c.id == letter_id)).scalar()

    def save_encoded(self, letter_id: int, encoded: bytes) -> None:
        """Store a letter encoded for sending."""
        with self._db.begin():
            self._db.execute(letters.update().where(letters.c.id == letter_id).values(encoded=encoded))

    def load_page(self, issue_id: int) -> IssuePage:
        """Return the public page of an issue."""
        query = sa.select(contents.c.page, contents.c.entry).where(contents.c.issue_id == issue_id)
        with self._db.begin():
            row = self._db.execute(query).one()
        return IssuePage(html=row.page, entry=row.entry)

    def load_content(self, issue_id: int) -> IssueContent | None:
        """Return the content of an issue; None if an older version has frozen it in another format, or without it."""
        with self._db.begin():
            found = self._db.execute(sa.select(contents.c.content).where(contents.c.issue_id == issue_id)).scalar()
        try:
            return msgspec.json.decode(found, type=IssueContent) if found else None
        except msgspec.DecodeError:
            return None

    def adopt(self, newsletter: str, adopted: Sequence[AdoptedIssue], entry_ids: Iterable[str], now: datetime) -> int:
        """Store issues that were sent before this store, and mark entries as announced; return how many were not.

        Without any issue, one with the number 0 holds the announcements; it is never shown.
        """
        with self._db.begin():
            query = sa.select(sa.func.max(issues.c.id)).where(issues.c.newsletter == newsletter)
            last_id = self._db.execute(query).scalar()
            for index, issue in enumerate(adopted):
                last_id = self._adopt(newsletter, issue, now - (len(adopted) - 1 - index) * _SECOND, now)
            if last_id is None:
                last_id = self._adopt(newsletter, AdoptedIssue(number=0, subject="", page=""), now, now)
            announced_ids = sa.select(announced.c.entry_id).where(announced.c.newsletter == newsletter)
            known = set(self._db.execute(announced_ids).scalars())
            new = [entry_id for entry_id in entry_ids if entry_id not in known]
            common = {"newsletter": newsletter, "issue_id": last_id, "how": "passed_over", "position": 0}
            self._insert(announced, [common | {"entry_id": entry_id} for entry_id in new])
            return len(new)

    def _adopt(self, newsletter: str, issue: AdoptedIssue, slot: datetime, now: datetime) -> int:
        values = {"newsletter": newsletter, "number": issue.number, "subject": issue.subject, "state": IssueState.SENT}
        row = issues.insert().values(slot=to_column_time(slot), composed_at=to_column_time(now), **values)
        issue_id = self._insert_one(row)
        self._insert(contents, [{"issue_id": issue_id, "page": issue.page, "entry": ""}])
        return issue_id

    def note_digests(self, newsletter: str) -> frozenset[str]:
        """Return the digests of the editor's notes in the issues of a newsletter."""
        query = sa.select(issues.c.note).where(issues.c.newsletter == newsletter, issues.c.note != "")
        with self._db.begin():
            return frozenset(self._db.execute(query).scalars())

    def correction_digests(self, issue_id: int) -> frozenset[str]:
        """Return the digests of the notes of the corrections of an issue."""
        query = sa.select(issues.c.note).where(issues.c.corrects == issue_id)
        with self._db.begin():
            return frozenset(self._db.execute(query).scalars())

    def reached_keys(self, issue_id: int, keys: Collection[str]) -> frozenset[str]:
        """Return which of these addresses, as addresses are compared, got an issue or may have got it."""
        query = sa.select(deliveries.c.recipient_key).where(*_has_received(issue_id))
        query = query.where(deliveries.c.recipient_key.in_(keys))
        with self._db.begin():
            return frozenset(self._db.execute(query).scalars())

    def count_recipients(self, newsletter: str, rendered: RenderedIssue) -> int:
        """Return the number of recipients; a subscriber whose address is in `copy_to` counts twice."""
        counts = self.load_preferences(newsletter, recipients_of=rendered.recipients_of)
        return sum(counts.get(preferences, 0) for preferences in rendered.letter_index) + len(dict(rendered.copies))

    def load_preferences(
        self, newsletter: str, *, recipients_of: int | None = None
    ) -> dict[SubscriberPreferences, int]:
        """Return how many active subscribers of a newsletter have each set of preferences.

        With the id of an issue in *recipients_of*, only those count who got it or may have got it.
        """
        query = sa.select(subscribers.c.lang, subscriptions.c.topics, sa.func.count())
        query = query.where(*_is_recipient(newsletter, recipients_of)).group_by(
            subscribers.c.lang, subscriptions.c.topics
        )
        query = query.order_by(subscribers.c.lang, subscriptions.c.topics)
        with self._db.begin():
            rows = self._db.execute(query).all()
        return {
            SubscriberPreferences(lang=lang, topics=tuple(msgspec.json.decode(topics))): number
            for lang, topics, number in rows
        }

    def approve(self, issue: Issue, rendered: RenderedIssue) -> None:
        """Freeze the recipients and letters of an issue; it will be sent from now on."""
        with self._db.begin():
            update = issues.update().where(issues.c.id == issue.id, ~issues.c.approved).values(approved=True)
            if self._db.execute(update).rowcount:
                self._insert_deliveries(issue.id, issue.newsletter, rendered)

    def cancel(self, issue_id: int) -> None:
        """Delete an issue that is not approved; its entries can be announced again, its slot and number are free."""
        with self._db.begin():
            waiting = sa.select(issues.c.id).where(issues.c.id == issue_id, ~issues.c.approved)
            for table in (announced, contents):
                self._db.execute(table.delete().where(table.c.issue_id.in_(waiting)))
            self._db.execute(issues.delete().where(issues.c.id == issue_id, ~issues.c.approved))

    def retract(self, issue_id: int, at: datetime | None, reason: str = "") -> None:
        """Record that an issue was retracted, and why; without a time, that it is not."""
        values = {"retracted_at": to_column_time(at) if at else None, "retraction": reason}
        with self._db.begin():
            self._db.execute(issues.update().where(issues.c.id == issue_id).values(values))

    def finish(self, issue_id: int) -> None:
        """Record that all deliveries of an issue are finished, and how many were sent."""
        in_issue = deliveries.c.issue_id == issue_id
        sent = sa.select(sa.func.count()).where(in_issue, deliveries.c.state == DeliveryState.SENT).scalar_subquery()
        update = issues.update().where(issues.c.id == issue_id).values(state=IssueState.SENT, sent=sent)
        with self._db.begin():
            self._db.execute(update)


def _is_recipient(newsletter: str, recipients_of: int | None = None) -> _Conditions:
    """Return conditions for active subscribers of a newsletter who are not paused.

    With the id of an issue in *recipients_of*, only for those who got it or may have got it.
    """
    received: _Conditions = ()
    if recipients_of is not None:
        query = sa.select(deliveries.c.subscriber_id).where(*_has_received(recipients_of))
        received = (subscribers.c.id.in_(query),)
    return (
        *received,
        subscriptions.c.newsletter == newsletter,
        subscribers.c.id == subscriptions.c.subscriber_id,
        subscribers.c.status == "active",
        ~sa.exists().where(pauses.c.subscriber_id == subscribers.c.id),
        ~sa.exists().where(chosen_pauses.c.subscriber_id == subscribers.c.id),
        ~sa.exists().where(subscribers.c.email_key.like("%@" + paused_domains.c.domain)),
    )


def _has_received(issue_id: int) -> _Conditions:
    """Return conditions for the deliveries of an issue that were sent or may have been, also if cancelled then."""
    arrived = sa.or_(deliveries.c.state.in_([DeliveryState.SENT, DeliveryState.UNKNOWN]), deliveries.c.unknowns > 0)
    return (deliveries.c.issue_id == issue_id, arrived)


def _letter_values(letter: Letter) -> dict[str, str]:
    return {name: getattr(letter, name) for name in _LETTER_COLUMNS}


def _to_issue(row: Any) -> Issue:
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
