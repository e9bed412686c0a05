"""Erase a subscriber."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from feeds.config import Config
from feeds.core.newsletters.message import idna_address
from feeds.core.subscribers import addresses
from feeds.core.subscribers.addresses import MailAddress
from feeds.core.subscribers.link_tokens import LinkPurpose
from feeds.edges.files.erase_files import erase_mentions, erase_messages
from feeds.edges.process import lock
from feeds.edges.store.database import Store
from feeds.errors import FeedsError, LockedError
from feeds.jobs.context import Context
from feeds.jobs.store.journal import append_pending
from feeds.jobs.store.site_store import open_site_store
from feeds.jobs.subscribers.address_hashing import ensure_hasher, load_hasher
from feeds.jobs.subscribers.bounces import FOLDER
from feeds.jobs.subscribers.leave import append_events
from feeds.jobs.subscribers.links import open_link
from feeds.settings import Newsletter


class NothingStoredError(FeedsError):
    """Nothing is stored about an address."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ErasureReport:
    """The result of an erasure."""

    email: str
    was_known: bool
    #: Deliveries that no longer have an address.
    deliveries: int
    #: Files deleted from the outbox and from the folder of unrecognised bounces.
    files: int
    #: Newsletters whose `copy_to` still has the address.
    copy_to_newsletters: tuple[str, ...]
    #: The addresses that the subscriber had before, which are erased too, the oldest first.
    former_addresses: tuple[str, ...] = ()


def erase_subscriber(config: Config, email: str, now: datetime) -> ErasureReport:
    """Erase an address from the store and the site's folder, and put its digest on the suppression list.

    So are the addresses that its owner had before, and has moved from. It can be interrupted at any point, and
    repeated. It locks publishing and sending, so that no server's answer stores an address again.

    Raises:
        NothingStoredError: nothing is stored about the address.
        LockedError: a publish run or a sender is at work, or another process reads the store.
        OutputError: a message cannot be deleted.
    """
    address = addresses.parse_address(email)
    with lock.lock_site(config.folder), open_site_store(config) as store, store.lock("sending"):
        former = tuple(map(addresses.parse_address, store.subscribers.former_addresses(address.key)))
        # The oldest first: after an interruption the others still lead to the rest.
        parts = [_erase_address(config, store, one, now) for one in (*former, address)]
        append_pending(config, store)  # pending journal events hold the address
        store.suppressions.secure_vacuum()
    keys = {one.key for one in (*former, address)}
    return ErasureReport(
        email=address.email,
        was_known=parts[-1].was_known,
        deliveries=sum(part.deliveries for part in parts),
        files=sum(part.files for part in parts),
        copy_to_newsletters=tuple(n.name for n in config.settings.newsletters if keys & _copy_keys(n)),
        former_addresses=tuple(one.email for one in former),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _ErasedAddress:
    was_known: bool
    deliveries: int
    files: int


def _erase_address(config: Config, store: Store, address: MailAddress, now: datetime) -> _ErasedAddress:
    """Erase one address from the store and the site's folder.

    Raises:
        NothingStoredError: nothing is stored about the address.
        OutputError: a message cannot be deleted.
    """
    suppression = store.suppressions.find(load_hasher(config, store).digests(address.key))
    subscriber = store.subscribers.find(address.key)
    spellings = {address.email, address.key} | ({subscriber.email} if subscriber else set())
    files = erase_messages(config.outbox, {idna_address(one) for one in spellings})
    files += erase_mentions(config.state / FOLDER, spellings | {idna_address(one) for one in spellings})
    if not any((suppression, subscriber, files, _has_mail_or_signup(store, address.key))):
        raise NothingStoredError(f"nothing is stored about {address.email}")
    digest = ensure_hasher(config, store).digests(address.key)[0]
    deliveries = store.suppressions.erase(address.key, spellings, digest, now)
    return _ErasedAddress(was_known=subscriber is not None, deliveries=deliveries, files=files)


def _has_mail_or_signup(store: Store, key: str) -> bool:
    mails = (store.subscribers.iterate_deliveries(key), store.service_mails.iterate_records(key))
    return store.signups.find_by_key(key) is not None or any(map(any, mails))


def request_erasure(config: Config, token: str, context: Context) -> None:
    """Unsubscribe the subscriber of a link to the preferences; `erase_requested` erases them.

    That is not done at once: it needs the locks of publishing and sending, and rewrites the whole database.

    Raises:
        LinkError: the token is not valid, or not any more.
    """
    now = context.clock()
    with open_site_store(config, create=False) as store:
        _, subscriber = open_link(config, store, token, LinkPurpose.PREFERENCES, now)
        store.preferences.request_erasure(subscriber.key, now)
        append_events(config, store)


def erase_requested(config: Config, now: datetime) -> int:
    """Erase everybody who wants it; return how many have to wait since something is being published or sent.

    Raises:
        OutputError: a message cannot be deleted.
    """
    with open_site_store(config, create=False) as store:
        keys = store.preferences.erasure_requests()
    for done, key in enumerate(keys):
        try:
            with suppress(NothingStoredError):  # it was erased, and the process killed before the request was deleted
                erase_subscriber(config, key, now)
        except LockedError:
            return len(keys) - done
        with open_site_store(config, create=False) as store:
            store.preferences.delete_erasure_request(key)
    return 0


def _copy_keys(newsletter: Newsletter) -> set[str]:
    return {addresses.parse_address(copy.address.addr_spec).key for copy in newsletter.copy_to}
