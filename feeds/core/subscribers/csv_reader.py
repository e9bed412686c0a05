"""CSV as others write it: its encoding, its separator, its rows, each with the line that it starts on.

RFC 4180, and what is found in the wild. A fault costs the line that it is on: where a quotation mark is not closed, the
lines that a reader would swallow with it are read again as rows of their own.
"""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator

from feeds.model import Value

#: A row has so many lines at most, so that a stray quotation mark holds neither the memory nor the rest of the file.
MOST_LINES = 200
_LONGEST_SHOWN = 80

#: The longest first: UTF-32 begins with the bytes of UTF-16.
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT = (
    (b"PK\x03\x04", "a ZIP archive or a workbook; unpack it, or save it as CSV (UTF-8)"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook; save it as CSV (UTF-8)"),
    (b"\x1f\x8b", "packed with gzip; unpack it"),
    (b"%PDF-", "a PDF; save the table that it was made from as CSV (UTF-8)"),
    (b"SQLite format 3\x00", "a database; export its table as CSV"),
)
#: Excel's own hint at the separator, on a line of its own.
_HINT = re.compile(r'"?sep=([,;\t])"?\s*')


class RejectedRow(Value, frozen=True, kw_only=True):
    """A row that nobody was taken from."""

    #: Of the line in the file; 1 is the first.
    number: int
    #: As it stood, shortened and without what would disturb a terminal.
    email: str
    #: For people.
    reason: str


Record = tuple[int, list[str]]


def detect_encoding(head: bytes) -> str:
    r"""Return how to decode a file that begins with *head* (some kilobytes); open it with `errors="replace"`.

    Without a byte order mark, text with a NUL at every other byte is UTF-16, and anything else is read as UTF-8. That
    serves for files in older encodings as well, so that nothing has to be guessed: letters beyond ASCII become U+FFFD,
    while separators stay what they are (no trailing byte of Shift_JIS, GBK, Big5 or a Windows code page is a comma,
    semicolon, tab, quotation mark or line break). Addresses are nearly always ASCII, names are not kept, and where a
    letter that counts is lost, its row is refused. Open the file with `newline=""` too, as csv wants it.

    Raises:
        ValueError: this is no text at all; says what it is.
    """
    for start, what in _NO_TEXT:
        if head.startswith(start):
            raise ValueError(f"this is {what}")
    known = next((name for bom, name in _BOMS if head.startswith(bom)), None)
    return known or _by_nuls(head)


def _by_nuls(head: bytes) -> str:
    pairs = len(head) // 2
    first, second = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if 4 * second > pairs > 8 * first:
        return "utf-16-le"
    if 4 * first > pairs > 8 * second:
        return "utf-16-be"
    return "utf-8"


def read_table(lines: Iterable[str]) -> tuple[list[str], Iterator[Record | RejectedRow]]:
    """Return the cells of the first row, and the rows after it, lazily; rows without any cell filled are left out.

    The separator is the comma, semicolon or tab that the first row has most of.

    Raises:
        ValueError: there is no first row; says why.
    """
    coming = _Lines(lines)
    separator = _separator(coming)
    found = _records(coming, separator)
    header = next(found, None)
    if header is None:
        raise ValueError("the file is empty; its first line has to name its columns, such as: email")
    if isinstance(header, RejectedRow):
        raise ValueError(f"line {header.number}, which has to name the columns: {header.reason}")  # noqa: TRY004 - a fault of the file
    return header[1], found


def printable(text: str) -> str:
    """Return *text* fit for a report: on one line, nothing unprintable, 80 characters at most."""
    line = " ".join(text[: 4 * _LONGEST_SHOWN].split())
    line = "".join(c if c.isprintable() else "\ufffd" for c in line)
    return line if len(line) <= _LONGEST_SHOWN else f"{line[: _LONGEST_SHOWN - 1]}…"


class _Lines:
    """Lines for csv.reader that are remembered until their row is whole, and can be given back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._coming = iter(lines)
        self._again: list[str] = []
        #: Those of the row at hand.
        self.row: list[str] = []
        #: On which line that row starts.
        self.number = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.row) == MOST_LINES:
            raise csv.Error(f"it does not end within {MOST_LINES} lines")
        line = self._again.pop() if self._again else next(self._coming)
        self.row.append(line)
        return line

    def peek(self) -> str:
        """Return the line that comes next, or nothing at the end."""
        line = self._again.pop() if self._again else next(self._coming, "")
        self._again += [line] if line else []
        return line

    def done(self) -> None:
        """Forget the row at hand; the next one starts."""
        self.number += len(self.row)
        self.row.clear()

    def back(self) -> None:
        """Give back the row at hand but for its first line."""
        self._again += reversed(self.row[1:])
        del self.row[1:]


def _separator(lines: _Lines) -> str:
    while (line := lines.peek()) and not line.strip(" \r\n"):
        next(lines)
        lines.done()
    if hint := _HINT.fullmatch(line):
        next(lines)
        lines.done()
        return hint[1]
    bare = re.sub(r'"[^"]*"', "", line)
    return max(",;\t", key=bare.count)  # the comma, where there is none of them


def _records(lines: _Lines, separator: str) -> Iterator[Record | RejectedRow]:
    # Strict: a lenient reader would take the row after an unclosed quotation mark for a part of a name.
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as e:
            lines.back()
            yield RejectedRow(number=lines.number, email=printable(lines.row[0]), reason=_why(e))
        else:
            if any(map(str.strip, cells)):
                yield lines.number, cells
        lines.done()


def _why(error: csv.Error) -> str:
    return (
        f"is no row of CSV: {error}. Quotation marks go around a whole cell, one within it is written twice; "
        f"a cell has {csv.field_size_limit():,} characters at most"
    )
