"""Words: by them the text of a post is recognised in a page that another program has made of it."""

import re
from collections.abc import Collection, Sequence
from functools import cache, cached_property
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import unquote

from feeds.core.posts.text import CJK

#: Signs in ASCII, which programs change (quotation marks, dashes, emphasis), part words: `don't` is two.
_SIGNS = bytes(set(range(128)) - set(b"0123456789abcdefghijklmnopqrstuvwxyz"))
_TO_SPACE = bytes.maketrans(_SIGNS, b" " * len(_SIGNS))
#: Signs of other scripts, and those that typographers prefer.
_WIDE_SIGNS = re.compile(
    "[\x80-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\u2000-\u206f\u20a0-\u27ff\u3000-\u3003\u3008-\u301f\uff00-\uff0f]+"
)
#: Of an address: names of files and folders, and ids of films.
_PART_OF_ADDRESS = re.compile(r"[\w-]{4,}")
_COMMON_PARTS = frozenset(
    {"images", "image", "assets", "static", "media", "uploads", "files", "posts", "post", "blog", "content", "embed"}
    | {"jpeg", "webp", "avif", "html", "http", "https", "watch", "video", "width", "height", "_astro"}
)
#: The beginning of a passage decides whether it is the author's.
_MOST_COMPARED = 80
#: With fewer words, a post is not recognised by their pairs.
FEW_WORDS = 8
#: So many pairs, and this part of them, may be others in the page: generators set quotations, emoji and formulas.
_FEW_CHANGED, _MOST_CHANGED = 3, 0.1
#: By so many words the end of an excerpt is recognised.
_LAST_WORDS = 8


def split_words(text: str) -> list[bytes]:
    """Return the words of *text* in lower case, as UTF-8; each Han character and kana is one."""
    folded = text.casefold()
    if not folded.isascii():
        folded = _WIDE_SIGNS.sub(" ", folded)
        if CJK.search(folded):
            folded = CJK.sub(r" \g<0> ", folded)
    return folded.encode(errors="replace").translate(_TO_SPACE).split()


def element_text(element: Any) -> str:
    """Return the text of an lxml element, without that of its comments; a space parts what elements part."""
    return " ".join(compile_xpath("descendant::text()")(element))


@cache
def compile_xpath(path: str) -> Any:
    """Return an XPath as a function of an element; it finds elements many times as fast as a loop over all."""
    from lxml.etree import XPath

    return XPath(path, smart_strings=False)


def element_words(element: Any) -> list[bytes]:
    """Return the words of an lxml element, without those of its comments."""
    return split_words(element_text(element))


def count_passage(text: Sequence[bytes], passage: Sequence[bytes]) -> int:
    """Return how often a passage is in a text; both are words."""
    # Two spaces, since two passages that follow each other would share one.
    return _spaced(text).count(_spaced(passage))


def _spaced(words: Sequence[bytes]) -> bytes:
    return b" " + b"  ".join(words) + b" "


@cache
def _split_once(text: str) -> frozenset[bytes]:
    return frozenset(split_words(text))


class PostSource(NamedTuple):
    """What the file of a post says."""

    #: The Markdown.
    body: str
    #: Its plain text, without template tags.
    text: str
    #: Words that the page may show too: arguments of template tags, descriptions of pictures.
    hidden: str
    title: str
    #: All values of the front matter.
    values: Collection[str]
    #: Words around such values.
    around_values: str
    #: How many pictures and players the text has.
    media: int
    #: True if the generator may add text of its own: there are template tags.
    has_templates: bool
    #: True if the first and the last line are the author's: what a page has beyond them is not the post's.
    begins_in_words: bool
    ends_in_words: bool
    #: The text above the mark that ends the excerpt; empty without one.
    above_mark: str
    #: True if words are neither in an element nor between the tags of a pair: their element is around all of the text.
    has_loose_words: bool
    #: How many words are in TeX, of which a page may have none.
    formula_words: int


class OwnText:
    """The words of a post as its author has written them."""

    def __init__(self, source: PostSource) -> None:
        self.source = source
        words, hidden_words = split_words(source.text), split_words(source.hidden)
        self._words = words
        self.size = len(words)
        self._pairs = frozenset(pairwise(words))
        self._known_pairs = self._pairs.union(pairwise(hidden_words)) if hidden_words else self._pairs
        self._facts = _split_once(source.around_values).union(split_words("\n".join(source.values)))
        self.title = split_words(source.title)
        self._last_above = split_words(source.above_mark)[-_LAST_WORDS:]

    def matched(self, words: Sequence[bytes]) -> int:
        """Return how many different pairs of neighbouring words of the text are among *words*."""
        return len(self._pairs.intersection(pairwise(words)))

    @property
    def all_pairs(self) -> int:
        """How many pairs an element has that holds the whole text as it was written."""
        return len(self._pairs)

    @cached_property
    def _lines(self) -> frozenset[tuple[bytes, ...]]:
        """What the front matter says: title, description, names."""
        return frozenset(tuple(split_words(value)) for value in self.source.values)

    def recall(self, matched: int) -> float:
        """Return which part of the text a number of matched pairs is, 0 to 1."""
        return matched / len(self._pairs) if self._pairs else 1.0

    def foreign(self, words: Sequence[bytes]) -> float:
        """Return which part of *words* is not the author's, 0 to 1."""
        return 1 - sum(map(self._known_pairs.__contains__, pairwise(words))) / max(1, len(words) - 1)

    def is_enough(self, words: Sequence[bytes], matched: int) -> bool:
        """Return whether *words*, of which *matched* pairs are the text's, hold all but what generators change.

        Of 547 pages of two real sites, 546 have 90 % of the pairs or more; the other one is not the page of its post.
        """
        if self.size < FEW_WORDS:
            return 2 * len(set(self._words).intersection(words)) >= len(set(self._words))
        return self.all_pairs - matched <= _FEW_CHANGED + _MOST_CHANGED * self.all_pairs + self.source.formula_words

    def has_part(self, words: Sequence[bytes]) -> bool:
        """Return whether some of the text is in *words*."""
        return self.matched(words) > 0 or (self.size == 1 and self._words[0] in words)

    def is_own(self, words: Sequence[bytes]) -> bool:
        """Return whether a passage is the author's: half of its pairs of words are in the text.

        Few words have too few pairs: most of the words.
        """
        if len(words) == 1 or 0 < self.size < FEW_WORDS:
            return 2 * sum(word in self._words for word in words) > len(words)
        return 2 * self.foreign(words[:_MOST_COMPARED]) <= 1

    def are_facts(self, words: Sequence[bytes]) -> bool:
        """Return whether a passage says nothing but what the front matter says, and numbers."""
        return bool(words) and all(word in self._facts or word.isdigit() for word in words)

    def part_of_facts(self, words: Sequence[bytes]) -> float:
        """Return which part of *words* the front matter says, or is a number, 0 to 1."""
        return sum(word in self._facts or word.isdigit() for word in words) / max(1, len(words))

    def has_fact(self, words: Sequence[bytes]) -> bool:
        """Return whether a passage has a word or number of the front matter, or around such."""
        return not self._facts.isdisjoint(words)

    def is_line_of_front_matter(self, words: Sequence[bytes]) -> bool:
        """Return whether a passage is a value of the front matter, such as the description."""
        return tuple(words) in self._lines

    def count_passage(self, words: Sequence[bytes]) -> int:
        """Return how often the author has written a passage."""
        return count_passage(self._words, words)

    def mentions(self, url: str) -> bool:
        """Return whether the author has written a link to *url*, its host aside."""
        path = (url.partition("://")[2].partition("/")[2] if "://" in url else url).strip("/")
        return bool(path) and re.search(rf"(?<![\w-]){re.escape(path)}(?![\w-])", self.source.body) is not None

    def names_file(self, url: str) -> bool:
        """Return whether the author has named the file or film at *url*, which a program may have moved and renamed."""
        parts = _PART_OF_ADDRESS.findall(unquote(url.partition("://")[2].partition("/")[2] if "://" in url else url))
        return any(part in self.source.body for part in parts if part.lower() not in _COMMON_PARTS)

    def ends_excerpt(self, passage: str) -> bool:
        """Return whether a passage ends as the text above the mark does."""
        words = split_words(passage)[-_LAST_WORDS:]
        return bool(words) and words == self._last_above[-len(words) :]
