"""Subscribers in the store: their status and subscriptions.

Each method is one transaction. Long results are read in pages, so that other processes need not wait for a slow reader.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from feeds.edges.store.old_codec import decode_time, encode_time, encode_topics
from feeds.edges.store.old_sqlite import LAST_SUBSCRIBER_ID, transaction
from feeds.edges.store.unsubscribe import unsubscribe
from feeds.model import DeliveryState, Subscriber

#: Rows that are read at a time.
_PAGE_SIZE = 1000
_SELECT = """
    SELECT id, email, email_key, status, lang, timezone, consent, source, created_at, status_at,
        (SELECT json_group_object(newsletter, topics) FROM subscriptions WHERE subscriber_id = p.id)
    FROM subscribers p
"""
_IS_SELECTED = (
    "(:status IS NULL OR p.status = :status) AND (:newsletter IS NULL OR EXISTS"
    " (SELECT 1 FROM subscriptions s WHERE s.subscriber_id = p.id AND s.newsletter = :newsletter))"
)
_INSERT = f"""
    INSERT INTO subscribers (id, email, email_key, status, lang, timezone, consent, source, created_at, status_at)
    VALUES (1 + {LAST_SUBSCRIBER_ID}, :email, :key, 'active', :lang, :timezone, :consent, :source, :at, :at)
    RETURNING id
"""  # noqa: S608 - made of constants
_UPDATE = """
    UPDATE subscribers SET status = 'active', lang = coalesce(:lang, lang), timezone = coalesce(:timezone, timezone),
        status_at = CASE status WHEN 'active' THEN status_at ELSE :at END,
        consent = CASE WHEN :is_new THEN trim(consent || '; ' || :consent, '; ') ELSE consent END
    WHERE id = :id
"""
_INSERT_SUBSCRIPTION = "INSERT INTO subscriptions (topics, subscriber_id, newsletter) VALUES (?, ?, ?)"
_UPDATE_TOPICS = "UPDATE subscriptions SET topics = ? WHERE subscriber_id = ? AND newsletter = ?"
_DELETE_LEAVE = "DELETE FROM leaves WHERE subscriber_id = ? AND newsletter = ?"
_SELECT_LEAVES = (
    "SELECT newsletter, at FROM leaves l JOIN subscribers s ON s.id = l.subscriber_id WHERE s.email_key = ?"
)
_SELECT_BOUNCES = """
    SELECT b.at, b.kind, b.status, b.said, b.decision FROM bounces b JOIN subscribers s ON s.id = b.subscriber_id
    WHERE s.email_key = ? ORDER BY b.at, b.id
"""
_SELECT_DELIVERIES = """
    SELECT i.newsletter, i.number, i.subject, l.lang, d.state, d.sent_at, coalesce(d.answer, '')
    FROM issues i CROSS JOIN deliveries d ON d.issue_id = i.id AND d.recipient_key = ?
    JOIN letters l ON l.id = d.letter_id ORDER BY i.slot, i.id
"""
#: The addresses from which a subscriber has moved, and those from which these had moved, the oldest first.
_SELECT_FORMER = """
    WITH RECURSIVE former (id, distance) AS (
        SELECT m.subscriber_id, 1 FROM moved_subscribers m JOIN subscribers s ON s.id = m.successor_id
        WHERE s.email_key = ?
        UNION SELECT m.subscriber_id, distance + 1 FROM moved_subscribers m JOIN former f ON f.id = m.successor_id
    )
    SELECT email_key FROM former JOIN subscribers USING (id) ORDER BY distance DESC, id
"""


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
    connection: sqlite3.Connection,
    email: str,
    key: str,
    wanted: Mapping[str, Iterable[str] | None],
    values: Mapping[str, object],
) -> None:
    """Do what `Subscribers.subscribe` does inside the caller's transaction; *values* are its other arguments."""
    known = connection.execute("SELECT id, status FROM subscribers WHERE email_key = ?", (key,)).fetchone()
    if known is None:
        row = connection.execute(_INSERT, {**values, "email": email, "key": key}).fetchone()
        _save_subscriptions(connection, row[0], wanted)
    else:
        is_new = _save_subscriptions(connection, known[0], wanted) or known[1] != "active"
        connection.executemany(_DELETE_LEAVE, [(known[0], newsletter) for newsletter in wanted])
        connection.execute(_UPDATE, {**values, "id": known[0], "is_new": is_new})


def _save_subscriptions(
    connection: sqlite3.Connection, subscriber_id: int, wanted: Mapping[str, Iterable[str] | None]
) -> bool:
    """Insert or update subscriptions; return whether any was new."""
    rows = connection.execute("SELECT newsletter FROM subscriptions WHERE subscriber_id = ?", (subscriber_id,))
    known = {row[0] for row in rows}
    for newsletter, topics in sorted(wanted.items()):
        if newsletter not in known:
            connection.execute(_INSERT_SUBSCRIPTION, (encode_topics(topics or ()), subscriber_id, newsletter))
        elif topics is not None:
            connection.execute(_UPDATE_TOPICS, (encode_topics(topics), subscriber_id, newsletter))
    return not wanted.keys() <= known


class Subscribers:
    """The subscribers in an open store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def iterate(self, *, newsletter: str | None = None, status: str | None = None) -> Iterator[Subscriber]:
        """Yield subscribers in the order of their addresses: all, those of a newsletter, or those with a status."""
        query = f"{_SELECT} WHERE p.email_key > :last AND {_IS_SELECTED} ORDER BY p.email_key LIMIT {_PAGE_SIZE}"
        parameters = {"newsletter": newsletter, "status": status, "last": ""}
        while page := [_to_subscriber(row) for row in self._db.execute(query, parameters).fetchall()]:
            yield from page
            parameters["last"] = page[-1].key

    def count_by_status(self, *, newsletter: str | None = None, status: str | None = None) -> dict[str, int]:
        """Return how many of them have each status."""
        query = f"SELECT p.status, count(*) FROM subscribers p WHERE {_IS_SELECTED} GROUP BY 1 ORDER BY 2 DESC"  # noqa: S608 - made of constants
        return dict(self._db.execute(query, {"newsletter": newsletter, "status": status}).fetchall())

    def subscribed_newsletters(self) -> frozenset[str]:
        """Return the newsletters that have subscriptions, including those that are no longer configured."""
        return frozenset(row[0] for row in self._db.execute("SELECT DISTINCT newsletter FROM subscriptions"))

    def find(self, key: str) -> Subscriber | None:
        """Return the subscriber with this address, as addresses are compared."""
        row = self._db.execute(f"{_SELECT} WHERE p.email_key = ?", (key,)).fetchone()
        return _to_subscriber(row) if row else None

    def find_by_id(self, subscriber_id: int) -> Subscriber | None:
        """Return a subscriber; None if there is none with this id."""
        row = self._db.execute(f"{_SELECT} WHERE p.id = ?", (subscriber_id,)).fetchone()
        return _to_subscriber(row) if row else None

    def former_addresses(self, key: str) -> list[str]:
        """Return the addresses that a subscriber had before they moved to this one, all as addresses are compared.

        The oldest comes first. An address that is active again is another subscriber's.
        """
        return [row[0] for row in self._db.execute(_SELECT_FORMER, (key,)).fetchall()]

    def iterate_deliveries(self, key: str) -> Iterator[DeliveryRecord]:
        """Yield the deliveries to an address, oldest first."""
        for newsletter, number, subject, lang, state, sent_at, answer in self._db.execute(_SELECT_DELIVERIES, (key,)):
            yield DeliveryRecord(
                newsletter=newsletter,
                number=number,
                subject=subject,
                lang=lang,
                state=DeliveryState(state),
                sent_at=decode_time(sent_at) if sent_at else None,
                answer=answer,
            )

    def unsubscribed_newsletters(self, key: str) -> dict[str, datetime]:
        """Return the newsletters that an address has unsubscribed from one by one, and when."""
        rows = self._db.execute(f"{_SELECT_LEAVES} ORDER BY 1", (key,))
        return {newsletter: decode_time(at) for newsletter, at in rows}

    def iterate_bounces(self, key: str) -> Iterator[BounceSummary]:
        """Yield the bounces of an address."""
        for at, kind, status, said, decision in self._db.execute(_SELECT_BOUNCES, (key,)):
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
        values = {"lang": lang, "timezone": timezone, "consent": consent, "source": source, "at": encode_time(at)}
        with transaction(self._db):
            subscribe(self._db, email, key, wanted, values)

    def unsubscribe(self, key: str, at: datetime) -> None:
        """Unsubscribe an address and cancel its pending deliveries.

        It stays in the store, so that no import subscribes it again.
        """
        with transaction(self._db):
            unsubscribe(self._db, key, at)


def _to_subscriber(row: Any) -> Subscriber:
    subscriber_id, email, key, status, lang, timezone, consent, source, created_at, status_at, subscriptions = row
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
def _parse_subscriptions(text: str) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return newsletters, and the topics of those that are limited to some; cached, since most rows are equal."""
    topics = {newsletter: tuple(json.loads(names)) for newsletter, names in sorted(json.loads(text).items())}
    return tuple(topics), {newsletter: names for newsletter, names in topics.items() if names}
