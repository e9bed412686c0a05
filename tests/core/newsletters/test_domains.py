"""Alignment of domain names."""

import pytest

from feeds.core.newsletters.domains import is_aligned


@pytest.mark.parametrize(
    ("one", "other", "aligned"),
    [
        ("Example.com", "example.com", True),
        ("news.example.com", "example.com", True),
        ("example.com", "news.example.com", True),
        ("news.example.com", "mail.example.com", False),
        ("badexample.com", "example.com", False),
    ],
)
def test_domains_are_aligned_when_one_holds_the_other(one, other, aligned):
    """Two domains are aligned if one is the other or its subdomain, by whole labels and in any case."""
    assert is_aligned(one, other) is aligned
