"""The posts whose text was not found in their page: reported by every run, though only rendering finds them."""

from collections.abc import Collection, Mapping
from contextlib import suppress

import msgspec

from feeds.edges.files.output_folder import OutputFolder
from feeds.errors import OutputError
from feeds.jobs.posts.survey import Survey

#: In the cache folder.
_FILE = "unmatched"
#: Path of a post -> the inputs of its text, and why it is not found.
_Problems = dict[str, tuple[tuple[str, ...], str]]


def known_problems(
    survey: Survey, found: Mapping[str, str], shown: Collection[str], *, use_cache: bool, dry_run: bool
) -> dict[str, str]:
    """Return by path why texts were not found: *found* in this run, or in an earlier one if nothing has changed.

    *shown* are the paths of the posts that feeds show; others are not reported.
    """
    cache = OutputFolder(survey.config.cache_folder, dry_run=dry_run or not use_cache, private=True)
    earlier = _decode(cache.read(_FILE) if use_cache else None, survey.input_name)
    same = {
        path: problem
        for path, (inputs, problem) in earlier.items()
        if path in shown and path in survey.cached_posts and survey.cached_posts[path].inputs == inputs
    }
    problems = same | dict(found)
    if problems or earlier:
        known = {path: (tuple(survey.cached_posts[path].inputs), problem) for path, problem in problems.items()}
        with suppress(OutputError):  # the post cache, in the same folder, has already warned
            cache.write(_FILE, msgspec.json.encode((survey.input_name, known)))
    return problems


def _decode(content: bytes | None, input_name: str) -> _Problems:
    """Return the result of another run on the same build with the same settings."""
    try:
        name, problems = msgspec.json.decode(content or b"", type=tuple[str, _Problems])
    except msgspec.DecodeError:
        return {}
    return problems if name == input_name else {}
