"""Pending journal records: what the repositories have recorded, and the data that it is about.

Only SQLite has a journal; elsewhere nothing is ever pending.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from feeds.edges.store.interface import Database, decode_time, decode_time_if_any
from feeds.model import IdAssigned, IssueRecorded, IssueState, JournalRecord, SubscriberEvent


class Journal:
    """The pending journal records in an open store."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def has_pending(self, *, people: bool) -> bool:
        """Return whether records are pending: events of subscribers if *people*, else ids and issues."""
        if not self._db.keeps_journal:
            return False
        return self._db.one("journal.has_events" if people else "journal.has_things") is not None

    @contextmanager
    def take_batch(self, limit: int, *, people: bool) -> Iterator[list[JournalRecord]]:
        """Yield the first pending records; delete them if the block ends without an exception.

        No other process takes any meanwhile, so they are written in their order. In events of subscribers `who` is an
        address, as addresses are compared, except in events of the suppression list.
        """
        with self._db.transaction():
            last = self._db.value("journal.last_of_events" if people else "journal.last_of_things", limit=limit) or 0
            yield list((self._events(last) if people else self._ids_and_issues(last)).values())
            self._db.execute("journal.delete_events" if people else "journal.delete_things", last=last)

    def load_pending(self) -> dict[int, JournalRecord]:
        """Return all pending records by number."""
        last = self.last_number()
        return self._ids_and_issues(last) | self._events(last)

    def last_number(self) -> int:
        """Return the highest number of a pending record; 0 if there is none."""
        return int(self._db.value("journal.last_number"))

    def drop(self, numbers: Iterable[int], *, after: int | None = None) -> None:
        """Delete some pending records, and all after a number."""
        with self._db.transaction():
            self._db.execute_many("journal.delete", ({"id": number} for number in numbers))
            if after is not None:
                self._db.execute("journal.delete_after", last=after)

    def load_file_id(self) -> int:
        """Return which file the journal is in, as `journal_file.read_journal_id` returns it; 0 if it is not known.

        It is in the header of the database file (https://www.sqlite.org/pragma.html#pragma_user_version), so backups
        have it, and copies to other databases do not.
        """
        return int(self._db.value("journal.file_id"))

    def save_file_id(self, number: int) -> None:
        """Store which file the journal is in."""
        self._db.connection.execute(f"PRAGMA user_version = {number:d}")

    # What the store knows, whether it is pending or not ------------------------------------------------------------

    def iterate_ids(self) -> Iterator[IdAssigned]:
        """Yield the ids of all entries."""
        for values in self._db.iterate("entries.load"):
            yield _id_record(*values)

    def iterate_issues(self) -> Iterator[IssueRecorded]:
        """Yield all issues that do not wait for approval."""
        for row in self._db.all("journal.all_issues"):
            yield self._issue_record(row)

    def has_people(self) -> bool:
        """Return whether there are subscribers, or addresses on the suppression list."""
        return self._db.one("journal.has_people") is not None

    def iterate_statuses(self) -> Iterator[SubscriberEvent]:
        """Yield the status of each subscriber who is gone or has come back; `who` is an address, as above."""
        for what, who, at in self._db.iterate("journal.all_statuses"):
            yield SubscriberEvent(what=what, who=who, at=decode_time(at))

    def iterate_leaves(self) -> Iterator[SubscriberEvent]:
        """Yield which newsletters subscribers have left; `who` is an address."""
        for who, newsletter, at in self._db.iterate("journal.all_leaves"):
            yield SubscriberEvent(what="left", who=who, newsletter=newsletter, at=decode_time(at))

    def iterate_suppressions(self) -> Iterator[SubscriberEvent]:
        """Yield the suppression list; `who` is a digest."""
        for what, who, at in self._db.iterate("journal.all_suppressions"):
            yield SubscriberEvent(what=what, who=who, at=decode_time(at))

    def _events(self, last: int) -> dict[int, JournalRecord]:
        rows = self._db.all("journal.events", last=last)
        return {
            number: SubscriberEvent(what=what, who=who, newsletter=name, at=decode_time(at))
            for number, what, who, name, at in rows
        }

    def _ids_and_issues(self, last: int) -> dict[int, JournalRecord]:
        rows = self._db.all("journal.ids", last=last)
        ids: dict[int, JournalRecord] = {number: _id_record(*values) for number, *values in rows}
        return ids | self._issues(last)

    def _issues(self, last: int) -> dict[int, JournalRecord]:
        """Return each issue once, in its present state."""
        rows = {row[-1]: row for row in self._db.all("journal.issues", last=last)}
        return {row[0]: self._issue_record(row) for row in rows.values()}

    def _issue_record(self, row: tuple[Any, ...]) -> IssueRecorded:
        _, newsletter, number, slot, subject, state, composed_at, transport, note, recipients, sent, *rest = row
        entry, retracted_at, retraction, corrects, issue_id = rest
        entries: dict[str, list[str]] = {}
        for how, entry_id in self._db.all("journal.announced", issue=issue_id):
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
            retracted_at=decode_time_if_any(retracted_at),
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
