"""Select the entries of an issue."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from msgspec.structs import replace

from feeds.core.curation.taxonomy import category_keys, normalize_name
from feeds.errors import PostError
from feeds.model import EditorNote, Entry, Selection, SubscriberPreferences
from feeds.settings import CategorySettings, Newsletter
from feeds.spelling import closest_name

#: A first issue has so many posts, if there are so many, however old.
_LEAST_IN_FIRST = 3
#: How many of the remaining entries are listed by title.
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
    """Return the selection for the issue of *slot*, or None if there are fewer than `min_posts` entries.

    *public* is newest first; *categories* has the former names of categories. An issue takes entries that are not
    announced and not older than `max_age` at the slot. A newsletter's *first* issue takes the newest three, or
    `min_posts`, if fewer are as new, and counts all others as announced, whatever their age. Entries that the editor's
    *note* pins come first, whatever their age; those it skips wait for a later issue.

    Raises:
        PostError: the note names a post that is not public or is already announced.
    """
    pinned, candidates = waiting_entries(
        public, newsletter, slot=slot, announced=announced, first=first, categories=categories, note=note
    )
    room = max(newsletter.max_posts - len(pinned), 0)
    suitable = _suitable_for_first(candidates, newsletter, slot) if first else candidates
    chosen = suitable[:room]
    chosen_ids = {entry.id for entry in chosen}
    rest = [entry for entry in candidates if entry.id not in chosen_ids]
    if len(pinned) + len(chosen) < newsletter.min_posts:
        return None
    return Selection(
        stories=(*pinned, *_order(chosen, newsletter)),
        also=() if first else tuple(rest[:MOST_LISTED]),
        passed_over=tuple(rest) if first else (),
        note=note,
    )


def _suitable_for_first(candidates: list[Entry], newsletter: Newsletter, slot: datetime) -> list[Entry]:
    """Return the recent entries, and so many of the newest others that there are enough for an issue."""
    recent = [entry for entry in candidates if _is_recent(entry, newsletter, slot)]
    others = [entry for entry in candidates if not _is_recent(entry, newsletter, slot)]
    missing = max(_LEAST_IN_FIRST, newsletter.min_posts) - len(recent)
    return [*recent, *others[: max(missing, 0)]]


def waiting_entries(
    public: Iterable[Entry],
    newsletter: Newsletter,
    *,
    slot: datetime,
    announced: Collection[str],
    first: bool,
    categories: Mapping[str, CategorySettings] | None = None,
    note: EditorNote | None = None,
) -> tuple[list[Entry], list[Entry]]:
    """Return the entries that wait for the issue of *slot*: those that the note pins, and all others.

    Raises:
        PostError: as for `select_entries`.
    """
    wanted = category_keys(newsletter.categories, categories or {})
    available = [entry for entry in public if entry.id not in announced and not _is_held(entry, slot)]
    pinned = _find_entries(note.path, note.pin_line, note.pinned, available) if note else []
    named = _find_entries(note.path, note.skip_line, note.skipped, available) if note else []
    skipped = {entry.id for entry in named}
    candidates = [e for e in available if _is_eligible(e, wanted) and e.id not in skipped and e not in pinned]
    if not first:
        candidates = [entry for entry in candidates if _is_recent(entry, newsletter, slot)]
    return pinned, candidates


def selection_for(
    selection: Selection, preferences: SubscriberPreferences, categories: Mapping[str, CategorySettings]
) -> Selection | None:
    """Return the part of an issue for subscribers with these preferences; None if it is empty.

    If none of the stories has one of their topics, the entries listed by title become the stories. An issue without
    stories, only with a note, is for all subscribers.
    """
    if not (preferences.topics and selection.stories):
        return selection
    wanted = category_keys(preferences.topics, categories)
    stories = tuple(entry for entry in selection.stories if _has_category(entry, wanted))
    also = tuple(entry for entry in selection.also if _has_category(entry, wanted))
    stories, also = (stories, also) if stories else (also, ())
    return replace(selection, stories=stories, also=also, passed_over=()) if stories else None


def _order(chosen: list[Entry], newsletter: Newsletter) -> list[Entry]:
    """Return the lead (a featured entry, else the newest), other featured entries, then the rest in the set order."""
    lead = next((entry for entry in chosen if entry.post.featured), chosen[0] if chosen else None)
    rest = [entry for entry in chosen if entry is not lead]
    featured = [entry for entry in rest if entry.post.featured]
    others = [entry for entry in rest if not entry.post.featured]
    if newsletter.order == "oldest":
        others.reverse()
    return [*([lead] if lead else []), *featured, *others]


def _find_entries(path: str, line: int | None, names: Iterable[str], available: Iterable[Entry]) -> list[Entry]:
    """Return the entries that a line of a note names, in its order, each once.

    Raises:
        PostError: one is not available.
    """
    by_name: dict[str, Entry] = {}
    for entry in available:
        post = entry.post
        for name in (post.path, post.path.rpartition(".")[0], post.slug, post.url, entry.id):
            by_name.setdefault(name, entry)
    entries: dict[str, Entry] = {}
    for name in names:
        if name not in by_name:
            close = closest_name(name, by_name)
            suggested = f"; did you mean {close!r}?" if close else "; `feeds posts` lists paths"
            raise PostError(path, line, f"{name!r} is not a public post, or was announced before{suggested}")
        entries.setdefault(by_name[name].id, by_name[name])
    return list(entries.values())


def _is_held(entry: Entry, slot: datetime) -> bool:
    return entry.post.hold_until is not None and entry.post.hold_until > slot


def _is_eligible(entry: Entry, wanted: Collection[str]) -> bool:
    return entry.post.newsletter is not False and (not wanted or _has_category(entry, wanted))


def _has_category(entry: Entry, wanted: Collection[str]) -> bool:
    keys = {normalize_name(name) for category in entry.categories for name in (category.term, category.label)}
    return not keys.isdisjoint(wanted)


def _is_recent(entry: Entry, newsletter: Newsletter, slot: datetime) -> bool:
    return entry.post.newsletter is True or slot - available_since(entry) <= newsletter.max_age


def available_since(entry: Entry) -> datetime:
    """Return since when an entry may be announced."""
    return max(entry.post.published, entry.post.hold_until or entry.post.published)
