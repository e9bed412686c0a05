"""Find what a store knows and its journal does not.

A store that was copied from another database, or whose file was brought from elsewhere, has changes that the journal
beside it has not seen. A backup and the journal would not be what the store was.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from msgspec.structs import replace

from feeds.core.subscribers.subscriber_history import SubscriberHistory, merge_histories, replay_events
from feeds.core.subscribers.suppression import AddressHasher
from feeds.edges.store.database import Store
from feeds.model import IdAssigned, IssueRecorded, JournalRecord, SubscriberEvent


def find_missing(
    store: Store,
    journal: Sequence[JournalRecord],
    load_hasher: Callable[[], AddressHasher],
    now: datetime | None = None,
) -> Iterator[JournalRecord]:
    """Yield the records with which the journal knows all that the store knows.

    Args:
        store: the store beside the journal.
        journal: the records that the journal has.
        load_hasher: called only if there are subscribers.
        now: the time, if the store is newer than the journal. Then people who are active in it, or not on its
            suppression list, have come back. Else it may be older, and only events count that are later than all
            that the journal has of the same person.
    """
    yield from _missing_ids(store, journal)
    yield from _missing_issues(store, journal, is_newer=now is not None)
    histories = replay_events(record for record in journal if isinstance(record, SubscriberEvent))
    if histories or store.journal.has_people():
        yield from _PeopleComparison(store, histories, load_hasher(), now).missing()


def _missing_ids(store: Store, journal: Sequence[JournalRecord]) -> Iterator[IdAssigned]:
    known = {record.id: record.replaced_by for record in journal if isinstance(record, IdAssigned)}
    for record in store.journal.iterate_ids():
        if record.id not in known or (record.replaced_by and record.replaced_by != known[record.id]):
            yield record


def _missing_issues(store: Store, journal: Sequence[JournalRecord], *, is_newer: bool) -> Iterator[IssueRecorded]:
    issues = (record for record in journal if isinstance(record, IssueRecorded))
    known = {(issue.newsletter, issue.number): issue for issue in issues}
    for record in store.journal.iterate_issues():
        before = known.get((record.newsletter, record.number))
        if before is None or _has_more(record, before) or (is_newer and _state(record) != _state(before)):
            yield record


def _has_more(issue: IssueRecorded, before: IssueRecorded) -> bool:
    """Return whether an issue was retracted, or announces more, than the journal says."""
    was_retracted = issue.retracted_at is not None and before.retracted_at is None
    return was_retracted or sum(map(len, issue.entries.values())) > sum(map(len, before.entries.values()))


def _state(issue: IssueRecorded) -> tuple[object, ...]:
    """Return what may change in either direction. In a restored store, that an issue was sent may only be assumed."""
    return issue.state, issue.retracted_at, issue.retraction


class _PeopleComparison:
    """Compares the subscribers and the suppression list of a store with the histories of a journal, by digest."""

    def __init__(
        self, store: Store, histories: dict[str, SubscriberHistory], hasher: AddressHasher, now: datetime | None
    ) -> None:
        self._journal, self._histories, self._hasher, self._now = store.journal, histories, hasher, now

    def missing(self) -> Iterator[SubscriberEvent]:
        """Yield the events that the journal lacks; who has come back first, as they may be known by an older key."""
        if self._now:
            yield from self._allowed(self._now)
            yield from self._returned(self._now)
        yield from self._statuses()
        yield from self._left()
        yield from self._suppressed()

    def _allowed(self, now: datetime) -> Iterator[SubscriberEvent]:
        suppressed = {event.who for event in self._journal.iterate_suppressions()}
        for digest, history in self._histories.items():
            if history.suppression and history.suppression.name != "allowed" and digest not in suppressed:
                yield SubscriberEvent(what="allowed", who=digest, at=now)

    def _returned(self, now: datetime) -> Iterator[SubscriberEvent]:
        leaves = self._journal.iterate_leaves()
        left = {(digest, event.newsletter) for event in leaves for digest in self._hasher.digests(event.who)}
        for digest, history in self._histories.items():
            for name, event in history.newsletters.items():
                if event.name == "left" and (digest, name) not in left:
                    yield SubscriberEvent(what="returned", who=digest, newsletter=name, at=now)

    def _statuses(self) -> Iterator[SubscriberEvent]:
        for event in self._journal.iterate_statuses():
            digests = self._hasher.digests(event.who)
            history = merge_histories(self._histories, digests)
            last = history.status if history else None
            if (last is None or last.name != event.what) and self._is_later(event, history):
                yield replace(event, who=digests[0])

    def _left(self) -> Iterator[SubscriberEvent]:
        for event in self._journal.iterate_leaves():
            digests = self._hasher.digests(event.who)
            history = merge_histories(self._histories, digests)
            last = history.newsletters.get(event.newsletter) if history else None
            if (last is None or last.name != "left") and self._is_later(event, history):
                yield replace(event, who=digests[0])

    def _suppressed(self) -> Iterator[SubscriberEvent]:
        for event in self._journal.iterate_suppressions():
            history = self._histories.get(event.who)
            last = history.suppression if history else None
            if (last is None or last.name != event.what) and self._is_later(event, history):
                yield event

    def _is_later(self, event: SubscriberEvent, history: SubscriberHistory | None) -> bool:
        return self._now is not None or history is None or event.at > history.latest_at
