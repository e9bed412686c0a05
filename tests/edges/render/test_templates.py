"""Templates and MJML."""

import pytest

from feeds.edges.render.templates import Templates
from feeds.errors import TemplateError


@pytest.fixture
def templates(tmp_path):
    (tmp_path / "templates").mkdir()
    return Templates(tmp_path, {})


def test_the_sites_own_templates_come_first(tmp_path, templates):
    """Then the shipped ones."""
    assert templates.template_path("digest.txt") != str(tmp_path / "templates" / "digest.txt")
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


@pytest.mark.parametrize("text", ['issue = "{nummer}"', 'reading = "x"', "[reading]\none = 'x'"])
def test_texts_that_could_not_be_filled_in_are_refused(tmp_path, text):
    """When they are read, not in the middle of a letter."""
    (tmp_path / "templates" / "texts").mkdir(parents=True)
    (tmp_path / "templates" / "texts" / "de.toml").write_text(text, "utf-8")
    with pytest.raises(TemplateError, match=r"de\.toml: "):
        Templates(tmp_path, {}).texts("de")
