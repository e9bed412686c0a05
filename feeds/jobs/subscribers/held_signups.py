"""The sign-ups that wait for the editor: list them, accept them, reject them, and open a closed form again."""

from collections.abc import Iterable, Iterator

from feeds.config import Config
from feeds.core.subscribers import addresses
from feeds.edges.store.database import Store
from feeds.errors import FeedsError
from feeds.jobs.context import Context
from feeds.jobs.site import Site
from feeds.jobs.store.site_store import open_site_store
from feeds.jobs.subscribers.signup_round import confirmation_mail
from feeds.model import ServiceMailKind, Signup

_HELD = "held"


def list_held(config: Config) -> list[Signup]:
    """Return the sign-ups that wait for the editor, the oldest first."""
    with open_site_store(config, create=False) as store:
        return [*store.signups.iterate(_HELD)]


def accept_held(config: Config, emails: Iterable[str], context: Context) -> int:
    """Queue confirmations of sign-ups that are held: of these addresses, or of all; return how many.

    The addresses are subscribed by the links in them, as always.

    Raises:
        AddressError, FeedsError: no sign-up of an address is held; nothing is changed.
    """
    site = Site(config)
    with open_site_store(config) as store:
        found = _find_held(store, emails)
        mails = ((one, confirmation_mail(site, one, ServiceMailKind.CONFIRMATION, context)) for one in found)
        return sum(store.signups.release(one, mail, context.clock()) for one, mail in mails)


def reject_held(config: Config, emails: Iterable[str]) -> int:
    """Delete sign-ups that are held: of these addresses, or all; return how many.

    Raises:
        AddressError, FeedsError: no sign-up of an address is held; nothing is changed.
    """
    with open_site_store(config) as store:
        return store.signups.delete([one.key for one in _find_held(store, emails)])


def reopen_form(config: Config) -> int:
    """Open the form that complaints have closed; return how many complaints do not count any more."""
    with open_site_store(config) as store:
        return store.signups.forget_complaints()


def _find_held(store: Store, emails: Iterable[str]) -> list[Signup]:
    keys = [addresses.parse_address(email).key for email in emails]
    return [*_of_keys(store, keys)] if keys else [*store.signups.iterate(_HELD)]


def _of_keys(store: Store, keys: Iterable[str]) -> Iterator[Signup]:
    for key in keys:
        found = store.signups.find_by_key(key)
        if found is None or found.state != _HELD:
            raise FeedsError(f"no sign-up of {key} is held; `feeds signups list` lists those that are")
        yield found
