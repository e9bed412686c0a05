"""Dates in the forms that people write."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
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
    "Jul 08 2022": "2022-07-08T00:00:00+09:00",
    "May 1, 2024": "2024-05-01T00:00:00+09:00",
    "September 3rd, 2024": "2024-09-03T00:00:00+09:00",
    "Sept. 3, 2024 at 9:05 a.m.": "2024-09-03T09:05:00+09:00",
    "Friday, May 3, 2024 12:30 AM": "2024-05-03T00:30:00+09:00",
    "1 May 2024": "2024-05-01T00:00:00+09:00",
    "1 May 2024 10:00 PM": "2024-05-01T22:00:00+09:00",
    "1. May 2024, 12 PM": "2024-05-01T12:00:00+09:00",
    "1st of May 2024": "2024-05-01T00:00:00+09:00",
    "01-May-2024 10:00": "2024-05-01T10:00:00+09:00",
    "2024年5月1日": "2024-05-01T00:00:00+09:00",
    "2024 年 5 月 1 日 10:30": "2024-05-01T10:30:00+09:00",
    "２０２４年１２月０１日": "2024-12-01T00:00:00+09:00",
    "2024년 5월 1일": "2024-05-01T00:00:00+09:00",
    "2024-05-01 10:00 PM": "2024-05-01T22:00:00+09:00",
    "Sun Oct 11 2015 00:00:00 GMT+0800 (CST)": "2015-10-11T00:00:00+08:00",
    "Sun Oct 11 2015 00:00:00 GMT-0330 (Newfoundland Standard Time)": "2015-10-11T00:00:00-03:30",
    "Sun Oct 11 00:00:00 2015": "2015-10-11T00:00:00+09:00",
    "Sun Oct 11 08:15:30 PDT 2015": "2015-10-11T08:15:30-07:00",
    "Mon, 05 Oct 20 08:00:00 +0200": "2020-10-05T08:00:00+02:00",
    "05 Oct 95 08:00 GMT": "1995-10-05T08:00:00+00:00",
    "Mon, 05 Oct 2020 08:00:00 +0200 (CEST)": "2020-10-05T08:00:00+02:00",
    "2015-10-11 08:00 UTC+8": "2015-10-11T08:00:00+08:00",
}
#: Names of zones: US (RFC 5322), European, and that of the site.
NAMED = {
    "2024-01-01 10:00 EST": "-05:00",
    "Mon, 05 Oct 2020 08:00:00 CEST": "+02:00",
    "May 1, 2024 10:00 pm PDT": "-07:00",
    "1 May 2024 10:00 MESZ": "+02:00",
    "2024-05-01T10:00:00 (EEST)": "+03:00",
    "2024-05-01 10:00 JST": "+09:00",
    "2024-05-01 10:00 ut": "+00:00",
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
        "10/05/2024",
        "May 2024",
        "Maybe 1, 2024",
        "1 May 2024 10",
        "2024-05-01 noon",
        "5 Okt 2024",
    ],
)
def test_a_text_that_is_not_a_date_is_rejected_with_an_example(text):
    """The error for a text that is not a date shows a valid form."""
    with pytest.raises(ValueError, match="is not a date; write, for example,"):
        dates.parse_date(text, TOKYO)


@pytest.mark.parametrize(("text", "offset"), NAMED.items())
def test_the_name_of_a_zone_is_its_offset(text, offset):
    """A date with the name of one time zone only is in that zone, without a doubt."""
    moment, doubt = dates.read_date(text, TOKYO)
    assert (moment.isoformat()[-6:], doubt) == (offset, "")


DOUBTFUL = {
    "2024-05-01 10:00 CST": ("-06:00", "CST is US Central Time or China Standard Time; it is read as -06:00: write"),
    "Mon, 05 Oct 2020 08:00:00 BST": ("+01:00", "BST is British Summer Time or Bangladesh"),
    "May 1, 2024 10:00 PM IST": ("+05:30", "IST is India, Israel or Irish Standard Time; it is read as +05:30"),
    "Mon, 05 Oct 2020 08:00 XYZ": ("+09:00", "'XYZ' is not a known time zone; the site's is used: write the offset"),
    "2024-05-01 10:00 (somewhere)": ("+09:00", "'somewhere' is not a known time zone"),
}


@pytest.mark.parametrize(("text", "expected"), DOUBTFUL.items())
def test_an_ambiguous_or_unknown_zone_is_reported(text, expected):
    """A zone's name that may mean several zones, or none that is known, is never used without a report."""
    moment, doubt = dates.read_date(text, TOKYO)
    assert moment.isoformat()[-6:] == expected[0]
    assert doubt.startswith(expected[1])


@pytest.mark.parametrize(
    ("name", "text", "offset"),
    [
        ("Asia/Shanghai", "2024-05-01 10:00 CST", "+08:00"),
        ("Europe/London", "2024-05-01 10:00 BST", "+01:00"),
        ("Asia/Manila", "2024-05-01 10:00 PST", "+08:00"),
        ("Australia/Sydney", "1 May 2024 10:00 AEST", "+10:00"),
    ],
)
def test_a_name_that_the_site_uses_is_that_of_the_site(name, text, offset):
    """Where the site's own zone has the name on that day, it is meant, and there is no doubt."""
    moment, doubt = dates.read_date(text, ZoneInfo(name))
    assert (moment.isoformat()[-6:], doubt) == (offset, "")


@pytest.mark.parametrize(
    "text", ["Feb 30, 2024", "1 May 2024 13:00 PM", "1 May 2024 25:00", "2024年13月1日", "1 Jan 0001"]
)
def test_impossible_dates_in_words_are_rejected_with_a_reason(text):
    """A day, hour or year that does not exist raises a ValueError with a reason for people."""
    with pytest.raises(ValueError, match="impossible date"):
        dates.parse_date(text, TOKYO)


@given(st.datetimes(min_value=datetime(1900, 1, 2), max_value=datetime(9000, 1, 1)), st.integers(-839, 839))
def test_dates_of_mail_and_javascript_read_back_as_they_were_written(moment, offset):
    """RFC 5322's and JavaScript's form of any time are parsed to that time, to the second."""
    aware = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=offset)))
    assert dates.parse_date(format_datetime(aware), UTC) == aware
    written = f"{aware:%a %b %d} {aware.year:04} {aware:%H:%M:%S GMT%z} (Any Time)"
    assert dates.parse_date(written, UTC) == aware


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
