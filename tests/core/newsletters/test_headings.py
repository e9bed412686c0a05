"""Levels of headings below those of a letter or a page."""

from hypothesis import given
from hypothesis import strategies as st

from feeds.core.newsletters.headings import number_levels


@given(st.lists(st.integers(0, 5)), st.integers(1, 5))
def test_no_level_of_headings_is_left_out(levels, below):
    """A heading is never more than one level deeper than the one before it, and none is above the headline."""
    found = number_levels(levels, below)
    assert all(after <= before + 1 for before, after in zip([below, *found], found, strict=False))
    assert all(below < level or level == 6 for level in found)
    assert max(found, default=0) <= 6
