"""Split Japanese headlines into phrases with BudouX, so that lines do not break in the middle of a word."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from feeds.core.posts.text import display_width

#: Longer headlines are not split.
_MAX_CHARACTERS = 200
#: In cells, of which a Japanese character takes two: a narrower phrase does not get the last line for itself, unless it
#: and the one before would not fit a line on a phone.
_MIN_LAST_WIDTH, _PHONE_WIDTH = 12, 24


def split_phrases(text: str, lang: str) -> tuple[str, ...]:
    """Return the phrases of a Japanese headline; empty if it has only one or is in another language.

    Joined, they are the headline: a space is at the end of a phrase, never at its beginning.
    """
    if lang.split("-", maxsplit=1)[0] != "ja" or len(text) > _MAX_CHARACTERS:
        return ()
    phrases = _join_short_end(_move_spaces(_parser().parse(text.strip())))
    return tuple(phrases) if len(phrases) > 1 else ()


def _move_spaces(phrases: Iterable[str]) -> list[str]:
    """Return phrases with the spaces at their beginning moved to the end of the one before."""
    moved: list[str] = []
    for phrase in phrases:
        begins = phrase.lstrip()
        if moved:
            moved[-1] += phrase[: len(phrase) - len(begins)]
        moved.append(begins)
    return moved


def _join_short_end(phrases: list[str]) -> list[str]:
    """Return phrases of which the last is joined with those before it until it is wide enough for a line."""
    *rest, last = phrases or [""]
    while rest and display_width(last) < _MIN_LAST_WIDTH and display_width(rest[-1] + last) <= _PHONE_WIDTH:
        last = rest.pop() + last
    return [*rest, last]


@lru_cache(maxsize=1)
def _parser() -> Any:
    import budoux

    return budoux.load_default_japanese_parser()
