"""Forget a person."""

from dataclasses import dataclass
from datetime import datetime

from feeds.config import Config
from feeds.core.newsletters.message import idna_address
from feeds.core.subscribers import addresses
from feeds.edges.files.erase_files import erase_mentions, erase_messages
from feeds.edges.process import lock
from feeds.edges.store.database import open_store, store_path
from feeds.errors import FeedsError
from feeds.jobs.store.journal import append_pending
from feeds.jobs.subscribers.address_hashing import ensure_hasher, load_hasher
from feeds.jobs.subscribers.bounces import FOLDER
from feeds.settings import Newsletter


@dataclass(frozen=True, kw_only=True, slots=True)
class ErasureReport:
    """What was forgotten."""

    email: str
    was_known: bool
    #: Deliveries that are nobody's any more.
    letters: int
    #: Messages that lay in the outbox, or had come back.
    files: int
    #: Newsletters that go on sending copies there, since the settings say so.
    copied: tuple[str, ...]


def erase_subscriber(config: Config, email: str, now: datetime) -> ErasureReport:
    """Forget who has this address, everywhere in the site's folder, and keep it from coming back.

    It may be interrupted at any point: done again, it does what was left. While it is at work nothing is published or
    sent, so that no answer of a server brings the address back.

    Raises:
        FeedsError: nothing is stored about it.
        Busy: a publish or a sender is at work, or somebody reads the store.
        OutputError: a message cannot be removed.
    """
    address = addresses.parse_address(email)
    url, folder = config.settings.store.url, config.folder
    with lock.lock_site(folder), lock.lock_sending(store_path(url, folder)), open_store(url, folder) as store:
        held = store.suppressions.find(load_hasher(config, store).digests(address.key))
        person = store.subscribers.find(address.key)
        spellings = {address.email, address.key} | ({person.email} if person else set())
        files = erase_messages(config.folder / "outbox", {idna_address(one) for one in spellings})
        files += erase_mentions(config.folder / FOLDER, spellings | {idna_address(one) for one in spellings})
        if not (held or person or files or any(store.subscribers.iterate_deliveries(address.key))):
            raise FeedsError(f"nothing is stored about {address.email}")
        kept_as = ensure_hasher(config, store).digests(address.key)[0]
        letters = store.suppressions.erase(address.key, spellings, kept_as, now)
        append_pending(config, store)  # and no address waits in the store to be written there
        store.suppressions.secure_vacuum()
    copied = tuple(n.name for n in config.settings.newsletters if address.key in _copies(n))
    return ErasureReport(email=address.email, was_known=person is not None, letters=letters, files=files, copied=copied)


def _copies(newsletter: Newsletter) -> set[str]:
    return {addresses.parse_address(copy.address.addr_spec).key for copy in newsletter.copy_to}
