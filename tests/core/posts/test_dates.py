"""Dates in the forms that people write."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.posts import dates

TOKYO = ZoneInfo("Asia/Tokyo")
ACCEPTED = {
    "2010-10-22 11:33:15 -0400": "2010-10-22T11:33:15-04:00",
    "2012-02-19 1:44:51 -0400": "2012-02-19T01:44:51-04:00",
    "2012-02-19 1:44:51 -4": "2012-02-19T01:44:51-04:00",
    "2024-10-23T16:00": "2024-10-23T16:00:00+09:00",
    "2024-10-23 16:00 UTC": "2024-10-23T16:00:00+00:00",
    "2024-10-23T16:00:00.250Z": "2024-10-23T16:00:00+00:00",
    "2019-1-7": "2019-01-07T00:00:00+09:00",
    "2019/01/07": "2019-01-07T00:00:00+09:00",
    "2023-11-02T8:00:00+02:00": "2023-11-02T08:00:00+02:00",
    "Mon, 05 Oct 2020 08:00:00 +0200": "2020-10-05T08:00:00+02:00",
    "2024-02-29": "2024-02-29T00:00:00+09:00",
}


@pytest.mark.parametrize(("text", "date"), ACCEPTED.items())
def test_the_forms_of_real_blogs_are_accepted(text, date):
    """Every form found in real blogs is parsed; a date without an offset is in the site's time zone."""
    assert dates.parse_date(text, TOKYO).isoformat() == date


@pytest.mark.parametrize(
    "text", ["2021-09-31", "2023-02-29", "2024-13-01", "2024-01-01 25:00", "0001-01-01", "9999-12-31"]
)
def test_impossible_dates_are_rejected_with_a_reason(text):
    """An impossible date raises a ValueError with a reason for people."""
    with pytest.raises(ValueError, match="impossible date"):
        dates.parse_date(text, TOKYO)


@pytest.mark.parametrize("offset", ["+25:00", "-2400", "+99:99"])
def test_an_offset_of_a_day_is_rejected_in_plain_words(offset):
    """An offset of a day or more is an impossible date, and the reason names the offset."""
    with pytest.raises(
        ValueError, match=r"impossible date '2026-01-12 08:00.*': (.*) is a day or more from UTC$"
    ) as found:
        dates.parse_date(f"2026-01-12 08:00{offset}", TOKYO)
    assert f": {offset} is" in str(found.value)


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "",
        "20",
        "2024",
        "12:30",
        "2024-01-01 08:00 JST please",
        "Mon, 05 Oct 2020 08:00:00 +99999999999999",
    ],
)
def test_a_text_that_is_not_a_date_is_rejected_with_an_example(text):
    """The error for a text that is not a date shows a valid form."""
    with pytest.raises(ValueError, match="is not a date; write, for example,"):
        dates.parse_date(text, TOKYO)


@given(st.datetimes(min_value=datetime(1000, 1, 2), max_value=datetime(9000, 1, 1)), st.integers(-840, 840))
def test_iso_dates_read_back_as_they_were_written(moment, offset):
    """An ISO 8601 date with any offset is parsed to the same time, to the second."""
    aware = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=offset)))
    assert dates.parse_date(aware.isoformat(), UTC) == aware


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_a_value_error(text):
    """Any text gives an aware datetime or a ValueError with a reason."""
    try:
        assert dates.parse_date(text, UTC).tzinfo
    except ValueError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("path", "date"),
    [
        ("2015-03-01-x.md", "2015-03-01"),
        ("2019-1-7-x.md", "2019-1-7"),
        ("news/2015-03-01-x/index.md", "2015-03-01"),
        ("2025/02/13/Rust-1.84.1", "2025/02/13".replace("/", "-")),
        ("release-2015-03.md", None),
        ("12015-03-01-x.md", None),
    ],
)
def test_a_date_is_found_in_file_folder_and_url_names(path, date):
    """A whole date at the beginning of a file or folder name is found, and nothing else."""
    assert dates.date_in_path(path) == date
