"""The editor's note of an issue: a Markdown file with front matter, `letters/<newsletter>/<number>.md` or `next.md`."""

from hashlib import blake2b
from typing import Any

from feeds.core.posts import markdown
from feeds.core.posts.frontmatter import FrontMatterSource
from feeds.core.posts.text import clean_line
from feeds.errors import PostError
from feeds.model import EditorNote

_KEYS = ("subject", "pin", "skip")


def ensure_front_matter(content: bytes) -> bytes:
    """Return a note as posts are read: one that has no front matter gets an empty one."""
    return (
        content if content.lstrip(b"\xef\xbb\xbf \n\r\t").startswith((b"---", b"+++")) else b"---\n{}\n---\n" + content
    )


def parse_note(path: str, source: FrontMatterSource, content: bytes) -> EditorNote:
    """Return the note in a file that was taken apart.

    Raises:
        PostError: a key is none of a note's, or holds what it cannot.
    """
    for key in source.metadata:
        if key not in _KEYS:
            reason = f"{key}: a note knows subject, pin and skip; what it says stands below the front matter"
            raise PostError(path, source.line_of(key), reason)
    subject = source.metadata.get("subject")
    return EditorNote(
        path=path,
        digest=blake2b(content, digest_size=16).hexdigest(),
        subject=clean_line(str(subject)) if subject is not None else "",
        html=markdown.render_markdown(source.body) if source.body.strip() else "",
        pinned=_names(path, source, "pin"),
        skipped=_names(path, source, "skip"),
    )


def _names(path: str, source: FrontMatterSource, key: str) -> tuple[str, ...]:
    value: Any = source.metadata.get(key)
    found = value if isinstance(value, list) else [] if value is None else [value]
    if any(isinstance(name, (list, dict)) or name is None for name in found):
        raise PostError(path, source.line_of(key), f"{key}: write a post's path or a list of paths")
    return tuple(str(name).strip() for name in found)
