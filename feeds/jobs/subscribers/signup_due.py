"""Finds out whether a round of the sign-up job has anything to do: asked often, so nothing heavy is imported for it."""

from datetime import datetime

from feeds.config import Config
from feeds.core.subscribers.link_tokens import ADDRESS_LINK_TIME
from feeds.edges.store.database import Store
from feeds.jobs.store.site_store import open_site_store
from feeds.jobs.subscribers.signup_problems import find_signup_problems


def is_round_due(config: Config, now: datetime) -> bool:
    """Return whether a round has anything to do.

    A sign-up waits for a decision, a reminder or its end, mail outside of issues is due, a reader has asked for a link
    or for erasure, the time of a new address to confirm is over, or the editor does not know of a problem yet.

    Raises:
        StoreError, LockedError: the store cannot be used.
    """
    if not config.settings.newsletters:
        return False
    with open_site_store(config, create=False) as store:
        mail_at = store.service_mails.next_at(resend=1)
        return (mail_at is not None and mail_at <= now) or _has_work(config, store, now) or _has_news(store, now)


def _has_work(config: Config, store: Store, now: datetime) -> bool:
    settings = config.settings.signup
    if store.preferences.has_requests() or store.preferences.has_address_changes(now - ADDRESS_LINK_TIME):
        return True
    return store.signups.has_work(now - settings.reminder if settings.reminder else None, now - settings.expire)


def _has_news(store: Store, now: datetime) -> bool:
    return any(not store.alerts.is_recorded(problem.key) for problem in find_signup_problems(store, now))
