"""Dates in the forms that people and generators write."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

_DATE = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})"
    r"(?:(?:[Tt]|\s+)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?"
    r"\s*([Zz]|UTC|GMT|[+-]\d{1,2}(?::?\d{2})?)?)?",
)
_IN_NAME = re.compile(r"(?:^|/)(\d{4})-(\d{1,2})-(\d{1,2})(?=[-_ ./]|$)")
_IN_FOLDERS = re.compile(r"(?:^|/)(\d{4})/(\d{1,2})/(\d{1,2})(?:/|-)")
#: The largest UTC offset on earth: Line Islands, +14:00.
_LARGEST_OFFSET = timedelta(hours=14)
#: Generators write `0001-01-01` for a date that was not filled in.
_FIRST_YEAR = 1000
#: Length of `2026-01-02`.
DAY = 10
#: Leaves room for calculations with time zones and schedules.
_LAST_YEAR = 9000


def parse_date(text: str, zone: tzinfo) -> datetime:
    """Return *text* as an aware datetime, as `read_date` does, whatever is doubtful about it."""
    return read_date(text, zone)[0]


def read_date(text: str, zone: tzinfo) -> tuple[datetime, str]:
    """Return *text* as an aware datetime, and what is doubtful about its zone, for people; empty if nothing is.

    Without an offset it is in *zone*, without a time it is midnight. Accepted are ISO 8601, its variants in real blogs
    (`2010-10-22 11:33:15 -0400`, `2012-02-19 1:44:51 -4`, `2024-10-23T16:00`, `… UTC`), and dates with names of months
    and zones (`feeds.core.posts.word_dates`).

    Raises:
        ValueError: it is not a date; the reason is for people.
    """
    found = _DATE.fullmatch(text.strip())
    if not found:
        return _read_word_date(text, zone)
    year, month, day, hour, minute, second = map(int, found.groups("0")[:6])
    _check_year(text, year)
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=parse_offset(found[7]) or zone), ""
    except ValueError as e:
        raise ValueError(f"impossible date {text.strip()!r}: {e}") from None


def _read_word_date(text: str, zone: tzinfo) -> tuple[datetime, str]:
    from feeds.core.posts.word_dates import parse_word_date

    try:
        found = parse_word_date(text, zone)
    except ValueError as e:
        raise ValueError(f"impossible date {text.strip()[:60]!r}: {e}") from None
    if found is None:
        raise ValueError(
            f"{text.strip()[:40]!r} is not a date; write, for example, 2026-11-23 or 2026-11-23 08:30 +09:00"
        )
    _check_year(text, found[0].year)
    return found


def _check_year(text: str, year: int) -> None:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise ValueError(f"impossible date {text.strip()!r}: the year {year} is a placeholder")


@lru_cache(maxsize=256)
def parse_offset(text: str | None) -> tzinfo | None:
    """Return an offset from UTC (`+09:00`, `+0900`, `+9`) or UTC by its name; None for None.

    Raises:
        ValueError: it is a day or more.
    """
    if text is None:
        return None
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "")
    hours, minutes = (digits, "0") if len(digits) <= 2 else (digits[:-2], digits[-2:])  # noqa: PLR2004 - hh or hhmm
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    if offset >= timedelta(days=1):
        raise ValueError(f"{text} is a day or more from UTC")
    return timezone(-offset if text[0] == "-" else offset)


def has_impossible_offset(moment: datetime) -> bool:
    """Return whether no place on earth has the UTC offset of *moment*."""
    return abs(moment.utcoffset() or timedelta()) > _LARGEST_OFFSET


def date_in_path(path: str) -> str | None:
    """Return the date in the path of a file or URL, as written but with hyphens; None without one."""
    found = (_IN_NAME.search(path) if "-" in path else None) or (_IN_FOLDERS.search(path) if "/" in path else None)
    return "-".join(found.groups()) if found else None


def has_possible_date(stem: str) -> bool:
    """Return whether *stem*, a file name without extension, begins with a date that exists."""
    try:
        return bool(parse_date(stem[:DAY], UTC))
    except ValueError:
        return False


def strip_date(stem: str) -> str:
    """Return *stem*, a file name without extension, without a leading date."""
    return re.sub(r"^\d{4}-\d{1,2}-\d{1,2}[-_ .]+(?=.)", "", stem)
