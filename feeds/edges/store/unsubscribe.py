"""How a subscription ends: what is deleted, what is remembered, and which deliveries are cancelled.

Each function works inside the caller's transaction.
"""

from datetime import datetime

from feeds.edges.store.interface import Database
from feeds.edges.store.journal_records import record_leave, record_statuses
from feeds.model import ALL_NEWSLETTERS


def unsubscribe(database: Database, key: str, at: datetime) -> None:
    """Unsubscribe an address (as addresses are compared) from everything.

    A bounced subscriber becomes unsubscribed too, so that reviving their domain does not reactivate them.
    """
    record_statuses(database, database.all("unsubscribe.set_status", key=key, at=at))
    database.execute("unsubscribe.cancel_address", key=key)


def leave(database: Database, subscriber_id: int | None, newsletter: str, at: datetime) -> list[str]:
    """End a subscription, or with `ALL_NEWSLETTERS` all of them, because their subscriber wants it.

    After the last one, they are unsubscribed from everything. Returns the newsletters that they had.
    """
    if subscriber_id is None:
        return []
    values = {"subscriber_id": subscriber_id, "newsletter": newsletter, "every": ALL_NEWSLETTERS}
    names = [name for (name,) in database.all("unsubscribe.subscriptions", **values)]
    for name in names:
        unsubscribe_from(database, subscriber_id, name, at)
    if names:
        unsubscribe_if_last(database, subscriber_id, at)
    return names


def unsubscribe_from(database: Database, subscriber_id: int, newsletter: str, at: datetime) -> None:
    """Unsubscribe a subscriber from one newsletter, and remember it, so that no import subscribes them again."""
    subscription = {"subscriber_id": subscriber_id, "newsletter": newsletter}
    left = database.one("unsubscribe.record_leave", **subscription, at=at)
    if left:
        record_leave(database, left[0], newsletter, at)
    database.execute("unsubscribe.delete_subscription", **subscription)
    database.execute("unsubscribe.cancel_newsletter", **subscription)


def unsubscribe_if_last(database: Database, subscriber_id: int, at: datetime) -> None:
    """Unsubscribe a subscriber who has no subscription left."""
    rows = database.all("unsubscribe.set_status_if_last", subscriber_id=subscriber_id, at=at)
    record_statuses(database, rows)


def cancel_pending(database: Database, subscriber_id: int) -> None:
    """Cancel the pending deliveries of a subscriber."""
    database.execute("unsubscribe.cancel_subscriber", subscriber_id=subscriber_id)
