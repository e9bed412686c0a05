"""Templates and texts."""

import pytest

from feeds.edges.render.templates import Templates
from feeds.errors import TemplateError


@pytest.fixture
def templates(tmp_path):
    (tmp_path / "templates").mkdir()
    return Templates(tmp_path, {})


def test_a_template_of_the_site_is_used_before_the_shipped_one(tmp_path, templates):
    """The shipped one is used if the site has none of that name."""
    assert templates.template_path("digest.txt") != str(tmp_path / "templates" / "digest.txt")
    (tmp_path / "templates" / "digest.txt").write_text("mine", "utf-8")
    assert templates.render("digest.txt", {}) == "mine"


ERRORS = {
    "{{ a }\n": (1, "unexpected '}'"),
    "\n\n{{ nothing.here }}": (3, "'nothing' is undefined"),
    "\n{% for %}": (2, "Expected an expression"),
    "\n{{ 1 / 0 }}": (2, "division by zero"),
}


@pytest.mark.parametrize(("text", "error"), ERRORS.items())
def test_an_error_in_a_template_has_its_file_and_line(tmp_path, templates, text, error):
    """Every exception of Jinja2 and of an expression becomes a TemplateError."""
    (tmp_path / "templates" / "x.html").write_text(text, "utf-8")
    with pytest.raises(TemplateError) as caught:
        templates.render("x.html", {})
    assert (caught.value.path, caught.value.line) == (str(tmp_path / "templates" / "x.html"), error[0])
    assert error[1] in caught.value.reason


def test_a_missing_template_is_an_error(templates):
    """The error has its name."""
    with pytest.raises(TemplateError, match=r"the template nothing\.html does not exist"):
        templates.render("nothing.html", {})


def test_post_text_is_escaped_and_never_evaluated(tmp_path, templates):
    """Braces in a title are printed as braces."""
    (tmp_path / "templates" / "x.mjml").write_text("<a>{{ title }}</a>", "utf-8")
    assert templates.render("x.mjml", {"title": "<b>{{ 7 * 7 }}"}) == "<a>&lt;b&gt;{{ 7 * 7 }}</a>"


@pytest.mark.parametrize("text", ['issue = "{nummer}"', 'reading = "x"', "[reading]\none = 'x'"])
def test_texts_with_unknown_placeholders_or_the_wrong_form_are_an_error(tmp_path, text):
    """They are checked when they are loaded, before any letter is rendered."""
    (tmp_path / "templates" / "texts").mkdir(parents=True)
    (tmp_path / "templates" / "texts" / "de.toml").write_text(text, "utf-8")
    with pytest.raises(TemplateError, match=r"^templates/texts/de\.toml:1: "):
        Templates(tmp_path, {}).texts("de")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a\n{% include 'y.html' %}", 2, "unknown filter|No filter"),
        ("{% from 'y.html' import x %}", 2, "unknown filter|No filter"),
        ("\n{% import 'nothing.html' as x %}", 2, "nothing.html does not exist"),
    ],
)
def test_a_check_follows_what_a_template_needs(tmp_path, templates, text, line, reason):
    """An error in an included or imported template is found with its line, and so is a name that does not exist."""
    folder = tmp_path / "templates"
    (folder / "x.html").write_text(text, "utf-8")
    (folder / "y.html").write_text("{% include 'x.html' %}\n{{ 1 | nothing }}", "utf-8")
    with pytest.raises(TemplateError, match=reason) as caught:
        templates.check(["x.html"])
    assert caught.value.line == line


def test_a_check_follows_only_what_a_template_cannot_do_without(tmp_path, templates):
    """Templates that need each other, that may be missing, or whose name is an expression are no error."""
    text = "{% include 'x.html' %}{% include 'nothing.html' ignore missing %}{% include name %}"
    (tmp_path / "templates" / "x.html").write_text(text, "utf-8")
    templates.check(["x.html"])
