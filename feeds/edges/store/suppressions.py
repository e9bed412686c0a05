"""The suppression list: addresses that must not get mail again, even if nothing else is known about them.

It has digests, which the caller makes; the addresses cannot be recovered from them. Each method is one transaction.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from feeds.edges.store.interface import Database, Row, decode_time
from feeds.edges.store.journal_records import record_suppression
from feeds.edges.store.service_mails import cancel_address_mails
from feeds.edges.store.signups import delete_signup
from feeds.edges.store.unsubscribe import unsubscribe

#: The tables that have addresses, or servers' answers, which may have one.
_TABLES = (
    "subscribers",
    "subscriptions",
    "leaves",
    "bounces",
    "deliveries",
    "issues",
    "paused_domains",
    "service_mails",
    "signups",
    "signup_requests",
    "address_changes",
    "link_requests",
    "erasure_requests",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Suppression:
    """Why an address is on the suppression list, and since when (UTC)."""

    #: `erased` or `suppressed`.
    reason: str
    at: datetime


class Suppressions:
    """The suppression list in an open store."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def key_ids(self) -> frozenset[str]:
        """Return the prefixes of the digests, before the colon: the ids of the keys that made them."""
        return frozenset(row[0] for row in self._db.all("suppressions.key_ids"))

    def find(self, digests: Sequence[str]) -> Suppression | None:
        """Return the entry of an address that has one of these *digests*."""
        rows = (self._db.one("suppressions.find", digest=digest) for digest in digests)
        row = next(filter(None, rows), None)
        return Suppression(reason=row[0], at=decode_time(row[1])) if row else None

    def suppress(self, key: str, digest: str | None, at: datetime) -> None:
        """Unsubscribe an address, and put its digest on the list unless that is None because it is there already."""
        with self._db.transaction():
            if digest is not None:
                add_suppression(self._db, digest, at)
            unsubscribe(self._db, key, at)
            delete_signup(self._db, key)

    def allow(self, digests: Sequence[str], at: datetime) -> bool:
        """Remove an address from the list; return whether it was on it."""
        with self._db.transaction():
            deleted = [digest for digest in digests if self._db.execute("suppressions.delete", digest=digest)]
            for digest in deleted:
                record_suppression(self._db, digest, "allowed", at)
        return bool(deleted)

    def erase(self, key: str, spellings: Collection[str], digest: str, at: datetime) -> int:
        """Erase an address; what is left are its deliveries without any personal data, and the digest on the list.

        Servers' answers that contain one of the *spellings* are edited wherever they are stored. Returns the number of
        deliveries.
        """
        with self._db.transaction():
            if self._db.execute("suppressions.add_erased", digest=digest, at=at):
                record_suppression(self._db, digest, "erased", at)
            number = self._db.execute("suppressions.erase_deliveries", key=key)
            self._db.execute("suppressions.keep_id", key=key)
            cancel_address_mails(self._db, key)
            self._db.execute("suppressions.delete_subscriber", key=key)
            delete_signup(self._db, key)
            self._db.execute("suppressions.delete_service_mails", key=key)
            self._db.execute("suppressions.delete_link_requests", key=key)
            self._db.execute("suppressions.delete_address_changes", key=key)
            self._erase_in_answers(spellings)
        return number

    def _erase_in_answers(self, spellings: Collection[str]) -> None:
        """Edit the answers that are stored elsewhere than with a delivery."""
        pattern = re.compile("|".join(map(re.escape, spellings)), re.IGNORECASE)
        halts = self._db.all("suppressions.halt_reasons")
        self._db.execute_many("suppressions.set_halt_reason", _edit(halts, pattern))
        pauses = self._db.all("suppressions.pause_reasons")
        self._db.execute_many("suppressions.set_pause_reason", _edit(pauses, pattern))

    def secure_vacuum(self) -> None:
        """Remove deleted data from the files of the database; see `Database.remove_deleted` for what may remain.

        Raises:
            LockedError: another process is reading the store.
        """
        self._db.remove_deleted(_TABLES)


def add_suppression(database: Database, digest: str, at: datetime) -> None:
    """Put a digest on the list inside the caller's transaction, unless it is there."""
    if database.execute("suppressions.add", digest=digest, at=at):
        record_suppression(database, digest, "suppressed", at)


def _edit(rows: Iterable[Row], pattern: re.Pattern[str]) -> Iterator[dict[str, object]]:
    """Yield the ids of texts that match, and the texts without what has matched."""
    for row_id, text in rows:
        if pattern.search(text):
            yield {"id": row_id, "reason": pattern.sub("(erased)", text)}
