"""Compiling MJML: the faults of mjml-python, and what we do about them."""

import re

import pytest
from mjml import mjml2html

from feeds.edges.render import mjml
from feeds.errors import TemplateError

#: Characters that mjml-python changes in attributes, among them joiners, combining marks and line breaks.
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
    """The MJML of a letter."""
    return f"<mjml>\n<mj-head>{head}</mj-head>\n<mj-body>\n{inside}\n</mj-body>\n</mjml>"


def compile_bare(source):
    """Compile with mjml-python alone."""
    return str(mjml2html(source))


@pytest.fixture
def error_of(tmp_path):
    """A function that compiles an invalid letter and returns the error, without the folder."""

    def compile_(source):
        file = tmp_path / "digest.mjml"
        file.write_text(source, "utf-8")
        with pytest.raises(TemplateError) as caught:
            mjml.compile_mjml(source, str(file))
        return str(caught.value).removeprefix(f"{tmp_path}/")

    return compile_


@pytest.mark.parametrize("character", CORRUPTED)
def test_attributes_keep_every_character(character):
    """mjml-python alone writes some as Rust escapes."""
    source = letter(IN_COLUMN.format(f'<mj-image src="x.png" alt="a{character}b" />'))
    assert f'alt="a{CORRUPTED[character]}b"' in mjml.compile_mjml(source, "digest.mjml")
    assert re.search(r'alt="a[^"]*\\[^"]*b"', compile_bare(source))


@pytest.mark.parametrize("title", ["हिन्दी में पत्र", "เช้านี้", "Zalgo e\u0301", 'A "quoted" <b>'])
def test_the_letter_is_labelled_with_its_title(title):
    """mjml-python alone writes marks in the label as Rust escapes, which a screen reader reads out."""
    written = title.replace("<b>", "&lt;b&gt;").replace('"', "&#34;")
    source = letter(IN_COLUMN.format("<mj-text>x</mj-text>"), f"<mj-title>{written}</mj-title>")
    assert f'<div aria-label="{written}" ' in mjml.compile_mjml(source, "digest.mjml")
    if not title.isascii():
        assert "\\u{" in compile_bare(source)


@pytest.mark.parametrize("padding", ["0 20px", "32px 20px 0", "0px 20px", "8px 20px 0 20px"])
def test_columns_have_the_width_between_the_padding(padding):
    """mjml-python alone takes a padding with a bare zero for none: in Outlook, columns are as wide as the letter."""
    section = f'<mj-section padding="{padding}"><mj-column><mj-text>x</mj-text></mj-column></mj-section>'
    html = mjml.compile_mjml(letter(section), "digest.mjml")
    assert 'style="vertical-align:top;width:560px"' in html
    if "0 " in padding.replace("20px", "") or padding.endswith(" 0"):
        assert 'width:600px;"><![endif]--><div' in compile_bare(letter(section))


def test_conditional_comments_are_joined():
    """mjml-python alone ends each of Outlook's comments where the next one begins."""
    source = letter(IN_COLUMN.format("<mj-text>x</mj-text>"))
    assert "<![endif]--><!--[if mso | IE]>" not in mjml.compile_mjml(source, "digest.mjml")
    assert "<![endif]--><!--[if mso | IE]>" in compile_bare(source)


def test_the_width_of_a_column_is_in_its_style_or_in_a_style_sheet():
    """A column of 100 % needs no class, since its style has its width; the classes of two columns keep their rules."""
    two = f"<mj-section>{'<mj-column><mj-text>a</mj-text></mj-column>' * 2}</mj-section>"
    html = mjml.compile_mjml(letter(IN_COLUMN.format("<mj-text>x</mj-text>")), "digest.mjml")
    assert "mj-column-per" not in html
    assert 'display:inline-block;vertical-align:top;width:100%"' in html
    html = mjml.compile_mjml(letter(IN_COLUMN.format("<mj-text>x</mj-text>") + two), "digest.mjml")
    assert html.count("mj-column-per-50 {") == 2
    assert html.count('class="mj-column-per-50"') == 2
    assert "mj-column-per-100" not in html


def test_nothing_is_written_for_programs_that_are_gone():
    """mjml-python alone writes for Internet Explorer and Outlook 2003; what is for Outlook on Windows stays."""
    source = letter(IN_COLUMN.format("<mj-text>x</mj-text>"))
    html, bare = mjml.compile_mjml(source, "digest.mjml"), compile_bare(source)
    for gone in ("X-UA-Compatible", "mj-outlook-group-fix", "lte mso 11", "| IE"):
        assert gone in bare
        assert gone not in html
    assert html.count("<!--[if mso]>") == html.count("<![endif]-->") > 1


def test_a_line_break_between_two_tags_stays_a_space():
    """mjml-python alone drops it, which joins two words."""
    source = letter(IN_COLUMN.format("<mj-text><b>one</b>\n  <i>two</i></mj-text>"))
    assert "<b>one</b> <i>two</i>" in mjml.compile_mjml(source, "digest.mjml")
    assert "<b>one</b><i>two</i>" in compile_bare(source)


def test_no_font_is_loaded_from_another_site():
    """mjml-python alone links Google Fonts for a font family that a letter names."""
    source = letter(IN_COLUMN.format('<mj-text font-family="Georgia, Roboto">a</mj-text>'))
    assert "fonts.googleapis.com" not in mjml.compile_mjml(source, "digest.mjml")
    assert "fonts.googleapis.com" in compile_bare(source)


INVALID = {
    "an unknown element": (
        "<mj-secton></mj-secton>",
        "digest.mjml:4: MJML has no element <mj-secton>; did you mean mj-se",
    ),
    "HTML among MJML": ("<div>a</div>", "digest.mjml:4: MJML has no element <div>"),
    "an unknown attribute": (
        IN_COLUMN.format('<mj-text colour="red">a</mj-text>'),
        "digest.mjml:5: <mj-text> has no attribute colour; did you mean color?",
    ),
    "wrong nesting": (
        "<mj-section>\n<mj-text>a</mj-text></mj-section>",
        "digest.mjml:5: <mj-text> is in <mj-section>; it is allowed in <mj-column> or <mj-hero>",
    ),
    "a second body": ("</mj-body><mj-body>", "digest.mjml:3: there is more than one <mj-body>"),
    "a picture without words": (
        IN_COLUMN.format('<mj-image src="x.png" />'),
        "digest.mjml:5: <mj-image> has no alt: describe the picture",
    ),
}


@pytest.mark.parametrize(("inside", "error"), INVALID.values(), ids=INVALID)
def test_invalid_mjml_is_an_error(error_of, inside, error):
    """The error has file, line and the nearest known name; mjml-python alone compiles all of these."""
    assert error_of(letter(inside)).startswith(error)
    assert compile_bare(letter(inside)).startswith("<!doctype html>")


def test_mj_attributes_may_have_the_attributes_of_any_element(error_of):
    """An attribute that no element has is an error."""
    mjml.compile_mjml(letter("", '<mj-attributes><mj-all padding="0" /><mj-text color="red" /></mj-attributes>'), "a")
    found = error_of(letter("", '<mj-attributes><mj-all pading="0" /></mj-attributes>'))
    assert found == "digest.mjml:2: <mj-all> has no attribute pading; did you mean padding?"


def test_html_in_mj_text_and_mj_raw_is_not_checked():
    """It may have any elements and attributes, and unclosed ones."""
    inside = IN_COLUMN.format("<mj-text><p odd='1'>a<br>b<img src='x'><div>c</mj-text><mj-raw><x-y z='1' /></mj-raw>")
    assert "<p odd=" in mjml.compile_mjml(letter(inside.replace("<div>c", "<div>c</div></p>")), "digest.mjml")


def test_an_error_in_an_included_part_has_the_file_and_line_of_the_part(tmp_path):
    """The template itself is searched first, then its parts."""
    files = [tmp_path / name for name in ("digest.mjml", "foot.mjml")]
    files[0].write_text("<mjml>{% include 'foot.mjml' %}</mjml>", "utf-8")
    files[1].write_text("\n\n<mj-foot />", "utf-8")
    with pytest.raises(TemplateError, match=r"foot\.mjml:3: MJML has no element <mj-foot>"):
        mjml.compile_mjml(letter("<mj-foot />"), str(files[0]), [str(files[1])])


FAULTS = {
    "a comment with two hyphens": ("<!-- a -- b -->", 4, "a comment contains `--`"),
    "a comment that ends with three": ("<!-- a --->", 4, "a comment contains `--`"),
    "a comment of several lines": ("<!-- a\nb\nc -- d\n-->", 6, "a comment contains `--`"),
    "a comment in a text": ("<mj-text>x\n<!-- a -- b -->{{ letter.title }}</mj-text>", 5, "a comment contains `--`"),
    "a comment without its end": ("<!-- a", 4, "MJML must be well-formed: Comment not terminated"),
    "an element without its end": ("<mj-text>\n<p>a</mj-text>", 5, "Opening and ending tag mismatch: p and mj-text"),
    "a part of MJML without its end": ("<mj-text>a", 4, "Opening and ending tag mismatch: mj-text and mj-column"),
    "a lone bracket": ("<mj-text>a &nbsp; <br> b < c</mj-text>", 4, "invalid element name"),
    "an attribute without quotation marks": ("<mj-text><img src=x></mj-text>", 4, "expected"),
}


@pytest.mark.parametrize(("part", "line", "reason"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_a_part_that_mrml_cannot_parse_has_its_file_and_line(tmp_path, part, line, reason):
    """If a part is not well-formed, the error has file and line of the part, though mrml sees the whole letter only."""
    lines = "<mj-section>\n<mj-column>\n{}\n</mj-column>\n</mj-section>"
    files = [tmp_path / name for name in ("digest.mjml", "foot.mjml", "head.mjml")]
    files[0].write_text("<mjml>\n<mj-body>\n{% include 'foot.mjml' %}\n</mj-body>\n</mjml>", "utf-8")
    files[1].write_text("{# The foot. #}\n" + lines.format(part), "utf-8")
    files[2].write_text(lines.format("<mj-text>other</mj-text>"), "utf-8")
    source = lines.format("<mj-text>other</mj-text>") + "\n" + lines.format(part).replace("{{ letter.title }}", "Title")
    with pytest.raises(TemplateError) as caught:
        mjml.compile_mjml(f"<mjml>\n<mj-body>\n{source}\n</mj-body>\n</mjml>", *_template_and_parts(files))
    assert (caught.value.path, caught.value.line) == (str(files[1]), line)
    assert reason in caught.value.reason


def _template_and_parts(files):
    return str(files[0]), [str(file) for file in files[1:]]


def test_a_document_without_mjml_or_body_is_an_error(error_of):
    """A document without <mjml> or <mj-body> is an error, and so is one that is not well-formed."""
    assert "the <mjml> element is missing" in error_of("<p>a</p>")
    with pytest.raises(
        TemplateError, match=r"^x\.mjml: MJML must be well-formed: Opening and ending tag mismatch: mj-body and mjml"
    ):
        mjml.compile_mjml("<mjml><mj-body></mjml>", "x.mjml")
    assert "the <mj-body> element is missing" in error_of("<mjml><mj-head></mj-head></mjml>")
