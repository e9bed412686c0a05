"""Whether a round of the sign-up job has anything to do: asked often, so nothing heavy is imported for it."""

from datetime import datetime

from feeds.config import Config
from feeds.edges.store.database import Store, open_store


def is_round_due(config: Config, now: datetime) -> bool:
    """Return whether a round has anything to do.

    A sign-up waits for a decision, a reminder or its end, mail outside of issues is due, or a reader has asked for a
    link or for erasure.

    Raises:
        StoreError, LockedError: the store cannot be used.
    """
    if not config.settings.newsletters:
        return False
    with open_store(config.store_url, config.folder, create=False) as store:
        mail_at = store.service_mails.next_at(resend=1)
        return (mail_at is not None and mail_at <= now) or _has_work(config, store, now)


def _has_work(config: Config, store: Store, now: datetime) -> bool:
    settings = config.settings.signup
    return store.preferences.has_requests() or store.signups.has_work(
        now - settings.reminder if settings.reminder else None, now - settings.expire
    )
