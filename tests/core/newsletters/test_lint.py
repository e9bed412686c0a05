"""Diagnostics for letters and themes."""

import pytest
from msgspec.structs import replace

from feeds.core.newsletters import lint, palette
from feeds.model import Letter, PictureFile
from feeds.settings import Theme

UNSUBSCRIBE = "mailto:desk@example.com?subject=unsubscribe"
GOOD = Letter(
    lang="en",
    subject="A subject",
    html='<p>Words <a href="https://example.com/">more</a> <img src="https://x/a.png" alt="A"> '
    f'<a href="{UNSUBSCRIBE}">x</a></p>',
    text=f"Words\n{UNSUBSCRIBE}\n",
)
BAD = {
    "too long": ({"html": GOOD.html + "x" * 100_000}, "error", "the HTML takes"),
    "too long in base64": ({"html": GOOD.html + "あ" * 25_000}, "error", "the HTML takes"),
    "a long subject": ({"subject": "x" * 61}, "warning", "the subject has 61 characters"),
    "a relative link": ({"html": GOOD.html + '<a href="/a">x</a>'}, "error", "the link '/a' leads nowhere"),
    "a fragment": ({"html": GOOD.html + '<a href="#a">x</a>'}, "error", "the link '#a' leads nowhere"),
    "an open link": ({"html": GOOD.html + '<a href="http://a.example/">x</a>'}, "warning", "is not encrypted"),
    "a tracking parameter": (
        {"html": GOOD.html + '<a href="https://a.example/?utm_source=x">x</a>'},
        "warning",
        "has a tracking parameter",
    ),
    "no alt": ({"html": GOOD.html + '<img src="https://x/b.png">'}, "error", "has no alt"),
    "an empty alt": ({"html": GOOD.html + '<img src="https://x/b.png" alt=" ">'}, "warning", "has an empty alt"),
    "a default alt": (
        {"html": GOOD.html + '<img src="https://x/b.png" alt="image 1">'},
        "warning",
        "has the alt 'image 1'",
    ),
    "a format": ({"html": GOOD.html + '<img src="https://x/b.webp" alt="B">'}, "warning", "1 image is WebP"),
    "no text": ({"text": " \n"}, "error", "the text part is empty"),
}


def test_a_good_letter_has_no_diagnostics():
    """A letter without faults gives no diagnostics."""
    assert list(lint.lint_letter(GOOD, "x")) == []


@pytest.mark.parametrize(("change", "level", "what"), BAD.values(), ids=BAD)
def test_each_fault_is_told_with_its_reason_and_remedy(change, level, what):
    """Each fault gives one diagnostic with level, place, reason and remedy."""
    found = [one for one in lint.lint_letter(replace(GOOD, **change), "next issue") if what in one.what]
    assert [(one.level, one.where) for one in found] == [(level, "next issue")]
    assert found[0].why
    assert found[0].do


def test_a_placeholder_without_an_address_is_not_a_link():
    """`<a>` without `href`, as a link to an unknown post becomes, gives no error; an empty `href` does."""
    for html in ("<a>rien</a>", '<a name="x"></a>', '<a title="T">words</a>'):
        assert list(lint.lint_letter(replace(GOOD, html=GOOD.html + html), "x")) == []
    (found,) = lint.lint_letter(replace(GOOD, html=GOOD.html + '<a href="">words</a>'), "x")
    assert found.what == "the link '' leads nowhere in a mail program: 'words'"


def test_a_wrong_link_is_named_with_its_text_and_its_post():
    """Messages about links end with the link's text, and the post that has it where it is known."""
    letter = replace(GOOD, html=GOOD.html + '<a href="http://a.example/">the <b>words</b></a><a href="ftp://[x">y</a>')
    origins = {"http://a.example/": lint.Origin("http://a.example/", "posts/a.md")}
    assert [one.what for one in lint.lint_letter(letter, "x", origins=origins)] == [
        "the link 'http://a.example/' is not encrypted: 'the words' in posts/a.md",
        "the link 'ftp://[x' leads nowhere in a mail program: 'y'",
    ]


def test_an_image_is_named_as_its_post_has_it():
    """A warning about a converted image names the original and its post."""
    html = '<img src="https://x/1/ferry-3f2a.jpg" alt=""><img src="https://x/1/b-3f2b.jpg" alt="image 1">'
    names = {"ferry-3f2a.jpg": "ferry.webp", "b-3f2b.jpg": "b.avif"}
    origins = {f"https://x/1/{name}": lint.Origin(written, "posts/a.md") for name, written in names.items()}
    found = [one.what for one in lint.lint_letter(replace(GOOD, html=GOOD.html + html), "x", origins=origins)]
    assert found[0] == "the image 'ferry.webp' in posts/a.md has an empty alt"
    assert found[1].startswith("the image 'b.avif' in posts/a.md has the alt 'image 1'")


def large(url, size, picture_format="JPEG"):
    return {url: PictureFile(path="a", format=picture_format, width=9, height=9, size=size)}


def test_heavy_pictures_are_reported_once_and_all_together():
    """The files of a letter that take more than 1 MB together give one warning, which names the largest."""
    html = GOOD.html + '<img src="https://x/b.png" alt="B"><img src="https://x/b.png" alt="B">'
    letter, small = replace(GOOD, html=html), large("https://x/a.png", 400_000)
    assert list(lint.lint_letter(letter, "x", small | large("https://x/b.png", 600_000))) == []
    (found,) = lint.lint_letter(letter, "x", small | large("https://x/b.png", 600_001))
    assert found.what == "the images take 1,000,001 bytes, 'https://x/b.png' alone 600,001"


@pytest.mark.parametrize(
    ("name", "files", "remedy"), [("a.avif", True, True), ("a.avif", False, False), ("a.svg", False, False)]
)
def test_conversion_is_named_where_it_would_help(name, files, remedy):
    """Only a file of this site is converted, and a drawing never."""
    url = f"https://x/{name}"
    known = large(url, 9, "AVIF") if files else {}
    letter = replace(GOOD, html=GOOD.html.replace("https://x/a.png", url))
    (found,) = lint.lint_letter(letter, "x", known)
    assert "https://www.caniemail.com/features/image-" in found.why
    assert ("mail.pictures" in found.do) is remedy


def test_conversion_is_not_advised_where_it_is_on():
    """With `mail.pictures = "convert"` no message advises to set it."""
    html = GOOD.html + '<img src="https://x/b.webp" alt="B"><img src="https://x/c.avif" alt="C">'
    files = large("https://x/b.webp", 2_000_000, "WEBP") | large("https://x/c.avif", 9, "AVIF")
    letter = replace(GOOD, html=html)
    assert sum("convert" in one.do for one in lint.lint_letter(letter, "x", files)) == 3
    assert sum("convert" in one.do for one in lint.lint_letter(letter, "x", files, converts=True)) == 0


LINKS = {
    "a text": ('<p><a href="{}">Leave</a></p>', True),
    "an image": ('<a href="{}"><img src="https://x/a.png" alt="Leave"></a>', True),
    "no link": ("<p>Leave: {}</p>", False),
    "another address": ('<a href="mailto:desk@example.com">Leave</a>', False),
    "nothing to click on": ('<p><a href="{}"> </a></p>', False),
    "hidden": ('<a href="{}" style="color:#000; display: none">Leave</a>', False),
    "in a hidden part": ('<div style="visibility:hidden"><p><a href="{}">Leave</a></p></div>', False),
    "a comment": ('<!-- <a href="{}">Leave</a> -->', False),
}


@pytest.mark.parametrize(("html", "is_link"), LINKS.values(), ids=LINKS)
def test_only_a_link_that_readers_see_is_a_way_to_unsubscribe(html, is_link):
    """A letter has an unsubscribe link if it links to that address, with a text or an image, and does not hide it."""
    address = "mailto:desk@example.com?subject=unsubscribe&amp;body=x"
    assert lint.has_unsubscribe_link(html.format(address), address.replace("&amp;", "&")) is is_link


def test_contrast_is_calculated_as_in_wcag():
    """The contrast is 21 : 1 for black on white and 1 : 1 for equal colours, in any order of the two."""
    assert palette.contrast_ratio("#000000", "#ffffff") == pytest.approx(21)
    assert palette.contrast_ratio("#777777", "#777777") == 1
    assert (
        palette.contrast_ratio("#767676", "#ffffff")
        == palette.contrast_ratio("#ffffff", "#767676")
        == pytest.approx(4.54, abs=0.01)
    )


def test_a_theme_must_be_legible_in_both_schemes():
    """The default theme is legible; a pale accent is an error in the light scheme, a dark one in the dark scheme."""
    assert list(lint.lint_theme(Theme(), "t")) == []
    found = list(lint.lint_theme(Theme(accent="#cccccc", accent_dark="#333333"), "t"))
    assert [(one.where, one.do) for one in found] == [
        ("t.accent", "choose a darker colour"),
        ("t.accent_dark", "choose a lighter colour"),
    ]


WRITTEN = {
    "accent": ({"accent": "#DDdddd"}, "#DDdddd on the tint of #fffdf8 and #1d1b18"),
    "accent on paper": ({"accent": "#123456", "paper": "#123ABC"}, "#123456 on "),
    "ink": ({"ink": "#AAAAAA"}, "the lighter text of #AAAAAA on the tint of #fffdf8 and #AAAAAA"),
    "dark": ({"accent_dark": "#222222"}, "#222222 on the dark tint #211f1c"),
    "category": ({"categories": {"News": "#EEEEEE"}}, "#EEEEEE on #fffdf8"),
}


@pytest.mark.parametrize(("values", "what"), WRITTEN.values(), ids=WRITTEN)
def test_colours_are_named_as_they_were_written(values, what):
    """A message about contrast names the colours of the config, also where a mixture of them is measured."""
    assert any(one.what.startswith(what) for one in lint.lint_theme(Theme(**values), "t"))
