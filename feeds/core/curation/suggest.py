"""Tag suggestions for posts without tags, each with its reason, from the tagged posts of the same site.

The most similar tagged posts vote (k nearest neighbours, Fix and Hodges 1951). Similarity is the cosine of the sets of
words, each word weighted by its inverse document frequency (Spärck Jones 1972). A tag is suggested if it has most of
the votes and if a few of the shared words are a reason: of all tagged posts with these words, most have the tag. The
result depends on the posts of the site only, not on their order.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

#: Posts that vote.
_NEIGHBOURS = 15
#: The share of votes that a tag needs. Measured by leaving out each post in turn; see docs/design.md.
_MIN_VOTES = 0.65
#: Posts that must have the tag, among the neighbours and among those with the words of a reason.
_MIN_POSTS = 3
#: Words in a reason.
_MIN_WORDS, _MAX_WORDS = 2, 3
#: Shared words that are tried in reasons.
_TRIED = 30
#: Words in a larger share of the posts are ignored.
_COMMON = 0.3
#: The share of the posts with the words of a reason that must have the tag.
_MIN_CONFIDENCE = 0.7

_NOT_WORDS = re.compile(r"https?://\S+|\]\([^)\s]*|<[^<>]*>|{{.*?}}|{%.*?%}", re.DOTALL)
_CJK = r"\u3041-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(
    rf"(?P<han>[\u3400-\u9fff\uf900-\ufaff]+)|[\u30a1-\u30ff]{{2,}}|[^\W\d_{_CJK}][^\W_{_CJK}]{{2,}}",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """A tag for a post, and the reason."""

    path: str
    tag: str
    #: Words of this post, the most significant first.
    because: tuple[str, ...]
    #: The number of tagged posts with these words that have the tag.
    posts: int
    #: The number of tagged posts with these words.
    of: int


def tokenize(title: str, markdown: str) -> frozenset[str]:
    """Return the words of a post for comparison: NFKC, case-folded, without addresses and elements.

    Scripts with spaces give words of at least three letters, katakana gives its runs, Han gives pairs of neighbouring
    characters. Hiragana, mostly grammar, gives nothing.
    """
    text = unicodedata.normalize("NFKC", _NOT_WORDS.sub(" ", f"{title}\n{markdown}")).casefold()
    return frozenset(word for match in _WORD.finditer(text) for word in _split_han(match))


def _split_han(match: re.Match[str]) -> Iterator[str]:
    run = match["han"]
    if run is None:
        yield match[0]
    else:
        yield from (run[at : at + 2] for at in range(len(run) - 1))


def suggest_tags(
    tagged: Mapping[str, tuple[Iterable[str], frozenset[str]]],
    untagged: Mapping[str, frozenset[str]],
) -> list[Suggestion]:
    """Return suggestions for *untagged* (path -> words), by path, those with most votes first.

    *tagged* is path -> (tags, words) of the tagged posts.
    """
    if not untagged:
        return []
    index = _TaggedPosts(tagged)
    return [suggestion for path in sorted(untagged) for suggestion in index.suggest(path, untagged[path])]


def extra_tags(suggestions: Iterable[Suggestion]) -> dict[str, tuple[str, ...]]:
    """Return the suggested tags of each path, for `tags.suggest = "apply"`."""
    by_path: dict[str, list[str]] = {}
    for suggestion in suggestions:
        by_path.setdefault(suggestion.path, []).append(suggestion.tag)
    return {path: tuple(tags) for path, tags in by_path.items()}


class _TaggedPosts:
    """An index of the tagged posts (by number) by word."""

    def __init__(self, tagged: Mapping[str, tuple[Iterable[str], frozenset[str]]]) -> None:
        paths = sorted(tagged)
        self._tags = [frozenset(tagged[path][0]) for path in paths]
        texts = [tagged[path][1] for path in paths]
        frequency = Counter(word for text in texts for word in text)
        max_frequency = max(_COMMON * len(texts), _MIN_POSTS)
        #: Squared inverse document frequency of each significant word: neither unique nor common.
        self._weight = {
            word: math.log((len(texts) + 1) / number) ** 2
            for word, number in frequency.items()
            if 1 < number <= max_frequency
        }
        self._posts: dict[str, set[int]] = {word: set() for word in self._weight}
        self._norm: list[float] = []
        for number, text in enumerate(texts):
            words = self._significant(text)
            self._norm.append(math.sqrt(sum(self._weight[word] for word in words)))
            for word in words:
                self._posts[word].add(number)

    def _significant(self, text: frozenset[str]) -> list[str]:
        """Return the words that have a weight. Sorted, because sums of floats depend on their order."""
        return sorted(text & self._weight.keys())

    def suggest(self, path: str, text: frozenset[str]) -> Iterator[Suggestion]:
        """Yield the tags of the most similar posts, those with most votes first."""
        words = self._significant(text)
        neighbours = self._find_neighbours(words)
        votes: dict[str, float] = {}
        for number, similarity in neighbours.items():
            for tag in sorted(self._tags[number]):
                votes[tag] = votes.get(tag, 0.0) + similarity
        min_votes = _MIN_VOTES * sum(neighbours.values())
        for tag, vote in sorted(votes.items(), key=lambda item: (-item[1], item[0])):
            if vote >= min_votes and (reason := self._find_reason(tag, words, neighbours)):
                because, posts, of = reason
                yield Suggestion(path=path, tag=tag, because=because, posts=posts, of=of)

    def _find_neighbours(self, words: list[str]) -> dict[int, float]:
        """Return the most similar posts with their similarities."""
        shared: dict[int, float] = {}
        for word in words:
            weight = self._weight[word]
            for number in self._posts[word]:
                shared[number] = shared.get(number, 0.0) + weight
        similarities = {number: weight / self._norm[number] for number, weight in shared.items()}
        return dict(sorted(similarities.items(), key=lambda item: (-item[1], item[0]))[:_NEIGHBOURS])

    def _find_reason(
        self, tag: str, words: list[str], neighbours: Mapping[int, float]
    ) -> tuple[tuple[str, ...], int, int] | None:
        """Return words that most often go with *tag*, how many posts with all of them have it, and how many there are.

        The words are chosen one by one, each time the one with the highest confidence.
        """
        tagged = {number for number in neighbours if tag in self._tags[number]}
        if len(tagged) < _MIN_POSTS:
            return None
        score = {word: len(self._posts[word] & tagged) * self._weight[word] for word in words}
        tried = sorted(words, key=lambda word: (-score[word], word))[:_TRIED]
        chosen: list[str] = []
        posts: set[int] | None = None
        while len(chosen) < _MAX_WORDS:
            best = max(
                (
                    (self._confidence(tag, self._posts_with(word, posts)), score[word], word)
                    for word in tried
                    if word not in chosen
                ),
                default=(0.0, 0.0, ""),
            )
            if not best[0]:
                break
            chosen.append(best[2])
            posts = self._posts_with(best[2], posts)
        if len(chosen) < _MIN_WORDS or posts is None:
            return None
        number = sum(tag in self._tags[post] for post in posts)
        return (tuple(chosen), number, len(posts)) if number >= _MIN_CONFIDENCE * len(posts) else None

    def _posts_with(self, word: str, posts: set[int] | None) -> set[int]:
        return self._posts[word] if posts is None else self._posts[word] & posts

    def _confidence(self, tag: str, posts: set[int]) -> float:
        """Return the estimated share of such posts that have *tag* (Laplace's rule of succession); 0 if too few do."""
        number = sum(tag in self._tags[post] for post in posts)
        return (number + 1) / (len(posts) + 2) if number >= _MIN_POSTS else 0.0
