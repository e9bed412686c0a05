"""Dates with names of months, `AM` and `PM`, or names of time zones: `May 1, 2024 10:00 PM CEST`, `2024年5月1日`.

Forms: RFC 5322 sections 3.3 and 4.3, JavaScript's `Date.prototype.toString` (ECMA-262), `date(1)`, and what people
write. dateutil is not used: it completes half a date from today's and drops the name of a zone that it does not know.
"""

import re
import unicodedata
from datetime import datetime, timedelta, timezone, tzinfo

from feeds.core.posts.dates import parse_offset

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY = re.compile(r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\b[.,]?\s*", re.IGNORECASE)
#: `date(1)` and C's `asctime` have the year at the end.
_YEAR_LAST = re.compile(
    r"([a-z]+\s+\d{1,2})\s+(\d{1,2}:\d\d(?::\d\d)?(?:\s+[ap]m)?)(\s+[a-z]+)?\s+(\d{4})", re.IGNORECASE
)
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"{_MONTH}[\s-]*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,\s*|[\s-]+)(?P<year>\d{{4}})(?!\d)",
        rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?(?:\s+of)?[\s-]*{_MONTH}(?:,\s*|[\s-]+)(?P<year>\d{{4}}|\d\d)(?!\d)",
        r"(?P<year>\d{4})\s*[年년]\s*(?P<month>\d{1,2})\s*[月월]\s*(?P<day>\d{1,2})\s*[日일]",
        r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d)",
    )
)
_TIME = re.compile(
    r"(?:(?:,|T|\s+at)?\s*(?P<hour>\d{1,2})(?=:|\s*[ap]\.?m)(?::(?P<minute>\d\d))?(?::(?P<second>\d\d)(?:[.,]\d+)?)?"
    r"(?:\s*(?P<half>[ap])\.?m\b\.?)?)?"
    r"\s*(?P<zone>(?:GMT|UTC|UT)?[+-]\d{1,2}(?::?\d\d)?|[a-z]{1,5})?\s*(?:\((?P<comment>[^()]*)\))?",
    re.IGNORECASE,
)
#: Hours from UTC: RFC 5322 section 4.3, and the names of the IANA database for Europe, Japan and Korea.
_ZONES = (
    {"Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2}
    | {"EET": 2, "EEST": 3, "MSK": 3, "JST": 9, "KST": 9}
    | {"EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
    | {"AKST": -9, "AKDT": -8, "HST": -10}
)
#: Names of several zones: hours from UTC as RFC 5322 or Ruby has them, and what else they mean.
_AMBIGUOUS = {
    "CST": (-6.0, "US Central Time or China Standard Time"),
    "BST": (1.0, "British Summer Time or Bangladesh Standard Time"),
    "IST": (5.5, "India, Israel or Irish Standard Time"),
    "AST": (-4.0, "Atlantic or Arabia Standard Time"),
}
_NOON = 12


def parse_word_date(text: str, zone: tzinfo) -> tuple[datetime, str] | None:
    """Return *text* as an aware datetime, and what is doubtful about its zone (empty: nothing); None if it is not one.

    Without a zone it is in *zone*, without a time it is midnight. A name that several time zones have is that of *zone*
    if that has it on this day.

    Raises:
        ValueError: the date or time does not exist.
    """
    plain = _YEAR_LAST.sub(r"\1 \4 \2\3", _WEEKDAY.sub("", unicodedata.normalize("NFKC", text).strip(), count=1))
    found = next((found for form in _FORMS if (found := form.match(plain))), None)
    rest = _TIME.fullmatch(plain, found.end()) if found else None
    if found is None or rest is None or (rest["zone"] and not rest["hour"]):
        return None
    naive = datetime(*_read_day(found), *_read_time(rest))  # noqa: DTZ001 - the zone is added below
    return _add_zone(naive, rest["zone"] or rest["comment"] or "", zone)


def _read_day(found: re.Match[str]) -> tuple[int, int, int]:
    names = found.groupdict()
    month = int(names["month"]) if "month" in names else _MONTHS.index(found["name"][:3].lower()) + 1
    year = int(found["year"])
    if len(found["year"]) == 2:  # noqa: PLR2004 - RFC 5322 section 4.3
        year += 2000 if year < 50 else 1900  # noqa: PLR2004 - likewise
    return year, month, int(found["day"])


def _read_time(found: re.Match[str]) -> tuple[int, int, int]:
    hour = int(found["hour"] or 0)
    if half := (found["half"] or "").lower():
        if not 1 <= hour <= _NOON:
            raise ValueError(f"there is no {hour} {half.upper()}M")
        hour = hour % _NOON + (_NOON if half == "p" else 0)
    return hour, int(found["minute"] or 0), int(found["second"] or 0)


def _add_zone(naive: datetime, written: str, zone: tzinfo) -> tuple[datetime, str]:
    """Return a time in the zone that is written, and what is doubtful about it."""
    here, name = naive.replace(tzinfo=zone), written.strip().upper()
    if offset := re.search(r"[+-].+", name):
        return naive.replace(tzinfo=parse_offset(offset[0])), ""
    if not name or name == here.tzname():
        return here, ""
    if name in _ZONES:
        return naive.replace(tzinfo=timezone(timedelta(hours=_ZONES[name]))), ""
    if name in _AMBIGUOUS:
        hours, meanings = _AMBIGUOUS[name]
        aware = naive.replace(tzinfo=timezone(timedelta(hours=hours)))
        return aware, f"{name} is {meanings}; it is read as {aware.isoformat()[-6:]}: write the offset instead"
    return here, f"{written.strip()!r} is not a known time zone; the site's is used: write the offset, such as +09:00"
