"""Import subscribers by the thousand: stage the rows in temporary tables, then decide and apply all at once.

Temporary tables are in files, so the memory does not grow with the list, and the store is not locked while the list is
read. Only `commit_import` writes to the store, in one transaction, all or nothing.

The store outweighs the list, with one exception: that a person is gone is applied whichever source says so. So an
import never reactivates anyone, and the order of lists, and of rows in a list, does not matter.

What a row subscribes to is stored once for all rows that subscribe to the same, as a numbered choice. Topics are joined
here, in Python, once for each two sets that meet.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any

from feeds.edges.store.interface import Database, encode_topics
from feeds.edges.store.journal_records import record_arrivals
from feeds.model import GONE_STATUSES, ImportRow

#: A later status outweighs an earlier one. The statements have the same numbers.
_STATUSES = ("pending", "active", *GONE_STATUSES)
_WEIGHT = {status: weight for weight, status in enumerate(_STATUSES)}
#: Rows that are loaded into the temporary tables at a time.
_BATCH_SIZE = 5000
_COLUMNS = ("id", "number", "email", "key", "domain", "weight", "lang", "timezone", "consent", "created_at", "choice")
#: Newsletters, each with its topics as in their column.
_Choice = tuple[tuple[str, str], ...]


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

    def __init__(self, database: Database) -> None:
        self._db = database

    def stage(self, rows: Iterable[ImportRow]) -> None:
        """Insert rows into the temporary tables; the store is not changed yet."""
        with self._db.transaction("read"):
            self._prepare_tables()
            choices = _Choices(self._db)
            numbered = enumerate(rows, 1)
            while batch := list(islice(numbered, _BATCH_SIZE)):
                self._load(batch, choices)
            self._db.execute("subscriber_import.prepare_arrivals")
            self._merge_repeats(choices)

    def _prepare_tables(self) -> None:
        self._db.execute("subscriber_import.cache_store")
        self._db.execute("subscriber_import.cache_arrivals")
        self._db.execute("subscriber_import.create_arrivals")
        self._db.execute("subscriber_import.create_choices")
        self._db.execute("subscriber_import.create_digests")
        self._db.execute("subscriber_import.create_repeats")
        self._db.execute("subscriber_import.create_repeated_choices")
        self._db.execute("subscriber_import.create_joined_choices")
        self._db.execute("subscriber_import.create_joined_topics")
        self._db.execute("subscriber_import.clear_arrivals")
        self._db.execute("subscriber_import.clear_choices")
        self._db.execute("subscriber_import.clear_digests")
        self._db.execute("subscriber_import.clear_repeats")
        self._db.execute("subscriber_import.clear_repeated_choices")

    def _load(self, batch: Sequence[tuple[int, ImportRow]], choices: "_Choices") -> None:
        self._db.load("arrivals", _COLUMNS, [_to_values(number, row, choices) for number, row in batch])
        digests = [(number, digest) for number, row in batch for digest in row.digests]
        if digests:
            self._db.load("arrival_digests", ("arrival", "digest"), digests)
        choices.store_new()

    def _merge_repeats(self, choices: "_Choices") -> None:
        """Merge rows with the same address: the first values stay, missing ones are added, the worst status counts."""
        if not self._db.execute("subscriber_import.find_repeats"):
            return
        self._db.execute("subscriber_import.merge_repeats")
        self._db.execute("subscriber_import.delete_repeats")
        self._db.execute("subscriber_import.number_choices")
        for turn in range(2, self._db.value("subscriber_import.last_turn") + 1):
            self._join_choices(turn, choices)

    def _join_choices(self, turn: int, choices: "_Choices") -> None:
        pairs = self._db.all("subscriber_import.choice_pairs", turn=turn)
        joined = [(known, added, choices.join(known, added)) for known, added in pairs]
        choices.store_new()
        self._db.execute("subscriber_import.clear_joined_choices")
        self._db.load("joined_choices", ("known", "added", "joined"), joined)
        self._db.execute("subscriber_import.join_choices", turn=turn)

    def commit_import(self, source: str, at: datetime, *, apply: bool) -> ImportCounts:
        """Decide what each staged row changes, and return the counts; with *apply*, make the changes, all or nothing.

        Pending deliveries to people who are gone are cancelled.
        """
        with self._db.transaction("exclusive" if apply else "read"):
            self._decide()
            if apply:
                self._apply(source, at)
        return self._import_counts()

    def _decide(self) -> None:
        self._db.execute("subscriber_import.find_known")
        self._db.execute("subscriber_import.prepare_arrivals")  # their subscribers are known now
        self._db.execute("subscriber_import.hold_suppressed")
        pairs = self._db.all("subscriber_import.topic_pairs")
        joined = [(known, added, _join_topics(known, added)) for known, added in pairs]
        self._db.execute("subscriber_import.clear_joined_topics")
        self._db.load("joined_topics", ("known", "added", "joined"), [row for row in joined if row[0] != row[2]])
        self._db.execute("subscriber_import.find_new_values")
        self._db.execute("subscriber_import.find_new_topics")
        self._db.execute("subscriber_import.find_new_subscriptions")

    def _apply(self, source: str, at: datetime) -> None:
        self._db.execute("subscriber_import.cancel_pending")
        self._db.execute("subscriber_import.delete_moved")
        self._db.execute("subscriber_import.set_statuses", at=at)
        self._db.execute("subscriber_import.add_values")
        self._db.execute("subscriber_import.add_topics")
        self._db.execute("subscriber_import.add_missing_subscriptions")
        last_id = self._db.value("subscriber_import.reserve_ids", most=self._db.value("subscriber_import.last"))
        self._db.execute("subscriber_import.add_subscribers", last_id=last_id, source=source, at=at)
        self._db.execute("subscriber_import.add_subscriptions", last_id=last_id)
        record_arrivals(self._db, at)
        self._db.analyze(("subscribers", "subscriptions"))

    def _import_counts(self) -> ImportCounts:
        rows = self._db.all("subscriber_import.count")
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
        for number, email, status in self._db.iterate("subscriber_import.kept_out"):
            yield KeptOut(number=number, email=email, status=status)


class _Choices:
    """The numbers of choices, and those that are not in their temporary table yet.

    A choice that was not used for long may get another number, so that the memory does not grow with the list.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self._last = 0
        self._new: list[tuple[int, str, str]] = []
        self.number = lru_cache(maxsize=10_000)(self._add)

    def _add(self, choice: _Choice) -> int:
        self._last += 1
        self._new += [(self._last, *subscription) for subscription in choice]
        return self._last

    def store_new(self) -> None:
        """Load the new choices into their table."""
        self._db.load("arrival_choices", ("choice", "newsletter", "topics"), self._new)
        self._new = []

    def join(self, known: int, added: int) -> int:
        """Return the number of what two stored choices are together."""
        joined = self._find(known)
        for newsletter, topics in self._find(added).items():
            joined[newsletter] = _join_topics(joined[newsletter], topics) if newsletter in joined else topics
        return self.number(tuple(sorted(joined.items())))

    def _find(self, number: int) -> dict[str, str]:
        return dict(self._db.all("subscriber_import.choice", choice=number))


def _to_values(number: int, row: ImportRow, choices: _Choices) -> tuple[Any, ...]:
    return (
        number,
        row.number,
        row.email,
        row.key,
        row.key.rpartition("@")[2],
        _WEIGHT[row.status],
        row.lang,
        row.timezone,
        row.consent,
        row.created_at,
        choices.number(_encode_subscriptions(row.subscriptions)),
    )


@lru_cache(maxsize=1024)
def _encode_subscriptions(subscriptions: tuple[tuple[str, tuple[str, ...]], ...]) -> _Choice:
    return tuple(sorted({newsletter: encode_topics(topics) for newsletter, topics in subscriptions}.items()))


def _join_topics(known: str, added: str) -> str:
    """Return the topics of a subscriber with both sets of topics; an empty set means all topics, or none given."""
    if known == added or "[]" in (known, added):  # nothing new, or all topics
        return known
    return encode_topics([*json.loads(known), *json.loads(added)])
