"""People, one by one: who reads which newsletter, who has left, and what is stored about somebody."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from feeds.config import Config
from feeds.config_types import Language, TimeZone
from feeds.core.subscribers import addresses
from feeds.core.subscribers.csv_values import to_one_line
from feeds.edges.store.database import open_store
from feeds.edges.store.subscribers import BounceSummary, DeliveryRecord
from feeds.edges.store.suppressions import Suppression
from feeds.errors import FeedsError
from feeds.jobs.store.journal import append_pending
from feeds.jobs.subscribers.address_hashing import ensure_hasher, load_hasher
from feeds.model import GONE_STATUSES, Subscriber

_CAME_BACK = "if this person asked to come back, say so with --again"


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriberData:
    """All that is stored about one address."""

    email: str
    #: None: it is nobody's who was subscribed, or they were erased.
    person: Subscriber | None
    #: Newsletters that they have left one by one, and when.
    left: dict[str, datetime]
    letters: tuple[DeliveryRecord, ...]
    returned: tuple[BounceSummary, ...]
    suppression: Suppression | None


def add_subscriber(
    config: Config,
    email: str,
    newsletters: Iterable[str],
    *,
    topics: Iterable[str] = (),
    lang: str | None,
    timezone: str | None = None,
    now: datetime,
    again: bool,
) -> Subscriber:
    """Make a person an active reader of *newsletters*, of all if none is named; return how they stand now.

    With *topics* they are told of these categories only.

    Raises:
        AddressError: mail could not be sent there.
        FeedsError: there is no such newsletter, or the person has left or must not be written to, and *again* does not
            say that they came back.
    """
    address = addresses.parse_address(email)
    chosen = tuple(filter(None, map(to_one_line, topics))) or None
    wanted: Mapping[str, Iterable[str] | None] = dict.fromkeys(resolve_newsletters(config, newsletters), chosen)
    values = {"lang": _language(lang), "timezone": _zone(timezone)}
    with open_store(config.settings.store.url, config.folder) as store:
        kept_as = load_hasher(config, store).digests(address.key)
        had, held = store.subscribers.find(address.key), store.suppressions.find(kept_as)
        if not again:
            _refuse_gone(address.email, had, held)
            _refuse_left(address.email, wanted.keys() & store.subscribers.left_newsletters(address.key))
        if held:
            store.suppressions.allow(kept_as)
        consent = f"added by hand, {now:%Y-%m-%d %H:%M %z}"
        store.subscribers.subscribe(address.email, address.key, wanted, **values, consent=consent, source="add", at=now)
        found = store.subscribers.find(address.key)
        append_pending(config, store)
    assert found is not None
    return found


def _refuse_gone(email: str, had: Subscriber | None, held: Suppression | None) -> None:
    if had and had.status in GONE_STATUSES:
        raise FeedsError(f"{had.email} is {had.status}; {_CAME_BACK}")
    if held:
        raise FeedsError(f"{email} was {held.reason} on {held.at:%Y-%m-%d} and must not be written to; {_CAME_BACK}")


def _refuse_left(email: str, left: Collection[str]) -> None:
    if left:
        raise FeedsError(f"{email} has left {', '.join(sorted(left))}; {_CAME_BACK}")


def address_warnings(email: str) -> list[str]:
    """Return what is suspicious about an address, such as a role account or letters of several scripts."""
    return [*addresses.address_warnings(addresses.parse_address(email))]


def remove_subscriber(config: Config, email: str, now: datetime) -> bool:
    """Write down that a person has left; return whether they were known."""
    address = addresses.parse_address(email)
    with open_store(config.settings.store.url, config.folder) as store:
        known = store.subscribers.find(address.key) is not None
        if known:
            store.subscribers.unsubscribe(address.key, now)
            append_pending(config, store)
    return known


def suppress_address(config: Config, email: str, now: datetime) -> bool:
    """See to it that nobody is written to at this address, whoever adds it; return whether that was not so before.

    Raises:
        FeedsError: there is no key to remember it by.
    """
    address = addresses.parse_address(email)
    with open_store(config.settings.store.url, config.folder) as store:
        kept_as = ensure_hasher(config, store).digests(address.key)
        new = store.suppressions.find(kept_as) is None
        store.suppressions.suppress(address.key, kept_as[0] if new else None, now)
        append_pending(config, store)
    return new


def allow_address(config: Config, email: str) -> bool:
    """Take an address off that list; return whether it was on it. Who has left stays gone."""
    address = addresses.parse_address(email)
    with open_store(config.settings.store.url, config.folder) as store:
        was = store.suppressions.allow(load_hasher(config, store).digests(address.key))
        append_pending(config, store)
    return was


def load_subscriber_data(config: Config, email: str) -> SubscriberData:
    """Return all that is stored about an address.

    Raises:
        FeedsError: nothing is.
    """
    address = addresses.parse_address(email)
    with open_store(config.settings.store.url, config.folder, create=False) as store:
        found = SubscriberData(
            email=address.email,
            person=store.subscribers.find(address.key),
            left=store.subscribers.left_newsletters(address.key),
            letters=tuple(store.subscribers.iterate_deliveries(address.key)),
            returned=tuple(store.subscribers.iterate_bounces(address.key)),
            suppression=store.suppressions.find(load_hasher(config, store).digests(address.key)),
        )
    if not (found.person or found.letters or found.suppression):
        raise FeedsError(f"nothing is stored about {address.email}")
    return found


def list_subscribers(
    config: Config, *, newsletter: str | None = None, status: str | None = None
) -> Iterator[Subscriber]:
    """Yield people in the order of their addresses: all, those who read a newsletter, or those of a status.

    Raises:
        FeedsError: there is no such newsletter.
    """
    with open_store(config.settings.store.url, config.folder, create=False) as store:
        _know(config, store.subscribers.subscribed_newsletters(), newsletter)
        yield from store.subscribers.iterate(newsletter=newsletter, status=status)


def count_subscribers(config: Config, *, newsletter: str | None = None, status: str | None = None) -> dict[str, int]:
    """Return how many of these people have which status."""
    with open_store(config.settings.store.url, config.folder, create=False) as store:
        return store.subscribers.count_by_status(newsletter=newsletter, status=status)


def resolve_newsletters(config: Config, asked: Iterable[str]) -> list[str]:
    """Return the newsletters that are meant: those asked for, or all.

    Raises:
        FeedsError: there is no such newsletter, or none at all.
    """
    known = [n.name for n in config.settings.newsletters]
    wanted = list(asked) or known
    if not known:
        raise FeedsError(f"{config.path} has no [[newsletters]] to subscribe to")
    for name in wanted:
        if name not in known:
            raise FeedsError(f"there is no newsletter {name!r}; known here: {', '.join(known)}")
    return wanted


def _know(config: Config, read: Iterable[str], newsletter: str | None) -> None:
    """Refuse to look for the readers of what never was; what was one has some still."""
    if newsletter is not None and newsletter not in read:
        resolve_newsletters(config, [newsletter])


def _language(lang: str | None) -> str | None:
    try:
        return Language.parse(lang) if lang else None
    except ValueError as e:
        raise FeedsError(f"--lang: {e}") from e


def _zone(timezone: str | None) -> str | None:
    try:
        return TimeZone.parse(timezone).key if timezone else None
    except ValueError as e:
        raise FeedsError(f"--timezone: {e}") from e
