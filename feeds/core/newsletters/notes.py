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
    """Return a note with empty front matter if it has none, so that it is parsed like a post."""
    has_front_matter = content.lstrip(b"\xef\xbb\xbf \n\r\t").startswith((b"---", b"+++"))
    return content if has_front_matter else b"---\n{}\n---\n" + content


def parse_note(path: str, source: FrontMatterSource, content: bytes) -> EditorNote:
    """Return the note in a file whose front matter is parsed.

    Raises:
        PostError: a key is unknown or has an invalid value.
    """
    for key in source.metadata:
        if key not in _KEYS:
            reason = f"{key}: unknown key; a note has subject, pin and skip, and its text below the front matter"
            raise PostError(path, source.line_of(key), reason)
    subject = source.metadata.get("subject")
    return EditorNote(
        path=path,
        digest=blake2b(content, digest_size=16).hexdigest(),
        subject=clean_line(str(subject)) if subject is not None else "",
        html=markdown.render_markdown(source.body) if source.body.strip() else "",
        pinned=_read_names(path, source, "pin"),
        skipped=_read_names(path, source, "skip"),
        pin_line=source.line_of("pin") if "pin" in source.metadata else None,
        skip_line=source.line_of("skip") if "skip" in source.metadata else None,
    )


def _read_names(path: str, source: FrontMatterSource, key: str) -> tuple[str, ...]:
    value: Any = source.metadata.get(key)
    names = value if isinstance(value, list) else [] if value is None else [value]
    if any(isinstance(name, (list, dict)) or name is None for name in names):
        raise PostError(path, source.line_of(key), f"{key}: write a post's path or a list of paths")
    return tuple(str(name).strip() for name in names)
