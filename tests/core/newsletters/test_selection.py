"""Which entries an issue is made of."""

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
    """Whatever their age, so that a back catalogue is never mailed."""
    found = chosen([*newest(5), entry("old.md", days=-900)], first=True, max_posts=3)
    assert paths(found.stories) == ["0.md", "1.md", "2.md"]
    assert paths(found.passed_over) == ["3.md", "4.md", "old.md"]
    assert found.also == ()


def test_later_issues_take_what_was_not_announced():
    """The rest is listed by title, twenty at most."""
    found = chosen(newest(29), announced={newest(1)[0].id}, max_posts=2)
    assert paths(found.stories) == ["1.md", "2.md"]
    assert paths(found.also) == [f"{n}.md" for n in range(3, 23)]


def test_old_posts_are_no_news():
    """Unless they say so themselves."""
    late = [entry("late.md", days=60), entry("wanted.md", days=60, newsletter=True)]
    assert paths(chosen(late).stories) == ["wanted.md"]
    assert paths(chosen(late, max_age=Duration(days=50)).stories) == ["late.md", "wanted.md"]


def test_a_post_may_stay_out_of_newsletters():
    """`newsletter: false`, in the first issue too."""
    assert chosen([entry("a.md", days=99, newsletter=False)], first=True) is None


def test_fewer_than_min_posts_wait():
    """No issue, and nothing is used up."""
    assert chosen(newest(2), min_posts=3) is None
    assert chosen([], min_posts=1) is None


@pytest.mark.parametrize("name", ["AI", "ai", "ＡＩ"])
def test_a_newsletter_may_be_about_some_categories(name):
    """Whatever their spelling."""
    entries = [entry("a.md", days=99, topics=["AI"]), entry("b.md", days=99, topics=["B"])]
    assert paths(chosen(entries, categories=(name,)).stories) == ["a.md"]


def test_a_featured_post_leads():
    """Else the newest does."""
    entries = [*newest(2), entry("f.md", days=97, featured=True)]
    assert paths(chosen(entries).stories) == ["f.md", "0.md", "1.md"]


def note(**values):
    return EditorNote(path="letters/weekly/next.md", digest="d", **values)


def told(entries, found, **settings):
    newsletter = Newsletter(name="weekly", schedule=Crontab("0 8 * * 1"), **settings)
    return select_entries(entries, newsletter, slot=SLOT, announced=(), first=False, note=found)


def test_a_post_that_is_held_back_is_news_when_it_is_let_go():
    """Until then no issue tells of it, nor counts it as told; its age is counted from then."""
    held = entry("held.md", days=10, hold_until=SLOT + timedelta(hours=1))
    assert paths(chosen([*newest(2), held], first=True).stories) == ["0.md", "1.md"]
    assert chosen([*newest(2), held], first=True).passed_over == ()
    assert paths(chosen([entry("held.md", days=10, hold_until=SLOT)]).stories) == ["held.md"]


def test_an_editor_pins_and_skips():
    """Pinned posts stand in front in the editor's order, however old; skipped ones wait."""
    entries = [*newest(3), entry("old.md", days=-900)]
    found = told(entries, note(pinned=("old", "2.md"), skipped=("https://example.com/0/",)))
    assert paths(found.stories) == ["old.md", "2.md", "1.md"]
    assert found.also == ()


def test_a_pin_that_leads_nowhere_is_refused():
    """A post that was told of already is none that could be pinned."""
    with pytest.raises(PostError, match=r"letters/weekly/next\.md: there is no public post 'x'"):
        told(newest(1), note(pinned=("x",)))


def test_the_lead_is_first_whatever_the_order():
    """`order = "oldest"` turns round what comes behind it."""
    assert paths(told(newest(4), None, order="oldest").stories) == ["0.md", "3.md", "2.md", "1.md"]
    featured = [*newest(3), entry("f.md", days=90, featured=True)]
    assert paths(told(featured, None, order="oldest").stories) == ["f.md", "2.md", "1.md", "0.md"]


def test_a_newsletter_knows_the_former_names_of_its_categories():
    """A rename in the config empties no newsletter."""
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
