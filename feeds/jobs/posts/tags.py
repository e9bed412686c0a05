"""Tags that untagged posts could have, and front matter that spells tags as they are published."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff

from feeds.config import Config
from feeds.core.curation import suggest, tags
from feeds.core.posts import frontmatter, parse
from feeds.core.posts.retag import retag
from feeds.edges.files import source_files
from feeds.errors import FeedsError, PostError
from feeds.jobs.context import Progress
from feeds.model import Catalogue


@dataclass(frozen=True, kw_only=True, slots=True)
class TagChange:
    """A post file whose tags are not spelled as they are published, or why that cannot be mended."""

    path: str
    #: A unified diff, line by line; empty where there is a reason.
    diff: tuple[str, ...] = ()
    written: bool = False
    #: Why the file is left alone; empty where it is not.
    reason: str = ""


def suggest_missing_tags(config: Config, found: Catalogue, progress: Progress) -> list[suggest.Suggestion]:
    """Return tags for public posts that have none, learnt from those whose front matter names some.

    Every public post is read again for its words. Nothing is suggested when `tags.suggest` is "off".
    """
    if config.settings.tags.suggest == "off":
        return []
    spellings = tags.tag_spellings((entry.post for entry in found.entries), config.settings)
    tagged, untagged = {}, {}
    for done, entry in enumerate(found.entries, 1):
        post = entry.post
        if post.tags:
            tagged[post.path] = (spellings.of(post.tags), _words(config, post.path, post.title))
        elif not entry.tags:
            untagged[post.path] = _words(config, post.path, post.title)
        progress("Comparing posts", done, len(found.entries))
    return suggest.suggest_tags(tagged, untagged)


def _words(config: Config, path: str, title: str) -> frozenset[str]:
    """Return a post's words; none when it was taken away since it was surveyed."""
    posts = config.resolve(config.settings.posts.folder)
    try:
        content = source_files.read_file(posts, path, parse.MOST_BYTES)
        return suggest.tokenize(title, frontmatter.parse_source(path, content).body)
    except PostError:
        return frozenset()


def fix_tag_spellings(config: Config, found: Catalogue, *, write: bool) -> Iterator[TagChange]:
    """Yield each post file, drafts too, whose own tags are spelled otherwise than public posts' tags; *write* mends it.

    Tags that rules or suggestions add are not written: they come anew with every publish.
    """
    posts = config.resolve(config.settings.posts.folder)
    spellings = tags.tag_spellings((entry.post for entry in found.entries), config.settings)
    for verdict in found.outcomes:
        if verdict.post is None or all(spellings[name] == name for name in verdict.post.tags):
            continue
        try:
            old = source_files.read_file(posts, verdict.path, parse.MOST_BYTES)
            new = retag(old, verdict.path, spellings.__getitem__)
            if write:
                source_files.rewrite_file(posts, verdict.path, old, new)
            yield TagChange(path=verdict.path, diff=_diff(verdict.path, old, new), written=write)
        except FeedsError as e:
            yield TagChange(path=verdict.path, reason=str(e))


def _diff(path: str, old: bytes, new: bytes) -> tuple[str, ...]:
    """Return a unified diff that patch(1) takes where the file is UTF-8."""
    before, after = _lines(old), _lines(new)
    return tuple(line.removesuffix("\n") for line in unified_diff(before, after, f"a/{path}", f"b/{path}"))


def _lines(content: bytes) -> list[str]:
    """Return lines as patch(1) has them: ended by a line feed and nothing else."""
    lines = [f"{line}\n" for line in content.decode(errors="backslashreplace").split("\n")]
    last = lines.pop().removesuffix("\n")
    return [*lines, f"{last}\n\\ No newline at end of file\n"] if last else lines
