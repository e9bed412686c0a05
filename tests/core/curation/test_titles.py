"""Titles of posts and of their copies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.curation.titles import may_be_copies

COPIES = {
    "the same": ("Bread", "Bread"),
    "in other case and width": ("Ｂread  today", "bread today"),
    "with a word more": ("Planning a prize", "Spotlight chat: planning a prize"),
    "with a word more at its end": ("Planning a prize", "Planning a prize (updated)"),
    "in Japanese": ("東京ミートアップ", "再掲:東京ミートアップ"),
    "of marks alone": ("🎉", "🎉"),
    "reworded": (
        "Trust and Collaboration: Lessons Learned from a Usability Group",
        "Building a Usability Collaboration Group: Lessons Learned from the Survey",
    ),
}
OTHERS = {
    "another city": ("Meetup in Berlin", "Meetup in Hamburg"),
    "another city in a long title": (
        "Notes from the monthly meeting of bakers in Berlin",
        "Notes from the monthly meeting of bakers in Hamburg",
    ),
    "in Japanese": ("東京ミートアップ", "大阪ミートアップ"),
    "Japanese signs in another order": ("京東のパン", "東京のパン"),
    "other vowel signs": ("दिल्ली", "दाल"),
    "other accents": ("Resume", "Résumé"),
    "other marks": ("🎉", "🎂"),
    "marks and a word": ("🎉", "Party"),
    "nothing in common": ("How we bake", "The salt of the earth"),
}


@pytest.mark.parametrize(("one", "other"), COPIES.values(), ids=COPIES)
def test_titles_of_copies(one, other):
    """Titles are those of copies if the words of one contain the other's, or if it is the other reworded."""
    assert may_be_copies(one, other)
    assert may_be_copies(other, one)


@pytest.mark.parametrize(("one", "other"), OTHERS.values(), ids=OTHERS)
def test_titles_of_two_posts(one, other):
    """Titles that each have a word of their own are those of two posts."""
    assert not may_be_copies(one, other)
    assert not may_be_copies(other, one)


@given(st.lists(st.sampled_from(["meetup", "in", "Berlin", "the", "of", "bakers", "東京"]), max_size=8))
def test_a_title_with_a_word_of_its_own_in_its_frame_is_another_post(frame):
    """Titles that differ in one word at the same place are those of two posts, whatever the words around it."""
    for at in range(len(frame) + 1):
        one, other = (" ".join([*frame[:at], word, *frame[at:]]) for word in ("Hamburg", "Leipzig"))
        assert not may_be_copies(one, other)
        assert may_be_copies(one, " ".join(frame)) == bool(frame)
