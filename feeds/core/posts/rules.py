"""Tag rules: the tags that a text gets for the words in it. One pass finds the words of all rules.

Words are compared after Unicode's toNFKC_Casefold (The Unicode Standard, 3.13), so width, case, ligatures and
invisible characters make no difference. Only whole words (UAX #29) match: not a part of a longer word or number of a
script that puts spaces between words, such as Latin, Cyrillic, Greek, Arabic, Devanagari or Hangul. Scripts without
such spaces (Han, kana, Thai and others) have no word boundaries, so next to their characters everything matches.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from feeds.settings import TagRule

#: Soft hyphens, joiners, direction marks, variation selectors: the common part of Default_Ignorable_Code_Point.
_INVISIBLE = re.compile(
    r"[\xad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]"
)


class TagMatcher:
    """The rules of a site, compiled into one automaton."""

    def __init__(self, rules: Iterable[TagRule]) -> None:
        from ahocorasick_rs import AhoCorasick

        self._tags: list[str] = []
        #: Word -> the numbers of its rules.
        words: dict[str, list[int]] = {}
        for number, rule in enumerate(rules):
            self._tags.append(rule.tag)
            for word in filter(None, map(_casefold, rule.match)):
                words.setdefault(word, []).append(number)
        self._rules_by_word = list(words.values())
        self._automaton = AhoCorasick(list(words))

    def tags_in(self, text: str) -> tuple[str, ...]:
        """Return the tags of all rules that match *text*, each once, in the order of the rules.

        No match goes across a line break in *text*.
        """
        folded = _casefold(text)
        matched: set[int] = set()
        for word, start, end in self._automaton.find_matches_as_indexes(folded, overlapping=True):
            rules = self._rules_by_word[word]
            if not matched.issuperset(rules) and _is_whole_word(folded, start, end):
                matched.update(rules)
        return tuple(dict.fromkeys(self._tags[number] for number in sorted(matched)))


_last_matcher: dict[int, tuple[tuple[TagRule, ...], TagMatcher]] = {}


def tags_in(text: str, rules: tuple[TagRule, ...]) -> tuple[str, ...]:
    """Return the tags that *rules* give *text*; see `TagMatcher.tags_in`.

    The matcher of the last rules is cached by their identity: hashing thousands of rules takes longer than a post.
    """
    if not rules:
        return ()
    cached, matcher = _last_matcher.get(id(rules), (None, None))
    if cached is not rules or matcher is None:
        matcher = TagMatcher(rules)
        _last_matcher.clear()
        _last_matcher[id(rules)] = (rules, matcher)
    return matcher.tags_in(text)


def _casefold(text: str) -> str:
    """Return *text* for comparison. Most lines are ASCII, for which `lower` does the same and is faster."""
    if text.isascii():
        return text.lower()
    return "\n".join(line.lower() if line.isascii() else _nfkc_casefold(line) for line in text.split("\n"))


def _nfkc_casefold(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _INVISIBLE.sub("", folded)


def _is_whole_word(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    if after and _is_mark(after):  # a part of a grapheme never matches, in any script
        return False
    return not (before and _continues_word(before) and _is_spaced(text[start])) and not (
        after and _continues_word(after) and _is_spaced(text[end - 1])
    )


@lru_cache(maxsize=4096)
def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


@lru_cache(maxsize=4096)
def _continues_word(character: str) -> bool:
    """Return whether *character* is part of a word (UAX #29; `_` is one), in a script with spaces between words."""
    import regex

    inside = r"[\p{WB=ALetter}\p{WB=Hebrew_Letter}\p{WB=Numeric}\p{WB=ExtendNumLet}\p{WB=Extend}]"
    return regex.match(inside, character) is not None and _is_spaced(character)


@lru_cache(maxsize=4096)
def _is_spaced(character: str) -> bool:
    """Return whether *character* is of a script that puts spaces between words; emoji are not."""
    import regex

    spaceless = r"\p{Line_Break=SA}\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Bopomofo}\p{Extended_Pictographic}"
    return regex.match(f"[{spaceless}]", character) is None
