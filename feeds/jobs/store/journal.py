"""Move pending journal records from the store into the journal file, or what else the store knows."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

from msgspec.structs import replace

from feeds.config import Config
from feeds.core.subscribers.suppression import AddressHasher
from feeds.edges.store import database, journal_file
from feeds.edges.store.database import Store
from feeds.jobs.store.missing_records import find_missing
from feeds.jobs.subscribers.address_hashing import ensure_hasher
from feeds.model import JournalRecord, SubscriberEvent

#: Events of the suppression list, which has digests already.
_SUPPRESSION_EVENTS = ("erased", "suppressed", "allowed")
#: Records that are written at once; other writers wait for the store meanwhile.
_BATCH_RECORDS = 10_000


def append_pending(config: Config, store: Store) -> None:
    """Move pending records into the journal file. PostgreSQL has no journal.

    If the store is not known to have written to this file, everything else that it knows is appended as well: its file
    was brought from elsewhere, or the journal is lost.

    If the process is killed between writing them and deleting them from the store, they are written again next time.

    Raises:
        OutputError: the journal cannot be written; the records stay pending.
        FeedsError: the key that hashes addresses is missing; events about subscribers stay pending.
    """
    if not store.database.keeps_journal:
        return
    file = _journal_file(config, config.store_url)
    is_known = (journal_file.read_journal_id(file) or 0) == store.journal.load_file_id()
    while store.journal.has_pending(people=False):
        with store.journal.take_batch(_BATCH_RECORDS, people=False) as records:
            journal_file.append_records(file, records)
    if not is_known:
        complete_journal(config, store, config.store_url)
    hasher = ensure_hasher(config, store) if store.journal.has_pending(people=True) else None
    while hasher and store.journal.has_pending(people=True):
        with store.journal.take_batch(_BATCH_RECORDS, people=True) as records:
            journal_file.append_records(file, [mask_address(hasher, record) for record in records])
    _save_file_id(store, file)


def complete_journal(config: Config, store: Store, url: str, now: datetime | None = None) -> None:
    """Append what a store, with this *url*, knows and the journal beside it does not. PostgreSQL has no journal.

    If the process is killed, what was not appended is missing, and is appended the next time. See `find_missing` for
    *now*.

    Raises:
        OutputError: the journal cannot be read or written.
        FeedsError: the key that hashes addresses is missing.
    """
    if not store.database.keeps_journal:
        return
    file = _journal_file(config, url)
    with store.database.transaction():  # other processes append nothing meanwhile
        records = [*journal_file.read_records(file, lambda _: None)]
        _append_in_batches(file, find_missing(store, records, lambda: ensure_hasher(config, store), now))
    _save_file_id(store, file)


def _save_file_id(store: Store, file: Path) -> None:
    """Store that all of it is in this file, if that is new."""
    number = journal_file.read_journal_id(file)
    if number not in (store.journal.load_file_id(), None):
        store.journal.save_file_id(number)


def _append_in_batches(file: Path, records: Iterator[JournalRecord]) -> None:
    """Append records to a journal as they come; without any, it is not opened."""
    while batch := [*islice(records, _BATCH_RECORDS)]:
        journal_file.append_records(file, batch)


def _journal_file(config: Config, url: str) -> Path:
    return journal_file.journal_path(database.store_path(url, config.folder))


def mask_address(hasher: AddressHasher, record: JournalRecord) -> JournalRecord:
    """Return a record with a digest instead of its address; events of the suppression list have one already."""
    if isinstance(record, SubscriberEvent) and record.what not in _SUPPRESSION_EVENTS:
        return replace(record, who=hasher.digests(record.who)[0])
    return record
