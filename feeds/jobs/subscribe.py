"""People: who reads which newsletter."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from feeds.config import Config
from feeds.core.subscribers import addresses
from feeds.edges.store.opening import opened
from feeds.errors import FeedsError
from feeds.model import Subscriber
from feeds.settings import Language

#: Whom `add` brings back only when told to.
_GONE = ("unsubscribed", "bounced", "complained")


def add(
    config: Config,
    email: str,
    newsletters: Iterable[str],
    *,
    topics: Iterable[str] = (),
    lang: str | None,
    now: datetime,
    again: bool,
) -> Subscriber:
    """Make a person an active reader of *newsletters*, of all if none is named; return how they stand now.

    With *topics* they are told of these categories only.

    Raises:
        AddressError: mail could not be sent there.
        FeedsError: there is no such newsletter, or the person has left and *again* does not say that they came back.
    """
    address = addresses.parse(email)
    chosen = tuple(topics) or None
    wanted: Mapping[str, Iterable[str] | None] = dict.fromkeys(_newsletters(config, newsletters), chosen)
    with opened(config.settings.store.url, config.folder) as store:
        had = store.people.one(address.key)
        if had and had.status in _GONE and not again:
            raise FeedsError(f"{had.email} is {had.status}; if this person asked to come back, say so with --again")
        store.people.subscribe(
            address.email,
            address.key,
            wanted,
            lang=_language(lang),
            consent=f"added by hand, {now:%Y-%m-%d %H:%M %z}",
            at=now,
        )
        found = store.people.one(address.key)
    assert found is not None
    return found


def remove(config: Config, email: str, now: datetime) -> bool:
    """Write down that a person has left; return whether they were known."""
    address = addresses.parse(email)
    with opened(config.settings.store.url, config.folder) as store:
        known = store.people.one(address.key) is not None
        if known:
            store.people.unsubscribe(address.key, now)
    return known


def everybody(config: Config) -> tuple[Subscriber, ...]:
    """Return every person the store knows."""
    with opened(config.settings.store.url, config.folder, create=False) as store:
        return store.people.everybody()


def _language(lang: str | None) -> str | None:
    try:
        return Language.parse(lang) if lang else None
    except ValueError as e:
        raise FeedsError(f"--lang: {e}") from e


def _newsletters(config: Config, asked: Iterable[str]) -> list[str]:
    known = [n.name for n in config.settings.newsletters]
    wanted = list(asked) or known
    if not known:
        raise FeedsError(f"{config.path} has no [[newsletters]] to subscribe to")
    for name in wanted:
        if name not in known:
            raise FeedsError(f"there is no newsletter {name!r}; known here: {', '.join(known)}")
    return wanted
