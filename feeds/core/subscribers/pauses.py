"""The pause that a subscriber chooses: from now until a day."""

from datetime import date, datetime, time, timedelta, tzinfo

#: Longer than this is rather an unsubscribe, or a slip in the year.
LONGEST = timedelta(days=366)


def pause_end(day: date, zone: tzinfo, now: datetime) -> datetime | None:
    """Return the beginning of *day* in a time zone: letters come again from then on; None if it has begun already.

    Raises:
        ValueError: it is more than `LONGEST` from now.
    """
    if day > now.astimezone(zone).date() + LONGEST:
        raise ValueError(day)
    end = datetime.combine(day, time(), zone)
    return end if end > now else None
