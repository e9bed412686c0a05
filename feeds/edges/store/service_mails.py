"""Mail to one person outside of any issue, such as confirmations: what is recorded before and after it is sent.

As with deliveries, a mail is recorded as being handed over before a server gets it, and the answer after that. If the
process is killed, no mail is lost, and only one that was being handed over may have been delivered.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from feeds.edges.store.old_codec import decode_time, encode_time
from feeds.edges.store.old_sqlite import transaction
from feeds.model import DeliveryOutcome, DeliveryState, NewServiceMail, ServiceMail, ServiceMailKind

#: How long a mail that is finished stays on record, without its values.
KEEP_FOR = timedelta(days=30)
#: The condition for mail that is not finished; the index `ix_service_mails_waiting` has the same.
_IS_WAITING = "state IN ('ready', 'handing_over', 'unknown')"
_IS_SENDABLE = "(state = 'ready' OR (state = 'unknown' AND unknowns <= :resend))"
_INSERT = """
    INSERT INTO service_mails (kind, recipient, recipient_key, lang, template_values, seed, state, created_at,
        expires_at)
    VALUES (?, ?, ?, ?, ?, ?, 'ready', ?, ?)
"""
_SELECT_DUE = f"""
    SELECT id, kind, recipient, lang, template_values, seed, tries, handed_over_at FROM service_mails
    WHERE {_IS_WAITING} AND {_IS_SENDABLE} AND coalesce(next_at, '') <= :now AND id > :last ORDER BY id LIMIT :limit
"""  # noqa: S608 - made of constants
_BEGIN = """
    UPDATE service_mails SET state = 'handing_over', handed_over_at = coalesce(handed_over_at, ?)
    WHERE id = ? AND state IN ('ready', 'unknown') RETURNING handed_over_at
"""
_FINISH = """
    UPDATE service_mails SET state = :state, answer = :answer, tries = :tries, next_at = :next_at,
        unknowns = unknowns + (:state = 'unknown'), sent_at = CASE :state WHEN 'sent' THEN :now END,
        template_values = CASE WHEN :state IN ('sent', 'failed') THEN '{}' ELSE template_values END
    WHERE id = :id AND (state != 'cancelled' OR :state = 'sent')
"""
_RECOVER = """
    UPDATE service_mails SET state = 'unknown', unknowns = unknowns + 1, next_at = ?,
        answer = 'the sender was stopped before the server answered' WHERE state = 'handing_over'
"""
_CANCEL_EXPIRED = f"""
    UPDATE service_mails SET state = 'cancelled', answer = 'expired before it was sent', template_values = '{{}}'
    WHERE {_IS_WAITING} AND state != 'handing_over' AND expires_at <= ?
"""  # noqa: S608 - made of constants
_CANCEL_CONFIRMATIONS = f"""
    UPDATE service_mails SET state = 'cancelled', answer = ?, template_values = '{{}}'
    WHERE recipient_key = ? AND {_IS_WAITING} AND kind IN ('confirmation', 'reminder')
"""  # noqa: S608 - made of constants
_CANCEL_ADDRESS_MAILS = f"""
    UPDATE service_mails SET state = 'cancelled', answer = 'who asked for it was erased', template_values = '{{}}'
    WHERE {_IS_WAITING} AND kind = 'address' AND recipient_key IN (SELECT c.email_key FROM address_changes c
        JOIN subscribers s ON s.id = c.subscriber_id WHERE s.email_key = ?)
"""  # noqa: S608 - made of constants
#: Mail that is being handed over is due too: its sender may have been killed.
_NEXT_AT = f"""
    SELECT min(CASE state WHEN 'handing_over' THEN created_at ELSE coalesce(next_at, created_at) END)
    FROM service_mails WHERE {_IS_WAITING} AND (state = 'handing_over' OR {_IS_SENDABLE})
"""  # noqa: S608 - made of constants
_SELECT_RECIPIENTS = """
    SELECT recipient_key FROM service_mails WHERE kind = :kind AND created_at > :since
    AND substr(recipient_key, instr(recipient_key, '@') + 1) IN (SELECT value FROM json_each(:domains))
"""


def add_service_mail(connection: sqlite3.Connection, mail: NewServiceMail, at: datetime) -> None:
    """Queue a mail inside the caller's transaction."""
    values = json.dumps(mail.values, ensure_ascii=False)
    fields = (mail.kind, mail.recipient, mail.recipient_key, mail.lang, values, mail.seed)
    connection.execute(_INSERT, (*fields, encode_time(at), encode_time(mail.expires_at)))


def cancel_confirmations(connection: sqlite3.Connection, key: str, reason: str) -> None:
    """Cancel the confirmation and the reminder that wait for an address inside the caller's transaction."""
    connection.execute(_CANCEL_CONFIRMATIONS, (reason, key))


def cancel_address_mails(connection: sqlite3.Connection, key: str) -> None:
    """Cancel the mail that waits for the addresses that a subscriber wants to move to, in the caller's transaction."""
    connection.execute(_CANCEL_ADDRESS_MAILS, (key,))


@dataclass(frozen=True, kw_only=True, slots=True)
class MailRecord:
    """A mail to one person, without its content."""

    kind: ServiceMailKind
    state: str
    created_at: datetime
    #: None if it was not sent.
    sent_at: datetime | None


class ServiceMails:
    """The mail to single persons in an open store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def add(self, mail: NewServiceMail, at: datetime) -> None:
        """Queue a mail."""
        with transaction(self._db):
            add_service_mail(self._db, mail, at)

    def last_queued_at(self, key: str, kind: ServiceMailKind) -> datetime | None:
        """Return when the last mail of a kind was queued for an address; None if there was none lately."""
        query = "SELECT max(created_at) FROM service_mails WHERE recipient_key = ? AND kind = ?"
        last = self._db.execute(query, (key, kind)).fetchone()[0]
        return decode_time(last) if last else None

    def iterate_records(self, key: str) -> Iterator[MailRecord]:
        """Yield the mails to an address (as addresses are compared), oldest first."""
        query = "SELECT kind, state, created_at, sent_at FROM service_mails WHERE recipient_key = ? ORDER BY id"
        for kind, state, created_at, sent_at in self._db.execute(query, (key,)):
            yield MailRecord(
                kind=ServiceMailKind(kind),
                state=state,
                created_at=decode_time(created_at),
                sent_at=decode_time(sent_at) if sent_at else None,
            )

    def count_queued(self, kind: ServiceMailKind, since: datetime) -> int:
        """Return how many mails of a kind were queued after *since*."""
        query = "SELECT count(*) FROM service_mails WHERE kind = ? AND created_at > ?"
        return int(self._db.execute(query, (kind, encode_time(since))).fetchone()[0])

    def count_queued_for(self, key: str, kind: ServiceMailKind, since: datetime) -> int:
        """Return how many mails of a kind were queued for an address (as addresses are compared) after *since*."""
        return sum(one.kind == kind and one.created_at > since for one in self.iterate_records(key))

    def recipients_at(self, domains: Iterable[str], kind: ServiceMailKind, since: datetime) -> list[str]:
        """Return the recipient of each mail of a kind to some domains that was queued after *since*.

        They are addresses as addresses are compared.
        """
        names = json.dumps([*domains])
        rows = self._db.execute(_SELECT_RECIPIENTS, {"domains": names, "kind": kind, "since": encode_time(since)})
        return [row[0] for row in rows]

    # Sending ------------------------------------------------------------------------------------------------------

    def recover(self, now: datetime, retry_at: datetime) -> None:
        """Recover after a killed sender: mail that was being handed over may have arrived, and waits until *retry_at*.

        Mail that has expired is cancelled. Call it only while no other process sends this mail.
        """
        with transaction(self._db):
            self._db.execute(_RECOVER, (encode_time(retry_at),))
            self._db.execute(_CANCEL_EXPIRED, (encode_time(now),))

    def load_due(self, last: int, limit: int, now: datetime, *, resend: int) -> list[ServiceMail]:
        """Return mail that is due at *now*, in the order of ids, after the id *last*.

        Mail that may have arrived is sent again at most *resend* times.
        """
        values = {"last": last, "limit": limit, "now": encode_time(now), "resend": resend}
        return [_to_mail(row) for row in self._db.execute(_SELECT_DUE, values).fetchall()]

    def commit_and_begin(
        self, outcomes: Sequence[DeliveryOutcome], begin: Sequence[int], now: datetime
    ) -> dict[int, datetime]:
        """Record outcomes, and mark mail as being handed over, in one transaction; return when each was first.

        Mail that was cancelled meanwhile is missing in the result, and must not be sent. An outcome that waits for
        another try is `deferred`, which is stored as ready with a time.
        """
        at = encode_time(now)
        begun = {}
        with transaction(self._db):
            self._db.executemany(_FINISH, [_finish_values(outcome, at) for outcome in outcomes])
            for number in begin:
                row = self._db.execute(_BEGIN, (at, number)).fetchone()
                if row is not None:
                    begun[number] = decode_time(row[0])
        return begun

    def next_at(self, *, resend: int) -> datetime | None:
        """Return when the next mail is due, which may be in the past; None if none waits."""
        found = self._db.execute(_NEXT_AT, {"resend": resend}).fetchone()[0]
        return decode_time(found) if found else None

    def delete_old(self, now: datetime) -> None:
        """Delete mail that was finished long ago."""
        query = f"DELETE FROM service_mails WHERE NOT ({_IS_WAITING}) AND created_at < ?"  # noqa: S608 - constant
        with transaction(self._db):
            self._db.execute(query, (encode_time(now - KEEP_FOR),))


def _finish_values(outcome: DeliveryOutcome, now: str) -> dict[str, object]:
    state = DeliveryState.READY if outcome.state is DeliveryState.DEFERRED else outcome.state
    return {
        "state": state,
        "answer": outcome.answer,
        "tries": outcome.tries,
        "next_at": encode_time(outcome.next_at) if outcome.next_at else None,
        "id": outcome.id,
        "now": now,
    }


def _to_mail(row: Any) -> ServiceMail:
    mail_id, kind, recipient, lang, values, seed, tries, handed_over_at = row
    return ServiceMail(
        id=mail_id,
        kind=ServiceMailKind(kind),
        recipient=recipient,
        lang=lang,
        values=json.loads(values),
        seed=seed,
        tries=tries,
        handed_over_at=decode_time(handed_over_at) if handed_over_at else None,
    )
