"""Compare the texts of posts, on all cores if there are many pairs."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache, partial
from pathlib import Path

from feeds.config import Config
from feeds.core.curation import duplicates
from feeds.core.posts import parse, render
from feeds.edges.cache.post_cache import CachedPost
from feeds.edges.files import source_files
from feeds.edges.process.workers import Workers
from feeds.errors import PostError
from feeds.jobs.context import Progress
from feeds.jobs.posts.read import in_batches, posts_folder
from feeds.model import DuplicatePair, Entry, TextSimilarity

#: Pairs that a worker compares at once.
_BATCH = 10
#: From so many pairs on, worker processes save more time than they take to start.
_MANY = 60


def compare_new_posts(
    config: Config,
    cached_posts: Mapping[str, CachedPost],
    new_paths: Sequence[str],
    known: Collection[duplicates.Pair],
    team: Workers,
    progress: Progress,
) -> dict[duplicates.Pair, TextSimilarity]:
    """Return the similarity of each pair of posts that may be duplicates and is not *known* from an earlier run."""
    posts = [cached.post for cached in cached_posts.values() if cached.post]
    new = {duplicates.text_key(post) for path in new_paths if (post := cached_posts[path].post)}
    pairs = {duplicates.pair_key(a, b): (a.path, b.path) for a, b in duplicates.candidate_pairs(posts, new, known)}
    return dict(zip(pairs, _compare_pairs(config, list(pairs.values()), team, progress), strict=True))


def find_instalments(
    config: Config, entries: Sequence[Entry], team: Workers, progress: Progress
) -> list[DuplicatePair]:
    """Return the public posts that differ from an earlier one only in their numbers."""
    settings = config.settings.duplicates
    if settings.near == "keep":
        return []
    pairs = list(duplicates.instalment_pairs([entry.post for entry in entries]))
    similarities = _compare_pairs(config, [(a.path, b.path) for a, b in pairs], team, progress)
    found = (
        duplicates.describe_instalment(a, b, similarity, settings)
        for (a, b), similarity in zip(pairs, similarities, strict=True)
    )
    return [instalment for instalment in found if instalment]


def align_pair(config: Config, pair: DuplicatePair) -> list[tuple[str, str, bool]]:
    """Return the paragraphs of two posts side by side, and whether they are the same."""
    place = posts_folder(config)
    texts = (
        render.plain_paragraphs(post.path, source_files.read_file(place, post.path, parse.MOST_BYTES), config.settings)
        for post in (pair.post, pair.kept)
    )
    return duplicates.align_paragraphs(*texts)


def _compare_pairs(
    config: Config, pairs: Sequence[tuple[str, str]], team: Workers, progress: Progress
) -> list[TextSimilarity]:
    """Return the similarity of each pair of files."""
    similarities: list[TextSimilarity] = []
    for batch in team.map(partial(_compare_batch, config), in_batches(pairs, _BATCH), long=len(pairs) >= _MANY):
        similarities += batch
        progress("Comparing posts", len(similarities), len(pairs))
    return similarities


def _compare_batch(config: Config, pairs: Sequence[tuple[str, str]]) -> list[TextSimilarity]:
    text = cache(partial(_comparison_text, config, posts_folder(config)))
    return [duplicates.compare_texts(text(one), text(other)) for one, other in pairs]


def _comparison_text(config: Config, place: Path, path: str) -> render.ComparisonText:
    """Return the text of a post for comparison; empty, which is similar to nothing, if the file is gone."""
    try:
        content = source_files.read_file(place, path, parse.MOST_BYTES)
        return render.comparison_text(path, content, config.settings)
    except PostError:
        return render.ComparisonText("", frozenset())
