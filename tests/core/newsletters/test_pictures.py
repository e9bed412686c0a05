"""Addresses of pictures: which are the same picture."""

import pytest

from feeds.core.newsletters.pictures import is_first_picture

SAME = {
    "the same address": ("https://example.com/a.jpg", "https://example.com/a.jpg"),
    "of WordPress": ("https://example.com/up/a.jpg", "https://example.com/up/a-1024x683.jpg"),
    "of Hugo": (
        "https://example.com/p/a.png",
        "https://example.com/p/a_hu0123456789abcdef_51234_600x0_resize_box_3.png",
    ),
    "of Hugo since 0.127": ("https://example.com/p/a.png", "https://example.com/p/a_hu_12ab34cd56ef7890.png"),
    "of Ghost": ("https://example.com/content/images/a.jpg", "https://example.com/content/images/size/w1000/a.jpg"),
    "for dense screens": ("https://example.com/a@2x.png", "https://example.com/a.png"),
    "of an image server": ("https://i0.example/a.jpg?w=1200&ssl=1", "https://i0.example/a.jpg?resize=600%2C400"),
    "a new version": ("https://example.com/a.jpg?v=2", "https://example.com/a.jpg?v=3"),
    "an encoded name": ("https://example.com/caf%C3%A9.jpg", "https://example.com/café.jpg"),
    "another scheme and a host in capitals": ("http://Example.com/a.jpg", "https://example.com/a.jpg"),
}
OTHER = {
    "another name": ("https://example.com/a.jpg", "https://example.com/b.jpg"),
    "another host": ("https://example.com/a.jpg", "https://cdn.example/a.jpg"),
    "another number": ("https://example.com/photo-1.jpg", "https://example.com/photo-2.jpg"),
    "another value of a parameter": ("https://example.com/i.php?id=1&w=9", "https://example.com/i.php?id=2&w=9"),
    "another capital": ("https://example.com/A.jpg", "https://example.com/a.jpg"),
    "another format": ("https://example.com/a.jpg", "https://example.com/a.png"),
}


@pytest.mark.parametrize(("url", "other"), SAME.values(), ids=SAME)
def test_a_picture_in_another_size_is_the_same(url, other):
    """Two addresses that differ only in what says the size or version of a picture are one picture, either way."""
    for one, two in ((url, other), (other, url)):
        assert is_first_picture(
            one, f'<p>a</p><img alt="" src="{two.replace("&", "&amp;")}"><img src="https://example.com/z">'
        )


@pytest.mark.parametrize(("url", "other"), OTHER.values(), ids=OTHER)
def test_a_picture_with_another_name_is_another(url, other):
    """Addresses that differ in anything else are two pictures."""
    assert not is_first_picture(url, f'<img src="{other.replace("&", "&amp;")}">')


def test_only_the_first_picture_counts():
    """The same picture after another one, and a text without pictures, have no first one at the address."""
    html = '<img src="https://example.com/b.jpg"><img src="https://example.com/a.jpg">'
    assert not is_first_picture("https://example.com/a.jpg", html)
    assert not is_first_picture("https://example.com/a.jpg", "<p>a</p>")
