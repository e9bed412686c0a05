"""The headings of a post, a note or a sponsor below those of a letter or a page."""

from collections.abc import Iterable
from typing import Any

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


def shift_headings(root: Any, below: int) -> None:
    """Put the headings below *root* below level *below*: the first level that is used comes first, and so on.

    Screen readers jump from heading to heading, and a gap sounds like a missing one (WCAG 2.2, technique H42).
    """
    headings = list(root.iter(*HEADINGS))
    new_levels = number_levels((HEADINGS.index(heading.tag) for heading in headings), below)
    for heading, level in zip(headings, new_levels, strict=True):
        heading.tag = HEADINGS[level - 1]


def number_levels(levels: Iterable[int], below: int) -> list[int]:
    """Return new levels of headings below level *below*: deeper ones stay deeper, and no level is left out.

    >>> number_levels([1, 3, 1, 0], below=2)
    [3, 4, 3, 3]
    """
    outer: list[int] = []
    numbered = []
    for level in levels:
        while outer and outer[-1] >= level:
            outer.pop()
        outer.append(level)
        numbered.append(min(below + len(outer), len(HEADINGS)))
    return numbered
