"""Changes that subscribers make themselves: leaving and undoing it, preferences, another address, requests.

Each method is one transaction. The caller decides whether it is allowed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from feeds.edges.store.interface import Database, decode_time_if_any, encode_topics
from feeds.edges.store.journal_records import record_returns
from feeds.edges.store.networks import RequestLimits, count_request
from feeds.edges.store.service_mails import add_service_mail
from feeds.edges.store.subscribers import add_subscriber, forget_leaves, record_activations
from feeds.edges.store.subscription_changes import load_changes, record_changes
from feeds.edges.store.unsubscribe import leave, unsubscribe, unsubscribe_from, unsubscribe_if_last
from feeds.model import ALL_NEWSLETTERS, ChangeSource, NewServiceMail, Subscriber, SubscriptionChange

#: Requests for links that wait at most: more in the seconds until they are answered come from a program.
_MOST_LINK_REQUESTS = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class AddressRequest:
    """A subscriber's request for another address."""

    number: int
    email: str
    #: True if the subscriber has moved by it.
    is_confirmed: bool


class Preferences:
    """Preferences in an open store. About leaving, a newsletter may be `ALL_NEWSLETTERS`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # Leaving ------------------------------------------------------------------------------------------------------

    def is_subscribed(self, subscriber_id: int, newsletter: str) -> bool:
        """Return whether there is a subscription, whatever the status of the subscriber."""
        values = {"subscriber_id": subscriber_id, "newsletter": newsletter, "every": ALL_NEWSLETTERS}
        return self._db.one("preferences.is_subscribed", **values) is not None

    def left_at(self, subscriber_id: int, newsletter: str) -> datetime | None:
        """Return when a subscriber has left a newsletter last; None if they have not, or have returned."""
        values = {"subscriber_id": subscriber_id, "newsletter": newsletter, "every": ALL_NEWSLETTERS}
        return decode_time_if_any(self._db.value("preferences.left_at", **values))

    def leave(self, subscriber_id: int, newsletter: str, source: ChangeSource, at: datetime) -> bool:
        """Unsubscribe from one newsletter, and from everything after the last; return False without a subscription."""
        with self._db.transaction(), record_changes(self._db, subscriber_id, source, at):
            return bool(leave(self._db, subscriber_id, newsletter, at))

    def undo_leave(
        self, subscriber_id: int, newsletter: str, left_at: datetime, source: ChangeSource, now: datetime
    ) -> bool:
        """Undo the unsubscribe at *left_at*; return False if it is not the last one of this newsletter.

        What was to be sent meanwhile stays cancelled, since a letter may have been on its way.
        """
        values = {"subscriber_id": subscriber_id, "left_at": left_at}
        which = {"newsletter": newsletter, "every": ALL_NEWSLETTERS}
        with self._db.transaction(), record_changes(self._db, subscriber_id, source, now):
            rows = self._db.all("preferences.undo_leave", **values, **which)
            for name, topics in rows:
                self._subscribe(subscriber_id, name, topics)
            if rows:
                record_returns(self._db, self._key(subscriber_id), (row[0] for row in rows), now)
                record_activations(self._db, self._db.all("preferences.reactivate", **values, now=now))
        return bool(rows)

    def _subscribe(self, subscriber_id: int, newsletter: str, topics: str) -> None:
        self._db.execute("preferences.subscribe", subscriber_id=subscriber_id, newsletter=newsletter, topics=topics)

    def _key(self, subscriber_id: int) -> str:
        return str(self._db.value("preferences.key", subscriber_id=subscriber_id))

    # Preferences --------------------------------------------------------------------------------------------------

    def paused_until(self, subscriber_id: int) -> datetime | None:
        """Return until when a subscriber wants no letters; None if they want them now."""
        return decode_time_if_any(self._db.value("preferences.paused_until", subscriber_id=subscriber_id))

    def paused_until_of(self, key: str) -> datetime | None:
        """Return the same for an address, as addresses are compared."""
        return decode_time_if_any(self._db.value("preferences.paused_until_of", key=key))

    def save(
        self,
        subscriber_id: int,
        wanted: Mapping[str, Iterable[str]],
        unwanted: Iterable[str],
        *,
        lang: str | None,
        paused_until: datetime | None,
        source: ChangeSource,
        now: datetime,
    ) -> None:
        """Store the preferences of a subscriber: newsletters with their topics, language and pause.

        *unwanted* newsletters are left; those that are in neither stay as they are.
        """
        with self._db.transaction(), record_changes(self._db, subscriber_id, source, now):
            forget_leaves(self._db, subscriber_id, self._key(subscriber_id), wanted, now)
            for name, topics in wanted.items():
                self._subscribe(subscriber_id, name, encode_topics(topics))
            for name in unwanted:
                if self.is_subscribed(subscriber_id, name):
                    unsubscribe_from(self._db, subscriber_id, name, now)
            self._set_status(subscriber_id, now, is_wanted=bool(wanted))
            self._db.execute("preferences.set_language", lang=lang, subscriber_id=subscriber_id)
            self._set_pause(subscriber_id, paused_until)

    def _set_status(self, subscriber_id: int, now: datetime, *, is_wanted: bool) -> None:
        if is_wanted:
            self._activate(subscriber_id, now)
        else:
            unsubscribe_if_last(self._db, subscriber_id, now)

    def _activate(self, subscriber_id: int, now: datetime) -> None:
        rows = self._db.all("preferences.activate", subscriber_id=subscriber_id, now=now)
        record_activations(self._db, rows)

    def _set_pause(self, subscriber_id: int, until: datetime | None) -> None:
        if until is None:
            self._db.execute("preferences.end_pause", subscriber_id=subscriber_id)
        else:
            self._db.execute("preferences.set_pause", subscriber_id=subscriber_id, until=until)

    def changes(self, key: str) -> list[SubscriptionChange]:
        """Return the changes that an address (as addresses are compared) has made itself, the oldest first."""
        return load_changes(self._db, key)

    # Another address ----------------------------------------------------------------------------------------------

    def delete_address_changes(self, before: datetime) -> None:
        """Delete the addresses that subscribers asked for *before* a time, or at it."""
        with self._db.transaction():
            self._db.execute("preferences.delete_address_changes", before=before)

    def has_address_changes(self, before: datetime) -> bool:
        """Return whether `delete_address_changes` would delete any."""
        return self._db.one("preferences.has_address_changes", before=before) is not None

    def count_address_changes(self, subscriber_id: int, since: datetime) -> int:
        """Return how often a subscriber has asked for another address after *since*."""
        return int(self._db.value("preferences.count_address_changes", subscriber_id=subscriber_id, since=since))

    def record_address_change(
        self,
        subscriber_id: int,
        wanted: tuple[str, str] | None,
        make_mail: Callable[[int], NewServiceMail],
        now: datetime,
    ) -> None:
        """Record that a subscriber has asked for another address, and queue its mail, made from the record's id.

        *wanted* is the address, and the address as addresses are compared. If it is None, the record only counts, and
        no mail is queued.
        """
        email, key = wanted or (None, None)
        values = {"subscriber_id": subscriber_id, "now": now, "email": email, "key": key}
        with self._db.transaction():
            number = self._db.value("preferences.add_address_change", **values)
            if wanted:
                add_service_mail(self._db, make_mail(number), now)

    def find_address_change(self, number: int, subscriber_id: int) -> AddressRequest | None:
        """Return a subscriber's request for an address, by the record's id; None if there is none any more."""
        row = self._db.one("preferences.find_address_change", number=number, subscriber_id=subscriber_id)
        return AddressRequest(number=number, email=row[0], is_confirmed=row[1] is not None) if row else None

    def has_moved(self, subscriber_id: int, key: str) -> bool:
        """Return whether a subscriber has moved to an address (as addresses are compared) that is still active."""
        return self._db.one("preferences.has_moved", subscriber_id=subscriber_id, key=key) is not None

    def wanted_addresses(self, key: str) -> list[str]:
        """Return the addresses that an address (as addresses are compared) wants to move to, oldest first."""
        return [row[0] for row in self._db.all("preferences.wanted_addresses", key=key)]

    def move(self, old: Subscriber, number: int, address: tuple[str, str], source: ChangeSource, now: datetime) -> None:
        """Give the subscriptions, topics, pause and language of a subscriber to the owner of another address.

        *number* is that of the request, which is confirmed; a second time nothing happens. *address* is the new one,
        and the same as addresses are compared. The old address stays in the store as unsubscribed, so that no import
        subscribes it again, and linked with the new one. If the new one is known, its own subscriptions stay, and it
        becomes active. The records of changes move too.
        """
        with (
            self._db.transaction(),
            record_changes(self._db, old.key, source, now),
            record_changes(self._db, address[1], source, now),
        ):
            if self._db.execute("preferences.confirm_address_change", number=number, now=now):
                self._move_to(self._require_active(old, address, now), old, address[1], now)

    def _require_active(self, old: Subscriber, address: tuple[str, str], now: datetime) -> int:
        """Return the id of the active subscriber of an address, with the values of the old one if it is new."""
        known = self._db.one("subscribers.find_status", key=address[1])
        if known is not None:
            self._activate(known[0], now)
            return int(known[0])
        row = self._db.one("preferences.values_to_move", old=old.id)
        assert row is not None
        values = dict(zip(("lang", "timezone", "consent", "source", "created_at"), row, strict=True))
        return add_subscriber(self._db, *address, values | {"at": now})

    def _move_to(self, new: int, old: Subscriber, key: str, now: datetime) -> None:
        """Give what a subscriber has to the one with the id *new* and this address, and unsubscribe them."""
        self._db.execute("preferences.move_changes", new=new, old=old.id)
        self._db.execute("preferences.move_subscriptions", new=new, old=old.id)
        record_returns(self._db, key, (row[0] for row in self._db.all("preferences.forget_leaves", new=new)), now)
        self._db.execute("preferences.move_pause", new=new, old=old.id)
        self._db.execute("preferences.link_addresses", new=new, old=old.id)
        unsubscribe(self._db, old.key, now)

    # Requests -----------------------------------------------------------------------------------------------------

    def has_requests(self) -> bool:
        """Return whether anybody waits for a link or for erasure."""
        return self._db.one("preferences.has_requests") is not None

    def request_link(self, key: str, network: str, now: datetime, start: datetime, limits: RequestLimits) -> bool:
        """Record a request for the link of an address, which need not be known.

        Returns False, and records nothing, if the network has sent too many requests since *start*.
        """
        with self._db.transaction():
            if not count_request(self._db, network, now, start, limits):
                return False
            self._db.execute("preferences.add_link_request", key=key, now=now, most=_MOST_LINK_REQUESTS)
        return True

    def link_requests(self) -> list[str]:
        """Return the addresses for which a link was asked for, as addresses are compared, oldest first."""
        return [row[0] for row in self._db.all("preferences.link_requests")]

    def delete_link_requests(self, keys: Sequence[str]) -> None:
        """Delete requests that are answered."""
        with self._db.transaction():
            self._db.execute_many("preferences.delete_link_request", ({"key": key} for key in keys))

    def request_erasure(self, key: str, now: datetime) -> None:
        """Record that a subscriber wants to be erased, and unsubscribe them from everything at once."""
        with self._db.transaction():
            self._db.execute("preferences.add_erasure_request", key=key, now=now)
            unsubscribe(self._db, key, now)

    def erasure_requests(self) -> list[str]:
        """Return the addresses that are to be erased, oldest first."""
        return [row[0] for row in self._db.all("preferences.erasure_requests")]

    def delete_erasure_request(self, key: str) -> None:
        """Delete the request of an address that was erased, and overwrite it in the file."""
        self._db.overwrite_deleted()
        with self._db.transaction():
            self._db.execute("preferences.delete_erasure_request", key=key)
