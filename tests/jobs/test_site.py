"""A site's languages, and what is said about those without texts."""

import pytest

from feeds.config import load_config
from feeds.jobs.site import Site
from tests.conftest import CONFIG, NEWSLETTER

ESPERANTO = CONFIG.replace('title = "Test"', 'title = "Test"\nlanguage = "eo"')
SECOND = '[[newsletters]]\nname = "b"\nlanguage = "eo"\nschedule = "0 8 * * tue"\n'
THIRD = '[[newsletters]]\nname = "c"\nlanguage = "nb-NO"\nschedule = "0 8 * * tue"\n'


def test_a_language_without_texts_is_one_warning_of_publish(site):
    """A language that site and newsletters name is reported once: where, what is shown instead, and what to do."""
    site.configure(ESPERANTO + NEWSLETTER + SECOND)
    (warning,) = (line for line in site.publish().warnings if "texts" in line)
    where, _, rest = warning.partition(" site.language: ")
    assert where.endswith("config.toml:4:")
    assert rest.startswith("there are no texts in 'eo', so the fixed words of letters and pages are English;")
    assert rest.endswith("texts/en.toml templates/texts/eo.toml")


def test_a_language_without_texts_is_one_warning_of_check(site, feeds):
    """`feeds check` says the same, for each language at the first newsletter that has it."""
    site.configure(CONFIG + NEWSLETTER + SECOND + THIRD)
    lines = [line for line in feeds("check").stdout.splitlines() if "there are no texts in" in line]
    assert [line.partition("config.toml:")[2].partition(": there")[0] for line in lines] == [
        "20\tnewsletters[1].language",
        "24\tnewsletters[2].language",
    ]


def test_a_language_of_a_variable_is_reported_with_its_name(site):
    """A language that an environment variable sets is reported with the name of the variable."""
    config = load_config(site.folder / "config.toml", {"FEEDS_SITE_LANGUAGE": "eo"})
    assert [line.partition(": there")[0] for line in Site(config).missing_texts()] == [
        "$FEEDS_SITE_LANGUAGE: site.language"
    ]


@pytest.mark.parametrize("lang", ["fr-CA", "zh-TW", "iw", "pt-AO", "en-GB", "de-XX"])
def test_a_language_with_texts_is_no_warning(site, lang):
    """A language is not reported if another tag has its texts."""
    site.configure(ESPERANTO.replace('"eo"', f'"{lang}"'))
    assert Site(site.config).missing_texts() == []


def test_own_texts_end_the_warning(site):
    """A language is not reported once the site has texts in it."""
    site.configure(ESPERANTO)
    folder = site.folder / "templates" / "texts"
    folder.mkdir(parents=True)
    (folder / "eo.toml").write_text('read_on = "Legi plu"\n', "utf-8")
    assert site.publish().warnings == []
