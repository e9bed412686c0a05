"""Duplicate posts: the same id, the same text, or nearly the same text.

Similarity is the Jaccard index of the sets of 5-character shingles of the normalised plain text. To lose a real post is
worse than to show a copy, so a post is dropped as a copy only if all that tells posts apart is the same:

* the language (an untranslated page may equal its original), the enclosures, and the external URLs if both have one:
  posts that differ in these are two posts, and no pair is reported;
* digits and words that count, in text and title, and the recordings that are embedded in the text, if both have some:
  posts that differ in these (release notes, monthly notices) are instalments, which are kept and listed by
  `feeds duplicates`;
* the title: one's words must contain the other's, otherwise the pair is reported and both stay;
* for posts of less than `SHORT` characters the whole title and, without an external URL, date and authors. Posts with
  neither text nor external URL are never copies of each other.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from difflib import SequenceMatcher
from itertools import chain, zip_longest

from msgspec.structs import replace

from feeds.core.curation import series
from feeds.core.curation.titles import fold_title, may_be_copies
from feeds.core.posts import dates
from feeds.core.posts.render import ComparisonText
from feeds.core.posts.sketch import sketch_hashes
from feeds.model import DuplicateKind, DuplicatePair, Post, TextSimilarity
from feeds.settings import DuplicateSettings

#: In characters: a shorter text is not enough to recognise a post.
SHORT = 200
_SHINGLE = 5
#: The share of the smaller sketch that a pair must have in common to be compared. Texts with a similarity of 0.85 have
#: twice as much in common, however the edits are spread (`feeds.core.posts.sketch`).
_SHARED = 0.2
_MIN_SHARED = 2
#: Posts with the same text and other titles that a post is compared with; a notice may be posted thousands of times.
_MOST_SAME = 50

#: Between longer texts, paragraphs that each repeats often do not count as common.
_MANY_COMPARISONS = 1_000_000

#: The digests of two texts, the smaller one first.
Pair = tuple[str, str]


def pair_key(one: Post, other: Post) -> Pair:
    """Return the key of the similarity of two posts' texts."""
    a, b = one.text_digest, other.text_digest
    return (a, b) if a <= b else (b, a)


def text_key(post: Post) -> tuple[str, str]:
    """Return the key that posts with the same text in the same language share."""
    return (post.lang, post.text_digest)


# Finding candidates ------------------------------------------------------------------------------------------------


def candidate_pairs(
    posts: Sequence[Post], fresh: Collection[tuple[str, str]], known: Collection[Pair]
) -> Iterator[tuple[Post, Post]]:
    """Yield the pairs of posts whose texts must be compared, except those in *known*.

    *fresh* holds the text keys of new or changed posts; at least one post of a similar pair is fresh. A pair depends on
    its two posts only, so comparing the fresh posts finds all that comparing everything again would find.
    """
    similar = _similar_pairs(posts, fresh, lambda post: post.digits_hash) if fresh else ()
    pairs = chain(_same_text_pairs(posts), similar)
    return ((one, other) for one, other in pairs if pair_key(one, other) not in known)


def _same_text_pairs(posts: Iterable[Post]) -> Iterator[tuple[Post, Post]]:
    """Yield pairs with the same text that are duplicates only if it is long enough: titles or external URLs differ."""
    first: dict[tuple[str, str], Post] = {}
    for post in posts:
        other = first.setdefault(text_key(post), post)
        if other is not post and _identity(other) != _identity(post):
            yield post, other


def instalment_pairs(posts: Iterable[Post]) -> Iterator[tuple[Post, Post]]:
    """Yield (post that may be an instalment, earlier post whose sketch has most in common with it, the latest of them).

    Only posts that differ in their digits are looked at: `find_duplicates` finds the others.
    """
    by_date = sorted(posts, key=lambda p: (p.published, p.path))
    position = {post.path: n for n, post in enumerate(by_date)}
    nearest: dict[int, tuple[int, int]] = {}
    for pair in _similar_pairs(by_date, {text_key(post) for post in by_date}, lambda _: 0):
        one, other = pair
        if one.digits_hash != other.digits_hash:
            earlier, later = sorted(position[post.path] for post in pair)
            shared = len(set(sketch_hashes(one.sketch)) & set(sketch_hashes(other.sketch)))
            nearest[later] = max(nearest.get(later, (0, earlier)), (shared, earlier))
    yield from ((by_date[later], by_date[earlier]) for later, (_, earlier) in sorted(nearest.items()))


def _similar_pairs(
    posts: Iterable[Post], fresh: Collection[tuple[str, str]], group: Callable[[Post], int]
) -> Iterator[tuple[Post, Post]]:
    """Yield pairs of posts of the same language and *group* whose sketches have enough in common."""
    texts = _drop_lone_posts(posts, group)
    new = [texts[key] for key in fresh if key in texts]
    old = (post for key, post in texts.items() if key not in fresh)
    counts, shareable = _shareable_hashes(texts.values(), new)
    groups: dict[int, _Index] = defaultdict(lambda: defaultdict(list))
    for n, post in enumerate(chain(new, old)):
        hashes = sketch_hashes(post.sketch)
        shared = shareable.intersection(hashes)
        min_shared = _min_shared(len(hashes))
        if len(shared) < min_shared:
            continue
        # Two sketches with this many common hashes have one of them among the rarest of each (Chaudhuri et al., "A
        # primitive operator for similarity joins", ICDE 2006). So the hashes of boilerplate, which thousands of posts
        # have, are not looked up.
        rarest = sorted(shared, key=lambda h: (counts[h], h))[: len(shared) + 1 - min_shared]
        sketch, index = frozenset(hashes), groups[group(post)]
        yield from _pairs_in_index(post, sketch, rarest, index)
        for h in rarest if n < len(new) else ():
            index[h].append((post, sketch))


def _drop_lone_posts(posts: Iterable[Post], group: Callable[[Post], int]) -> dict[tuple[str, str], Post]:
    """Return text key -> post, without posts that are alone in their group, as most are: their digits are unique."""
    texts = {text_key(post): post for post in posts if post.sketch}
    sizes = Counter((post.lang, group(post)) for post in texts.values())
    return {key: post for key, post in texts.items() if sizes[post.lang, group(post)] > 1}


#: Hash -> the posts that have it, with their sketches.
_Index = dict[int, list[tuple[Post, frozenset[int]]]]


def _shareable_hashes(posts: Collection[Post], new: Sequence[Post]) -> tuple[Counter[int], set[int]]:
    """Return the frequencies of hashes, empty for a few new posts, and the hashes that two posts can share."""
    if len(new) * 20 < len(posts):
        return Counter(), set(chain.from_iterable(sketch_hashes(post.sketch) for post in new))
    counts = Counter(chain.from_iterable(sketch_hashes(post.sketch) for post in posts))
    return counts, {h for h, number in counts.items() if number > 1}


def _min_shared(size: int) -> int:
    """Return the number of hashes that a sketch of this size must have in common, at least, with one half as large."""
    return max(_MIN_SHARED, int(size * _SHARED / 2))


def _pairs_in_index(
    post: Post, sketch: frozenset[int], rarest: list[int], index: _Index
) -> Iterator[tuple[Post, Post]]:
    """Yield *post* with each post in *index* whose sketch has enough in common with its own."""
    candidates = {text_key(other): (other, its_sketch) for h in rarest for other, its_sketch in index.get(h, ())}
    for other, its_sketch in candidates.values():
        smaller, larger = sorted((len(sketch), len(its_sketch)))
        enough = 2 * smaller >= larger and len(sketch & its_sketch) >= max(_MIN_SHARED, smaller * _SHARED)
        if enough and post.lang == other.lang:
            yield post, other


def _identity(post: Post) -> Hashable:
    """Return the values that even posts with a short text must share to be duplicates."""
    known = (*_work_key(post), fold_title(post.title), post.external_url)
    if post.external_url:
        return known
    return (*known, post.published, post.authors, post.text_size > 0 or post.path)


def _work_key(post: Post, digest: str | None = None) -> tuple[Hashable, ...]:
    """Return the key that posts share with the same text, or the text with this digest, and the same enclosures."""
    return (post.lang, digest or post.text_digest, frozenset(enclosure.url for enclosure in post.enclosures))


def _link_to_two_pages(one: Post, other: Post) -> bool:
    return bool(one.external_url and other.external_url and one.external_url != other.external_url)


# Comparing --------------------------------------------------------------------------------------------------------


def compare_texts(first: ComparisonText, second: ComparisonText) -> TextSimilarity:
    """Return the similarity of the texts of two posts."""
    one, other = first.plain, second.plain
    return TextSimilarity(
        jaccard=1.0 if one == other else jaccard_similarity(one, other),
        characters=min(len(one), len(other)),
        are_parts=_play_others(first, second)
        or (one != other and series.part_numbers(one) != series.part_numbers(other)),
    )


def _play_others(one: ComparisonText, other: ComparisonText) -> bool:
    """Return whether both posts have players and none in common: two recordings with the same words around them."""
    return bool(one.players and other.players) and one.players.isdisjoint(other.players)


def jaccard_similarity(one: str, other: str) -> float:
    """Return the Jaccard index of the sets of 5-character shingles of two texts, 0 to 1."""
    a, b = _shingles(one), _shingles(other)
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared)


def _shingles(plain: str) -> set[str]:
    return {plain[n : n + _SHINGLE] for n in range(max(1, len(plain) - _SHINGLE + 1))}


def align_paragraphs(one: Sequence[str], other: Sequence[str]) -> list[tuple[str, str, bool]]:
    """Return (paragraph of one text, of the other, whether they are equal); a missing paragraph is empty."""
    rows = []
    for kind, a, b, c, d in SequenceMatcher(
        None, one, other, autojunk=len(one) * len(other) > _MANY_COMPARISONS
    ).get_opcodes():
        rows += [(left, right, kind == "equal") for left, right in zip_longest(one[a:b], other[c:d], fillvalue="")]
    return rows


# Deciding ---------------------------------------------------------------------------------------------------------


def find_duplicates(
    posts: Sequence[Post],
    known: Mapping[Pair, TextSimilarity],
    settings: DuplicateSettings,
    was_published: Callable[[Post], bool] = lambda _: False,
) -> list[DuplicatePair]:
    """Return the posts that repeat another post; *known* holds the similarities of the texts that were compared.

    One post of each group is kept: the one with its own id, else one that was published before (a copy never replaces
    its original), else the one whose date is nearest to the one in its path, else the earlier one, else the one with
    the shorter path. The order of *posts* does not matter.
    """
    kept = _KeptPosts(posts, known, settings)

    def rank(post: Post) -> tuple[object, ...]:
        is_known = post.declared_id is not None, was_published(post)
        return (*(not known for known in is_known), _days_off(post), post.published, len(post.path), post.path)

    pairs = []
    for post in sorted(kept.candidates, key=rank):
        pair = kept.find_match(post)
        if pair is not None:
            pairs.append(pair)
        if pair is None or not pair.dropped:
            kept.add(post)
    return pairs


def _days_off(post: Post) -> int:
    """Return by how many days the date of a post differs from the one in its path; 0 for one day, as zones differ."""
    in_path = dates.date_in_path(post.path)
    try:
        written = dates.parse_date(in_path, post.published.tzinfo or UTC) if in_path else post.published
    except ValueError:  # no date of the calendar
        return 0
    days = abs((post.published.date() - written.date()).days)
    return days if days > 1 else 0


class _KeptPosts:
    """The posts that are kept so far, by id and by text."""

    def __init__(
        self, posts: Sequence[Post], known: Mapping[Pair, TextSimilarity], settings: DuplicateSettings
    ) -> None:
        self._known, self._settings = known, settings
        self._ids: dict[str, Post] = {}
        self._texts: dict[tuple[Hashable, ...], list[Post]] = {}
        self._identities: dict[Hashable, Post] = {}
        self._titles: dict[Hashable, Post] = {}
        self._similar = _similar_texts(known, settings)
        texts = Counter(map(text_key, posts))
        ids = Counter(post.declared_id for post in posts if post.declared_id)
        #: The posts that may repeat, or be repeated by, another.
        self.candidates = [
            post
            for post in posts
            if texts[text_key(post)] > 1 or ids[post.declared_id or ""] > 1 or post.text_digest in self._similar
        ]

    def add(self, post: Post) -> None:
        """Keep a post."""
        self._texts.setdefault(_work_key(post), []).append(post)
        self._identities.setdefault(_identity(post), post)
        self._titles.setdefault((*_work_key(post), fold_title(post.title)), post)
        if post.declared_id:
            self._ids[post.declared_id] = post

    def find_match(self, post: Post) -> DuplicatePair | None:
        """Return the kept post that *post* repeats: one by which it is dropped, else the most similar one; or None."""
        if post.declared_id and post.declared_id in self._ids:
            return _make_pair(post, self._ids[post.declared_id], DuplicateKind.ID)
        return min((*self._with_same_text(post), *self._with_similar_text(post)), key=_preference, default=None)

    def _with_same_text(self, post: Post) -> Iterator[DuplicatePair]:
        if (twin := self._identities.get(_identity(post))) is not None:
            yield _make_pair(post, twin, DuplicateKind.TEXT)
        elif self._is_long(post):
            namesake = self._titles.get((*_work_key(post), fold_title(post.title)))
            others = [namesake] if namesake else self._texts.get(_work_key(post), ())[:_MOST_SAME]
            same = [other for other in others if not _link_to_two_pages(post, other)]
            original = next((other for other in same if _is_copy(post, other)), None)
            if original or (same and self._settings.near != "keep"):
                yield _make_pair(post, original or same[0], DuplicateKind.TEXT)

    def _with_similar_text(self, post: Post) -> Iterator[DuplicatePair]:
        for digest, similarity in self._similar.get(post.text_digest, ()):
            for other in self._texts.get(_work_key(post, digest), ()):
                if other.digits_hash == post.digits_hash and not _link_to_two_pages(post, other):
                    yield _make_pair(post, other, DuplicateKind.NEAR, similarity, drop=self._settings.near == "drop")

    def _is_long(self, post: Post) -> bool:
        similarity = self._known.get(pair_key(post, post))
        return similarity is not None and similarity.characters >= SHORT


def _is_copy(post: Post, kept: Post) -> bool:
    """Return whether a post with the text of another one is a copy of it, as far as the titles tell."""
    return may_be_copies(post.title, kept.title) and not series.differ_in_numbers(post.title, kept.title)


def _preference(pair: DuplicatePair) -> tuple[object, ...]:
    is_instalment = pair.kind is DuplicateKind.INSTALMENT
    return (not pair.dropped, is_instalment, -pair.similarity, pair.kept.published, pair.kept.path)


def _similar_texts(
    known: Mapping[Pair, TextSimilarity], settings: DuplicateSettings
) -> dict[str, list[tuple[str, TextSimilarity]]]:
    """Return for the digest of each text the digests of texts that are nearly the same."""
    similar: dict[str, list[tuple[str, TextSimilarity]]] = {}
    for (one, other), similarity in known.items():
        if one != other and settings.near != "keep" and _is_near(similarity, settings):
            similar.setdefault(one, []).append((other, similarity))
            similar.setdefault(other, []).append((one, similarity))
    return similar


def describe_instalment(
    post: Post, earlier: Post, similarity: TextSimilarity, settings: DuplicateSettings
) -> DuplicatePair | None:
    """Return a post with an earlier instalment, if they are as similar as duplicates; else None."""
    if not _is_near(similarity, settings):
        return None
    return _describe(post, earlier, DuplicateKind.INSTALMENT, similarity.jaccard, dropped=False)


def _is_near(similarity: TextSimilarity, settings: DuplicateSettings) -> bool:
    return similarity.jaccard >= settings.similarity and similarity.characters >= SHORT


_SAME_TEXT = TextSimilarity(jaccard=1.0, characters=0)


def _make_pair(
    post: Post, kept: Post, kind: DuplicateKind, similarity: TextSimilarity = _SAME_TEXT, *, drop: bool = True
) -> DuplicatePair:
    """Return the pair of a post and one with its id or text; even if *drop*, only a copy is dropped."""
    if kind is not DuplicateKind.ID and (similarity.are_parts or series.are_parts(post.title, kept.title)):
        return _describe(post, kept, DuplicateKind.INSTALMENT, similarity.jaccard, dropped=False)
    is_copy = kind is DuplicateKind.ID or _is_copy(post, kept)
    pair = _describe(post, kept, kind, similarity.jaccard, dropped=drop and is_copy)
    return pair if is_copy else replace(pair, reason=f"{pair.reason}, under another title")


def _describe(post: Post, kept: Post, kind: DuplicateKind, similarity: float, *, dropped: bool) -> DuplicatePair:
    percent = f"{math.floor(similarity * 100)} % of its text"
    reasons = {
        DuplicateKind.ID: "the same id",
        DuplicateKind.TEXT: "the same text",
        DuplicateKind.NEAR: percent,
        DuplicateKind.INSTALMENT: f"an instalment, which is kept: another number, date, part or recording, {percent}",
    }
    reason = f"{reasons[kind]} as {kept.path}"
    return DuplicatePair(post=post, kept=kept, kind=kind, similarity=similarity, dropped=dropped, reason=reason)
