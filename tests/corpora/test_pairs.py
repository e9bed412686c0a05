"""Labelled pairs of posts of six public blogs. Only paths are stored here, no texts."""

import tomllib
from collections import Counter

from tests.corpora import facts

PAIRS = tomllib.loads(facts.PAIRS.read_text("utf-8"))["pair"]
LABELS = {"duplicate", "instalment", "translation", "different"}


def test_the_labels_reach_over_all_blogs_and_both_sides_of_the_threshold():
    """There are at least sixty pairs, of every label and blog, some of them just above and just below the threshold."""
    assert len({(p["blog"], *sorted([p["a"], p["b"]])) for p in PAIRS}) == len(PAIRS) >= 60
    assert {p["label"] for p in PAIRS} == LABELS
    assert Counter(p["blog"] for p in PAIRS).keys() == facts.BLOGS.keys()
    near = [p["similarity"] for p in PAIRS if abs(p["similarity"] - 0.85) < 0.02]
    assert min(near) < 0.85 <= max(near)


def test_each_pair_has_a_label_a_reason_and_facts():
    """Each pair has all keys, a note and values in their ranges."""
    for pair in PAIRS:
        assert pair.keys() == set(facts.KEYS), pair
        assert pair["note"].endswith("."), pair
        assert 0 <= pair["similarity"] <= 1, pair
        assert pair["a"] != pair["b"], pair


def test_the_file_is_as_it_would_be_written():
    """The file equals what `facts.format_pairs` writes, so that a rewrite shows only real changes in a diff."""
    assert facts.format_pairs(PAIRS) == facts.PAIRS.read_text("utf-8")
