"""Which files of a folder are meant to be posts."""

import pytest

from feeds.edges import scan


@pytest.mark.parametrize(
    ("name", "is_post"),
    [
        ("a.md", True),
        ("index.md", True),
        ("a.MARKDOWN", True),
        ("a.mdx", True),
        ("a.html", True),
        ("roads.md", True),
        ("_index.md", False),
        ("README.md", False),
        ("readme.ja.md", False),
        (".a.md", False),
        ("a.png", False),
        ("md", False),
    ],
)
def test_section_pages_and_readmes_are_no_posts(name, is_post):
    """Nor is anything that is neither Markdown nor HTML."""
    assert scan.is_post(name) is is_post
