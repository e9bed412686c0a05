"""The tags of a site: their spellings and where they come from.

`AI/Chips` is a tag below `AI`. It is compared as a whole, ignoring spaces around the slash, and published as written:
as in Hugo, Zola and Obsidian, the tag above is not added to the post. Listings count it with the tag above, as Obsidian
does.
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
    """A published tag, or a tag above one."""

    #: The spelling that won.
    tag: str
    #: Each spelling in front matter -> the number of posts with it, aliases included, the most used first.
    spellings: dict[str, int]
    #: Paths of the posts that have it or a tag below it.
    posts: tuple[str, ...]
    #: The number of these that have only tags below it, such as `AI/Chips` for `AI`.
    below: int
    #: The number of posts in which a rule found it.
    rule_hits: int
    #: Its names in `tags.aliases`.
    aliases: tuple[str, ...]


def tag_spellings(posts: Iterable[Post], settings: Settings) -> Spellings:
    """Return the winning spelling of each tag, front matter and rules counted together."""
    used = chain.from_iterable(chain(post.tags, post.rule_tags) for post in posts)
    return Spellings(used, settings.tags.aliases)


def tag_overview(catalogue: Catalogue, settings: Settings) -> list[Tag]:
    """Return the tags of the public posts and the tags above them, by name."""
    posts = [entry.post for entry in catalogue.entries]
    winners = tag_spellings(posts, settings)
    spellings: dict[str, Counter[str]] = {}
    rule_hits: Counter[str] = Counter()
    for post in posts:
        for name in post.tags:
            spellings.setdefault(normalize_name(winners[name]), Counter())[name] += 1
        rule_hits.update({normalize_name(winners[name]) for name in post.rule_tags})
    #: Normalised name -> path -> whether the post has this tag itself.
    posts_by_tag: dict[str, dict[str, bool]] = {}
    names: dict[str, str] = {}
    for entry in catalogue.entries:
        for tag in entry.tags:
            posts_by_tag.setdefault(normalize_name(tag), {})[entry.post.path] = True
            names[normalize_name(tag)] = tag
            for above in _tags_above(tag):
                names.setdefault(normalize_name(above), winners[above])
                posts_by_tag.setdefault(normalize_name(above), {}).setdefault(entry.post.path, False)
    aliases = _aliases_by_tag(settings, winners)
    return [
        Tag(
            tag=names[key],
            spellings=dict(sorted(spellings.get(key, Counter()).items(), key=lambda item: (-item[1], item[0]))),
            posts=tuple(sorted(paths)),
            below=sum(not itself for itself in paths.values()),
            rule_hits=rule_hits[key],
            aliases=tuple(aliases.get(key, ())),
        )
        for key, paths in sorted(posts_by_tag.items(), key=lambda item: (item[0], names[item[0]]))
    ]


def _tags_above(tag: str) -> list[str]:
    """Return the tags above a hierarchical one, the highest first; a tag with an empty level has none."""
    levels = tag.split("/")
    if len(levels) == 1 or not all(level.strip() for level in levels):
        return []
    return ["/".join(levels[:depth]).strip() for depth in range(1, len(levels))]


def _aliases_by_tag(settings: Settings, winners: Spellings) -> dict[str, list[str]]:
    """Return the aliases of each tag, by its normalised name."""
    aliases: dict[str, list[str]] = {}
    for alias in sorted(settings.tags.aliases):
        aliases.setdefault(normalize_name(winners[alias]), []).append(alias)
    return aliases
