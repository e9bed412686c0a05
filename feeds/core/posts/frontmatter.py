"""The text of a post file -> its metadata and its body.

The parsers behind it are loaded with the first file that is taken apart, not before.
"""

import re
from typing import Any

from msgspec import Struct

from feeds.errors import PostError

_NONE = (
    "no front matter; the first line must be --- (YAML), +++ (TOML) or { (JSON), "
    "or lines such as `Title: …` and then a blank one"
)


class FrontMatterSource(Struct, frozen=True, kw_only=True):
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
        name = re.escape(key)
        written = rf"^[ \t{{]*[\"']?{name}[\"']?[ \t]*[:=]|<meta\s+name=[\"']?{name}\b|<{name}>"
        found = re.search(written, self.front, re.MULTILINE | re.IGNORECASE)
        return self.front_line + (self.front.count("\n", 0, found.start()) if found else 0)


def split_front_matter(text: str, path: str) -> FrontMatterSource:
    """Return *text* taken apart; it has line feeds only and no byte order mark.

    Raises:
        PostError: there is no front matter, or it is broken or not a mapping.
    """
    from feeds.core.posts import handlers  # noqa: PLC0415 - YAML is slow to load

    begun = text.lstrip()
    blank = text.count("\n", 0, len(text) - len(begun))
    handler = handlers.find_handler(begun, path)
    if not handler:
        raise PostError(path, blank + 1, _NONE)
    try:
        front, body = handler.split(begun)
        metadata = handler.load(front)
    except handlers.UNREADABLE as e:
        line, reason = handlers.error_position(e)
        raise PostError(path, blank + line, f"broken front matter: {reason}") from e
    repeated = metadata.pop(handlers.REPEATED, ())
    return FrontMatterSource(
        metadata={str(key): value for key, value in metadata.items()},
        body=body.removeprefix("\n"),
        front=front,
        front_line=blank + 1,
        repeated_keys=repeated,
    )
