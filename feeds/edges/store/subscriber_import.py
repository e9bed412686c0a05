"""Import subscribers by the thousand: stage the rows in a temporary table, then decide and apply all at once.

The temporary table is in a file of the process, so the memory does not grow with the list, and the store is not locked
while the list is read. Only `commit_import` writes to the store, in one transaction, all or nothing.

The store outweighs the list, with one exception: that a person is gone is applied whichever source says so. So an
import never reactivates anyone, and the order of lists, and of rows in a list, does not matter.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from feeds.edges.store.old_codec import encode_time, encode_topics
from feeds.edges.store.old_sqlite import LAST_SUBSCRIBER_ID, transaction
from feeds.edges.store.unsubscribe import CANCEL_PENDING
from feeds.model import GONE_STATUSES, ImportRow

#: A later status outweighs an earlier one.
_STATUSES = ("pending", "active", *GONE_STATUSES)
_WEIGHT = {status: weight for weight, status in enumerate(_STATUSES)}
#: Kibibytes of the store, and of the temporary table, that are cached in memory.
_CACHE_KIB = 20_000

_CREATE = """
    CREATE TEMP TABLE arrivals (
        id INTEGER PRIMARY KEY, number INTEGER, email TEXT, key TEXT UNIQUE, weight INTEGER, lang TEXT, timezone TEXT,
        consent TEXT, created_at TEXT, wants TEXT, digests TEXT,
        fate TEXT DEFAULT 'added', person INTEGER, was TEXT
    )
"""
#: An address that occurs again is merged: the first values stay, missing ones are added, the worst status counts.
_INSERT_ROW = """
    INSERT INTO temp.arrivals (number, email, key, weight, lang, timezone, consent, created_at, wants, digests)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET weight = max(weight, excluded.weight), lang = coalesce(lang, excluded.lang),
        timezone = coalesce(timezone, excluded.timezone), created_at = coalesce(created_at, excluded.created_at),
        wants = CASE wants WHEN excluded.wants THEN wants ELSE joined_wants(wants, excluded.wants) END
"""


_SET_FATE = """
    UPDATE temp.arrivals SET person = p.id, was = p.status, fate =
        CASE WHEN is_gone(p.status) THEN iif(is_gone(name(weight)), 'gone', 'stays')
        ELSE iif(is_gone(name(weight)), 'left', 'known') END
    FROM subscribers p WHERE p.email_key = arrivals.key
"""
_HOLD_SUPPRESSED = """
    UPDATE temp.arrivals SET fate = 'held' WHERE fate IN ('added', 'known') AND EXISTS
        (SELECT 1 FROM json_each(arrivals.digests) d JOIN suppressions s ON s.digest = d.value)
"""
_FIND_MERGED = """
    UPDATE temp.arrivals SET fate = 'merged' WHERE fate = 'known' AND (
        weight > weight(was)
        OR EXISTS (SELECT 1 FROM subscribers p WHERE p.id = person AND (
            (p.lang IS NULL AND arrivals.lang IS NOT NULL) OR (p.timezone IS NULL AND arrivals.timezone IS NOT NULL)))
        OR EXISTS (SELECT 1 FROM json_each(arrivals.wants) w
            LEFT JOIN subscriptions s ON s.subscriber_id = person AND s.newsletter = w.key
            WHERE coalesce(s.topics != joined_topics(s.topics, w.value), NOT EXISTS
                (SELECT 1 FROM leaves l WHERE l.subscriber_id = person AND l.newsletter = w.key)))
    )
"""
_APPLY = (
    f"{CANCEL_PENDING} (SELECT person FROM temp.arrivals WHERE fate = 'left')",  # noqa: S608 - made of constants
    """
        UPDATE subscribers SET status = name(max(a.weight, weight(a.was))), status_at = :at FROM temp.arrivals a
        WHERE a.person = subscribers.id AND a.weight != weight(a.was)
            AND (a.fate IN ('left', 'gone') OR (a.fate = 'merged' AND a.weight > weight(a.was)))
    """,
    """
        UPDATE subscribers SET lang = coalesce(subscribers.lang, a.lang),
            timezone = coalesce(subscribers.timezone, a.timezone),
            consent = trim(subscribers.consent || '; ' || a.consent, '; ')
        FROM temp.arrivals a WHERE a.person = subscribers.id AND a.fate = 'merged'
    """,
    """
        INSERT INTO subscribers (id, email, email_key, status, lang, timezone, consent, source, created_at, status_at)
        SELECT :last + id, email, key, name(weight), lang, timezone, consent, :source, coalesce(created_at, :at), :at
        FROM temp.arrivals WHERE fate = 'added' ORDER BY id
    """,
    """
        INSERT INTO subscriptions (subscriber_id, newsletter, topics)
        SELECT coalesce(a.person, :last + a.id), w.key, w.value FROM temp.arrivals a, json_each(a.wants) w
        WHERE a.fate IN ('added', 'merged')
            AND NOT EXISTS (SELECT 1 FROM leaves l WHERE l.subscriber_id = a.person AND l.newsletter = w.key)
        ON CONFLICT DO UPDATE SET topics = joined_topics(topics, excluded.topics)
    """,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptOut:
    """A person who is not reactivated."""

    number: int
    email: str
    #: Their status in the store; empty if they are on the suppression list.
    status: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportCounts:
    """The result of an import; each person counts once."""

    #: New people, by status.
    added: Mapping[str, int]
    #: Known people who got something new: a newsletter, a topic, a language, a time zone.
    merged: int
    #: Known people who got nothing new.
    unchanged: int
    #: Subscribers who are gone according to the list.
    newly_gone: int
    #: People who are gone, or on the suppression list, and are active on the list.
    kept_out: int


class SubscriberImport:
    """Imports lists into an open store, one at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def stage(self, rows: Iterable[ImportRow]) -> None:
        """Insert rows into the temporary table; the store is not changed yet."""
        for function, arity in _FUNCTIONS:
            self._db.create_function(function.__name__.strip("_"), arity, function, deterministic=True)
        self._db.execute("DROP TABLE IF EXISTS temp.arrivals")
        for schema in ("temp", "main"):
            self._db.execute(f"PRAGMA {schema}.cache_size = -{_CACHE_KIB}")
        with transaction(self._db, writes=False):
            self._db.execute(_CREATE)
            self._db.executemany(_INSERT_ROW, map(_to_values, rows))

    def commit_import(self, source: str, at: datetime, *, apply: bool) -> ImportCounts:
        """Decide what each staged row changes, and return the counts; with *apply*, make the changes, all or nothing.

        Pending deliveries to people who are gone are cancelled.
        """
        with transaction(self._db, writes=apply):
            self._db.execute(_SET_FATE)
            self._db.execute(_HOLD_SUPPRESSED)
            self._db.execute(_FIND_MERGED)
            last = self._db.execute(f"SELECT {LAST_SUBSCRIBER_ID}").fetchone()[0]
            for statement in _APPLY if apply else ():
                self._db.execute(statement, {"at": encode_time(at), "source": source, "last": last})
        return self._import_counts()

    def _import_counts(self) -> ImportCounts:
        rows = self._db.execute(
            "SELECT fate, weight, count(*) FROM temp.arrivals GROUP BY 1, 2 ORDER BY 3 DESC"
        ).fetchall()
        totals = {fate: sum(number for f, _, number in rows if f == fate) for fate, _, _ in rows}
        return ImportCounts(
            added={_STATUSES[weight]: number for fate, weight, number in rows if fate == "added"},
            merged=totals.get("merged", 0),
            unchanged=totals.get("known", 0) + totals.get("gone", 0),
            newly_gone=totals.get("left", 0),
            kept_out=totals.get("stays", 0) + totals.get("held", 0),
        )

    def kept_out(self) -> Iterator[KeptOut]:
        """Yield the people who were not reactivated, in the order of the list."""
        query = "SELECT number, email, iif(fate = 'held', '', was) FROM temp.arrivals WHERE fate IN ('stays', 'held')"
        for number, email, status in self._db.execute(f"{query} ORDER BY id"):
            yield KeptOut(number=number, email=email, status=status)


def _to_values(row: ImportRow) -> tuple[object, ...]:
    return (
        row.number,
        row.email,
        row.key,
        _WEIGHT[row.status],
        row.lang,
        row.timezone,
        row.consent,
        row.created_at and encode_time(row.created_at),
        _encode_subscriptions(row.subscriptions),
        json.dumps(row.digests) if row.digests else "[]",
    )


@lru_cache(maxsize=1024)
def _encode_subscriptions(subscriptions: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    """Return newsletters with their topics as JSON; the topics as in their column."""
    return json.dumps({newsletter: encode_topics(topics) for newsletter, topics in subscriptions})


def _weight(status: str | None) -> int | None:
    return None if status is None else _WEIGHT[status]


def _name(weight: int | None) -> str | None:
    return None if weight is None else _STATUSES[weight]


def _is_gone(status: str) -> bool:
    return status in GONE_STATUSES


def _joined_wants(known: str, added: str) -> str:
    merged: dict[str, str] = json.loads(known)
    for newsletter, topics in json.loads(added).items():
        merged[newsletter] = _joined_topics(merged.get(newsletter), topics) or topics
    return json.dumps(merged)


def _joined_topics(known: str | None, added: str) -> str | None:
    """Return the topics of a subscriber with both sets of topics; an empty set means all topics, or none given."""
    if known is None or known == added or "[]" in (known, added):  # no subscription, nothing new, or all topics
        return known
    return encode_topics([*json.loads(known), *json.loads(added)])


#: SQL functions that the statements above call, and their number of arguments. Their names are part of the SQL.
_FUNCTIONS: tuple[tuple[Callable[..., str | int | None], int], ...] = (
    (_weight, 1),
    (_name, 1),
    (_is_gone, 1),
    (_joined_wants, 2),
    (_joined_topics, 2),
)
