"""People who come by the thousand: put aside row by row, then judged and taken in at once.

What is put aside lies in a temporary table (in a file that goes with the process), so a list of any length takes the
same memory, and nobody else has to wait for the store while the list is read. That happens only in `settle`, which
takes all of them in one transaction, or none.

What the store remembers of somebody outweighs what a list says, with one exception: that they have gone is news
wherever it comes from. So whoever has left, or must not be written to, does not come back, and in whichever order lists
arrive, and a list names people, who has gone in one of them is gone.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from feeds.edges.store.codec import encode_time, encode_topics
from feeds.edges.store.sqlite import transaction
from feeds.edges.store.unsubscribe import CANCEL_PENDING
from feeds.model import GONE_STATUSES, ImportRow

#: The later outweighs the earlier.
_STATUSES = ("pending", "active", *GONE_STATUSES)
_WEIGHT = {status: weight for weight, status in enumerate(_STATUSES)}
#: Kibibytes of the store, and of what is put aside, that are held in memory.
_CACHE = 20_000

_CREATE = """
    CREATE TEMP TABLE arrivals (
        id INTEGER PRIMARY KEY, number INTEGER, email TEXT, key TEXT UNIQUE, weight INTEGER, lang TEXT, timezone TEXT,
        consent TEXT, created_at TEXT, wants TEXT, digests TEXT,
        fate TEXT DEFAULT 'added', person INTEGER, was TEXT
    )
"""
#: A person who is named again is one person: what was said first stays, what was not said is added.
_STAGE = """
    INSERT INTO temp.arrivals (number, email, key, weight, lang, timezone, consent, created_at, wants, digests)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET weight = max(weight, excluded.weight), lang = coalesce(lang, excluded.lang),
        timezone = coalesce(timezone, excluded.timezone), created_at = coalesce(created_at, excluded.created_at),
        wants = CASE wants WHEN excluded.wants THEN wants ELSE joined_wants(wants, excluded.wants) END
"""


_JUDGE = """
    UPDATE temp.arrivals SET person = p.id, was = p.status, fate =
        CASE WHEN is_gone(p.status) THEN iif(is_gone(name(weight)), 'gone', 'stays')
        ELSE iif(is_gone(name(weight)), 'left', 'known') END
    FROM subscribers p WHERE p.email_key = arrivals.key
"""
_HOLD = """
    UPDATE temp.arrivals SET fate = 'held' WHERE fate IN ('added', 'known') AND EXISTS
        (SELECT 1 FROM json_each(arrivals.digests) d JOIN suppressions s ON s.digest = d.value)
"""
_MERGE = """
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
    """Somebody who is not brought back."""

    number: int
    email: str
    #: Their status; empty for whom the suppression list holds.
    status: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportCounts:
    """What became of a list; each person counts once."""

    #: People who were not known, by status.
    added: Mapping[str, int]
    #: Known, and now with something that they had not: a newsletter, a topic, a language.
    merged: int
    #: Known, and the list says nothing new.
    unchanged: int
    #: Gone by what the list says: a reader who is none any more.
    left: int
    #: Those who had gone, or whom the suppression list holds, and who would have come back.
    kept_out: int


class SubscriberImport:
    """The part of an open store that takes in lists; one at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def stage(self, coming: Iterable[ImportRow]) -> None:
        """Put people aside; the store itself is not touched yet."""
        for function, takes in _FUNCTIONS:
            self._db.create_function(function.__name__.strip("_"), takes, function, deterministic=True)
        self._db.execute("DROP TABLE IF EXISTS temp.arrivals")
        for schema in ("temp", "main"):
            self._db.execute(f"PRAGMA {schema}.cache_size = -{_CACHE}")
        with transaction(self._db, writes=False):
            self._db.execute(_CREATE)
            self._db.executemany(_STAGE, map(_row, coming))

    def commit_import(self, source: str, at: datetime, *, keep: bool) -> ImportCounts:
        """Say what becomes of those who were put aside; with *keep*, let it become, all or nothing.

        What waits for people who have left ends.
        """
        with transaction(self._db, writes=keep):
            self._db.execute(_JUDGE)
            self._db.execute(_HOLD)
            self._db.execute(_MERGE)
            last = self._db.execute("SELECT coalesce(max(id), 0) FROM subscribers").fetchone()[0]
            for statement in _APPLY if keep else ():
                self._db.execute(statement, {"at": encode_time(at), "source": source, "last": last})
        return self._import_counts()

    def _import_counts(self) -> ImportCounts:
        rows = self._db.execute(
            "SELECT fate, weight, count(*) FROM temp.arrivals GROUP BY 1, 2 ORDER BY 3 DESC"
        ).fetchall()
        fates = {fate: sum(number for f, _, number in rows if f == fate) for fate, _, _ in rows}
        return ImportCounts(
            added={_STATUSES[weight]: number for fate, weight, number in rows if fate == "added"},
            merged=fates.get("merged", 0),
            unchanged=fates.get("known", 0) + fates.get("gone", 0),
            left=fates.get("left", 0),
            kept_out=fates.get("stays", 0) + fates.get("held", 0),
        )

    def kept_out(self) -> Iterator[KeptOut]:
        """Yield who was not brought back, in the order of the list."""
        query = "SELECT number, email, iif(fate = 'held', '', was) FROM temp.arrivals WHERE fate IN ('stays', 'held')"
        for number, email, status in self._db.execute(f"{query} ORDER BY id"):
            yield KeptOut(number=number, email=email, status=status)


def _row(coming: ImportRow) -> tuple[object, ...]:
    return (
        coming.number,
        coming.email,
        coming.key,
        _WEIGHT[coming.status],
        coming.lang,
        coming.timezone,
        coming.consent,
        coming.created_at and encode_time(coming.created_at),
        _wants(coming.subscriptions),
        json.dumps(coming.digests) if coming.digests else "[]",
    )


@lru_cache(maxsize=1024)
def _wants(wants: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    """Return newsletters with their topics, the latter as the table has them."""
    return json.dumps({newsletter: encode_topics(chosen) for newsletter, chosen in wants})


def _weight(status: str | None) -> int | None:
    return None if status is None else _WEIGHT[status]


def _name(weight: int | None) -> str | None:
    return None if weight is None else _STATUSES[weight]


def _is_gone(status: str) -> bool:
    return status in GONE_STATUSES


def _joined_wants(had: str, more: str) -> str:
    found: dict[str, str] = json.loads(had)
    for newsletter, chosen in json.loads(more).items():
        found[newsletter] = _joined_topics(found.get(newsletter), chosen) or chosen
    return json.dumps(found)


def _joined_topics(had: str | None, more: str) -> str | None:
    """Return what somebody reads who reads both; no topics are all of them, or nothing said."""
    if had is None or had == more or "[]" in (had, more):  # they did not read it, or no more of it
        return had
    return encode_topics([*json.loads(had), *json.loads(more)])


#: What the statements above call, and with how many values.
_FUNCTIONS: tuple[tuple[Callable[..., str | int | None], int], ...] = (
    (_weight, 1),
    (_name, 1),
    (_is_gone, 1),
    (_joined_wants, 2),
    (_joined_topics, 2),
)
