"""A letter as some mail programs show it."""

import pytest

from feeds.core.newsletters.client_views import (
    as_in_word,
    force_scheme,
    preheader,
    replace_pictures,
    without_style_sheets,
)


def test_style_sheets_go_and_attributes_stay():
    """Without style sheets, only the styles in attributes are left."""
    html = '<style>.a{}</style><STYLE type="x">\n@media print{}\n</STYLE><p style="margin:0">a</p>'
    assert without_style_sheets(html) == '<p style="margin:0">a</p>'


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<!--[if mso | IE]><table><![endif]-->a<!--[if mso]></table><![endif]-->", "<table>a</table>"),
        ("<!--[if !mso]><!--><p>others</p><!--<![endif]-->a", "a"),
        ("<!--[if lte mso 11]><style>.a{}</style><![endif]-->a<!-- note -->", "a"),
        ("<!--[if mso]><noscript><xml>96</xml></noscript><![endif]-->a", "a"),
        ('<p style="margin:0;max-width:9px;background-image:url(a)">a</p>', '<p style="margin:0">a</p>'),
        ('<img src="a" width="9" style="width:100%;height:auto;border:0">', '<img src="a" width="9" style="border:0">'),
    ],
)
def test_word_shows_its_comments_and_ignores_what_it_does_not_know(written, shown):
    """Outlook's view has what is in comments for Word, and no declaration that Word does not know."""
    assert as_in_word(written) == shown


def test_a_scheme_is_forced():
    """A forced scheme applies its media query everywhere or nowhere; another value changes nothing."""
    html = "@media (prefers-color-scheme: dark) {}"
    assert force_scheme(html, "dark") == "@media all {}"
    assert force_scheme(html, "light") == "@media not all {}"
    assert force_scheme(html, "x") == html


def test_addresses_of_pictures_are_replaced_in_images_only():
    """Addresses in `src` and `srcset` are replaced, escaped ones too; those of links and unknown ones stay."""
    html = (
        '<a href="https://a.example/x.png"><img src="https://a.example/x.png?a=1&amp;b=2"'
        ' srcset="https://a.example/y.png 2x"></a>'
    )
    known = {"https://a.example/x.png?a=1&b=2": "/picture/1"}
    assert replace_pictures(html, known.get) == html.replace("https://a.example/x.png?a=1&amp;b=2", "/picture/1")


@pytest.mark.parametrize(
    ("html", "words"),
    [
        (
            '<div style="display:none;max-height:0">Hidden words \u034f\u200c\u00a0\u034f</div><p>Text</p>',
            "Hidden words",
        ),
        ('<span style="color:red;display: none">A &amp; B</span>Text', "A & B"),
        ("<style>p{}</style><p>The beginning</p><p>of a letter</p>", "The beginning of a letter"),
    ],
)
def test_a_preheader_is_the_hidden_text_or_the_beginning(html, words):
    """A list of messages shows the hidden text without its fillers, else the beginning of the letter."""
    assert preheader(html) == words
