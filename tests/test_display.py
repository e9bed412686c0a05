"""Times and numbers as people read them."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.display import format_count, format_time
from tests.conftest import ROOT

TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Asia/Tokyo", "2026-12-01 08:30 JST"),
        ("America/Sao_Paulo", "2026-11-30 20:30 -03"),
        ("Europe/Berlin", "2026-12-01 00:30 CET"),
        ("UTC", "2026-11-30 23:30 UTC"),
    ],
)
def test_a_time_is_shown_in_a_zone(zone, expected):
    """A time is shown in the zone that is asked for, with the zone's name at that time."""
    assert format_time(datetime(2026, 11, 30, 23, 30, 59, tzinfo=UTC), ZoneInfo(zone)) == expected


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)), st.integers(-14, 14))
def test_a_time_is_shown_the_same_wherever_it_comes_from(time, hours):
    """The zone in which a time is given makes no difference."""
    moment = time.replace(tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(hours=hours)))
    assert format_time(elsewhere, TOKYO) == format_time(moment, TOKYO)


@pytest.mark.parametrize(
    ("number", "words", "expected"),
    [
        (1, ("post",), "1 post"),
        (0, ("post",), "0 posts"),
        (2, ("post",), "2 posts"),
        (12_345, ("delivery waits", "deliveries wait"), "12,345 deliveries wait"),
        (1, ("delivery waits", "deliveries wait"), "1 delivery waits"),
    ],
)
def test_a_noun_agrees_with_its_number(number, words, expected):
    """One is singular, every other number plural, with commas between thousands."""
    assert format_count(number, *words) == expected


def test_times_for_people_are_formatted_in_one_place():
    """No module but `display` writes a time to the minute, except stored texts and keys, which keep UTC."""
    stored = {
        "feeds/config_types.py",  # hours of the day, as in config.toml
        "feeds/cli/output_subscribers.py",  # reads the times of consent
        "feeds/core/posts/tags/liquid.py",  # the format of a post's date, as Liquid has it
        "feeds/jobs/newsletters/alert.py",  # keys of alerts
        "feeds/jobs/subscribers/confirm.py",  # consent
        "feeds/jobs/subscribers/import_subscribers.py",  # consent
        "feeds/jobs/subscribers/subscribe.py",  # consent
    }
    found = {
        str(file.relative_to(ROOT)) for file in (ROOT / "feeds").rglob("*.py") if "%H:%M" in file.read_text("utf-8")
    }
    found = {name for name in found if "/migrations/" not in name}
    assert found == stored | {"feeds/display.py"}
