"""MJML through mjml-python: what it does by itself, and what comes out here."""

import re

import pytest
from mjml import mjml2html

from feeds.edges.render import mjml
from feeds.errors import TemplateError

#: Characters that come out as something else: no-break space, joiner, selector, combining mark, backslash, line break.
CORRUPTED = {
    "\u00a0": "&#160;",
    "\u200d": "&#8205;",
    "\ufe0f": "&#65039;",
    "e\u0301": "e&#769;",
    "\\": "&#92;",
    "\n": "&#10;",
}
IN_COLUMN = "<mj-section><mj-column>\n{}\n</mj-column></mj-section>"


def letter(inside, head=""):
    """A letter with something in it."""
    return f"<mjml>\n<mj-head>{head}</mj-head>\n<mj-body>\n{inside}\n</mj-body>\n</mjml>"


def bare(source):
    """What mjml-python makes of it by itself."""
    return str(mjml2html(source))


@pytest.fixture
def refused(tmp_path):
    """A function that compiles a letter that must be refused, and returns why, without the folder."""

    def compile_(source):
        file = tmp_path / "digest.mjml"
        file.write_text(source, "utf-8")
        with pytest.raises(TemplateError) as caught:
            mjml.compile_mjml(source, str(file))
        return str(caught.value).removeprefix(f"{tmp_path}/")

    return compile_


@pytest.mark.parametrize("character", CORRUPTED)
def test_attributes_keep_every_character(character):
    """By itself it writes Rust escapes for some."""
    source = letter(IN_COLUMN.format(f'<mj-image src="x.png" alt="a{character}b" />'))
    assert f'alt="a{CORRUPTED[character]}b"' in mjml.compile_mjml(source, "digest.mjml")
    assert re.search(r'alt="a[^"]*\\[^"]*b"', bare(source))


def test_two_words_stay_two():
    """By itself it drops a line break between two tags, and the space with it; between blocks nothing is lost."""
    source = letter(IN_COLUMN.format("<mj-text><b>one</b>\n  <i>two</i></mj-text>"))
    assert "<b>one</b> <i>two</i>" in mjml.compile_mjml(source, "digest.mjml")
    assert "<b>one</b><i>two</i>" in bare(source)


def test_no_font_is_asked_for_elsewhere():
    """By itself it links Google's copy of a font that a letter only names."""
    source = letter(IN_COLUMN.format('<mj-text font-family="Georgia, Roboto">a</mj-text>'))
    assert "fonts.googleapis.com" not in mjml.compile_mjml(source, "digest.mjml")
    assert "fonts.googleapis.com" in bare(source)


WRONG = {
    "an unknown element": (
        "<mj-secton></mj-secton>",
        "digest.mjml:4: MJML has no element <mj-secton>; did you mean mj-se",
    ),
    "HTML among MJML": ("<div>a</div>", "digest.mjml:4: MJML has no element <div>"),
    "an unknown attribute": (
        IN_COLUMN.format('<mj-text colour="red">a</mj-text>'),
        "digest.mjml:5: <mj-text> knows no colour; did you mean color?",
    ),
    "wrong nesting": (
        "<mj-section>\n<mj-text>a</mj-text></mj-section>",
        "digest.mjml:5: <mj-text> stands in <mj-section>; it belongs in <mj-column> or <mj-hero>",
    ),
    "a second body": ("</mj-body><mj-body>", "digest.mjml:3: there is more than one <mj-body>"),
    "a picture without words": (
        IN_COLUMN.format('<mj-image src="x.png" />'),
        "digest.mjml:5: <mj-image> has no alt: write what the picture says",
    ),
}


@pytest.mark.parametrize(("inside", "told"), WRONG.values(), ids=WRONG)
def test_what_mjml_does_not_know_is_refused(refused, inside, told):
    """With file, line and the nearest known name; by itself it makes something of all of these."""
    assert refused(letter(inside)).startswith(told)
    assert bare(letter(inside)).startswith("<!doctype html>")


def test_defaults_may_be_of_any_element(refused):
    """What stands in mj-attributes is checked against all that MJML knows."""
    mjml.compile_mjml(letter("", '<mj-attributes><mj-all padding="0" /><mj-text color="red" /></mj-attributes>'), "a")
    found = refused(letter("", '<mj-attributes><mj-all pading="0" /></mj-attributes>'))
    assert found == "digest.mjml:2: <mj-all> knows no pading; did you mean padding?"


def test_html_in_a_text_is_its_own_business():
    """Elements and attributes in mj-text are HTML's, closed or not, and so is what stands in mj-raw."""
    inside = IN_COLUMN.format("<mj-text><p odd='1'>a<br>b<img src='x'><div>c</mj-text><mj-raw><x-y z='1' /></mj-raw>")
    assert "<p odd=" in mjml.compile_mjml(letter(inside.replace("<div>c", "<div>c</div></p>")), "digest.mjml")


def test_a_part_is_named_where_the_fault_lies_in_it(tmp_path):
    """The template's own file is looked at first, then the parts that it includes."""
    files = [tmp_path / name for name in ("digest.mjml", "foot.mjml")]
    files[0].write_text("<mjml>{% include 'foot.mjml' %}</mjml>", "utf-8")
    files[1].write_text("\n\n<mj-foot />", "utf-8")
    with pytest.raises(TemplateError, match=r"foot\.mjml:3: MJML has no element <mj-foot>"):
        mjml.compile_mjml(letter("<mj-foot />"), str(files[0]), [str(files[1])])


def test_what_is_no_mjml_is_told(refused):
    """An empty template, a page of HTML, a letter without a body."""
    assert "there is no <mjml> element" in refused("<p>a</p>")
    with pytest.raises(
        TemplateError, match=r"^x\.mjml: MJML does not understand"
    ):  # the Rust side's error becomes ours
        mjml.compile_mjml("<mjml><mj-body></mjml>", "x.mjml")
    assert "there is no <mj-body>" in refused("<mjml><mj-head></mj-head></mjml>")
