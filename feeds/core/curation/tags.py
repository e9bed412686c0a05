"""Tags: what a site's posts carry, how it is spelled, and where it comes from.

`AI/Chips` is a tag below `AI`. It is compared as a whole, spaces around the slash aside, and published as it was
given: as with Hugo, Zola and Obsidian, the tag above is not added to the post. It is counted with it in listings, as
Obsidian does.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from feeds.core.curation.taxonomy import Spellings, normalize_name
from feeds.model import Catalogue, Post
from feeds.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Tag:
    """A published tag, or one that only tags below it make."""

    #: The spelling that won.
    tag: str
    #: Every spelling in front matter -> how many posts use it; aliases and misspellings too, the most used first.
    spellings: dict[str, int]
    #: Paths of the posts that carry it or a tag below it.
    posts: tuple[str, ...]
    #: How many of these carry only tags below it, such as `AI/Chips` for `AI`.
    below: int
    #: In how many posts a rule found it.
    rule_hits: int
    #: Names in `tags.aliases` that lead to it.
    aliases: tuple[str, ...]


def tag_spellings(posts: Iterable[Post], settings: Settings) -> Spellings:
    """Return which spelling of each tag wins, front matter and rules together."""
    used = chain.from_iterable(chain(post.tags, post.rule_tags) for post in posts)
    return Spellings(used, settings.tags.aliases)


def tag_overview(catalogue: Catalogue, settings: Settings) -> list[Tag]:
    """Return every tag of the public posts, and the tags above them, by name."""
    posts = [entry.post for entry in catalogue.entries]
    winners = tag_spellings(posts, settings)
    written: dict[str, Counter[str]] = {}
    hits: Counter[str] = Counter()
    for post in posts:
        for name in post.tags:
            written.setdefault(normalize_name(winners[name]), Counter())[name] += 1
        hits.update({normalize_name(winners[name]) for name in post.rule_tags})
    carried: dict[str, dict[str, bool]] = {}
    names: dict[str, str] = {}
    for entry in catalogue.entries:
        for tag in entry.tags:
            carried.setdefault(normalize_name(tag), {})[entry.post.path] = True
            names[normalize_name(tag)] = tag
            for above in _above(tag):
                names.setdefault(normalize_name(above), winners[above])
                carried.setdefault(normalize_name(above), {}).setdefault(entry.post.path, False)
    led = _led(settings, winners)
    return [
        Tag(
            tag=names[at],
            spellings=dict(sorted(written.get(at, Counter()).items(), key=lambda found: (-found[1], found[0]))),
            posts=tuple(sorted(paths)),
            below=sum(not itself for itself in paths.values()),
            rule_hits=hits[at],
            aliases=tuple(led.get(at, ())),
        )
        for at, paths in sorted(carried.items(), key=lambda found: (found[0], names[found[0]]))
    ]


def _above(tag: str) -> list[str]:
    """Return the tags above a hierarchical one, the highest first; blank levels lead nowhere."""
    levels = tag.split("/")
    if len(levels) == 1 or not all(level.strip() for level in levels):
        return []
    return ["/".join(levels[:depth]).strip() for depth in range(1, len(levels))]


def _led(settings: Settings, winners: Spellings) -> dict[str, list[str]]:
    """Return the aliases that lead to each tag, by its key."""
    found: dict[str, list[str]] = {}
    for alias in sorted(settings.tags.aliases):
        found.setdefault(normalize_name(winners[alias]), []).append(alias)
    return found
