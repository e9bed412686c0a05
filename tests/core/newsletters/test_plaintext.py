"""Lines of the text part."""

from hypothesis import given
from hypothesis import strategies as st

from feeds.core.newsletters.plaintext import _pieces, wrapped
from feeds.core.posts.text import cells


def test_words_are_kept_whole_and_marks_do_not_begin_lines():
    """Latin text breaks at spaces, Japanese anywhere but before `。`."""
    assert wrapped("one two three", 8) == "one two\nthree"
    assert wrapped("一二三四。五六", 8) == "一二三\n四。五六"
    assert wrapped("「一二」三", 6) == "「一\n二」三"
    assert wrapped("a b", 20, "> ") == "> a b"


@given(st.text(alphabet="ab 字。「」ー\n", max_size=80), st.integers(8, 40))
def test_nothing_is_lost_by_wrapping(text, width):
    """Without white space the text is the same, and a line stands over only if it cannot be divided."""
    lines = wrapped(text, width).split("\n")
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(cells(line) <= width or len(_pieces(line)) == 1 for line in lines)
