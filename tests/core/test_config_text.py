"""The text of a new `feeds.toml`."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from feeds.core.config_text import fill_reference
from tests.conftest import ROOT

REFERENCE = (ROOT / "config.toml").read_text("utf-8")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(title=TEXTS, folder=TEXTS, moved=st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=4))
def test_values_are_read_back_as_they_were(title, folder, moved):
    """Texts and tables of any characters are the only values in the file, also keys that the reference comments out."""
    values = {"site.title": title, "posts.rendered": folder, "posts.permalinks": moved, "feeds.moved": moved}
    assert {key: value for key, value in tomllib.loads(fill_reference(REFERENCE, values)).items() if value} == {
        "site": {"title": title},
        "posts": {"rendered": folder, "permalinks": moved},
        "feeds": {"moved": moved},
    }


def test_the_examples_of_a_table_give_way_to_its_values():
    """What is written in place of `[feeds.moved]` ends before the next table, which stays a comment."""
    lines = fill_reference(REFERENCE, {"feeds.moved": {"/a.xml": "feeds/atom.xml"}}).splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("[feeds.moved]"))
    assert lines[start + 1 : start + 3] == ['"/a.xml" = "feeds/atom.xml"', ""]
    assert lines[start + 3].startswith("# [[feeds.extra]]")
