"""Whom no mail goes to again, also when nothing else is known of them any more.

The list holds digests, which whoever asks has to make: no address can be read off it. Each method is one transaction.
"""

import re
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from feeds.edges.store.codec import decode_time, encode_time
from feeds.edges.store.sqlite import transaction
from feeds.edges.store.unsubscribe import unsubscribe
from feeds.errors import LockedError

_ADD = "INSERT INTO suppressions (digest, reason, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
#: Who was on the list already is from now on there for another reason.
_ADD_ERASED = """
    INSERT INTO suppressions (digest, reason, at) VALUES (?, 'erased', ?)
    ON CONFLICT DO UPDATE SET reason = excluded.reason, at = excluded.at WHERE reason != excluded.reason
"""
#: Ids of the deliveries to an address: the key of deliveries begins with the issue.
_THEIRS = """
    SELECT d.id FROM issues i CROSS JOIN deliveries d ON d.issue_id = i.id AND d.recipient_key = :key
    UNION SELECT d.id FROM deliveries d JOIN subscribers s ON s.id = d.subscriber_id WHERE s.email_key = :key
"""
#: A delivery keeps its own number only. `@` keeps what tells domains apart at work, and no address ends so.
_FORGET = f"""
    UPDATE deliveries SET recipient = '(erased)', recipient_key = id || '@erased', subscriber_id = NULL, answer = NULL,
        next_at = NULL, state = CASE state WHEN 'sent' THEN state ELSE 'failed' END
    WHERE id IN ({_THEIRS})
"""  # noqa: S608 - made of constants
#: Where servers' answers stand that are not about one reader only.
_UNNAME = (
    "UPDATE issues SET halted = unnamed(halted) WHERE halted != ''",
    "UPDATE paused_domains SET reason = unnamed(reason)",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Suppression:
    """Why no mail goes to an address, and since when (UTC)."""

    #: `erased` or `suppressed`.
    reason: str
    at: datetime


class Suppressions:
    """The part of an open store that knows them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def key_ids(self) -> frozenset[str]:
        """Return what stands before the colons of the digests: by which keys they were made."""
        query = "SELECT DISTINCT substr(digest, 1, instr(digest, ':') - 1) FROM suppressions"
        return frozenset(row[0] for row in self._db.execute(query))

    def find(self, digests: Sequence[str]) -> Suppression | None:
        """Return what is known of an address that would be kept as one of *digests*."""
        query = f"SELECT reason, at FROM suppressions WHERE digest IN ({_places(digests)})"  # noqa: S608 - question marks
        row = self._db.execute(query, digests).fetchone()
        return Suppression(reason=row[0], at=decode_time(row[1])) if row else None

    def suppress(self, key: str, digest: str | None, at: datetime) -> None:
        """Put an address on the list, unless (None) it is; who has it has left, and nothing waits for them any more."""
        with transaction(self._db):
            if digest is not None:
                self._db.execute(_ADD, (digest, "suppressed", encode_time(at)))
            unsubscribe(self._db, key, at)

    def allow(self, digests: Sequence[str]) -> bool:
        """Take an address off the list; return whether it was on it."""
        with transaction(self._db):
            query = f"DELETE FROM suppressions WHERE digest IN ({_places(digests)})"  # noqa: S608 - question marks
            return self._db.execute(query, digests).rowcount > 0

    def erase(self, key: str, spellings: Collection[str], digest: str, at: datetime) -> int:
        """Forget a person: what is left is that some deliveries went to somebody, and the digest on the list.

        Servers' answers that name one of *spellings* are forgotten wherever they stand. Returns how many deliveries
        there were.
        """
        with transaction(self._db):
            self._db.execute(_ADD_ERASED, (digest, encode_time(at)))
            number = self._db.execute(_FORGET, {"key": key}).rowcount
            self._db.execute("DELETE FROM subscribers WHERE email_key = ?", (key,))
            named = re.compile("|".join(map(re.escape, spellings)), re.IGNORECASE)
            self._db.create_function("unnamed", 1, lambda said: named.sub("(erased)", said))
            for statement in _UNNAME:
                self._db.execute(statement)
        return number

    def secure_vacuum(self) -> None:
        """Write the store anew, so that its file holds nothing any more that was deleted; what lay beside it goes.

        Raises:
            Busy: somebody looks into the store, and what they see cannot be moved.
        """
        self._db.execute("PRAGMA secure_delete = ON")  # else VACUUM fills what it does not use with what it last read
        try:
            self._db.execute("PRAGMA journal_mode = DELETE")
            self._db.execute("VACUUM")
        except sqlite3.OperationalError as e:
            if e.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            raise LockedError("somebody reads the store, so what was deleted still lies in its file; try again") from e


def _places(values: Sequence[str]) -> str:
    return ",".join("?" * len(values))
