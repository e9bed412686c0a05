"""What is to go into the journal beside the store: rows that triggers have written, and what they are about."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from feeds.edges.store.codec import decode_time
from feeds.edges.store.sqlite import transaction
from feeds.model import IdAssigned, IssueRecorded, IssueState, JournalRecord, SubscriberEvent

#: What is not about people.
_THING = "(j.what IN ('id', 'issue'))"
_LAST = f"SELECT max(id) FROM (SELECT j.id FROM journal j WHERE {_THING} = :things ORDER BY j.id LIMIT :most)"  # noqa: S608 - made of constants
_IDS = """
    SELECT j.id, e.id, e.path, e.text_digest, e.title, e.published, e.sketch
    FROM journal j JOIN entries e ON e.id = j.who WHERE j.what = 'id' AND j.id <= ? ORDER BY j.id
"""
_ISSUES = """
    SELECT j.id, i.newsletter, i.number, i.slot, i.subject, i.state, i.composed_at, i.transport, i.note, i.recipients,
        i.sent, coalesce(c.entry, ''), i.retracted_at, i.retraction,
        (SELECT o.number FROM issues o WHERE o.id = i.corrects), i.id
    FROM journal j JOIN issues i ON i.newsletter = j.newsletter AND i.number = CAST(j.who AS INTEGER)
    LEFT JOIN contents c ON c.issue_id = i.id
    WHERE j.what = 'issue' AND j.id <= ? ORDER BY j.id
"""
_ANNOUNCED = "SELECT how, entry_id FROM announced WHERE issue_id = ? ORDER BY how, position, entry_id"
_WORDS = f"SELECT j.id, j.what, j.who, j.newsletter, j.at FROM journal j WHERE NOT {_THING} AND j.id <= ? ORDER BY j.id"  # noqa: S608 - made of constants


class Journal:
    """The part of an open store that knows them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def has_pending(self, *, people: bool) -> bool:
        """Return whether anything waits: about people, or about ids and issues."""
        query = f"SELECT 1 FROM journal j WHERE {_THING} = ? LIMIT 1"  # noqa: S608 - made of constants
        return self._db.execute(query, (not people,)).fetchone() is not None

    @contextmanager
    def take_batch(self, most: int, *, people: bool) -> Iterator[list[JournalRecord]]:
        """Hold the first lines of those that wait; they are forgotten if what is done with them ends well.

        Nobody else takes any meanwhile, so their order is the one in which they are written. In those about people
        `who` is an address, as addresses are compared, but for what is about the suppression list.
        """
        with transaction(self._db):
            last = self._db.execute(_LAST, {"things": not people, "most": most}).fetchone()[0] or 0
            yield list((self._words(last) if people else self._things(last)).values())
            self._db.execute(f"DELETE FROM journal AS j WHERE j.id <= ? AND {_THING} = ?", (last, not people))  # noqa: S608 - made of constants

    def load_pending(self) -> dict[int, JournalRecord]:
        """Return everything that waits, by its number."""
        last = self.last_number()
        return self._things(last) | self._words(last)

    def last_number(self) -> int:
        """Return the highest number of what waits; 0 where nothing does."""
        return int(self._db.execute("SELECT coalesce(max(id), 0) FROM journal").fetchone()[0])

    def drop(self, numbers: Iterable[int], *, after: int | None = None) -> None:
        """Forget some of what waits, and everything behind a number."""
        with transaction(self._db):
            self._db.executemany("DELETE FROM journal WHERE id = ?", ((number,) for number in numbers))
            if after is not None:
                self._db.execute("DELETE FROM journal WHERE id > ?", (after,))

    def _words(self, last: int) -> dict[int, JournalRecord]:
        rows = self._db.execute(_WORDS, (last,))
        return {
            n: SubscriberEvent(what=what, who=who, newsletter=name, at=decode_time(at))
            for n, what, who, name, at in rows
        }

    def _things(self, last: int) -> dict[int, JournalRecord]:
        given: dict[int, JournalRecord] = {
            number: IdAssigned(id=identity, path=path, text=text, title=title, published=published, sketch=sketch)
            for number, identity, path, text, title, published, sketch in self._db.execute(_IDS, (last,))
        }
        return given | self._issues(last)

    def _issues(self, last: int) -> dict[int, JournalRecord]:
        """Return each issue once: all that is said of it is how it stands now."""
        rows = {row[-1]: row for row in self._db.execute(_ISSUES, (last,)).fetchall()}
        return {row[0]: self._issue_record(row) for row in rows.values()}

    def _issue_record(self, row: tuple[Any, ...]) -> IssueRecorded:
        _, newsletter, number, slot, subject, state, composed_at, transport, note, recipients, sent, *rest = row
        entry, retracted_at, retraction, corrects, identity = rest
        entries: dict[str, list[str]] = {}
        for how, entry_id in self._db.execute(_ANNOUNCED, (identity,)):
            entries.setdefault(how, []).append(entry_id)
        return IssueRecorded(
            newsletter=newsletter,
            number=number,
            slot=decode_time(slot),
            subject=subject,
            state=IssueState(state),
            composed_at=decode_time(composed_at),
            transport=transport,
            note=note,
            recipients=recipients,
            sent=sent,
            retracted_at=decode_time(retracted_at) if retracted_at else None,
            retraction=retraction,
            corrects=corrects,
            entry=entry,
            entries={how: tuple(ids) for how, ids in entries.items()},
        )
