"""Divides the mail among several servers by their weights, as long as they keep up.

Servers that take as much as they can would share by speed, whatever their weights. So a server that is ahead of its
share waits for one that is behind, but only for a short time: a server that takes nothing while others could is not
waited for until it takes a message again, and may then catch up only a little. So a server that is slow, silent or
down delays no other, and does not get all the mail when it comes back.

The order is that of start-time fair queueing (Goyal, Vin and Cheng, 1996), with messages for packets.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

#: A server waits for another three times as long as a message takes on its own connections. So the other one keeps its
#: share if it is about as fast, however many connections it has.
_PATIENCE = 3
#: How many messages a server may catch up: a short pause does not change the shares.
_MOST_DEBT = 20
#: The weight of a new measurement in the average.
_NEWEST = 1 / 8


@dataclass(slots=True, eq=False)
class FairShare:
    """The share of one server."""

    weight: int = 1
    #: Messages it has taken, or missed its chance for, divided by its weight: the virtual time of fair queueing.
    virtual_time: float = 0.0
    #: When it took its last message, and the average time that a message takes, in seconds.
    last_message_at: float = -math.inf
    message_seconds: float = 0.0

    def count_message(self, others: Iterable["FairShare"], now: float) -> None:
        """Count a message for this server; others that are far behind lose what they cannot catch up."""
        for other in others:
            other.virtual_time = max(other.virtual_time, self.virtual_time - _MOST_DEBT / other.weight)
        self.virtual_time += 1 / self.weight
        self.last_message_at = now

    def measure(self, seconds: float) -> None:
        """Add the time that a message took to the average."""
        self.message_seconds += (seconds - self.message_seconds) * (_NEWEST if self.message_seconds else 1)

    def waits_until(self, rivals: Iterable[tuple["FairShare", bool]], now: float) -> float:
        """Return until when this server leaves the next message to another one; *now* or earlier if it need not wait.

        *rivals* are the other servers that accept messages, each with whether it has a free connection; one that has
        is waited for in any case.
        """
        behind = [(other, has_room) for other, has_room in rivals if other.virtual_time < self.virtual_time]
        return max((_wait_limit(other, has_room, self.message_seconds) for other, has_room in behind), default=now)


def _wait_limit(other: FairShare, has_room: bool, message_seconds: float) -> float:  # noqa: FBT001 - one of a pair
    return math.inf if has_room else other.last_message_at + _PATIENCE * message_seconds
