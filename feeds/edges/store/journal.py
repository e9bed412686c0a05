"""Pending journal records: rows that triggers have inserted, and the data that they refer to."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from feeds.edges.store.old_codec import decode_time
from feeds.edges.store.old_sqlite import transaction
from feeds.model import IdAssigned, IssueRecorded, IssueState, JournalRecord, SubscriberEvent

#: Records that are not about subscribers.
_NOT_EVENT = "(j.what IN ('id', 'issue'))"
_SELECT_LAST = (
    f"SELECT max(id) FROM (SELECT j.id FROM journal j WHERE {_NOT_EVENT} = :things ORDER BY j.id LIMIT :most)"  # noqa: S608 - made of constants
)
_SELECT_IDS = """
    SELECT j.id, e.id, e.path, e.text_digest, e.title, e.published, e.sketch, e.own_updated,
        e.shown_updated, e.replaced_by
    FROM journal j JOIN entries e ON e.id = j.who WHERE j.what = 'id' AND j.id <= ? ORDER BY j.id
"""
_SELECT_ISSUES = """
    SELECT j.id, i.newsletter, i.number, i.slot, i.subject, i.state, i.composed_at, i.transport, i.note, i.recipients,
        i.sent, coalesce(c.entry, ''), i.retracted_at, i.retraction,
        (SELECT o.number FROM issues o WHERE o.id = i.corrects), i.id
    FROM journal j JOIN issues i ON i.newsletter = j.newsletter AND i.number = CAST(j.who AS INTEGER)
    LEFT JOIN contents c ON c.issue_id = i.id
    WHERE j.what = 'issue' AND j.id <= ? ORDER BY j.id
"""
_SELECT_ANNOUNCED = "SELECT how, entry_id FROM announced WHERE issue_id = ? ORDER BY how, position, entry_id"
_SELECT_EVENTS = f"""
    SELECT j.id, j.what, j.who, j.newsletter, j.at FROM journal j WHERE NOT {_NOT_EVENT} AND j.id <= ? ORDER BY j.id
"""  # noqa: S608 - made of constants


class Journal:
    """The pending journal records in an open store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def has_pending(self, *, people: bool) -> bool:
        """Return whether records are pending: events of subscribers if *people*, else ids and issues."""
        query = f"SELECT 1 FROM journal j WHERE {_NOT_EVENT} = ? LIMIT 1"  # noqa: S608 - made of constants
        return self._db.execute(query, (not people,)).fetchone() is not None

    @contextmanager
    def take_batch(self, limit: int, *, people: bool) -> Iterator[list[JournalRecord]]:
        """Yield the first pending records; delete them if the block ends without an exception.

        No other process takes any meanwhile, so they are written in their order. In events of subscribers `who` is an
        address, as addresses are compared, except in events of the suppression list.
        """
        with transaction(self._db):
            last = self._db.execute(_SELECT_LAST, {"things": not people, "most": limit}).fetchone()[0] or 0
            yield list((self._events(last) if people else self._ids_and_issues(last)).values())
            self._db.execute(f"DELETE FROM journal AS j WHERE j.id <= ? AND {_NOT_EVENT} = ?", (last, not people))  # noqa: S608 - made of constants

    def load_pending(self) -> dict[int, JournalRecord]:
        """Return all pending records by number."""
        last = self.last_number()
        return self._ids_and_issues(last) | self._events(last)

    def last_number(self) -> int:
        """Return the highest number of a pending record; 0 if there is none."""
        return int(self._db.execute("SELECT coalesce(max(id), 0) FROM journal").fetchone()[0])

    def drop(self, numbers: Iterable[int], *, after: int | None = None) -> None:
        """Delete some pending records, and all after a number."""
        with transaction(self._db):
            self._db.executemany("DELETE FROM journal WHERE id = ?", ((number,) for number in numbers))
            if after is not None:
                self._db.execute("DELETE FROM journal WHERE id > ?", (after,))

    def _events(self, last: int) -> dict[int, JournalRecord]:
        rows = self._db.execute(_SELECT_EVENTS, (last,))
        return {
            number: SubscriberEvent(what=what, who=who, newsletter=name, at=decode_time(at))
            for number, what, who, name, at in rows
        }

    def _ids_and_issues(self, last: int) -> dict[int, JournalRecord]:
        rows = self._db.execute(_SELECT_IDS, (last,))
        ids: dict[int, JournalRecord] = {number: _id_record(*values) for number, *values in rows}
        return ids | self._issues(last)

    def _issues(self, last: int) -> dict[int, JournalRecord]:
        """Return each issue once, in its present state."""
        rows = {row[-1]: row for row in self._db.execute(_SELECT_ISSUES, (last,)).fetchall()}
        return {row[0]: self._issue_record(row) for row in rows.values()}

    def _issue_record(self, row: tuple[Any, ...]) -> IssueRecorded:
        _, newsletter, number, slot, subject, state, composed_at, transport, note, recipients, sent, *rest = row
        entry, retracted_at, retraction, corrects, issue_id = rest
        entries: dict[str, list[str]] = {}
        for how, entry_id in self._db.execute(_SELECT_ANNOUNCED, (issue_id,)):
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


def _id_record(entry_id: str, path: str, text: str, *values: Any) -> IdAssigned:
    title, published, sketch, own, shown, replaced_by = values
    return IdAssigned(
        id=entry_id,
        path=path,
        text=text,
        title=title,
        published=published,
        sketch=sketch,
        adopted=(datetime.fromisoformat(own), datetime.fromisoformat(shown)) if own else None,
        replaced_by=replaced_by,
    )
