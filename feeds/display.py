"""Times and numbers as people read them, in messages and listings. Programs get UTC and plain numbers (`--json`)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime, tzinfo


def format_time(time: datetime, zone: tzinfo) -> str:
    """Return a time in a zone, to the minute: `2026-12-14 08:00 JST`."""
    return f"{time.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def format_weekday_time(time: datetime, zone: tzinfo) -> str:
    """Return a time with its weekday: `Monday 14 December 2026 08:00 JST`."""
    local = time.astimezone(zone)
    return f"{local:%A} {local.day} {local:%B %Y %H:%M %Z}"


def format_count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun, and what else changes with it: `1 post waits`, `1,200 posts wait`.

    *many* is the text for all numbers but one; by default *one* with an `s`.
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
