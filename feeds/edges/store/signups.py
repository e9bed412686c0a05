"""Sign-ups on the web in the store: requests as they come in, sign-ups that wait, and what became of them.

Each method is one transaction.
"""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from feeds.edges.store.old_codec import decode_time, encode_time, encode_topics
from feeds.edges.store.networks import RequestLimits, count_request
from feeds.edges.store.service_mails import add_service_mail, cancel_confirmations
from feeds.edges.store.old_sqlite import transaction
from feeds.edges.store.subscribers import subscribe
from feeds.edges.store.subscription_changes import record_changes
from feeds.model import ChangeSource, NewServiceMail, Signup, SignupRequest

_COLUMNS = "id, email, email_key, newsletters, lang, client, wording, state, held, created_at, confirmation_at"
_SAVE_REQUEST = """
    INSERT INTO signup_requests (email, email_key, newsletters, lang, client, network, wording, signals, at)
    VALUES (:email, :key, :newsletters, :lang, :client, :network, :wording, :signals, :at)
    ON CONFLICT DO UPDATE SET email = excluded.email, newsletters = excluded.newsletters, lang = excluded.lang,
        client = excluded.client, network = excluded.network, wording = excluded.wording, signals = excluded.signals,
        at = excluded.at
"""
_SELECT_REQUESTS = """
    SELECT id, email, email_key, newsletters, lang, client, network, wording, signals, at FROM signup_requests
    ORDER BY at, id LIMIT ?
"""
#: What was confirmed, and is signed up for anew, begins anew: links that were mailed before are not valid any more.
_SAVE_SIGNUP = f"""
    INSERT INTO signups (email, email_key, newsletters, lang, client, network, wording, state, held, created_at,
        confirmation_at)
    VALUES (:email, :key, :newsletters, :lang, :client, :network, :wording, :state, :held, :at, :confirmation_at)
    ON CONFLICT DO UPDATE SET email = excluded.email, newsletters = excluded.newsletters, lang = excluded.lang,
        client = excluded.client, network = excluded.network, wording = excluded.wording, state = excluded.state,
        held = excluded.held, confirmation_at = coalesce(excluded.confirmation_at, confirmation_at),
        created_at = CASE state WHEN 'confirmed' THEN excluded.created_at ELSE created_at END,
        reminded_at = CASE state WHEN 'confirmed' THEN NULL ELSE reminded_at END, confirmed_at = NULL
    RETURNING {_COLUMNS}
"""  # noqa: S608 - made of constants
_MERGE = "UPDATE signups SET newsletters = ? WHERE email_key = ? AND state = 'waiting'"
_COUNT_NEAR = """
    SELECT count(*) FILTER (WHERE client = :client), count(*) FROM signups
    WHERE network = :network AND created_at > :since AND email_key != :key
"""
_CONFIRM = """
    UPDATE signups SET state = 'confirmed', confirmed_at = ? WHERE id = ? AND state = 'waiting'
"""
_SELECT_FOR_REMINDER = f"""
    SELECT {_COLUMNS} FROM signups WHERE state = 'waiting' AND reminded_at IS NULL AND confirmation_at <= ?
    AND EXISTS (SELECT 1 FROM service_mails m WHERE m.recipient_key = email_key AND m.kind = 'confirmation'
        AND m.state = 'sent' AND m.created_at >= signups.confirmation_at)
    ORDER BY id LIMIT ?
"""  # noqa: S608 - made of constants
_RELEASE = """
    UPDATE signups SET state = 'waiting', held = '', confirmation_at = ? WHERE id = ? AND state = 'held'
"""
_COUNT_COMPLAINTS = """
    SELECT count(*) FILTER (WHERE state = 'sent'), count(*) FILTER (WHERE complained_at IS NOT NULL) FROM service_mails
    WHERE kind IN ('confirmation', 'reminder') AND created_at > ?
"""


class RequestOutcome(StrEnum):
    """How the store decided on a request from the web."""

    ACCEPTED = "accepted"
    #: Its network has made too many.
    TOO_MANY = "too many"
    #: Too many wait to be looked at.
    BUSY = "busy"


@dataclass(frozen=True, kw_only=True, slots=True)
class SignupCounts:
    """How many sign-ups wait."""

    held: int
    waiting: int


class Signups:
    """The sign-ups in an open store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    # From the web -------------------------------------------------------------------------------------------------

    def record_request(self, request: SignupRequest, start: datetime, limits: RequestLimits) -> RequestOutcome:
        """Store a request, unless its network has made too many since *start*, or too many wait.

        It does the same for every address, known or not, so neither the result nor the time tells anything about one.
        """
        with transaction(self._db):
            if not count_request(self._db, request.network, request.at, start, limits):
                return RequestOutcome.TOO_MANY
            if self._db.execute("SELECT count(*) FROM signup_requests").fetchone()[0] >= limits.requests:
                return RequestOutcome.BUSY
            self._db.execute(_SAVE_REQUEST, _request_values(request))
        return RequestOutcome.ACCEPTED

    def record_wording(self, version: str, lang: str, text: str, at: datetime) -> None:
        """Store words of consent under their version, once."""
        query = "INSERT INTO consent_wordings (version, lang, text, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        with transaction(self._db):
            self._db.execute(query, (version, lang, text, encode_time(at)))

    def has_wording(self, version: str) -> bool:
        """Return whether words of consent are stored."""
        query = "SELECT 1 FROM consent_wordings WHERE version = ?"
        return self._db.execute(query, (version,)).fetchone() is not None

    # Deciding -----------------------------------------------------------------------------------------------------

    def load_requests(self, limit: int) -> list[SignupRequest]:
        """Return the oldest requests."""
        return [_to_request(row) for row in self._db.execute(_SELECT_REQUESTS, (limit,)).fetchall()]

    def count_near(self, request: SignupRequest, since: datetime) -> tuple[int, int]:
        """Return how many other sign-ups the client, and its whole network, have made after *since*."""
        values = {"client": request.client, "network": request.network, "key": request.key}
        of_client, of_network = self._db.execute(_COUNT_NEAR, values | {"since": encode_time(since)}).fetchone()
        return of_client, of_network

    def hold(self, request: SignupRequest, reason: str, now: datetime) -> bool:
        """Make a request a sign-up that waits for the editor; return False if another process has taken it."""
        with transaction(self._db):
            return self._take(request) and self._save(request, now, held=reason) is not None

    def confirm_request(
        self, request: SignupRequest, make_mail: Callable[[Signup], NewServiceMail], now: datetime
    ) -> bool:
        """Make a request a sign-up and queue its confirmation; return False if another process has taken it."""
        with transaction(self._db):
            if not self._take(request):
                return False
            add_service_mail(self._db, make_mail(self._save(request, now)), now)
        return True

    def _save(self, request: SignupRequest, now: datetime, *, held: str = "") -> Signup:
        at = encode_time(now)
        values = {"state": "held" if held else "waiting", "held": held, "confirmation_at": None if held else at}
        row = self._db.execute(_SAVE_SIGNUP, _request_values(request) | values | {"at": at}).fetchone()
        return _to_signup(row)

    def merge(self, request: SignupRequest) -> None:
        """Add the newsletters of a request to the sign-up that waits for its click, if there is one."""
        with transaction(self._db):
            query = "SELECT newsletters FROM signups WHERE email_key = ? AND state = 'waiting'"
            row = self._db.execute(query, (request.key,)).fetchone()
            if self._take(request) and row:
                self._db.execute(_MERGE, (encode_topics({*json.loads(row[0]), *request.newsletters}), request.key))

    def drop(self, request: SignupRequest) -> None:
        """Forget a request."""
        with transaction(self._db):
            self._take(request)

    def _take(self, request: SignupRequest) -> bool:
        """Delete a request; return False if it is gone, or was entered again meanwhile."""
        query = "DELETE FROM signup_requests WHERE id = ? AND at = ?"
        return self._db.execute(query, (request.id, encode_time(request.at))).rowcount > 0

    # Sign-ups -----------------------------------------------------------------------------------------------------

    def find(self, number: int) -> Signup | None:
        """Return a sign-up by its id."""
        row = self._db.execute(f"SELECT {_COLUMNS} FROM signups WHERE id = ?", (number,)).fetchone()  # noqa: S608 - constant
        return _to_signup(row) if row else None

    def find_by_key(self, key: str) -> Signup | None:
        """Return the sign-up of an address, as addresses are compared."""
        row = self._db.execute(f"SELECT {_COLUMNS} FROM signups WHERE email_key = ?", (key,)).fetchone()  # noqa: S608 - constant
        return _to_signup(row) if row else None

    def iterate(self, state: str) -> Iterator[Signup]:
        """Yield the sign-ups in a state, the oldest first."""
        query = f"SELECT {_COLUMNS} FROM signups WHERE state = ? ORDER BY created_at, id"  # noqa: S608 - constant
        yield from map(_to_signup, self._db.execute(query, (state,)).fetchall())

    def count(self) -> SignupCounts:
        """Return how many sign-ups wait for the editor, and for their click."""
        counts = dict(self._db.execute("SELECT state, count(*) FROM signups GROUP BY 1").fetchall())
        return SignupCounts(held=counts.get("held", 0), waiting=counts.get("waiting", 0))

    def has_work(self, remind_before: datetime | None, expire_before: datetime) -> bool:
        """Return whether a request waits to be looked at, a reminder is due, or a sign-up has expired."""
        if self._db.execute("SELECT 1 FROM signup_requests LIMIT 1").fetchone():
            return True
        if remind_before is not None and self.load_for_reminder(remind_before, 1):
            return True
        query = "SELECT 1 FROM signups WHERE coalesce(confirmed_at, confirmation_at, created_at) <= ? LIMIT 1"
        return self._db.execute(query, (encode_time(expire_before),)).fetchone() is not None

    def confirm(
        self,
        signup: Signup,
        *,
        consent: str,
        source: ChangeSource,
        welcome: Callable[[], NewServiceMail | None],
        now: datetime,
    ) -> bool:
        """Subscribe the address, and queue its welcome; return False if the sign-up does not wait any more.

        *welcome* is called when there is a subscriber, whose links it can have.
        """
        values = {
            "lang": signup.lang,
            "timezone": None,
            "consent": consent,
            "source": "mail" if signup.is_by_mail else "web",
            "at": encode_time(now),
        }
        with transaction(self._db):
            if not self._db.execute(_CONFIRM, (encode_time(now), signup.id)).rowcount:
                return False
            cancel_confirmations(self._db, signup.key, "the sign-up was confirmed")
            with record_changes(self._db, signup.key, source, now):
                subscribe(self._db, signup.email, signup.key, dict.fromkeys(signup.newsletters), values)
            if mail := welcome():
                add_service_mail(self._db, mail, now)
        return True

    def load_for_reminder(self, before: datetime, limit: int) -> list[Signup]:
        """Return sign-ups whose confirmation was queued *before* a time and sent, and that were not reminded yet."""
        rows = self._db.execute(_SELECT_FOR_REMINDER, (encode_time(before), limit)).fetchall()
        return [_to_signup(row) for row in rows]

    def remind(self, signup: Signup, mail: NewServiceMail, now: datetime) -> bool:
        """Queue the only reminder of a sign-up; return False if it does not wait any more."""
        query = "UPDATE signups SET reminded_at = ? WHERE id = ? AND reminded_at IS NULL AND state = 'waiting'"
        with transaction(self._db):
            if not self._db.execute(query, (encode_time(now), signup.id)).rowcount:
                return False
            add_service_mail(self._db, mail, now)
        return True

    def release(self, signup: Signup, mail: NewServiceMail, now: datetime) -> bool:
        """Queue the confirmation of a sign-up that was held; return False if it is not held any more."""
        with transaction(self._db):
            if not self._db.execute(_RELEASE, (encode_time(now), signup.id)).rowcount:
                return False
            add_service_mail(self._db, mail, now)
        return True

    def delete(self, keys: Collection[str]) -> int:
        """Delete sign-ups and requests of addresses, with the mail that waits for them; return how many sign-ups."""
        with transaction(self._db):
            return sum(delete_signup(self._db, key) for key in keys)

    def delete_old(self, signups_before: datetime, networks_before: datetime) -> int:
        """Delete sign-ups that were not confirmed in time, with records of confirmed ones, and old counts.

        Returns how many sign-ups expired without a click.
        """
        at = encode_time(signups_before)
        with transaction(self._db):
            expired = self._db.execute(
                "DELETE FROM signups WHERE state != 'confirmed' AND coalesce(confirmation_at, created_at) <= ?", (at,)
            ).rowcount
            self._db.execute("DELETE FROM signups WHERE state = 'confirmed' AND confirmed_at <= ?", (at,))
            self._db.execute("DELETE FROM signup_networks WHERE since <= ?", (encode_time(networks_before),))
        return expired

    # Complaints ---------------------------------------------------------------------------------------------------

    def count_complaints(self, since: datetime) -> tuple[int, int]:
        """Return how many confirmations and reminders were sent after *since*, and how many were complained about."""
        sent, complaints = self._db.execute(_COUNT_COMPLAINTS, (encode_time(since),)).fetchone()
        return sent, complaints

    def first_complaint(self) -> int:
        """Return the number of the first mail that was complained about; 0 if none was."""
        query = "SELECT coalesce(min(id), 0) FROM service_mails WHERE complained_at IS NOT NULL"
        return int(self._db.execute(query).fetchone()[0])

    def forget_complaints(self) -> int:
        """Count no complaint so far against the form; return how many there were. Their addresses stay suppressed."""
        query = "UPDATE service_mails SET complained_at = NULL WHERE complained_at IS NOT NULL"
        with transaction(self._db):
            return self._db.execute(query).rowcount


def delete_signup(connection: sqlite3.Connection, key: str) -> int:
    """Delete the sign-up of an address inside the caller's transaction, with its request and the mail that waits."""
    cancel_confirmations(connection, key, "the sign-up was deleted")
    connection.execute("DELETE FROM signup_requests WHERE email_key = ?", (key,))
    return connection.execute("DELETE FROM signups WHERE email_key = ?", (key,)).rowcount


def _request_values(request: SignupRequest) -> dict[str, object]:
    return {
        "email": request.email,
        "key": request.key,
        "newsletters": encode_topics(request.newsletters),
        "lang": request.lang,
        "client": request.client,
        "network": request.network,
        "wording": request.wording,
        "signals": encode_topics(request.signals),
        "at": encode_time(request.at),
    }


def _to_request(row: Any) -> SignupRequest:
    number, email, key, newsletters, lang, client, network, wording, signals, at = row
    return SignupRequest(
        id=number,
        email=email,
        key=key,
        newsletters=tuple(json.loads(newsletters)),
        lang=lang,
        client=client,
        network=network,
        wording=wording,
        signals=tuple(json.loads(signals)),
        at=decode_time(at),
    )


def _to_signup(row: Any) -> Signup:
    number, email, key, newsletters, lang, client, wording, state, held, created_at, confirmation_at = row
    return Signup(
        id=number,
        email=email,
        key=key,
        newsletters=tuple(json.loads(newsletters)),
        lang=lang,
        client=client,
        wording=wording,
        state=state,
        held=held,
        created_at=decode_time(created_at),
        confirmation_at=decode_time(confirmation_at) if confirmation_at else None,
    )
