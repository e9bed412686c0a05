"""Tags for posts that have none, from the site's own tagged posts, each with its reason.

The nearest tagged posts vote (k nearest neighbours, Fix and Hodges 1951) by the words they share with the post: the
cosine of the sets of words, each word weighted by its inverse document frequency (Spärck Jones 1972). A tag is
suggested when it has most of the votes *and* when a few of the shared words say why: among all tagged posts that hold
these words, most carry the tag. Nothing is learned elsewhere and nothing depends on chance or order.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

#: A post is compared with so many others.
_NEIGHBOURS = 15
#: The part of the votes that a tag must have. Measured by leaving out each post in turn; see docs/design.md.
_ENOUGH = 0.65
#: Fewer posts are no pattern.
_FEWEST_POSTS = 3
#: A reason has so many words.
_FEWEST_WORDS, _MOST_WORDS = 2, 3
#: So many shared words are tried as reasons.
_TRIED = 30
#: A word in more than this part of the posts says nothing about any.
_COMMON = 0.3
#: A reason holds when at least this part of the posts with its words carry the tag.
_HOLDS = 0.7

_UNWRITTEN = re.compile(r"https?://\S+|\]\([^)\s]*|<[^<>]*>|{{.*?}}|{%.*?%}", re.DOTALL)
_CJK = r"\u3041-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(
    rf"(?P<han>[\u3400-\u9fff\uf900-\ufaff]+)|[\u30a1-\u30ff]{{2,}}|[^\W\d_{_CJK}][^\W_{_CJK}]{{2,}}",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """A tag that a post could carry, and why."""

    path: str
    tag: str
    #: Words of this post, the most telling first.
    because: tuple[str, ...]
    #: So many tagged posts with these words carry the tag, …
    posts: int
    #: … of so many with these words.
    of: int


def tokenize(title: str, markdown: str) -> frozenset[str]:
    """Return the words of a post as they are compared: NFKC, case-folded, addresses and elements left out.

    Scripts with spaces give words of three letters or more, katakana its runs, Han its pairs of neighbours; hiragana is
    mostly grammar and gives nothing.
    """
    text = unicodedata.normalize("NFKC", _UNWRITTEN.sub(" ", f"{title}\n{markdown}")).casefold()
    return frozenset(word for found in _WORD.finditer(text) for word in _parts(found))


def _parts(found: re.Match[str]) -> Iterator[str]:
    run = found["han"]
    if run is None:
        yield found[0]
    else:
        yield from (run[at : at + 2] for at in range(len(run) - 1))


def suggest_tags(
    tagged: Mapping[str, tuple[Iterable[str], frozenset[str]]],
    untagged: Mapping[str, frozenset[str]],
) -> list[Suggestion]:
    """Return suggestions for *untagged* (path -> words), by path, the surest first.

    *tagged* holds path -> (tags, words) of the posts to learn from.
    """
    if not untagged:
        return []
    site = _Tagged(tagged)
    return [found for path in sorted(untagged) for found in site.suggestions(path, untagged[path])]


def extra_tags(suggestions: Iterable[Suggestion]) -> dict[str, tuple[str, ...]]:
    """Return the suggested tags of each path, for `tags.suggest = "apply"`."""
    found: dict[str, list[str]] = {}
    for suggestion in suggestions:
        found.setdefault(suggestion.path, []).append(suggestion.tag)
    return {path: tuple(names) for path, names in found.items()}


class _Tagged:
    """The tagged posts, by word."""

    def __init__(self, tagged: Mapping[str, tuple[Iterable[str], frozenset[str]]]) -> None:
        paths = sorted(tagged)
        self._tags = [frozenset(tagged[path][0]) for path in paths]
        texts = [tagged[path][1] for path in paths]
        frequency = Counter(word for text in texts for word in text)
        most = max(_COMMON * len(texts), _FEWEST_POSTS)
        #: Squared inverse document frequency of the words that can tell posts apart.
        self._weight = {
            word: math.log((len(texts) + 1) / number) ** 2 for word, number in frequency.items() if 1 < number <= most
        }
        self._posts: dict[str, set[int]] = {word: set() for word in self._weight}
        self._norm: list[float] = []
        for number, text in enumerate(texts):
            telling = sorted(text & self._weight.keys())  # sums of floats depend on their order; sets have none
            self._norm.append(math.sqrt(sum(self._weight[word] for word in telling)))
            for word in telling:
                self._posts[word].add(number)

    def suggestions(self, path: str, text: frozenset[str]) -> Iterator[Suggestion]:
        """Yield what the post's neighbours carry, the surest first."""
        telling = sorted(text & self._weight.keys())
        near = self._nearest(telling)
        votes: dict[str, float] = {}
        for number, alike in near.items():
            for tag in sorted(self._tags[number]):
                votes[tag] = votes.get(tag, 0.0) + alike
        enough = _ENOUGH * sum(near.values())
        for tag, vote in sorted(votes.items(), key=lambda found: (-found[1], found[0])):
            if vote >= enough and (reason := self._reason(tag, telling, near)):
                because, posts, of = reason
                yield Suggestion(path=path, tag=tag, because=because, posts=posts, of=of)

    def _nearest(self, telling: list[str]) -> dict[int, float]:
        """Return the nearest posts with how alike each is."""
        shared: dict[int, float] = {}
        for word in telling:
            weight = self._weight[word]
            for number in self._posts[word]:
                shared[number] = shared.get(number, 0.0) + weight
        alike = {number: weight / self._norm[number] for number, weight in shared.items()}
        return dict(sorted(alike.items(), key=lambda found: (-found[1], found[0]))[:_NEIGHBOURS])

    def _reason(
        self, tag: str, telling: list[str], near: Mapping[int, float]
    ) -> tuple[tuple[str, ...], int, int] | None:
        """Return words that say why, how many posts with all of them carry *tag*, and how many there are."""
        carrying = {number for number in near if tag in self._tags[number]}
        if len(carrying) < _FEWEST_POSTS:
            return None
        told = {word: len(self._posts[word] & carrying) * self._weight[word] for word in telling}
        tried = sorted(telling, key=lambda word: (-told[word], word))[:_TRIED]
        chosen: list[str] = []
        holding: set[int] | None = None
        while len(chosen) < _MOST_WORDS:
            best = max(
                (
                    (self._sure(tag, self._with(word, holding)), told[word], word)
                    for word in tried
                    if word not in chosen
                ),
                default=(0.0, 0.0, ""),
            )
            if not best[0]:
                break
            chosen.append(best[2])
            holding = self._with(best[2], holding)
        if len(chosen) < _FEWEST_WORDS or holding is None:
            return None
        posts = sum(tag in self._tags[number] for number in holding)
        return (tuple(chosen), posts, len(holding)) if posts >= _HOLDS * len(holding) else None

    def _with(self, word: str, holding: set[int] | None) -> set[int]:
        return self._posts[word] if holding is None else self._posts[word] & holding

    def _sure(self, tag: str, holding: set[int]) -> float:
        """Return how surely posts with these words carry *tag* (Laplace's rule of succession); 0 for too few posts."""
        posts = sum(tag in self._tags[number] for number in holding)
        return (posts + 1) / (len(holding) + 2) if posts >= _FEWEST_POSTS else 0.0
