"""Suggest tags for posts without any; change tags in front matter to their published spelling."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from difflib import unified_diff

from feeds.config import Config
from feeds.core.curation import suggest, tags
from feeds.core.posts import frontmatter, parse
from feeds.core.posts.retag import retag
from feeds.edges.files import source_files
from feeds.errors import FeedsError, PostError
from feeds.jobs.context import Progress
from feeds.jobs.posts.read import posts_folder
from feeds.model import Catalogue


@dataclass(frozen=True, kw_only=True, slots=True)
class TagChange:
    """A post file with a tag in another than its published spelling: the change, or why it is not made."""

    path: str
    #: A unified diff, line by line; empty if there is a reason.
    diff: tuple[str, ...] = ()
    written: bool = False
    #: Why the file cannot be changed; empty if it can.
    reason: str = ""


def suggest_missing_tags(config: Config, catalogue: Catalogue, progress: Progress) -> list[suggest.Suggestion]:
    """Return tags for public posts that have none, learned from posts with tags in their front matter.

    Reads every public post again. Returns nothing if `tags.suggest` is "off".
    """
    if config.settings.tags.suggest == "off":
        return []
    spellings = tags.tag_spellings((entry.post for entry in catalogue.entries), config.settings)
    tagged, untagged = {}, {}
    for done, entry in enumerate(catalogue.entries, 1):
        post = entry.post
        if post.tags:
            tagged[post.path] = (spellings.of(post.tags), _words(config, post.path, post.title))
        elif not entry.tags:
            untagged[post.path] = _words(config, post.path, post.title)
        progress("Comparing posts", done, len(catalogue.entries))
    return suggest.suggest_tags(tagged, untagged)


def _words(config: Config, path: str, title: str) -> frozenset[str]:
    """Return the words of a post; none if its file was removed since the survey."""
    with suppress(PostError):
        content = source_files.read_file(posts_folder(config), path, parse.MOST_BYTES)
        return suggest.tokenize(title, frontmatter.parse_source(path, content).body)
    return frozenset()


def fix_tag_spellings(config: Config, catalogue: Catalogue, *, write: bool) -> Iterator[TagChange]:
    """Yield a change for each post file, drafts too, whose tags differ from the published spelling; *write* makes it.

    Tags that rules or suggestions add are not written to files: every publish adds them again.
    """
    place = posts_folder(config)
    spellings = tags.tag_spellings((entry.post for entry in catalogue.entries), config.settings)
    for outcome in catalogue.outcomes:
        if outcome.post is None or all(spellings[name] == name for name in outcome.post.tags):
            continue
        try:
            old = source_files.read_file(place, outcome.path, parse.MOST_BYTES)
            new = retag(old, outcome.path, spellings.__getitem__)
            if write:
                source_files.rewrite_file(place, outcome.path, old, new)
            yield TagChange(path=outcome.path, diff=_diff(outcome.path, old, new), written=write)
        except FeedsError as e:
            yield TagChange(path=outcome.path, reason=str(e))


def _diff(path: str, old: bytes, new: bytes) -> tuple[str, ...]:
    """Return a unified diff; patch(1) can apply it if the file is UTF-8."""
    before, after = _lines(old), _lines(new)
    return tuple(line.removesuffix("\n") for line in unified_diff(before, after, f"a/{path}", f"b/{path}"))


def _lines(content: bytes) -> list[str]:
    """Return lines as patch(1) counts them: only a line feed ends a line."""
    lines = [f"{line}\n" for line in content.decode(errors="backslashreplace").split("\n")]
    last = lines.pop().removesuffix("\n")
    return [*lines, f"{last}\n\\ No newline at end of file\n"] if last else lines
