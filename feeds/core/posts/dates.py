"""Dates as people and generators write them."""

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
#: No place on earth is further from UTC: Line Islands, +14:00.
_FURTHEST = timedelta(hours=14)
#: Generators leave `0001-01-01` where nobody filled in a date.
_FIRST_YEAR = 1000
#: Leaves room for zones and schedules to reckon with.
_LAST_YEAR = 9000


def parse_date(text: str, zone: tzinfo) -> datetime:
    """Return *text* as an aware moment, in *zone* where it names none, at midnight where it names no time.

    Accepted are ISO 8601 and its relatives found in real blogs (`2010-10-22 11:33:15 -0400`, `2012-02-19 1:44:51 -4`,
    `2024-10-23T16:00`, `… UTC`) and RFC 5322 dates.

    Raises:
        ValueError: with the reason, for people.
    """
    found = _DATE.fullmatch(text.strip())
    if not found:
        return _from_mail_date(text, zone)
    year, month, day, hour, minute, second = map(int, found.groups("0")[:6])
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise ValueError(f"impossible date {text.strip()!r}: the year {year} is a placeholder")
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=_offset(found[7]) or zone)
    except ValueError as e:
        raise ValueError(f"impossible date {text.strip()!r}: {e}") from None


def _from_mail_date(text: str, zone: tzinfo) -> datetime:
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - few blogs date their posts as mail does

    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text.strip()[:40]!r} is no date; write such as 2026-11-23 or 2026-11-23 08:30 +09:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


@lru_cache(maxsize=256)
def _offset(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "")
    hours, minutes = (digits, "0") if len(digits) <= 2 else (digits[:-2], digits[-2:])  # noqa: PLR2004 - hh or hhmm
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if text[0] == "-" else offset)


def has_impossible_offset(moment: datetime) -> bool:
    """Return whether the offset is one that no place on earth has."""
    return abs(moment.utcoffset() or timedelta()) > _FURTHEST


def date_in_path(path: str) -> str | None:
    """Return the date a file, folder or URL path carries, as written and with hyphens; None without one."""
    found = (_IN_NAME.search(path) if "-" in path else None) or (_IN_FOLDERS.search(path) if "/" in path else None)
    return "-".join(found.groups()) if found else None


def strip_date(stem: str) -> str:
    """Return a file's stem without a leading date."""
    return re.sub(r"^\d{4}-\d{1,2}-\d{1,2}[-_ .]+(?=.)", "", stem)
