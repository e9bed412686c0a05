"""Whose turn it is among several servers: their shares follow their weights, as long as they can keep up.

Servers that were given all they can take would share by speed, whatever their weights. So one that is ahead of its
share waits for one that is behind, but not for long: one that takes nothing while others could is not waited for until
it has taken something again, and of what it let pass it is owed only a little. So nobody is held up by a server that is
slow, silent or away, and one that comes back does not get everything.

The order is that of start-time fair queueing (Goyal, Vin and Cheng, 1996), with messages for packets.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

#: A server is waited for three times as long as a message takes where it could go instead: so its share holds if it
#: is about as fast, however many connections it has.
_PATIENCE = 3
#: How many messages it may make up for: a moment's rest changes nobody's share.
_OWED = 20
#: Of each new measure, how much counts.
_NEWEST = 1 / 8


@dataclass(slots=True, eq=False)
class FairShare:
    """One server's part of the mail."""

    weight: int = 1
    #: How many messages it has taken for its weight, or let pass for good.
    taken: float = 0.0
    #: When it took the last one, and about how long one takes, in seconds.
    taken_at: float = -math.inf
    pace: float = 0.0

    def take(self, others: Iterable["FairShare"], now: float) -> None:
        """Note that it takes a message; what others that are far behind have let pass is forgotten."""
        for other in others:
            other.taken = max(other.taken, self.taken - _OWED / other.weight)
        self.taken += 1 / self.weight
        self.taken_at = now

    def measure(self, seconds: float) -> None:
        """Note how long a message has taken."""
        self.pace += (seconds - self.pace) * (_NEWEST if self.pace else 1)

    def waits_until(self, rivals: Iterable[tuple["FairShare", bool]], now: float) -> float:
        """Return until when it leaves the next message to another server; now or before where it need not.

        *rivals* are the others that are open for messages, and whether they have room for one at once: such a one is
        waited for in any case.
        """
        behind = [(other, has_room) for other, has_room in rivals if other.taken < self.taken]
        return max((_due(other, has_room, self.pace) for other, has_room in behind), default=now)


def _due(other: FairShare, has_room: bool, pace: float) -> float:  # noqa: FBT001 - one of a pair
    return math.inf if has_room else other.taken_at + _PATIENCE * pace
