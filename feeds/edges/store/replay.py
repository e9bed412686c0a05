"""What a journal says, done again in a store that is older: a backup that is brought back.

Everything can be done twice. People have to be found by whoever asks: the journal knows them by digests.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from feeds.edges.store.codec import decode_time, encode_time
from feeds.edges.store.sqlite import transaction
from feeds.edges.store.unsubscribe import CANCEL_PENDING, unsubscribe_from
from feeds.model import GONE_STATUSES, IssueRecorded

_SECOND = timedelta(seconds=1)
_LAST_WORD = """
    SELECT max(at) FROM (
        SELECT max(first_public_at) at FROM entries UNION SELECT max(composed_at) FROM issues
        UNION SELECT max(status_at) FROM subscribers UNION SELECT max(sent_at) FROM deliveries
        UNION SELECT max(at) FROM suppressions UNION SELECT max(at) FROM leaves
    )
"""
_ISSUE = """
    INSERT INTO issues
        (newsletter, number, slot, state, subject, composed_at, approved, note, transport, recipients, sent)
    VALUES (?, ?, ?, 'sent', ?, ?, 1, ?, ?, ?, ?) RETURNING id
"""
#: An entry that was told, unless nobody knows it (its line was damaged).
_ANNOUNCE = """
    INSERT INTO announced (newsletter, entry_id, issue_id, how, position)
    SELECT :newsletter, id, :issue, :how, :position FROM entries WHERE id = :entry ON CONFLICT DO NOTHING
"""
_ARRIVED = "UPDATE issues SET state = 'sent', halted = '', recipients = ?, sent = ? WHERE id = ?"
#: What is taken back stays so.
_RETRACT = "UPDATE issues SET retracted_at = ?, retraction = ? WHERE id = ?"
_CORRECT = """
    UPDATE issues SET corrects = (SELECT o.id FROM issues o WHERE o.newsletter = ? AND o.number = ?) WHERE id = ?
"""
_OPEN = "state NOT IN ('sent', 'failed')"
_NOT_KNOWN = f"""
    UPDATE deliveries SET state = 'unknown', next_at = NULL,
        answer = 'the store was brought back from before it was known how this went'
    WHERE issue_id = ? AND {_OPEN}
"""  # noqa: S608 - made of constants
_HOLD = f"""
    UPDATE issues SET halted = ? WHERE state = 'sending' AND approved AND EXISTS
        (SELECT 1 FROM deliveries d WHERE d.issue_id = issues.id AND d.{_OPEN})
    RETURNING newsletter, number
"""  # noqa: S608 - made of constants
_LIST = """
    INSERT INTO suppressions (digest, reason, at) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET reason = excluded.reason, at = excluded.at WHERE reason != excluded.reason
"""


@dataclass(frozen=True, slots=True)
class StoredSubscriber:
    """Somebody whom the store knows."""

    id: int
    email: str
    #: As addresses are compared.
    key: str
    status: str
    created_at: datetime


class JournalReplay:
    """The part of an open store that takes in what happened after it was copied."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def disable_fsync(self) -> None:
        """Leave it to whoever closes the store to see to it that what is written comes to the disk."""
        self._db.execute("PRAGMA synchronous = OFF")

    def latest_time(self) -> datetime | None:
        """Return the latest moment that the store speaks of; None where it is empty."""
        found = self._db.execute(_LAST_WORD).fetchone()[0]
        return decode_time(found) if found else None

    # Issues -----------------------------------------------------------------------------------------------------

    def record_issues(self, told: Iterable[IssueRecorded], page: Callable[[str, int], str]) -> list[str]:
        """Keep issues that are not known as sent, with what they told; return their names.

        Args:
            told: every issue that was on its way, as it stood last.
            page: gives the page of an issue as everybody sees it.
        """
        with transaction(self._db):
            return [f"{one.newsletter} {one.number}" for one in told if self._issue(one, page)]

    def _issue(self, one: IssueRecorded, page: Callable[[str, int], str]) -> bool:
        self._cancel(one)
        about = (one.newsletter, one.number)
        row = self._db.execute("SELECT id, state FROM issues WHERE newsletter = ? AND number = ?", about).fetchone()
        is_new = row is None
        if is_new:
            identity = self._insert(one, page(*about))
        else:
            identity = row[0]
            if row[1] != one.state and one.state == "sent":
                self._db.execute(_ARRIVED, (one.recipients, one.sent, identity))
                self._db.execute(_NOT_KNOWN, (identity,))
        if one.retracted_at:
            self._db.execute(_RETRACT, (encode_time(one.retracted_at), one.retraction, identity))
        if is_new and one.corrects is not None:
            self._db.execute(_CORRECT, (one.newsletter, one.corrects, identity))
        for how, ids in one.entries.items():
            common = {"newsletter": one.newsletter, "issue": identity, "how": how}
            rows = [common | {"entry": entry, "position": position} for position, entry in enumerate(ids)]
            self._db.executemany(_ANNOUNCE, rows)
        return is_new

    def _cancel(self, one: IssueRecorded) -> None:
        """Forget an issue that waits for approval here and was approved, or composed anew, since."""
        query = "SELECT id FROM issues WHERE newsletter = ? AND NOT approved AND (number = ? OR slot = ?)"
        for row in self._db.execute(query, (one.newsletter, one.number, encode_time(one.slot))).fetchall():
            for table in ("announced", "contents"):
                self._db.execute(f"DELETE FROM {table} WHERE issue_id = ?", row)  # noqa: S608 - one of two constants
            self._db.execute("DELETE FROM issues WHERE id = ?", row)

    def _insert(self, one: IssueRecorded, page: str) -> int:
        slot = one.slot
        taken = "SELECT 1 FROM issues WHERE newsletter = ? AND slot = ?"
        while self._db.execute(taken, (one.newsletter, encode_time(slot))).fetchone():
            slot += _SECOND  # slots are unique, also where a store was adopted in between
        times = (encode_time(slot), one.subject, encode_time(one.composed_at))
        row = (one.newsletter, one.number, *times, one.note, one.transport, one.recipients, one.sent)
        identity = int(self._db.execute(_ISSUE, row).fetchone()[0])
        self._db.execute("INSERT INTO contents (issue_id, page, entry) VALUES (?, ?, ?)", (identity, page, one.entry))
        return identity

    def hold_unsent(self, reason: str) -> list[str]:
        """Hold every issue of which something is still to be sent; return their names."""
        with transaction(self._db):
            return [f"{newsletter} {number}" for newsletter, number in self._db.execute(_HOLD, (reason,)).fetchall()]

    # People -----------------------------------------------------------------------------------------------------

    def iterate_subscribers(self) -> Iterator[StoredSubscriber]:
        """Yield everybody, whatever their status; do not write meanwhile."""
        query = "SELECT id, email, email_key, status, created_at FROM subscribers ORDER BY id"
        for identity, email, key, status, created_at in self._db.execute(query):
            yield StoredSubscriber(identity, email, key, status, decode_time(created_at))

    def delivered_addresses(self) -> Iterator[str]:
        """Yield the addresses that letters went to, as addresses are compared; do not write meanwhile."""
        for (key,) in self._db.execute(
            "SELECT DISTINCT recipient_key FROM deliveries WHERE recipient_key NOT LIKE '%@erased'"
        ):
            yield key

    def set_status(self, reader: int, status: str, at: datetime) -> None:
        """Give a reader a status; what waits for who is gone ends."""
        with transaction(self._db):
            if status in GONE_STATUSES:
                self._db.execute(f"{CANCEL_PENDING} (?)", (reader,))
            self._db.execute(
                "UPDATE subscribers SET status = ?, status_at = ? WHERE id = ?", (status, encode_time(at), reader)
            )

    def unsubscribe_from(self, reader: int, newsletter: str, at: datetime) -> bool:
        """End one subscription of a reader, and what waits of it; return whether that was not so before."""
        query = "SELECT 1 FROM leaves WHERE subscriber_id = ? AND newsletter = ?"
        with transaction(self._db):
            had = self._db.execute(query, (reader, newsletter)).fetchone()
            unsubscribe_from(self._db, reader, newsletter, at)
        return had is None

    def resubscribe(self, reader: int, newsletter: str) -> bool:
        """Let a reader who has left a newsletter read it again, all of it; return whether that was not so before."""
        with transaction(self._db):
            gone = "DELETE FROM leaves WHERE subscriber_id = ? AND newsletter = ?"
            if not self._db.execute(gone, (reader, newsletter)).rowcount:
                return False
            row = "INSERT INTO subscriptions (subscriber_id, newsletter) VALUES (?, ?) ON CONFLICT DO NOTHING"
            self._db.execute(row, (reader, newsletter))
        return True

    def replace_suppressions(self, listed: Mapping[str, tuple[str, datetime]], allowed: Iterable[str]) -> int:
        """Bring the suppression list to this: why and since when by digest, and who is not on it.

        Returns how many entries that has changed.
        """
        on = ((digest, why, encode_time(at)) for digest, (why, at) in listed.items())
        with transaction(self._db):
            changed = self._db.executemany(_LIST, on).rowcount
            off = self._db.executemany("DELETE FROM suppressions WHERE digest = ?", ((digest,) for digest in allowed))
            return changed + off.rowcount
