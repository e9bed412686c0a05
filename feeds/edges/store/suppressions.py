"""The suppression list: addresses that must not get mail again, even if nothing else is known about them.

It has digests, which the caller makes; the addresses cannot be recovered from them. Each method is one transaction.
"""

import re
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from feeds.edges.store.old_codec import decode_time, encode_time
from feeds.edges.store.service_mails import cancel_address_mails
from feeds.edges.store.signups import delete_signup
from feeds.edges.store.old_sqlite import IS_OPEN, transaction
from feeds.edges.store.unsubscribe import unsubscribe
from feeds.errors import LockedError

_ADD = "INSERT INTO suppressions (digest, reason, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
#: An address that is on the list already gets the new reason.
_ADD_ERASED = """
    INSERT INTO suppressions (digest, reason, at) VALUES (?, 'erased', ?)
    ON CONFLICT DO UPDATE SET reason = excluded.reason, at = excluded.at WHERE reason != excluded.reason
"""
_REMEMBER_ID = (
    "INSERT INTO erased_subscribers (id) SELECT id FROM subscribers WHERE email_key = ? ON CONFLICT DO NOTHING"
)
#: The ids of the deliveries to an address; the index begins with the issue.
_SELECT_DELIVERIES = """
    SELECT d.id FROM issues i CROSS JOIN deliveries d ON d.issue_id = i.id AND d.recipient_key = :key
    UNION SELECT d.id FROM deliveries d JOIN subscribers s ON s.id = d.subscriber_id WHERE s.email_key = :key
"""
#: A delivery keeps its id only. `@` is needed where the domain is cut out, and no address ends in `@erased`.
_ERASE_DELIVERIES = f"""
    UPDATE deliveries SET recipient = '(erased)', recipient_key = id || '@erased', subscriber_id = NULL, answer = NULL,
        next_at = NULL, state = CASE WHEN {IS_OPEN} THEN 'cancelled' ELSE state END
    WHERE id IN ({_SELECT_DELIVERIES})
"""  # noqa: S608 - made of constants
#: Where else servers' answers are stored.
_ERASE_IN_ANSWERS = (
    "UPDATE issues SET halted = unnamed(halted) WHERE halted != ''",
    "UPDATE paused_domains SET reason = unnamed(reason)",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Suppression:
    """Why an address is on the suppression list, and since when (UTC)."""

    #: `erased` or `suppressed`.
    reason: str
    at: datetime


class Suppressions:
    """The suppression list in an open store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def key_ids(self) -> frozenset[str]:
        """Return the prefixes of the digests, before the colon: the ids of the keys that made them."""
        query = "SELECT DISTINCT substr(digest, 1, instr(digest, ':') - 1) FROM suppressions"
        return frozenset(row[0] for row in self._db.execute(query))

    def find(self, digests: Sequence[str]) -> Suppression | None:
        """Return the entry of an address that has one of these *digests*."""
        query = f"SELECT reason, at FROM suppressions WHERE digest IN ({_placeholders(digests)})"  # noqa: S608 - question marks
        row = self._db.execute(query, digests).fetchone()
        return Suppression(reason=row[0], at=decode_time(row[1])) if row else None

    def suppress(self, key: str, digest: str | None, at: datetime) -> None:
        """Unsubscribe an address, and put its digest on the list unless that is None because it is there already."""
        with transaction(self._db):
            if digest is not None:
                add_suppression(self._db, digest, at)
            unsubscribe(self._db, key, at)
            delete_signup(self._db, key)

    def allow(self, digests: Sequence[str]) -> bool:
        """Remove an address from the list; return whether it was on it."""
        with transaction(self._db):
            query = f"DELETE FROM suppressions WHERE digest IN ({_placeholders(digests)})"  # noqa: S608 - question marks
            return self._db.execute(query, digests).rowcount > 0

    def erase(self, key: str, spellings: Collection[str], digest: str, at: datetime) -> int:
        """Erase an address; what is left are its deliveries without any personal data, and the digest on the list.

        Servers' answers that contain one of the *spellings* are edited wherever they are stored. Returns the number of
        deliveries.
        """
        with transaction(self._db):
            self._db.execute(_ADD_ERASED, (digest, encode_time(at)))
            number = self._db.execute(_ERASE_DELIVERIES, {"key": key}).rowcount
            self._db.execute(_REMEMBER_ID, (key,))
            cancel_address_mails(self._db, key)
            self._db.execute("DELETE FROM subscribers WHERE email_key = ?", (key,))
            delete_signup(self._db, key)
            self._db.execute("DELETE FROM service_mails WHERE recipient_key = ?", (key,))
            self._db.execute("DELETE FROM link_requests WHERE email_key = ?", (key,))
            self._db.execute("DELETE FROM address_changes WHERE email_key = ?", (key,))
            pattern = re.compile("|".join(map(re.escape, spellings)), re.IGNORECASE)
            self._db.create_function("unnamed", 1, lambda text: pattern.sub("(erased)", text))
            for statement in _ERASE_IN_ANSWERS:
                self._db.execute(statement)
        return number

    def secure_vacuum(self) -> None:
        """Rewrite the store, so that its file has no deleted data and no other files beside it.

        Raises:
            LockedError: another process is reading the store.
        """
        self._db.execute("PRAGMA secure_delete = ON")  # else VACUUM fills free space with old data
        try:
            self._db.execute("PRAGMA journal_mode = DELETE")
            self._db.execute("VACUUM")
        except sqlite3.OperationalError as e:
            if e.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            raise LockedError(
                "another process is reading the store, so erased data is still in its file; try again"
            ) from e


def add_suppression(connection: sqlite3.Connection, digest: str, at: datetime) -> None:
    """Put a digest on the list inside the caller's transaction, unless it is there."""
    connection.execute(_ADD, (digest, "suppressed", encode_time(at)))


def _placeholders(values: Sequence[str]) -> str:
    return ",".join("?" * len(values))
