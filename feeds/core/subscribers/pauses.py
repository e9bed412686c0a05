"""The pause that a subscriber chooses: from now until a day."""

from datetime import date, datetime, time, timedelta, tzinfo

#: Longer than this is rather an unsubscribe, or a slip in the year.
LONGEST = timedelta(days=366)


def pause_end(day: date, zone: tzinfo, now: datetime) -> datetime | None:
    """Return the beginning of *day* in a time zone: letters come again from then on; None for today.

    Raises:
        ValueError: it is in the past, or more than `LONGEST` from now.
    """
    today = now.astimezone(zone).date()
    if not today <= day <= today + LONGEST:
        raise ValueError(day)
    return datetime.combine(day, time(), zone) if day > today else None
