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
    assert templates.template_path("digest.txt") != tmp_path / "templates" / "digest.txt"
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
    assert (caught.value.path, caught.value.line) == ("templates/x.html", error[0])
    assert error[1] in caught.value.reason


FOOT = """<mjml><mj-body><mj-section><mj-column>
{% include 'letter/foot.mjml' %}
</mj-column></mj-section></mj-body></mjml>
"""
#: Files, and the error when `digest.mjml` is rendered.
FAULTS = {
    "an unknown element": (
        {"digest.mjml": FOOT, "letter/foot.mjml": "\n<mj-txt>a</mj-txt>"},
        "letter/foot.mjml:2: MJML has",
    ),
    "an attribute": (
        {"digest.mjml": FOOT, "letter/foot.mjml": "<mj-text colour='a' />"},
        "letter/foot.mjml:1: <mj-text>",
    ),
    "broken XML": (
        {"digest.mjml": FOOT, "letter/foot.mjml": "<mj-text>\n<b>a</mj-text>\n"},
        "letter/foot.mjml:2: MJML must",
    ),
    "two hyphens": ({"digest.mjml": FOOT, "letter/foot.mjml": "\n\n<!-- a -- b -->"}, "letter/foot.mjml:3: a comment"),
    "a missing include": (
        {"digest.mjml": "\n{% include 'letter/none.mjml' %}"},
        "digest.mjml:2: the template letter/none",
    ),
    "a missing include of an include": (
        {"digest.mjml": FOOT, "letter/foot.mjml": "\n{% include 'none.mjml' %}"},
        "letter/foot.mjml:2: the template none.mjml does not exist",
    ),
    "an expression of an include": (
        {"digest.mjml": FOOT, "letter/foot.mjml": "\n{{ 1 / 0 }}"},
        "letter/foot.mjml:2: div",
    ),
    "syntax of an include": (
        {"digest.mjml": FOOT, "letter/foot.mjml": "\n{% if %}"},
        "letter/foot.mjml:2: Expected an",
    ),
    "no letter at all": ({"digest.mjml": "words"}, "digest.mjml: the <mjml> element is missing"),
    "not UTF-8": ({"digest.mjml": b"\xff"}, "digest.mjml: 'utf-8' codec"),
    "a shipped part without its values": ({"digest.mjml": FOOT}, "letter/macros.mjml:2: 'letter' is undefined"),
}


@pytest.mark.parametrize(("files", "message"), FAULTS.values(), ids=FAULTS)
def test_an_error_in_mjml_names_the_file_from_the_folder_of_templates(tmp_path, templates, files, message):
    """No message has the path of the site or of the package on this machine."""
    for name, text in files.items():
        file = tmp_path / "templates" / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(TemplateError) as caught:
        templates.render_mjml("digest.mjml", {}, {})
    assert str(caught.value).startswith(f"templates/{message}")
    assert str(tmp_path) not in str(caught.value)


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


def test_a_template_that_was_edited_is_compiled_again(tmp_path):
    """Other templates of the same site see its new text, and the names that it includes now."""
    file = tmp_path / "templates" / "x.html"
    file.parent.mkdir()
    for text in ("one", "two", "{% include 'nothing.html' ignore missing %}three", "one"):
        file.write_text(text, "utf-8")
        made = Templates(tmp_path, {})
        made.check(["x.html"])
        assert made.render("x.html", {}) == text.rpartition("}")[2]
    file.write_text("{% include 'nothing.html' %}", "utf-8")
    with pytest.raises(TemplateError, match=r"nothing\.html does not exist"):
        Templates(tmp_path, {}).check(["x.html"])


def test_a_template_is_compiled_for_the_filters_that_there_are(tmp_path):
    """The compiler applies filters to constants, so what it made with one filter is not used with another."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "x.txt").write_text("{{ 'A' | changed }}", "utf-8")
    assert Templates(tmp_path, {"changed": str.lower}).render("x.txt", {}) == "a"
    assert Templates(tmp_path, {"changed": str.title}).render("x.txt", {}) == "A"
    with pytest.raises(TemplateError, match="No filter"):
        Templates(tmp_path, {}).render("x.txt", {})


def test_a_template_that_was_compiled_before_is_not_compiled_again(tmp_path, monkeypatch):
    """Another site object of the same process uses its code."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "x.txt").write_text("{{ 1 + 1 }}", "utf-8")
    assert Templates(tmp_path, {}).render("x.txt", {}) == "2"
    monkeypatch.setattr("jinja2.Environment.compile", None)
    assert Templates(tmp_path, {}).render("x.txt", {}) == "2"
