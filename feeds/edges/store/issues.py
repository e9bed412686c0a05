"""Issues in the store: their content, letters, announcements and recipients. Each method is one transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from feeds.edges.store.interface import Database, Row, decode_time, decode_time_if_any, encode_topics
from feeds.edges.store.journal_records import record_issue
from feeds.model import (
    AdoptedIssue,
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


class Issues:
    """The issues in an open store."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # Issues -------------------------------------------------------------------------------------------------------

    def announced_ids(self, newsletter: str, replaced: Mapping[str, str] | None = None) -> frozenset[str]:
        """Return the ids of the entries that a newsletter has announced, and the ids that replace them.

        *replaced* are ids that are not stored as replaced yet, by the new id: in a dry run and in a preview.
        """
        found = frozenset(row[0] for row in self._db.all("issues.announced_ids", newsletter=newsletter))
        return found.union(new for new, old in (replaced or {}).items() if old in found)

    def last_issue(self, newsletter: str) -> tuple[datetime | None, int]:
        """Return the last used slot, in UTC, and the highest number; a correction uses no slot."""
        row = self._db.one("issues.last", newsletter=newsletter)
        assert row is not None
        slot, number = row
        return decode_time_if_any(slot), number or 0

    def freeze(self, issue: NewIssue, now: datetime) -> bool:
        """Store an issue with its letters, announcements and recipients, all or nothing.

        Returns False if the slot or number was used meanwhile, because another process has composed the issue.
        """
        with self._db.transaction():
            is_taken = self._db.one(
                "issues.is_taken", newsletter=issue.newsletter, slot=issue.slot, number=issue.number
            )
            if not is_taken:
                self._add(issue, now)
        return not is_taken

    def _add(self, issue: NewIssue, now: datetime) -> None:
        issue_id = self._db.value(
            "issues.add",
            newsletter=issue.newsletter,
            number=issue.number,
            slot=issue.slot,
            subject=issue.subject,
            composed_at=now,
            approved=issue.rendered is not None,
            note=issue.selection.note.digest if issue.selection.note else "",
            seed=issue.seed,
            transport=issue.transport,
            corrects=issue.corrects,
        )
        self._announce(issue_id, issue)
        page, content = issue.page, msgspec.json.encode(issue.content)
        self._db.execute("issues.add_content", issue=issue_id, page=page.html, entry=page.entry, content=content)
        if issue.rendered:
            self._add_deliveries(issue_id, issue.newsletter, issue.rendered)
        record_issue(self._db, issue_id)

    def _announce(self, issue_id: int, issue: NewIssue) -> None:
        announcements = {
            "story": issue.selection.stories,
            "also": issue.selection.also,
            "passed_over": issue.selection.passed_over,
        }
        common = {"newsletter": issue.newsletter, "issue": issue_id}
        rows = [
            common | {"entry": entry.id, "how": how, "position": position}
            for how, entries in announcements.items()
            for position, entry in enumerate(entries)
        ]
        self._db.execute_many("issues.announce", rows)

    def _add_deliveries(self, issue_id: int, newsletter: str, rendered: RenderedIssue) -> None:
        """Store letters and deliveries; a subscriber whose address is in `copy_to` gets only one."""
        ids = [self._add_letter(issue_id, letter) for letter in rendered.letters]
        for preferences, index in rendered.letter_index.items():
            values = {
                "issue": issue_id,
                "letter": ids[index],
                "newsletter": newsletter,
                "lang": preferences.lang,
                "topics": encode_topics(preferences.topics),
            }
            if rendered.recipients_of is None:
                self._db.execute("issues.add_deliveries", **values)
            else:
                self._db.execute("issues.add_correction_deliveries", corrected=rendered.recipients_of, **values)
        if rendered.copies:
            self._add_copies(issue_id, ids[rendered.copy_letter_index], rendered.copies)
        self._db.execute("issues.count_recipients", id=issue_id)

    def _add_letter(self, issue_id: int, letter: Letter) -> int:
        return int(
            self._db.value(
                "issues.add_letter",
                issue=issue_id,
                lang=letter.lang,
                subject=letter.subject,
                html=letter.html,
                text=letter.text,
            )
        )

    def _add_copies(self, issue_id: int, letter_id: int, copies: Sequence[tuple[str, str]]) -> None:
        common: dict[str, object] = {"issue": issue_id, "letter": letter_id}
        emails = {key: email for email, key in copies}
        rows = [{"recipient": email, "key": key, "domain": key.rpartition("@")[2]} for key, email in emails.items()]
        self._db.execute_many("issues.add_copy", (common | row for row in rows))

    def has_sent_by(self, transport: str) -> bool:
        """Return whether any issue was ever sent with this transport."""
        return self._db.one("issues.has_sent_by", transport=transport) is not None

    def load_issues(self, *, unfinished: bool = False) -> tuple[Issue, ...]:
        """Return the issues, oldest first; if *unfinished*, only those being sent."""
        rows = self._db.all("issues.load_unfinished") if unfinished else self._db.all("issues.load")
        return tuple(map(_to_issue, rows))

    def load_letters(self, issue_id: int) -> dict[int, Letter]:
        """Return the letters of an issue by id."""
        rows = self._db.all("issues.load_letters", id=issue_id)
        return {
            letter_id: Letter(lang=lang, subject=subject, html=html, text=text)
            for letter_id, lang, subject, html, text in rows
        }

    def load_encoded(self, letter_id: int) -> bytes | None:
        """Return a letter encoded for sending; None if it is not encoded yet."""
        found: bytes | None = self._db.value("issues.load_encoded", letter=letter_id)
        return found

    def save_encoded(self, letter_id: int, encoded: bytes) -> None:
        """Store a letter encoded for sending."""
        with self._db.transaction():
            self._db.execute("issues.save_encoded", letter=letter_id, encoded=encoded)

    def load_page(self, issue_id: int) -> IssuePage:
        """Return the public page of an issue."""
        row = self._db.one("issues.load_page", id=issue_id)
        assert row is not None
        return IssuePage(html=row[0], entry=row[1])

    def load_content(self, issue_id: int) -> IssueContent | None:
        """Return the content of an issue; None if an older version has frozen it in another format, or without it."""
        found = self._db.value("issues.load_content", id=issue_id)
        try:
            return msgspec.json.decode(found, type=IssueContent) if found else None
        except msgspec.DecodeError:
            return None

    def adopt(self, newsletter: str, adopted: Sequence[AdoptedIssue], entry_ids: Iterable[str], now: datetime) -> int:
        """Store issues that were sent before this store, and mark entries as announced; return how many were not.

        Without any issue, one with the number 0 holds the announcements; it is never shown.
        """
        with self._db.transaction():
            last_id = self._db.value("issues.last_id", newsletter=newsletter)
            if not adopted and last_id is None:
                adopted = [AdoptedIssue(number=0, subject="", page="")]
            slots = [now - number * _SECOND for number in reversed(range(len(adopted)))]
            added = [self._adopt(newsletter, issue, slot, now) for issue, slot in zip(adopted, slots, strict=True)]
            last_id = [last_id, *added][-1]
            known = {row[0] for row in self._db.all("issues.announced_entries", newsletter=newsletter)}
            new = [entry_id for entry_id in entry_ids if entry_id not in known]
            common = {"newsletter": newsletter, "issue": last_id, "how": "passed_over", "position": 0}
            self._db.execute_many("issues.announce", [common | {"entry": entry_id} for entry_id in new])
            for issue_id in dict.fromkeys([*added, last_id] if new else added):
                record_issue(self._db, issue_id)
        return len(new)

    def _adopt(self, newsletter: str, issue: AdoptedIssue, slot: datetime, now: datetime) -> int:
        issue_id = int(
            self._db.value(
                "issues.adopt",
                newsletter=newsletter,
                number=issue.number,
                subject=issue.subject,
                slot=slot,
                composed_at=now,
            )
        )
        self._db.execute("issues.add_content", issue=issue_id, page=issue.page, entry="", content=None)
        return issue_id

    def note_digests(self, newsletter: str) -> frozenset[str]:
        """Return the digests of the editor's notes in the issues of a newsletter."""
        return frozenset(row[0] for row in self._db.all("issues.note_digests", newsletter=newsletter))

    def correction_digests(self, issue_id: int) -> frozenset[str]:
        """Return the digests of the notes of the corrections of an issue."""
        return frozenset(row[0] for row in self._db.all("issues.correction_digests", id=issue_id))

    def reached_keys(self, issue_id: int, keys: Collection[str]) -> frozenset[str]:
        """Return which of these addresses, as addresses are compared, got an issue or may have got it."""
        return frozenset(row[0] for row in self._db.all("issues.reached_keys", id=issue_id, keys=list(keys)))

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
        if recipients_of is None:
            rows = self._db.all("issues.count_preferences", newsletter=newsletter)
        else:
            rows = self._db.all("issues.count_correction_preferences", newsletter=newsletter, corrected=recipients_of)
        return {
            SubscriberPreferences(lang=lang, topics=tuple(msgspec.json.decode(topics))): number
            for lang, topics, number in sorted(rows, key=_preference_order)
        }

    def approve(self, issue: Issue, rendered: RenderedIssue) -> None:
        """Freeze the recipients and letters of an issue; it will be sent from now on."""
        with self._db.transaction():
            if self._db.execute("issues.approve", id=issue.id):
                self._add_deliveries(issue.id, issue.newsletter, rendered)
                record_issue(self._db, issue.id)

    def cancel(self, issue_id: int) -> None:
        """Delete an issue that is not approved; its entries can be announced again, its slot and number are free."""
        with self._db.transaction():
            self._db.execute("issues.delete_announced", id=issue_id)
            self._db.execute("issues.delete_content", id=issue_id)
            self._db.execute("issues.delete", id=issue_id)

    def retract(self, issue_id: int, at: datetime | None, reason: str = "") -> None:
        """Record that an issue was retracted, and why; without a time, that it is not."""
        with self._db.transaction():
            self._db.execute("issues.retract", id=issue_id, at=at, reason=reason)
            record_issue(self._db, issue_id)

    def finish(self, issue_id: int) -> None:
        """Record that all deliveries of an issue are finished, and how many were sent."""
        with self._db.transaction():
            self._db.execute("issues.finish", id=issue_id)
            record_issue(self._db, issue_id)


def _preference_order(row: Row) -> tuple[bool, str, str]:
    """Return the position of preferences, whatever the collation of the database: without a language first."""
    lang, topics, _ = row
    return lang is not None, lang or "", topics


def _to_issue(row: Row) -> Issue:
    issue_id, newsletter, number, slot, state, approved, subject, posts, recipients, sent, seed, *rest = row
    halted, whole, composed_at, retracted_at, retraction, corrected = rest
    return Issue(
        id=issue_id,
        newsletter=newsletter,
        number=number,
        slot=decode_time(slot),
        state=IssueState(state) if approved else IssueState.COMPOSED,
        subject=subject,
        posts=posts,
        recipients=recipients,
        sent=sent,
        seed=seed or b"",
        halt_reason=halted,
        released_to_all=bool(whole),
        composed_at=decode_time(composed_at),
        retracted_at=decode_time_if_any(retracted_at),
        retraction=retraction,
        corrects=corrected,
    )
