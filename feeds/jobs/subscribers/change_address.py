"""Move a subscriber to another address, which its owner must confirm."""

from dataclasses import dataclass
from datetime import timedelta

from feeds.config import Config
from feeds.core.subscribers import addresses
from feeds.core.subscribers.addresses import MailAddress
from feeds.core.subscribers.link_tokens import ADDRESS_LINK_TIME, Link, LinkPurpose
from feeds.edges.store.database import Store
from feeds.edges.store.preferences import AddressRequest
from feeds.errors import LinkError
from feeds.jobs.context import Context
from feeds.jobs.site import web_url
from feeds.jobs.store.site_store import open_site_store
from feeds.jobs.subscribers.leave import append_events, change_source
from feeds.jobs.subscribers.links import is_suppressed, make_link, open_link
from feeds.jobs.subscribers.service_mail import new_service_mail
from feeds.model import NewServiceMail, ServiceMailKind, Subscriber

#: Mails to new addresses: of one subscriber within a day, and to one address.
_MOST_REQUESTS, _PACE = 3, timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class AddressChange:
    """The values of the page that the link to a new address opens."""

    email: str
    lang: str | None
    is_done: bool


def request_change(config: Config, token: str, email: str, context: Context) -> bool:
    """Queue a mail to a new address, which must confirm it; return False if too many were asked for today.

    Nothing tells whether the new address is known: one that is suppressed, or got such a mail lately, just gets none.
    *token* is that of a link to the preferences.

    Raises:
        LinkError: the token is not valid, or not any more.
        AddressError: *email* is not an address that mail can be sent to.
    """
    now = context.clock()
    address = addresses.parse_address(email)
    addresses.require_usable(address)
    with open_site_store(config, create=False) as store:
        _, subscriber = open_link(config, store, token, LinkPurpose.PREFERENCES, now)
        if store.preferences.count_address_changes(subscriber.id, now - _PACE) >= _MOST_REQUESTS:
            return False
        may_get_mail = address.key != subscriber.key and _may_get_mail(config, store, address.key, context)
        store.preferences.record_address_change(
            subscriber.id,
            (address.email, address.key) if may_get_mail else None,
            lambda number: _link_mail(config, subscriber, address, number, context),
            now,
        )
    return True


def _link_mail(
    config: Config, subscriber: Subscriber, address: MailAddress, number: int, context: Context
) -> NewServiceMail:
    """Return the mail to a new address. Its link has only the number of the request: proxies and browsers keep URLs."""
    expires_at = context.clock() + ADDRESS_LINK_TIME
    link = Link(purpose=LinkPurpose.ADDRESS, subscriber_id=subscriber.id, expires_at=expires_at, value=f"{number:x}")
    return new_service_mail(
        ServiceMailKind.ADDRESS,
        address.email,
        address.key,
        context,
        lang=subscriber.lang,
        values={"url": f"{web_url(config)}address/{make_link(config, link, subscriber)}"},
        expires_at=expires_at,
    )


def _may_get_mail(config: Config, store: Store, key: str, context: Context) -> bool:
    last = store.service_mails.last_queued_at(key, ServiceMailKind.ADDRESS)
    owner = store.subscribers.find(key)
    has_complained = owner is not None and owner.status == "complained"
    is_recent = last is not None and context.clock() < last + _PACE
    return not (is_recent or has_complained or is_suppressed(config, store, key))


def find_change(config: Config, token: str, context: Context) -> AddressChange:
    """Return the change that a token confirms; nothing is changed.

    Raises:
        LinkError: the token is not valid, or not any more.
    """
    with open_site_store(config, create=False) as store:
        request, address, subscriber = _open(config, store, token, context)
        return AddressChange(email=address.email, lang=subscriber.lang, is_done=request.is_confirmed)


def confirm_change(config: Config, token: str, context: Context, *, client: str = "") -> AddressChange:
    """Move the subscriber of a token to the new address; a second time it changes nothing.

    The record of it has the *client*, by its network address.

    Raises:
        LinkError: the token is not valid, or not any more: the subscriber has left, or moved to another address
            meanwhile, for example.
    """
    now = context.clock()
    with open_site_store(config, create=False) as store:
        request, address, subscriber = _open(config, store, token, context)
        if not request.is_confirmed:
            source = change_source(config, store, "address", "", client, now)
            store.preferences.move(subscriber, request.number, (address.email, address.key), source, now)
            append_events(config, store)
        return AddressChange(email=address.email, lang=subscriber.lang, is_done=True)


def _open(config: Config, store: Store, token: str, context: Context) -> tuple[AddressRequest, MailAddress, Subscriber]:
    """Return the request of a token, its address, and the subscriber.

    The subscriber is active, or has moved to that address by this very request, and the address is still active.
    """
    link, subscriber = open_link(config, store, token, LinkPurpose.ADDRESS, context.clock())
    request = _find_request(store, link)
    if request is None:
        raise LinkError(is_expired=True)
    address = addresses.parse_address(request.email)
    has_moved = request.is_confirmed and store.preferences.has_moved(subscriber.id, address.key)
    is_waiting = not request.is_confirmed and subscriber.status == "active"
    if not (has_moved or is_waiting) or is_suppressed(config, store, address.key):
        raise LinkError(is_expired=True)
    return request, address, subscriber


def _find_request(store: Store, link: Link) -> AddressRequest | None:
    """Return the request of a link; None if it is not stored any more: its address was erased, for example."""
    try:
        return store.preferences.find_address_change(int(link.value, 16), link.subscriber_id)
    except (ValueError, OverflowError):  # a link from before version 0012 of the store, which has the address in it
        return None
