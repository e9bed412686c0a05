"""Which entries an issue is made of."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from msgspec.structs import replace

from feeds.core.curation.taxonomy import category_keys, normalize_name
from feeds.errors import PostError
from feeds.model import EditorNote, Entry, Selection, SubscriberPreferences
from feeds.settings import CategorySettings, Newsletter

#: How many entries that found no room are listed by title.
MOST_LISTED = 20


def select_entries(
    public: Iterable[Entry],
    newsletter: Newsletter,
    *,
    slot: datetime,
    announced: Collection[str],
    first: bool,
    categories: Mapping[str, CategorySettings] | None = None,
    note: EditorNote | None = None,
) -> Selection | None:
    """Return what the issue for *slot* tells, or None when there are fewer than `min_posts` to tell of.

    *public* is newest first; *categories* tells what was called otherwise before. A newsletter's first issue takes the
    newest and counts all others as announced, whatever their age; later ones take what is new since, and not older
    than `max_age` at the slot. What the editor's *note* pins stands in front, however old; what it skips waits.

    Raises:
        PostError: the note names a post that is not there to be told of.
    """
    wanted = category_keys(newsletter.categories, categories or {})
    free = [entry for entry in public if entry.id not in announced and not _is_held(entry, slot)]
    pinned = _named(note, note.pinned, free) if note else []
    skipped = {entry.id for entry in _named(note, note.skipped, free)} if note else set()
    fresh = [e for e in free if _belongs(e, wanted) and e.id not in skipped and e not in pinned]
    if not first:
        fresh = [entry for entry in fresh if _is_news(entry, newsletter, slot)]
    room = max(newsletter.max_posts - len(pinned), 0)
    chosen, rest = fresh[:room], fresh[room:]
    if len(pinned) + len(chosen) < newsletter.min_posts:
        return None
    return Selection(
        stories=(*pinned, *_ordered(chosen, newsletter)),
        also=() if first else tuple(rest[:MOST_LISTED]),
        passed_over=tuple(rest) if first else (),
        note=note,
    )


def selection_for(
    selection: Selection, choice: SubscriberPreferences, categories: Mapping[str, CategorySettings]
) -> Selection | None:
    """Return what readers with one choice are told of an issue; None where that is nothing.

    Where none of its stories are theirs, those that are listed by title are told; a note alone is for everybody.
    """
    if not (choice.topics and selection.stories):
        return selection
    wanted = category_keys(choice.topics, categories)
    stories = tuple(entry for entry in selection.stories if _is_of(entry, wanted))
    also = tuple(entry for entry in selection.also if _is_of(entry, wanted))
    stories, also = (stories, also) if stories else (also, ())
    return replace(selection, stories=stories, also=also, passed_over=()) if stories else None


def _ordered(chosen: list[Entry], newsletter: Newsletter) -> list[Entry]:
    """Return the lead first, which is what a post says it is, else the newest; the others in the newsletter's order."""
    lead = next((entry for entry in chosen if entry.post.featured), chosen[0] if chosen else None)
    rest = [entry for entry in chosen if entry is not lead]
    featured = [entry for entry in rest if entry.post.featured]
    others = [entry for entry in rest if not entry.post.featured]
    if newsletter.order == "oldest":
        others.reverse()
    return [*([lead] if lead else []), *featured, *others]


def _named(note: EditorNote, names: Iterable[str], free: Iterable[Entry]) -> list[Entry]:
    """Return the entries that a note names, in its order, each once.

    Raises:
        PostError: one is not there.
    """
    by_name: dict[str, Entry] = {}
    for entry in free:
        post = entry.post
        for name in (post.path, post.path.rpartition(".")[0], post.slug, post.url, entry.id):
            by_name.setdefault(name, entry)
    found: dict[str, Entry] = {}
    for name in names:
        if name not in by_name:
            reason = f"there is no public post {name!r} that this newsletter has not told of; `feeds posts` lists paths"
            raise PostError(note.path, None, reason)
        found.setdefault(by_name[name].id, by_name[name])
    return list(found.values())


def _is_held(entry: Entry, slot: datetime) -> bool:
    return entry.post.hold_until is not None and entry.post.hold_until > slot


def _belongs(entry: Entry, wanted: Collection[str]) -> bool:
    return entry.post.newsletter is not False and (not wanted or _is_of(entry, wanted))


def _is_of(entry: Entry, wanted: Collection[str]) -> bool:
    here = {normalize_name(name) for topic in entry.categories for name in (topic.term, topic.label)}
    return not here.isdisjoint(wanted)


def _is_news(entry: Entry, newsletter: Newsletter, slot: datetime) -> bool:
    since = max(entry.post.published, entry.post.hold_until or entry.post.published)
    return entry.post.newsletter is True or slot - since <= newsletter.max_age
