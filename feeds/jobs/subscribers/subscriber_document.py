"""Subscribers as values for JSON: for programs, and for the subscriber, who may have everything that is stored."""

import json
from collections.abc import Iterator
from typing import Any

from feeds.edges.store.service_mails import MailRecord
from feeds.edges.store.subscribers import BounceSummary, DeliveryRecord
from feeds.jobs.subscribers.subscribe import SubscriberData
from feeds.model import Subscriber, SubscriptionChange


def subscriber_to_dict(found: Subscriber) -> dict[str, Any]:
    """Return a subscriber for programs."""
    return {
        "email": found.email,
        "status": found.status,
        "lang": found.lang,
        "timezone": found.timezone,
        "newsletters": found.newsletters,
        "topics": found.topics,
        "consent": found.consent,
        "source": found.source,
        "created_at": found.created_at.isoformat(),
        "status_at": found.status_at.isoformat(),
    }


def subscriber_data_to_dict(found: SubscriberData) -> dict[str, Any]:
    """Return everything that is stored about one address, for programs and for its owner, former addresses too."""
    held = found.suppression
    about = subscriber_to_dict(found.subscriber) if found.subscriber else {"email": found.email, "status": None}
    return about | {
        "left": {newsletter: at.isoformat() for newsletter, at in found.unsubscribed_from.items()},
        "letters": [_letter(one) for one in found.deliveries],
        "returned": [_returned(one) for one in found.bounces],
        "suppressed": {"reason": held.reason, "at": held.at.isoformat()} if held else None,
        "paused_until": found.paused_until.isoformat() if found.paused_until else None,
        "mails": [_mail(one) for one in found.mails],
        "wanted_addresses": [*found.wanted_addresses],
        "changes": [_change(one) for one in found.changes],
        "former_addresses": [subscriber_data_to_dict(one) for one in found.former_addresses],
    }


def subscriber_document(found: SubscriberData) -> Iterator[bytes]:
    """Yield everything that is stored about one address as a JSON document for its owner."""
    yield f"{json.dumps(subscriber_data_to_dict(found), ensure_ascii=False, indent=2)}\n".encode()


def _letter(one: DeliveryRecord) -> dict[str, Any]:
    return {
        "newsletter": one.newsletter,
        "number": one.number,
        "subject": one.subject,
        "lang": one.lang,
        "state": one.state,
        "sent_at": one.sent_at.isoformat() if one.sent_at else None,
        "answer": one.answer,
    }


def _change(one: SubscriptionChange) -> dict[str, Any]:
    return {
        "at": one.at.isoformat(),
        "newsletter": one.newsletter,
        "what": one.what,
        "topics": [*one.topics],
        "how": one.source.how,
        "wording": one.source.wording or None,
        "client": one.source.client or None,
    }


def _mail(one: MailRecord) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "state": one.state,
        "created_at": one.created_at.isoformat(),
        "sent_at": one.sent_at.isoformat() if one.sent_at else None,
    }


def _returned(one: BounceSummary) -> dict[str, Any]:
    return {
        "at": one.at.isoformat(),
        "kind": one.kind,
        "status": one.status,
        "said": one.said,
        "decision": one.decision,
    }
