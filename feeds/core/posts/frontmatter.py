"""The bytes of a post file -> its metadata and its body.

The parsers of front matter are slow to import, so they are loaded with the first file and not before.
"""

import re
from typing import Any

from msgspec import Struct

from feeds.errors import PostError

#: Byte order marks that a post may begin with, and their encodings.
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_BOM_STARTS = frozenset(mark[:1] for mark, _ in _BOMS)
_WITHOUT_BOM = (b"", "utf-8")
_MISSING = (
    "no front matter; the first line must be --- (YAML), +++ (TOML) or { (JSON), "
    "or lines such as `Title: …` and then a blank one or ---"
)


class FrontMatterSource(Struct, frozen=True, kw_only=True):
    """A post file split into front matter and body."""

    metadata: dict[str, Any]
    #: Everything after the closing fence.
    body: str
    #: The text of the front matter and its first line, to find the line of a key.
    front: str
    front_line: int
    #: Keys that occur twice; the last value counts.
    repeated_keys: tuple[str, ...] = ()

    @property
    def body_line(self) -> int:
        """The line on which the body begins."""
        return self.front_line + self.front.count("\n") + 1

    def line_of(self, key: str) -> int:
        """Return the line of *key*, or the first line of the front matter if the key is not found."""
        name = re.escape(key)
        written = rf"^[ \t{{]*[\"']?{name}[\"']?[ \t]*[:=]|<meta\s+name=[\"']?{name}\b|<{name}>"
        found = re.search(written, self.front, re.MULTILINE | re.IGNORECASE)
        return self.front_line + (self.front.count("\n", 0, found.start()) if found else 0)


def parse_source(path: str, content: bytes) -> FrontMatterSource:
    """Return the front matter and the body in *content*.

    Raises:
        PostError: it is not text, or its front matter is missing or broken.
    """
    return split_front_matter(_decode(path, content), path)


def detect_bom(content: bytes) -> tuple[bytes, str]:
    """Return the byte order mark at the start of *content* and its encoding; without a mark, nothing and UTF-8."""
    if content[:1] in _BOM_STARTS:
        return next((bom for bom in _BOMS if content.startswith(bom[0])), _WITHOUT_BOM)
    return _WITHOUT_BOM


def _decode(path: str, content: bytes) -> str:
    """Return *content* as text whose lines end with line feeds."""
    mark, encoding = detect_bom(content)
    unmarked = content.removeprefix(mark)
    try:
        text = unmarked.decode(encoding)
    except UnicodeDecodeError as e:
        line = unmarked[: e.start].decode(encoding).count("\n") + 1
        raise PostError(path, line, f"is not text: {e.reason} at byte {e.start} ({encoding})") from None
    if b"\0" in content and "\0" in text:  # UTF-16 is full of zero bytes
        raise PostError(path, text.count("\n", 0, text.index("\0")) + 1, "is not text: it holds a NUL byte")
    return text.replace("\r\n", "\n").replace("\r", "\n") if b"\r" in content else text


def split_front_matter(text: str, path: str) -> FrontMatterSource:
    """Return the front matter and the body of *text*, which has line feeds only and no byte order mark.

    Raises:
        PostError: the front matter is missing, broken or not a mapping.
    """
    from feeds.core.posts import handlers

    stripped = text.lstrip()
    blank_lines = text.count("\n", 0, len(text) - len(stripped))
    handler = handlers.find_handler(stripped, path)
    if not handler:
        raise PostError(path, blank_lines + 1, _MISSING)
    try:
        front, body = handler.split(stripped)
        handlers.check_length(front)
        metadata = handler.load(front)
    except handlers.UNREADABLE as e:
        line, reason = handlers.error_position(e)
        raise PostError(path, blank_lines + line, f"broken front matter: {reason}") from e
    repeated = metadata.pop(handlers.REPEATED, ())
    return FrontMatterSource(
        metadata={str(key): value for key, value in metadata.items()},
        body=body.removeprefix("\n"),
        front=front,
        front_line=blank_lines + 1,
        repeated_keys=repeated,
    )
