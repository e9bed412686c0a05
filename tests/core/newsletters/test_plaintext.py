"""Line breaks of the text part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.newsletters.plaintext import _pieces, wrap_text
from feeds.core.posts.text import display_width


def test_words_are_kept_whole_and_marks_do_not_begin_lines():
    """Latin text breaks at spaces, Japanese text anywhere except before `。` and similar marks."""
    assert wrap_text("one two three", 8) == "one two\nthree"
    assert wrap_text("一二三四。五六", 8) == "一二三\n四。五六"
    assert wrap_text("「一二」三", 6) == "「一\n二」三"
    assert wrap_text("a b", 20, "> ") == "> a b"


@given(st.text(alphabet="ab 字。「」ー\n", max_size=80), st.integers(8, 40))
def test_nothing_is_lost_by_wrapping(text, width):
    """Wrapping changes only white space, and only a line that cannot be divided is longer than the width."""
    lines = wrap_text(text, width).split("\n")
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(display_width(line) <= width or len(_pieces(line)) == 1 for line in lines)


@pytest.mark.parametrize(
    "text",
    [
        "어제 저는 어머니와 함께 시장에 가서 과일을 많이 사 왔습니다.",
        "Qui vient\u202f? Personne ne le sait\u202f; la porte reste ouverte\u00a0: «\u00a0entrez\u00a0».",
    ],
)
@pytest.mark.parametrize("width", [8, 13, 21])
def test_lines_break_between_words_only(text, width):
    """Korean words and French marks after a no-break space stay in one piece, whatever the width."""
    lines = wrap_text(text, width).split("\n")
    assert len(lines) > 1
    assert [word for line in lines for word in line.split(" ")] == text.split(" ")
