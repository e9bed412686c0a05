"""A record of each change of what a subscriber gets, which they have made themselves: the proof of their consent."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from feeds.edges.store.old_codec import decode_time, encode_time
from feeds.model import ChangeSource, SubscriptionChange

#: Records that are kept of a subscriber and a newsletter, the newest: who switches back and forth fills no disk.
MOST_RECORDS = 20
_SELECT_CURRENT = """
    SELECT s.id, newsletter, topics FROM subscribers s LEFT JOIN subscriptions t ON t.subscriber_id = s.id
        AND s.status = 'active' WHERE s.id = :who OR s.email_key = :who
"""
_INSERT = """
    INSERT INTO subscription_changes (subscriber_id, newsletter, at, what, topics, how, wording, client)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_TRIM = f"""
    DELETE FROM subscription_changes WHERE subscriber_id = :subscriber AND newsletter = :newsletter AND id NOT IN (
        SELECT id FROM subscription_changes WHERE subscriber_id = :subscriber AND newsletter = :newsletter
        ORDER BY id DESC LIMIT {MOST_RECORDS})
"""  # noqa: S608 - made of constants
_SELECT = """
    SELECT newsletter, at, what, topics, how, wording, client FROM subscription_changes
    WHERE subscriber_id = (SELECT id FROM subscribers WHERE email_key = ?) ORDER BY id
"""


@contextmanager
def record_changes(
    connection: sqlite3.Connection, who: int | str, source: ChangeSource, at: datetime
) -> Iterator[None]:
    """Record how the block, inside the caller's transaction, changes what a subscriber gets; nothing if it does not.

    *who* is the subscriber's id, or their address as addresses are compared.
    """
    _, before = _load_current(connection, who)
    yield
    subscriber_id, after = _load_current(connection, who)
    for newsletter in sorted(before.keys() | after.keys()):
        if before.get(newsletter) != after.get(newsletter):
            what = "topics" if newsletter in before and newsletter in after else "subscribed"
            what = what if newsletter in after else "unsubscribed"
            topics = after.get(newsletter, "[]")
            row = (subscriber_id, newsletter, encode_time(at), what, topics, source.how, source.wording, source.client)
            connection.execute(_INSERT, row)
            connection.execute(_TRIM, {"subscriber": subscriber_id, "newsletter": newsletter})


def load_changes(connection: sqlite3.Connection, key: str) -> list[SubscriptionChange]:
    """Return the records of an address (as addresses are compared), the oldest first."""
    return [
        SubscriptionChange(
            newsletter=newsletter,
            at=decode_time(at),
            what=what,
            topics=tuple(json.loads(topics)),
            source=ChangeSource(how=how, wording=wording, client=client),
        )
        for newsletter, at, what, topics, how, wording, client in connection.execute(_SELECT, (key,)).fetchall()
    ]


def _load_current(connection: sqlite3.Connection, who: int | str) -> tuple[int | None, Mapping[str, str]]:
    """Return the id of a subscriber, and the newsletters that they get with their topics as they are stored."""
    rows = connection.execute(_SELECT_CURRENT, {"who": who}).fetchall()
    number = rows[0][0] if rows else None
    return number, {newsletter: topics for _, newsletter, topics in rows if newsletter is not None}
