"""Classify bounces, and decide what follows for a subscriber or for a whole domain.

The rules are lenient. In December 2020 Gmail answered "550 5.1.1, no such user" for valid accounts for about a day, and
senders who acted on the first answer lost good subscribers. So a subscriber is not unsubscribed after one bounce, nor
after several within a week, nor together with a large part of their domain.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from feeds.answers import AnswerMeaning, classify_answer, find_codes
from feeds.model import BounceRecord, Value

#: How long a first hard bounce pauses a subscriber, and how much later a second one must come to count. It must not be
#: shorter: the answer to the letter that is sent after the pause decides.
PAUSE = timedelta(days=7)
#: A letter that has not bounced within this time has arrived.
RETURN_TIME = timedelta(days=7)
#: Soft bounces on this many days within this span are too many.
_SOFT_DAYS, _SOFT_SPAN = 5, timedelta(days=30)
#: How long a domain is paused. Gmail needed a day to fix its fault. The next issue after the pause tries again, and
#: pauses the domain again if it fails, so that the pause ends without an operator.
DOMAIN_PAUSE = timedelta(days=3)
#: Fewer bounces of one issue at one domain may be chance: of ten addresses, one is often dead.
MIN_BOUNCES = 10
#: Which part of an issue's deliveries at a domain must bounce. A sender is rejected for all recipients alike, so the
#: limit for policy bounces is lower.
_HARD_PART, _POLICY_PART = 0.05, 0.01
_GIVEN_UP = re.compile(r"given up after .*?: ")
_SEVERITIES = (4, 5)


class BounceKind(StrEnum):
    """The reason of a bounce, the mildest first."""

    #: Rejected for a reason that is not about the subscriber, such as the size of the message.
    OTHER = "other"
    #: The sender or the content is rejected, at once or for days.
    POLICY = "policy"
    #: Not deliverable now: the mailbox is full, the server has been unreachable for days.
    SOFT = "soft"
    #: There is no such mailbox.
    HARD = "hard"
    #: The subscriber reported the letter as spam.
    COMPLAINT = "complaint"


class BounceDecision(StrEnum):
    """The consequence of a bounce."""

    NOTHING = "nothing"
    #: The subscriber gets no letters for `PAUSE`.
    PAUSED = "paused"
    #: The subscriber gets no more letters. These two are also statuses of a subscriber.
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    #: Recorded without a consequence, since an outage of the domain is suspected.
    HELD = "held"
    #: The operator has reverted it (`feeds subscribers revive`).
    UNDONE = "undone"


class Bounce(Value, frozen=True, kw_only=True):
    """One bounce of a subscriber."""

    kind: BounceKind
    #: When we learned of it, by our own clock: dates in reports are not trusted.
    at: datetime


_KINDS = {
    AnswerMeaning.DEAD_ADDRESS: BounceKind.HARD,
    AnswerMeaning.MAILBOX_FULL: BounceKind.SOFT,
    AnswerMeaning.SENDER_REJECTED: BounceKind.POLICY,
    AnswerMeaning.CONTENT_REJECTED: BounceKind.POLICY,
    AnswerMeaning.RATE_LIMIT: BounceKind.OTHER,
    AnswerMeaning.TOO_MANY_RECIPIENTS: BounceKind.OTHER,
}


# Classifying ------------------------------------------------------------------------------------------------------


def classify_failure(status: str, said: str) -> BounceKind:
    """Return the kind of bounce that a report means.

    If the status contradicts the answer, the milder of the two counts: sendmail reports `5.1.1` for answers of another
    meaning.

    Args:
        status: the enhanced status code (RFC 3463) of the report; empty if it has none.
        said: the server's answer.
    """
    code, enhanced = find_codes(said)
    codes = {one for one in (enhanced, status) if one and not one.endswith(".0.0")}
    return mildest_kind(_classify(code, one, said) for one in codes or {enhanced or status})


def _classify(code: int, enhanced: str, said: str) -> BounceKind:
    """Return the kind of a bounce; a report without a code was recognised by its words only, so it counts as soft."""
    meaning = classify_answer(code, enhanced, said)
    if meaning not in (AnswerMeaning.UNKNOWN, AnswerMeaning.TEMPORARY):
        return _KINDS[meaning]
    if enhanced.startswith("4.7."):
        return BounceKind.POLICY
    return BounceKind.OTHER if (str(code) if code else enhanced).startswith("5") else BounceKind.SOFT


def mildest_kind(kinds: Iterable[BounceKind]) -> BounceKind:
    """Return the mildest of several kinds: one subscriber's address may forward to several, and one may work."""
    order = list(BounceKind)
    return min(kinds, key=order.index)


def classify_refusal(answer: str) -> tuple[BounceKind, str] | None:
    """Return kind and enhanced status code of the answer that ended a delivery; None if it is not a server's refusal.

    The code is `5.0.0` or `4.0.0` if the answer has none.
    """
    is_given_up = _GIVEN_UP.match(answer)
    said = answer[is_given_up.end() :] if is_given_up else answer
    code, enhanced = find_codes(said)
    severity = code // 100
    if severity not in _SEVERITIES or (severity == min(_SEVERITIES) and not is_given_up):
        return None
    return classify_failure("", said), enhanced or f"{severity}.0.0"


# Subscribers ------------------------------------------------------------------------------------------------------


def decide_without_history(kind: BounceKind, subscriber_status: str, *, held: bool) -> BounceDecision | None:
    """Return the decision on a bounce if it does not depend on earlier ones; None if `decide_bounce` has to decide.

    Args:
        kind: of the new bounce.
        subscriber_status: the subscriber's status before it.
        held: an outage of the subscriber's domain is suspected.
    """
    if kind is BounceKind.COMPLAINT:
        known = subscriber_status == BounceDecision.COMPLAINED
        return BounceDecision.NOTHING if known else BounceDecision.COMPLAINED
    if held:
        return BounceDecision.HELD
    if subscriber_status not in ("active", "pending") or kind in (BounceKind.OTHER, BounceKind.POLICY):
        return BounceDecision.NOTHING
    return None


def decide_bounce(new: Bounce, earlier: Iterable[Bounce], arrived: datetime | None = None) -> BounceDecision:
    """Return the decision on a bounce of an active subscriber.

    Args:
        new: the bounce.
        earlier: the subscriber's other bounces, without those that are held or undone.
        arrived: when the last letter was sent that did not bounce within `RETURN_TIME`.
    """
    before = [bounce for bounce in earlier if bounce.at <= new.at]
    if new.kind is BounceKind.COMPLAINT:
        return BounceDecision.COMPLAINED
    if new.kind is BounceKind.HARD:
        hard = [b.at for b in before if b.kind is BounceKind.HARD and (arrived is None or b.at > arrived)]
        return _decide_hard(new, hard)
    if new.kind is BounceKind.SOFT:
        recent = {b.at.date() for b in before if b.kind is BounceKind.SOFT and b.at > new.at - _SOFT_SPAN}
        return BounceDecision.BOUNCED if len(recent | {new.at.date()}) >= _SOFT_DAYS else BounceDecision.NOTHING
    return BounceDecision.NOTHING


def _decide_hard(new: Bounce, before: list[datetime]) -> BounceDecision:
    if not before:
        return BounceDecision.PAUSED
    return BounceDecision.BOUNCED if new.at - min(before) >= PAUSE else BounceDecision.NOTHING


def status_after(decision: BounceDecision, subscriber_status: str) -> str:
    """Return a subscriber's status after a decision."""
    return decision if decision in (BounceDecision.BOUNCED, BounceDecision.COMPLAINED) else subscriber_status


# Domains ----------------------------------------------------------------------------------------------------------


def domains_to_check(bounces: Iterable[BounceRecord]) -> list[tuple[str, int]]:
    """Return each domain with the id of an issue that bounced there in a way that may be the domain's own fault."""
    kinds = (BounceKind.HARD, BounceKind.POLICY)
    found = [(b.domain, b.issue_id) for b in bounces if b.kind in kinds and b.issue_id is not None]
    return list(dict.fromkeys(found))


def may_be_outage(hard: int, policy: int) -> bool:
    """Return whether these are enough bounces of one issue at a domain to suspect an outage there."""
    return max(hard, policy) >= MIN_BOUNCES


def outage_reason(found: tuple[int, int], applied: tuple[int, int], recipients: int) -> str:
    """Return why an outage of a domain is suspected, in words; empty if none is.

    Where the bounces that were applied already would suffice, the operator has said that they are real.

    Args:
        found: hard and policy bounces of one issue at the domain.
        applied: those of them that were decided and not held.
        recipients: how many deliveries of the issue were attempted there.
    """
    return "" if domain_fault(*applied, recipients) else domain_fault(*found, recipients)


def domain_fault(hard: int, policy: int, recipients: int) -> str:
    """Return why so many bounces of one issue are the domain's fault, in words; empty if they are not."""
    most = max(recipients, 1)
    if hard >= MIN_BOUNCES and hard > most * _HARD_PART:
        return f"{hard:,} of {most:,} recipients bounced as unknown mailboxes ({hard / most:.0%})"
    if policy >= MIN_BOUNCES and policy > most * _POLICY_PART:
        return f"{policy:,} of {most:,} letters were rejected because of the sender or the content (5.7.x)"
    return ""
