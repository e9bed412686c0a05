"""Rhythm + now -> the slot that is due, and the next one.

A slot is a moment at which a newsletter's crontab fires, in the newsletter's zone. cronsim reckons them as cron
means them: 0 and 7 are Sunday, day and weekday are alternatives when both are given, an hour that a clock change skips
fires at its end, one that it repeats fires once.
"""

from datetime import UTC, datetime, timedelta, tzinfo

from cronsim import CronSim

from feeds.config_types import Crontab, TimeWindow

_SECOND = timedelta(seconds=1)


def last_slot(schedule: Crontab, zone: tzinfo, now: datetime) -> datetime:
    """Return the last slot at or before *now*, in UTC."""
    # Backwards, cronsim leaves its starting point out.
    start = now.astimezone(zone).replace(microsecond=0) + _SECOND
    slot = next(slot for slot in map(_utc, CronSim(schedule, start, reverse=True)) if slot <= now)
    # In an hour that clocks repeat, either direction of cronsim may take one pass of it for the other.
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
    """Return the slot that an issue is due for, or None.

    However many slots were missed, one is due: the last. It is not due when it was *used*, or when it is older than
    *catch_up*; only a newsletter's first slot (*used* is None) is due whatever its age.
    """
    slot = last_slot(schedule, zone, now)
    if used is None:
        return slot
    return slot if slot > used and now - slot <= catch_up else None


def next_opening(hours: TimeWindow | None, zone: tzinfo, now: datetime) -> datetime | None:
    """Return when the next part of a day begins, in UTC; None while it lasts, and where there is no such limit."""
    if hours is None or _is_within(hours, now.astimezone(zone)):
        return None
    local = now.astimezone(zone)
    days = (local.date() + timedelta(days=n) for n in (0, 1, 2))
    moments = (_utc(datetime.combine(day, hours.begin, zone)) for day in days)
    return next(moment for moment in moments if moment > now)


def _is_within(hours: TimeWindow, local: datetime) -> bool:
    of_day = local.time()
    if hours.begin < hours.end:
        return hours.begin <= of_day < hours.end
    return of_day >= hours.begin or of_day < hours.end


def _utc(slot: datetime) -> datetime:
    return slot.astimezone(UTC)
