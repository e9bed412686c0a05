"""Slots of cron schedules."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.config_types import Crontab, TimeWindow
from feeds.core.schedule import due_slot, last_slot, next_opening, next_slot

TOKYO, BERLIN = ZoneInfo("Asia/Tokyo"), ZoneInfo("Europe/Berlin")
MONDAY = Crontab("0 8 * * mon")
EIGHT = datetime(2026, 11, 23, 8, 0, tzinfo=TOKYO)
HALF_DAY = timedelta(hours=12)


@pytest.mark.parametrize("late", [timedelta(0), timedelta(microseconds=1), timedelta(seconds=1), timedelta(days=6)])
def test_the_last_slot_is_at_or_before_now(late):
    """The last slot includes a slot at exactly now."""
    assert last_slot(MONDAY, TOKYO, EIGHT + late) == EIGHT


def test_a_moment_before_the_slot_belongs_to_the_one_before():
    """Just before a weekly slot, the last slot is the one of the week before."""
    assert last_slot(MONDAY, TOKYO, EIGHT - timedelta(microseconds=1)) == EIGHT - timedelta(days=7)


def test_sunday_is_0_and_7():
    """Both 0 and 7 mean Sunday, as in crontab(5)."""
    sunday = datetime(2026, 11, 22, 8, 0, tzinfo=TOKYO)
    for day in ("0", "7", "sun"):
        assert last_slot(Crontab(f"0 8 * * {day}"), TOKYO, EIGHT) == sunday


def test_day_and_weekday_are_alternatives():
    """If day and weekday are given, either of them makes a slot."""
    either = Crontab("0 8 13 * fri")
    assert next_slot(either, UTC, datetime(2026, 11, 10, tzinfo=UTC)) == datetime(2026, 11, 13, 8, tzinfo=UTC)
    assert next_slot(either, UTC, datetime(2026, 11, 13, 9, tzinfo=UTC)) == datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert next_slot(either, UTC, datetime(2026, 12, 12, tzinfo=UTC)) == datetime(2026, 12, 13, 8, tzinfo=UTC)


def test_a_repeated_hour_fires_once():
    """A slot in the hour that is repeated when clocks go back occurs once."""
    daily = Crontab("30 2 * * *")
    before = datetime(2026, 10, 24, 12, 0, tzinfo=BERLIN)
    first = next_slot(daily, BERLIN, before)
    assert next_slot(daily, BERLIN, first) - first > timedelta(hours=20)


def test_a_skipped_hour_still_fires():
    """A slot in the hour that is skipped when clocks go forward occurs on that day."""
    slot = next_slot(Crontab("30 2 * * *"), BERLIN, datetime(2026, 3, 28, 12, 0, tzinfo=BERLIN))
    assert slot.astimezone(BERLIN).date().isoformat() == "2026-03-29"


def test_the_first_slot_is_due_whatever_its_age():
    """The first slot of a newsletter is due whatever its age."""
    late = EIGHT + timedelta(days=6)
    assert due_slot(MONDAY, TOKYO, late, used=None, catch_up=HALF_DAY) == EIGHT


def test_a_missed_slot_is_caught_up_once_and_within_a_limit():
    """A missed slot is due once, and only within `catch_up`."""
    before = EIGHT - timedelta(days=21)
    assert due_slot(MONDAY, TOKYO, EIGHT + HALF_DAY, used=before, catch_up=HALF_DAY) == EIGHT
    assert due_slot(MONDAY, TOKYO, EIGHT + HALF_DAY + timedelta(seconds=1), used=before, catch_up=HALF_DAY) is None
    assert due_slot(MONDAY, TOKYO, EIGHT, used=EIGHT, catch_up=HALF_DAY) is None


SCHEDULES = st.sampled_from(
    [Crontab(text) for text in ("0 8 * * 1", "0 * * * *", "*/5 * * * *", "30 2 * * *", "0 0 1 * *", "0 9 29 2 *")]
)
MOMENTS = st.one_of(
    st.datetimes(datetime(2024, 3, 1), datetime(2030, 1, 1)),
    st.datetimes(datetime(2026, 10, 24, 22), datetime(2026, 10, 25, 3)),  # clocks go back in Berlin
).map(lambda m: m.replace(tzinfo=UTC))


@given(SCHEDULES, st.sampled_from([TOKYO, BERLIN, UTC]), MOMENTS)
def test_last_and_next_slot_meet(schedule, zone, now):
    """The last slot is at or before now, the next one is after it, and there is none between them."""
    last, following = last_slot(schedule, zone, now), next_slot(schedule, zone, now)
    assert last <= now < following
    assert last_slot(schedule, zone, following - timedelta(seconds=1)) == last


HOURS = (
    st.tuples(st.times(), st.times()).filter(lambda found: found[0] != found[1]).map(lambda found: TimeWindow(*found))
)


@given(HOURS, st.sampled_from([TOKYO, BERLIN, UTC]), MOMENTS)
def test_a_closed_time_window_opens_within_a_day(hours, zone, now):
    """A time window that is closed opens within 25 hours; without a window, sending is always allowed."""
    opens = next_opening(hours, zone, now)
    if opens is not None:
        assert now < opens <= now + timedelta(hours=25)
        assert next_opening(hours, zone, opens) is None or zone is BERLIN  # where a clock change may skip this time
    assert next_opening(None, zone, now) is None


@pytest.mark.parametrize(
    ("text", "at", "opens"),
    [
        ("08:00-20:00", "2026-11-23T07:59", "2026-11-23T08:00"),
        ("08:00-20:00", "2026-11-23T08:00", None),
        ("8:00 - 20:00", "2026-11-23T20:00", "2026-11-24T08:00"),
        ("22:00-06:00", "2026-11-23T23:30", None),
        ("22:00-06:00", "2026-11-23T05:59", None),
        ("22:00-06:00", "2026-11-23T06:00", "2026-11-23T22:00"),
    ],
)
def test_hours_are_part_of_a_day(text, at, opens):
    """A time window excludes its end, and may go over midnight."""
    found = next_opening(TimeWindow.parse(text), UTC, datetime.fromisoformat(f"{at}+00:00"))
    assert found == (datetime.fromisoformat(f"{opens}+00:00") if opens else None)


@pytest.mark.parametrize("text", ["", "8-20", "08:00", "08:00-08:00", "24:00-06:00", "08:60-20:00", "08:00-20:00 x"])
def test_an_invalid_time_window_is_rejected(text):
    """An invalid time window is rejected with an example."""
    with pytest.raises(ValueError, match="is not a time range; write such as"):
        TimeWindow.parse(text)
