"""Read CSV files from other programs: the encoding, the separator, and rows with their line numbers.

RFC 4180 and its common variants. An error costs only the line that it is on: after an unclosed quotation mark the
following lines are read again as separate rows.
"""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator

from feeds.model import Value

#: More lines than this are not one row: a stray quotation mark must not fill the memory or swallow the file.
MAX_ROW_LINES = 200
_MAX_PRINTED = 80

#: The longest first: UTF-32 begins with the bytes of UTF-16.
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAVE_AS_CSV = "open it in a spreadsheet program, choose File > Save As > CSV UTF-8, and import that file"
_BINARY_FORMATS = (
    (b"PK\x03\x04", f"a ZIP archive or an Excel workbook; extract it, or {_SAVE_AS_CSV}"),
    (b"\xd0\xcf\x11\xe0", f"an Excel workbook; {_SAVE_AS_CSV}"),
    (b"\x1f\x8b", "compressed with gzip; extract it"),
    (b"%PDF-", "a PDF; save the original table as CSV (UTF-8)"),
    (b"SQLite format 3\x00", "a database; export its table as CSV"),
)
#: A first line that names the separator, as Excel writes it.
_SEPARATOR_HINT = re.compile(r'"?sep=([,;\t])"?\s*')


class RejectedRow(Value, frozen=True, kw_only=True):
    """A row that is not imported."""

    #: The line in the file, from 1.
    number: int
    #: As in the file, but printable and shortened.
    email: str
    #: A text for the operator.
    reason: str


Record = tuple[int, list[str]]


def detect_encoding(head: bytes) -> str:
    """Return the encoding of a file that begins with *head* (some kilobytes); open it with `errors="replace"`.

    Without a byte order mark, text with a NUL at every other byte is UTF-16, and anything else is read as UTF-8. That
    also works for older encodings without guessing which: letters beyond ASCII become U+FFFD, while separators stay the
    same (no trailing byte of Shift_JIS, GBK, Big5 or a Windows code page is a comma, semicolon, tab, quotation mark or
    line break). Addresses are nearly always ASCII, names are not stored, and a row that loses a needed letter is
    rejected. Open the file with `newline=""` too, as csv requires.

    Raises:
        ValueError: this is not a text file; the message names its format.
    """
    for start, what in _BINARY_FORMATS:
        if head.startswith(start):
            raise ValueError(f"this is {what}")
    known = next((name for bom, name in _BOMS if head.startswith(bom)), None)
    return known or _detect_utf16(head)


def _detect_utf16(head: bytes) -> str:
    """Return UTF-16 if every other byte is often NUL, else UTF-8."""
    pairs = len(head) // 2
    first, second = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if 4 * second > pairs > 8 * first:
        return "utf-16-le"
    if 4 * first > pairs > 8 * second:
        return "utf-16-be"
    return "utf-8"


def read_table(lines: Iterable[str]) -> tuple[list[str], Iterator[Record | RejectedRow]]:
    """Return the cells of the first row, and a lazy iterator of the other rows, without empty ones.

    The separator is the comma, semicolon or tab that occurs most in the first row.

    Raises:
        ValueError: there is no header row; the message says why.
    """
    buffer = _LineBuffer(lines)
    separator = _detect_separator(buffer)
    found = _read_records(buffer, separator)
    header = next(found, None)
    if header is None:
        raise ValueError("the file is empty; its first line must name the columns, for example: email")
    if isinstance(header, RejectedRow):
        raise ValueError(f"line {header.number}, which must name the columns: {header.reason}")  # noqa: TRY004 - an error in the file
    return header[1], found


def printable(text: str) -> str:
    """Return *text* for a message: on one line, without unprintable characters, 80 characters at most."""
    line = " ".join(text[: 4 * _MAX_PRINTED].split())
    line = "".join(c if c.isprintable() else "\ufffd" for c in line)
    return line if len(line) <= _MAX_PRINTED else f"{line[: _MAX_PRINTED - 1]}…"


class _LineBuffer:
    """Lines for csv.reader; the lines of the current row are kept until it is complete, and can be read again."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._pushed_back: list[str] = []
        #: The lines of the current row.
        self.row: list[str] = []
        #: The line number on which that row starts.
        self.number = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.row) == MAX_ROW_LINES:
            raise csv.Error(f"the row does not end within {MAX_ROW_LINES} lines")
        line = self._pushed_back.pop() if self._pushed_back else next(self._lines)
        self.row.append(line)
        return line

    def peek(self) -> str:
        """Return the next line without consuming it; empty at the end."""
        line = self._pushed_back.pop() if self._pushed_back else next(self._lines, "")
        self._pushed_back += [line] if line else []
        return line

    def finish_row(self) -> None:
        """Drop the lines of the current row."""
        self.number += len(self.row)
        self.row.clear()

    def push_back(self) -> None:
        """Push back the lines of the current row except the first."""
        self._pushed_back += reversed(self.row[1:])
        del self.row[1:]


def _detect_separator(lines: _LineBuffer) -> str:
    while (line := lines.peek()) and not line.strip(" \r\n"):
        next(lines)
        lines.finish_row()
    if hint := _SEPARATOR_HINT.fullmatch(line):
        next(lines)
        lines.finish_row()
        return hint[1]
    bare = re.sub(r'"[^"]*"', "", line)
    return max(",;\t", key=bare.count)  # the comma if there is no separator


def _read_records(lines: _LineBuffer, separator: str) -> Iterator[Record | RejectedRow]:
    # Strict: a lenient reader would read the row after an unclosed quotation mark as part of a name.
    reader = csv.reader(lines, delimiter=separator, strict=True)
    width = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as e:
            error, cells = _describe_error(e), None
        else:
            error = ""
        if cells is None or len(cells) != width:
            cells = _read_with_backslashes(lines, separator, width) or cells
        if cells is None:
            lines.push_back()
            yield RejectedRow(number=lines.number, email=printable(lines.row[0]), reason=error)
        elif "\0" in "".join(lines.row):
            yield RejectedRow(number=lines.number, email=printable(lines.row[0]), reason=_HAS_NUL)
        elif any(map(str.strip, cells)):
            width = width or len(cells)
            yield lines.number, cells
        lines.finish_row()


def _read_with_backslashes(lines: _LineBuffer, separator: str, width: int) -> list[str] | None:
    r"""Return the cells of the first line of the row, in which `\"` is a quotation mark, as MailPoet writes it.

    Only if it has *width* cells then; further lines of the row are pushed back. Otherwise None.
    """
    line = lines.row[0]
    if '\\"' not in line:
        return None
    try:
        cells = next(csv.reader([line], delimiter=separator, escapechar="\\", strict=True))
    except csv.Error:
        return None
    if len(cells) != width:
        return None
    lines.push_back()
    return cells


_HAS_NUL = "has a NUL character, so the file is damaged, or in an encoding that is not known; save it as CSV UTF-8"


def _describe_error(error: csv.Error) -> str:
    return (
        f"is not a valid CSV row: {error}. Quote the whole cell, and double a quotation mark inside it; "
        f"a cell may have {csv.field_size_limit():,} characters"
    )
