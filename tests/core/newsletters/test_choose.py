"""Which entries an issue is made of."""

from datetime import timedelta

import pytest

from feeds.core.newsletters.choose import choose
from feeds.settings import Crontab, Newsletter, Span
from tests.core.factory import START, entry

SLOT = START + timedelta(days=100)


def chosen(entries, *, announced=(), first=False, **settings):
    newsletter = Newsletter(name="weekly", schedule=Crontab("0 8 * * 1"), **settings)
    return choose(entries, newsletter, slot=SLOT, announced=announced, first=first)


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
    assert paths(chosen(late, max_age=Span(days=50)).stories) == ["late.md", "wanted.md"]


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
