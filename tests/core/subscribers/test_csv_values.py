"""Parsing and formatting CSV cells."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.subscribers import csv_values

TEXTS = st.text(st.characters(codec="utf-8"))


@pytest.mark.parametrize(
    "text", ["=cmd()", "+1", "-1", "@x", "\tx", "\rx", "\nx", "＝1", "＠x", "'=1", "''+1", " =1", "' =1"]
)
def test_what_a_spreadsheet_would_run_begins_with_an_apostrophe(text):
    """A formula gets an apostrophe (OWASP, CSV Injection), also if it begins with apostrophes already."""
    assert csv_values.escape_formula(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=1", "O'Brien", "'tis", "1-2", "2026-01-31", "ada@b.org"])
def test_what_is_no_formula_stays_as_it_is(text):
    """A cell that is not a formula gets no apostrophe."""
    assert csv_values.escape_formula(text) == text == csv_values.unescape_formula(text)


@given(st.text("'=+-@\t\r\n ＝a", max_size=6) | TEXTS)
def test_a_guarded_cell_says_what_was_guarded(text):
    """Unescaping an escaped cell gives the original text."""
    assert csv_values.unescape_formula(csv_values.escape_formula(text)) == text


@pytest.mark.parametrize(
    ("cell", "time"),
    [
        ("2015-03-16 14:40:47", datetime(2015, 3, 16, 14, 40, 47, tzinfo=UTC)),
        ("2024-01-15T10:00:00.000Z", datetime(2024, 1, 15, 10, tzinfo=UTC)),
        ("2024-01-15 19:00+09:00", datetime(2024, 1, 15, 10, tzinfo=UTC)),
        ("2023-01-02 15:04:05.12345 +0530 IST", datetime(2023, 1, 2, 9, 34, 5, 123450, tzinfo=UTC)),
        ("2023-01-02 15:04:05.123456789 +0000 UTC", datetime(2023, 1, 2, 15, 4, 5, 123456, tzinfo=UTC)),
        ("2023-01-02 15:04:05 -0300 -03", datetime(2023, 1, 2, 18, 4, 5, tzinfo=UTC)),
        ("2023-01-02 15:04:05 UTC", datetime(2023, 1, 2, 15, 4, 5, tzinfo=UTC)),
        (" 2024-01-05 ", datetime(2024, 1, 5, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_the_tools_write_them(cell, time):
    """Times of Mailchimp, Ghost, listmonk and Buttondown are parsed; without a zone they are UTC."""
    assert csv_values.parse_time(cell) == time


@pytest.mark.parametrize(
    "cell",
    [
        *("", "yesterday", "01/02/2024", "2024-13-01", "2024-02-30", "1704067200", "20240105", "2024-01-05 25:00"),
        *("2024-01-05 10:00 EST", "0001-01-01 00:00+14:00", "9999-12-31 23:59-12:00", "２０２４-01-05"),
    ],
)
def test_a_time_that_cannot_be_read_is_none(cell):
    """An ambiguous, invalid or out-of-range time gives None."""
    assert csv_values.parse_time(cell) is None


@given(st.datetimes(timezones=st.just(UTC) | st.just(timezone(timedelta(hours=9))), min_value=datetime(1, 1, 2)))
def test_a_time_comes_back_as_it_was_written(time):
    """A time in ISO 8601 is parsed to the microsecond."""
    assert csv_values.parse_time(time.isoformat()) == time


@given(TEXTS)
def test_no_cell_raises(cell):
    """No cell raises in any parser."""
    for read in (
        csv_values.parse_time,
        csv_values.parse_language,
        csv_values.parse_timezone,
        csv_values.parse_names,
        csv_values.parse_topics,
        csv_values.to_one_line,
        csv_values.unescape_formula,
    ):
        read(cell)


@pytest.mark.parametrize(
    "cell", ["\ud800", "../../etc/passwd", "/etc/passwd", "America", "Asia/" + "x" * 5000, "\x00", "."]
)
def test_what_is_no_zone_is_none(cell):
    """Folders and paths of the time zone database, and lone surrogates, are not time zones."""
    assert csv_values.parse_timezone(cell) is None


def test_languages_and_zones_are_brought_into_their_usual_form():
    """Languages and time zones are normalised as in config.toml."""
    assert (
        csv_values.parse_language("en_us"),
        csv_values.parse_language("zh-hans"),
        csv_values.parse_language("English"),
    ) == (
        "en-US",
        "zh-Hans",
        None,
    )
    assert (csv_values.parse_timezone(" Asia/Tokyo "), csv_values.parse_timezone("Tokyo")) == ("Asia/Tokyo", None)


def test_names_stand_between_semicolons_commas_or_bars():
    """Names are separated by `;`, `,` or `|`, each once, in order; a backslash escapes a separator."""
    assert csv_values.parse_names(" weekly; daily,weekly|  the  other ;;") == ("weekly", "daily", "the other")
    assert csv_values.parse_names(r"Food\, drink; A\|B; C\\D") == ("Food, drink", "A|B", r"C\D")


def test_topics_are_of_one_newsletter_or_of_all():
    """A topic with a `newsletter:` prefix belongs to that newsletter; an escaped colon is part of the topic."""
    assert csv_values.parse_topics(r"weekly:Science; weekly: Art; Music, re\: mail; weekly:Art; Q: what") == {
        "weekly": ("Science", "Art"),
        "": ("Music", "re: mail", "Q: what"),
    }


NAMES = TEXTS.map(csv_values.to_one_line).filter(bool)


@given(st.lists(NAMES, unique=True).map(tuple))
def test_names_come_back_as_they_were_listed(chosen):
    """Formatted names are parsed back, also an empty list."""
    assert csv_values.parse_names(csv_values.format_names(chosen)) == chosen
    assert csv_values.format_names(chosen) != ""


@given(
    st.dictionaries(
        st.from_regex("[a-z0-9-]{0,9}", fullmatch=True), st.lists(NAMES, unique=True, min_size=1).map(tuple)
    )
)
def test_topics_come_back_as_they_were_listed(chosen):
    """Formatted topics are parsed back, whatever characters they contain."""
    assert csv_values.parse_topics(csv_values.format_topics(chosen)) == chosen


def test_long_cells_are_not_remembered():
    """Long cells are not cached, so a hostile file cannot fill the memory."""
    asked = []
    read = csv_values.memoize_short(lambda cell: asked.append(cell) or cell)
    for cell in ("short", "short", "x" * 300, "x" * 300):
        assert read(cell) == cell
    assert [len(cell) for cell in asked] == [5, 300, 300]
