"""All files together: what is public at a moment, and a verdict on every file."""

from collections.abc import Iterable
from datetime import datetime

from feeds.core.curation import duplicates, ids, names, tags
from feeds.model import Catalogue, Entry, Known, Post, Status, Verdict
from feeds.settings import Settings


def build(
    found: Iterable[Post | Verdict],
    *,
    now: datetime,
    known: Iterable[Known],
    settings: Settings,
) -> Catalogue:
    """Return what is public at *now*. The order of *found* does not matter.

    Drafts, future and expired posts are held back before duplicates are looked for, so that none of them can take a
    public post's place; everything derived looks at public posts only, so that nothing of them leaks.
    """
    verdicts: list[Verdict] = []
    public: list[Post] = []
    for item in found:
        if isinstance(item, Verdict):
            verdicts.append(item)
        elif held := _held_back(item, now):
            verdicts.append(held)
        else:
            public.append(item)
    doubled = duplicates.find(public)
    verdicts += [
        Verdict(path=d.post.path, status=Status.DUPLICATE, reason=d.reason, duplicate_of=d.stays.path, post=d.post)
        for d in doubled
    ]
    gone = {d.post.path for d in doubled}
    kept = [post for post in public if post.path not in gone]
    verdicts += [Verdict(path=post.path, status=Status.PUBLIC, post=post) for post in kept]
    return Catalogue(
        now=now,
        entries=_entries(kept, now, known, settings),
        verdicts=tuple(sorted(verdicts, key=lambda v: v.path)),
    )


def _held_back(post: Post, now: datetime) -> Verdict | None:
    if post.draft:
        return Verdict(path=post.path, status=Status.DRAFT, reason="draft", post=post)
    if post.expires is not None and post.expires <= now:
        return Verdict(path=post.path, status=Status.EXPIRED, reason=f"expired on {post.expires:%Y-%m-%d}", post=post)
    if post.published > now:
        reason = f"will be public on {post.published:%Y-%m-%d %H:%M %z}"
        return Verdict(path=post.path, status=Status.FUTURE, reason=reason, post=post)
    return None


def _entries(posts: list[Post], now: datetime, known: Iterable[Known], settings: Settings) -> tuple[Entry, ...]:
    chosen = ids.assign(posts, known, settings.site.authority)
    topics = names.topics(posts, settings.categories)
    spellings = tags.spellings(posts, settings)
    entries = (
        Entry(
            id=chosen[post.path],
            post=post,
            categories=tuple(dict.fromkeys(topics[names.key(name)] for name in post.categories)),
            tags=spellings.of((*post.tags, *post.rule_tags)),
            updated=max(m for m in (post.published, post.updated) if m is not None and m <= now),
        )
        for post in posts
    )
    return tuple(sorted(entries, key=lambda e: (-e.post.published.timestamp(), e.post.path)))
