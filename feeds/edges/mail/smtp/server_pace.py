"""How fast one mail server may be sent messages: what the settings allow, and what its replies teach.

Servers limit messages per connection and per time, and say how much only by refusing. So a refusal on a connection
that has taken messages may mean that this connection is used up: a new one is tried at once. If the server refuses the
first message of a connection, it is left alone, longer each time. What it took between two such pauses, divided by the
time, is the rate at which it is sent messages from then on, a quarter more after each minute without a refusal.

Times are those of `time.monotonic`, in seconds.
"""

from dataclasses import dataclass, field

import msgspec

from feeds.model import ServerLimit

#: Seconds of one pause after another.
_WAITS = (1, 5, 15, 30, 60, 120, 300, 600, 1200, 2400, 3600)
#: A run waits so many seconds; before a longer pause it leaves the server to a later run.
LONGEST_WAIT = 60
#: How much the learned rate grows, and after how many seconds without a refusal.
_GROWTH, _GROWS_AFTER = 1.25, 60
#: A connection that is refused after less than this part of what others took is not used up: the limit is another one.
_PART = 0.5


@dataclass(slots=True)
class ServerPace:
    """The pace of one server."""

    #: Messages a minute that the settings allow; 0 for any number.
    allowed: int
    limit: ServerLimit = field(default_factory=ServerLimit)
    #: No message may begin, and no connection be opened, before this time.
    paused_until: float = 0.0
    #: When the next message may begin.
    next_message_at: float = 0.0
    #: Messages that a connection had taken when it was refused; a new one will show whether that is its limit.
    _suspected: int = 0
    #: Since when messages are counted, and how many were accepted.
    _since: float = 0.0
    _accepted: int = 0
    _grown_at: float = 0.0

    @property
    def is_recovering(self) -> bool:
        """True from a refusal until a message is accepted again: one connection is enough to find out."""
        return self.limit.times > 0

    def count_message(self, now: float) -> None:
        """Move the time of the next message: one begins *now*."""
        self._since = self._since or now
        if self.limit.per_minute and now - self._grown_at >= _GROWS_AFTER:
            self._grown_at = now
            self.limit = msgspec.structs.replace(self.limit, per_minute=self.limit.per_minute * _GROWTH)
        rate = min(filter(None, (self.allowed, self.limit.per_minute)), default=0)
        if rate:
            self.next_message_at = max(self.next_message_at, now) + 60 / rate

    def count_accepted(self, on_connection: int, now: float) -> bool:
        """Count a message that was accepted, the n-th *on_connection*; return whether something was learned."""
        self._accepted += 1
        if now < self.paused_until:  # it began before the pause
            return False
        before = self.limit
        if on_connection == 1 and self._suspected:
            smallest = min(filter(None, (before.per_connection, self._suspected)))
            self.limit = msgspec.structs.replace(before, per_connection=smallest, answer="")
            self._suspected = 0
        if before.times:
            self._learn_rate(now)
        return self.limit != before

    def refuse(self, on_connection: int, answer: str, now: float) -> float:
        """Take into account that a server wants no more after so many messages *on_connection*.

        Returns:
            the seconds to wait before the server is tried again; 0 if a new connection may be tried at once.
        """
        if now < self.paused_until:  # another connection was told the same
            return self.paused_until - now
        if on_connection and on_connection >= self.limit.per_connection * _PART:
            self._suspected = on_connection
            return 0
        self._suspected = 0
        wait = _WAITS[min(self.limit.times, len(_WAITS) - 1)]
        self.limit = msgspec.structs.replace(self.limit, times=self.limit.times + 1, answer=answer)
        self.paused_until = self.next_message_at = now + wait
        return wait

    def _learn_rate(self, now: float) -> None:
        """The pauses are over: what was accepted before them and the time until now give the rate."""
        rate = self.limit.per_minute
        if self._accepted > 1:
            rate = (self._accepted - 1) * 60 / (now - self._since)
        self.limit = msgspec.structs.replace(self.limit, times=0, until=None, answer="", per_minute=rate)
        self._since, self._accepted, self._grown_at = now, 1, now
