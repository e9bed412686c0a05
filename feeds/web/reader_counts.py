"""How often each feed was fetched, and how many people read it through services, without any address."""

from collections import Counter
from functools import lru_cache

from feeds.core.syndication.feed_readers import FeedReader, parse_user_agent

#: Anybody can send any User-Agent: more names than this are counted together.
_MOST_NAMES = 1000

_parse = lru_cache(maxsize=1024)(lambda agent: parse_user_agent(agent.decode("latin-1")))


class ReaderCounts:
    """Counts since the process has started; they belong to its event loop."""

    def __init__(self) -> None:
        #: Path of a feed below `public/` -> requests.
        self.requests: Counter[str] = Counter()
        #: Path of a feed, name of a service -> the subscribers that it named last.
        self.subscribers: dict[tuple[str, str], int] = {}

    def add(self, path: str, user_agent: bytes) -> None:
        """Count a request for a feed."""
        self.requests[path] += 1
        reader: FeedReader | None = _parse(user_agent) if user_agent else None
        if reader is not None:
            key = (path, reader.name)
            if key in self.subscribers or len(self.subscribers) < _MOST_NAMES:
                self.subscribers[key] = reader.subscribers
