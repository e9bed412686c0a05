"""Split Japanese headlines into phrases with BudouX, so that lines do not break in the middle of a word.

BudouX knows phrases from newspapers: it splits some numbers from their counters (三か|月, 2018 |年), some words of two
characters (統|一) and particles of several (に|ついて).
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from feeds.core.posts.text import display_width

#: Longer headlines are not split.
_MAX_CHARACTERS = 200
#: In cells, of which a Japanese character takes two: a narrower phrase does not get the last line for itself, unless it
#: and the one before would not fit a line on a phone.
_MIN_LAST_WIDTH, _PHONE_WIDTH = 12, 24
_KANJI = "[一-龠々〆]"
_NUMBER = "[0-9０-９〇一二三四五六七八九十百千万億兆数何幾]"
#: Between a number and a counter of things, places, countries or months: 三か月, 2カ所, 一個所.
_KA = "[かヶケカヵ箇個]"
_BREAK = "\0"
#: Around a break at which no line may end.
_UNBROKEN = re.compile(
    "|".join(
        (
            rf"{_NUMBER}{_BREAK}(?:{_KANJI}|{_KA}|[つ%％.,．，0-9０-９])",
            rf"{_NUMBER}\s{_BREAK}[年月日時分秒号回人件本冊個周部版巻話章節度代歳位番台枚組倍割点円]",
            rf"{_NUMBER}{_KA}{_BREAK}{_KANJI}",
            rf"{_NUMBER}{_KANJI}{{1,2}}{_BREAK}(?:[半目間強弱余台代前後分毎]|以[上下内外]|未満|程度|ごと|ぶり|ずつ)",
            rf"第{_BREAK}",
            rf"^{_KANJI}{_BREAK}",
            rf"[にとを]{_BREAK}(?:つい[てた]|よ[るっり]|お[けい]|対[しす]|関[しす]|して|とって)",
            rf"[（(「『【〈《“]\s*{_BREAK}",
            rf"{_BREAK}[、。，．！？!?）)」』】〉》”…ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々]",
        )
    )
)


def split_phrases(text: str, lang: str) -> tuple[str, ...]:
    """Return the phrases of a Japanese headline; empty if it has only one or is in another language.

    Joined, they are the headline: a space is at the end of a phrase, never at its beginning.
    """
    if lang.split("-", maxsplit=1)[0] != "ja" or len(text) > _MAX_CHARACTERS:
        return ()
    phrases = _join_short_end(_join_unbroken(_move_spaces(_parser().parse(text.strip()))))
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


def _join_unbroken(phrases: Iterable[str]) -> list[str]:
    """Return phrases of which those are joined that are one word, or a number and its counter."""
    joined: list[str] = []
    for phrase in phrases:
        if joined and _UNBROKEN.search(f"{joined[-1]}{_BREAK}{phrase}"):
            joined[-1] += phrase
        else:
            joined.append(phrase)
    return joined


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
