"""Decide what a mail server's reply means for a delivery and for the whole run, and when a delivery is retried."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from feeds.model import Delivery, DeliveryOutcome, DeliveryState


class ReplyLike(Protocol):
    """A server's reply; `str` gives it in one line."""

    @property
    def code(self) -> int:
        """The reply code (RFC 5321 section 4.2)."""

    @property
    def enhanced(self) -> str:
        """The enhanced status code (RFC 3463), or empty."""


class ReplyAction(StrEnum):
    """The consequence of a reply."""

    SENT = "sent"
    #: Retry.
    LATER = "later"
    #: This delivery has failed; others go on.
    NEVER = "never"
    #: The sender is rejected, so every delivery would fail: stop until this is fixed.
    HALT = "halt"


#: Enhanced status codes (RFC 3463, RFC 7372 and, the last, Microsoft's) about the sender: its address is rejected, or
#: is not authenticated.
_SENDER_CODES = frozenset({"5.1.7", "5.1.8", "5.7.8", "5.7.9", "5.7.25", "5.7.26", "5.7.27", "5.7.515"})
#: Authentication is required, or has failed (RFC 4954 section 6).
_AUTHENTICATION_CODES = frozenset({530, 534, 535, 538})
#: Minutes between attempts; the last value is used for all later ones.
_WAITS = (2, 5, 15, 30, 60, 120, 240)
#: How long a delivery is retried (RFC 5321 section 4.5.4.1 recommends four to five days; a letter is news).
LONGEST = timedelta(hours=48)
#: How long a delivery that may have arrived waits before it is sent again.
UNKNOWN_WAIT = timedelta(minutes=5)
#: So many policy refusals in a row halt the issue, since each of them fails a delivery.
MOST_POLICY_REFUSALS = 20


def classify_reply(code: int, enhanced: str, stage: str) -> ReplyAction:
    """Return the consequence of a reply to a *stage*: `mail`, `rcpt`, `data` or `content`."""
    severity = code // 100
    if severity == 2 and stage == "content":  # noqa: PLR2004 - RFC 5321 section 4.2.1: completed
        return ReplyAction.SENT
    if severity == 5 and (stage == "mail" or code in _AUTHENTICATION_CODES or enhanced in _SENDER_CODES):  # noqa: PLR2004 - permanent
        return ReplyAction.HALT
    return ReplyAction.NEVER if severity == 5 else ReplyAction.LATER  # noqa: PLR2004 - as above


def is_policy_refusal(enhanced: str, stage: str) -> bool:
    """Return whether a refusal is about the sender or the content, not about the recipient."""
    return enhanced.startswith("5.7.") or (stage != "rcpt" and not enhanced.startswith("5.1."))


def next_retry_at(tries: int, now: datetime, longest: timedelta) -> datetime | None:
    """Return when to retry after so many *tries*, each wait longer; None if all waits take more than *longest*."""
    waits = [*_WAITS[:tries], *_WAITS[-1:] * (tries - len(_WAITS))]
    return now + timedelta(minutes=waits[-1]) if timedelta(minutes=sum(waits)) <= longest else None


# Outcomes of deliveries -------------------------------------------------------------------------------------------


def decide_outcome(
    delivery: Delivery, reply: ReplyLike, stage: str, now: datetime, *, longest: timedelta
) -> DeliveryOutcome:
    """Return the outcome of a delivery after a reply to a *stage*; it is retried for *longest* at most."""
    tries, answer = delivery.tries, str(reply)
    next_at: datetime | None = None
    match classify_reply(reply.code, reply.enhanced, stage):
        case ReplyAction.SENT:
            state = DeliveryState.SENT
        case ReplyAction.HALT:
            state = DeliveryState.READY
        case ReplyAction.NEVER:
            state = DeliveryState.FAILED
        case ReplyAction.LATER:
            tries += 1
            next_at = next_retry_at(tries, now, longest)
            state = DeliveryState.DEFERRED if next_at else DeliveryState.FAILED
            answer = answer if next_at else f"given up after {tries} tries: {answer}"
    return DeliveryOutcome(id=delivery.id, state=state, answer=answer, tries=tries, next_at=next_at)


def unconfirmed_outcome(delivery_id: int, reason: str, now: datetime) -> DeliveryOutcome:
    """Return the outcome of a delivery that may have arrived, since the connection ended before the reply."""
    return DeliveryOutcome(id=delivery_id, state=DeliveryState.UNKNOWN, answer=reason, next_at=now + UNKNOWN_WAIT)


# The whole run ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class SendHealth:
    """The state of a run, as the replies to its deliveries show it."""

    #: The number of deliveries that were refused permanently.
    refusals: int = 0
    #: The number of policy refusals since the last success.
    policy_refusals: int = 0
    #: Why the run must stop; empty if it may go on.
    fault: str = ""
    #: Why a person must resume the issue before more of it is sent; empty if the next run may send.
    halt_reason: str = ""


def update_health(health: SendHealth, reply: ReplyLike, stage: str) -> SendHealth:
    """Return the health after another reply: a rejected sender stops the run, a series of refusals halts the issue."""
    match classify_reply(reply.code, reply.enhanced, stage):
        case ReplyAction.SENT:
            return replace(health, policy_refusals=0) if health.policy_refusals else health
        case ReplyAction.HALT:
            return replace(health, fault=f"the server rejects this sender: {reply} (in reply to {stage.upper()})")
        case ReplyAction.NEVER:
            return _count_refusal(health, reply, stage)
        case ReplyAction.LATER:
            return health


def _count_refusal(health: SendHealth, reply: ReplyLike, stage: str) -> SendHealth:
    health = replace(health, refusals=health.refusals + 1)
    if not is_policy_refusal(reply.enhanced, stage):
        return health
    health = replace(health, policy_refusals=health.policy_refusals + 1)
    if health.policy_refusals < MOST_POLICY_REFUSALS or health.fault:
        return health
    reason = f"{health.policy_refusals} deliveries in a row were refused, the last with: {reply}"
    return replace(health, fault=reason, halt_reason=reason)
