"""The HTML, excerpt and reading time of posts."""

import pytest

from tests.core.factory import rendered


@pytest.mark.parametrize("key", ["description", "summary", "excerpt", "deck", "og-description"])
def test_an_excerpt_of_its_own_wins(key):
    """The excerpt in the front matter is used as plain text, under any of its keys."""
    assert rendered(f'title: A\n{key}: "One *two* &amp; three"').excerpt == "One two & three"


def test_an_excerpt_ends_at_the_more_mark():
    """The excerpt is the text before `<!--more-->` or `<!-- truncate -->`."""
    for mark in ("<!--more-->", "<!-- truncate -->"):
        assert rendered("title: A", f"First.\n\nSecond.\n\n{mark}\n\nThird.").excerpt == "First. Second."
