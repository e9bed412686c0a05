"""All files together: what is public at a moment, and a verdict on every file."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from feeds.core.curation import duplicates, ids, tags, taxonomy
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
    found: Iterable[Post | PostOutcome],
    *,
    now: datetime,
    known: Iterable[KnownEntry],
    settings: Settings,
    likeness: Mapping[duplicates.Pair, TextSimilarity] | None = None,
    extra_tags: Mapping[str, tuple[str, ...]] | None = None,
    slugs: Mapping[str, str] | None = None,
) -> Catalogue:
    """Return what is public at *now*. The order of *found* does not matter.

    Drafts, future and expired posts are held back before duplicates are looked for, so that none of them can take a
    public post's place; everything derived looks at public posts only, so that nothing of them leaks. *likeness* holds
    the pairs of texts that were compared, *extra_tags* what was suggested for posts, by path, *slugs* what categories
    were given before, by `names.key`.
    """
    remembered = list(known)
    verdicts: list[PostOutcome] = []
    public: list[Post] = []
    for item in found:
        if isinstance(item, PostOutcome):
            verdicts.append(item)
        elif held := _held_back(item, now):
            verdicts.append(held)
        else:
            public.append(item)
    findings = duplicates.find_duplicates(public, likeness or {}, settings.duplicates, ids.PublishedBefore(remembered))
    gone = {finding.post.path: _dropped(finding) for finding in findings if finding.dropped}
    kept = [post for post in public if post.path not in gone]
    verdicts += gone.values()
    verdicts += (PostOutcome(path=post.path, status=PostStatus.PUBLIC, post=post) for post in kept)
    present = {verdict.path for verdict in verdicts}
    topics = taxonomy.published_categories(kept, settings.categories, slugs)
    chosen = ids.assign_ids(kept, remembered, settings.site.authority, present)
    return Catalogue(
        now=now,
        entries=_entries(_tagged(kept, extra_tags or {}), now, chosen, topics, settings),
        outcomes=tuple(sorted(verdicts, key=lambda v: v.path)),
        duplicates=tuple(sorted(findings, key=lambda f: f.post.path)),
        category_warnings=tuple(taxonomy.category_warnings(kept, topics, settings.categories)),
    )


def _held_back(post: Post, now: datetime) -> PostOutcome | None:
    if post.draft:
        return PostOutcome(path=post.path, status=PostStatus.DRAFT, reason="draft", post=post)
    if post.expires is not None and post.expires <= now:
        return PostOutcome(
            path=post.path, status=PostStatus.EXPIRED, reason=f"expired on {post.expires:%Y-%m-%d}", post=post
        )
    if post.published > now:
        reason = f"will be public on {post.published:%Y-%m-%d %H:%M %z}"
        return PostOutcome(path=post.path, status=PostStatus.FUTURE, reason=reason, post=post)
    return None


def _dropped(finding: DuplicatePair) -> PostOutcome:
    return PostOutcome(
        path=finding.post.path,
        status=PostStatus.DUPLICATE,
        reason=finding.reason,
        duplicate_of=finding.kept.path,
        post=finding.post,
    )


def _entries(
    posts: Sequence[Post],
    now: datetime,
    chosen: Mapping[str, str],
    by_key: Mapping[str, PublishedCategory],
    settings: Settings,
) -> tuple[Entry, ...]:
    """Return the public entries, newest first; *chosen* holds their ids, by path."""
    topics = _Topics(by_key)
    spellings = tags.tag_spellings(posts, settings)
    entries = [
        Entry(
            id=chosen[post.path],
            post=post,
            categories=topics[post.categories],
            tags=spellings.of((*post.tags, *post.rule_tags) if post.rule_tags else post.tags),
            updated=_updated(post, now),
        )
        for post in posts
    ]
    entries.sort(key=newest_first)
    return tuple(entries)


def newest_first(entry: Entry) -> tuple[float, str]:
    """Return by what entries are sorted."""
    return (-entry.post.published.timestamp(), entry.post.path)


class _Topics(dict[tuple[str, ...], tuple[PublishedCategory, ...]]):
    """The topics of each combination of categories; thousands of posts have the same few."""

    def __init__(self, by_key: Mapping[str, PublishedCategory]) -> None:
        super().__init__()
        self._by_key = by_key

    def __missing__(self, categories: tuple[str, ...]) -> tuple[PublishedCategory, ...]:
        self[categories] = tuple(dict.fromkeys(self._by_key[taxonomy.normalize_name(name)] for name in categories))
        return self[categories]


def _tagged(posts: list[Post], extra: Mapping[str, tuple[str, ...]]) -> list[Post]:
    """Return *posts*, those for which tags were suggested with these as if a rule had found them."""
    if not extra:
        return posts
    return [replace(p, rule_tags=(*p.rule_tags, *extra[p.path])) if p.path in extra else p for p in posts]


def _updated(post: Post, now: datetime) -> datetime:
    """Return when readers should look again: an update that is still to come does not count."""
    if post.updated is None or post.updated > now or post.updated < post.published:
        return post.published
    return post.updated
