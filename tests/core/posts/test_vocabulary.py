"""The keys of front matter, and what the documentation says of them."""

import re
from pathlib import Path

import pytest

from feeds.core.posts.vocabulary import KEYS, Fields

GUIDE = (Path(__file__).parents[3] / "docs" / "front-matter.md").read_text("utf-8")
#: What a meaning is called in the documentation, where it is called otherwise.
CALLED = {
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
    """Who reads it knows what is read."""
    documented = {name: set(keys(cell)) for name, cell, _ in rows("| means | keys | values |\n", 3)}
    known = {}
    for meaning, names in KEYS.items():
        known.setdefault(CALLED.get(meaning, meaning), set()).update(names)
    assert documented == known


READ_AS = [
    (key, meaning)
    for _, cell, read_as in rows("| generator | key | read as |\n", 3)
    for key in keys(cell)
    for meaning in [read_as]
]


@pytest.mark.parametrize(("key", "read_as"), READ_AS)
def test_the_table_by_generator_is_true(key, read_as):
    """Each key means what the table says it is read as."""
    if key in TABLES:
        assert Fields({key: {"title": "A"}}).get("title") == ("title", "A")
        return
    meant = [CALLED.get(meaning, meaning) for meaning in KEYS if Fields({key: "x"}).get(meaning)[1] is not None]
    assert set(meant) & set(re.split(r", |: ", read_as)) if read_as != "the same" else meant


@pytest.mark.parametrize("written", ["pubDate", "PUBDATE", "date-published", "Date_Published"])
def test_case_and_hyphens_are_no_difference(written):
    """A key is found however it is written, and reported as it was."""
    fields = Fields({written: "x"})
    assert fields.get("date") == (written, "x")
    assert fields.misspelled() == []


def test_the_first_key_of_a_row_that_is_set_wins():
    """Whatever their order in the file; an empty value is none, and a flag is no date."""
    assert Fields({"created": "c", "published": True, "date": " "}).get("date") == ("created", "c")
    assert Fields({"summary": "s", "excerpt": "e"}).get("excerpt") == ("excerpt", "e")
    assert Fields({"summary": "s", "excerpt": "e"}).all("excerpt") == ["e", "s"]


def test_an_outer_key_wins_over_an_inner_one():
    """Tables of a generator only fill in."""
    fields = Fields({"extra": {"Title": "inner", "lang": "ja"}, "title": "outer"})
    assert (fields.get("title"), fields.get("lang")) == (("title", "outer"), ("lang", "ja"))


@pytest.mark.parametrize(
    ("key", "known"),
    [("catagories", "categories"), ("descripton", "description"), ("Titel", "title"), ("weight", None)],
)
def test_what_looks_like_a_known_key_is_named_with_it(key, known):
    """A hint where it is likely, silence where it is not."""
    assert Fields({key: "x"}).misspelled() == ([(key, known)] if known else [])
