"""How long the deliveries of a domain wait after a server limited their rate, or rejected their sender.

A domain is tried with a single delivery after each wait; the others share what becomes of it.
"""

from datetime import datetime, timedelta

import msgspec

from feeds.core.newsletters.replies import next_retry_at
from feeds.model import DomainDelay, ReplyAction

#: The first wait of a domain that limits its rate, doubled each time, and the longest.
_FIRST, _LONGEST = timedelta(minutes=1), timedelta(hours=1)


def lengthen(
    last: DomainDelay | None, domain: str, action: ReplyAction, answer: str, now: datetime, longest: timedelta
) -> DomainDelay:
    """Return the delay of a domain after another answer that puts its deliveries off.

    A domain that accepts nothing is waited for as long as a delivery that is deferred, *longest*; then the cause of its
    delay is `NEVER`, and its deliveries have failed.

    Args:
        last: the delay before, None if there was none.
        domain: in small letters.
        action: `LIMIT` or `REJECTED`.
        answer: one line.
        now: when the answer came.
        longest: how long deliveries are retried.
    """
    times = last.times + 1 if last is not None and last.cause is action else 1
    until = next_retry_at(times, now, longest) if action is ReplyAction.REJECTED else _next_at(times, now, longest)
    cause = action if until else ReplyAction.NEVER
    return DomainDelay(domain=domain, cause=cause, answer=answer, times=times, until=until)


def _next_at(times: int, now: datetime, longest: timedelta) -> datetime | None:
    """Return when a domain that limits its rate is tried again; None if all waits take more than *longest*."""
    waits = [min(_FIRST * 2 ** min(n, 10), _LONGEST) for n in range(times)]
    return now + waits[-1] if sum(waits, timedelta()) <= longest else None


def shorten(last: DomainDelay) -> DomainDelay | None:
    """Return the delay of a domain after it has accepted a message; None if nothing of it is worth remembering.

    A rate limit is remembered: the next wait is as long as the last one, which was long enough.
    """
    if last.cause is not ReplyAction.LIMIT or last.times <= 1:
        return None
    return msgspec.structs.replace(last, times=last.times - 1, until=None)
