"""Forget a person."""

from dataclasses import dataclass
from datetime import datetime

from feeds.config import Config
from feeds.core.newsletters.message import mailbox
from feeds.core.subscribers import addresses
from feeds.edges import lock
from feeds.edges.store.opening import opened
from feeds.edges.store.opening import path as store_path
from feeds.edges.traces import remove_addressed, remove_naming
from feeds.errors import FeedsError
from feeds.jobs.bounces import FOLDER
from feeds.jobs.journal import keep
from feeds.jobs.suppressing import digests, made
from feeds.settings import Newsletter


@dataclass(frozen=True, kw_only=True, slots=True)
class Erased:
    """What was forgotten."""

    email: str
    was_known: bool
    #: Deliveries that are nobody's any more.
    letters: int
    #: Messages that lay in the outbox, or had come back.
    files: int
    #: Newsletters that go on sending copies there, since the settings say so.
    copied: tuple[str, ...]


def erase(config: Config, email: str, now: datetime) -> Erased:
    """Forget who has this address, everywhere in the site's folder, and keep it from coming back.

    It may be interrupted at any point: done again, it does what was left. While it is at work nothing is published or
    sent, so that no answer of a server brings the address back.

    Raises:
        FeedsError: nothing is stored about it.
        Busy: a publish or a sender is at work, or somebody reads the store.
        OutputError: a message cannot be removed.
    """
    address = addresses.parse(email)
    url, folder = config.settings.store.url, config.folder
    with lock.site(folder), lock.sending(store_path(url, folder)), opened(url, folder) as store:
        held = store.suppressions.one(digests(config, store).of(address.key))
        person = store.people.one(address.key)
        spellings = {address.email, address.key} | ({person.email} if person else set())
        files = remove_addressed(config.folder / "outbox", {mailbox(one) for one in spellings})
        files += remove_naming(config.folder / FOLDER, spellings | {mailbox(one) for one in spellings})
        if not (held or person or files or any(store.people.letters(address.key))):
            raise FeedsError(f"nothing is stored about {address.email}")
        kept_as = made(config, store).of(address.key)[0]
        letters = store.suppressions.erase(address.key, spellings, kept_as, now)
        keep(config, store)  # and no address waits in the store to be written there
        store.suppressions.overwrite()
    copied = tuple(n.name for n in config.settings.newsletters if address.key in _copies(n))
    return Erased(email=address.email, was_known=person is not None, letters=letters, files=files, copied=copied)


def _copies(newsletter: Newsletter) -> set[str]:
    return {addresses.parse(copy.address.addr_spec).key for copy in newsletter.copy_to}
