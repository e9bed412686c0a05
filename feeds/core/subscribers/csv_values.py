"""What one cell says: a date, a language, a list of names; and how it is written so that a spreadsheet runs nothing."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache, wraps
from typing import TypeVar

from feeds.config_types import Language, TimeZone

#: OWASP, CSV Injection: a spreadsheet takes such a cell for a formula. Full-width signs count in East Asian ones.
_FORMULA = re.compile(r"'*(?:[\t\r\n]|\s*[=+\-@＝＋－＠])")
_TIME = r"[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)"
#: Go's `Time.String()`, as listmonk exports, has the zone's name after its offset.
_ZONE = r" ?(Z|UTC|[+-]\d\d:?\d\d)(?: [A-Z]{1,5}| [+-]\d{2,4})?"
#: A year first, so that nothing is guessed about 01/02/2024.
_MOMENT = re.compile(rf"(\d{{4}}-\d\d-\d\d)(?:{_TIME}(?:{_ZONE})?)?", re.ASCII)
_UTC = (None, "UTC")
#: Controls and halves of surrogate pairs: no terminal and no database wants them. Line breaks and tabs are spaces.
_UNFIT = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")
_ENTRY = re.compile(r"(?:\\.|[^\\;,|])+", re.DOTALL)
_OF_NEWSLETTER = re.compile(r"([a-z0-9-]+):(.*)", re.DOTALL)
#: Longer cells are not remembered: in a hostile file they would fill the memory.
_SHORT = 200

T = TypeVar("T")


def memoize_short(read: Callable[[str], T]) -> Callable[[str], T]:
    """Return *read* with a memory for a thousand short cells: a million rows say few different things."""
    known = lru_cache(maxsize=1024)(read)

    @wraps(read)
    def asked(cell: str) -> T:
        return known(cell) if len(cell) <= _SHORT else read(cell)

    return asked


def escape_formula(text: str) -> str:
    """Return *text* as a cell that no spreadsheet takes for a formula: with an apostrophe before it where it might."""
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_formula(cell: str) -> str:
    """Return what *cell* says: `unguarded(guarded(text)) == text`, whatever the text."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def to_one_line(cell: str) -> str:
    """Return *cell* on one line: runs of spaces as one, nothing that cannot be told or stored."""
    return " ".join(_UNFIT.sub("", cell).split())


def parse_time(cell: str) -> datetime | None:
    """Return the time in UTC, or None if it cannot be read; a time without a zone is taken as UTC.

    ISO 8601 with the date in full, a space or a T between date and time, and what Go's `Time.String()` makes of it.
    """
    found = _MOMENT.fullmatch(cell.strip())
    if not found:
        return None
    try:
        day, time, zone = found.groups()
        return datetime.fromisoformat(f"{day}T{time or '00:00'}{'Z' if zone in _UTC else zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@memoize_short
def parse_language(cell: str) -> str | None:
    """Return the BCP 47 tag in its usual case, or None."""
    try:
        return str(Language.parse(cell))
    except ValueError:
        return None


@memoize_short
def parse_timezone(cell: str) -> str | None:
    """Return the name of the zone in the IANA database, or None."""
    try:
        return TimeZone.parse(cell.strip()).key
    except ValueError:
        return None


@memoize_short
def parse_names(cell: str) -> tuple[str, ...]:
    r"""Return the names between `;`, `,` and `|`, each once; after a backslash such a sign is part of a name."""
    return tuple(dict.fromkeys(name for entry in _ENTRY.findall(cell) if (name := _name(entry))))


@memoize_short
def parse_topics(cell: str) -> Mapping[str, tuple[str, ...]]:
    r"""Return topics by newsletter; "" has those that are given without one.

    Written as `weekly:Science; weekly:Art; Music`. A topic with such a beginning of its own is written `re\: mail`.
    """
    found: dict[str, dict[str, None]] = {}
    for entry in _ENTRY.findall(cell):
        prefixed = _OF_NEWSLETTER.fullmatch(entry.strip())
        newsletter, name = prefixed.groups() if prefixed else ("", entry)
        if name := _name(name):
            found.setdefault(newsletter, {})[name] = None
    return {newsletter: tuple(chosen) for newsletter, chosen in found.items()}


def format_names(chosen: Iterable[str]) -> str:
    """Return a cell that `names` reads back; `;` where there is nothing, since an empty cell says nothing."""
    return ";".join(map(_escaped, chosen)) or ";"


def format_topics(chosen: Mapping[str, Iterable[str]]) -> str:
    """Return a cell that `topics` reads back."""
    entries = [(newsletter, name) for newsletter, every in chosen.items() for name in every]
    return ";".join(f"{newsletter}:{_escaped(name)}" if newsletter else _escaped(name) for newsletter, name in entries)


def _name(entry: str) -> str:
    return to_one_line(re.sub(r"\\(.)", r"\1", entry, flags=re.DOTALL))


def _escaped(name: str) -> str:
    return re.sub(r"([\\;,|:])", r"\\\1", name)
