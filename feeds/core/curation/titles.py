"""Compares two titles: may they be those of one post and its copy?

Copies keep the title, or get a word more (`Spotlight chat: …`, `… (updated)`). Where each of two titles has a word of
its own, as in "Meetup in Berlin" and "Meetup in Hamburg", the posts are two, even if all other words are the same.
"""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from feeds.core.posts import text

#: With fewer common words, their order says nothing.
_MIN_COMMON = 5
#: The share of the shorter title's words that a reworded title has in common with it.
_MOST = 0.75


def may_be_copies(one: str, other: str) -> bool:
    """Return whether one title's words contain the other's, or one is the other reworded."""
    first, second = _words(one), _words(other)
    if not (first and second):  # only marks, such as emoji
        return fold_title(one) == fold_title(other)
    shorter, longer = (first, second) if len(first) <= len(second) else (second, first)
    return shorter.keys() <= longer.keys() or _is_reworded(first, second)


def fold_title(title: str) -> str:
    """Return a title as titles are compared: NFKC, single spaces, without case."""
    return text.normalize(title).casefold()


def _is_reworded(first: dict[str, None], second: dict[str, None]) -> bool:
    """Return whether two titles have most words in common, in another order.

    The titles of a series share a frame, and with it the order of their common words. A headline that was written anew
    for the same text moves them: "Trust: Lessons from a Usability Group", "Building a Usability Group: Lessons".
    """
    enough = max(_MIN_COMMON, _MOST * min(len(first), len(second)))
    if min(len(first), len(second)) < enough or len(common := first.keys() & second.keys()) < enough:
        return False
    return [word for word in first if word in common] != [word for word in second if word in common]


@lru_cache(maxsize=2**14)
def _words(title: str) -> dict[str, None]:
    """Return the different words of a title, in their order."""
    bare = "".join(char if _is_part_of_word(char) else " " for char in fold_title(title))
    return dict.fromkeys(part for word in bare.split() for part in _parts(word))


def _is_part_of_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char).startswith("M")


def _parts(word: str) -> Iterator[str]:
    """Yield a word; of a run of wide characters, which has no spaces, each two that follow one another."""
    if len(word) > 1 and text.display_width(word) > len(word):
        yield from map("".join, pairwise(word))
    else:
        yield word
