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

    A domain that limits its rate is waited for as long as it does so: the limit is no fault of the letters. One that
    rejects the sender is waited for *longest*, like a delivery that is deferred; then `until` is None, and its
    deliveries have failed.

    Args:
        last: the delay before, None if there was none.
        domain: in small letters.
        action: `LIMIT` or `REJECTED`.
        answer: one line.
        now: when the answer came.
        longest: how long deliveries are retried.
    """
    times = last.times + 1 if last is not None and last.cause is action else 1
    if action is ReplyAction.REJECTED:
        until = next_retry_at(times, now, longest)
    else:
        until = now + min(_FIRST * 2 ** min(times - 1, 10), _LONGEST)
    return DomainDelay(domain=domain, cause=action, answer=answer, times=times, until=until)


def shorten(last: DomainDelay) -> DomainDelay | None:
    """Return the delay of a domain after it has accepted a message; None if nothing of it is worth remembering.

    A rate limit is remembered: the next wait is as long as the last one, which was long enough.
    """
    if last.cause is ReplyAction.REJECTED or last.times <= 1:
        return None
    return msgspec.structs.replace(last, times=last.times - 1, until=None)
