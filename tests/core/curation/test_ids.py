"""Permanent ids."""

import re
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.curation.ids import assign_ids
from feeds.core.posts import sketch
from feeds.model import KnownEntry
from tests.core.factory import START, post

AUTHORITY = "example.com,2026"


def known(**paths):
    return [KnownEntry(id=f"urn:{name}", path=f"{name}.md", text_digest=digest) for name, digest in paths.items()]


def test_a_new_post_gets_a_tag_uri():
    """Authority, date and percent-encoded path (RFC 4151)."""
    assert assign_ids([post("手/a b.md")], [], AUTHORITY) == {
        "手/a b.md": "tag:example.com,2026:2026-01-01/%E6%89%8B/a%20b.md",
    }


def test_an_id_of_its_own_wins():
    """Whatever is remembered."""
    assert assign_ids([post("a.md", declared_id="urn:x:1")], known(a="a.md"), AUTHORITY) == {"a.md": "urn:x:1"}


def test_an_edited_post_keeps_its_id():
    """Known by its path."""
    assert assign_ids([post("a.md", text_digest="new")], known(a="old"), AUTHORITY) == {"a.md": "urn:a"}


def test_a_renamed_post_keeps_its_id():
    """Known by its text."""
    assert assign_ids([post("b.md", text_digest="t")], known(a="t"), AUTHORITY) == {"b.md": "urn:a"}


def test_two_files_that_swapped_names_keep_their_ids():
    """The text is the post; the path is where it lies."""
    swapped = [post("a.md", text_digest="tb"), post("b.md", text_digest="ta")]
    assert assign_ids(swapped, known(a="ta", b="tb"), AUTHORITY) == {"a.md": "urn:b", "b.md": "urn:a"}


def test_an_id_is_never_given_to_another_post():
    """A path whose id has moved away with its text gets a new one."""
    was = "tag:example.com,2026:2026-01-01/a.md"
    memory = [KnownEntry(id=was, path="a.md", text_digest="t")]
    found = assign_ids([post("a.md", text_digest="new"), post("b.md", text_digest="t")], memory, AUTHORITY)
    assert found == {"b.md": was, "a.md": was + ";2"}


def test_empty_texts_prove_nothing():
    """Several posts with the same text are told apart by their paths."""
    posts = [post("c.md", text_digest=""), post("d.md", text_digest="")]
    found = set(assign_ids(posts, known(a="", b=""), AUTHORITY).values())
    assert not found & {"urn:a", "urn:b"}


POSTS = st.lists(
    st.builds(lambda n, d: post(f"{n}.md", text_digest=d), st.integers(0, 9), st.sampled_from("xyz")),
    unique_by=lambda p: p.path,
    max_size=8,
)
MEMORY = st.lists(
    st.builds(
        lambda n, d: KnownEntry(id=f"urn:{n}", path=f"{n}.md", text_digest=d), st.integers(0, 9), st.sampled_from("xyz")
    ),
    unique_by=lambda k: k.id,
    max_size=8,
)


@given(POSTS, MEMORY, st.randoms(use_true_random=False))
def test_every_post_has_one_id_and_no_two_share_it(posts, memory, random):
    """Whatever is remembered, in whatever order; and each is a URI."""
    found = assign_ids(posts, memory, AUTHORITY)
    assert set(found) == {p.path for p in posts}
    assert len(set(found.values())) == len(found)
    assert all(re.match(r"[a-z]+:\S+$", uri) for uri in found.values())
    assert assign_ids(random.sample(posts, len(posts)), random.sample(memory, len(memory)), AUTHORITY) == found


# Known again ----------------------------------------------------------------------------------------------------------

CHANCE = Random(1)
TEXTS = [
    " ".join(CHANCE.choices(["reading", "paper", "gym", "lyric", "of", "a", "the", "song"], k=300)) for _ in range(6)
]


def written(path, text, **values):
    squeezed = sketch.normalize_bytes(text.encode())
    known_by = {"text_digest": sketch.text_digest(squeezed), "sketch": sketch.make_sketch(squeezed)}
    return post(path, **known_by, **values)


def remembered(p, identity):
    return KnownEntry(
        id=identity, path=p.path, text_digest=p.text_digest, sketch=p.sketch, title=p.title, published=p.published
    )


def assigned(posts, before, present=()):
    known_ = [remembered(p, f"urn:{n}") for n, p in enumerate(before)]
    return assign_ids(posts, known_, AUTHORITY, present)


EDITS = {
    "an edited text": {"text": TEXTS[0].replace("song", "tune", 4)},
    "a new title": {"title": "Another title"},
    "another category": {"categories": ("Moved",)},
    "another address": {"url": "https://example.com/elsewhere/"},
    "another date": {"published": START + timedelta(days=3)},
    "a rewritten text under its title": {"text": TEXTS[1]},
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edit_in_place_keeps_the_id(edit):
    """Whatever was edited, it is the same post."""
    values = {"text": TEXTS[0], "title": "A title"} | edit
    before = written("a.md", TEXTS[0], title="A title")
    assert assigned([written("a.md", values.pop("text"), **values)], [before]) == {"a.md": "urn:0"}


def test_a_file_that_is_renamed_and_edited_at_once_keeps_its_id():
    """Most of its text is there, and its old name is gone."""
    before = [written("a.md", TEXTS[0]), written("b.md", TEXTS[1])]
    after = [written("c.md", TEXTS[0].replace("song", "tune", 4), title="New"), written("b.md", TEXTS[1])]
    assert assigned(after, before) == {"c.md": "urn:0", "b.md": "urn:1"}


def test_what_is_only_held_back_was_not_renamed():
    """A draft keeps its id for the day on which it is public again."""
    before = [written("a.md", TEXTS[0])]
    copy = written("c.md", TEXTS[0].replace("song", "tune", 4), title="New")
    assert assigned([copy], before, present=["a.md", "c.md"])["c.md"].startswith("tag:")


def test_a_new_post_at_an_old_path_gets_a_new_id():
    """Another title and another text are another post."""
    before = [written("latest.md", TEXTS[0], title="October")]
    found = assigned([written("latest.md", TEXTS[1], title="November")], before)
    assert found["latest.md"].startswith("tag:example.com,2026:")


def test_a_post_that_is_deleted_and_comes_back_is_the_same():
    """Under its name, edited or not, or under another."""
    before = [written("a.md", TEXTS[0]), written("b.md", TEXTS[1])]
    assert assigned([written("b.md", TEXTS[1])], before) == {"b.md": "urn:1"}
    for back in (written("a.md", TEXTS[0]), written("again.md", TEXTS[0])):
        assert assigned([back, written("b.md", TEXTS[1])], before)[back.path] == "urn:0"


def test_files_that_swap_names_and_are_edited_keep_their_ids():
    """What a file says counts more than what it is called."""
    before = [written("a.md", TEXTS[0], title="A"), written("b.md", TEXTS[1], title="B")]
    after = [written("b.md", TEXTS[0], title="A"), written("a.md", TEXTS[1] + " more", title="B")]
    assert assigned(after, before) == {"b.md": "urn:0", "a.md": "urn:1"}


def test_texts_of_a_few_words_are_known_by_title_or_date():
    """There is no text to compare."""
    before = [written("a.md", "Short.", title="One")]
    assert assigned([written("a.md", "Brief.", title="Two")], before) == {"a.md": "urn:0"}
    other_day = written("a.md", "Brief.", title="Two", published=START + timedelta(days=1))
    assert assigned([other_day], before)["a.md"].startswith("tag:")


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 5)),
        st.tuples(st.just("edit"), st.integers(0, 9)),
        st.tuples(st.just("move"), st.integers(0, 9)),
        st.tuples(st.just("swap"), st.integers(0, 9)),
        st.tuples(st.just("remove"), st.integers(0, 9)),
    ),
    max_size=12,
)


@given(STEPS)
def test_whatever_is_done_to_files_ids_stay_with_their_posts(steps):
    """No id moves to another post, none is given twice, and no post that stays gets a second one."""
    texts: dict[str, int] = {}
    memory: dict[str, KnownEntry] = {}
    first: dict[int, str] = {}
    fresh = (f"p{n}.md" for n in range(100))
    for what, n in steps:
        paths = sorted(texts)
        if what == "add" and n not in texts.values():
            texts[next(fresh)] = n
        elif paths and what in {"move", "remove"}:
            moved = texts.pop(paths[n % len(paths)])
            texts |= {next(fresh): moved} if what == "move" else {}
        elif paths and what == "swap":
            a, b = paths[n % len(paths)], paths[0]
            texts[a], texts[b] = texts[b], texts[a]
        posts = [written(path, TEXTS[i], title=f"Title {i}") for path, i in texts.items()]
        found = assign_ids(posts, memory.values(), AUTHORITY, texts)
        assert len(set(found.values())) == len(posts)
        for p in posts:
            memory[found[p.path]] = remembered(p, found[p.path])
            assert first.setdefault(texts[p.path], found[p.path]) == found[p.path]
