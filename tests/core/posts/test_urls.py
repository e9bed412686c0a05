"""Slugs and addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.posts.urls import below_site, resolve_url, slugify, to_ascii_host


@given(st.text(max_size=60))
def test_a_slug_is_always_one_safe_part_of_a_path(name):
    """A slug has no separators and no characters that URLs or file systems do not allow, and is its own slug."""
    slug = slugify(name)
    assert slug not in {".", ".."}
    assert not set(slug) & set("/\\?#%<>\"' \n\x00")
    assert slugify(slug) == slug


HOSTS = {
    "https://тест.рф/путь": "https://xn--e1aybc.xn--p1ai/путь",
    "https://%D1%82%D0%B5%D1%81%D1%82.%D1%80%D1%84": "https://xn--e1aybc.xn--p1ai",
    "https://me@bücher.example:8080/ü": "https://me@xn--bcher-kva.example:8080/ü",
    "https://ok.example/ü": "https://ok.example/ü",
    "https://a%2Fb.example/": "https://a%2Fb.example/",
    "https://%FF.example/": "https://%FF.example/",
    f"https://{'ü' * 80}.example/": f"https://{'ü' * 80}.example/",
    "mailto:ü@ü.example": "mailto:ü@ü.example",
}


@pytest.mark.parametrize(("written", "ascii_host"), HOSTS.items())
def test_a_host_is_written_as_dns_has_it(written, ascii_host):
    """A host in another script is in Punycode; one that cannot be is left alone."""
    assert to_ascii_host(written) == ascii_host


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
