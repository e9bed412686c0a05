"""How many people read a feed through a service, from the User-Agent that the service fetches it with.

There is no standard. Feedly, Feedbin, NewsBlur, Inoreader, BazQux and others write `12 subscribers`; LiveJournal writes
`1 readers`, My Yahoo `users 2`, PlainFeeder `Subscriber Count: 3`.
"""

import re
from dataclasses import dataclass

_PEOPLE = r"(?:subscriber|reader|user)s?"
_COUNT = re.compile(rf"\b(\d{{1,9}})[ _]+{_PEOPLE}\b|\b{_PEOPLE}(?: count)?[:_ ]+ ?(\d{{1,9}})\b", re.IGNORECASE)
#: A product's name; services that call themselves compatible with Mozilla are named in the comment behind it.
_NAME = re.compile(r"(?:Mozilla/[^(]*\(compatible;\s*)?([A-Za-z][A-Za-z.]*(?: [A-Z][A-Za-z.]*)*)")
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class FeedReader:
    """A service that fetches a feed for many people."""

    name: str
    #: How many of its users subscribe to the feed, as it says.
    subscribers: int


def parse_user_agent(user_agent: str) -> FeedReader | None:
    """Return the service that a User-Agent names, with its count; None if it has no count, as for browsers."""
    text = user_agent[:400].replace("_", " ")
    count = _COUNT.search(text)
    name = count and _NAME.match(text)
    if count is None or name is None:
        return None
    return FeedReader(name[1].rstrip(".")[:_LONGEST_NAME], int(count[1] or count[2]))
