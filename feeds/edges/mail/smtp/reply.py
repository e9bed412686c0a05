"""Parses the replies of a mail server (RFC 5321 section 4.2) from pieces of any size."""

import re
from collections.abc import Iterator
from functools import lru_cache

from feeds.edges.mail.transport import Reply

#: RFC 5321 section 4.5.3.1.5 allows 512; some servers send longer lines, but none needs this much.
_LONGEST_LINE = 4096
_MOST_LINES = 128
_LINE = re.compile(rb"([2-5]\d\d)([ -]?)([^\r\n]{0,%d})\r?\n" % (_LONGEST_LINE - len(b"250-\r\n")))


class ProtocolError(Exception):
    """The server sent something that SMTP does not allow."""


class ReplyParser:
    """Turns bytes into replies."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[str] = []

    def feed(self, data: bytes) -> Iterator[Reply]:
        """Yield the replies that are complete now.

        Raises:
            ProtocolError: what follows them is not a reply; the connection must be closed.
        """
        self._rest += data
        at = 0
        while line := _LINE.match(self._rest, at):
            at = line.end()
            reply = self._add_line(int(line[1]), line[3], last=line[2] != b"-")
            if reply:
                yield reply
        self._rest = self._rest[at:]
        if b"\n" in self._rest or len(self._rest) > _LONGEST_LINE:
            raise ProtocolError(f"the server sent {self._rest[:80]!r}, which is not an SMTP reply")

    def _add_line(self, code: int, text: bytes, *, last: bool) -> Reply | None:
        self._lines.append(_to_printable(text))
        if len(self._lines) > _MOST_LINES:
            raise ProtocolError(f"the server sent a reply of more than {_MOST_LINES} lines")
        if not last:
            return None
        lines, self._lines = self._lines, []
        return Reply(code, " ".join(filter(None, map(str.strip, lines))))


@lru_cache(maxsize=256)  # servers send the same lines again and again
def _to_printable(text: bytes) -> str:
    return "".join(c if c.isprintable() else " " for c in text.decode("utf-8", "replace"))
