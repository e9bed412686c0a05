"""Read subscribers from CSV files of any program, and write them as CSV for any spreadsheet.

A row says only what the file says. The store applies what it knows, such as earlier unsubscribes.
"""

import csv
import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from feeds.core.subscribers import addresses, csv_values
from feeds.core.subscribers.csv_reader import Record, RejectedRow, printable, read_table
from feeds.core.subscribers.import_formats import ImportFormat, detect_format
from feeds.core.subscribers.status_words import NO, STATUSES, YES, StatusRule
from feeds.errors import AddressError
from feeds.model import GONE_STATUSES, Value

#: The columns of our own files.
HEADER = ("email", "status", "newsletters", "topics", "lang", "timezone", "consent", "created_at")
#: What databases write for NULL.
_EMPTY_CELLS = frozenset(
    ("", "-", "[]", "null", "none", "nil", "nan", "n/a", "\\n", "0000-00-00", "0000-00-00 00:00:00")
)
#: Answers in a shop's `newsletter` column, which name no newsletter.
_ANSWERS = frozenset(map(csv_values.normalize_column, f"{YES},{NO}".split(",")))


class CsvRow(Value, frozen=True, kw_only=True):
    """A person, as in the file."""

    #: The line in the file that the row starts on, from 1.
    number: int = 0
    #: As mail is addressed, and as addresses are compared.
    email: str
    key: str
    #: One of STATUSES.
    status: str = "active"
    #: None: not in the file.
    lang: str | None = None
    timezone: str | None = None
    #: None: not in the file; empty: no newsletter.
    newsletters: tuple[str, ...] | None = None
    #: Topics by newsletter; "" has the topics of all other newsletters. See `topics_of`.
    topics: Mapping[str, tuple[str, ...]] = {}
    #: When and how consent was given, as text; empty if not in the file.
    consent: str = ""
    #: UTC.
    created_at: datetime | None = None
    #: Texts for the operator.
    warnings: tuple[str, ...] = ()

    def topics_of(self, newsletter: str) -> tuple[str, ...]:
        """Return the topics of *newsletter*; none means all."""
        return self.topics.get(newsletter, self.topics.get("", ()))


class _InvalidRow(Exception):  # noqa: N818 - becomes a RejectedRow
    """The row cannot be imported; the message says why."""


def read_rows(
    lines: Iterable[str],
    *,
    file: str = "",
    newsletters: Collection[str] | None = None,
    ignore: Collection[str] = (),
    status: str = "",
) -> tuple[ImportFormat, Iterator[CsvRow | RejectedRow]]:
    """Return the format of *lines* of CSV, and a lazy iterator of each row as a person or as rejected with a reason.

    *file* is its name, which may say who is in it. *newsletters* are the configured ones: others are ignored, with a
    warning. The columns to *ignore* are not used; *status* is the one of rows without a worse one. After the header no
    content raises, and only one row is held in memory. Rows are independent: an address may occur twice.

    Raises:
        ValueError: the file has no header, no column with addresses, or no subscribers, or one of its columns may say
            who has left and is not understood; the message is for operators.
    """
    header, records = read_table(lines)
    import_format = detect_format(header, file, ignore=ignore, status=status)
    return import_format, _parse_rows(records, import_format, newsletters)


def write_rows(rows: Iterable[CsvRow]) -> Iterator[str]:
    """Yield lines of our own CSV format, the header first; `read_rows` reads the same rows from it.

    A cell that a spreadsheet would run as a formula gets an apostrophe. Lines end in CR LF (RFC 4180). Written as
    `utf-8-sig`, Excel reads it correctly.
    """
    line = csv.writer(_Echo()).writerow  # returns the result of `write`
    yield line(HEADER)
    for row in rows:
        yield line(map(csv_values.escape_formula, _row_values(row)))


class _Echo:
    """A file for csv.writer whose `write` returns the line."""

    def write(self, text: str) -> str:
        return text


def _row_values(row: CsvRow) -> tuple[str, ...]:
    return (
        row.email,
        row.status,
        "" if row.newsletters is None else csv_values.format_names(row.newsletters),
        csv_values.format_topics(row.topics),
        row.lang or "",
        row.timezone or "",
        csv_values.to_one_line(row.consent),
        row.created_at.isoformat() if row.created_at else "",
    )


def _parse_rows(
    records: Iterable[Record | RejectedRow], import_format: ImportFormat, newsletters: Collection[str] | None
) -> Iterator[CsvRow | RejectedRow]:
    parser = _RowParser(import_format, newsletters)
    for record in records:
        if isinstance(record, RejectedRow):
            yield record
            continue
        number, row = record
        try:
            yield parser.parse(number, row)
        except _InvalidRow as reason:
            position = import_format.columns["email"]
            yield RejectedRow(
                number=number, email=printable(row[position] if position < len(row) else ""), reason=str(reason)
            )


class _RowParser:
    """Parses the rows of one file."""

    def __init__(self, import_format: ImportFormat, newsletters: Collection[str] | None) -> None:
        self._format = import_format
        self._known = newsletters
        self._email = import_format.columns["email"]
        self._optional_columns = [
            (what, position) for what, position in import_format.columns.items() if what != "email"
        ]

    def parse(self, number: int, row: list[str]) -> CsvRow:
        """Return the person in a row; raises _InvalidRow."""
        import_format = self._format
        _pad_row(row, import_format.width)
        status = _worst_status(row, import_format)
        address = _parse_address(csv_values.unescape_formula(row[self._email]), status, import_format)
        warnings = [*addresses.address_warnings(address)]
        cells = {
            what: cell
            for what, position in self._optional_columns
            if (cell := csv_values.unescape_formula(row[position]).strip())
        }
        return CsvRow(
            number=number,
            email=address.email,
            key=address.key,
            status=status,
            lang=_parse_lang(cells, warnings),
            timezone=_parse_timezone(cells, warnings),
            newsletters=self._newsletters(cells, warnings),
            topics=self._topics(cells, warnings),
            consent=_format_consent(cells, row, import_format),
            created_at=_parse_created(row, import_format, warnings),
            warnings=tuple(warnings),
        )

    def _newsletters(self, cells: Mapping[str, str], warnings: list[str]) -> tuple[str, ...] | None:
        if "newsletters" not in cells or self._is_answer(cells["newsletters"]):
            return None
        parsed = csv_values.parse_names(_require_readable(cells["newsletters"]))
        return tuple(name for name in parsed if self._is_known(name, warnings))

    def _is_answer(self, cell: str) -> bool:
        return self._format.name != "feeds" and csv_values.normalize_column(cell) in _ANSWERS

    def _topics(self, cells: Mapping[str, str], warnings: list[str]) -> Mapping[str, tuple[str, ...]]:
        if "topics" not in cells:
            return {}
        parsed = csv_values.parse_topics(_require_readable(cells["topics"]))
        return {name: topics for name, topics in parsed.items() if not name or self._is_known(name, warnings)}

    def _is_known(self, name: str, warnings: list[str]) -> bool:
        is_known = self._known is None or name in self._known
        if not is_known and (warning := f"there is no newsletter {printable(name)!r}: ignored") not in warnings:
            warnings.append(warning)
        return is_known


def _pad_row(row: list[str], width: int) -> None:
    """Pad *row* to the width of the header; raises _InvalidRow if it has more non-empty cells."""
    if len(row) < width:
        row += [""] * (width - len(row))
    elif len(row) > width and any(map(str.strip, row[width:])):
        raise _InvalidRow(f"has {len(row)} cells, the header has {width}; quote a cell that contains a separator")


def _parse_address(cell: str, status: str, import_format: ImportFormat) -> addresses.MailAddress:
    """Return the address in a cell, which may have a name before it; raises _InvalidRow."""
    _require_readable(cell)
    bare = _without_name(cell) if "<" in cell else cell
    if cell.count("@") > 1 and (number := sum("@" in word for word in re.split(r"[\s,;|]+", bare))) > 1:
        raise _InvalidRow(f"has {number} addresses in one cell; write each of them in a row of its own")
    try:
        address = addresses.parse_address(bare)
        # Who is gone is taken as it is, and so are the addresses that were exported by Feeds itself.
        if status not in GONE_STATUSES and import_format.name != "feeds":
            addresses.require_usable(address)
    except AddressError as e:
        raise _InvalidRow("has no address" if not cell.strip() else printable(e.reason)) from e
    return address


def _without_name(cell: str) -> str:
    """Return the address in a cell such as `Ada Lovelace <ada@example.org>` (RFC 5322 section 3.4)."""
    name, _, rest = cell.strip().partition("<")
    address = rest.removesuffix(">").strip()
    is_named = rest.endswith(">") and ("@" not in name or name.strip(" \"'") == address)
    return address if is_named else cell


def _require_readable(cell: str) -> str:
    if "\ufffd" in cell:  # the replacement character for invalid bytes
        raise _InvalidRow(f"{printable(cell)!r} is not valid UTF-8; save the file as UTF-8")
    return cell


def _worst_status(row: Sequence[str], import_format: ImportFormat) -> str:
    """Return the worst status that the columns of a row and its file give.

    Raises _InvalidRow if a cell is not understood, unless another one says that the person has gone.
    """
    worst, problem = import_format.default_status, None
    for position, rule in import_format.status_columns:
        try:
            found = _status_of_cell(row[position], rule, import_format.header[position])
        except _InvalidRow as e:
            problem = problem or e
        else:
            worst = worst if found == "active" else max(worst, found, key=STATUSES.index)
    if problem and worst not in GONE_STATUSES:
        raise problem
    return worst


def _status_of_cell(cell: str, rule: StatusRule, column: str) -> str:
    if _is_empty(cell):
        if not rule.blank:
            raise _InvalidRow(f"says neither yes nor no in the column {printable(column)!r}")
        return rule.blank
    status = rule.status_of(cell)
    if status is None:
        raise _InvalidRow(
            f"{printable(cell)!r} in the column {printable(column)!r} is not a status; known statuses: "
            f"{', '.join(STATUSES)}, and the usual words for them. If the column is about something else: "
            f"--ignore-column {shlex.quote(printable(column))}"
        )
    if not status:
        raise _InvalidRow(f"is {printable(cell)}: has never subscribed")
    return status


def _parse_lang(cells: Mapping[str, str], warnings: list[str]) -> str | None:
    if "lang" not in cells:
        return None
    lang = csv_values.parse_language(cells["lang"])
    if lang is None:
        warnings.append(f"{printable(cells['lang'])!r} is not a language tag (BCP 47) such as en or zh-Hans: ignored")
    return lang


def _parse_timezone(cells: Mapping[str, str], warnings: list[str]) -> str | None:
    if "timezone" not in cells:
        return None
    zone = csv_values.parse_timezone(cells["timezone"])
    if zone is None:
        warnings.append(f"{printable(cells['timezone'])!r} is not a time zone such as Asia/Tokyo: ignored")
    return zone


def _format_consent(cells: Mapping[str, str], row: Sequence[str], import_format: ImportFormat) -> str:
    given = cells.get("consent", "")
    evidence = ", ".join([f"{what} {row[at]}" for what, at in import_format.evidence_columns if not _is_empty(row[at])])
    if evidence:
        tool = "" if import_format.name == "plain" else f"{import_format.name.title()}: "
        given = f"{given}; {tool}{evidence}" if given else tool + evidence
    return csv_values.to_one_line(given)


def _parse_created(row: Sequence[str], import_format: ImportFormat, warnings: list[str]) -> datetime | None:
    for position in import_format.created_columns:
        if not _is_empty(row[position]):
            if time := csv_values.parse_time(row[position]):
                return time
            warnings.append(f"{printable(row[position])!r} is not a time such as 2026-01-31 12:00:00+09:00: ignored")
    return None


def _is_empty(cell: str) -> bool:
    return not cell or cell.strip().lower() in _EMPTY_CELLS
