"""The published text of a post file, and the limits of its HTML."""

import pytest

from feeds.core.posts.post_file import strip_title
from feeds.errors import PostError
from feeds.settings import DuplicateSettings, Settings
from tests.core.factory import SETTINGS, parsed, rendered

TITLES = {
    "plain": "A title\n\nBody.",
    "heading": "# A title\n\nBody.",
    "setext": "A title\n=======\n\nBody.",
    "bold": "**A title**\n\nBody.",
    "other case": "a TITLE\n\nBody.",
}


@pytest.mark.parametrize("body", TITLES.values(), ids=TITLES)
def test_a_first_line_that_repeats_the_title_is_dropped(body):
    """A first line that is the title, in any form, is removed."""
    assert strip_title(body, "A title") == "Body."


@pytest.mark.parametrize("body", ["A title and more\n\nBody.", "A title\ngoes on.", "Body.\n\nA title\n"])
def test_a_line_that_is_more_than_the_title_stays(body):
    """A line that continues after the title, or is not the first, stays."""
    assert strip_title(body, "A title") == body


def test_passages_may_be_reported_or_kept():
    """`duplicates.passages` decides whether repeated passages are removed, reported or kept."""
    body = "雨が降る。\n\n---END---\n\n雨が降る。風が吹く。\n"
    for policy, times, warnings in (("drop", 1, 1), ("report", 2, 1), ("keep", 2, 0)):
        settings = Settings(site=SETTINGS.site, duplicates=DuplicateSettings(passages=policy))
        post = parsed("title: A", body, settings=settings)
        assert len(post.warnings) == warnings
        assert rendered("title: A", body, settings=settings).html.count("雨が降る。") == times


def test_the_text_of_an_html_file_is_html_already():
    """The body of an HTML file is published unchanged: Markdown, repeated titles and separators mean nothing in it."""
    body = "A title\n\n    <p>One *two*</p>\n\n---END---\n\n<!-- more -->\n<p>More</p>\n"
    text = rendered("title: A title", body, path="2026-01-02-a.html")
    assert text.html == body
    assert text.excerpt == "A title One *two* ---END---"
    assert not parsed("title: A title", body, path="2026-01-02-a.html").warnings


def test_an_html_file_gives_the_same_warnings_as_markdown():
    """An HTML file gives the same warnings and errors as Markdown."""
    path = "2026-01-02-a.HTML"
    post = parsed("title: A", "<p>One\x0cTwo</p>\n{% include x %}", path=path)
    assert [w.partition(" ")[0] for w in post.warnings] == [f"{path}:4:"]
    assert [(tag.kind, tag.line) for tag in post.unknown_tags] == [("{% include %}", 5)]
    with pytest.raises(PostError, match="nested more than 200 deep"):
        parsed("title: A", "<div>" * 1000, path=path)


@pytest.mark.parametrize(
    "body", [">" * 50_000 + "x", "<div>" * 100_000, "".join("  " * n + "- a\n" for n in range(900))]
)
def test_a_body_nested_beyond_reason_is_rejected(body):
    """A body whose HTML is nested more than 200 levels deep is rejected."""
    with pytest.raises(PostError, match="nested more than 200 deep"):
        parsed("title: A", body)
