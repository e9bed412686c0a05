"""People in the memory: where each stands, and what they read.

Each method is one transaction; what yields a million of them reads a page at a time, so that nobody else has to wait
for whoever looks at it.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from feeds.edges.store.codec import decode_time, encode_time, encode_topics
from feeds.edges.store.sqlite import transaction
from feeds.edges.store.unsubscribe import unsubscribe
from feeds.model import DeliveryState, Subscriber

#: How many are read at a time.
_PAGE = 1000
_SELECT = """
    SELECT id, email, email_key, status, lang, timezone, consent, source, created_at, status_at,
        (SELECT json_group_object(newsletter, topics) FROM subscriptions WHERE subscriber_id = p.id)
    FROM subscribers p
"""
_SELECTED = (
    "(:status IS NULL OR p.status = :status) AND (:newsletter IS NULL OR EXISTS"
    " (SELECT 1 FROM subscriptions s WHERE s.subscriber_id = p.id AND s.newsletter = :newsletter))"
)
_INSERT = """
    INSERT INTO subscribers (email, email_key, status, lang, timezone, consent, source, created_at, status_at)
    VALUES (:email, :key, 'active', :lang, :timezone, :consent, :source, :at, :at) RETURNING id
"""
_UPDATE = """
    UPDATE subscribers SET status = 'active', lang = coalesce(:lang, lang), timezone = coalesce(:timezone, timezone),
        status_at = CASE status WHEN 'active' THEN status_at ELSE :at END,
        consent = CASE WHEN :is_news THEN trim(consent || '; ' || :consent, '; ') ELSE consent END
    WHERE id = :id
"""
_WANT = "INSERT INTO subscriptions (topics, subscriber_id, newsletter) VALUES (?, ?, ?)"
_WANT_ELSE = "UPDATE subscriptions SET topics = ? WHERE subscriber_id = ? AND newsletter = ?"
_COME_BACK = "DELETE FROM leaves WHERE subscriber_id = ? AND newsletter = ?"
_LEFT = "SELECT newsletter, at FROM leaves l JOIN subscribers s ON s.id = l.subscriber_id WHERE s.email_key = ?"
_CAME_BACK = """
    SELECT b.at, b.kind, b.status, b.said, b.decision FROM bounces b JOIN subscribers s ON s.id = b.subscriber_id
    WHERE s.email_key = ? ORDER BY b.at, b.id
"""
_LETTERS = """
    SELECT i.newsletter, i.number, i.subject, l.lang, d.state, d.sent_at, coalesce(d.answer, '')
    FROM issues i CROSS JOIN deliveries d ON d.issue_id = i.id AND d.recipient_key = ?
    JOIN letters l ON l.id = d.letter_id ORDER BY i.slot, i.id
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryRecord:
    """One letter to one person, and what became of it."""

    newsletter: str
    number: int
    subject: str
    lang: str
    state: DeliveryState
    sent_at: datetime | None
    #: The server's last.
    answer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BounceSummary:
    """What came back of a letter, and what followed from it."""

    at: datetime
    kind: str
    status: str
    said: str
    decision: str


class Subscribers:
    """The part of an open store that knows people."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def iterate(self, *, newsletter: str | None = None, status: str | None = None) -> Iterator[Subscriber]:
        """Yield people in the order of their addresses; those who read a newsletter, those of a status."""
        query = f"{_SELECT} WHERE p.email_key > :last AND {_SELECTED} ORDER BY p.email_key LIMIT {_PAGE}"
        asked = {"newsletter": newsletter, "status": status, "last": ""}
        while found := [_subscriber(row) for row in self._db.execute(query, asked).fetchall()]:
            yield from found
            asked["last"] = found[-1].key

    def count_by_status(self, *, newsletter: str | None = None, status: str | None = None) -> dict[str, int]:
        """Return how many of them have which status."""
        query = f"SELECT p.status, count(*) FROM subscribers p WHERE {_SELECTED} GROUP BY 1 ORDER BY 2 DESC"  # noqa: S608 - made of constants
        return dict(self._db.execute(query, {"newsletter": newsletter, "status": status}).fetchall())

    def subscribed_newsletters(self) -> frozenset[str]:
        """Return the newsletters that anybody reads, also those that there are not any more."""
        return frozenset(row[0] for row in self._db.execute("SELECT DISTINCT newsletter FROM subscriptions"))

    def find(self, key: str) -> Subscriber | None:
        """Return the person with this address (compared as `key`)."""
        row = self._db.execute(f"{_SELECT} WHERE p.email_key = ?", (key,)).fetchone()
        return _subscriber(row) if row else None

    def iterate_deliveries(self, key: str) -> Iterator[DeliveryRecord]:
        """Yield the letters to an address, oldest first, as far as they have come."""
        for newsletter, number, subject, lang, state, sent_at, answer in self._db.execute(_LETTERS, (key,)):
            yield DeliveryRecord(
                newsletter=newsletter,
                number=number,
                subject=subject,
                lang=lang,
                state=DeliveryState(state),
                sent_at=decode_time(sent_at) if sent_at else None,
                answer=answer,
            )

    def left_newsletters(self, key: str) -> dict[str, datetime]:
        """Return which newsletters a reader has left one by one, and when."""
        return {newsletter: decode_time(at) for newsletter, at in self._db.execute(f"{_LEFT} ORDER BY 1", (key,))}

    def iterate_bounces(self, key: str) -> Iterator[BounceSummary]:
        """Yield what came back of letters to a reader."""
        for at, kind, status, said, decision in self._db.execute(_CAME_BACK, (key,)):
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
        """Keep a person as active reader of newsletters, each with topics, beside what they read already.

        None leaves the topics of a newsletter that they read as they are; for one that is new to them it means all.
        Consent is added to what there was, if there is anything new that it is to.
        """
        values = {"lang": lang, "timezone": timezone, "consent": consent, "at": encode_time(at)}
        with transaction(self._db):
            had = self._db.execute("SELECT id, status FROM subscribers WHERE email_key = ?", (key,)).fetchone()
            if had is None:
                identity = self._db.execute(_INSERT, values | {"email": email, "key": key, "source": source}).fetchone()
                self._want(identity[0], wanted)
            else:
                is_news = self._want(had[0], wanted) or had[1] != "active"
                self._db.executemany(_COME_BACK, [(had[0], newsletter) for newsletter in wanted])
                self._db.execute(_UPDATE, values | {"id": had[0], "is_news": is_news})

    def _want(self, identity: int, wanted: Mapping[str, Iterable[str] | None]) -> bool:
        """Return whether any newsletter was new to them."""
        rows = self._db.execute("SELECT newsletter FROM subscriptions WHERE subscriber_id = ?", (identity,))
        had = {row[0] for row in rows}
        for newsletter, chosen in sorted(wanted.items()):
            if newsletter not in had:
                self._db.execute(_WANT, (encode_topics(chosen or ()), identity, newsletter))
            elif chosen is not None:
                self._db.execute(_WANT_ELSE, (encode_topics(chosen), identity, newsletter))
        return not wanted.keys() <= had

    def unsubscribe(self, key: str, at: datetime) -> None:
        """Write down that a person has left, and end what waits for them.

        They stay known, so that nothing brings them back by accident.
        """
        with transaction(self._db):
            unsubscribe(self._db, key, at)


def _subscriber(row: Any) -> Subscriber:
    identity, email, key, status, lang, timezone, consent, source, created_at, status_at, said = row
    newsletters, chosen = _reads(said)
    return Subscriber(
        id=identity,
        email=email,
        key=key,
        status=status,
        lang=lang,
        timezone=timezone,
        newsletters=newsletters,
        topics=chosen.copy(),
        consent=consent,
        source=source,
        created_at=decode_time(created_at),
        status_at=decode_time(status_at),
    )


@lru_cache(maxsize=1024)
def _reads(said: str) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return newsletters, and those of which somebody wants some topics only; most people say the same."""
    found = {newsletter: tuple(json.loads(names)) for newsletter, names in sorted(json.loads(said).items())}
    return tuple(found), {newsletter: names for newsletter, names in found.items() if names}
