"""Splitting text into sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.posts import sentences

SPLITS = {
    "Japanese": ("雨だ。風だ！晴れか？", ["雨だ。", "風だ！", "晴れか？"]),
    "quotation marks hold": ("彼は「おや？」と思った。そして去った。", ["彼は「おや？」と思った。", "そして去った。"]),
    "emphasis belongs to it": ("**大事だ。**次だ。", ["**大事だ。**", "次だ。"]),
    "English": ("One. Two! Three?", ["One. ", "Two! ", "Three?"]),
    "abbreviations": ("Dr. Gray met J. Smith. They spoke.", ["Dr. Gray met J. Smith. ", "They spoke."]),
    "numbers and names": ("Rust 1.84.1 is out, e.g. here. Read on.", ["Rust 1.84.1 is out, e.g. here. ", "Read on."]),
    "lower case goes on": ("Wait... what? Yes.", ["Wait... what? ", "Yes."]),
    "Arabic": ("كيف حالك؟ بخير.", ["كيف حالك؟ ", "بخير."]),
    "a lone bracket": ("Sad :( today. And on. It goes.", ["Sad :( today. ", "And on. ", "It goes."]),
    "German quotation": (
        "Er sagte „Halt. Nein.“ und ging. Dann kam sie.",
        ["Er sagte „Halt. Nein.“ und ging. ", "Dann kam sie."],
    ),
    "footnote": ("So it is.[^1] And on.", ["So it is.[^1] ", "And on."]),
}


@pytest.mark.parametrize(("text", "expected"), SPLITS.values(), ids=SPLITS)
def test_sentences_end_at_full_stops(text, expected):
    """Sentences end at full stops of any script, and not inside quotation marks, brackets or abbreviations."""
    assert sentences.split_sentences(text) == expected


@given(st.text(alphabet="ab。！？.!? 「」()\n*…A", max_size=80))
def test_nothing_is_lost_by_splitting(text):
    """The joined sentences are the text, and none of them is empty."""
    found = sentences.split_sentences(text)
    assert "".join(found) == text
    assert all(found)


@pytest.mark.parametrize(
    ("text", "whole"), [("終わり。", True), ("A b.[^1]", True), ("**終わり。**", True), ("途中で", False), ("", False)]
)
def test_a_cut_sentence_is_not_whole(text, whole):
    """A sentence is whole if it ends with a full stop, closing marks aside."""
    assert sentences.is_whole_sentence(text) is whole
