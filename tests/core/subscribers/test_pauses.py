"""The pause that a subscriber chooses."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.subscribers.pauses import LONGEST, pause_end

ZONES = st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York", "Africa/Cairo", "Pacific/Kiritimati"])
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@given(st.dates(), ZONES)
def test_a_pause_ends_at_the_beginning_of_its_day(day, zone):
    """A pause ends when its day begins in the zone, is none for today, and an error in the past or if too long."""
    today = NOW.astimezone(ZoneInfo(zone)).date()
    if not today <= day <= today + LONGEST:
        with pytest.raises(ValueError, match=str(day)):
            pause_end(day, ZoneInfo(zone), NOW)
    else:
        end = pause_end(day, ZoneInfo(zone), NOW)
        assert (end is None) == (day == today)
        assert end is None or (end.date(), end.hour, end.utcoffset() is not None) == (day, 0, True)


def test_a_pause_until_tomorrow_lasts_hours():
    """Until tomorrow means until midnight where the subscriber lives."""
    assert pause_end(date(2026, 11, 24), ZoneInfo("Asia/Tokyo"), NOW) - NOW == timedelta(hours=3)
