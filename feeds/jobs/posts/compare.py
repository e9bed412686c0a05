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
from feeds.jobs.posts.batches import in_batches
from feeds.jobs.posts.pages import read_page
from feeds.jobs.posts.read import posts_folder
from feeds.model import DuplicatePair, Entry, Post, TextSimilarity

#: Pairs that a worker compares at once.
_BATCH = 10
#: The path of a post, and that of its page in the built site, empty without one.
_Source = tuple[str, str]
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
    pairs = {
        duplicates.pair_key(a, b): (_source(cached_posts, a), _source(cached_posts, b))
        for a, b in duplicates.candidate_pairs(posts, new, known)
    }
    return dict(zip(pairs, _compare_pairs(config, list(pairs.values()), team, progress), strict=True))


def _source(cached_posts: Mapping[str, CachedPost], post: Post) -> _Source:
    return post.path, cached_posts[post.path].inputs.page_path


def find_instalments(
    config: Config,
    entries: Sequence[Entry],
    cached_posts: Mapping[str, CachedPost],
    team: Workers,
    progress: Progress,
) -> list[DuplicatePair]:
    """Return the public posts that differ from an earlier one only in their numbers."""
    settings = config.settings.duplicates
    if settings.near == "keep":
        return []
    pairs = list(duplicates.instalment_pairs([entry.post for entry in entries]))
    sources = [(_source(cached_posts, a), _source(cached_posts, b)) for a, b in pairs]
    similarities = _compare_pairs(config, sources, team, progress)
    found = (
        duplicates.describe_instalment(a, b, similarity, settings)
        for (a, b), similarity in zip(pairs, similarities, strict=True)
    )
    return [instalment for instalment in found if instalment]


def align_pair(
    config: Config, pair: DuplicatePair, cached_posts: Mapping[str, CachedPost]
) -> list[tuple[str, str, bool]]:
    """Return the paragraphs of two posts side by side, and whether they are the same."""
    place = posts_folder(config)
    texts = (
        render.plain_paragraphs(
            path, source_files.read_file(place, path, parse.MOST_BYTES), config.settings, read_page(config, page_path)
        )
        for path, page_path in (_source(cached_posts, post) for post in (pair.post, pair.kept))
    )
    return duplicates.align_paragraphs(*texts)


def _compare_pairs(
    config: Config, pairs: Sequence[tuple[_Source, _Source]], team: Workers, progress: Progress
) -> list[TextSimilarity]:
    """Return the similarity of each pair of posts."""
    similarities: list[TextSimilarity] = []
    for batch in team.map(partial(_compare_batch, config), in_batches(pairs, _BATCH), long=len(pairs) >= _MANY):
        similarities += batch
        progress("Comparing posts", len(similarities), len(pairs))
    return similarities


def _compare_batch(config: Config, pairs: Sequence[tuple[_Source, _Source]]) -> list[TextSimilarity]:
    text = cache(partial(_comparison_text, config, posts_folder(config)))
    return [duplicates.compare_texts(text(one), text(other)) for one, other in pairs]


def _comparison_text(config: Config, place: Path, source: _Source) -> render.ComparisonText:
    """Return the text of a post for comparison; empty, which is similar to nothing, if the file is gone."""
    path, page_path = source
    try:
        content = source_files.read_file(place, path, parse.MOST_BYTES)
        return render.comparison_text(path, content, config.settings, read_page(config, page_path))
    except PostError:
        return render.ComparisonText("", frozenset())
