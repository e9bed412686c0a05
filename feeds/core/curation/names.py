"""Categories and tags: which spellings are one, which spelling wins, what its path is."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import count

from feeds.core.posts.read import LONGEST_SLUG, slugify
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


#: Of a name, in a warning.
_SHOWN = 60
#: What Windows keeps for devices, whatever stands behind a dot (Win32's naming rules).
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789")})


def topics(
    posts: Iterable[Post], configured: Mapping[str, Category], remembered: Mapping[str, str] | None = None
) -> dict[str, Topic]:
    """Return every category in use by the `key` of each of its names; no two have the same slug, not even but for case.

    *remembered* are slugs that were given before, by key: they stay, unless the config says otherwise.
    """
    former = renamed(configured)
    known = {key(name): (name, category) for name, category in configured.items()}
    used = [former.get(key(name), name) for post in posts for name in post.categories]
    spellings = Spellings(used)
    terms = {key(name): known.get(key(name), (name, None))[0] for name in spellings.of(used)}
    wanted = {at: category.slug for at, (_, category) in known.items() if category.slug}
    given = slugs(terms, wanted=wanted, remembered=remembered or {}, fallback="category")
    found = {at: _topic(terms[at], given[at], known[at][1] if at in known else Category()) for at in sorted(terms)}
    return found | {was: found[key(name)] for was, name in former.items() if key(name) in found}


def renamed(configured: Mapping[str, Category]) -> dict[str, str]:
    """Return what categories are called now, by the `key` of what they were called before."""
    return {key(was): name for name, category in configured.items() for was in category.was}


def keys(names: Iterable[str], configured: Mapping[str, Category]) -> frozenset[str]:
    """Return the keys of categories that are asked for by any name they have or had."""
    former = renamed(configured)
    return frozenset(key(former.get(key(name), name)) for name in names)


def _topic(term: str, slug: str, category: Category) -> Topic:
    return Topic(term=term, label=category.label or term, slug=slug, description=category.description or "")


def slugs(
    names: Mapping[str, str], *, wanted: Mapping[str, str], remembered: Mapping[str, str], fallback: str
) -> dict[str, str]:
    """Return a slug for each of *names* (by key), no two alike: the one that is *wanted*, else the one that was given.

    What is remembered of others is not given again: a feed may be read there.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for at in sorted(names.keys() & wanted.keys(), key=names.__getitem__):
        found[at] = unused(plain_slug(wanted[at], fallback), "-", taken)
        taken.add(found[at])
    found |= {at: slug for at, slug in remembered.items() if at in names and at not in wanted and slug not in taken}
    taken |= {*remembered.values(), *found.values()}
    for at in sorted(names.keys() - found.keys(), key=names.__getitem__):
        found[at] = unused(plain_slug(names[at], fallback), "-", taken)
        taken.add(found[at])
    return found


def plain_slug(name: str, fallback: str) -> str:
    """Return the slug of a name by itself: *fallback* where nothing is left of it, no name of a device."""
    slug = slugify(name) or fallback
    return f"{slug}-{fallback}" if slug.partition(".")[0] in _DEVICES else slug


def unused(name: str, joint: str, taken: Collection[str]) -> str:
    """Return *name*, with the joint and a number behind it if it is taken."""
    candidates = (f"{name}{joint}{number}" if number > 1 else name for number in count(1))
    return next(candidate for candidate in candidates if candidate not in taken)


def oddities(posts: Iterable[Post], found: Mapping[str, Topic], configured: Mapping[str, Category]) -> Iterator[str]:
    """Yield a line for each category that is written in several ways, or whose address does not say its name."""
    where: dict[str, dict[str, str]] = {}
    for post in posts:
        for name in post.categories:
            where.setdefault(key(name), {}).setdefault(name, post.path)
    chosen = {key(name) for name, category in configured.items() if category.slug}
    for at, spelled in sorted(where.items()):
        topic, path = found[at], spelled[min(spelled)]
        if len(spelled) > 1:
            ways = " and ".join(f"{name[:_SHOWN]!r}" for name in sorted(spelled))
            yield f"{path}: categories {ways} are one category, published as {topic.term[:_SHOWN]!r}"
        if at not in chosen and at == key(topic.term) and not _says(topic.slug, topic.term):
            yield (
                f"{path}: category {topic.term[:_SHOWN]!r} has its feed in category/{topic.slug[:_SHOWN]}/; a `slug` in"
                f" [categories] gives it an address of your choice"
            )


def _says(slug: str, name: str) -> bool:
    """Return whether a slug is what anybody would expect of the name."""
    return slug == slugify(name) and len(name.encode()) <= LONGEST_SLUG
