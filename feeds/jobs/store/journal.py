"""Write into the journal beside the store what has happened in it."""

from msgspec.structs import replace

from feeds.config import Config
from feeds.core.subscribers.suppression import AddressHasher
from feeds.edges.store import database, journal_file
from feeds.edges.store.database import Store
from feeds.jobs.subscribers.address_hashing import ensure_hasher
from feeds.model import JournalRecord, SubscriberEvent

#: What is said of the suppression list, which knows people by digests already.
_LISTED = ("erased", "suppressed", "allowed")
#: Lines that are written together: as long as that takes, nobody else writes into the store.
_AT_ONCE = 10_000


def append_pending(config: Config, store: Store) -> None:
    """Move what waits in the store into the journal; where nothing waits, no file is looked at.

    Killed at any point, what was written and not yet forgotten in the store is written again the next time.

    Raises:
        OutputError: the journal cannot be written; what waits goes on waiting.
        FeedsError: the key that hides addresses is not there; what is about people goes on waiting.
    """
    file = journal_file.journal_path(database.store_path(config.settings.store.url, config.folder))
    while store.journal.has_pending(people=False):
        with store.journal.take_batch(_AT_ONCE, people=False) as lines:
            journal_file.append_records(file, lines)
    digests = ensure_hasher(config, store) if store.journal.has_pending(people=True) else None
    while digests and store.journal.has_pending(people=True):
        with store.journal.take_batch(_AT_ONCE, people=True) as lines:
            journal_file.append_records(file, [mask_address(digests, line) for line in lines])


def mask_address(digests: AddressHasher, line: JournalRecord) -> JournalRecord:
    """Return a line with a digest where an address stands; those of the suppression list have one."""
    if isinstance(line, SubscriberEvent) and line.what not in _LISTED:
        return replace(line, who=digests.digests(line.who)[0])
    return line
