"""Words: by them the text of a post is recognised in a page that another program has made of it."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from feeds.core.posts.text import CJK

#: Neither signs nor `_`, which programs change (quotation marks, dashes, emphasis); `don't` is two words.
_WORD = re.compile(r"[^\W_]+")


def split_words(text: str) -> list[str]:
    """Return the words of *text* in lower case; each Han character and kana is one."""
    folded = text.casefold()
    if not folded.isascii():
        folded = CJK.sub(r" \g<0> ", folded)
    return _WORD.findall(folded)


def element_words(element: Any) -> list[str]:
    """Return the words of an lxml element, without those of its comments."""
    return split_words(" ".join(element.itertext("*")))


def count_common(one: Counter[str], other: Counter[str]) -> int:
    """Return how many words two texts have in common, each as often as both have it."""
    small, large = sorted((one, other), key=len)
    return sum(min(number, large[word]) for word, number in small.items() if word in large)


class OwnText:
    """The words of a post as its author has written them."""

    def __init__(
        self,
        words: Sequence[str],
        *,
        hidden: Sequence[str],
        facts: Sequence[str],
        title: str,
        source: str,
        has_templates: bool,
    ) -> None:
        #: Of the text, each as often as it occurs; without template tags.
        self.counts = Counter(words)
        self.size = len(words)
        #: Words that the page may show too: arguments of template tags, descriptions of pictures.
        self._known = frozenset((*words, *hidden))
        self._pairs = frozenset(pairwise(words)) | frozenset(pairwise(hidden))
        #: Of the front matter: title, authors, tags, dates.
        self.facts = frozenset(facts)
        self.title = split_words(title)
        #: The Markdown.
        self.source = source
        #: Embedded pictures and players.
        self.media = 0
        #: True if the generator may add text of its own: the source has template tags.
        self.has_templates = has_templates

    def recall(self, words: Sequence[str]) -> float:
        """Return which part of the text is among *words*, 0 to 1; 1 if the post has no words."""
        return count_common(self.counts, Counter(words)) / self.size if self.size else 1.0

    def matched(self, words: Sequence[str]) -> int:
        """Return how many words of the text are among *words*."""
        return count_common(self.counts, Counter(words))

    def is_own(self, words: Sequence[str]) -> bool:
        """Return whether a passage is the author's: half of its pairs of words are in the text."""
        pairs = list(pairwise(words))
        if not pairs:
            return all(word in self._known for word in words)
        return 2 * sum(pair in self._pairs for pair in pairs) >= len(pairs)

    def are_facts(self, words: Sequence[str]) -> bool:
        """Return whether a passage says nothing but what the front matter says, and numbers."""
        return bool(words) and all(word in self.facts or word.isdigit() for word in words)

    def mentions(self, url: str) -> bool:
        """Return whether the author has written a link to *url*, its host aside."""
        return (
            bool(path := url.partition("://")[2].partition("/")[2] or url.strip("/")) and path.strip("/") in self.source
        )
