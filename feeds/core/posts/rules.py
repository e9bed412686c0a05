"""Tag rules: which tags a text gets for the words in it, in one pass however many rules there are.

Words are compared as Unicode's toNFKC_Casefold has them (The Unicode Standard, 3.13): width, case, ligatures and
marks that nobody sees make no difference. A word counts only whole, as UAX #29 has words: not inside a longer word or
number of a script that puts spaces between words, such as Latin, Cyrillic, Greek, Arabic, Devanagari or Hangul. Han,
kana, Thai and their like have no such places, so next to them nothing is asked for.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from feeds.settings import TagRule

#: Soft hyphens, joiners, direction marks, variation selectors: the most frequent of Default_Ignorable_Code_Point.
_UNSEEN = re.compile(
    r"[\xad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]"
)


class TagMatcher:
    """The rules of a site, made ready once."""

    def __init__(self, rules: Iterable[TagRule]) -> None:
        from ahocorasick_rs import AhoCorasick  # noqa: PLC0415 - most sites have no rules

        self._tags: list[str] = []
        #: Word -> the places of its rules.
        words: dict[str, list[int]] = {}
        for place, rule in enumerate(rules):
            self._tags.append(rule.tag)
            for word in filter(None, map(_folded, rule.match)):
                words.setdefault(word, []).append(place)
        self._places = list(words.values())
        self._automaton = AhoCorasick(list(words))

    def tags_in(self, text: str) -> tuple[str, ...]:
        """Return the tags of all rules that match *text*, each once, in the order of the rules.

        A line break in *text* ends whatever stands before it: no word is found across one.
        """
        folded = _folded(text)
        found: set[int] = set()
        for word, start, end in self._automaton.find_matches_as_indexes(folded, overlapping=True):
            places = self._places[word]
            if not found.issuperset(places) and _is_whole(folded, start, end):
                found.update(places)
        return tuple(dict.fromkeys(self._tags[place] for place in sorted(found)))


_ready: dict[int, tuple[tuple[TagRule, ...], TagMatcher]] = {}


def tags_in(text: str, rules: tuple[TagRule, ...]) -> tuple[str, ...]:
    """Return the tags that *rules* give *text*; see `Rules.tags_in`. Without rules it costs nothing.

    The last rules are kept ready. They are known by identity: hashing thousands of them costs more than a post does.
    """
    if not rules:
        return ()
    kept, ready = _ready.get(id(rules), (None, None))
    if kept is not rules or ready is None:
        ready = TagMatcher(rules)
        _ready.clear()
        _ready[id(rules)] = (rules, ready)
    return ready.tags_in(text)


def _folded(text: str) -> str:
    """Return *text* as words are compared; its ASCII lines, most lines of most texts, take the short way."""
    if text.isascii():
        return text.lower()
    return "\n".join(line.lower() if line.isascii() else _caseless(line) for line in text.split("\n"))


def _caseless(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _UNSEEN.sub("", folded)


def _is_whole(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    if after and _is_mark(after):  # half a grapheme is no match in any script
        return False
    return not (before and _is_letter(before) and _has_words(text[start])) and not (
        after and _is_letter(after) and _has_words(text[end - 1])
    )


@lru_cache(maxsize=4096)
def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


@lru_cache(maxsize=4096)
def _is_letter(character: str) -> bool:
    """Return whether *character* is of a word, in a script where words end somewhere; `_` is (UAX #29)."""
    import regex  # noqa: PLC0415 - slow to load, and asked only where a rule's word stands

    inside = r"[\p{WB=ALetter}\p{WB=Hebrew_Letter}\p{WB=Numeric}\p{WB=ExtendNumLet}\p{WB=Extend}]"
    return regex.match(inside, character) is not None and _has_words(character)


@lru_cache(maxsize=4096)
def _has_words(character: str) -> bool:
    """Return whether *character* is of a script that puts spaces between words; no emoji is."""
    import regex  # noqa: PLC0415 - as above

    spaceless = r"\p{Line_Break=SA}\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Bopomofo}\p{Extended_Pictographic}"
    return regex.match(f"[{spaceless}]", character) is None
