"""Mail to one person outside of any issue, such as confirmations: what is recorded before and after it is sent.

As with deliveries, a mail is recorded as being handed over before a server gets it, and the answer after that. If the
process is killed, no mail is lost, and only one that was being handed over may have been delivered.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from feeds.edges.store.interface import Database, decode_time, decode_time_if_any
from feeds.model import DeliveryOutcome, DeliveryState, NewServiceMail, ServiceMail, ServiceMailKind

#: How long a mail that is finished stays on record, without its values.
KEEP_FOR = timedelta(days=30)


def add_service_mail(database: Database, mail: NewServiceMail, at: datetime) -> None:
    """Queue a mail inside the caller's transaction."""
    database.execute(
        "service_mails.add",
        kind=mail.kind,
        recipient=mail.recipient,
        key=mail.recipient_key,
        domain=mail.recipient_key.rpartition("@")[2],
        lang=mail.lang,
        template_values=json.dumps(mail.values, ensure_ascii=False),
        seed=mail.seed,
        at=at,
        expires_at=mail.expires_at,
    )


def cancel_confirmations(database: Database, key: str, reason: str) -> None:
    """Cancel the confirmation and the reminder that wait for an address inside the caller's transaction."""
    database.execute("service_mails.cancel_confirmations", key=key, reason=reason)


def cancel_address_mails(database: Database, key: str) -> None:
    """Cancel the mail that waits for the addresses that a subscriber wants to move to, in the caller's transaction."""
    database.execute("service_mails.cancel_address_mails", key=key)


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

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, mail: NewServiceMail, at: datetime) -> None:
        """Queue a mail."""
        with self._db.transaction():
            add_service_mail(self._db, mail, at)

    def last_queued_at(self, key: str, kind: ServiceMailKind) -> datetime | None:
        """Return when the last mail of a kind was queued for an address; None if there was none lately."""
        return decode_time_if_any(self._db.value("service_mails.last_queued_at", key=key, kind=kind))

    def iterate_records(self, key: str) -> Iterator[MailRecord]:
        """Yield the mails to an address (as addresses are compared), oldest first."""
        for kind, state, created_at, sent_at in self._db.all("service_mails.load_records", key=key):
            yield MailRecord(
                kind=ServiceMailKind(kind),
                state=state,
                created_at=decode_time(created_at),
                sent_at=decode_time_if_any(sent_at),
            )

    def count_queued(self, kind: ServiceMailKind, since: datetime) -> int:
        """Return how many mails of a kind were queued after *since*."""
        return int(self._db.value("service_mails.count_queued", kind=kind, since=since))

    def count_queued_for(self, key: str, kind: ServiceMailKind, since: datetime) -> int:
        """Return how many mails of a kind were queued for an address (as addresses are compared) after *since*."""
        return sum(one.kind == kind and one.created_at > since for one in self.iterate_records(key))

    def recipients_at(self, domains: Iterable[str], kind: ServiceMailKind, since: datetime) -> list[str]:
        """Return the recipient of each mail of a kind to some domains that was queued after *since*.

        They are addresses as addresses are compared.
        """
        rows = self._db.all("service_mails.recipients_at", domains=[*domains], kind=kind, since=since)
        return [row[0] for row in rows]

    # Sending ------------------------------------------------------------------------------------------------------

    def recover(self, now: datetime, retry_at: datetime) -> None:
        """Recover after a killed sender: mail that was being handed over may have arrived, and waits until *retry_at*.

        Mail that has expired is cancelled. Call it only while no other process sends this mail.
        """
        with self._db.transaction():
            self._db.execute("service_mails.recover", retry_at=retry_at)
            self._db.execute("service_mails.cancel_expired", now=now)

    def load_due(self, last: int, limit: int, now: datetime, *, resend: int) -> list[ServiceMail]:
        """Return mail that is due at *now*, in the order of ids, after the id *last*.

        Mail that may have arrived is sent again at most *resend* times.
        """
        rows = self._db.all("service_mails.load_due", last=last, limit=limit, now=now, resend=resend)
        return [_to_mail(row) for row in rows]

    def commit_and_begin(
        self, outcomes: Sequence[DeliveryOutcome], begin: Sequence[int], now: datetime
    ) -> dict[int, datetime]:
        """Record outcomes, and mark mail as being handed over, in one transaction; return when each was first.

        Mail that was cancelled meanwhile is missing in the result, and must not be sent. An outcome that waits for
        another try is `deferred`, which is stored as ready with a time.
        """
        begun = {}
        with self._db.transaction():
            self._db.execute_many("service_mails.finish", [_finish_values(outcome, now) for outcome in outcomes])
            for number in begin:
                first = self._db.value("service_mails.begin", id=number, now=now)
                if first is not None:
                    begun[number] = decode_time(first)
        return begun

    def next_at(self, *, resend: int) -> datetime | None:
        """Return when the next mail is due, which may be in the past; None if none waits."""
        return decode_time_if_any(self._db.value("service_mails.next_at", resend=resend))

    def delete_old(self, now: datetime) -> None:
        """Delete mail that was finished long ago."""
        with self._db.transaction():
            self._db.execute("service_mails.delete_old", before=now - KEEP_FOR)


def _finish_values(outcome: DeliveryOutcome, now: datetime) -> dict[str, object]:
    state = DeliveryState.READY if outcome.state is DeliveryState.DEFERRED else outcome.state
    return {
        "state": state,
        "answer": outcome.answer,
        "tries": outcome.tries,
        "next_at": outcome.next_at,
        "id": outcome.id,
        "sent_at": now if state is DeliveryState.SENT else None,
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
        handed_over_at=decode_time_if_any(handed_over_at),
    )
