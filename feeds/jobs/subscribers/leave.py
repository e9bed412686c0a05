"""Leave a newsletter by the link of a letter, and undo it."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from feeds.config import Config
from feeds.core.newsletters import tokens
from feeds.core.subscribers.addresses import mask_address
from feeds.core.subscribers.link_tokens import Link, LinkPurpose
from feeds.edges.files.keys import load_keys
from feeds.edges.store.database import Store
from feeds.errors import FeedsError, LinkError
from feeds.jobs.context import Context
from feeds.jobs.site import Site
from feeds.jobs.store.journal import append_pending
from feeds.jobs.store.site_store import open_site_store
from feeds.jobs.subscribers.links import make_link, open_link, open_unsubscribe_link
from feeds.jobs.subscribers.sign_up import hash_client, record_shown_words
from feeds.model import ALL_NEWSLETTERS, ChangeSource, Subscriber

#: For how long an unsubscribe can be undone: letters are passed on, and their links never expire.
UNDO_TIME = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Departure:
    """A subscription that a link names."""

    #: The title of the newsletter; empty if it is not known any more, or for all newsletters.
    title: str
    #: The subscriber's address, masked; empty if they were erased.
    address: str
    #: The subscriber's language, or for a test letter the newsletter's; None if they have not chosen one.
    lang: str | None
    is_subscribed: bool
    #: With which the unsubscribe can be undone; empty if it cannot, or not any more.
    undo_token: str = ""
    #: True if it is the link of a test letter, which has no effect.
    is_test: bool = False


def find_subscription(config: Config, token: str, context: Context) -> Departure:
    """Return the subscription of an unsubscribe token, and whether it can be subscribed again; nothing is changed.

    Raises:
        LinkError: the token is not valid.
    """
    with open_site_store(config, create=False) as store:
        subscriber, newsletter = open_unsubscribe_link(config, store, token)
        if subscriber is None:
            return _describe_stranger(config, newsletter, token)
        is_subscribed = _is_reader(store, subscriber, newsletter)
        undo = "" if is_subscribed else _find_undo_token(config, store, subscriber, newsletter, context.clock())
        return _describe(config, subscriber, newsletter, is_subscribed=is_subscribed, undo_token=undo)


def leave(config: Config, token: str, context: Context) -> Departure:
    """End the subscription of an unsubscribe token; a second time it changes nothing.

    Raises:
        LinkError: the token is not valid.
    """
    now = context.clock()
    with open_site_store(config, create=False) as store:
        subscriber, newsletter = open_unsubscribe_link(config, store, token)
        if subscriber is None:
            return _describe_stranger(config, newsletter, token)
        if store.preferences.leave(subscriber.id, newsletter, ChangeSource(how="letter"), now):
            append_events(config, store)
        undo = _find_undo_token(config, store, subscriber, newsletter, now)
        return _describe(config, subscriber, newsletter, is_subscribed=False, undo_token=undo)


def find_undo(config: Config, token: str, context: Context) -> Departure:
    """Return the subscription that a token subscribes again; nothing is changed.

    Raises:
        LinkError: the token is not valid, or not any more.
    """
    with open_site_store(config, create=False) as store:
        link, subscriber = open_link(config, store, token, LinkPurpose.UNDO, context.clock())
        newsletter = link.value.partition(" ")[0]
        is_subscribed = _is_reader(store, subscriber, newsletter)
        return _describe(config, subscriber, newsletter, is_subscribed=is_subscribed, undo_token=token)


def undo_leave(config: Config, token: str, context: Context, *, wording: str = "", client: str = "") -> Departure:
    """Undo the unsubscribe that a token names: its topics are as before. A second time it changes nothing.

    The record of it has the version of the words of consent on the page, and the *client*, by its network address.

    Raises:
        LinkError: the token is not valid, or not any more.
    """
    now = context.clock()
    with open_site_store(config, create=False) as store:
        link, subscriber = open_link(config, store, token, LinkPurpose.UNDO, now)
        newsletter, _, left_at = link.value.partition(" ")
        source = change_source(config, store, "undo", wording, client, now)
        if store.preferences.undo_leave(subscriber.id, newsletter, datetime.fromisoformat(left_at), source, now):
            append_events(config, store)
        elif not _is_reader(store, subscriber, newsletter):
            raise LinkError(is_expired=True)
        return _describe(config, subscriber, newsletter, is_subscribed=True)


def change_source(config: Config, store: Store, how: str, wording: str, client: str, now: datetime) -> ChangeSource:
    """Return where a change on a page has come from; a *wording* that the site does not show now is left out."""
    return ChangeSource(
        how=how,
        wording=record_shown_words(Site(config), store, wording, now) if wording else "",
        client=hash_client(client, load_keys(config.keys_file)) if client else "",
    )


def append_events(config: Config, store: Store) -> None:
    """Move the events of subscribers into the journal; what cannot be moved now is moved, or reported, by the next run.

    The subscriber must not see an error for what has happened.
    """
    with suppress(FeedsError):
        append_pending(config, store)


def _is_reader(store: Store, subscriber: Subscriber, newsletter: str) -> bool:
    return subscriber.status == "active" and store.preferences.is_subscribed(subscriber.id, newsletter)


def _describe(
    config: Config, subscriber: Subscriber, newsletter: str, *, is_subscribed: bool, undo_token: str = ""
) -> Departure:
    return Departure(
        title=_title(config, newsletter),
        address=mask_address(subscriber.email),
        lang=subscriber.lang,
        is_subscribed=is_subscribed,
        undo_token=undo_token,
    )


def _describe_stranger(config: Config, newsletter: str, token: str) -> Departure:
    """Return the subscription of a link whose subscriber was erased, or of a test letter."""
    is_test = tokens.is_test_token(token)
    return Departure(
        title=_title(config, newsletter),
        address="",
        lang=_newsletter_language(config, newsletter) if is_test else None,
        is_subscribed=False,
        is_test=is_test,
    )


def _newsletter_language(config: Config, newsletter: str) -> str:
    """Return the language of a newsletter; the site's if it is not known here any more."""
    site = config.settings.site.language
    return next((n.language or site for n in config.settings.newsletters if n.name == newsletter), site)


def _title(config: Config, newsletter: str) -> str:
    if newsletter == ALL_NEWSLETTERS:
        return ""
    return next((n.heading for n in config.settings.newsletters if n.name == newsletter), newsletter)


def _find_undo_token(config: Config, store: Store, subscriber: Subscriber, newsletter: str, now: datetime) -> str:
    """Return a token that undoes the last unsubscribe; empty if that is too long ago, or there was none."""
    left_at = store.preferences.left_at(subscriber.id, newsletter)
    expires_at = left_at + UNDO_TIME if left_at else now
    if left_at is None or expires_at <= now or not newsletter:
        return ""
    value = f"{newsletter} {left_at.isoformat()}"
    link = Link(purpose=LinkPurpose.UNDO, subscriber_id=subscriber.id, expires_at=expires_at, value=value)
    return make_link(config, link, subscriber)
