"""Decide how a letter is shortened that mail programs would cut off."""

from dataclasses import dataclass, replace

from msgspec import structs

from feeds.core.newsletters.message import MOST_BYTES
from feeds.core.newsletters.selection import MOST_LISTED
from feeds.model import Selection

#: How often a letter is shortened; each attempt comes closer to the limit.
MOST_ATTEMPTS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterExtent:
    """How much of an issue a letter contains."""

    selection: Selection
    #: The HTML of a whole post is truncated to this size.
    post_bytes: int = MOST_BYTES


def shorten_letter(extent: LetterExtent, size: int, *, has_whole_post: bool) -> LetterExtent:
    """Return a smaller extent for a letter that takes *size* bytes, more than `message.MOST_BYTES`.

    A whole post is truncated first, to a quarter of the limit at most; then stories are dropped.
    """
    if has_whole_post and extent.post_bytes > MOST_BYTES // 4:
        factor = min(0.9, 0.98 * MOST_BYTES / size)
        return replace(extent, post_bytes=int(extent.post_bytes * factor))
    return replace(extent, selection=_drop_stories(extent.selection, MOST_BYTES / size))


def _drop_stories(selection: Selection, part: float) -> Selection:
    """Return a selection with this *part* of the stories, one less at least, but never without the first.

    The first of the others are listed by title, the rest waits for the next issue.
    """
    number = max(1, min(int(len(selection.stories) * part), len(selection.stories) - 1))
    stories, dropped = selection.stories[:number], selection.stories[number:]
    return structs.replace(selection, stories=stories, also=(*dropped, *selection.also)[:MOST_LISTED])
