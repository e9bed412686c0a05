"""Categories and tags: which spellings are one, which spelling wins, what its path is."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import count

from feeds.core.posts.parse import LONGEST_SLUG, slugify
from feeds.model import Post, PublishedCategory
from feeds.settings import CategorySettings


@lru_cache(maxsize=100_000)
def normalize_name(name: str) -> str:
    """Return *name* as names are compared: NFKC, without case and separators."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in folded if c not in " -_\u3000\u30fb") or folded


class Spellings(dict[str, str]):
    """Each name's spelling that is used most; among equals the first in code point order.

    A name is looked up once and then known, since thousands of posts ask for the same few hundred.
    """

    def __init__(self, used: Iterable[str], aliases: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._aliases = {normalize_name(alias): name for alias, name in (aliases or {}).items()}
        counts: Counter[str] = Counter()
        for name, number in Counter(used).items():
            counts[self._meant(name)] += number
        self._winners: dict[str, str] = {}
        for name, _ in sorted(counts.items(), key=lambda found: (-found[1], found[0])):
            self._winners.setdefault(normalize_name(name), name)

    def __missing__(self, name: str) -> str:
        meant = self._meant(name)
        self[name] = self._winners.get(normalize_name(meant), meant)
        return self[name]

    def of(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the winning spellings of *names*, each once, in their order."""
        return tuple(dict.fromkeys(map(self.__getitem__, names)))

    def _meant(self, name: str) -> str:
        """Return what *name* is an alias of: in several steps, and where a tag above it is one (`ML/Chips`)."""
        if not self._aliases:
            return name
        used: set[str] = set()  # each serves once: `"AI" = "AI/General"` must come to an end
        while alias := next(
            (p for p in _prefixes(name) if normalize_name(p) in self._aliases and normalize_name(p) not in used), None
        ):
            used.add(normalize_name(alias))
            name = self._aliases[normalize_name(alias)] + name.removeprefix(alias)
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


def published_categories(
    posts: Iterable[Post], configured: Mapping[str, CategorySettings], remembered: Mapping[str, str] | None = None
) -> dict[str, PublishedCategory]:
    """Return every category in use by the `key` of each of its names; no two have the same slug, not even but for case.

    *remembered* are slugs that were given before, by key: they stay, unless the config says otherwise.
    """
    former = renamed_categories(configured)
    known = {normalize_name(name): (name, category) for name, category in configured.items()}
    used = [former.get(normalize_name(name), name) for post in posts for name in post.categories]
    spellings = Spellings(used)
    terms = {normalize_name(name): known.get(normalize_name(name), (name, None))[0] for name in spellings.of(used)}
    wanted = {at: category.slug for at, (_, category) in known.items() if category.slug}
    given = assign_slugs(terms, wanted=wanted, remembered=remembered or {}, fallback="category")
    found = {
        at: _topic(terms[at], given[at], known[at][1] if at in known else CategorySettings()) for at in sorted(terms)
    }
    return found | {was: found[normalize_name(name)] for was, name in former.items() if normalize_name(name) in found}


def renamed_categories(configured: Mapping[str, CategorySettings]) -> dict[str, str]:
    """Return what categories are called now, by the `key` of what they were called before."""
    return {normalize_name(was): name for name, category in configured.items() for was in category.was}


def category_keys(names: Iterable[str], configured: Mapping[str, CategorySettings]) -> frozenset[str]:
    """Return the keys of categories that are asked for by any name they have or had."""
    former = renamed_categories(configured)
    return frozenset(normalize_name(former.get(normalize_name(name), name)) for name in names)


def _topic(term: str, slug: str, category: CategorySettings) -> PublishedCategory:
    return PublishedCategory(term=term, label=category.label or term, slug=slug, description=category.description or "")


def assign_slugs(
    names: Mapping[str, str], *, wanted: Mapping[str, str], remembered: Mapping[str, str], fallback: str
) -> dict[str, str]:
    """Return a slug for each of *names* (by key), no two alike: the one that is *wanted*, else the one that was given.

    What is remembered of others is not given again: a feed may be read there.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for at in sorted(names.keys() & wanted.keys(), key=names.__getitem__):
        found[at] = unique_name(plain_slug(wanted[at], fallback), "-", taken)
        taken.add(found[at])
    found |= {at: slug for at, slug in remembered.items() if at in names and at not in wanted and slug not in taken}
    taken |= {*remembered.values(), *found.values()}
    for at in sorted(names.keys() - found.keys(), key=names.__getitem__):
        found[at] = unique_name(plain_slug(names[at], fallback), "-", taken)
        taken.add(found[at])
    return found


def plain_slug(name: str, fallback: str) -> str:
    """Return the slug of a name by itself: *fallback* where nothing is left of it, no name of a device."""
    slug = slugify(name) or fallback
    return f"{slug}-{fallback}" if slug.partition(".")[0] in _DEVICES else slug


def unique_name(name: str, joint: str, taken: Collection[str]) -> str:
    """Return *name*, with the joint and a number behind it if it is taken."""
    candidates = (f"{name}{joint}{number}" if number > 1 else name for number in count(1))
    return next(candidate for candidate in candidates if candidate not in taken)


def category_warnings(
    posts: Iterable[Post], found: Mapping[str, PublishedCategory], configured: Mapping[str, CategorySettings]
) -> Iterator[str]:
    """Yield a line for each category that is written in several ways, or whose address does not say its name."""
    where: dict[str, dict[str, str]] = {}
    for post in posts:
        for name in post.categories:
            where.setdefault(normalize_name(name), {}).setdefault(name, post.path)
    chosen = {normalize_name(name) for name, category in configured.items() if category.slug}
    for at, spelled in sorted(where.items()):
        topic, path = found[at], spelled[min(spelled)]
        if len(spelled) > 1:
            ways = " and ".join(f"{name[:_SHOWN]!r}" for name in sorted(spelled))
            yield f"{path}: categories {ways} are one category, published as {topic.term[:_SHOWN]!r}"
        if at not in chosen and at == normalize_name(topic.term) and not _says(topic.slug, topic.term):
            yield (
                f"{path}: category {topic.term[:_SHOWN]!r} has its feed in category/{topic.slug[:_SHOWN]}/; a `slug` in"
                f" [categories] gives it an address of your choice"
            )


def _says(slug: str, name: str) -> bool:
    """Return whether a slug is what anybody would expect of the name."""
    return slug == slugify(name) and len(name.encode()) <= LONGEST_SLUG
