"""The selection of an issue's entries."""

from datetime import timedelta

import pytest

from feeds.config_types import Crontab, Duration
from feeds.core.newsletters.selection import select_entries
from feeds.errors import PostError
from feeds.model import EditorNote
from feeds.settings import CategorySettings, Newsletter
from tests.core.factory import START, entry

SLOT = START + timedelta(days=100)


def chosen(entries, *, announced=(), first=False, **settings):
    newsletter = Newsletter(name="weekly", schedule=Crontab("0 8 * * 1"), **settings)
    return select_entries(entries, newsletter, slot=SLOT, announced=announced, first=first)


def paths(entries):
    return [e.post.path for e in entries]


def newest(count, **values):
    return [entry(f"{n}.md", days=100 - n, **values) for n in range(count)]


def test_the_first_issue_takes_the_newest_and_passes_over_the_rest():
    """The first issue takes the newest entries and passes over all others, so that a back catalogue is never mailed."""
    found = chosen([*newest(5), entry("old.md", days=-900)], first=True, max_posts=3)
    assert paths(found.stories) == ["0.md", "1.md", "2.md"]
    assert paths(found.passed_over) == ["3.md", "4.md", "old.md"]
    assert found.also == ()


@pytest.mark.parametrize(
    ("posts", "settings", "expected"),
    [
        ([*newest(4), entry("old.md", days=-900)], {}, ["0.md", "1.md", "2.md", "3.md"]),
        ([*newest(2), entry("old.md", days=-900), entry("older.md", days=-901)], {}, ["0.md", "1.md", "old.md"]),
        ([entry(f"{n}.md", days=-n) for n in range(9)], {}, ["0.md", "1.md", "2.md"]),
        ([entry(f"{n}.md", days=-n) for n in range(9)], {"min_posts": 5}, [f"{n}.md" for n in range(5)]),
        ([entry("0.md", days=99), entry("old.md", days=-900)], {}, ["0.md", "old.md"]),
        (
            [*newest(4), entry("old.md", days=-900, newsletter=True)],
            {"max_posts": 9},
            [f"{n}.md" for n in range(4)] + ["old.md"],
        ),
        ([entry(f"{n}.md", days=-n) for n in range(9)], {"max_posts": 1}, ["0.md"]),
    ],
)
def test_the_first_issue_has_no_old_posts_unless_there_are_few_others(posts, settings, expected):
    """The first issue keeps to `max_age`; it has three posts, or `min_posts`, even if these are older."""
    found = chosen(posts, first=True, **settings)
    assert paths(found.stories) == expected
    assert {*paths(found.stories), *paths(found.passed_over)} == {one.post.path for one in posts}


def test_later_issues_take_what_was_not_announced():
    """A later issue takes entries that are not announced; the rest is listed by title, twenty at most."""
    found = chosen(newest(29), announced={newest(1)[0].id}, max_posts=2)
    assert paths(found.stories) == ["1.md", "2.md"]
    assert paths(found.also) == [f"{n}.md" for n in range(3, 23)]


def test_old_posts_are_not_selected():
    """A post older than `max_age` is not selected unless it has `newsletter: true`."""
    late = [entry("late.md", days=60), entry("wanted.md", days=60, newsletter=True)]
    assert paths(chosen(late).stories) == ["wanted.md"]
    assert paths(chosen(late, max_age=Duration(days=50)).stories) == ["late.md", "wanted.md"]


def test_a_post_may_stay_out_of_newsletters():
    """A post with `newsletter: false` is never selected, not even for the first issue."""
    assert chosen([entry("a.md", days=99, newsletter=False)], first=True) is None


def test_fewer_than_min_posts_wait():
    """With fewer entries than `min_posts` nothing is selected."""
    assert chosen(newest(2), min_posts=3) is None
    assert chosen([], min_posts=1) is None


@pytest.mark.parametrize("name", ["AI", "ai", "ＡＩ"])
def test_a_newsletter_may_be_about_some_categories(name):
    """A newsletter with `categories` takes entries of these only, in any spelling."""
    entries = [entry("a.md", days=99, topics=["AI"]), entry("b.md", days=99, topics=["B"])]
    assert paths(chosen(entries, categories=(name,)).stories) == ["a.md"]


def test_a_featured_post_leads():
    """A featured entry is the lead; without one the newest entry is."""
    entries = [*newest(2), entry("f.md", days=97, featured=True)]
    assert paths(chosen(entries).stories) == ["f.md", "0.md", "1.md"]


def note(**values):
    return EditorNote(path="letters/weekly/next.md", digest="d", **values)


def selected(entries, editor_note, **settings):
    newsletter = Newsletter(name="weekly", schedule=Crontab("0 8 * * 1"), **settings)
    return select_entries(entries, newsletter, slot=SLOT, announced=(), first=False, note=editor_note)


def test_a_post_on_hold_is_selected_when_the_hold_ends():
    """A post on hold is neither announced nor passed over; afterwards its age counts from the end of the hold."""
    held = entry("held.md", days=10, hold_until=SLOT + timedelta(hours=1))
    assert paths(chosen([*newest(2), held], first=True).stories) == ["0.md", "1.md"]
    assert chosen([*newest(2), held], first=True).passed_over == ()
    assert paths(chosen([entry("held.md", days=10, hold_until=SLOT)]).stories) == ["held.md"]


def test_an_editor_pins_and_skips():
    """Pinned posts come first in the editor's order, whatever their age; skipped posts wait."""
    entries = [*newest(3), entry("old.md", days=-900)]
    found = selected(entries, note(pinned=("old", "2.md"), skipped=("https://example.com/0/",)))
    assert paths(found.stories) == ["old.md", "2.md", "1.md"]
    assert found.also == ()


def test_a_pin_of_an_unknown_post_is_an_error():
    """A note that pins a post which is not available is an error."""
    with pytest.raises(PostError, match=r"letters/weekly/next\.md: 'x' is not a public post"):
        selected(newest(1), note(pinned=("x",)))


def test_the_lead_is_first_whatever_the_order():
    """`order = "oldest"` reverses the entries after the lead and the featured ones."""
    assert paths(selected(newest(4), None, order="oldest").stories) == ["0.md", "3.md", "2.md", "1.md"]
    featured = [*newest(3), entry("f.md", days=90, featured=True)]
    assert paths(selected(featured, None, order="oldest").stories) == ["f.md", "2.md", "1.md", "0.md"]


def test_a_newsletter_knows_the_former_names_of_its_categories():
    """A newsletter finds the entries of a renamed category by its former name."""
    newsletter = Newsletter(name="weekly", schedule=Crontab("0 8 * * 1"), categories=("Old",))
    found = select_entries(
        newest(1, topics=["New"]),
        newsletter,
        slot=SLOT,
        announced=(),
        first=False,
        categories={"New": CategorySettings(was=("Old",))},
    )
    assert paths(found.stories) == ["0.md"]
