"""Suggestions for misspelled names."""

from hypothesis import given
from hypothesis import strategies as st

from feeds.spelling import closest_name

KNOWN = ("folder", "permalink", "reading")


def test_a_misspelled_name_gives_the_known_name_it_resembles():
    """Two swapped or missing letters still give the right name."""
    assert closest_name("foldr", KNOWN) == "folder"
    assert closest_name("premalink", KNOWN) == "permalink"


def test_a_word_that_resembles_no_known_name_gives_nothing():
    """None is returned when no name is similar enough, or when no names are known."""
    assert closest_name("xyz", KNOWN) is None
    assert closest_name("folder", ()) is None


def test_a_higher_cutoff_accepts_fewer_names():
    """A name below the cutoff is not suggested."""
    assert closest_name("foldr", KNOWN, cutoff=0.99) is None


@given(st.lists(st.text(max_size=8)), st.text(max_size=8))
def test_the_order_of_the_known_names_makes_no_difference(known, word):
    """The suggestion is the same for the same names in another order, so messages do not change between runs."""
    assert closest_name(word, known) == closest_name(word, reversed(known))
