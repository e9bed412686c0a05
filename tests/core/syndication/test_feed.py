"""Paths of feeds in the config and on the command line."""

import pytest

from feeds.core.syndication.feed import normalize_feed_path


@pytest.mark.parametrize(
    ("path", "normalized"),
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
def test_paths_are_understood_as_people_write_them(path, normalized):
    """A path with a slash starts at `public/`, others at `feeds/`; without the ending of a file it is a folder."""
    assert normalize_feed_path(path) == normalized
    assert normalize_feed_path(f"/{normalized}") == normalized
