"""The letters of the gallery on a phone: whole posts with every kind of content, in ten languages."""

import re

import pytest

from tests.browser import AXE, CHROMIUM, CONTRAST, SMALLEST_FONT, axe_faults, launch
from tests.gallery.letters import LANGUAGES, POSTS, TEMPLATES, publish_letters
from tests.gallery.pictures import Variant, open_letter

KINDS = {
    "a table of four columns": r"^\| :--- \| ---: \| ---: \| ---: \|$",
    "a table of six columns": r"^\| :---( \| ---:){4} \| :--- \|$",
    "an empty cell": r"^\| [^|]+ \| \| \| \|",
    "nested lists": r"^    - .*\n(    .*\n)*        1\. ",
    "a quotation in a quotation": r"^> > ",
    "code of a long line": r"^```\w+\n(.*\n)*?.{100,}\n",
    "a picture without description": r"^!\[\]\(/pictures/small.png\)$",
    "a tall picture": r"^!\[.+\]\(/pictures/tall.png\)$",
    "footnotes": r"^\[\^\w+\]: ",
    "definitions": r"^: ",
    "a long address": r"\(https://\S{100,}\)",
    "a rule": r"^---$",
    "struck out": r"~~.+~~",
}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_longest_post_of_each_language_has_every_kind_of_content(lang):
    """The longest post of a language has each of `KINDS` and a headline of at least 40 letters."""
    post = max((file.read_text("utf-8") for file in (POSTS / lang).glob("*.md")), key=len)
    front, body = post.removeprefix("---\n").split("\n---\n", 1)
    assert [kind for kind, pattern in KINDS.items() if not re.search(pattern, body, re.MULTILINE)] == []
    assert len(re.search("^title: (.+)$", front, re.MULTILINE)[1]) >= 40


#: The number of pictures with a light ground: none in a dark scheme, since all pictures of the gallery are opaque.
_LIGHT_BOXES = """() => [...document.images].filter(image =>
  getComputedStyle(image).backgroundColor.match(/\\d+/g).slice(0, 3).every(value => value > 200)).length"""


@pytest.fixture(scope="module")
def browser():
    with launch() as started:
        yield started


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed (npm, in the folder FEEDS_NODE_MODULES names)")
@pytest.mark.parametrize("lang", LANGUAGES)
def test_letters_in_each_language_fit_a_phone(browser, tmp_path, lang):
    """No letter scrolls sideways or has text below 14 px or AA, pictures on or off; axe finds no fault in a whole post.

    With pictures off the text is that in place of pictures too, and boxes are as wide as the pictures would be.
    """
    letters = publish_letters(lang, lang, POSTS / lang, tmp_path)
    assert [letter.name for letter in letters] == [f"{lang}-{template}" for template in TEMPLATES]
    for letter in letters:
        for has_pictures in (True, False):
            variant = Variant(width=375, scheme="dark", pictures=has_pictures)
            page = open_letter(browser, letter, variant, tmp_path / "static" / "pictures")
            assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)") is has_pictures
            assert page.evaluate("document.documentElement.scrollWidth") <= 375
            assert page.evaluate(SMALLEST_FONT) >= 14
            assert page.evaluate(CONTRAST)[0] >= 4.5
            assert page.evaluate(_LIGHT_BOXES) == 0
            assert letter.name.endswith("digest") or not has_pictures or axe_faults(page) == []
            page.context.close()
