"""Crontab and now -> the slot that is due, and the next one.

A slot is a time at which a newsletter's crontab fires, in the newsletter's time zone. cronsim calculates slots as cron
does: 0 and 7 are Sunday; if both day and weekday are given, either of them fires; in an hour that a clock change skips,
a slot moves to its end; in an hour that a clock change repeats, a slot fires once.
"""

from datetime import UTC, datetime, timedelta, tzinfo

from cronsim import CronSim

from feeds.config_types import Crontab, TimeWindow

_SECOND = timedelta(seconds=1)


def last_slot(schedule: Crontab, zone: tzinfo, now: datetime) -> datetime:
    """Return the last slot at or before *now*, in UTC."""
    # In reverse, cronsim excludes its starting point.
    start = now.astimezone(zone).replace(microsecond=0) + _SECOND
    slot = next(slot for slot in map(_utc, CronSim(schedule, start, reverse=True)) if slot <= now)
    # In an hour that is repeated, cronsim may confuse the first with the second, in both directions.
    while (following := next_slot(schedule, zone, slot)) <= now:
        slot = following
    return slot


def next_slot(schedule: Crontab, zone: tzinfo, now: datetime) -> datetime:
    """Return the first slot after *now*, in UTC."""
    slots = map(_utc, CronSim(schedule, now.astimezone(zone)))
    return next(slot for slot in slots if slot > now)


def due_slot(
    schedule: Crontab,
    zone: tzinfo,
    now: datetime,
    *,
    used: datetime | None,
    catch_up: timedelta,
) -> datetime | None:
    """Return the slot for which an issue is due, or None.

    Only the last slot can be due, however many were missed. It is not due if it was *used* or is older than *catch_up*;
    the first slot of a newsletter (*used* is None) is due whatever its age.
    """
    slot = last_slot(schedule, zone, now)
    if used is None:
        return slot
    return slot if slot > used and now - slot <= catch_up else None


def next_opening(hours: TimeWindow | None, zone: tzinfo, now: datetime) -> datetime | None:
    """Return the next start of the time window, in UTC; None if *now* is inside it, or without a window."""
    if hours is None or _is_within(hours, now.astimezone(zone)):
        return None
    local = now.astimezone(zone)
    days = (local.date() + timedelta(days=n) for n in (0, 1, 2))
    openings = (_utc(datetime.combine(day, hours.begin, zone)) for day in days)
    return next(opening for opening in openings if opening > now)


def _is_within(hours: TimeWindow, local: datetime) -> bool:
    time = local.time()
    if hours.begin < hours.end:
        return hours.begin <= time < hours.end
    return time >= hours.begin or time < hours.end


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC)
