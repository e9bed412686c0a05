"""Subscribers as rows of CSV: read from anybody's file, written for anybody's spreadsheet.

What is read is what the file says. Whether somebody has left before is the store's to know, and it does not forget.
"""

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from feeds.core.subscribers import addresses, csv_values
from feeds.core.subscribers.csv_reader import Record, RejectedRow, printable, read_table
from feeds.core.subscribers.import_formats import STATUSES, ImportFormat, Sign, detect_format, normalize_column
from feeds.errors import AddressError
from feeds.model import Value

#: The columns of our own files.
HEADER = ("email", "status", "newsletters", "topics", "lang", "timezone", "consent", "created_at")
#: What databases write where there is nothing.
_EMPTY = frozenset(("", "-", "null", "none", "nil", "nan", "n/a", "\\n", "0000-00-00", "0000-00-00 00:00:00"))


class CsvRow(Value, frozen=True, kw_only=True):
    """One person, as a file tells."""

    #: Of the line in the file that the row starts on; 1 is the first.
    number: int = 0
    #: As mail is addressed, and as addresses are compared.
    email: str
    key: str
    #: One of STATUSES.
    status: str = "active"
    #: None: the file does not say.
    lang: str | None = None
    timezone: str | None = None
    #: None: the file does not say; none: they read no newsletter.
    newsletters: tuple[str, ...] | None = None
    #: What they want of each newsletter; "" has what they want of all that are not named. See `wanted`.
    topics: Mapping[str, tuple[str, ...]] = {}
    #: When and how consent was given, in words; empty where the file does not say.
    consent: str = ""
    #: UTC.
    created_at: datetime | None = None
    #: What is odd; texts for people.
    warnings: tuple[str, ...] = ()

    def wanted(self, newsletter: str) -> tuple[str, ...]:
        """Return the topics that they want of *newsletter*; none means all."""
        return self.topics.get(newsletter, self.topics.get("", ()))


class _Unfit(Exception):  # noqa: N818 - not a fault of the program: it becomes a Refused
    """Nobody is taken from this row; says why."""


def read_rows(
    lines: Iterable[str], *, file: str = "", newsletters: Collection[str] | None = None
) -> tuple[ImportFormat, Iterator[CsvRow | RejectedRow]]:
    """Return how *lines* of CSV are read, and lazily each row as a person or as a refusal with its reason.

    *file* is its name, which says something where Mailchimp wrote it. *newsletters* are those that there are: others
    are left out, with a warning. Nothing a file holds raises once its header is read, and no more than a row is held.
    The same address may come twice: each row is by itself.

    Raises:
        ValueError: the file has no header, no column with addresses, or no readers; in words for the user.
    """
    header, records = read_table(lines)
    how = detect_format(header, file)
    return how, _rows(records, how, newsletters)


def write_rows(rows: Iterable[CsvRow]) -> Iterator[str]:
    r"""Yield our own CSV line by line, the header first; `read` takes the same rows from it (their numbers aside).

    A cell that a spreadsheet would run as a formula has an apostrophe before it. Lines end in CR LF (RFC 4180). Written
    as `utf-8-sig`, Excel reads it right.
    """
    line = csv.writer(_Echo()).writerow  # returns what `write` returned
    yield line(HEADER)
    for row in rows:
        yield line(map(csv_values.escape_formula, _row_values(row)))


class _Echo:
    """A file for csv.writer that hands back what is written."""

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


def _rows(
    records: Iterable[Record | RejectedRow], how: ImportFormat, newsletters: Collection[str] | None
) -> Iterator[CsvRow | RejectedRow]:
    reader = _RowParser(how, newsletters)
    for record in records:
        if isinstance(record, RejectedRow):
            yield record
            continue
        number, row = record
        try:
            yield reader.row(number, row)
        except _Unfit as reason:
            place = how.columns["email"]
            yield RejectedRow(
                number=number, email=printable(row[place] if place < len(row) else ""), reason=str(reason)
            )


class _RowParser:
    """Reads the rows of one file."""

    def __init__(self, how: ImportFormat, newsletters: Collection[str] | None) -> None:
        self._how = how
        self._known = newsletters
        self._email = how.columns["email"]
        self._others = [(what, place) for what, place in how.columns.items() if what != "email"]

    def row(self, number: int, row: list[str]) -> CsvRow:
        """Return the person; raises _Unfit."""
        how = self._how
        _fit(row, how.width)
        address = _address(csv_values.unescape_formula(row[self._email]))
        warnings = [*addresses.address_warnings(address)]
        said = {what: cell for what, place in self._others if (cell := csv_values.unescape_formula(row[place]).strip())}
        return CsvRow(
            number=number,
            email=address.email,
            key=address.key,
            status=_status(row, how),
            lang=_lang(said, warnings),
            timezone=_timezone(said, warnings),
            newsletters=self._newsletters(said, warnings),
            topics=self._topics(said, warnings),
            consent=_consent(said, row, how),
            created_at=_created(row, how, warnings),
            warnings=tuple(warnings),
        )

    def _newsletters(self, said: Mapping[str, str], warnings: list[str]) -> tuple[str, ...] | None:
        if "newsletters" not in said:
            return None
        named = csv_values.parse_names(_legible(said["newsletters"]))
        return tuple(name for name in named if self._is_ours(name, warnings))

    def _topics(self, said: Mapping[str, str], warnings: list[str]) -> Mapping[str, tuple[str, ...]]:
        if "topics" not in said:
            return {}
        named = csv_values.parse_topics(_legible(said["topics"]))
        return {name: chosen for name, chosen in named.items() if not name or self._is_ours(name, warnings)}

    def _is_ours(self, name: str, warnings: list[str]) -> bool:
        ours = self._known is None or name in self._known
        if not ours and (warning := f"there is no newsletter {printable(name)!r}: left out") not in warnings:
            warnings.append(warning)
        return ours


def _fit(row: list[str], width: int) -> None:
    """Make *row* as wide as the header; cells that are missing are empty."""
    if len(row) < width:
        row += [""] * (width - len(row))
    elif len(row) > width and any(map(str.strip, row[width:])):
        raise _Unfit(f"has {len(row)} cells, the header {width}; put a cell with a separator in it in quotation marks")


def _address(cell: str) -> addresses.MailAddress:
    try:
        return addresses.parse_address(_legible(cell))
    except AddressError as e:
        raise _Unfit("has no address" if not cell.strip() else printable(e.reason)) from e


def _legible(cell: str) -> str:
    if "\ufffd" in cell:  # what decoding makes of bytes that it cannot read
        raise _Unfit(f"{printable(cell)!r} holds letters that cannot be read; save the file as UTF-8")
    return cell


def _status(row: Sequence[str], how: ImportFormat) -> str:
    """Return the worst of what the row and its file say."""
    if not how.signs:
        return how.status
    said = [_sign(row[place], sign) for place, sign in how.signs if not _is_empty(row[place])]
    return max([how.status, *said], key=STATUSES.index)


def _sign(cell: str, sign: Sign) -> str:
    if isinstance(sign, str):
        return sign
    status = sign.get(normalize_column(cell))
    if status is None:
        raise _Unfit(f"{printable(cell)!r} is no status; known are: {', '.join(sign)}")
    if not status:
        raise _Unfit(f"is {printable(cell)}: has never subscribed")
    return status


def _lang(said: Mapping[str, str], warnings: list[str]) -> str | None:
    if "lang" not in said:
        return None
    lang = csv_values.parse_language(said["lang"])
    if lang is None:
        warnings.append(f"{printable(said['lang'])!r} is no language tag (BCP 47), such as en or zh-Hans: left out")
    return lang


def _timezone(said: Mapping[str, str], warnings: list[str]) -> str | None:
    if "timezone" not in said:
        return None
    zone = csv_values.parse_timezone(said["timezone"])
    if zone is None:
        warnings.append(f"{printable(said['timezone'])!r} is no time zone, such as Asia/Tokyo: left out")
    return zone


def _consent(said: Mapping[str, str], row: Sequence[str], how: ImportFormat) -> str:
    given = said.get("consent", "")
    evidence = ", ".join([f"{what} {row[at]}" for what, at in how.evidence if not _is_empty(row[at])])
    if evidence:
        tool = "" if how.name == "plain" else f"{how.name.title()}: "
        given = f"{given}; {tool}{evidence}" if given else tool + evidence
    return csv_values.to_one_line(given)


def _created(row: Sequence[str], how: ImportFormat, warnings: list[str]) -> datetime | None:
    for place in how.created:
        if not _is_empty(row[place]):
            if time := csv_values.parse_time(row[place]):
                return time
            warnings.append(f"{printable(row[place])!r} is no time, such as 2026-01-31 12:00:00+09:00: left out")
    return None


def _is_empty(cell: str) -> bool:
    return not cell or cell.strip().lower() in _EMPTY
