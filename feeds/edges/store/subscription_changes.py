"""A record of each change of what a subscriber gets, which they have made themselves: the proof of their consent."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from feeds.edges.store.interface import Database, decode_time
from feeds.model import ChangeSource, SubscriptionChange

#: Records that are kept of a subscriber and a newsletter, the newest: who switches back and forth fills no disk.
MOST_RECORDS = 20


@contextmanager
def record_changes(database: Database, who: int | str, source: ChangeSource, at: datetime) -> Iterator[None]:
    """Record how the block, inside the caller's transaction, changes what a subscriber gets; nothing if it does not.

    *who* is the subscriber's id, or their address as addresses are compared.
    """
    _, before = _load_current(database, who)
    yield
    subscriber_id, after = _load_current(database, who)
    for newsletter in sorted(before.keys() | after.keys()):
        if before.get(newsletter) != after.get(newsletter):
            what = "topics" if newsletter in before and newsletter in after else "subscribed"
            what = what if newsletter in after else "unsubscribed"
            record = {"newsletter": newsletter, "at": at, "what": what, "topics": after.get(newsletter, "[]")}
            _add(database, subscriber_id, record, source)


def _add(database: Database, subscriber_id: int | None, record: dict[str, object], source: ChangeSource) -> None:
    """Store one change, and delete the oldest if there are too many."""
    how = {"how": source.how, "wording": source.wording, "client": source.client}
    database.execute("subscription_changes.add", subscriber_id=subscriber_id, **record, **how)
    newsletter = record["newsletter"]
    database.execute("subscription_changes.trim", subscriber_id=subscriber_id, newsletter=newsletter, most=MOST_RECORDS)


def load_changes(database: Database, key: str) -> list[SubscriptionChange]:
    """Return the records of an address (as addresses are compared), the oldest first."""
    return [
        SubscriptionChange(
            newsletter=newsletter,
            at=decode_time(at),
            what=what,
            topics=tuple(json.loads(topics)),
            source=ChangeSource(how=how, wording=wording, client=client),
        )
        for newsletter, at, what, topics, how, wording, client in database.all("subscription_changes.load", key=key)
    ]


def _load_current(database: Database, who: int | str) -> tuple[int | None, Mapping[str, str]]:
    """Return the id of a subscriber, and the newsletters that they get with their topics as they are stored."""
    if isinstance(who, int):
        rows = database.all("subscription_changes.current_by_id", who=who)
    else:
        rows = database.all("subscription_changes.current_by_key", who=who)
    number = rows[0][0] if rows else None
    return number, {newsletter: topics for _, newsletter, topics in rows if newsletter is not None}
