"""All post files -> the entries that are public at one time, and an outcome for every file."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo

from msgspec.structs import replace

from feeds.core.curation import duplicates, ids, tags, taxonomy
from feeds.display import format_time
from feeds.model import (
    Catalogue,
    DuplicatePair,
    Entry,
    KnownEntry,
    Post,
    PostOutcome,
    PostStatus,
    PublishedCategory,
    TextSimilarity,
)
from feeds.settings import Settings


def build_catalogue(
    parsed: Iterable[Post | PostOutcome],
    *,
    now: datetime,
    known: Iterable[KnownEntry],
    settings: Settings,
    similarities: Mapping[duplicates.Pair, TextSimilarity] | None = None,
    extra_tags: Mapping[str, tuple[str, ...]] | None = None,
    slugs: Mapping[str, str] | None = None,
) -> Catalogue:
    """Return the catalogue of what is public at *now*. The order of *parsed* does not matter.

    Drafts, future and expired posts are removed before duplicates are looked for, so that none of them replaces a
    public post. Ids, tags and categories depend on public posts only, so that nothing of the others leaks.

    *similarities* are those of the texts that were compared, *extra_tags* the tags suggested for posts, by path, and
    *slugs* the slugs that categories had before, by `taxonomy.normalize_name`.
    """
    known = list(known)
    outcomes: list[PostOutcome] = []
    public: list[Post] = []
    for item in parsed:
        if isinstance(item, PostOutcome):
            outcomes.append(item)
        elif held_back := _hold_back(item, now, settings.site.timezone):
            outcomes.append(held_back)
        else:
            public.append(item)
    pairs = duplicates.find_duplicates(public, similarities or {}, settings.duplicates, ids.PublishedBefore(known))
    dropped = {pair.post.path: _duplicate_outcome(pair) for pair in pairs if pair.dropped}
    kept = [post for post in public if post.path not in dropped]
    outcomes += dropped.values()
    outcomes += (PostOutcome(path=post.path, status=PostStatus.PUBLIC, post=post) for post in kept)
    paths = {outcome.path for outcome in outcomes}
    categories = taxonomy.published_categories(kept, settings.categories, slugs)
    entry_ids = ids.assign_ids(kept, known, settings.site.authority, paths)
    entries = _build_entries(_add_tags(kept, extra_tags or {}), now, entry_ids, categories, settings)
    return Catalogue(
        now=now,
        entries=_with_adopted_dates(entries, known),
        outcomes=tuple(sorted(outcomes, key=lambda outcome: outcome.path)),
        duplicates=tuple(sorted(pairs, key=lambda pair: pair.post.path)),
        replaced_ids=ids.find_replaced_ids(kept, known, entry_ids),
        category_warnings=tuple(taxonomy.category_warnings(kept, categories, settings.categories)),
    )


def _hold_back(post: Post, now: datetime, zone: tzinfo) -> PostOutcome | None:
    """Return the outcome of a post that is not public at *now*, with times in *zone*; None for one that is."""
    if post.draft:
        return PostOutcome(path=post.path, status=PostStatus.DRAFT, reason="draft", post=post)
    if post.expires is not None and post.expires <= now:
        reason = f"expired on {format_time(post.expires, zone)}"
        return PostOutcome(path=post.path, status=PostStatus.EXPIRED, reason=reason, post=post)
    if post.published > now:
        reason = f"will be public on {format_time(post.published, zone)}"
        return PostOutcome(path=post.path, status=PostStatus.FUTURE, reason=reason, post=post)
    return None


def _duplicate_outcome(pair: DuplicatePair) -> PostOutcome:
    return PostOutcome(
        path=pair.post.path,
        status=PostStatus.DUPLICATE,
        reason=pair.reason,
        duplicate_of=pair.kept.path,
        post=pair.post,
    )


def _build_entries(
    posts: Sequence[Post],
    now: datetime,
    entry_ids: Mapping[str, str],
    by_key: Mapping[str, PublishedCategory],
    settings: Settings,
) -> tuple[Entry, ...]:
    """Return the entries of *posts*, newest first; *entry_ids* are by path, categories by normalised name."""
    categories = _CategoryLists(by_key)
    spellings = tags.tag_spellings(posts, settings)
    entries = [
        Entry(
            id=entry_ids[post.path],
            post=post,
            categories=categories[post.categories],
            tags=spellings.of((*post.tags, *post.rule_tags) if post.rule_tags else post.tags),
            updated=last_update(post, now),
        )
        for post in posts
    ]
    entries.sort(key=newest_first)
    return tuple(entries)


def _with_adopted_dates(entries: tuple[Entry, ...], known: Iterable[KnownEntry]) -> tuple[Entry, ...]:
    """Return *entries* with the dates that another program's feed had, until a post gets another date."""
    adopted = {entry.id: entry.adopted for entry in known if entry.adopted is not None}
    if not adopted:
        return entries
    return tuple(
        replace(entry, updated=date.shown) if (date := adopted.get(entry.id)) and date.own == entry.updated else entry
        for entry in entries
    )


def newest_first(entry: Entry) -> tuple[float, str]:
    """Return the sort key of an entry: newest first, then by path."""
    return (-entry.post.published.timestamp(), entry.post.path)


class _CategoryLists(dict[tuple[str, ...], tuple[PublishedCategory, ...]]):
    """Names of categories -> published categories; cached, since thousands of posts have the same few combinations."""

    def __init__(self, by_key: Mapping[str, PublishedCategory]) -> None:
        super().__init__()
        self._by_key = by_key

    def __missing__(self, names: tuple[str, ...]) -> tuple[PublishedCategory, ...]:
        self[names] = tuple(dict.fromkeys(self._by_key[taxonomy.normalize_name(name)] for name in names))
        return self[names]


def _add_tags(posts: list[Post], extra: Mapping[str, tuple[str, ...]]) -> list[Post]:
    """Return *posts* with the extra tags, by path, added to their rule tags."""
    if not extra:
        return posts
    return [replace(p, rule_tags=(*p.rule_tags, *extra[p.path])) if p.path in extra else p for p in posts]


def last_update(post: Post, now: datetime) -> datetime:
    """Return the date of the last update; an update in the future or before the publication does not count."""
    if post.updated is None or post.updated > now or post.updated < post.published:
        return post.published
    return post.updated
