"""Plain text, excerpts and reading time."""

import re
import unicodedata

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.posts import markdown, text


def test_plain_text_has_a_line_for_each_block_and_no_scripts():
    """List items and table cells are blocks of text; scripts and footnote arrows are left out."""
    html = markdown.render_markdown(
        "# A\n\nOne *two*[^1]\nthree\n\n- x\n- y\n\n<script>evil()</script>\n\n|a|b|\n|-|-|\n|1|2|\n\n[^1]: note",
    )
    assert [block for _, block in text.text_blocks(html)] == [
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
        ("", 0),
        ("… – 🙂", 0),
        ("word", 1),
        ("word " * 238, 1),
        ("word " * 239, 2),
        ("字" * 500, 1),
        ("字" * 501, 2),
        ("word " * 119 + "字" * 251, 2),
    ],
)
def test_reading_time_counts_words_and_characters_each_at_its_speed(sample, minutes):
    """Reading time counts words and CJK characters at their speeds, rounded up; a text without words takes none."""
    assert text.reading_minutes(sample, 238, 500) == minutes


RLO, RLE, PDF, FSI, PDI = "\u202e\u202b\u202c\u2068\u2069"
DIRECTIONS = {
    "an override": (f"a {RLO}b", "a b"),
    "an end": (f"a{PDI} b{PDF}", "a b"),
    "an isolate in an override": (f"{RLO}a{FSI}b{PDI}", f"a{FSI}b{PDI}"),
    "ends in the other order": (f"{RLO}a{FSI}b{PDF}c{PDI}", f"a{FSI}bc{PDI}"),
    "a deprecated control": ("a\u206ab", "ab"),
    "pairs": (f"{RLE}a{FSI}b{PDI}{PDF} c", f"{RLE}a{FSI}b{PDI}{PDF} c"),
    "other invisible characters": ("می\u200cخواهم\u200e a\xadb", "می\u200cخواهم\u200e a\xadb"),
}


@pytest.mark.parametrize(("line", "balanced"), DIRECTIONS.values(), ids=DIRECTIONS)
def test_controls_of_direction_without_counterpart_are_removed(line, balanced):
    """What is not closed in the line, or closes nothing, is removed; pairs stay."""
    assert text.balance_directions(line) == balanced


@given(st.text(alphabet=f"ab{RLO}{RLE}{PDF}{FSI}{PDI}\u206b"))
def test_a_balanced_line_stays_as_it_is(line):
    """A line that was balanced has all its words, and is not changed again."""
    balanced = text.balance_directions(line)
    assert text.balance_directions(balanced) == balanced
    assert re.sub("[^ab]", "", balanced) == re.sub("[^ab]", "", line)


MARKED = {
    "Malayalam": "മലയാളം ഭാഷ",
    "Tamil": "தமிழ் மொழி",
    "Hindi": "हिन्दी भाषा",
    "French in NFD": unicodedata.normalize("NFD", "été célébré"),
    "Vietnamese in NFD": unicodedata.normalize("NFD", "tiếng Việt"),
    "vocalised Arabic": "اَلسَّلَامُ عَلَيْكُمْ",
    "pointed Hebrew": "בְּרֵאשִׁית בָּרָא",
    "Hebrew with gershayim": "צה״ל ג׳ורג׳",
    "Persian with joiners": "می\u200cخواهم کتاب\u200cها",
    "soft hyphens": "Donau\xaddampf\xadschiff fährt",
    "Adlam": "𞤆𞤵𞤤𞤢𞥄𞤪 𞤀𞤣𞤤𞤢𞤥",
}


@pytest.mark.parametrize("sample", MARKED.values(), ids=MARKED)
def test_marks_do_not_end_a_word(sample):
    """Combining marks, joiners and soft hyphens are parts of a word in any script."""
    assert text.reading_minutes(f"{sample} " * 1190, 238, 500) == 10
    assert text.reading_minutes(f"{sample} " * 1191, 238, 500) == 11


@given(st.text(alphabet="aé ßçö字がй한я.'-_1", max_size=60), st.integers(1, 9))
def test_the_form_of_a_text_does_not_change_its_reading_time(sample, speed):
    """A text in NFD takes as long to read as in NFC."""
    composed, decomposed = (unicodedata.normalize(form, sample) for form in ("NFC", "NFD"))
    assert text.reading_minutes(composed, speed, speed) == text.reading_minutes(decomposed, speed, speed)


@pytest.mark.parametrize(("sample", "words"), [("ภาษาไทยเป็นภาษาที่มีระดับเสียง", 8), ("ພາສາລາວເປັນພາສາ", 4), ("ភាសាខ្មែរ", 2)])
def test_a_script_without_spaces_is_not_one_long_word(sample, words):
    """Words of Thai, Lao and Khmer are estimated by their letters."""
    minutes = text.reading_minutes(sample * 100, 1, 500)
    assert 0.7 * words <= minutes / 100 <= 1.5 * words


def test_korean_is_read_by_the_word():
    """Korean reading time is counted by words."""
    assert text.reading_minutes("단어 " * 239, 238, 500) == 2


def test_an_excerpt_is_whole_sentences_where_they_fit():
    """A text is cut after the last sentence that fits."""
    assert text.shorten("一つ目の文。二つ目の文。三つ目の文。", 26) == "一つ目の文。二つ目の文。"
    assert text.shorten("First one. Second one. Third.", 24) == "First one. Second one."


@given(st.text(alphabet="a é👩‍👩‍👧👍🏽字。、 \u0301", max_size=60), st.integers(4, 40))
def test_a_shortened_text_never_holds_half_a_grapheme(sample, width):
    """A shortened text is a beginning of the text in whole graphemes, within the width."""
    short = text.shorten(sample, width)
    kept = short.removesuffix("…") if short != sample else short
    assert sample.startswith(kept)
    assert regex.findall(r"\X", sample)[: len(regex.findall(r"\X", kept))] == regex.findall(r"\X", kept)
    assert text.display_width(short) <= width or short == sample


@pytest.mark.parametrize("piece", ["🇩🇪", "e\u0301", "a. ", "(a. ", "「", "a"])
def test_a_very_long_text_is_shortened_as_its_beginning_is(piece):
    """Text far behind the width does not change where a text is cut."""
    assert text.shorten(piece * 100_000) == text.shorten(piece * 1000)


def test_deep_nesting_is_read_without_recursion():
    """Deeply nested elements are read without recursion."""
    assert [block for _, block in text.text_blocks("<div>" * 200 + "x")] == ["x"]
