"""What a refusal says of a reader or of a whole domain, and what follows from it.

The rules forgive. In December 2020 Gmail answered "550 5.1.1, no such user" for accounts that were well, for about a
day; senders who believed the first answer lost readers who had done nothing. So nobody is given up for one bounce, nor
for several within a week, nor together with a good part of their domain.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from feeds.model import Value

#: How long a first hard bounce pauses a reader, and how much later a second one must come to count. Not shorter: the
#: letter that goes out then is the one whose answer decides.
PAUSE = timedelta(days=7)
#: How many days with a soft bounce within how long are too many.
_SOFT_DAYS, _SOFT_SPAN = 5, timedelta(days=30)
#: How long a domain is left alone. Gmail took a day to mend its fault; afterwards the next issue tries again, and if it
#: still fares badly, the domain is paused again, so that nobody has to be there for it to end.
DOMAIN_PAUSE = timedelta(days=3)
#: So many bounces of one issue at one domain are no chance: of ten readers there, one is often gone.
MIN_BOUNCES = 10
#: Parts of an issue's deliveries at a domain. Who we are is refused for all alike, so fewer such answers tell.
_HARD_PART, _POLICY_PART = 0.05, 0.01
#: RFC 3463: bad mailbox, system or address; no such recipient (5.1.10: null MX, RFC 7505); moved away; disabled.
_HARD = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
_ANSWER = re.compile(r"(given up after .*?: )?([45])\d\d(?:[ -]([45]\.\d{1,3}\.\d{1,3})(?![\d.]))?")


class BounceKind(StrEnum):
    """What a bounce says, the mildest first."""

    #: Refused for a reason that says nothing of the reader: too large, for one.
    OTHER = "other"
    #: What we send, or who we are, is refused: 5.7.x, and 4.7.x for days.
    POLICY = "policy"
    #: It could not be delivered, and may be another time: the mailbox is full, the server away for days.
    SOFT = "soft"
    #: There is no such mailbox.
    HARD = "hard"
    #: The reader called it spam.
    COMPLAINT = "complaint"


class BounceDecision(StrEnum):
    """What followed from a bounce."""

    NOTHING = "nothing"
    #: The reader gets no letters for `PAUSE`.
    PAUSED = "paused"
    #: The reader gets no letters any more. These two are statuses of a subscriber.
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    #: Kept; it decides nothing, since the domain is to blame.
    HELD = "held"
    #: Somebody has said that it was wrong.
    UNDONE = "undone"


class Bounce(Value, frozen=True, kw_only=True):
    """A bounce of one reader."""

    kind: BounceKind
    #: When we learned of it: by our own clock, since what others write may be anything.
    at: datetime


def classify_status(status: str) -> BounceKind:
    """Return what an enhanced status code (RFC 3463) of a failed delivery says.

    Without a code only the words of a report were recognised, so it is not believed at once: it counts as soft.
    """
    if status in _HARD:
        return BounceKind.HARD
    if status.startswith(("4.7.", "5.7.")):
        return BounceKind.POLICY
    return BounceKind.OTHER if status.startswith("5.") else BounceKind.SOFT


def mildest_kind(kinds: Iterable[BounceKind]) -> BounceKind:
    """Return the kind that does least: a report that names several addresses behind the reader's is about the best."""
    order = list(BounceKind)
    return min(kinds, key=order.index)


def classify_answer(answer: str) -> tuple[BounceKind, str] | None:
    """Return what the answer that ended a delivery says, and its code; None if no server said it.

    A refusal without enhanced code (RFC 2034) may be about anything, so it says nothing of the reader.
    """
    found = _ANSWER.match(answer)
    if found is None or (found[2] == "4" and not found[1]):
        return None
    status = found[3] or f"{found[2]}.0.0"
    return classify_status(status), status


def decide_bounce(new: Bounce, earlier: Iterable[Bounce], arrived: datetime | None = None) -> BounceDecision:
    """Return what follows for an active reader.

    Args:
        new: the bounce that has come.
        earlier: the reader's others that count (held and undone ones do not).
        arrived: when a letter last went out to them that nobody sent back, long enough ago to be sure.
    """
    before = [bounce for bounce in earlier if bounce.at <= new.at]
    if new.kind is BounceKind.COMPLAINT:
        return BounceDecision.COMPLAINED
    if new.kind is BounceKind.HARD:
        return _hard(new, [b.at for b in before if b.kind is BounceKind.HARD and (arrived is None or b.at > arrived)])
    if new.kind is BounceKind.SOFT:
        recent = {b.at.date() for b in before if b.kind is BounceKind.SOFT and b.at > new.at - _SOFT_SPAN}
        return BounceDecision.BOUNCED if len(recent | {new.at.date()}) >= _SOFT_DAYS else BounceDecision.NOTHING
    return BounceDecision.NOTHING


def _hard(new: Bounce, before: list[datetime]) -> BounceDecision:
    if not before:
        return BounceDecision.PAUSED
    return BounceDecision.BOUNCED if new.at - min(before) >= PAUSE else BounceDecision.NOTHING


def domain_fault(hard: int, policy: int, deliveries: int) -> str:
    """Return why a domain is to blame rather than its readers, in words; empty where it is not.

    Args:
        hard: bounces of one issue at the domain that say there is no such mailbox.
        policy: likewise, 5.7.x.
        deliveries: how many readers there the issue was handed over for.
    """
    most = max(deliveries, 1)
    if hard >= MIN_BOUNCES and hard > most * _HARD_PART:
        return f"{hard:,} of {most:,} were told to have no mailbox ({hard / most:.0%})"
    if policy >= MIN_BOUNCES and policy > most * _POLICY_PART:
        return f"{policy:,} of {most:,} were refused for who we are or what we send (5.7.x)"
    return ""
