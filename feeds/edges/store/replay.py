"""Replay the records of a journal on an older store, a restored backup.

Everything can be replayed again. Backups are SQLite files, so nothing here is for PostgreSQL, and what is replayed is
in the journal already. The caller finds the subscribers, since the journal has only their digests.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from feeds.edges.store.interface import decode_time, decode_time_if_any
from feeds.edges.store.sqlite import SqliteDatabase
from feeds.edges.store.unsubscribe import cancel_pending, unsubscribe_from
from feeds.model import GONE_STATUSES, IssueRecorded

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class StoredSubscriber:
    """A subscriber in the restored store."""

    id: int
    email: str
    #: As addresses are compared.
    key: str
    status: str
    created_at: datetime


class JournalReplay:
    """Replays journal records on an open store."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._db = database

    def disable_fsync(self) -> None:
        """Do not sync commits to the disk; the caller syncs the file after it has closed the store."""
        self._db.disable_fsync()

    def latest_time(self) -> datetime | None:
        """Return the latest time in the store; None if it is empty."""
        return decode_time_if_any(self._db.value("replay.latest_time"))

    # Issues -----------------------------------------------------------------------------------------------------

    def record_issues(self, records: Iterable[IssueRecorded], load_page: Callable[[str, int], str]) -> list[str]:
        """Store unknown issues as sent, with their announcements; return their names.

        Args:
            records: the last record of every issue that was sent.
            load_page: returns the public page of an issue.
        """
        with self._db.transaction():
            new = [record for record in records if self._record_issue(record, load_page)]
        return [f"{record.newsletter} {record.number}" for record in new]

    def _record_issue(self, record: IssueRecorded, load_page: Callable[[str, int], str]) -> bool:
        self._delete_unapproved(record)
        row = self._db.one("replay.find_issue", newsletter=record.newsletter, number=record.number)
        is_new = row is None
        if row is None:
            issue_id = self._insert_issue(record, load_page(record.newsletter, record.number))
        else:
            issue_id = row[0]
            if row[1] != record.state and record.state == "sent":
                self._db.execute("replay.finish_issue", recipients=record.recipients, sent=record.sent, id=issue_id)
                self._db.execute("replay.set_unknown", issue=issue_id)
        if record.retracted_at:
            self._db.execute("replay.retract", at=record.retracted_at, reason=record.retraction, id=issue_id)
        if is_new and record.corrects is not None:
            self._db.execute("replay.set_corrects", newsletter=record.newsletter, number=record.corrects, id=issue_id)
        self._announce(record, issue_id)
        return is_new

    def _announce(self, record: IssueRecorded, issue_id: int) -> None:
        for how, ids in record.entries.items():
            common = {"newsletter": record.newsletter, "issue": issue_id, "how": how}
            rows = [common | {"entry": entry, "position": position} for position, entry in enumerate(ids)]
            self._db.execute_many("replay.announce", rows)

    def _delete_unapproved(self, record: IssueRecorded) -> None:
        """Delete an issue that waits for approval here, and that was approved, or composed again, since."""
        for (issue_id,) in self._db.all(
            "replay.unapproved", newsletter=record.newsletter, number=record.number, slot=record.slot
        ):
            self._db.execute("issues.delete_announced", id=issue_id)
            self._db.execute("issues.delete_content", id=issue_id)
            self._db.execute("issues.delete", id=issue_id)

    def _insert_issue(self, record: IssueRecorded, page: str) -> int:
        slot = record.slot
        while self._db.one("replay.has_slot", newsletter=record.newsletter, slot=slot):
            slot += _SECOND  # slots are unique, and the store may have been adopted meanwhile
        issue_id = int(
            self._db.value(
                "replay.add_issue",
                newsletter=record.newsletter,
                number=record.number,
                slot=slot,
                subject=record.subject,
                at=record.composed_at,
                note=record.note,
                transport=record.transport,
                recipients=record.recipients,
                sent=record.sent,
            )
        )
        self._db.execute("replay.add_content", issue=issue_id, page=page, entry=record.entry)
        return issue_id

    def hold_unsent(self, reason: str) -> list[str]:
        """Halt every issue that has pending deliveries; return their names."""
        with self._db.transaction():
            rows = self._db.all("replay.halt_issues", reason=reason)
        return [f"{newsletter} {number}" for newsletter, number in rows]

    def cancel_service_mails(self) -> None:
        """Cancel the mail outside of issues that waits, and all reminders: it may have been sent since the backup.

        Requests for sign-ups and for links are dropped for the same reason. Links that were sent keep working.
        """
        with self._db.transaction():
            self._db.execute("replay.cancel_service_mails")
            self._db.execute("replay.delete_signup_requests")
            self._db.execute("replay.delete_link_requests")
            self._db.execute("replay.end_reminders")

    def signup_keys(self) -> list[str]:
        """Return the addresses that have signed up, as addresses are compared."""
        return [row[0] for row in self._db.all("replay.signup_keys")]

    # People -----------------------------------------------------------------------------------------------------

    def iterate_subscribers(self) -> Iterator[StoredSubscriber]:
        """Yield all subscribers, with any status; do not write meanwhile."""
        for subscriber_id, email, key, status, created_at in self._db.iterate("replay.subscribers"):
            yield StoredSubscriber(subscriber_id, email, key, status, decode_time(created_at))

    def other_addresses(self) -> Iterator[str]:
        """Yield the addresses of deliveries, sign-ups and single mails, as addresses are compared.

        Do not write meanwhile.
        """
        for (key,) in self._db.iterate("replay.other_addresses"):
            yield key

    def set_status(self, subscriber_id: int, status: str, at: datetime) -> None:
        """Set the status of a subscriber; if they are gone, cancel their pending deliveries."""
        with self._db.transaction():
            if status in GONE_STATUSES:
                cancel_pending(self._db, subscriber_id)
            self._db.execute("replay.set_status", status=status, at=at, id=subscriber_id)

    def unsubscribe_from(self, subscriber_id: int, newsletter: str, at: datetime) -> bool:
        """Unsubscribe a subscriber from one newsletter; return False if they had unsubscribed from it before."""
        with self._db.transaction():
            had_left = self._db.one("replay.has_left", id=subscriber_id, newsletter=newsletter) is not None
            unsubscribe_from(self._db, subscriber_id, newsletter, at)
        return not had_left

    def resubscribe(self, subscriber_id: int, newsletter: str) -> bool:
        """Subscribe a subscriber again, with all topics, to a newsletter that they had unsubscribed from.

        Returns False if they had not.
        """
        with self._db.transaction():
            if not self._db.execute("replay.delete_leave", id=subscriber_id, newsletter=newsletter):
                return False
            self._db.execute("replay.subscribe", id=subscriber_id, newsletter=newsletter)
        return True

    def replace_suppressions(self, suppressed: Mapping[str, tuple[str, datetime]], allowed: Iterable[str]) -> int:
        """Add or update *suppressed* digests, with reason and time, and delete *allowed* ones.

        Returns how many entries were changed.
        """
        rows = ({"digest": digest, "reason": reason, "at": at} for digest, (reason, at) in suppressed.items())
        with self._db.transaction():
            changed = self._db.execute_many("replay.suppress", rows)
            deleted = self._db.execute_many("replay.allow", ({"digest": digest} for digest in allowed))
        return changed + deleted
