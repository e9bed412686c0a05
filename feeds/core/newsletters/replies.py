"""What a mail server's answer means for a delivery, and when a delivery is tried again."""

from datetime import datetime, timedelta
from enum import StrEnum


class ReplyAction(StrEnum):
    """What follows from an answer."""

    SENT = "sent"
    LATER = "later"
    #: This reader gets none; others do.
    NEVER = "never"
    #: The fault is ours, so nobody would: nothing more is handed over until somebody has mended it.
    HALT = "halt"


#: Enhanced status codes (RFC 3463, RFC 7372 and, the last, Microsoft's) that say something of the sender: its address
#: is refused, or does not authenticate.
_OURS = frozenset({"5.1.7", "5.1.8", "5.7.8", "5.7.9", "5.7.25", "5.7.26", "5.7.27", "5.7.515"})
#: Authentication is wanted, or was not enough (RFC 4954 section 6).
_AUTHENTICATION = frozenset({530, 534, 535, 538})
#: Minutes between tries; the last stands for all that follow.
_WAITS = (2, 5, 15, 30, 60, 120, 240)
#: How long a server may say "later" (RFC 5321 section 4.5.4.1 wants days; a letter is news).
LONGEST = timedelta(hours=48)


def classify_reply(code: int, enhanced: str, stage: str) -> ReplyAction:
    """Return what an answer means that came at a *stage*: `mail`, `rcpt`, `data` or `content`."""
    kind = code // 100
    if kind == 2 and stage == "content":  # noqa: PLR2004 - RFC 5321 section 4.2.1: done
        return ReplyAction.SENT
    if kind == 5 and (stage == "mail" or code in _AUTHENTICATION or enhanced in _OURS):  # noqa: PLR2004 - likewise: no
        return ReplyAction.HALT
    return ReplyAction.NEVER if kind == 5 else ReplyAction.LATER  # noqa: PLR2004 - likewise


def is_policy_refusal(enhanced: str, stage: str) -> bool:
    """Return whether a refusal is about what we send or who we are rather than about who it is for."""
    return enhanced.startswith("5.7.") or (stage != "rcpt" and not enhanced.startswith("5.1."))


def next_retry_at(tries: int, now: datetime, longest: timedelta) -> datetime | None:
    """Return when to try again after so many tries, each wait longer; None where all take more than *longest*."""
    waits = [*_WAITS[:tries], *_WAITS[-1:] * (tries - len(_WAITS))]
    return now + timedelta(minutes=waits[-1]) if timedelta(minutes=sum(waits)) <= longest else None
