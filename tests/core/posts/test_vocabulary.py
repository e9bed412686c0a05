"""The keys of front matter and their documentation."""

import re
from pathlib import Path

import pytest

from feeds.core.posts.vocabulary import KEYS, Fields

GUIDE = (Path(__file__).parents[3] / "docs" / "front-matter.md").read_text("utf-8")
#: The names of meanings in the documentation, if they are different there.
DOCUMENTED_AS = {
    "updated": "update",
    "expires": "expiry",
    "live": "draft",
    "unlisted": "draft",
    "status": "draft",
    "lang": "language",
    "url": "address",
    "target": "target of a link post",
    "image": "lead picture",
    "image_alt": "its description",
    "episode_type": "type of episode",
    "transcript": "transcripts",
    "reading_time": "reading time",
    "feed": "in feeds",
    "newsletter": "in letters",
    "featured": "lead of a letter",
}
TABLES = {"params", "extra", "taxonomies"}


def rows(heading, columns):
    """Return the cells of the table below its head."""
    table = GUIDE.partition(heading)[2].partition("\n\n")[0]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[1:]]
    assert found
    assert all(len(row) == columns for row in found)
    return found


def keys(cell):
    return [name.lower() for name in re.findall(r"`(\w+)(?:: \w+)?`", cell)]


def test_the_table_by_meaning_names_every_key_and_no_other():
    """docs/front-matter.md lists exactly the known keys, by meaning."""
    documented = {name: set(keys(cell)) for name, cell, _ in rows("| means | keys | values |\n", 3)}
    known = {}
    for meaning, names in KEYS.items():
        known.setdefault(DOCUMENTED_AS.get(meaning, meaning), set()).update(names)
    assert documented == known


READ_AS = [
    (key, meaning)
    for _, cell, read_as in rows("| generator | key | read as |\n", 3)
    for key in keys(cell)
    for meaning in [read_as]
]


@pytest.mark.parametrize(("key", "read_as"), READ_AS)
def test_the_table_by_generator_is_true(key, read_as):
    """Each key in the table of generators has the documented meaning."""
    if key in TABLES:
        assert Fields({key: {"title": "A"}}).get("title") == ("title", "A")
        return
    meant = [DOCUMENTED_AS.get(meaning, meaning) for meaning in KEYS if Fields({key: "x"}).get(meaning)[1] is not None]
    assert set(meant) & set(re.split(r", |: ", read_as)) if read_as != "the same" else meant


@pytest.mark.parametrize("written", ["pubDate", "PUBDATE", "date-published", "Date_Published"])
def test_case_and_hyphens_are_ignored(written):
    """A key is found in any case, with hyphens or underscores, and reported as written."""
    fields = Fields({written: "x"})
    assert fields.get("date") == (written, "x")
    assert fields.misspelled() == []


def test_the_first_key_of_a_row_that_is_set_wins():
    """The first key of a row that is set counts; empty values are skipped, and flags are not dates."""
    assert Fields({"created": "c", "published": True, "date": " "}).get("date") == ("created", "c")
    assert Fields({"summary": "s", "excerpt": "e"}).get("excerpt") == ("excerpt", "e")
    assert Fields({"summary": "s", "excerpt": "e"}).all("excerpt") == ["e", "s"]


def test_an_outer_key_wins_over_an_inner_one():
    """A key of a nested table counts only if the outer table does not have it."""
    fields = Fields({"extra": {"Title": "inner", "lang": "ja"}, "title": "outer"})
    assert (fields.get("title"), fields.get("lang")) == (("title", "outer"), ("lang", "ja"))


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("catagories", "categories"),
        ("descripton", "description"),
        ("Titel", "title"),
        ("weight", None),
        ("redirectto", "redirect_to"),
    ],
)
def test_a_key_similar_to_a_known_one_is_reported_with_it(key, known):
    """A key similar to a known one is reported with it; other unknown keys are not."""
    assert Fields({key: "x"}).misspelled() == ([(key, known)] if known else [])


@pytest.mark.parametrize("key", ["redirect_from", "redirects", "authorURL", "related", "resources", "modified_gmt"])
def test_a_key_of_a_generator_is_not_taken_for_a_misspelt_one(key):
    """A documented key with another meaning is not reported, however similar: `redirect_to` would make a link post."""
    assert Fields({key: "x"}).misspelled() == []


def test_of_thousands_of_unknown_keys_the_first_are_compared():
    """At most a hundred unknown keys are compared with the known ones."""
    fields = Fields({f"catagories{n}": "x" for n in range(5000)})
    assert len(fields.misspelled()) == 100
