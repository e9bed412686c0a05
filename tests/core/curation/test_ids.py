"""Permanent ids of entries."""

import re
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from feeds.core.curation.ids import assign_ids, find_replaced_ids
from feeds.core.posts import sketch
from feeds.model import KnownEntry
from tests.core.factory import START, post

AUTHORITY = "example.com,2026"


def known(**paths):
    return [KnownEntry(id=f"urn:{name}", path=f"{name}.md", text_digest=digest) for name, digest in paths.items()]


def test_a_new_post_gets_a_tag_uri():
    """A new post gets a `tag:` URI with authority, date and percent-encoded path (RFC 4151)."""
    assert assign_ids([post("手/a b.md")], [], AUTHORITY) == {
        "手/a b.md": "tag:example.com,2026:2026-01-01/%E6%89%8B/a%20b.md",
    }


def test_an_id_of_its_own_wins():
    """The id in the front matter is used, even if the store knows another one."""
    assert assign_ids([post("a.md", declared_id="urn:x:1")], known(a="a.md"), AUTHORITY) == {"a.md": "urn:x:1"}


TAG = "tag:example.com,2026:2026-01-01/a.md"


def replaced(source, *entries):
    """The published ids that the id of a post replaces."""
    return find_replaced_ids([source], entries, assign_ids([source], entries, AUTHORITY))


def published(entry_id=TAG, path="a.md", **values):
    """An entry that was published from the post that `factory.post` makes."""
    return KnownEntry(**{"id": entry_id, "path": path, "text_digest": path, "title": path, "published": START} | values)


@pytest.mark.parametrize(
    "before",
    [
        published(),
        published(text_digest="edited since"),
        published(published=START - timedelta(hours=9)),
        published(published=None, title=None),
        published(path="renamed.md", text_digest="a.md", title="a.md"),
    ],
    ids=["unchanged", "edited", "another time zone", "an old store", "renamed"],
)
def test_an_id_that_is_added_replaces_the_published_one(before):
    """An id in the front matter of a published post replaces the id of its entry, whatever else has changed."""
    assert replaced(post("a.md", declared_id="urn:x:1"), before) == {"urn:x:1": TAG}


@pytest.mark.parametrize(
    "before",
    [
        published(published=START - timedelta(days=7)),
        published(title="Another", text_digest="other", sketch=b"\0" * 128),
        published(path="b.md", text_digest="b", title="b"),
        published(replaced_by="urn:x:0"),
        published("urn:x:1"),
    ],
    ids=["of another day", "of another text", "in another file", "replaced before", "the same id"],
)
def test_an_id_of_another_post_is_not_replaced(before):
    """A post with an id of its own that was written over another one is another entry; so is one in another file."""
    found = replaced(post("a.md", declared_id="urn:x:1", sketch=b"\1" * 128), before)
    assert found == {}


def test_an_entry_is_replaced_by_one_post_only():
    """If two posts may have been an entry, one of them replaces it; an entry that a post has is not replaced."""
    twins = [post(name, title="t", text_digest="d", declared_id=f"urn:{name}") for name in ("a.md", "b.md")]
    before = [published(title="t", text_digest="d")]
    assert find_replaced_ids(twins, before, assign_ids(twins, before, AUTHORITY)) == {"urn:a.md": TAG}
    posts = [post("a.md"), post("copy.md", title="a.md", text_digest="a.md", declared_id="urn:x:1")]
    assert find_replaced_ids(posts, [published()], assign_ids(posts, [published()], AUTHORITY)) == {}


def test_a_replaced_id_is_not_assigned_again():
    """A post whose id was replaced keeps the new one when its file is renamed, though both entries fit."""
    before = [published(replaced_by="urn:x:1"), published("urn:x:1")]
    renamed = post("z.md", title="a.md", text_digest="a.md")
    assert assign_ids([renamed], before, AUTHORITY) == {"z.md": "urn:x:1"}


def test_an_id_that_was_misread_stays():
    """An id that was published when `&copy=1` was read as a sign stays; a new post gets the one that is written."""
    written, misread = "https://x.example/?p=1&section=B&copy=1", "https://x.example/?p=1%C2%A7ion=B%C2%A9=1"
    before = [KnownEntry(id=misread, path="a.md", text_digest="a")]
    assert assign_ids([post("a.md", declared_id=written)], before, AUTHORITY) == {"a.md": misread}
    assert assign_ids([post("a.md", declared_id=written)], [], AUTHORITY) == {"a.md": written}


def test_an_edited_post_keeps_its_id():
    """A post with an edited text in the same file keeps its id."""
    assert assign_ids([post("a.md", text_digest="new")], known(a="old"), AUTHORITY) == {"a.md": "urn:a"}


def test_a_renamed_post_keeps_its_id():
    """A post with the same text in a renamed file keeps its id."""
    assert assign_ids([post("b.md", text_digest="t")], known(a="t"), AUTHORITY) == {"b.md": "urn:a"}


def test_two_files_that_swapped_names_keep_their_ids():
    """Two posts whose files swapped names keep their ids."""
    swapped = [post("a.md", text_digest="tb"), post("b.md", text_digest="ta")]
    assert assign_ids(swapped, known(a="ta", b="tb"), AUTHORITY) == {"a.md": "urn:b", "b.md": "urn:a"}


def test_an_id_is_never_given_to_another_post():
    """A new post at the old path of a renamed post gets a new id."""
    was = "tag:example.com,2026:2026-01-01/a.md"
    known_entries = [KnownEntry(id=was, path="a.md", text_digest="t")]
    found = assign_ids([post("a.md", text_digest="new"), post("b.md", text_digest="t")], known_entries, AUTHORITY)
    assert found == {"b.md": was, "a.md": was + ";2"}


def test_empty_texts_are_not_recognised():
    """Posts with an empty text in new files get new ids."""
    posts = [post("c.md", text_digest=""), post("d.md", text_digest="")]
    found = set(assign_ids(posts, known(a="", b=""), AUTHORITY).values())
    assert not found & {"urn:a", "urn:b"}


POSTS = st.lists(
    st.builds(lambda n, d: post(f"{n}.md", text_digest=d), st.integers(0, 9), st.sampled_from("xyz")),
    unique_by=lambda p: p.path,
    max_size=8,
)
KNOWN = st.lists(
    st.builds(
        lambda n, d: KnownEntry(id=f"urn:{n}", path=f"{n}.md", text_digest=d), st.integers(0, 9), st.sampled_from("xyz")
    ),
    unique_by=lambda k: k.id,
    max_size=8,
)


@given(POSTS, KNOWN, st.randoms(use_true_random=False))
def test_every_post_has_one_id_and_no_two_share_it(posts, known_entries, random):
    """Every post gets exactly one id, a URI that no other post has, in any order of posts and known entries."""
    found = assign_ids(posts, known_entries, AUTHORITY)
    assert set(found) == {p.path for p in posts}
    assert len(set(found.values())) == len(found)
    assert all(re.match(r"[a-z]+:\S+$", uri) for uri in found.values())
    assert (
        assign_ids(random.sample(posts, len(posts)), random.sample(known_entries, len(known_entries)), AUTHORITY)
        == found
    )


# Recognised after changes ---------------------------------------------------------------------------------------------

RNG = Random(1)
TEXTS = [" ".join(RNG.choices(["reading", "paper", "gym", "lyric", "of", "a", "the", "song"], k=300)) for _ in range(6)]


def post_of(path, text, **values):
    normalized = sketch.normalize_bytes(text.encode())
    known_by = {"text_digest": sketch.text_digest(normalized), "sketch": sketch.make_sketch(normalized)}
    return post(path, **known_by, **values)


def known_as(p, identity):
    return KnownEntry(
        id=identity, path=p.path, text_digest=p.text_digest, sketch=p.sketch, title=p.title, published=p.published
    )


def assigned(posts, before, present=()):
    known_ = [known_as(p, f"urn:{n}") for n, p in enumerate(before)]
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
    """A post that is edited in place keeps its id."""
    values = {"text": TEXTS[0], "title": "A title"} | edit
    before = post_of("a.md", TEXTS[0], title="A title")
    assert assigned([post_of("a.md", values.pop("text"), **values)], [before]) == {"a.md": "urn:0"}


def test_a_file_that_is_renamed_and_edited_at_once_keeps_its_id():
    """A post whose file is renamed and edited at once keeps its id."""
    before = [post_of("a.md", TEXTS[0]), post_of("b.md", TEXTS[1])]
    after = [post_of("c.md", TEXTS[0].replace("song", "tune", 4), title="New"), post_of("b.md", TEXTS[1])]
    assert assigned(after, before) == {"c.md": "urn:0", "b.md": "urn:1"}


def test_a_post_that_is_only_held_back_was_not_renamed():
    """A similar new post does not get the id of a post that is only held back."""
    before = [post_of("a.md", TEXTS[0])]
    copy = post_of("c.md", TEXTS[0].replace("song", "tune", 4), title="New")
    assert assigned([copy], before, present=["a.md", "c.md"])["c.md"].startswith("tag:")


def test_a_new_post_at_an_old_path_gets_a_new_id():
    """A post with another title and another text at a known path gets a new id."""
    before = [post_of("latest.md", TEXTS[0], title="October")]
    found = assigned([post_of("latest.md", TEXTS[1], title="November")], before)
    assert found["latest.md"].startswith("tag:example.com,2026:")


def test_a_post_that_is_deleted_and_comes_back_is_the_same():
    """A deleted post that comes back gets its id again, in the same or another file."""
    before = [post_of("a.md", TEXTS[0]), post_of("b.md", TEXTS[1])]
    assert assigned([post_of("b.md", TEXTS[1])], before) == {"b.md": "urn:1"}
    for back in (post_of("a.md", TEXTS[0]), post_of("again.md", TEXTS[0])):
        assert assigned([back, post_of("b.md", TEXTS[1])], before)[back.path] == "urn:0"


def test_files_that_swap_names_and_are_edited_keep_their_ids():
    """Posts whose files swap names keep their ids, even if they are edited."""
    before = [post_of("a.md", TEXTS[0], title="A"), post_of("b.md", TEXTS[1], title="B")]
    after = [post_of("b.md", TEXTS[0], title="A"), post_of("a.md", TEXTS[1] + " more", title="B")]
    assert assigned(after, before) == {"b.md": "urn:0", "a.md": "urn:1"}


def test_texts_of_a_few_words_are_known_by_title_or_date():
    """A post with a text of a few words keeps its id if title or date are the same."""
    before = [post_of("a.md", "Short.", title="One")]
    assert assigned([post_of("a.md", "Brief.", title="Two")], before) == {"a.md": "urn:0"}
    other_day = post_of("a.md", "Brief.", title="Two", published=START + timedelta(days=1))
    assert assigned([other_day], before)["a.md"].startswith("tag:")


SHORT_TEXTS = {
    "180 characters": [text[:180] for text in TEXTS[:3]],
    "a few words": ["Closed today.", "Open again.", "New hours."],
    "nothing": ["", "", ""],
}


@pytest.mark.parametrize("texts", SHORT_TEXTS.values(), ids=SHORT_TEXTS)
@pytest.mark.parametrize("days", [0, 1], ids=["on one day", "on two days"])
def test_short_posts_whose_files_swap_names_keep_their_ids(texts, days):
    """Posts of any length that swap the names of their files keep their ids: title, date and text identify a post."""
    posts = [
        post_of(f"{n}.md", text, title=f"Title {n}", text_size=len(text), published=START + timedelta(days=n * days))
        for n, text in enumerate(texts)
    ]
    swapped = [replace(p, path=posts[(n + 1) % 3].path) for n, p in enumerate(posts)]
    assert assigned(swapped, posts, ["0.md", "1.md", "2.md"]) == {p.path: f"urn:{n}" for n, p in enumerate(swapped)}


def test_a_short_post_that_is_renamed_keeps_its_id():
    """A post of a few words keeps its id in a renamed file, and while a new post takes the old name."""
    before = post_of("a.md", "Short.", title="One", text_size=6)
    renamed = replace(before, path="b.md")
    assert assigned([renamed], [before], ["b.md"]) == {"b.md": "urn:0"}
    other = post_of("a.md", "Another.", title="Two", text_size=8, published=START + timedelta(days=1))
    found = assigned([renamed, other], [before], ["a.md", "b.md"])
    assert found["b.md"] == "urn:0"
    assert found["a.md"].startswith("tag:")


def test_posts_with_the_same_title_date_and_text_are_told_apart_by_their_files():
    """Posts that agree in title, date and text keep the ids of their files."""
    posts = [post_of(path, "Same.", title="One", text_size=5) for path in ("a.md", "b.md")]
    assert assigned(posts, posts) == {"a.md": "urn:0", "b.md": "urn:1"}
    assert assigned(posts[1:], posts, ["b.md"]) == {"b.md": "urn:1"}


@pytest.mark.parametrize("length", [180, 1200])
def test_posts_that_swap_names_and_are_edited_keep_their_ids(length):
    """Posts keep their ids if their files swap names while the text of one is edited, whatever its length."""
    before = [post_of(f"{n}.md", TEXTS[n][:length], title=f"Title {n}", text_size=length) for n in range(2)]
    edited = post_of("0.md", TEXTS[1][:length] + " and more", title="Title 1", text_size=length)
    after = [replace(before[0], path="1.md"), edited]
    assert assigned(after, before, ["0.md", "1.md"]) == {"1.md": "urn:0", "0.md": "urn:1"}


LENGTHS = pytest.mark.parametrize("length", [6, 180, 1200], ids=["a word", "180 characters", "1200 characters"])
SAME_OR_NEXT_DAY = pytest.mark.parametrize("days", [0, 1], ids=["on one day", "on two days"])


@LENGTHS
@SAME_OR_NEXT_DAY
@pytest.mark.parametrize("paths", [("1.md", "0.md"), ("2.md", "0.md")], ids=["swapped", "each takes the next name"])
def test_posts_that_change_names_and_are_all_edited_keep_their_ids(length, days, paths):
    """Posts keep their ids if each takes another's file name while the texts of all of them are edited."""
    dates = [START + timedelta(days=n * days) for n in range(2)]
    before = [post_of(f"{n}.md", TEXTS[n][:length], title=f"Title {n}", published=dates[n]) for n in range(2)]
    after = [
        post_of(path, TEXTS[n][:length] + " and more", title=f"Title {n}", published=dates[n])
        for n, path in enumerate(paths)
    ]
    assert assigned(after, before, paths) == {paths[0]: "urn:0", paths[1]: "urn:1"}


@pytest.mark.parametrize("length", [180, 1200])
def test_posts_that_swap_names_and_get_new_titles_and_dates_keep_their_ids(length):
    """Posts of some length whose files swap names are known by their texts, whatever their titles and dates become."""
    before = [post_of(f"{n}.md", TEXTS[n][:length], title=f"Title {n}", text_size=length) for n in range(2)]
    day = START + timedelta(days=5)
    after = [replace(p, path=f"{1 - n}.md", title=f"{p.title}!", published=day) for n, p in enumerate(before)]
    assert assigned(after, before, ["0.md", "1.md"]) == {"1.md": "urn:0", "0.md": "urn:1"}


def test_a_rewritten_short_post_leaves_the_id_to_the_one_with_its_title():
    """A short post that is new in an old file gets a new id if the old one moved on, edited, on the same day."""
    before = [post_of("a.md", "Short.", title="One")]
    after = [post_of("a.md", "Another.", title="Two"), post_of("b.md", "Short, edited.", title="One")]
    found = assigned(after, before, ["a.md", "b.md"])
    assert found["b.md"] == "urn:0"
    assert found["a.md"].startswith("tag:")


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


@given(STEPS, st.sampled_from([0, 10, 180, 2000]))
def test_ids_stay_with_their_posts_after_any_changes_of_files(steps, length):
    """After any changes of files, each post, of any length, has its first id and no two posts share one."""
    texts: dict[str, int] = {}
    known_entries: dict[str, KnownEntry] = {}
    first: dict[int, str] = {}
    fresh = (f"p{n}.md" for n in range(100))
    for step, n in steps:
        paths = sorted(texts)
        if step == "add" and n not in texts.values():
            texts[next(fresh)] = n
        elif paths and step in {"move", "remove"}:
            moved = texts.pop(paths[n % len(paths)])
            texts |= {next(fresh): moved} if step == "move" else {}
        elif paths and step == "swap":
            a, b = paths[n % len(paths)], paths[0]
            texts[a], texts[b] = texts[b], texts[a]
        posts = [post_of(path, TEXTS[i][:length], title=f"Title {i}", text_size=length) for path, i in texts.items()]
        found = assign_ids(posts, known_entries.values(), AUTHORITY, texts)
        assert len(set(found.values())) == len(posts)
        for p in posts:
            known_entries[found[p.path]] = known_as(p, found[p.path])
            assert first.setdefault(texts[p.path], found[p.path]) == found[p.path]
