"""Which posts are the same post again.

The same id, the same text, or nearly the same text. Similarity is the Jaccard index of the sets of 5-character
shingles of the normalised plain text. Never the same are posts in different languages (an untranslated page may equal
its original); posts whose digits differ (release notes and monthly notices are instalments: they stay, and are reported
to whoever asks); and posts of less than `SHORT` characters, unless title, target and text all are the same.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import chain, zip_longest

from feeds.core.posts import text
from feeds.core.posts.sketch import sketch_hashes
from feeds.model import DuplicateKind, DuplicatePair, Post, TextSimilarity
from feeds.settings import DuplicateSettings

#: Below so many characters a text says too little to know a post by.
SHORT = 200
_SHINGLE = 5
#: A pair whose sketches share less than this part of the smaller one is not looked at. Texts with a similarity of 0.85
#: share twice as much, however the edits are spread (`feeds.core.posts.sketch`).
_SHARED = 0.2
_LEAST_SHARED = 2

#: Two texts, by their digests, the smaller first.
Pair = tuple[str, str]


def pair_key(one: Post, other: Post) -> Pair:
    """Return the name under which the likeness of two posts' texts is known."""
    a, b = one.text_digest, other.text_digest
    return (a, b) if a <= b else (b, a)


def text_key(post: Post) -> tuple[str, str]:
    """Return what posts share that have the same text in the same language."""
    return (post.lang, post.text_digest)


# Looking for pairs ------------------------------------------------------------------------------------------------


def candidate_pairs(
    posts: Sequence[Post], fresh: Collection[tuple[str, str]], known: Collection[Pair]
) -> Iterator[tuple[Post, Post]]:
    """Yield the pairs of posts whose texts have to be compared; pairs in *known* were.

    Of texts that were looked at before nothing new can come: one of a near pair has its mark in *fresh*. Whether a pair
    is yielded depends on its two posts only, so that looking at a few posts finds what looking at all does.
    """
    near = _sharing_much(posts, fresh, lambda post: post.digits_hash) if fresh else ()
    found = chain(_same_text_other_title(posts), near)
    return ((one, other) for one, other in found if pair_key(one, other) not in known)


def _same_text_other_title(posts: Iterable[Post]) -> Iterator[tuple[Post, Post]]:
    """Yield pairs for which it matters how long their text is, and whether it is text at all."""
    first: dict[tuple[str, str], Post] = {}
    for post in posts:
        other = first.setdefault(text_key(post), post)
        if other is not post and _whole(other) != _whole(post):
            yield post, other


def instalment_pairs(posts: Iterable[Post]) -> Iterator[tuple[Post, Post]]:
    """Yield each post that may be an instalment, with the one it shares most with, of those before it in time."""
    every = sorted(posts, key=lambda p: (p.published, p.path))
    place = {post.path: n for n, post in enumerate(every)}
    nearest: dict[str, tuple[int, Post]] = {}
    for one, other in _sharing_much(every, {text_key(post) for post in every}, lambda _: 0):
        if one.digits_hash != other.digits_hash:
            earlier, later = sorted((one, other), key=lambda p: place[p.path])
            shared = len(set(sketch_hashes(one.sketch)) & set(sketch_hashes(other.sketch)))
            nearest[later.path] = max(nearest.get(later.path, (0, earlier)), (shared, earlier), key=lambda n: n[0])
    yield from ((every[place[path]], earlier) for path, (_, earlier) in nearest.items())


def _sharing_much(
    posts: Iterable[Post], fresh: Collection[tuple[str, str]], row: Callable[[Post], int]
) -> Iterator[tuple[Post, Post]]:
    """Yield pairs of posts in one language whose sketches share enough; only posts in the same *row* are looked at."""
    texts = _rows(posts, row)
    new = [texts[m] for m in fresh if m in texts]
    old = (post for m, post in texts.items() if m not in fresh)
    counts, wanted = _shared_hashes(texts.values(), new)
    rows: dict[int, _Index] = defaultdict(lambda: defaultdict(list))
    for n, post in enumerate(chain(new, old)):
        sketch = sketch_hashes(post.sketch)
        shared = wanted.intersection(sketch)
        if len(shared) < _least(len(sketch)):
            continue
        # Two sketches that share this many have one of them among their rarest (Chaudhuri et al., "A primitive operator
        # for similarity joins", ICDE 2006), so the hashes of boilerplate, which thousands of posts have, lead nowhere.
        rarest = sorted(shared, key=lambda h: (counts[h], h))[: len(shared) + 1 - _least(len(sketch))]
        whole, index = frozenset(sketch), rows[row(post)]
        yield from _met(post, whole, rarest, index)
        for h in rarest if n < len(new) else ():
            index[h].append((post, whole))


def _rows(posts: Iterable[Post], row: Callable[[Post], int]) -> dict[tuple[str, str], Post]:
    """Return one post for each text, less those that are alone in their row: most posts have numbers of their own."""
    texts = {text_key(post): post for post in posts if post.sketch}
    many = Counter((post.lang, row(post)) for post in texts.values())
    return {m: post for m, post in texts.items() if many[post.lang, row(post)] > 1}


_Index = dict[int, list[tuple[Post, frozenset[int]]]]


def _shared_hashes(posts: Collection[Post], new: Sequence[Post]) -> tuple[Counter[int], set[int]]:
    """Return how common hashes are, where that is worth counting, and those that can make a pair."""
    if len(new) * 20 < len(posts):
        return Counter(), set(chain.from_iterable(sketch_hashes(post.sketch) for post in new))
    counts = Counter(chain.from_iterable(sketch_hashes(post.sketch) for post in posts))
    return counts, {h for h, number in counts.items() if number > 1}


def _least(size: int) -> int:
    """Return how many hashes a sketch of this size must share at least: with one half as large."""
    return max(_LEAST_SHARED, int(size * _SHARED / 2))


def _met(post: Post, sketch: frozenset[int], rarest: list[int], index: _Index) -> Iterator[tuple[Post, Post]]:
    """Yield *post* with each post in *index* that it shares enough with."""
    met = {text_key(other): (other, known) for h in rarest for other, known in index.get(h, ())}
    for other, known in met.values():
        smaller, larger = sorted((len(sketch), len(known)))
        enough = 2 * smaller >= larger and len(sketch & known) >= max(_LEAST_SHARED, smaller * _SHARED)
        if enough and post.lang == other.lang:
            yield post, other


def _whole(post: Post) -> Hashable:
    """Return what even posts without text must share to be the same."""
    return (post.lang, post.text_digest, text.normalize(post.title).casefold(), post.external_url)


# Comparing --------------------------------------------------------------------------------------------------------


def compare_texts(one: str, other: str) -> TextSimilarity:
    """Return how alike two normalised plain texts are."""
    return TextSimilarity(
        jaccard=1.0 if one == other else jaccard_similarity(one, other),
        characters=min(len(one), len(other)),
    )


def jaccard_similarity(one: str, other: str) -> float:
    """Return the Jaccard index of the two sets of 5-character shingles, from 0 to 1."""
    a, b = _shingles(one), _shingles(other)
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared)


def _shingles(found: str) -> set[str]:
    return {found[n : n + _SHINGLE] for n in range(max(1, len(found) - _SHINGLE + 1))}


def align_paragraphs(one: Sequence[str], other: Sequence[str]) -> list[tuple[str, str, bool]]:
    """Return the paragraphs of two texts beside each other, and whether they are the same; a gap is an empty text."""
    found = []
    for what, a, b, c, d in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        found += [(left, right, what == "equal") for left, right in zip_longest(one[a:b], other[c:d], fillvalue="")]
    return found


# Deciding ---------------------------------------------------------------------------------------------------------


def find_duplicates(
    posts: Sequence[Post],
    known: Mapping[Pair, TextSimilarity],
    settings: DuplicateSettings,
    remembered: Callable[[Post], bool] = lambda _: False,
) -> list[DuplicatePair]:
    """Return which posts repeat another, and which look as if they did; *known* holds the pairs that were compared.

    One of each group stays: the one that names an id, else one that was published before (a copy never takes the place
    of its original), else the earlier date, else the shorter path. The order of *posts* does not matter.
    """
    staying = _KeptPosts(posts, known, settings)
    found = []
    for post in sorted(
        staying.involved, key=lambda p: (p.declared_id is None, not remembered(p), p.published, len(p.path), p.path)
    ):
        about = staying.find_match(post)
        if about is not None:
            found.append(about)
        if about is None or not about.dropped:
            staying.add(post)
    return found


class _KeptPosts:
    """The posts that stay so far, by what another post could repeat of them."""

    def __init__(
        self, posts: Sequence[Post], known: Mapping[Pair, TextSimilarity], settings: DuplicateSettings
    ) -> None:
        self._known, self._settings = known, settings
        self._ids: dict[str, Post] = {}
        self._texts: dict[tuple[str, str], list[Post]] = {}
        self._near = _neighbours(known, settings)
        texts = Counter(map(text_key, posts))
        ids = Counter(post.declared_id for post in posts if post.declared_id)
        self.involved = [
            post
            for post in posts
            if texts[text_key(post)] > 1 or ids[post.declared_id or ""] > 1 or post.text_digest in self._near
        ]

    def add(self, post: Post) -> None:
        """Let a post stay."""
        self._texts.setdefault(text_key(post), []).append(post)
        if post.declared_id:
            self._ids[post.declared_id] = post

    def find_match(self, post: Post) -> DuplicatePair | None:
        """Return what a post repeats of those that stay: what drops it first, then what is most similar."""
        if post.declared_id and post.declared_id in self._ids:
            return _finding(post, self._ids[post.declared_id], DuplicateKind.ID)
        for other in self._texts.get(text_key(post), ()):
            if _whole(other) == _whole(post) or self._is_long(post, other):
                return _finding(post, other, DuplicateKind.TEXT)
        near = [
            _finding(post, other, DuplicateKind.NEAR, like.jaccard, drop=self._settings.near == "drop")
            for digest, like in self._near.get(post.text_digest, ())
            for other in self._texts.get((post.lang, digest), ())
            if other.digits_hash == post.digits_hash
        ]
        return max(near, key=lambda f: (f.similarity, f.kept.path), default=None)

    def _is_long(self, post: Post, other: Post) -> bool:
        like = self._known.get(pair_key(post, other))
        return like is not None and like.characters >= SHORT


def _neighbours(
    known: Mapping[Pair, TextSimilarity], settings: DuplicateSettings
) -> dict[str, list[tuple[str, TextSimilarity]]]:
    """Return for each text the other texts that are nearly the same."""
    found: dict[str, list[tuple[str, TextSimilarity]]] = {}
    for (one, other), like in known.items():
        if one != other and settings.near != "keep" and _is_near(like, settings):
            found.setdefault(one, []).append((other, like))
            found.setdefault(other, []).append((one, like))
    return found


def describe_instalment(
    post: Post, earlier: Post, like: TextSimilarity, settings: DuplicateSettings
) -> DuplicatePair | None:
    """Return what is told of a post and the one before it in its row, if they are as alike as duplicates are."""
    return _finding(post, earlier, DuplicateKind.INSTALMENT, like.jaccard) if _is_near(like, settings) else None


def _is_near(like: TextSimilarity, settings: DuplicateSettings) -> bool:
    return like.jaccard >= settings.similarity and like.characters >= SHORT


def _finding(
    post: Post, stays: Post, kind: DuplicateKind, similarity: float = 1.0, *, drop: bool = True
) -> DuplicatePair:
    """Return what is told of a pair, and whether *post* goes."""
    percent = f"{math.floor(similarity * 100)} % of its text"
    words = {
        DuplicateKind.ID: "the same id",
        DuplicateKind.TEXT: "the same text",
        DuplicateKind.NEAR: percent,
        DuplicateKind.INSTALMENT: f"an instalment, it stays: other numbers, {percent}",
    }
    return DuplicatePair(
        post=post,
        kept=stays,
        kind=kind,
        similarity=similarity,
        dropped=kind is not DuplicateKind.INSTALMENT and (drop or kind is not DuplicateKind.NEAR),
        reason=f"{words[kind]} as {stays.path}",
    )
