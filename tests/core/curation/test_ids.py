"""Permanent ids."""

import re

from hypothesis import given
from hypothesis import strategies as st

from feeds.core.curation.ids import assign
from feeds.model import Known
from tests.core.factory import post

AUTHORITY = "example.com,2026"


def known(**paths):
    return [Known(id=f"urn:{name}", path=f"{name}.md", text_digest=digest) for name, digest in paths.items()]


def test_a_new_post_gets_a_tag_uri():
    """Authority, date and percent-encoded path (RFC 4151)."""
    assert assign([post("手/a b.md")], [], AUTHORITY) == {
        "手/a b.md": "tag:example.com,2026:2026-01-01/%E6%89%8B/a%20b.md",
    }


def test_an_id_of_its_own_wins():
    """Whatever is remembered."""
    assert assign([post("a.md", own_id="urn:x:1")], known(a="a.md"), AUTHORITY) == {"a.md": "urn:x:1"}


def test_an_edited_post_keeps_its_id():
    """Known by its path."""
    assert assign([post("a.md", text_digest="new")], known(a="old"), AUTHORITY) == {"a.md": "urn:a"}


def test_a_renamed_post_keeps_its_id():
    """Known by its text."""
    assert assign([post("b.md", text_digest="t")], known(a="t"), AUTHORITY) == {"b.md": "urn:a"}


def test_two_files_that_swapped_names_keep_their_ids():
    """The text is the post; the path is where it lies."""
    swapped = [post("a.md", text_digest="tb"), post("b.md", text_digest="ta")]
    assert assign(swapped, known(a="ta", b="tb"), AUTHORITY) == {"a.md": "urn:b", "b.md": "urn:a"}


def test_an_id_is_never_given_to_another_post():
    """A path whose id has moved away with its text gets a new one."""
    was = "tag:example.com,2026:2026-01-01/a.md"
    memory = [Known(id=was, path="a.md", text_digest="t")]
    found = assign([post("a.md", text_digest="new"), post("b.md", text_digest="t")], memory, AUTHORITY)
    assert found == {"b.md": was, "a.md": was + ";2"}


def test_empty_texts_prove_nothing():
    """Several posts with the same text are told apart by their paths."""
    posts = [post("c.md", text_digest=""), post("d.md", text_digest="")]
    found = set(assign(posts, known(a="", b=""), AUTHORITY).values())
    assert not found & {"urn:a", "urn:b"}


POSTS = st.lists(
    st.builds(lambda n, d: post(f"{n}.md", text_digest=d), st.integers(0, 9), st.sampled_from("xyz")),
    unique_by=lambda p: p.path,
    max_size=8,
)
MEMORY = st.lists(
    st.builds(
        lambda n, d: Known(id=f"urn:{n}", path=f"{n}.md", text_digest=d), st.integers(0, 9), st.sampled_from("xyz")
    ),
    unique_by=lambda k: k.id,
    max_size=8,
)


@given(POSTS, MEMORY, st.randoms(use_true_random=False))
def test_every_post_has_one_id_and_no_two_share_it(posts, memory, random):
    """Whatever is remembered, in whatever order; and each is a URI."""
    found = assign(posts, memory, AUTHORITY)
    assert set(found) == {p.path for p in posts}
    assert len(set(found.values())) == len(found)
    assert all(re.match(r"[a-z]+:\S+$", uri) for uri in found.values())
    assert assign(random.sample(posts, len(posts)), random.sample(memory, len(memory)), AUTHORITY) == found
