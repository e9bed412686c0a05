"""Slugs."""

from hypothesis import given
from hypothesis import strategies as st

from feeds.core.posts.urls import slugify


@given(st.text(max_size=60))
def test_a_slug_is_always_one_safe_part_of_a_path(name):
    """A slug has no separators and no characters that URLs or file systems do not allow, and is its own slug."""
    slug = slugify(name)
    assert slug not in {".", ".."}
    assert not set(slug) & set("/\\?#%<>\"' \n\x00")
    assert slugify(slug) == slug
