"""Make and open the personal links of letters, mails and pages."""

from datetime import datetime

from feeds.config import Config
from feeds.core.newsletters import tokens
from feeds.core.subscribers import link_tokens
from feeds.core.subscribers.link_tokens import Link, LinkPurpose
from feeds.edges.files.keys import load_keys
from feeds.edges.store.database import Store
from feeds.errors import LinkError
from feeds.jobs.site import web_url
from feeds.jobs.subscribers.address_hashing import load_hasher
from feeds.model import ALL_NEWSLETTERS, Subscriber


def make_link(config: Config, link: Link, subscriber: Subscriber) -> str:
    """Return the token of a link for its subscriber; create the key file if there is none yet.

    Raises:
        FeedsError: the key file cannot be used.
    """
    key_id, key = load_keys(config.keys_file).current_unsubscribe_key
    return link_tokens.sign_link(link, key_id, key, subscriber.key)


def preferences_url(config: Config, subscriber: Subscriber, expires_at: datetime) -> str:
    """Return the URL of the page where a subscriber sees and changes everything, until *expires_at*.

    Raises:
        FeedsError: the key file cannot be used.
    """
    link = Link(purpose=LinkPurpose.PREFERENCES, subscriber_id=subscriber.id, expires_at=expires_at)
    return f"{web_url(config)}preferences/{make_link(config, link, subscriber)}"


def open_link(config: Config, store: Store, token: str, purpose: LinkPurpose, now: datetime) -> tuple[Link, Subscriber]:
    """Return a link and its subscriber.

    Raises:
        LinkError: the token is not valid, or not any more: it has expired, or its subscriber is gone or suppressed.
    """
    link = link_tokens.parse_link(token, purpose)
    subscriber = store.subscribers.find_by_id(link.subscriber_id) if link else None
    if link is None or subscriber is None:
        raise LinkError
    if not link_tokens.verify_link(token, purpose, _load_keys(config), subscriber.key):
        raise LinkError
    if now >= link.expires_at or is_suppressed(config, store, subscriber.key):
        raise LinkError(is_expired=True)
    return link, subscriber


def open_unsubscribe_link(config: Config, store: Store, token: str) -> tuple[Subscriber | None, str]:
    """Return the subscriber and the newsletter of an unsubscribe token; None and the name if they were erased.

    The name is empty if the newsletter is not known here any more.

    Raises:
        LinkError: the token is not signed by a key of this site.
    """
    found = tokens.parse_unsubscribe_token(token, _load_keys(config))
    if found is None:
        raise LinkError
    subscriber_id, digest = found
    names = [*(n.name for n in config.settings.newsletters), *store.bounces.newsletters_of(subscriber_id)]
    names.append(ALL_NEWSLETTERS)
    newsletter = next((name for name in names if tokens.name_digest(name) == digest), "")
    return store.subscribers.find_by_id(subscriber_id), newsletter


def is_suppressed(config: Config, store: Store, key: str) -> bool:
    """Return whether an address (as addresses are compared) is on the suppression list.

    Raises:
        FeedsError: the key file lacks a key of the list.
    """
    return store.suppressions.find(load_hasher(config, store).digests(key)) is not None


def _load_keys(config: Config) -> dict[int, bytes]:
    """Return the keys that sign links; without a key file there are none, and reading a page creates none."""
    return load_keys(config.keys_file).leave if config.keys_file.exists() else {}
