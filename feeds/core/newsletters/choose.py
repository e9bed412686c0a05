"""Which entries an issue is made of."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from feeds.core.curation.names import key, keys
from feeds.model import Entry, Selection
from feeds.settings import Category, Newsletter

#: How many entries that found no room are listed by title.
MOST_LISTED = 20


def choose(
    public: Iterable[Entry],
    newsletter: Newsletter,
    *,
    slot: datetime,
    announced: Collection[str],
    first: bool,
    categories: Mapping[str, Category] | None = None,
) -> Selection | None:
    """Return what the issue for *slot* tells, or None when there are fewer than `min_posts` to tell of.

    *public* is newest first; *categories* tells what was called otherwise before. A newsletter's first issue takes the
    newest and counts all others as announced, whatever their age; later ones take what is new since, and not older
    than `max_age` at the slot.
    """
    wanted = keys(newsletter.categories, categories or {})
    fresh = [entry for entry in public if _belongs(entry, wanted) and entry.id not in announced]
    if not first:
        fresh = [entry for entry in fresh if _is_news(entry, newsletter, slot)]
    stories, rest = fresh[: newsletter.max_posts], fresh[newsletter.max_posts :]
    if len(stories) < newsletter.min_posts:
        return None
    return Selection(
        stories=tuple(sorted(stories, key=lambda entry: not entry.post.featured)),  # the lead first, else as they were
        also=() if first else tuple(rest[:MOST_LISTED]),
        passed_over=tuple(rest) if first else (),
    )


def _belongs(entry: Entry, wanted: Collection[str]) -> bool:
    here = {key(name) for topic in entry.categories for name in (topic.term, topic.label)}
    return entry.post.newsletter is not False and (not wanted or not here.isdisjoint(wanted))


def _is_news(entry: Entry, newsletter: Newsletter, slot: datetime) -> bool:
    return entry.post.newsletter is True or slot - entry.post.published <= newsletter.max_age
