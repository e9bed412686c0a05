"""Times and numbers as people read them, in messages and listings. Programs get UTC and plain numbers (`--json`)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime, tzinfo


def format_time(time: datetime, zone: tzinfo) -> str:
    """Return a time in a zone, to the minute: `2026-12-14 08:00 JST`."""
    return f"{time.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def format_slot(slot: datetime, zone: tzinfo, now: datetime) -> str:
    """Return a time with its weekday, and the year unless it is this one: `Monday 14 December 08:00 JST`."""
    local = slot.astimezone(zone)
    return f"{local:%A} {format_day(slot, zone, now)} {local:%H:%M %Z}"


def format_day(time: datetime, zone: tzinfo, now: datetime) -> str:
    """Return the day of a time, and the year unless it is this one: `14 December`."""
    local = time.astimezone(zone)
    year = "" if local.year == now.astimezone(zone).year else f" {local.year}"
    return f"{local.day} {local:%B}{year}"


def format_count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun, and what else changes with it: `1 post waits`, `1,200 posts wait`.

    *many* is the text for all numbers but one; by default *one* with an `s`.
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
