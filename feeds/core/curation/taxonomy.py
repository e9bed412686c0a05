"""Names of categories and tags: comparison, winning spellings, slugs."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import count

from feeds.core.posts.urls import LONGEST_SLUG, slugify
from feeds.model import Post, PublishedCategory
from feeds.settings import CategorySettings
from feeds.spelling import closest_name


@lru_cache(maxsize=100_000)
def normalize_name(name: str) -> str:
    """Return *name* for comparison: NFKC, without case and separators."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in folded if c not in " -_\u3000\u30fb") or folded


class Spellings(dict[str, str]):
    """Name -> its most used spelling; of equally frequent ones the first in code point order.

    Lookups are cached, since thousands of posts have the same few hundred names.
    """

    def __init__(self, used: Iterable[str], aliases: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._aliases = {normalize_name(alias): name for alias, name in (aliases or {}).items()}
        counts: Counter[str] = Counter()
        for name, number in Counter(used).items():
            counts[self._resolve_alias(name)] += number
        self._winners: dict[str, str] = {}
        for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            self._winners.setdefault(normalize_name(name), name)

    def __missing__(self, name: str) -> str:
        resolved = self._resolve_alias(name)
        self[name] = self._winners.get(normalize_name(resolved), resolved)
        return self[name]

    def of(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the winning spellings of *names*, each once, in their order."""
        return tuple(dict.fromkeys(map(self.__getitem__, names)))

    def _resolve_alias(self, name: str) -> str:
        """Return the name that *name* is an alias of, in one or more steps; also if a tag above it is an alias."""
        if not self._aliases:
            return name
        used: set[str] = set()  # each alias is used once, so that `"AI" = "AI/General"` does not loop
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


#: Characters of a name in a warning.
_SHOWN = 60
#: File names that Windows reserves for devices, with any extension (Win32 naming rules).
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789")})


def published_categories(
    posts: Iterable[Post], configured: Mapping[str, CategorySettings], known_slugs: Mapping[str, str] | None = None
) -> dict[str, PublishedCategory]:
    """Return every category in use, by the normalised form of each of its names; no two have the same slug.

    *known_slugs* are those that categories had before, by normalised name. They stay, unless the config says otherwise.
    """
    renamed = renamed_categories(configured)
    by_key = {normalize_name(name): (name, category) for name, category in configured.items()}
    used = [renamed.get(normalize_name(name), name) for post in posts for name in post.categories]
    spellings = Spellings(used)
    terms = {normalize_name(name): by_key.get(normalize_name(name), (name, None))[0] for name in spellings.of(used)}
    configured_slugs = {key: category.slug for key, (_, category) in by_key.items() if category.slug}
    slugs = assign_slugs(terms, configured=configured_slugs, known=known_slugs or {}, fallback="category")
    found = {
        key: _publish(terms[key], slugs[key], by_key[key][1] if key in by_key else CategorySettings())
        for key in sorted(terms)
    }
    return found | {old: found[normalize_name(new)] for old, new in renamed.items() if normalize_name(new) in found}


def renamed_categories(configured: Mapping[str, CategorySettings]) -> dict[str, str]:
    """Return normalised former name -> present name of each category that was renamed in the config."""
    return {normalize_name(was): name for name, category in configured.items() for was in category.was}


def category_keys(names: Iterable[str], configured: Mapping[str, CategorySettings]) -> frozenset[str]:
    """Return the normalised present names of categories, given by present or former names."""
    renamed = renamed_categories(configured)
    return frozenset(normalize_name(renamed.get(normalize_name(name), name)) for name in names)


def unknown_categories(
    names: Iterable[str], published: Iterable[PublishedCategory], configured: Mapping[str, CategorySettings]
) -> Iterator[str]:
    """Yield a text about each of *names* that is the category of no public post and is not in the config either."""
    labels = [*dict.fromkeys(name for category in published for name in (category.label, category.term))]
    labels += [name for key, category in configured.items() for name in (key, *category.was)]
    known = {normalize_name(label) for label in labels}
    for name in names:
        if normalize_name(name) not in known:
            nearest = closest_name(name, labels)
            hint = f"; did you mean {nearest[:_SHOWN]!r}?" if nearest else ""
            yield f"no public post has the category {name[:_SHOWN]!r}{hint}"


def _publish(term: str, slug: str, category: CategorySettings) -> PublishedCategory:
    return PublishedCategory(term=term, label=category.label or term, slug=slug, description=category.description or "")


def assign_slugs(
    names: Mapping[str, str], *, configured: Mapping[str, str], known: Mapping[str, str], fallback: str
) -> dict[str, str]:
    """Return a different slug for each of *names* (by key): the configured one, else the known one, else a new one.

    A known slug of another name is not assigned again, since readers may be subscribed to its feed.
    """
    slugs: dict[str, str] = {}
    taken: set[str] = set()
    for key in sorted(names.keys() & configured.keys(), key=names.__getitem__):
        slugs[key] = unique_name(plain_slug(configured[key], fallback), "-", taken)
        taken.add(slugs[key])
    slugs |= {key: slug for key, slug in known.items() if key in names and key not in configured and slug not in taken}
    taken |= {*known.values(), *slugs.values()}
    for key in sorted(names.keys() - slugs.keys(), key=names.__getitem__):
        slugs[key] = unique_name(plain_slug(names[key], fallback), "-", taken)
        taken.add(slugs[key])
    return slugs


def plain_slug(name: str, fallback: str) -> str:
    """Return the slug of a name: *fallback* if it has no safe character, never a device name of Windows."""
    slug = slugify(name) or fallback
    return f"{slug}-{fallback}" if slug.partition(".")[0] in _DEVICES else slug


def unique_name(name: str, joint: str, taken: Collection[str]) -> str:
    """Return *name* if it is not taken, else *name* with *joint* and a number appended."""
    candidates = (f"{name}{joint}{number}" if number > 1 else name for number in count(1))
    return next(candidate for candidate in candidates if candidate not in taken)


def category_warnings(
    posts: Iterable[Post], published: Mapping[str, PublishedCategory], configured: Mapping[str, CategorySettings]
) -> Iterator[str]:
    """Yield a warning for each category with several spellings, and for each whose slug differs from its name."""
    spellings: dict[str, dict[str, str]] = {}  # normalised name -> spelling -> path of a post
    for post in posts:
        for name in post.categories:
            spellings.setdefault(normalize_name(name), {}).setdefault(name, post.path)
    with_slug = {normalize_name(name) for name, category in configured.items() if category.slug}
    for key, paths in sorted(spellings.items()):
        category, path = published[key], paths[min(paths)]
        if len(paths) > 1:
            names = " and ".join(f"{name[:_SHOWN]!r}" for name in sorted(paths))
            yield f"{path}: categories {names} are one category, published as {category.term[:_SHOWN]!r}"
        if (
            key not in with_slug
            and key == normalize_name(category.term)
            and not _is_usual(category.slug, category.term)
        ):
            yield (
                f"{path}: category {category.term[:_SHOWN]!r} has its feed in category/{category.slug[:_SHOWN]}/; a"
                f" `slug` in [categories] gives it another address"
            )


def _is_usual(slug: str, name: str) -> bool:
    """Return whether a slug is the one that follows from the name."""
    return slug == slugify(name) and len(name.encode()) <= LONGEST_SLUG
