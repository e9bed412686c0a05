"""Replay the records of a journal on an older store, a restored backup.

Everything can be replayed again. The caller finds the subscribers, since the journal has only their digests.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from feeds.edges.store.old_codec import decode_time, encode_time
from feeds.edges.store.old_sqlite import IS_OPEN, transaction
from feeds.edges.store.unsubscribe import CANCEL_PENDING, unsubscribe_from
from feeds.model import GONE_STATUSES, IssueRecorded

_SECOND = timedelta(seconds=1)
_SELECT_LATEST_TIME = """
    SELECT max(at) FROM (
        SELECT max(first_public_at) at FROM entries UNION SELECT max(composed_at) FROM issues
        UNION SELECT max(status_at) FROM subscribers UNION SELECT max(sent_at) FROM deliveries
        UNION SELECT max(at) FROM suppressions UNION SELECT max(at) FROM leaves
    )
"""
_INSERT_ISSUE = """
    INSERT INTO issues
        (newsletter, number, slot, state, subject, composed_at, approved, note, transport, recipients, sent)
    VALUES (?, ?, ?, 'sent', ?, ?, 1, ?, ?, ?, ?) RETURNING id
"""
#: Announces an entry, if it is known (its journal line may be damaged).
_INSERT_ANNOUNCED = """
    INSERT INTO announced (newsletter, entry_id, issue_id, how, position)
    SELECT :newsletter, id, :issue, :how, :position FROM entries WHERE id = :entry ON CONFLICT DO NOTHING
"""
_FINISH_ISSUE = "UPDATE issues SET state = 'sent', halted = '', recipients = ?, sent = ? WHERE id = ?"
_SET_RETRACTION = "UPDATE issues SET retracted_at = ?, retraction = ? WHERE id = ?"
_SET_CORRECTS = """
    UPDATE issues SET corrects = (SELECT o.id FROM issues o WHERE o.newsletter = ? AND o.number = ?) WHERE id = ?
"""
_SET_UNKNOWN = f"""
    UPDATE deliveries SET state = 'unknown', next_at = NULL,
        answer = 'the store was restored from a backup that does not have the result'
    WHERE issue_id = ? AND {IS_OPEN}
"""  # noqa: S608 - made of constants
_HALT_ISSUES = f"""
    UPDATE issues SET halted = ? WHERE state = 'sending' AND approved AND EXISTS
        (SELECT 1 FROM deliveries d WHERE d.issue_id = issues.id AND d.{IS_OPEN})
    RETURNING newsletter, number
"""  # noqa: S608 - made of constants
_SELECT_OTHER_ADDRESSES = """
    SELECT recipient_key FROM deliveries WHERE recipient_key NOT LIKE '%@erased'
    UNION SELECT recipient_key FROM service_mails
    UNION SELECT email_key FROM signups UNION SELECT email_key FROM signup_requests
    UNION SELECT email_key FROM link_requests
"""
_INSERT_SUPPRESSION = """
    INSERT INTO suppressions (digest, reason, at) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET reason = excluded.reason, at = excluded.at WHERE reason != excluded.reason
"""

_CANCEL_SERVICE_MAILS = """
    UPDATE service_mails SET state = 'cancelled', answer = 'cancelled: restored from a backup', template_values = '{}'
    WHERE state IN ('ready', 'handing_over', 'unknown')
"""


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

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def disable_fsync(self) -> None:
        """Do not sync commits to the disk; the caller syncs the file after it has closed the store."""
        self._db.execute("PRAGMA synchronous = OFF")

    def latest_time(self) -> datetime | None:
        """Return the latest time in the store; None if it is empty."""
        found = self._db.execute(_SELECT_LATEST_TIME).fetchone()[0]
        return decode_time(found) if found else None

    # Issues -----------------------------------------------------------------------------------------------------

    def record_issues(self, records: Iterable[IssueRecorded], load_page: Callable[[str, int], str]) -> list[str]:
        """Store unknown issues as sent, with their announcements; return their names.

        Args:
            records: the last record of every issue that was sent.
            load_page: returns the public page of an issue.
        """
        with transaction(self._db):
            new = [record for record in records if self._record_issue(record, load_page)]
        return [f"{record.newsletter} {record.number}" for record in new]

    def _record_issue(self, record: IssueRecorded, load_page: Callable[[str, int], str]) -> bool:
        self._delete_unapproved(record)
        key = (record.newsletter, record.number)
        row = self._db.execute("SELECT id, state FROM issues WHERE newsletter = ? AND number = ?", key).fetchone()
        is_new = row is None
        if is_new:
            issue_id = self._insert_issue(record, load_page(*key))
        else:
            issue_id = row[0]
            if row[1] != record.state and record.state == "sent":
                self._db.execute(_FINISH_ISSUE, (record.recipients, record.sent, issue_id))
                self._db.execute(_SET_UNKNOWN, (issue_id,))
        if record.retracted_at:
            self._db.execute(_SET_RETRACTION, (encode_time(record.retracted_at), record.retraction, issue_id))
        if is_new and record.corrects is not None:
            self._db.execute(_SET_CORRECTS, (record.newsletter, record.corrects, issue_id))
        for how, ids in record.entries.items():
            common = {"newsletter": record.newsletter, "issue": issue_id, "how": how}
            rows = [common | {"entry": entry, "position": position} for position, entry in enumerate(ids)]
            self._db.executemany(_INSERT_ANNOUNCED, rows)
        return is_new

    def _delete_unapproved(self, record: IssueRecorded) -> None:
        """Delete an issue that waits for approval here, and that was approved, or composed again, since."""
        query = "SELECT id FROM issues WHERE newsletter = ? AND NOT approved AND (number = ? OR slot = ?)"
        for row in self._db.execute(query, (record.newsletter, record.number, encode_time(record.slot))).fetchall():
            for table in ("announced", "contents"):
                self._db.execute(f"DELETE FROM {table} WHERE issue_id = ?", row)  # noqa: S608 - one of two constants
            self._db.execute("DELETE FROM issues WHERE id = ?", row)

    def _insert_issue(self, record: IssueRecorded, page: str) -> int:
        slot = record.slot
        query = "SELECT 1 FROM issues WHERE newsletter = ? AND slot = ?"
        while self._db.execute(query, (record.newsletter, encode_time(slot))).fetchone():
            slot += _SECOND  # slots are unique, and the store may have been adopted meanwhile
        times = (encode_time(slot), record.subject, encode_time(record.composed_at))
        row = (record.newsletter, record.number, *times, record.note, record.transport, record.recipients, record.sent)
        issue_id = int(self._db.execute(_INSERT_ISSUE, row).fetchone()[0])
        self._db.execute(
            "INSERT INTO contents (issue_id, page, entry) VALUES (?, ?, ?)", (issue_id, page, record.entry)
        )
        return issue_id

    def hold_unsent(self, reason: str) -> list[str]:
        """Halt every issue that has pending deliveries; return their names."""
        with transaction(self._db):
            rows = self._db.execute(_HALT_ISSUES, (reason,)).fetchall()
        return [f"{newsletter} {number}" for newsletter, number in rows]

    def cancel_service_mails(self) -> None:
        """Cancel the mail outside of issues that waits, and all reminders: it may have been sent since the backup.

        Requests for sign-ups and for links are dropped for the same reason. Links that were sent keep working.
        """
        with transaction(self._db):
            self._db.execute(_CANCEL_SERVICE_MAILS)
            self._db.execute("DELETE FROM signup_requests")
            self._db.execute("DELETE FROM link_requests")
            self._db.execute("UPDATE signups SET reminded_at = coalesce(reminded_at, confirmation_at)")

    def signup_keys(self) -> list[str]:
        """Return the addresses that have signed up, as addresses are compared."""
        return [row[0] for row in self._db.execute("SELECT email_key FROM signups").fetchall()]

    # People -----------------------------------------------------------------------------------------------------

    def iterate_subscribers(self) -> Iterator[StoredSubscriber]:
        """Yield all subscribers, with any status; do not write meanwhile."""
        query = "SELECT id, email, email_key, status, created_at FROM subscribers ORDER BY id"
        for subscriber_id, email, key, status, created_at in self._db.execute(query):
            yield StoredSubscriber(subscriber_id, email, key, status, decode_time(created_at))

    def other_addresses(self) -> Iterator[str]:
        """Yield the addresses of deliveries, sign-ups and single mails, as addresses are compared.

        Do not write meanwhile.
        """
        for (key,) in self._db.execute(_SELECT_OTHER_ADDRESSES):
            yield key

    def set_status(self, subscriber_id: int, status: str, at: datetime) -> None:
        """Set the status of a subscriber; if they are gone, cancel their pending deliveries."""
        with transaction(self._db):
            if status in GONE_STATUSES:
                self._db.execute(f"{CANCEL_PENDING} (?)", (subscriber_id,))
            query = "UPDATE subscribers SET status = ?, status_at = ? WHERE id = ?"
            self._db.execute(query, (status, encode_time(at), subscriber_id))

    def unsubscribe_from(self, subscriber_id: int, newsletter: str, at: datetime) -> bool:
        """Unsubscribe a subscriber from one newsletter; return False if they had unsubscribed from it before."""
        query = "SELECT 1 FROM leaves WHERE subscriber_id = ? AND newsletter = ?"
        with transaction(self._db):
            leave = self._db.execute(query, (subscriber_id, newsletter)).fetchone()
            unsubscribe_from(self._db, subscriber_id, newsletter, at)
        return leave is None

    def resubscribe(self, subscriber_id: int, newsletter: str) -> bool:
        """Subscribe a subscriber again, with all topics, to a newsletter that they had unsubscribed from.

        Returns False if they had not.
        """
        with transaction(self._db):
            query = "DELETE FROM leaves WHERE subscriber_id = ? AND newsletter = ?"
            if not self._db.execute(query, (subscriber_id, newsletter)).rowcount:
                return False
            row = "INSERT INTO subscriptions (subscriber_id, newsletter) VALUES (?, ?) ON CONFLICT DO NOTHING"
            self._db.execute(row, (subscriber_id, newsletter))
        return True

    def replace_suppressions(self, suppressed: Mapping[str, tuple[str, datetime]], allowed: Iterable[str]) -> int:
        """Add or update *suppressed* digests, with reason and time, and delete *allowed* ones.

        Returns how many entries were changed.
        """
        rows = ((digest, reason, encode_time(at)) for digest, (reason, at) in suppressed.items())
        with transaction(self._db):
            changed = self._db.executemany(_INSERT_SUPPRESSION, rows).rowcount
            delete = "DELETE FROM suppressions WHERE digest = ?"
            deleted = self._db.executemany(delete, ((digest,) for digest in allowed)).rowcount
        return changed + deleted
