"""Slugs and addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.posts.urls import below_site, resolve_url, slugify


@given(st.text(max_size=60))
def test_a_slug_is_always_one_safe_part_of_a_path(name):
    """A slug has no separators and no characters that URLs or file systems do not allow, and is its own slug."""
    slug = slugify(name)
    assert slug not in {".", ".."}
    assert not set(slug) & set("/\\?#%<>\"' \n\x00")
    assert slugify(slug) == slug


def test_an_absolute_url_is_in_ascii():
    """An absolute URL has its host in Punycode and its path percent-encoded."""
    assert resolve_url("https://example.com/", "https://тест.рф/ü") == "https://xn--e1aybc.xn--p1ai/%C3%BC"


PROJECT = "https://example.com/project/"


@pytest.mark.parametrize(
    ("written", "site", "address"),
    [
        ("/assets/c.jpg", PROJECT, "/project/assets/c.jpg"),
        ("/project/assets/c.jpg", PROJECT, "/project/assets/c.jpg"),
        ("c.jpg", PROJECT, "c.jpg"),
        ("//cdn.example/c.jpg", PROJECT, "//cdn.example/c.jpg"),
        ("https://o.example/c.jpg", PROJECT, "https://o.example/c.jpg"),
        ("/assets/c.jpg", "https://example.com/", "/assets/c.jpg"),
    ],
)
def test_an_address_from_the_root_is_below_the_site(written, site, address):
    """An address that starts with a slash is below the site, which may be in a folder of its host."""
    assert below_site(written, site) == address
