"""Finding duplicate posts."""

import time
import tomllib
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.curation import duplicates
from feeds.core.posts import sketch
from feeds.core.posts.render import ComparisonText
from feeds.model import DuplicateKind, TextSimilarity
from feeds.settings import DuplicateSettings
from tests.core.factory import START, post
from tests.corpora import facts

PAIRS = tomllib.loads(facts.PAIRS.read_text("utf-8"))["pair"]
NEAR = DuplicateSettings()

SAME = {"text_digest": "same", "title": "A title"}


def dropped(*posts, characters=1000):
    """Path of a dropped post -> path of the kept one; equal texts have this many characters."""
    known = {
        duplicates.pair_key(a, b): TextSimilarity(jaccard=1.0, characters=characters)
        for a, b in duplicates.candidate_pairs(posts, (), ())
    }
    pairs = duplicates.find_duplicates(posts, known, DuplicateSettings())
    return {f.post.path: f.kept.path for f in pairs if f.dropped}


def test_the_same_text_in_two_files_is_one_post():
    """Of two files with the same text and title one is dropped, even if their dates differ."""
    later = post("b.md", **SAME, published=START + timedelta(days=400))
    assert dropped(later, post("a.md", **SAME)) == {"b.md": "a.md"}


KEPT = {
    "the one that names an id": ({"declared_id": "urn:x", "published": START + timedelta(1)}, {}),
    "the earlier": ({"published": START - timedelta(1)}, {}),
    "the shorter path": ({}, {"path": "longer/b.md"}),
    "the first path": ({}, {"path": "b.md"}),
}


@pytest.mark.parametrize(("of_kept", "of_other"), KEPT.values(), ids=KEPT)
def test_one_is_kept_by_a_fixed_rule(of_kept, of_other):
    """The post with its own id is kept, else the earlier one, else the one with the shorter or first path."""
    kept, other = post(**(SAME | {"path": "a.md"} | of_kept)), post(**(SAME | {"path": "b.md"} | of_other))
    assert dropped(other, kept) == dropped(kept, other) == {other.path: kept.path}


def test_languages_are_never_duplicates_of_each_other():
    """Posts in different languages are not duplicates, even with the same text."""
    assert dropped(post("a.md", **SAME), post("a.ja.md", **SAME, lang="ja")) == {}


SHORT = SAME | {"title": "T", "external_url": "https://other.example/1"}


def test_link_posts_are_the_same_only_when_all_is():
    """Posts with a short text are duplicates only if title, target and text are all the same."""
    other_title, other_target = SHORT | {"title": "T again"}, SHORT | {"external_url": "https://other.example/2"}
    assert dropped(post("a.md", **SHORT), post("b.md", **SHORT), characters=0) == {"b.md": "a.md"}
    assert dropped(post("a.md", **SHORT), post("b.md", **other_title), characters=199) == {}
    assert dropped(post("a.md", **SHORT), post("b.md", **other_title), characters=200) == {"b.md": "a.md"}
    assert dropped(post("a.md", **SHORT), post("b.md", **other_target), characters=0) == {}


def test_two_files_with_one_id_are_one_post():
    """Two files with the same id are one post."""
    assert dropped(post("a.md", declared_id="urn:x"), post("b.md", declared_id="urn:x")) == {"b.md": "a.md"}


MANY = st.lists(
    st.builds(
        lambda n, digest, days, own, title: post(
            f"{n}.md",
            text_digest=digest,
            title=title,
            published=START + timedelta(days=days),
            declared_id=own,
        ),
        st.integers(0, 99),
        st.sampled_from("xyz"),
        st.integers(0, 3),
        st.sampled_from([None, "urn:1", "urn:2"]),
        st.sampled_from(["Meetup", "Meetup in Berlin", "Meetup in Leipzig", "Berlin", "Meetup in May"]),
    ),
    max_size=12,
    unique_by=lambda p: p.path,
)


@given(MANY, st.randoms(use_true_random=False))
def test_the_order_of_files_never_matters(posts, random):
    """The same posts are dropped in any order of files, and a post that is kept is not dropped itself."""
    shuffled = random.sample(posts, len(posts))
    found = dropped(*posts)
    assert dropped(*shuffled) == found
    assert not set(found) & set(found.values())


# Similar texts ------------------------------------------------------------------------------------------------------


def prose(seed, length=300):
    """Words without digits."""
    rng = Random(seed)
    parts = ["an", "ery", "oig", "ust", "ely", "ing", "or", "ag"]
    return ["".join(rng.choices(parts, k=rng.randint(1, 3))) for _ in range(length)]


def post_of(path, text, **values):
    """A post with the digest, sketch and digits hash of this text, and the same title as the others."""
    normalized = sketch.normalize_bytes(text.encode())
    values_of_text = {
        "text_digest": sketch.text_digest(normalized),
        "sketch": sketch.make_sketch(normalized),
        "digits_hash": sketch.digits_hash(text.encode()),
    }
    return post(path, **values_of_text, **({"title": "A title"} | values))


def compare(*texts):
    return duplicates.compare_texts(*(ComparisonText(text, frozenset()) for text in texts))


def found(texts, settings=NEAR, **values):
    """Path -> DuplicatePair for posts with these texts, by path; *values* are values of the posts, by path."""
    posts = [
        post_of(name, text, **{key: v[name] for key, v in values.items() if name in v}) for name, text in texts.items()
    ]
    pairs = duplicates.candidate_pairs(posts, {duplicates.text_key(p) for p in posts}, ())
    known = {duplicates.pair_key(a, b): compare(texts[a.path], texts[b.path]) for a, b in pairs}
    return {f.post.path: f for f in duplicates.find_duplicates(posts, known, settings)}


def edited(words, every, word="other"):
    return " ".join(w if (n + 1) % every else word for n, w in enumerate(words))


TEXT = " ".join(prose(1))
NEARLY = edited(prose(1), 60)
LATER = {"b.md": START + timedelta(days=1)}


def test_nearly_the_same_text_is_a_duplicate():
    """Of two nearly equal texts the earlier post is kept, and the reason states their similarity."""
    twin = found({"a.md": TEXT, "b.md": NEARLY}, published=LATER)["b.md"]
    assert (twin.kind, twin.kept.path, twin.dropped) == (DuplicateKind.NEAR, "a.md", True)
    assert twin.similarity == duplicates.jaccard_similarity(TEXT, NEARLY) > 0.9
    assert twin.reason == f"{int(twin.similarity * 100)} % of its text as a.md"


def test_below_the_threshold_both_are_kept():
    """Texts below the configured similarity are not duplicates."""
    assert found({"a.md": TEXT, "b.md": edited(prose(1), 3)}) == {}
    strict = DuplicateSettings(similarity=0.999)
    assert found({"a.md": TEXT, "b.md": NEARLY}, strict) == {}


def test_a_copy_edited_in_every_sentence_is_found():
    """A copy with an edit in every dozen words is found."""
    other = edited(prose(1), 12)
    assert duplicates.jaccard_similarity(TEXT, other) >= 0.75
    assert found({"a.md": TEXT, "b.md": other}, DuplicateSettings(similarity=0.75))["b.md"].dropped


def test_similar_texts_may_be_reported_or_ignored():
    """`duplicates.near` decides whether similar texts are dropped, reported or ignored; equal texts are dropped."""
    texts = {"a.md": TEXT, "b.md": NEARLY, "c.md": TEXT}
    reported = {path: f.dropped for path, f in found(texts, DuplicateSettings(near="report")).items()}
    assert reported == {"b.md": False, "c.md": True}
    assert found(texts, DuplicateSettings(near="keep")).keys() == {"c.md"}


def test_instalments_differ_in_their_numbers_and_are_kept():
    """Texts that differ in their numbers are instalments: all are kept, and each is paired with the one before it."""
    texts = {f"{n}.md": f"{TEXT} 9.{n}" for n in range(4)}
    assert found(texts) == {}
    posts = [post_of(name, text, published=START + timedelta(days=n)) for n, (name, text) in enumerate(texts.items())]
    pairs = {later.path: earlier.path for later, earlier in duplicates.instalment_pairs(posts)}
    assert pairs == {"1.md": "0.md", "2.md": "1.md", "3.md": "2.md"}
    like = compare(texts["0.md"], texts["1.md"])
    pair = duplicates.describe_instalment(posts[1], posts[0], like, NEAR)
    assert (pair.kind, pair.dropped) == (DuplicateKind.INSTALMENT, False)
    assert duplicates.describe_instalment(posts[1], posts[0], like, DuplicateSettings(similarity=0.9999)) is None


def test_the_same_text_in_thousands_of_posts_takes_no_more_time_for_each():
    """Posts with one text and other titles or enclosures are compared with a limited number of others."""
    posts = [post(f"{n}.md", **(SAME | {"title": f"{chr(0x4E00 + n)}"})) for n in range(4000)]
    copy = post("copy.md", **(SAME | {"title": posts[3000].title, "published": START + timedelta(days=1)}))
    started = time.process_time()
    assert dropped(*posts, copy) == {"copy.md": "3000.md"}
    assert time.process_time() - started < 5


def test_digits_in_the_targets_of_links_are_ignored():
    """Digits in the targets of links do not count in the hash of digits."""
    assert (
        sketch.digits_hash(b"a 12 [b](/c/3) d 4")
        == sketch.digits_hash(b"a 12 [b](/c/99) d 4")
        != sketch.digits_hash(b"a 12 b 5")
    )


def test_translations_are_not_compared():
    """Similar texts in different languages are not duplicates."""
    assert found({"a.md": TEXT, "b.md": NEARLY}, lang={"b.md": "ja"}) == {}


def test_a_post_that_was_published_before_is_kept():
    """A post that was published before is kept, even if its copy has an earlier date and a shorter path."""
    posts = [post_of("original.md", TEXT, published=START + timedelta(days=5)), post_of("c.md", TEXT)]
    known = {duplicates.pair_key(*posts): compare(TEXT, TEXT)}
    by_date = duplicates.find_duplicates(posts, known, NEAR)
    assert [f.post.path for f in by_date] == ["original.md"]
    by_history = duplicates.find_duplicates(posts, known, NEAR, lambda p: p.path == "original.md")
    assert [f.post.path for f in by_history] == ["c.md"]


def test_boilerplate_that_many_share_makes_no_pair():
    """Posts that share only a disclaimer are not duplicates."""
    disclaimer = " ".join(prose("disclaimer", 40))
    texts = {f"{n}.md": " ".join(prose(n, 200)) + " " + disclaimer for n in range(40)}
    assert found(texts) == {}


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=14),
    st.integers(0, 14),
    st.randoms(use_true_random=False),
)
def test_comparing_only_new_posts_finds_the_same_pairs(edits, old, random):
    """Comparing only new posts with all others finds the same pairs as comparing all posts."""
    texts = {f"{n}.md": edited(prose(seed, 120), 20 + 10 * step) for n, (seed, step) in enumerate(edits)}
    posts = [post_of(name, text) for name, text in texts.items()]
    random.shuffle(posts)

    def pairs(among, fresh):
        return {
            duplicates.pair_key(a, b)
            for a, b in duplicates.candidate_pairs(among, set(map(duplicates.text_key, fresh)), ())
        }

    before = pairs(posts[:old], posts[:old])
    assert before | pairs(posts, posts[old:]) == pairs(posts, posts)


@pytest.mark.parametrize("p", PAIRS, ids=lambda p: f"{p['blog']} {p['label']} {p['similarity']}")
def test_the_rules_agree_with_the_labels_of_real_pairs(p):
    """The rules drop the pairs of real posts that are labelled duplicates, except short texts with other titles."""
    shorter, longer = sorted(p["lengths"])
    values_of_text = {
        "text_digest": "same" if p["similarity"] == 1 else "a",
        "text_size": longer,
        "title": "Planning a prize",
        "external_url": "https://a.example/" if longer < duplicates.SHORT else None,
    }
    other_title = "Spotlight chat: planning a prize" if p["like_title"] else "Usability"
    b_values = {
        "text_digest": "same" if p["similarity"] == 1 else "b",
        "title": values_of_text["title"] if p["same_title"] else other_title,
        "digits_hash": 0 if p["same_numbers"] else 1,
        "lang": "en" if p["same_lang"] else "ja",
        "published": START + timedelta(days=60),
    } | ({} if p["same_target"] else {"external_url": "https://b.example/"})
    a, b = post(p["a"], **values_of_text, lang="en"), post(p["b"], **(values_of_text | b_values))
    like = TextSimilarity(jaccard=p["similarity"], characters=shorter, are_parts=not p["same_parts"])
    pairs = duplicates.find_duplicates([a, b], {duplicates.pair_key(a, b): like}, NEAR)
    short_and_retitled = longer < duplicates.SHORT and not p["same_title"]
    assert bool([f for f in pairs if f.dropped]) == (p["label"] == "duplicate" and not short_and_retitled)
    is_similar = p["similarity"] >= NEAR.similarity and p["same_lang"] and shorter >= duplicates.SHORT
    if p["label"] == "instalment" and is_similar:
        assert duplicates.describe_instalment(b, a, like, NEAR).kind is DuplicateKind.INSTALMENT
