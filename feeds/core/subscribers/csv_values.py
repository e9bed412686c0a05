"""Parse and format the values of CSV cells: times, languages, lists of names; escape spreadsheet formulas."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache, wraps
from typing import TypeVar

from feeds.config_types import Language, TimeZone

#: OWASP, CSV Injection: spreadsheets run such a cell as a formula. East Asian ones accept full-width signs too.
_FORMULA = re.compile(r"'*(?:[\t\r\n]|\s*[=+\-@＝＋－＠])")
_TIME = r"[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)"
#: Go's `Time.String()`, which listmonk exports, has the zone's name after its offset.
_ZONE = r" ?(Z|UTC|[+-]\d\d:?\d\d)(?: [A-Z]{1,5}| [+-]\d{2,4})?"
#: The year comes first: 01/02/2024 is ambiguous, so it is not parsed.
_DATE_TIME = re.compile(rf"(\d{{4}}-\d\d-\d\d)(?:{_TIME}(?:{_ZONE})?)?", re.ASCII)
_UTC = (None, "UTC")
#: Control characters and lone surrogates, except line breaks and tabs, which become spaces.
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")
#: The accents of Latin, Greek and Cyrillic; those of kana and other scripts make other letters.
_ACCENTS = re.compile("[\u0300-\u036f]")
_LIST_ITEM = re.compile(r"(?:\\.|[^\\;,|])+", re.DOTALL)
_TOPIC_PREFIX = re.compile(r"([a-z0-9-]+):(.*)", re.DOTALL)
#: Longer cells are not cached: a hostile file could fill the memory with them.
_MAX_MEMOIZED = 200

T = TypeVar("T")


def memoize_short(read: Callable[[str], T]) -> Callable[[str], T]:
    """Return *read* with a cache of a thousand short cells: a million rows have few different values."""
    cached = lru_cache(maxsize=1024)(read)

    @wraps(read)
    def memoized(cell: str) -> T:
        return cached(cell) if len(cell) <= _MAX_MEMOIZED else read(cell)

    return memoized


def escape_formula(text: str) -> str:
    """Return *text* with an apostrophe before it if a spreadsheet would run it as a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_formula(cell: str) -> str:
    """Return a cell without the apostrophe that `escape_formula` has added."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


@memoize_short
def normalize_column(name: str) -> str:
    """Return a column name or word for comparison, without case, spaces, punctuation and accents.

    `Email Address`, `email_address` -> emailaddress; `Désinscrit` -> desinscrit.
    """
    plain = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", name)))
    return "".join(c for c in plain.casefold() if c.isalnum())


def to_one_line(cell: str) -> str:
    """Return a cell on one line, with single spaces and without control characters."""
    return " ".join(_UNPRINTABLE.sub("", cell).split())


def parse_time(cell: str) -> datetime | None:
    """Return the time in UTC; None if it cannot be parsed. A time without a zone is UTC.

    ISO 8601 with a full date, a space or a T between date and time, or the format of Go's `Time.String()`.
    """
    found = _DATE_TIME.fullmatch(cell.strip())
    if not found:
        return None
    try:
        day, time, zone = found.groups()
        return datetime.fromisoformat(f"{day}T{time or '00:00'}{'Z' if zone in _UTC else zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@memoize_short
def parse_language(cell: str) -> str | None:
    """Return the BCP 47 tag in its usual case; None if it is not one."""
    try:
        return str(Language.parse(cell))
    except ValueError:
        return None


@memoize_short
def parse_timezone(cell: str) -> str | None:
    """Return the name of the zone in the IANA database; None if it is not one."""
    try:
        return TimeZone.parse(cell.strip()).key
    except ValueError:
        return None


@memoize_short
def parse_names(cell: str) -> tuple[str, ...]:
    """Return the names between `;`, `,` and `|`, each once; a backslash makes such a character part of the name."""
    return tuple(dict.fromkeys(name for item in _LIST_ITEM.findall(cell) if (name := _clean_name(item))))


@memoize_short
def parse_topics(cell: str) -> Mapping[str, tuple[str, ...]]:
    r"""Return topics by newsletter; "" has those without a newsletter.

    Written as `weekly:Science; weekly:Art; Music`. A topic that contains such a prefix is written `re\: mail`.
    """
    found: dict[str, dict[str, None]] = {}
    for item in _LIST_ITEM.findall(cell):
        prefixed = _TOPIC_PREFIX.fullmatch(item.strip())
        newsletter, name = prefixed.groups() if prefixed else ("", item)
        if name := _clean_name(name):
            found.setdefault(newsletter, {})[name] = None
    return {newsletter: tuple(chosen) for newsletter, chosen in found.items()}


def format_names(chosen: Iterable[str]) -> str:
    """Return a cell that `parse_names` reads; `;` for an empty list, since an empty cell means "not given"."""
    return ";".join(map(_escape_name, chosen)) or ";"


def format_topics(chosen: Mapping[str, Iterable[str]]) -> str:
    """Return a cell that `parse_topics` reads."""
    items = [(newsletter, name) for newsletter, every in chosen.items() for name in every]
    return ";".join(
        f"{newsletter}:{_escape_name(name)}" if newsletter else _escape_name(name) for newsletter, name in items
    )


def _clean_name(item: str) -> str:
    return to_one_line(re.sub(r"\\(.)", r"\1", item, flags=re.DOTALL))


def _escape_name(name: str) -> str:
    return re.sub(r"([\\;,|:])", r"\\\1", name)
