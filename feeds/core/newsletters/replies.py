"""Decide what a mail server's reply means for a delivery and for the whole run, and when a delivery is retried."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from feeds.answers import AnswerMeaning, classify_answer
from feeds.model import Delivery, DeliveryOutcome, DeliveryState, ReplyAction


class ReplyLike(Protocol):
    """A server's reply; `str` gives it in one line."""

    @property
    def code(self) -> int:
        """The reply code (RFC 5321 section 4.2)."""

    @property
    def enhanced(self) -> str:
        """The enhanced status code (RFC 3463), or empty."""


#: A server takes no more for now.
_LIMITS = (AnswerMeaning.RATE_LIMIT, AnswerMeaning.TOO_MANY_RECIPIENTS)
#: The server closes the connection (RFC 5321 section 3.8).
_CLOSING = 421
#: Minutes between attempts; the last value is used for all later ones.
_WAITS = (2, 5, 15, 30, 60, 120, 240)
#: How long a delivery is retried (RFC 5321 section 4.5.4.1 recommends four to five days; a letter is news).
LONGEST = timedelta(hours=48)
#: How long a delivery that may have arrived waits before it is sent again.
UNKNOWN_WAIT = timedelta(minutes=5)
#: So many policy refusals in a row halt the issue, since each of them fails a delivery.
MOST_POLICY_REFUSALS = 20
#: A server that rejects the sender for so many domains in a row does so for all.
MOST_REJECTED_DOMAINS = 3


def classify_reply(reply: ReplyLike, stage: str) -> ReplyAction:
    """Return the consequence of a reply to a *stage*: `mail`, `rcpt`, `data` or `content`.

    A server that says "later" to MAIL does not know the recipient yet, so this is about how much we send.
    """
    severity = reply.code // 100
    if severity == 2 and stage == "content":  # noqa: PLR2004 - RFC 5321 section 4.2.1: completed
        return ReplyAction.SENT
    if severity not in (4, 5):
        return ReplyAction.LATER
    meaning = _meaning(reply)
    if severity == 5 and (stage == "mail" or meaning is AnswerMeaning.SENDER_REJECTED):  # noqa: PLR2004 - permanent
        return ReplyAction.REJECTED
    if reply.code == _CLOSING or stage == "mail" or meaning in _LIMITS:
        return ReplyAction.LIMIT
    return ReplyAction.NEVER if severity == 5 else ReplyAction.LATER  # noqa: PLR2004 - as above


def is_policy_refusal(reply: ReplyLike, stage: str) -> bool:
    """Return whether a refusal is about the content, not about the recipient.

    A server that refuses the content without a reason that is known refuses the content.
    """
    meaning = _meaning(reply)
    return meaning is AnswerMeaning.CONTENT_REJECTED or (meaning is AnswerMeaning.UNKNOWN and stage != "rcpt")


def _meaning(reply: ReplyLike) -> AnswerMeaning:
    return classify_answer(reply.code, reply.enhanced, str(reply))


def next_retry_at(tries: int, now: datetime, longest: timedelta) -> datetime | None:
    """Return when to retry after so many *tries*, each wait longer; None if all waits take more than *longest*."""
    waits = [*_WAITS[:tries], *_WAITS[-1:] * (tries - len(_WAITS))]
    return now + timedelta(minutes=waits[-1]) if timedelta(minutes=sum(waits)) <= longest else None


# Outcomes of deliveries -------------------------------------------------------------------------------------------


def decide_outcome(
    delivery: Delivery, reply: ReplyLike, stage: str, now: datetime, *, longest: timedelta
) -> DeliveryOutcome:
    """Return the outcome of a delivery after a reply to a *stage*; it is retried for *longest* at most."""
    answer = str(reply)
    match classify_reply(reply, stage):
        case ReplyAction.SENT:
            state = DeliveryState.SENT
        case ReplyAction.REJECTED | ReplyAction.LIMIT:
            state = DeliveryState.READY
        case ReplyAction.NEVER:
            state = DeliveryState.FAILED
        case ReplyAction.LATER:
            return retry_outcome(delivery, answer, now, longest=longest)
    return DeliveryOutcome(id=delivery.id, state=state, answer=answer, tries=delivery.tries)


def retry_outcome(delivery: Delivery, answer: str, now: datetime, *, longest: timedelta) -> DeliveryOutcome:
    """Return the outcome of a delivery that is tried once more, or has failed after *longest*."""
    tries = delivery.tries + 1
    next_at = next_retry_at(tries, now, longest)
    state = DeliveryState.DEFERRED if next_at else DeliveryState.FAILED
    answer = answer if next_at else given_up_answer(tries, answer)
    return DeliveryOutcome(id=delivery.id, state=state, answer=answer, tries=tries, next_at=next_at)


def given_up_answer(tries: int, answer: str) -> str:
    """Return the answer of a delivery that was given up after so many *tries*. Stored, and parsed: do not change it."""
    return f"given up after {tries} tries: {answer}"


def unconfirmed_outcome(delivery_id: int, reason: str, now: datetime) -> DeliveryOutcome:
    """Return the outcome of a delivery that may have arrived, since the connection ended before the reply."""
    return DeliveryOutcome(id=delivery_id, state=DeliveryState.UNKNOWN, answer=reason, next_at=now + UNKNOWN_WAIT)


# The whole run ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class SendHealth:
    """The state of a run, as the replies to its deliveries show it."""

    #: The number of deliveries that were refused permanently.
    refusals: int = 0
    #: The servers that accepted any.
    accepting_servers: frozenset[str] = frozenset()
    #: The number of policy refusals since the last success.
    policy_refusals: int = 0
    #: The domains for which each server has rejected the sender since its last success.
    rejected_domains: Mapping[str, frozenset[str]] = field(default_factory=dict)
    #: Why a server must get no more mail: it rejects the sender, whoever the recipient is.
    rejecting_servers: Mapping[str, str] = field(default_factory=dict)
    #: Why the issue is halted, until a person resumes it; empty if the next run may send.
    halt_reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A reply, with what it is about."""

    reply: ReplyLike
    #: The command that it answers.
    stage: str
    #: The recipient's domain.
    domain: str = ""
    #: The server that gave it.
    server: str = ""


def update_health(health: SendHealth, answer: Answer) -> SendHealth:
    """Return the health after another reply.

    A series of policy refusals halts the issue. A server that rejects the sender before it knows a recipient, or for
    `MOST_REJECTED_DOMAINS` domains in a row, does so for all of them.
    """
    match classify_reply(answer.reply, answer.stage):
        case ReplyAction.SENT:
            return _count_success(health, answer.server)
        case ReplyAction.REJECTED:
            return _count_rejection(health, answer)
        case ReplyAction.NEVER:
            return _count_refusal(health, answer.reply, answer.stage)
        case ReplyAction.LATER | ReplyAction.LIMIT:
            return health


def _count_success(health: SendHealth, server: str) -> SendHealth:
    is_known = server in health.accepting_servers
    if is_known and not health.policy_refusals and server not in health.rejected_domains:
        return health
    others = {name: domains for name, domains in health.rejected_domains.items() if name != server}
    accepting = health.accepting_servers | {server}
    return replace(health, accepting_servers=accepting, policy_refusals=0, rejected_domains=others)


def _count_rejection(health: SendHealth, answer: Answer) -> SendHealth:
    domains = health.rejected_domains.get(answer.server, frozenset()) | {answer.domain}
    health = replace(health, rejected_domains={**health.rejected_domains, answer.server: domains})
    if answer.stage != "mail" and len(domains) < MOST_REJECTED_DOMAINS:
        return health
    reason = rejection_reason(f"{answer.reply} (in reply to {answer.stage.upper()})")
    return replace(health, rejecting_servers={answer.server: reason, **health.rejecting_servers})


def rejection_reason(answer: str) -> str:
    """Return why nothing more is sent, in words, for an answer that rejects the sender."""
    return f"the server rejects this sender: {answer}"


def _count_refusal(health: SendHealth, reply: ReplyLike, stage: str) -> SendHealth:
    health = replace(health, refusals=health.refusals + 1)
    if not is_policy_refusal(reply, stage):
        return health
    health = replace(health, policy_refusals=health.policy_refusals + 1)
    if health.policy_refusals < MOST_POLICY_REFUSALS or health.halt_reason:
        return health
    reason = f"{health.policy_refusals} deliveries in a row were refused, the last with: {reply}"
    return replace(health, halt_reason=reason)
