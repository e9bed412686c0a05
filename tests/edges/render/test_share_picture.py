"""Share pictures: real PNG files, looked at with Pillow."""

from io import BytesIO

import pytest
from PIL import Image

from feeds.core.newsletters.plaintext import wrap_text
from feeds.edges.render.share_picture import ShareCard, draw_card

COLOURS = {"paper": "#fffdf8", "ink": "#1d1b18", "muted": "#5f5a52", "accent": "#0a5a78"}
ACCENT, PAPER = (10, 90, 120), (255, 253, 248)


def drawn(**given):
    """Return the bytes of a picture, which is drawn each time."""
    values = {"title": "", "headline": "", "facts": (), "separator": "·", "lang": "en", "direction": "ltr"} | given
    return draw_card.__wrapped__(ShareCard(size=(1200, 630), **COLOURS, **values), wrap_text)


def opened(content):
    return Image.open(BytesIO(content)).convert("RGB")


def has_ink(image, box):
    """Return whether a part of the picture has anything on its paper."""
    return any(colour != PAPER for _, colour in image.crop(box).getcolors(1 << 24))


@pytest.mark.parametrize(
    "headline", ["Two doors", "A long title of many words " * 5, "x" * 200, "広告を置かない話" * 6]
)
def test_a_headline_stays_inside_the_picture(headline):
    """A headline of any length is drawn between the margins, above the line with number and date."""
    image = opened(drawn(headline=headline))
    assert (image.size, image.getpixel((0, 0)), image.getpixel((1199, 629))) == ((1200, 630), ACCENT, PAPER)
    assert not has_ink(image, (1120, 0, 1200, 630))
    assert not has_ink(image, (24, 490, 1200, 630))


def test_the_same_texts_give_the_same_bytes():
    """The same texts give the same bytes, and other texts give others."""
    first = drawn(title="The weekly", headline="Two doors", facts=("No. 1", "today"))
    assert first == drawn(title="The weekly", headline="Two doors", facts=("No. 1", "today"))
    assert first != drawn(title="The weekly", headline="Three doors", facts=("No. 1", "today"))
    assert has_ink(opened(first), (60, 150, 1200, 480))


def test_facts_have_the_separator_of_their_language_between_them():
    """Two facts are drawn as one text with the separator in it, whichever it is."""
    pictures = [drawn(facts=("No. 1", "today"), separator=separator) for separator in "·|"]
    assert pictures[0] != pictures[1]
    assert pictures == [drawn(facts=(f"No. 1 {separator} today",)) for separator in "·|"]


@pytest.mark.parametrize("headline", ["\U00012000\U00012001", "\ue000", "A\U00013000"])
def test_a_headline_that_no_font_has_is_left_out(headline):
    """A headline with a character that no font has is not drawn as boxes; the colours and the other texts stay."""
    image = opened(drawn(headline=headline, facts=("No. 1",)))
    assert not has_ink(image, (24, 140, 1200, 480))
    assert has_ink(image, (24, 500, 1200, 630))
    assert image.getpixel((0, 0)) == ACCENT


def test_a_picture_from_right_to_left_is_mirrored():
    """In a language from right to left the band is at the right, and lines start there."""
    image = opened(drawn(facts=("No. 1",), lang="ar", direction="rtl"))
    assert (image.getpixel((0, 0)), image.getpixel((1199, 0))) == (PAPER, ACCENT)
    assert has_ink(image, (900, 500, 1150, 630))
    assert not has_ink(image, (0, 0, 600, 630))
