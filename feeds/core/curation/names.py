"""Categories and tags: which spellings are one, which spelling wins, what its path is."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import count

from feeds.core.posts.read import slugify
from feeds.model import Post, Topic
from feeds.settings import Category


@lru_cache(maxsize=100_000)
def key(name: str) -> str:
    """Return *name* as names are compared: NFKC, without case and separators."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in folded if c not in " -_\u3000\u30fb") or folded


class Spellings(dict[str, str]):
    """Each name's spelling that is used most; among equals the first in code point order.

    A name is looked up once and then known, since thousands of posts ask for the same few hundred.
    """

    def __init__(self, used: Iterable[str], aliases: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._aliases = {key(alias): name for alias, name in (aliases or {}).items()}
        counts: Counter[str] = Counter()
        for name, number in Counter(used).items():
            counts[self._meant(name)] += number
        self._winners: dict[str, str] = {}
        for name, _ in sorted(counts.items(), key=lambda found: (-found[1], found[0])):
            self._winners.setdefault(key(name), name)

    def __missing__(self, name: str) -> str:
        meant = self._meant(name)
        self[name] = self._winners.get(key(meant), meant)
        return self[name]

    def of(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the winning spellings of *names*, each once, in their order."""
        return tuple(dict.fromkeys(map(self.__getitem__, names)))

    def _meant(self, name: str) -> str:
        """Return what *name* is an alias of: in several steps, and where a tag above it is one (`ML/Chips`)."""
        if not self._aliases:
            return name
        used: set[str] = set()  # each serves once: `"AI" = "AI/General"` must come to an end
        while alias := next((p for p in _prefixes(name) if key(p) in self._aliases and key(p) not in used), None):
            used.add(key(alias))
            name = self._aliases[key(alias)] + name.removeprefix(alias)
        return name


def _prefixes(name: str) -> Iterator[str]:
    """Yield *name* and the tags above it, the longest first."""
    while name:
        yield name
        name = name.rpartition("/")[0]


def topics(posts: Iterable[Post], configured: Mapping[str, Category]) -> dict[str, Topic]:
    """Return every category in use by its `key`; no two have the same slug, not even but for case."""
    known = {key(name): (name, category) for name, category in configured.items()}
    spellings = Spellings([name for post in posts for name in post.categories])
    terms = {
        key(name): known.get(key(name), (name, None))[0]
        for name in spellings.of(n for p in posts for n in p.categories)
    }
    found: dict[str, Topic] = {}
    taken: set[str] = set()
    for at in sorted(terms, key=lambda k: (known.get(k, ("", Category()))[1].slug is None, terms[k])):
        _, category = known.get(at, ("", Category()))
        slug = unused(slugify(category.slug or terms[at]) or "category", "-", taken)
        taken.add(slug)
        found[at] = Topic(
            term=terms[at],
            label=category.label or terms[at],
            slug=slug,
            description=category.description or "",
        )
    return found


def unused(name: str, joint: str, taken: Collection[str]) -> str:
    """Return *name*, with the joint and a number behind it if it is taken."""
    candidates = (f"{name}{joint}{number}" if number > 1 else name for number in count(1))
    return next(candidate for candidate in candidates if candidate not in taken)
