"""Letters that are too large for mail programs."""

from hypothesis import given
from hypothesis import strategies as st

from feeds.core.newsletters.fitting import LetterExtent, shorten_letter
from feeds.core.newsletters.message import MOST_BYTES
from feeds.core.newsletters.selection import MOST_LISTED
from feeds.model import Selection
from tests.core.factory import entry

STORIES = tuple(entry(f"{n}.md") for n in range(60))
OLDER = tuple(entry(f"older-{n}.md") for n in range(3))
TOO_LARGE = st.integers(MOST_BYTES, 50 * MOST_BYTES)


def digest(stories=STORIES, **values):
    return LetterExtent(selection=Selection(stories=stories, **values))


def shorten_digest(extent, size):
    return shorten_letter(extent, size, has_whole_post=False).selection


def test_a_digest_of_twice_the_size_keeps_half_of_its_stories():
    """The first half of the stories remains; the first twenty of the others are listed by title, before the rest."""
    shorter = shorten_digest(digest(STORIES[:10], also=OLDER), 2 * MOST_BYTES)
    assert (shorter.stories, shorter.also) == (STORIES[:5], (*STORIES[5:10], *OLDER))
    shorter = shorten_digest(digest(also=OLDER), 2 * MOST_BYTES)
    assert (shorter.stories, shorter.also) == (STORIES[:30], STORIES[30 : 30 + MOST_LISTED])


def test_at_least_one_story_is_dropped_and_the_first_remains():
    """A letter just above the limit loses one story; a letter with one story keeps it, whatever its size."""
    assert shorten_digest(digest(), MOST_BYTES).stories == STORIES[:-1]
    assert shorten_digest(digest(STORIES[:1]), 9 * MOST_BYTES).stories == STORIES[:1]
    assert shorten_digest(digest(STORIES[:2]), 9 * MOST_BYTES).stories == STORIES[:1]


def test_an_issue_that_passes_over_entries_lists_dropped_stories_too():
    """If a selection has a back catalogue, dropped stories are listed by title and do not count as passed over."""
    shorter = shorten_digest(digest(STORIES[:4], passed_over=OLDER), 2 * MOST_BYTES)
    assert (shorter.stories, shorter.also) == (STORIES[:2], STORIES[2:4])
    assert shorter.passed_over == OLDER


@given(st.integers(2, 60), TOO_LARGE, st.booleans())
def test_a_shortened_digest_keeps_the_order_of_its_entries(number, size, passes_over):
    """Fewer stories remain, at least one; the order is kept, and what is passed over stays the same."""
    extent = digest(STORIES[:number], passed_over=OLDER if passes_over else ())
    shorter = shorten_digest(extent, size)
    assert 1 <= len(shorter.stories) < number
    entries = (*shorter.stories, *shorter.also)
    assert entries == extent.selection.stories[: len(entries)]
    assert len(entries) == min(number, len(shorter.stories) + MOST_LISTED)
    assert shorter.passed_over == extent.selection.passed_over


@given(TOO_LARGE)
def test_a_whole_post_is_truncated_before_stories_are_dropped(size):
    """Each step truncates the post by a tenth or more; below a quarter of the limit, stories are dropped instead."""
    extent = digest(STORIES[:3])
    while extent.post_bytes > MOST_BYTES // 4:
        shorter = shorten_letter(extent, size, has_whole_post=True)
        assert 0 < shorter.post_bytes <= 0.9 * extent.post_bytes
        assert shorter.selection == extent.selection
        extent = shorter
    shorter = shorten_letter(extent, size, has_whole_post=True)
    assert (shorter.post_bytes, len(shorter.selection.stories) < 3) == (extent.post_bytes, True)
