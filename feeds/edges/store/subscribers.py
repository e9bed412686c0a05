"""Subscribers in the store: their status and subscriptions.

Each method is one transaction. Long results are read in pages, so that other processes need not wait for a slow reader.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from feeds.edges.store.interface import Database, Row, decode_time, decode_time_if_any, encode_topics
from feeds.edges.store.journal_records import record_returns, record_statuses
from feeds.edges.store.unsubscribe import unsubscribe
from feeds.model import DeliveryState, Subscriber

#: Subscribers that are read at a time.
_PAGE_SIZE = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryRecord:
    """One delivery to a subscriber."""

    newsletter: str
    number: int
    subject: str
    lang: str
    state: DeliveryState
    sent_at: datetime | None
    #: The server's last answer.
    answer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BounceSummary:
    """One bounce of a subscriber, and the decision on it."""

    at: datetime
    kind: str
    status: str
    said: str
    decision: str


def subscribe(
    database: Database,
    email: str,
    key: str,
    wanted: Mapping[str, Iterable[str] | None],
    values: Mapping[str, Any],
) -> None:
    """Do what `Subscribers.subscribe` does inside the caller's transaction; *values* are its other arguments."""
    known = database.one("subscribers.find_status", key=key)
    if known is None:
        _save_subscriptions(
            database, add_subscriber(database, email, key, {"created_at": values["at"], **values}), wanted
        )
        return
    subscriber_id, status = known
    is_new = _save_subscriptions(database, subscriber_id, wanted) or status != "active"
    forget_leaves(database, subscriber_id, key, wanted, values["at"])
    database.execute("subscribers.activate", **values, id=subscriber_id, is_new=is_new)
    if status != "active":
        record_activations(database, [(subscriber_id, key, values["at"])])


def add_subscriber(database: Database, email: str, key: str, values: Mapping[str, Any]) -> int:
    """Add an active subscriber inside the caller's transaction; return the id. *values* are the other columns."""
    domain = key.rpartition("@")[2]
    return int(database.value("subscribers.add", **values, email=email, key=key, domain=domain))


def forget_leaves(database: Database, subscriber_id: int, key: str, newsletters: Iterable[str], at: datetime) -> None:
    """Forget inside the caller's transaction that a subscriber, who gets newsletters again, had left them."""
    leaves = [
        name for name in newsletters if database.execute("subscribers.delete_leave", id=subscriber_id, newsletter=name)
    ]
    record_returns(database, key, leaves, at)


def record_activations(database: Database, rows: Iterable[Row]) -> None:
    """Record inside the caller's transaction that subscribers were made active, who were not: they have not moved.

    Each row is their id, their address as addresses are compared, and the time.
    """
    activated = list(rows)
    database.execute_many("subscribers.delete_moved", ({"id": row[0]} for row in activated))
    record_statuses(database, (("active", key, at) for _, key, at in activated))


def _save_subscriptions(database: Database, subscriber_id: int, wanted: Mapping[str, Iterable[str] | None]) -> bool:
    """Insert or update subscriptions; return whether any was new."""
    known = {row[0] for row in database.all("subscribers.subscribed", id=subscriber_id)}
    for newsletter, topics in sorted(wanted.items()):
        values = {"id": subscriber_id, "newsletter": newsletter, "topics": encode_topics(topics or ())}
        if newsletter not in known:
            database.execute("subscribers.add_subscription", **values)
        elif topics is not None:
            database.execute("subscribers.set_topics", **values)
    return not wanted.keys() <= known


class Subscribers:
    """The subscribers in an open store."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def iterate(self, *, newsletter: str | None = None, status: str | None = None) -> Iterator[Subscriber]:
        """Yield subscribers in the order of their addresses: all, those of a newsletter, or those with a status."""
        last = ""
        while page := _to_subscribers(self._page(newsletter, status, last)):
            yield from page
            last = page[-1].key

    def _page(self, newsletter: str | None, status: str | None, last: str) -> list[Row]:
        """Return rows of the subscribers after an address."""
        if newsletter is not None:
            values = {"newsletter": newsletter, "status": status}
            return self._db.all("subscribers.page_of_newsletter", **values, last=last, most=_PAGE_SIZE)
        if status is not None:
            return self._db.all("subscribers.page_with_status", status=status, last=last, most=_PAGE_SIZE)
        return self._db.all("subscribers.page", last=last, most=_PAGE_SIZE)

    def count_by_status(self, *, newsletter: str | None = None, status: str | None = None) -> dict[str, int]:
        """Return how many of them have each status."""
        return dict(self._db.all("subscribers.count_by_status", newsletter=newsletter, status=status))

    def subscribed_newsletters(self) -> frozenset[str]:
        """Return the newsletters that have subscriptions, including those that are no longer configured."""
        return frozenset(row[0] for row in self._db.all("subscribers.newsletters"))

    def find(self, key: str) -> Subscriber | None:
        """Return the subscriber with this address, as addresses are compared."""
        return next(iter(_to_subscribers(self._db.all("subscribers.find", key=key))), None)

    def find_by_id(self, subscriber_id: int) -> Subscriber | None:
        """Return a subscriber; None if there is none with this id."""
        return next(iter(_to_subscribers(self._db.all("subscribers.find_by_id", id=subscriber_id))), None)

    def former_addresses(self, key: str) -> list[str]:
        """Return the addresses that a subscriber had before they moved to this one, all as addresses are compared.

        The oldest comes first. An address that is active again is another subscriber's.
        """
        return [row[0] for row in self._db.all("subscribers.former_keys", key=key)]

    def iterate_deliveries(self, key: str) -> Iterator[DeliveryRecord]:
        """Yield the deliveries to an address, oldest first."""
        for newsletter, number, subject, lang, state, sent_at, answer in self._db.all(
            "subscribers.deliveries", key=key
        ):
            yield DeliveryRecord(
                newsletter=newsletter,
                number=number,
                subject=subject,
                lang=lang,
                state=DeliveryState(state),
                sent_at=decode_time_if_any(sent_at),
                answer=answer,
            )

    def unsubscribed_newsletters(self, key: str) -> dict[str, datetime]:
        """Return the newsletters that an address has unsubscribed from one by one, and when."""
        rows = self._db.all("subscribers.left_newsletters", key=key)
        return {newsletter: decode_time(at) for newsletter, at in rows}

    def iterate_bounces(self, key: str) -> Iterator[BounceSummary]:
        """Yield the bounces of an address."""
        for at, kind, status, said, decision in self._db.all("subscribers.bounces", key=key):
            yield BounceSummary(at=decode_time(at), kind=kind, status=status, said=said, decision=decision)

    def subscribe(
        self,
        email: str,
        key: str,
        wanted: Mapping[str, Iterable[str] | None],
        *,
        lang: str | None,
        timezone: str | None = None,
        consent: str,
        source: str = "",
        at: datetime,
    ) -> None:
        """Make an address an active subscriber of newsletters, each with topics, in addition to its present ones.

        None keeps the topics of a present subscription; for a new one it means all topics. The consent is appended if
        there is a new subscription or the subscriber was not active.
        """
        values = {"lang": lang, "timezone": timezone, "consent": consent, "source": source, "at": at}
        with self._db.transaction():
            subscribe(self._db, email, key, wanted, values)

    def unsubscribe(self, key: str, at: datetime) -> None:
        """Unsubscribe an address and cancel its pending deliveries.

        It stays in the store, so that no import subscribes it again.
        """
        with self._db.transaction():
            unsubscribe(self._db, key, at)


def _to_subscribers(rows: Iterable[Row]) -> list[Subscriber]:
    """Return the subscribers of rows, one for each subscription, in which those of a subscriber follow each other."""
    found: list[Subscriber] = []
    values: Row = (None,)
    subscriptions: tuple[Row, ...] = ()
    for row in rows:
        if row[0] == values[0]:
            subscriptions += (row[-2:],)
        else:
            if subscriptions:
                found.append(_to_subscriber(values, subscriptions))
            values, subscriptions = row, (row[-2:],)
    if subscriptions:
        found.append(_to_subscriber(values, subscriptions))
    return found


def _to_subscriber(values: Row, subscriptions: tuple[Row, ...]) -> Subscriber:
    subscriber_id, email, key, status, lang, timezone, consent, source, created_at, status_at, _, _ = values
    newsletters, topics = _parse_subscriptions(subscriptions)
    return Subscriber(
        id=subscriber_id,
        email=email,
        key=key,
        status=status,
        lang=lang,
        timezone=timezone,
        newsletters=newsletters,
        topics=topics.copy(),
        consent=consent,
        source=source,
        created_at=decode_time(created_at),
        status_at=decode_time(status_at),
    )


@lru_cache(maxsize=1024)
def _parse_subscriptions(rows: tuple[Row, ...]) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return newsletters, and the topics of those that are limited to some; cached, since most rows are equal."""
    topics = {newsletter: tuple(json.loads(names)) for newsletter, names in sorted(rows) if newsletter is not None}
    return tuple(topics), {newsletter: names for newsletter, names in topics.items() if names}
