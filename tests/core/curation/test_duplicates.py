"""Which posts are the same post again, and which only look so."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.curation import duplicates
from feeds.model import Likeness
from feeds.settings import Duplicates
from tests.core.factory import START, post

SAME = {"text_digest": "same"}


def goes(*posts, characters=1000):
    """What repeats what, of posts whose common texts have so many characters."""
    known = {
        duplicates.pair(a, b): Likeness(similarity=1.0, same_digits=True, characters=characters)
        for a, b in duplicates.candidates(posts, (), ())
    }
    return {f.post.path: f.stays.path for f in duplicates.find(posts, known, Duplicates())}


def test_the_same_text_in_two_files_is_one_post():
    """Whatever the titles."""
    assert goes(post("b.md", **SAME, title="B"), post("a.md", **SAME, title="A")) == {"b.md": "a.md"}


STAYS = {
    "the one that names an id": ({"own_id": "urn:x", "published": START + timedelta(1)}, {}),
    "the earlier": ({"published": START - timedelta(1)}, {}),
    "the shorter path": ({}, {"path": "longer/b.md"}),
    "the first path": ({}, {"path": "b.md"}),
}


@pytest.mark.parametrize(("stays", "goes_"), STAYS.values(), ids=STAYS)
def test_one_stays_by_a_fixed_rule(stays, goes_):
    """An id of its own, else the date, else the path."""
    kept, other = post(**(SAME | {"path": "a.md"} | stays)), post(**(SAME | {"path": "b.md"} | goes_))
    assert goes(other, kept) == goes(kept, other) == {other.path: kept.path}


def test_languages_are_never_duplicates_of_each_other():
    """An untranslated page may equal its original."""
    assert goes(post("a.md", **SAME), post("a.ja.md", **SAME, lang="ja")) == {}


SHORT = SAME | {"title": "T", "target": "https://other.example/1"}


def test_link_posts_are_the_same_only_when_all_is():
    """Hundreds have an empty body: title, target and text must all be the same."""
    other_title, other_target = SHORT | {"title": "U"}, SHORT | {"target": "https://other.example/2"}
    assert goes(post("a.md", **SHORT), post("b.md", **SHORT), characters=0) == {"b.md": "a.md"}
    assert goes(post("a.md", **SHORT), post("b.md", **other_title), characters=199) == {}
    assert goes(post("a.md", **SHORT), post("b.md", **other_title), characters=200) == {"b.md": "a.md"}
    assert goes(post("a.md", **SHORT), post("b.md", **other_target), characters=0) == {}


def test_two_files_with_one_id_are_one_post():
    """The id is theirs, so they say it themselves."""
    assert goes(post("a.md", own_id="urn:x"), post("b.md", own_id="urn:x")) == {"b.md": "a.md"}


MANY = st.lists(
    st.builds(
        lambda n, digest, days, own: post(
            f"{n}.md",
            text_digest=digest,
            published=START + timedelta(days=days),
            own_id=own,
        ),
        st.integers(0, 99),
        st.sampled_from("xyz"),
        st.integers(0, 3),
        st.sampled_from([None, "urn:1", "urn:2"]),
    ),
    max_size=12,
    unique_by=lambda p: p.path,
)


@given(MANY, st.randoms(use_true_random=False))
def test_the_order_of_files_never_matters(posts, random):
    """The same go, the same stay, and what stays is never itself a duplicate."""
    shuffled = random.sample(posts, len(posts))
    found = goes(*posts)
    assert goes(*shuffled) == found
    assert not set(found) & set(found.values())
