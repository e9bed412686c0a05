"""Add, remove, suppress and show single subscribers."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from feeds.config import Config
from feeds.config_types import Language, TimeZone
from feeds.core.subscribers import addresses
from feeds.core.subscribers.addresses import MailAddress
from feeds.core.subscribers.csv_values import to_one_line
from feeds.display import format_time
from feeds.edges.store.database import Store
from feeds.edges.store.service_mails import MailRecord
from feeds.edges.store.subscribers import BounceSummary, DeliveryRecord
from feeds.edges.store.suppressions import Suppression
from feeds.errors import FeedsError
from feeds.jobs.store.journal import append_pending
from feeds.jobs.store.site_store import open_site_store
from feeds.jobs.subscribers.address_hashing import ensure_hasher, load_hasher
from feeds.model import GONE_STATUSES, Subscriber, SubscriptionChange

_USE_AGAIN = "if this person asked to subscribe again, add --again"


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriberData:
    """All that is stored about one address."""

    email: str
    #: None: never subscribed, or erased.
    subscriber: Subscriber | None
    #: Newsletters that they have unsubscribed from one by one, and when.
    unsubscribed_from: dict[str, datetime]
    deliveries: tuple[DeliveryRecord, ...]
    bounces: tuple[BounceSummary, ...]
    suppression: Suppression | None
    #: Until when they want no letters.
    paused_until: datetime | None = None
    #: Mail outside of any issue, of the last weeks.
    mails: tuple[MailRecord, ...] = ()
    #: Addresses that they have asked to move to lately.
    wanted_addresses: tuple[str, ...] = ()
    #: What they have changed themselves, the oldest first.
    changes: tuple[SubscriptionChange, ...] = ()
    #: The same about the addresses that they had before they moved to this one, the oldest first.
    former_addresses: tuple["SubscriberData", ...] = ()


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
    """Subscribe an address to *newsletters*, or to all; return the subscriber.

    With *topics*, only posts in these categories.

    Raises:
        AddressError: the address is not valid.
        FeedsError: there is no such newsletter; or the address is unsubscribed or suppressed, and *again* is not set.
    """
    address = addresses.parse_address(email)
    addresses.require_usable(address)
    chosen = tuple(filter(None, map(to_one_line, topics))) or None
    wanted: Mapping[str, Iterable[str] | None] = dict.fromkeys(resolve_newsletters(config, newsletters), chosen)
    values = {"lang": _parse_language(lang), "timezone": _parse_timezone(timezone)}
    with open_site_store(config) as store:
        digests = load_hasher(config, store).digests(address.key)
        subscriber, suppression = store.subscribers.find(address.key), store.suppressions.find(digests)
        if not again:
            _require_not_gone(address.email, subscriber, suppression, config.settings.site.timezone)
            _require_subscribable(
                address.email, wanted.keys() & store.subscribers.unsubscribed_newsletters(address.key)
            )
        if suppression:
            store.suppressions.allow(digests, now)
        consent = f"added by hand, {now:%Y-%m-%d %H:%M %z}"
        store.subscribers.subscribe(address.email, address.key, wanted, **values, consent=consent, source="add", at=now)
        subscriber = store.subscribers.find(address.key)
        append_pending(config, store)
    assert subscriber is not None
    return subscriber


def _require_not_gone(email: str, subscriber: Subscriber | None, suppression: Suppression | None, zone: tzinfo) -> None:
    if subscriber and subscriber.status in GONE_STATUSES:
        raise FeedsError(f"{subscriber.email} is {subscriber.status}; {_USE_AGAIN}")
    if suppression:
        raise FeedsError(f"{email} was {suppression.reason} on {format_time(suppression.at, zone)}; {_USE_AGAIN}")


def _require_subscribable(email: str, unsubscribed: Collection[str]) -> None:
    if unsubscribed:
        raise FeedsError(f"{email} has unsubscribed from {', '.join(sorted(unsubscribed))}; {_USE_AGAIN}")


def address_warnings(email: str) -> list[str]:
    """Return texts about what is unusual about an address, such as a role address or mixed scripts."""
    return [*addresses.address_warnings(addresses.parse_address(email))]


def remove_subscriber(config: Config, email: str, now: datetime) -> bool:
    """Unsubscribe an address; return whether it was known."""
    address = addresses.parse_address(email)
    with open_site_store(config) as store:
        known = store.subscribers.find(address.key) is not None
        if known:
            store.subscribers.unsubscribe(address.key, now)
            append_pending(config, store)
    return known


def suppress_address(config: Config, email: str, now: datetime) -> bool:
    """Put an address on the suppression list; return whether it is new there.

    Raises:
        FeedsError: the key that hashes addresses is missing.
    """
    address = addresses.parse_address(email)
    with open_site_store(config) as store:
        digests = ensure_hasher(config, store).digests(address.key)
        is_new = store.suppressions.find(digests) is None
        store.suppressions.suppress(address.key, digests[0] if is_new else None, now)
        append_pending(config, store)
    return is_new


def allow_address(config: Config, email: str, now: datetime) -> bool:
    """Remove an address from the suppression list; return whether it was there. It stays unsubscribed if it is."""
    address = addresses.parse_address(email)
    with open_site_store(config) as store:
        was_listed = store.suppressions.allow(load_hasher(config, store).digests(address.key), now)
        append_pending(config, store)
    return was_listed


def load_subscriber_data(config: Config, email: str) -> SubscriberData:
    """Return all that is stored about an address, and about those that its owner had before.

    Raises:
        FeedsError: nothing is stored.
    """
    address = addresses.parse_address(email)
    with open_site_store(config, create=False) as store:
        former = map(addresses.parse_address, store.subscribers.former_addresses(address.key))
        before = tuple(_load_address_data(config, store, one) for one in former)
        found = replace(_load_address_data(config, store, address), former_addresses=before)
    if not (found.subscriber or found.deliveries or found.suppression or found.mails):
        raise FeedsError(f"nothing is stored about {address.email}")
    return found


def _load_address_data(config: Config, store: Store, address: MailAddress) -> SubscriberData:
    """Return all that is stored about an address, without its former ones."""
    key = address.key
    return SubscriberData(
        email=address.email,
        subscriber=store.subscribers.find(key),
        unsubscribed_from=store.subscribers.unsubscribed_newsletters(key),
        deliveries=tuple(store.subscribers.iterate_deliveries(key)),
        bounces=tuple(store.subscribers.iterate_bounces(key)),
        suppression=store.suppressions.find(load_hasher(config, store).digests(key)),
        paused_until=store.preferences.paused_until_of(key),
        mails=tuple(store.service_mails.iterate_records(key)),
        wanted_addresses=tuple(store.preferences.wanted_addresses(key)),
        changes=tuple(store.preferences.changes(key)),
    )


def list_subscribers(
    config: Config, *, newsletter: str | None = None, status: str | None = None
) -> Iterator[Subscriber]:
    """Yield subscribers in the order of their addresses: all, those of a newsletter, or those with a status.

    Raises:
        FeedsError: there is no such newsletter.
    """
    with open_site_store(config, create=False) as store:
        _require_newsletter(config, store.subscribers.subscribed_newsletters(), newsletter)
        yield from store.subscribers.iterate(newsletter=newsletter, status=status)


def count_subscribers(config: Config, *, newsletter: str | None = None, status: str | None = None) -> dict[str, int]:
    """Return how many subscribers have each status."""
    with open_site_store(config, create=False) as store:
        return store.subscribers.count_by_status(newsletter=newsletter, status=status)


def resolve_newsletters(config: Config, requested: Iterable[str]) -> list[str]:
    """Return the *requested* newsletters, or all.

    Raises:
        FeedsError: there is no such newsletter, or none at all.
    """
    known = [n.name for n in config.settings.newsletters]
    wanted = list(requested) or known
    if not known:
        raise FeedsError(f"{config.path} has no [[newsletters]] to subscribe to")
    for name in wanted:
        if name not in known:
            raise FeedsError(f"there is no newsletter {name!r}; known here: {', '.join(known)}")
    return wanted


def _require_newsletter(config: Config, read: Iterable[str], newsletter: str | None) -> None:
    """Raise if the newsletter is not configured and never had subscribers."""
    if newsletter is not None and newsletter not in read:
        resolve_newsletters(config, [newsletter])


def _parse_language(lang: str | None) -> str | None:
    try:
        return Language.parse(lang) if lang else None
    except ValueError as e:
        raise FeedsError(f"--lang: {e}") from e


def _parse_timezone(timezone: str | None) -> str | None:
    try:
        return TimeZone.parse(timezone).key if timezone else None
    except ValueError as e:
        raise FeedsError(f"--timezone: {e}") from e
