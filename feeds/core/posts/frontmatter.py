"""The text of a post file -> its metadata and its body.

The forms are those of python-frontmatter's handlers, ours among them (`feeds.core.posts.handlers`). What
python-frontmatter does silently wrong is refused here: a list as front matter, a missing closing fence and broken YAML
leave no metadata behind and no error (python-frontmatter 1.3.0), and dates that cannot be raise a bare ValueError.
"""

import re
from dataclasses import dataclass
from typing import Any

from feeds.errors import PostError

_NONE = (
    "no front matter; the first line must be --- (YAML), +++ (TOML) or { (JSON), or header lines such as Title: My post"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A post file taken apart."""

    metadata: dict[str, Any]
    #: Everything after the closing fence.
    body: str
    #: The front matter's text and where it begins, to find the line of a key.
    front: str
    front_line: int
    #: Keys that stand twice; the last one counts.
    repeated_keys: tuple[str, ...] = ()

    @property
    def body_line(self) -> int:
        """The line on which the body begins."""
        return self.front_line + self.front.count("\n") + 1

    def line_of(self, key: str) -> int:
        """Return the line on which *key* stands, or the one where the front matter begins."""
        found = re.search(rf"^[ \t]*[\"']?{re.escape(key)}[\"']?[ \t]*[:=]", self.front, re.MULTILINE | re.IGNORECASE)
        return self.front_line + (self.front.count("\n", 0, found.start()) if found else 0)


def split(text: str, path: str) -> Source:
    """Return *text* taken apart; it has line feeds only and no byte order mark.

    Raises:
        PostError: there is no front matter, or it is broken or not a mapping.
    """
    from feeds.core.posts import handlers  # noqa: PLC0415 - YAML is slow to load, and most runs read no post

    start = len(text) - len(text.lstrip())
    blank = text.count("\n", 0, start)
    text = text[start:]
    handler = next((handler for handler in handlers.HANDLERS if handler.detect(text)), None)
    if handler is None:
        raise PostError(path, blank + 1, _NONE)
    try:
        front, body = handler.split(text)
    except ValueError as e:
        line, reason = handlers.place(e)
        raise PostError(path, blank + line, reason) from None
    try:
        found = handler.load(front)
    except handlers.UNREADABLE as e:
        line, reason = handlers.place(e)
        raise PostError(path, blank + line, f"broken front matter: {reason}") from e
    repeated = found.pop(handlers.REPEATED, ())
    return Source(
        metadata={str(key): value for key, value in found.items()},
        body=body.removeprefix("\n"),
        front=front,
        front_line=blank + 1,
        repeated_keys=repeated,
    )
