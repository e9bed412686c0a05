"""Templates and MJML."""

import pytest
from mjml import mjml2html

from feeds.edges import mjml
from feeds.edges.templates import Templates
from feeds.errors import TemplateError


@pytest.fixture
def templates(tmp_path):
    (tmp_path / "templates").mkdir()
    return Templates(tmp_path, {})


def test_the_sites_own_templates_come_first(tmp_path, templates):
    """Then the shipped ones."""
    assert templates.path("digest.txt") != str(tmp_path / "templates" / "digest.txt")
    (tmp_path / "templates" / "digest.txt").write_text("mine", "utf-8")
    assert templates.render("digest.txt", {}) == "mine"


FAULTS = {
    "{{ a }\n": (1, "unexpected '}'"),
    "\n\n{{ nobody.knows }}": (3, "'nobody' is undefined"),
    "\n{% for %}": (2, "Expected an expression"),
    "\n{{ 1 / 0 }}": (2, "division by zero"),
}


@pytest.mark.parametrize(("text", "fault"), FAULTS.items())
def test_a_fault_in_a_template_is_told_with_file_and_line(tmp_path, templates, text, fault):
    """Whatever Jinja2 calls it."""
    (tmp_path / "templates" / "x.html").write_text(text, "utf-8")
    with pytest.raises(TemplateError) as caught:
        templates.render("x.html", {})
    assert (caught.value.path, caught.value.line) == (str(tmp_path / "templates" / "x.html"), fault[0])
    assert fault[1] in caught.value.reason


def test_a_missing_template_is_named(templates):
    """With the place where it was looked for first."""
    with pytest.raises(TemplateError, match=r"there is no template nothing\.html"):
        templates.render("nothing.html", {})


def test_post_text_is_escaped_and_never_evaluated(tmp_path, templates):
    """Braces in a title are braces."""
    (tmp_path / "templates" / "x.mjml").write_text("<a>{{ title }}</a>", "utf-8")
    assert templates.render("x.mjml", {"title": "<b>{{ 7 * 7 }}"}) == "<a>&lt;b&gt;{{ 7 * 7 }}</a>"


def page(alt):
    return (
        "<mjml><mj-body><mj-section><mj-column>"
        f'<mj-image src="https://example.com/a.png" alt="{alt}" />'
        "</mj-column></mj-section></mj-body></mjml>"
    )


def test_characters_of_any_script_survive_in_attributes():
    """Joiners, no-break spaces and combining marks come out as they went in; bare mjml-python corrupts them."""
    alt = "می\u200cخواهم e\u0301 a\u00a0b"
    assert alt not in mjml2html(page(alt))
    references = "".join(c if c.isascii() else f"&#{ord(c)};" for c in alt)
    assert f'alt="{references}"' in mjml.compile(page(alt), "x.mjml")


def test_no_font_is_fetched_from_anywhere():
    """A letter that calls home when it is opened is a tracker; bare mjml-python links Google for a name it knows."""
    fonts = '<mjml><mj-head><mj-attributes><mj-all font-family="Roboto, sans-serif" /></mj-attributes></mj-head>'
    source = page("x").replace("<mjml>", fonts)
    assert "fonts.googleapis.com" in mjml2html(source.replace("</mj-column>", "<mj-text>x</mj-text></mj-column>"))
    assert "googleapis" not in mjml.compile(source.replace("</mj-column>", "<mj-text>x</mj-text></mj-column>"), "x")


def test_what_is_no_mjml_is_told_with_its_template():
    """The Rust side's error becomes ours."""
    with pytest.raises(TemplateError, match=r"^x\.mjml: MJML does not understand"):
        mjml.compile("<mjml><mj-body></mjml>", "x.mjml")


def test_an_unknown_element_is_refused_by_name():
    """Bare mjml-python writes it into the letter."""
    source = "<mjml><mj-body><mj-foo>x</mj-foo></mj-body></mjml>"
    assert "<mj-foo" in mjml2html(source)
    with pytest.raises(TemplateError, match="no element <mj-foo>"):
        mjml.compile(source, "x.mjml")


@pytest.mark.parametrize("text", ['issue = "{nummer}"', 'reading = "x"', "[reading]\none = 'x'"])
def test_texts_that_could_not_be_filled_in_are_refused(tmp_path, text):
    """When they are read, not in the middle of a letter."""
    (tmp_path / "templates" / "texts").mkdir(parents=True)
    (tmp_path / "templates" / "texts" / "de.toml").write_text(text, "utf-8")
    with pytest.raises(TemplateError, match=r"de\.toml: "):
        Templates(tmp_path, {}).texts("de")
