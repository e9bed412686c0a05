"""Patterns for addresses: our placeholders, and the notations of Jekyll, Hugo and Hexo."""

import re

import pytest

from feeds.permalinks import STYLES, check_pattern, is_notation, parse_pattern

WRONG = {
    ("/{yaer}/{slug}/", "none"): "{yaer} is not a known placeholder; did you mean {year}?",
    ("/{}/{slug}/", "none"): "{} is not a known placeholder",
    ("{year}/{slug}/", "none"): "must start with a slash; the site's url comes before it",
    ("/{year}/", "none"): "needs {slug}, {name}, {title}, {stem} or {path}; otherwise posts of one day",
    ("/:year/:month/", "jekyll"): "needs {slug}, {name}, {title}, {stem} or {path}; otherwise posts of one day",
    ("/:year/:titel/", "jekyll"): ":titel is not a placeholder that is known of Jekyll; did you mean :title?",
    (
        ":sectionslugs/:slug",
        "hugo",
    ): ":sectionslugs is not a placeholder that is known of Hugo; did you",
    ("/:2006/:03/:slug/", "hugo"): ":03 is not a placeholder that is known of Hugo",
    ("/:2006/:slug/", "jekyll"): ":2006 is not a placeholder that is known of Jekyll",
    (
        "/:year/:title/",
        "none",
    ): "placeholders such as :title mean something else in Jekyll, Hugo and Hexo; set",
    ("/:year/:title/", "pelican"): "placeholders such as :title mean something else",
}


@pytest.mark.parametrize(("case", "reason"), WRONG.items(), ids=map(str, WRONG))
def test_a_pattern_that_cannot_be_used_is_refused_with_a_remedy(case, reason):
    """A placeholder that is not known, or none that tells posts apart, is an error that says what to write."""
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}"):
        check_pattern(*case)


def test_hexo_takes_any_key_of_the_front_matter():
    """In Hexo's notation an unknown placeholder is a key of the front matter, and tells posts apart."""
    assert parse_pattern("posts/:abbrlink/", "hexo") == (("/posts/", "key:abbrlink"), ("/", ""))
    check_pattern("posts/:abbrlink/", "hexo")


def test_an_underscore_after_a_placeholder_is_text():
    """`:month_:day` is a month, an underscore and a day; `:i_month` is one placeholder."""
    assert parse_pattern("/:month_:i_day-:title", "jekyll") == (
        ("/", "month"),
        ("_", "i_day"),
        ("-", "name"),
        ("", ""),
    )


@pytest.mark.parametrize("style", STYLES)
def test_a_style_of_jekyll_needs_no_generator(style):
    """The names of Jekyll's styles mean the same in every site."""
    assert is_notation(style)
    check_pattern(style, "none")


@pytest.mark.parametrize("pattern", ["/{year}:{slug}/", "/a/b/", "/x/{name}.html"])
def test_a_colon_beside_braces_is_text(pattern):
    """A pattern with braces, or without placeholders, is not in the notation of a generator."""
    assert not is_notation(pattern)
