"""People in the memory: where each stands, and what they read. Each method is one transaction."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from feeds.edges.store.schema import deliveries, subscribers, subscriptions
from feeds.edges.store.values import naive, topics
from feeds.model import DeliveryState, Subscriber

_WAITS = deliveries.c.state.not_in([DeliveryState.SENT, DeliveryState.FAILED])


class People:
    """The part of an open store that knows people."""

    def __init__(self, connection: sa.Connection) -> None:
        self._db = connection

    def everybody(self) -> tuple[Subscriber, ...]:
        """Return people in the order of their addresses."""
        return self._found(sa.select(subscribers).order_by(subscribers.c.email_key))

    def one(self, key: str) -> Subscriber | None:
        """Return the person with this address (compared as `key`)."""
        return next(iter(self._found(sa.select(subscribers).where(subscribers.c.email_key == key))), None)

    def _found(self, query: sa.Select[Any]) -> tuple[Subscriber, ...]:
        theirs = sa.select(subscriptions).order_by(subscriptions.c.newsletter)
        wanted = query.with_only_columns(subscribers.c.id).order_by(None)
        theirs = theirs.where(subscriptions.c.subscriber_id.in_(wanted))
        with self._db.begin():
            rows = self._db.execute(query).all()
            pairs = self._db.execute(theirs).all()
        reads: dict[int, dict[str, tuple[str, ...]]] = {}
        for pair in pairs:
            reads.setdefault(pair.subscriber_id, {})[pair.newsletter] = tuple(json.loads(pair.topics))
        return tuple(_subscriber(row, reads.get(row.id, {})) for row in rows)

    def subscribe(
        self,
        email: str,
        key: str,
        wanted: Mapping[str, Iterable[str] | None],
        *,
        lang: str | None,
        consent: str,
        at: datetime,
    ) -> None:
        """Keep a person as active reader of newsletters, each with topics, beside what they read already.

        None leaves the topics of a newsletter that they read as they are; for one that is new to them it means all.
        """
        values = {"email": email, "status": "active", "consent": consent, "status_at": naive(at)}
        with self._db.begin():
            found = self._db.execute(sa.select(subscribers.c.id).where(subscribers.c.email_key == key)).scalar()
            if found is None:
                row = subscribers.insert().values(email_key=key, lang=lang, created_at=naive(at), **values)
                found = self._db.execute(row.returning(subscribers.c.id)).scalar_one()
            else:
                values |= {"lang": lang} if lang else {}
                self._db.execute(subscribers.update().where(subscribers.c.id == found).values(**values))
            self._want(found, wanted)

    def _want(self, subscriber_id: int, wanted: Mapping[str, Iterable[str] | None]) -> None:
        mine = subscriptions.c.subscriber_id == subscriber_id
        had = set(self._db.execute(sa.select(subscriptions.c.newsletter).where(mine)).scalars())
        for newsletter, chosen in sorted(wanted.items()):
            values = {"topics": topics(chosen or ())}
            if newsletter not in had:
                row = values | {"subscriber_id": subscriber_id, "newsletter": newsletter}
                self._db.execute(subscriptions.insert().values(**row))
            elif chosen is not None:
                here = subscriptions.update().where(mine, subscriptions.c.newsletter == newsletter)
                self._db.execute(here.values(**values))

    def unsubscribe(self, key: str, at: datetime) -> None:
        """Write down that a person has left, and end what waits for them.

        They stay known, so that nothing brings them back by accident.
        """
        here = subscribers.c.email_key == key
        theirs = deliveries.c.subscriber_id.in_(sa.select(subscribers.c.id).where(here))
        gone = {"state": DeliveryState.FAILED, "answer": "left before it was known to be sent"}
        with self._db.begin():
            self._db.execute(subscribers.update().where(here).values(status="unsubscribed", status_at=naive(at)))
            self._db.execute(deliveries.update().where(theirs, _WAITS).values(**gone))


def _subscriber(row: Any, reads: Mapping[str, tuple[str, ...]]) -> Subscriber:
    return Subscriber(
        id=row.id,
        email=row.email,
        key=row.email_key,
        status=row.status,
        lang=row.lang,
        timezone=row.timezone,
        newsletters=tuple(reads),
        topics={newsletter: chosen for newsletter, chosen in reads.items() if chosen},
        consent=row.consent,
    )
