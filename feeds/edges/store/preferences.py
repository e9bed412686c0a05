"""What subscribers change themselves: leaving and undoing it, preferences, another address, requests.

Each method is one transaction. The caller decides whether it is allowed.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from feeds.edges.store.codec import decode_time, encode_time, encode_topics
from feeds.edges.store.networks import RequestLimits, count_request
from feeds.edges.store.service_mails import add_service_mail
from feeds.edges.store.sqlite import LAST_SUBSCRIBER_ID, transaction
from feeds.edges.store.subscription_changes import load_changes, record_changes
from feeds.edges.store.unsubscribe import leave, unsubscribe, unsubscribe_from, unsubscribe_if_last
from feeds.model import ALL_NEWSLETTERS, ChangeSource, NewServiceMail, Subscriber, SubscriptionChange

#: Requests for links that wait at most: more in the seconds until they are answered come from a program.
_MOST_LINK_REQUESTS = 500
_IS_IT = f"subscriber_id = ? AND ? IN (newsletter, '{ALL_NEWSLETTERS}')"
_IS_SUBSCRIBED = f"SELECT 1 FROM subscriptions WHERE {_IS_IT}"  # noqa: S608 - made of constants
_LEFT_AT = f"SELECT max(at) FROM leaves WHERE {_IS_IT}"  # noqa: S608 - made of constants
_UNDO = f"DELETE FROM leaves WHERE {_IS_IT} AND at = ? RETURNING newsletter, topics"  # noqa: S608 - made of constants
#: Only if that unsubscribe was what made them one.
_REACTIVATE = """
    UPDATE subscribers SET status = 'active', status_at = :now
    WHERE id = :id AND status = 'unsubscribed' AND status_at = :left_at
"""
_SUBSCRIBE = """
    INSERT INTO subscriptions (subscriber_id, newsletter, topics) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET topics = excluded.topics WHERE topics != excluded.topics
"""
_ACTIVATE = """
    UPDATE subscribers SET status = 'active', status_at = :now WHERE id = :id AND status != 'active'
"""
_SET_PAUSE = (
    "INSERT INTO chosen_pauses (subscriber_id, until) VALUES (?, ?) ON CONFLICT DO UPDATE SET until = excluded.until"
)
#: The new subscriber of an address that a subscriber moves to; an address that is known keeps what it has.
_INSERT_MOVED = f"""
    INSERT INTO subscribers (id, email, email_key, status, lang, timezone, consent, source, created_at, status_at)
    SELECT 1 + {LAST_SUBSCRIBER_ID}, :email, :key, 'active', lang, timezone, consent, source, created_at, :now
    FROM subscribers WHERE id = :old
    ON CONFLICT DO UPDATE SET status = 'active',
        status_at = CASE status WHEN 'active' THEN status_at ELSE excluded.status_at END
    RETURNING id
"""  # noqa: S608 - made of constants
_MOVE = (
    "UPDATE subscription_changes SET subscriber_id = :new WHERE subscriber_id = :old",
    """
    INSERT INTO subscriptions (subscriber_id, newsletter, topics)
    SELECT :new, newsletter, topics FROM subscriptions WHERE subscriber_id = :old ON CONFLICT DO NOTHING
    """,
    """
    DELETE FROM leaves WHERE subscriber_id = :new AND newsletter IN
        (SELECT newsletter FROM subscriptions WHERE subscriber_id = :new)
    """,
    """
    INSERT INTO chosen_pauses (subscriber_id, until)
    SELECT :new, until FROM chosen_pauses WHERE subscriber_id = :old ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO moved_subscribers (subscriber_id, successor_id) VALUES (:old, :new)
    ON CONFLICT DO UPDATE SET successor_id = excluded.successor_id
    """,
)
_CONFIRM = "UPDATE address_changes SET confirmed_at = :now WHERE id = :number AND confirmed_at IS NULL"
_HAS_MOVED = """
    SELECT 1 FROM moved_subscribers m JOIN subscribers s ON s.id = m.successor_id
    WHERE m.subscriber_id = ? AND s.email_key = ? AND s.status = 'active'
"""
_ADD_ADDRESS_CHANGE = (
    "INSERT INTO address_changes (subscriber_id, at, email, email_key) VALUES (?, ?, ?, ?) RETURNING id"
)
_SELECT_WANTED = """
    SELECT c.email FROM address_changes c JOIN subscribers s ON s.id = c.subscriber_id
    WHERE s.email_key = ? AND c.email IS NOT NULL ORDER BY c.id
"""
_ADD_LINK_REQUEST = """
    INSERT INTO link_requests (email_key, at)
    SELECT ?, ? WHERE (SELECT count(*) FROM link_requests) < ? ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class AddressRequest:
    """A subscriber's request for another address."""

    number: int
    email: str
    #: True if the subscriber has moved by it.
    is_confirmed: bool


class Preferences:
    """Preferences in an open store. About leaving, a newsletter may be `ALL_NEWSLETTERS`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    # Leaving ------------------------------------------------------------------------------------------------------

    def is_subscribed(self, subscriber_id: int, newsletter: str) -> bool:
        """Return whether there is a subscription, whatever the status of the subscriber."""
        return self._db.execute(_IS_SUBSCRIBED, (subscriber_id, newsletter)).fetchone() is not None

    def left_at(self, subscriber_id: int, newsletter: str) -> datetime | None:
        """Return when a subscriber has left a newsletter last; None if they have not, or have returned."""
        last = self._db.execute(_LEFT_AT, (subscriber_id, newsletter)).fetchone()[0]
        return decode_time(last) if last else None

    def leave(self, subscriber_id: int, newsletter: str, source: ChangeSource, at: datetime) -> bool:
        """Unsubscribe from one newsletter, and from everything after the last; return False without a subscription."""
        with transaction(self._db), record_changes(self._db, subscriber_id, source, at):
            return bool(leave(self._db, subscriber_id, newsletter, at))

    def undo_leave(
        self, subscriber_id: int, newsletter: str, left_at: datetime, source: ChangeSource, now: datetime
    ) -> bool:
        """Undo the unsubscribe at *left_at*; return False if it is not the last one of this newsletter.

        What was to be sent meanwhile stays cancelled, since a letter may have been on its way.
        """
        at = encode_time(left_at)
        with transaction(self._db), record_changes(self._db, subscriber_id, source, now):
            rows = self._db.execute(_UNDO, (subscriber_id, newsletter, at)).fetchall()
            if not rows:
                return False
            for name, topics in rows:
                self._db.execute(_SUBSCRIBE, (subscriber_id, name, topics))
            self._db.execute(_REACTIVATE, {"id": subscriber_id, "left_at": at, "now": encode_time(now)})
        return True

    # Preferences --------------------------------------------------------------------------------------------------

    def paused_until(self, subscriber_id: int) -> datetime | None:
        """Return until when a subscriber wants no letters; None if they want them now."""
        row = self._db.execute("SELECT until FROM chosen_pauses WHERE subscriber_id = ?", (subscriber_id,)).fetchone()
        return decode_time(row[0]) if row else None

    def paused_until_of(self, key: str) -> datetime | None:
        """Return the same for an address, as addresses are compared."""
        query = "SELECT until FROM chosen_pauses p JOIN subscribers s ON s.id = p.subscriber_id WHERE s.email_key = ?"
        row = self._db.execute(query, (key,)).fetchone()
        return decode_time(row[0]) if row else None

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
        with transaction(self._db), record_changes(self._db, subscriber_id, source, now):
            for name, topics in wanted.items():
                self._db.execute("DELETE FROM leaves WHERE subscriber_id = ? AND newsletter = ?", (subscriber_id, name))
                self._db.execute(_SUBSCRIBE, (subscriber_id, name, encode_topics(topics)))
            for name in unwanted:
                if self.is_subscribed(subscriber_id, name):
                    unsubscribe_from(self._db, subscriber_id, name, now)
            self._set_status(subscriber_id, now, is_wanted=bool(wanted))
            self._db.execute("UPDATE subscribers SET lang = ? WHERE id = ?", (lang, subscriber_id))
            self._set_pause(subscriber_id, paused_until)

    def _set_status(self, subscriber_id: int, now: datetime, *, is_wanted: bool) -> None:
        if is_wanted:
            self._db.execute(_ACTIVATE, {"id": subscriber_id, "now": encode_time(now)})
        else:
            unsubscribe_if_last(self._db, subscriber_id, now)

    def _set_pause(self, subscriber_id: int, until: datetime | None) -> None:
        if until is None:
            self._db.execute("DELETE FROM chosen_pauses WHERE subscriber_id = ?", (subscriber_id,))
        else:
            self._db.execute(_SET_PAUSE, (subscriber_id, encode_time(until)))

    def changes(self, key: str) -> list[SubscriptionChange]:
        """Return the changes that an address (as addresses are compared) has made itself, the oldest first."""
        return load_changes(self._db, key)

    # Another address ----------------------------------------------------------------------------------------------

    def delete_address_changes(self, before: datetime) -> None:
        """Delete the addresses that subscribers asked for *before* a time, or at it."""
        with transaction(self._db):
            self._db.execute("DELETE FROM address_changes WHERE at <= ?", (encode_time(before),))

    def has_address_changes(self, before: datetime) -> bool:
        """Return whether `delete_address_changes` would delete any."""
        query = "SELECT 1 FROM address_changes WHERE at <= ? LIMIT 1"
        return self._db.execute(query, (encode_time(before),)).fetchone() is not None

    def count_address_changes(self, subscriber_id: int, since: datetime) -> int:
        """Return how often a subscriber has asked for another address after *since*."""
        query = "SELECT count(*) FROM address_changes WHERE subscriber_id = ? AND at > ?"
        return int(self._db.execute(query, (subscriber_id, encode_time(since))).fetchone()[0])

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
        row = (subscriber_id, encode_time(now), *(wanted or (None, None)))
        with transaction(self._db):
            number = self._db.execute(_ADD_ADDRESS_CHANGE, row).fetchone()[0]
            if wanted:
                add_service_mail(self._db, make_mail(number), now)

    def find_address_change(self, number: int, subscriber_id: int) -> AddressRequest | None:
        """Return a subscriber's request for an address, by the record's id; None if there is none any more."""
        query = (
            "SELECT email, confirmed_at FROM address_changes WHERE id = ? AND subscriber_id = ? AND email IS NOT NULL"
        )
        row = self._db.execute(query, (number, subscriber_id)).fetchone()
        return AddressRequest(number=number, email=row[0], is_confirmed=row[1] is not None) if row else None

    def has_moved(self, subscriber_id: int, key: str) -> bool:
        """Return whether a subscriber has moved to an address (as addresses are compared) that is still active."""
        return self._db.execute(_HAS_MOVED, (subscriber_id, key)).fetchone() is not None

    def wanted_addresses(self, key: str) -> list[str]:
        """Return the addresses that an address (as addresses are compared) wants to move to, oldest first."""
        return [row[0] for row in self._db.execute(_SELECT_WANTED, (key,)).fetchall()]

    def move(self, old: Subscriber, number: int, address: tuple[str, str], source: ChangeSource, now: datetime) -> None:
        """Give the subscriptions, topics, pause and language of a subscriber to the owner of another address.

        *number* is that of the request, which is confirmed; a second time nothing happens. *address* is the new one,
        and the same as addresses are compared. The old address stays in the store as unsubscribed, so that no import
        subscribes it again, and linked with the new one. If the new one is known, its own subscriptions stay, and it
        becomes active. The records of changes move too.
        """
        (email, key), old_key = address, old.key
        values: dict[str, object] = {"email": email, "key": key, "old": old.id, "now": encode_time(now)}
        with (
            transaction(self._db),
            record_changes(self._db, old_key, source, now),
            record_changes(self._db, key, source, now),
        ):
            if not self._db.execute(_CONFIRM, {"number": number, "now": values["now"]}).rowcount:
                return
            values["new"] = self._db.execute(_INSERT_MOVED, values).fetchone()[0]
            for statement in _MOVE:
                self._db.execute(statement, values)
            unsubscribe(self._db, old_key, now)

    # Requests -----------------------------------------------------------------------------------------------------

    def has_requests(self) -> bool:
        """Return whether anybody waits for a link or for erasure."""
        query = "SELECT 1 FROM link_requests UNION ALL SELECT 1 FROM erasure_requests LIMIT 1"
        return self._db.execute(query).fetchone() is not None

    def request_link(self, key: str, network: str, now: datetime, start: datetime, limits: RequestLimits) -> bool:
        """Record a request for the link of an address, which need not be known.

        Returns False, and records nothing, if the network has sent too many requests since *start*.
        """
        with transaction(self._db):
            if not count_request(self._db, network, now, start, limits):
                return False
            self._db.execute(_ADD_LINK_REQUEST, (key, encode_time(now), _MOST_LINK_REQUESTS))
        return True

    def link_requests(self) -> list[str]:
        """Return the addresses for which a link was asked for, as addresses are compared, oldest first."""
        rows = self._db.execute("SELECT email_key FROM link_requests ORDER BY at, email_key").fetchall()
        return [row[0] for row in rows]

    def delete_link_requests(self, keys: Sequence[str]) -> None:
        """Delete requests that are answered."""
        with transaction(self._db):
            self._db.executemany("DELETE FROM link_requests WHERE email_key = ?", [(key,) for key in keys])

    def request_erasure(self, key: str, now: datetime) -> None:
        """Record that a subscriber wants to be erased, and unsubscribe them from everything at once."""
        with transaction(self._db):
            row = (key, encode_time(now))
            self._db.execute("INSERT INTO erasure_requests (email_key, at) VALUES (?, ?) ON CONFLICT DO NOTHING", row)
            unsubscribe(self._db, key, now)

    def erasure_requests(self) -> list[str]:
        """Return the addresses that are to be erased, oldest first."""
        rows = self._db.execute("SELECT email_key FROM erasure_requests ORDER BY at, email_key").fetchall()
        return [row[0] for row in rows]

    def delete_erasure_request(self, key: str) -> None:
        """Delete the request of an address that was erased, and overwrite it in the file."""
        self._db.execute("PRAGMA secure_delete = ON")
        with transaction(self._db):
            self._db.execute("DELETE FROM erasure_requests WHERE email_key = ?", (key,))
