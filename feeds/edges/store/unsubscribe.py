"""How a subscription ends: what is deleted, what is remembered, and which deliveries are cancelled.

Each function works inside the caller's transaction.
"""

import sqlite3
from datetime import datetime

from feeds.edges.store.codec import encode_time
from feeds.edges.store.sqlite import IS_OPEN
from feeds.model import ALL_NEWSLETTERS

#: Cancels what is still to be sent; append the ids of the subscribers in parentheses.
CANCEL_PENDING = f"""
    UPDATE deliveries SET state = 'cancelled', answer = 'cancelled: no longer subscribed'
    WHERE {IS_OPEN} AND subscriber_id IN
"""  # noqa: S608 - made of constants
_CANCEL_NEWSLETTER = f"{CANCEL_PENDING} (?) AND issue_id IN (SELECT id FROM issues WHERE newsletter = ?)"  # noqa: S608 - made of constants
_CANCEL_ALL = f"{CANCEL_PENDING} (SELECT id FROM subscribers WHERE email_key = ?)"  # noqa: S608 - made of constants
_UNSUBSCRIBE = (
    "UPDATE subscribers SET status = 'unsubscribed', status_at = ? WHERE email_key = ? AND status NOT IN"
    " ('unsubscribed', 'complained')"
)
_UNSUBSCRIBE_IF_LAST = (
    "UPDATE subscribers SET status = 'unsubscribed', status_at = ? WHERE id = ? AND status IN"
    " ('pending', 'active') AND NOT EXISTS (SELECT 1 FROM subscriptions WHERE subscriber_id = subscribers.id)"
)
_SELECT_SUBSCRIPTIONS = f"""
    SELECT newsletter FROM subscriptions WHERE subscriber_id = ? AND ? IN (newsletter, '{ALL_NEWSLETTERS}')
    ORDER BY newsletter
"""  # noqa: S608 - made of constants
#: The topics stay on record, so that it can be undone.
_RECORD_LEAVE = """
    INSERT INTO leaves (subscriber_id, newsletter, at, topics) VALUES (:subscriber, :newsletter, :at, coalesce(
        (SELECT topics FROM subscriptions WHERE subscriber_id = :subscriber AND newsletter = :newsletter), '[]'))
    ON CONFLICT DO UPDATE SET at = excluded.at, topics = excluded.topics WHERE at != excluded.at
"""


def unsubscribe(connection: sqlite3.Connection, key: str, at: datetime) -> None:
    """Unsubscribe an address (as addresses are compared) from everything.

    A bounced subscriber becomes unsubscribed too, so that reviving their domain does not reactivate them.
    """
    connection.execute(_UNSUBSCRIBE, (encode_time(at), key))
    connection.execute(_CANCEL_ALL, (key,))


def leave(connection: sqlite3.Connection, subscriber_id: int | None, newsletter: str, at: datetime) -> list[str]:
    """End a subscription, or with `ALL_NEWSLETTERS` all of them, because their subscriber wants it.

    After the last one, they are unsubscribed from everything. Returns the newsletters that they had.
    """
    names = [name for (name,) in connection.execute(_SELECT_SUBSCRIPTIONS, (subscriber_id, newsletter))]
    if subscriber_id is None or not names:
        return []
    for name in names:
        unsubscribe_from(connection, subscriber_id, name, at)
    unsubscribe_if_last(connection, subscriber_id, at)
    return names


def unsubscribe_from(connection: sqlite3.Connection, subscriber_id: int, newsletter: str, at: datetime) -> None:
    """Unsubscribe a subscriber from one newsletter, and remember it, so that no import subscribes them again."""
    subscription = (subscriber_id, newsletter)
    values = {"subscriber": subscriber_id, "newsletter": newsletter, "at": encode_time(at)}
    connection.execute(_RECORD_LEAVE, values)
    connection.execute("DELETE FROM subscriptions WHERE subscriber_id = ? AND newsletter = ?", subscription)
    connection.execute(_CANCEL_NEWSLETTER, subscription)


def unsubscribe_if_last(connection: sqlite3.Connection, subscriber_id: int, at: datetime) -> None:
    """Unsubscribe a subscriber who has no subscription left."""
    connection.execute(_UNSUBSCRIBE_IF_LAST, (encode_time(at), subscriber_id))
