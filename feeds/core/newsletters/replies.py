"""Decide what a mail server's reply means for a delivery, and when the delivery is retried."""

from datetime import datetime, timedelta
from enum import StrEnum


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
