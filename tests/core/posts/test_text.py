"""Plain text, excerpts, reading time."""

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.posts import markdown, text


def test_plain_text_has_a_line_a_block_and_no_code_that_runs():
    """Scripts, styles and footnote arrows are no text; list items and cells are."""
    html = markdown.render_markdown(
        "# A\n\nOne *two*[^1]\nthree\n\n- x\n- y\n\n<script>evil()</script>\n\n|a|b|\n|-|-|\n|1|2|\n\n[^1]: note",
    )
    assert text.join_blocks(text.text_blocks(html)).split("\n") == [
        "A",
        "One two1 three",
        "x",
        "y",
        "a",
        "b",
        "1",
        "2",
        "note",
    ]


@pytest.mark.parametrize(
    ("sample", "minutes"),
    [
        ("", 1),
        ("word " * 238, 1),
        ("word " * 239, 2),
        ("字" * 500, 1),
        ("字" * 501, 2),
        ("word " * 119 + "字" * 251, 2),
    ],
)
def test_reading_time_counts_words_and_characters_each_at_its_speed(sample, minutes):
    """Rounded up, at least one minute."""
    assert text.reading_minutes(sample, 238, 500) == minutes


def test_korean_is_read_by_the_word():
    """Hangul has spaces."""
    assert text.reading_minutes("단어 " * 239, 238, 500) == 2


def test_an_excerpt_is_whole_sentences_where_they_fit():
    """Cut at the last sentence end, `。` too."""
    assert text.shorten("一つ目の文。二つ目の文。三つ目の文。", 26) == "一つ目の文。二つ目の文。"
    assert text.shorten("First one. Second one. Third.", 24) == "First one. Second one."


def test_an_excerpt_leaves_headings_code_and_lists_out():
    """The first paragraphs say what a post is about."""
    html = markdown.render_markdown("# Heading\n\n```\ncode\n```\n\n- item\n\nThe *first* words.\n\nThe next.")
    assert text.make_excerpt(text.text_blocks(html)) == "The first words. The next."


@given(st.text(alphabet="a é👩‍👩‍👧👍🏽字。、 \u0301", max_size=60), st.integers(4, 40))
def test_a_shortened_text_never_holds_half_a_grapheme(sample, width):
    """What is kept is a beginning of the text, in whole graphemes, within the width."""
    short = text.shorten(sample, width)
    kept = short.removesuffix("…") if short != sample else short
    assert sample.startswith(kept)
    assert regex.findall(r"\X", sample)[: len(regex.findall(r"\X", kept))] == regex.findall(r"\X", kept)
    assert text.display_width(short) <= width or short == sample


def test_deep_nesting_is_no_trouble():
    """A thousand open elements are read without a thousand calls."""
    assert "x" in text.join_blocks(text.text_blocks("<div>" * 200 + "x"))
