"""The next slot of a newsletter, and the posts that wait for it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.config_types import Crontab
from feeds.core.newsletters.outlook import foresee, format_outlook, too_few_posts
from feeds.core.newsletters.selection import select_entries
from feeds.model import EditorNote
from feeds.settings import Newsletter
from tests.core.factory import START, entry

TOKYO = ZoneInfo("Asia/Tokyo")
#: Mondays at eight in Tokyo.
SLOT = datetime(2026, 12, 14, 8, tzinfo=TOKYO)
WEEK, HOUR = timedelta(days=7), timedelta(hours=1)


def newsletter(**settings):
    return Newsletter(name="weekly", schedule=Crontab("0 8 * * mon"), **settings)


def posts(*published):
    """Entries, newest first."""
    times = sorted(published, reverse=True)
    return [entry(f"{n}.md", published=time.astimezone(UTC)) for n, time in enumerate(times)]


def outlook(entries, now, *, used=SLOT - WEEK, recipients=1, note=None, announced=(), **settings):
    return foresee(
        entries,
        newsletter(**settings),
        TOKYO,
        now,
        used=used,
        announced=announced,
        recipients=recipients,
        categories={},
        note=note,
    )


def line(*args, **given):
    return format_outlook(outlook(*args, **given), TOKYO)


def test_posts_wait_for_the_next_slot():
    """The line has the number of posts, and the next slot in the site's zone with its weekday."""
    assert line(posts(SLOT + HOUR, SLOT + 2 * HOUR), SLOT + 3 * HOUR, used=SLOT) == (
        "weekly: 2 posts wait for Monday 21 December 08:00 JST"
    )
    assert (
        line(posts(SLOT + HOUR), SLOT + 3 * HOUR, used=SLOT) == "weekly: 1 post waits for Monday 21 December 08:00 JST"
    )
    assert line([], SLOT + HOUR, used=SLOT) == "weekly: no posts wait for Monday 21 December 08:00 JST"


def test_a_slot_of_another_year_has_the_year():
    """A slot in the next year is shown with it."""
    assert line([], SLOT + 2 * WEEK + HOUR, used=SLOT + 2 * WEEK).endswith("Monday 4 January 2027 08:00 JST")


def test_a_missed_slot_is_named():
    """If posts waited for a slot that is past by more than `catch_up`, the line says so, and how to send now."""
    entries = posts(SLOT - HOUR, SLOT - 2 * HOUR, SLOT + HOUR)
    assert line(entries, SLOT + 13 * HOUR) == (
        "weekly: 3 posts wait for Monday 21 December 08:00 JST; the slot of 14 December was missed;"
        " `feeds send weekly` sends now"
    )
    assert outlook(entries, SLOT + 13 * HOUR).is_stuck


@pytest.mark.parametrize(
    ("published", "used", "min_posts"),
    [
        ([SLOT + HOUR], SLOT - WEEK, 1),  # was not there in time
        ([SLOT - HOUR], SLOT, 1),  # the slot was used
        ([SLOT - HOUR], SLOT - WEEK, 2),  # too few
        ([SLOT - HOUR], SLOT + HOUR, 1),  # sent by hand after it
    ],
)
def test_a_slot_without_enough_posts_was_not_missed(published, used, min_posts):
    """A slot was not missed if it was used, or if fewer posts than an issue needs were there in time."""
    found = outlook(posts(*published), SLOT + 13 * HOUR, used=used, min_posts=min_posts)
    assert (found.missed_slot, found.is_stuck) == (None, False)


def test_an_issue_that_is_due_is_named():
    """Until `catch_up` is over, posts wait for a slot that is due; the first slot is due without an end."""
    found = outlook(posts(SLOT + HOUR), SLOT + 2 * HOUR, min_posts=2)
    assert (found.is_due, found.due_until) == (True, (SLOT + 12 * HOUR).astimezone(UTC))
    assert format_outlook(found, TOKYO) == (
        "weekly: 1 post waits for the slot of Monday 14 December 08:00 JST, which is due; an issue needs 2 (min_posts)"
    )
    first = outlook(posts(SLOT + HOUR), SLOT + 3 * WEEK, used=None)
    assert (first.is_due, first.due_until) == (True, None)


def test_a_newsletter_without_subscribers_says_so():
    """If posts wait and no subscriber would get them, the line says how to add a subscriber."""
    found = outlook(posts(SLOT - HOUR), SLOT + HOUR, recipients=0)
    assert format_outlook(found, TOKYO).endswith("; it has no subscribers; `feeds subscribers add` adds one")
    assert found.is_stuck
    assert not outlook([], SLOT + HOUR, recipients=0).is_stuck


def test_an_editors_note_counts():
    """Posts that the editor's note skips are not counted, and those it pins are, whatever their age."""
    entries = [*posts(SLOT - HOUR, SLOT - 2 * HOUR), entry("old.md", published=START - 100 * WEEK)]
    note = EditorNote(path="letters/weekly/next.md", digest="d", pinned=("old.md",), skipped=("0.md", "1.md"))
    assert outlook(entries, SLOT + HOUR).posts == 2
    assert outlook(entries, SLOT + HOUR, note=note).posts == 1


@pytest.mark.parametrize(
    ("number", "needed", "expected"),
    [
        (0, 1, "there are no new posts"),
        (0, 3, "there are no new posts"),
        (1, 3, "1 post waits, and an issue needs 3 (min_posts)"),
        (2, 3, "2 posts wait, and an issue needs 3 (min_posts)"),
    ],
)
def test_too_few_posts_are_explained(number, needed, expected):
    """The reason names how many posts there are and how many an issue needs."""
    assert too_few_posts(newsletter(min_posts=needed), number) == expected


@given(st.lists(st.integers(-2000, 500), max_size=20, unique=True), st.integers(0, 500), st.integers(1, 4))
def test_the_posts_that_wait_are_those_of_the_issue(hours, late, needed):
    """Whatever is published when: as many posts wait for a slot as its issue has, and none if it has too few."""
    entries = posts(*(SLOT + n * HOUR for n in hours))
    found = outlook(entries, SLOT + late * HOUR, used=SLOT - WEEK, min_posts=needed)
    issue = select_entries(entries, newsletter(min_posts=needed), slot=found.slot, announced=(), first=False)
    assert (found.posts >= needed) is (issue is not None)
    if issue:
        assert len(issue.stories) + len(issue.also) == min(found.posts, 12 + 20)
