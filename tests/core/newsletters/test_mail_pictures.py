"""Pictures of posts in letters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.newsletters.mailhtml import MailStyle, render_mail_html
from feeds.core.newsletters.pictures import Picture, picture_view
from feeds.core.posts.markdown import render_markdown
from feeds.core.posts.text import parse_html

BASE = "https://example.com/a/"


def known(width, height=100, **values):
    """Return a finder that knows the size of every picture."""
    return lambda url: Picture(**({"url": url, "full_url": url, "width": width, "height": height} | values))


def pictures(html, find_picture=None):
    given_finder = {"find_picture": find_picture} if find_picture else {}
    return list(parse_html(render_mail_html(html, BASE, MailStyle(), **given_finder)).iter("img"))


def picture(html, find_picture=None):
    return pictures(html, find_picture)[0]


WIDTHS = {
    "a large file": ('<img src="/a.png" alt="x">', 2400, "600"),
    "a small file is not enlarged": ('<img src="/a.png" alt="x">', 240, "240"),
    "a small width in the post": ('<img src="/a.png" alt="x" width="300">', 2400, "300"),
    "a large width in the post": ('<img src="/a.png" alt="x" width="900">', 2400, "600"),
    "a width in percent": ('<img src="/a.png" alt="x" width="50%">', 2400, "600"),
    "in a list": ('<ul><li><img src="/a.png" alt="x"></ul>', 2400, "568"),
    "in a list in a quotation": ('<blockquote><ul><li><img src="/a.png" alt="x"></ul></blockquote>', 2400, "549"),
    "in a table of two columns": ('<table><tr><td>a<td><img src="/a.png" alt="x"></table>', 2400, "288"),
}


@pytest.mark.parametrize(("html", "real", "shown"), WIDTHS.values(), ids=WIDTHS)
def test_a_picture_has_the_width_at_which_it_is_shown(html, real, shown):
    """It is the smaller one of its real width and its place, and there is no height, which Outlook would keep.

    `max-width:100%` would let the attribute, which is for Outlook, widen a cell whose picture is off.
    """
    found = picture(html, known(real))
    assert found.get("width") == shown
    assert found.get("height") is None
    assert f"width:100%;max-width:{shown}px;height:auto" in found.get("style")


UNKNOWN = {
    "a figure": ('<figure><img src="/a.png" alt="x"><figcaption>y</figcaption></figure>', "600"),
    "a paragraph": ("![x](/a.png)", "600"),
    "a link alone in its paragraph": ("[![x](/a.png)](/b)", "600"),
    "a sign in a line": ("words ![x](/a.png) and words", None),
    "a badge beside another one": ("[![x](/a.png)](/b) and more", None),
}


@pytest.mark.parametrize(("markdown", "width"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_picture_of_unknown_size_is_bounded_in_outlook_only(markdown, width):
    """Outlook reads the attribute, and all others the style, so that they neither shrink nor enlarge it."""
    found = picture(render_markdown(markdown))
    assert found.get("width") == width
    assert ("width:auto" in found.get("style").split(";")) == (width is not None)


OPAQUE = {
    "a JPEG": ("/a.jpg", None, True),
    "a JPEG with a query": ("/a.JPEG?w=600", None, True),
    "a PNG that is not here": ("/a.png", None, False),
    "a PNG without transparent parts": ("/a.png", True, True),
    "a file of another kind than its name": ("/a.jpg", False, False),
}


@pytest.mark.parametrize(("src", "has_no_alpha", "is_opaque"), OPAQUE.values(), ids=OPAQUE)
def test_a_picture_without_transparent_parts_has_a_class(src, has_no_alpha, is_opaque):
    """Its box is dark in a dark scheme; others keep a light ground, since they may be diagrams in dark ink."""
    found = picture(f'<img src="{src}" alt="x">', lambda url: Picture(url=url, full_url=url, has_no_alpha=has_no_alpha))
    assert (found.get("class") == "o") is is_opaque


LINKS = {
    "a picture": ('<img src="p.png" alt="x">', BASE + "p.png"),
    "a figure": ('<figure><img src="/p.png" alt="x"></figure>', "https://example.com/p.png"),
    "that the post links": ('<a href="/b"><img src="/p.png" alt="x"></a>', "https://example.com/b"),
    "in a link with words": ('<a href="/b">words <b><img src="/p.png" alt="x"></b></a>', "https://example.com/b"),
    "decoration": ('<img src="/p.png" alt="">', None),
}


@pytest.mark.parametrize(("html", "address"), LINKS.values(), ids=LINKS)
def test_a_picture_links_to_itself_in_full_size(html, address):
    """A link of the post stays; decoration would be a link without a name."""
    links = picture(html).xpath("ancestor::a/@href")
    assert links == ([address] if address else [])


def test_a_small_picture_has_no_link():
    """There is nothing larger to see than a sign of 20 pixels."""
    assert picture('<img src="/a.png" alt="x">', known(20)).xpath("ancestor::a") == []


def test_text_behind_a_picture_stays_behind_its_link():
    """The link holds the picture alone."""
    found = render_mail_html('<p>a <img src="/p.png" alt="x"> b</p>', BASE, MailStyle())
    assert "a <a href" in found
    assert "</a> b</p>" in found


DOUBLES = {
    "a density": ("/b.png 2x", "https://example.com/b.png 2x"),
    "several densities": ("/c.png 3x, /b.png 2x, /a.png 1x", "https://example.com/b.png 2x"),
    "widths": ("/a.png 600w, /b.png 1200w, /c.png 2400w", "https://example.com/b.png 2x"),
    "commas in an address": ("/w,1200/b.png 1200w, /a.png 600w", "https://example.com/w,1200/b.png 2x"),
    "none that is large enough": ("/b.png 900w, /a.png 1.5x", None),
    "itself": ("/a.png 2x", None),
    "no density": ("/b.png", None),
    "long and without any": ("a," * 50_000, None),
    "one long word": ("a" * 100_000, None),
    "another scheme": ("javascript:x 2x", None),
}


@pytest.mark.parametrize(("srcset", "double"), DOUBLES.values(), ids=DOUBLES)
def test_a_source_of_twice_the_size_is_kept(srcset, double):
    """It is the first of the post's own that is large enough, and what the picture links to."""
    found = picture(f'<img src="/a.png" alt="x" srcset="{srcset}">')
    assert found.get("srcset") == double
    assert found.getparent().get("href") == (double or "https://example.com/a.png 2x").removesuffix(" 2x")


def test_a_file_of_twice_the_size_comes_before_the_one_of_the_post():
    """A file on this machine is preferred to `srcset`, since its size is known."""
    finder = known(300, url_2x=BASE + "own.png", full_url=BASE + "own.png")
    assert picture('<img src="/a.png" alt="x" srcset="/b.png 2x">', finder).get("srcset") == BASE + "own.png 2x"


SIZES = st.one_of(st.none(), st.integers(1, 60_000))


@given(SIZES, SIZES)
def test_a_lead_image_is_shown_in_its_own_proportions(width, height):
    """It is never enlarged, cropped or squeezed, and at most 600 a side; a thumbnail is at most 96 by 144."""
    view = picture_view(Picture(url="u", full_url="u", width=width, height=height), "x")
    if width is None or height is None:
        assert (view.width, view.height, view.thumbnail_width, view.thumbnail_height) == (None,) * 4
        return
    assert max(view.width, view.height) == min(max(width, height), 600)
    assert view.thumbnail_width <= min(96, width)
    assert view.thumbnail_height <= 144
    for shown, other in ((view.width, view.height), (view.thumbnail_width, view.thumbnail_height)):
        exact = shown * height / width
        assert abs(other - exact) <= max(1, height / width)
