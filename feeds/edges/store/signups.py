"""Sign-ups on the web in the store: requests as they come in, sign-ups that wait, and what became of them.

Each method is one transaction.
"""

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from feeds.edges.store.interface import Database, decode_time, decode_time_if_any, encode_topics
from feeds.edges.store.networks import RequestLimits, count_request
from feeds.edges.store.service_mails import add_service_mail, cancel_confirmations
from feeds.edges.store.subscribers import subscribe
from feeds.edges.store.subscription_changes import record_changes
from feeds.model import ChangeSource, NewServiceMail, Signup, SignupRequest


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

    def __init__(self, database: Database) -> None:
        self._db = database

    # From the web -------------------------------------------------------------------------------------------------

    def record_request(self, request: SignupRequest, start: datetime, limits: RequestLimits) -> RequestOutcome:
        """Store a request, unless its network has made too many since *start*, or too many wait.

        It does the same for every address, known or not, so neither the result nor the time tells anything about one.
        """
        with self._db.transaction():
            if not count_request(self._db, request.network, request.at, start, limits):
                return RequestOutcome.TOO_MANY
            if self._db.value("signups.count_requests") >= limits.requests:
                return RequestOutcome.BUSY
            self._db.execute("signups.save_request", **_request_values(request), at=request.at)
        return RequestOutcome.ACCEPTED

    def record_wording(self, version: str, lang: str, text: str, at: datetime) -> None:
        """Store words of consent under their version, once."""
        with self._db.transaction():
            self._db.execute("signups.add_wording", version=version, lang=lang, text=text, at=at)

    def has_wording(self, version: str) -> bool:
        """Return whether words of consent are stored."""
        return self._db.one("signups.has_wording", version=version) is not None

    # Deciding -----------------------------------------------------------------------------------------------------

    def load_requests(self, limit: int) -> list[SignupRequest]:
        """Return the oldest requests."""
        return [_to_request(row) for row in self._db.all("signups.load_requests", limit=limit)]

    def count_near(self, request: SignupRequest, since: datetime) -> tuple[int, int]:
        """Return how many other sign-ups the client, and its whole network, have made after *since*."""
        values = {"client": request.client, "network": request.network, "key": request.key}
        [(of_client, of_network)] = self._db.all("signups.count_near", **values, since=since)
        return of_client, of_network

    def hold(self, request: SignupRequest, reason: str, now: datetime) -> bool:
        """Make a request a sign-up that waits for the editor; return False if another process has taken it."""
        with self._db.transaction():
            return self._take(request) and self._save(request, now, held=reason) is not None

    def confirm_request(
        self, request: SignupRequest, make_mail: Callable[[Signup], NewServiceMail], now: datetime
    ) -> bool:
        """Make a request a sign-up and queue its confirmation; return False if another process has taken it."""
        with self._db.transaction():
            if not self._take(request):
                return False
            add_service_mail(self._db, make_mail(self._save(request, now)), now)
        return True

    def _save(self, request: SignupRequest, now: datetime, *, held: str = "") -> Signup:
        values = {"state": "held" if held else "waiting", "held": held, "confirmation_at": None if held else now}
        [row] = self._db.all("signups.save", **_request_values(request), **values, at=now)
        return _to_signup(row)

    def merge(self, request: SignupRequest) -> None:
        """Add the newsletters of a request to the sign-up that waits for its click, if there is one."""
        with self._db.transaction():
            waiting = self._db.value("signups.waiting_newsletters", key=request.key)
            if self._take(request) and waiting is not None:
                newsletters = encode_topics({*json.loads(waiting), *request.newsletters})
                self._db.execute("signups.set_newsletters", key=request.key, newsletters=newsletters)

    def drop(self, request: SignupRequest) -> None:
        """Forget a request."""
        with self._db.transaction():
            self._take(request)

    def _take(self, request: SignupRequest) -> bool:
        """Delete a request; return False if it is gone, or was entered again meanwhile."""
        return self._db.execute("signups.take_request", id=request.id, at=request.at) > 0

    # Sign-ups -----------------------------------------------------------------------------------------------------

    def find(self, number: int) -> Signup | None:
        """Return a sign-up by its id."""
        row = self._db.one("signups.find", id=number)
        return _to_signup(row) if row else None

    def find_by_key(self, key: str) -> Signup | None:
        """Return the sign-up of an address, as addresses are compared."""
        row = self._db.one("signups.find_by_key", key=key)
        return _to_signup(row) if row else None

    def iterate(self, state: str) -> Iterator[Signup]:
        """Yield the sign-ups in a state, the oldest first."""
        yield from map(_to_signup, self._db.all("signups.load", state=state))

    def count(self) -> SignupCounts:
        """Return how many sign-ups wait for the editor, and for their click."""
        counts: dict[str, int] = dict(self._db.all("signups.count"))
        return SignupCounts(held=counts.get("held", 0), waiting=counts.get("waiting", 0))

    def has_work(self, remind_before: datetime | None, expire_before: datetime) -> bool:
        """Return whether a request waits to be looked at, a reminder is due, or a sign-up has expired."""
        if self._db.one("signups.has_request"):
            return True
        if remind_before is not None and self.load_for_reminder(remind_before, 1):
            return True
        return self._db.one("signups.has_expired", before=expire_before) is not None

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
            "at": now,
        }
        with self._db.transaction():
            if not self._db.execute("signups.confirm", id=signup.id, now=now):
                return False
            cancel_confirmations(self._db, signup.key, "the sign-up was confirmed")
            with record_changes(self._db, signup.key, source, now):
                subscribe(self._db, signup.email, signup.key, dict.fromkeys(signup.newsletters), values)
            if mail := welcome():
                add_service_mail(self._db, mail, now)
        return True

    def load_for_reminder(self, before: datetime, limit: int) -> list[Signup]:
        """Return sign-ups whose confirmation was queued *before* a time and sent, and that were not reminded yet."""
        rows = self._db.all("signups.load_for_reminder", before=before, limit=limit)
        return [_to_signup(row) for row in rows]

    def remind(self, signup: Signup, mail: NewServiceMail, now: datetime) -> bool:
        """Queue the only reminder of a sign-up; return False if it does not wait any more."""
        with self._db.transaction():
            if not self._db.execute("signups.remind", id=signup.id, now=now):
                return False
            add_service_mail(self._db, mail, now)
        return True

    def release(self, signup: Signup, mail: NewServiceMail, now: datetime) -> bool:
        """Queue the confirmation of a sign-up that was held; return False if it is not held any more."""
        with self._db.transaction():
            if not self._db.execute("signups.release", id=signup.id, now=now):
                return False
            add_service_mail(self._db, mail, now)
        return True

    def delete(self, keys: Collection[str]) -> int:
        """Delete sign-ups and requests of addresses, with the mail that waits for them; return how many sign-ups."""
        with self._db.transaction():
            return sum(delete_signup(self._db, key) for key in keys)

    def delete_old(self, signups_before: datetime, networks_before: datetime) -> int:
        """Delete sign-ups that were not confirmed in time, with records of confirmed ones, and old counts.

        Returns how many sign-ups expired without a click.
        """
        with self._db.transaction():
            expired = self._db.execute("signups.delete_unconfirmed", before=signups_before)
            self._db.execute("signups.delete_confirmed", before=signups_before)
            self._db.execute("signups.delete_networks", before=networks_before)
        return expired

    # Complaints ---------------------------------------------------------------------------------------------------

    def count_complaints(self, since: datetime) -> tuple[int, int]:
        """Return how many confirmations and reminders were sent after *since*, and how many were complained about."""
        [(sent, complaints)] = self._db.all("signups.count_complaints", since=since)
        return sent, complaints

    def first_complaint(self) -> int:
        """Return the number of the first mail that was complained about; 0 if none was."""
        return int(self._db.value("signups.first_complaint"))

    def forget_complaints(self) -> int:
        """Count no complaint so far against the form; return how many there were. Their addresses stay suppressed."""
        with self._db.transaction():
            return self._db.execute("signups.forget_complaints")


def delete_signup(database: Database, key: str) -> int:
    """Delete the sign-up of an address inside the caller's transaction, with its request and the mail that waits."""
    cancel_confirmations(database, key, "the sign-up was deleted")
    database.execute("signups.delete_request", key=key)
    return database.execute("signups.delete", key=key)


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
        confirmation_at=decode_time_if_any(confirmation_at),
    )
