"""Paths of feeds."""

import pytest

from feeds.core.syndication.feed import normalize_feed_path


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("category/x", "feeds/category/x/"),
        ("category/x/", "feeds/category/x/"),
        ("feeds/category/x", "feeds/category/x/"),
        ("public/feeds/category/x/", "feeds/category/x/"),
        ("/feeds/category/x/", "feeds/category/x/"),
        ("category/x/rss.xml", "feeds/category/x/rss.xml"),
        ("rss.xml", "feeds/rss.xml"),
        ("/feed.xml", "feed.xml"),
        ("/blog", "blog/"),
        ("newsletters/weekly", "newsletters/weekly/"),
        (" /feed.xml ", "feed.xml"),
    ],
)
def test_paths_are_understood_as_people_write_them(written, path):
    """With a slash as on the web, else below `feeds/`; without a dot it is a folder."""
    assert normalize_feed_path(written) == path
    assert normalize_feed_path(f"/{path}") == path
