"""Files and texts in a site's templates folder that nothing uses."""

import shutil

import pytest

from feeds.edges.render.template_files import find_unused
from tests.conftest import ROOT


@pytest.fixture
def templates(tmp_path):
    (tmp_path / "templates/texts").mkdir(parents=True)
    return tmp_path / "templates"


def test_a_misspelled_file_or_text_is_named_with_the_nearest_name(templates):
    """A file or a text that no template uses is reported with its place and the likely name."""
    (templates / "digets.mjml").write_text("<mjml></mjml>", "utf-8")
    (templates / "texts/fr.toml").write_text(
        'issue = "No {number}"\n\nreadon = "Lire"\n[readingx]\nother = "m"\n', "utf-8"
    )
    assert find_unused(templates.parent) == [
        "templates/digets.mjml: is not a template that Feeds or another template uses; did you mean `digest.mjml`?",
        "templates/texts/fr.toml:4: readingx: is not a known text; did you mean `reading`?",
        "templates/texts/fr.toml:3: readon: is not a known text; did you mean `read_on`?",
    ]


def test_what_a_template_of_the_site_uses_is_in_order(templates):
    """A part that the site's own template includes, a text that it uses, and what editors leave are not reported."""
    (templates / "digest.txt").write_text("{% include 'parts/foot.txt' %} {{ t.motto }}", "utf-8")
    (templates / "parts").mkdir()
    (templates / "parts/foot.txt").write_text("x", "utf-8")
    for name in (".DS_Store", "digest.txt~", "#digest.txt#", ".git/config"):
        (templates / name).parent.mkdir(exist_ok=True)
        (templates / name).write_text("x", "utf-8")
    (templates / "texts/en.toml").write_text('motto = "Slowly"\n', "utf-8")
    assert find_unused(templates.parent) == []


def test_the_shipped_templates_and_a_site_without_any_are_in_order(tmp_path):
    """A copy of everything that is shipped has no problem, and neither has a site without templates."""
    assert find_unused(tmp_path) == []
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    assert find_unused(tmp_path) == []


def test_texts_that_are_not_toml_are_left_to_the_error_about_them(templates):
    """A file that cannot be parsed is reported where its texts are used, not here."""
    (templates / "texts/fr.toml").write_text("a b c", "utf-8")
    assert find_unused(templates.parent) == []
