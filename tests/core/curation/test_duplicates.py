"""Which posts are the same post again, and which only look so."""

import tomllib
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.curation import duplicates
from feeds.core.posts import sketch
from feeds.model import DuplicateKind, TextSimilarity
from feeds.settings import DuplicateSettings
from tests.core.factory import START, post
from tests.corpora.facts import PAIRS as _PAIRS

PAIRS = tomllib.loads(_PAIRS.read_text("utf-8"))["pair"]
NEAR = DuplicateSettings()

SAME = {"text_digest": "same"}


def goes(*posts, characters=1000):
    """What repeats what, of posts whose common texts have so many characters."""
    known = {
        duplicates.pair_key(a, b): TextSimilarity(jaccard=1.0, characters=characters)
        for a, b in duplicates.candidate_pairs(posts, (), ())
    }
    return {f.post.path: f.kept.path for f in duplicates.find_duplicates(posts, known, DuplicateSettings())}


def test_the_same_text_in_two_files_is_one_post():
    """Whatever the titles."""
    assert goes(post("b.md", **SAME, title="B"), post("a.md", **SAME, title="A")) == {"b.md": "a.md"}


STAYS = {
    "the one that names an id": ({"declared_id": "urn:x", "published": START + timedelta(1)}, {}),
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


SHORT = SAME | {"title": "T", "external_url": "https://other.example/1"}


def test_link_posts_are_the_same_only_when_all_is():
    """Hundreds have an empty body: title, target and text must all be the same."""
    other_title, other_target = SHORT | {"title": "U"}, SHORT | {"external_url": "https://other.example/2"}
    assert goes(post("a.md", **SHORT), post("b.md", **SHORT), characters=0) == {"b.md": "a.md"}
    assert goes(post("a.md", **SHORT), post("b.md", **other_title), characters=199) == {}
    assert goes(post("a.md", **SHORT), post("b.md", **other_title), characters=200) == {"b.md": "a.md"}
    assert goes(post("a.md", **SHORT), post("b.md", **other_target), characters=0) == {}


def test_two_files_with_one_id_are_one_post():
    """The id is theirs, so they say it themselves."""
    assert goes(post("a.md", declared_id="urn:x"), post("b.md", declared_id="urn:x")) == {"b.md": "a.md"}


MANY = st.lists(
    st.builds(
        lambda n, digest, days, own: post(
            f"{n}.md",
            text_digest=digest,
            published=START + timedelta(days=days),
            declared_id=own,
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


# Nearly the same ------------------------------------------------------------------------------------------------------


def prose(seed, length=300):
    """Words without numbers."""
    chance = Random(seed)
    parts = ["an", "ery", "oig", "ust", "ely", "ing", "or", "ag"]
    return ["".join(chance.choices(parts, k=chance.randint(1, 3))) for _ in range(length)]


def written(path, text, **values):
    """A post known by its text, as reading it would make it."""
    squeezed = sketch.normalize_bytes(text.encode())
    known_by = {
        "text_digest": sketch.text_digest(squeezed),
        "sketch": sketch.make_sketch(squeezed),
        "digits_hash": sketch.digits_hash(text.encode()),
    }
    return post(path, **known_by, **values)


def found(texts, settings=NEAR, **values):
    """What is found of each text, by its name; *values* are the posts' values, by name."""
    posts = [
        written(name, text, **{key: v[name] for key, v in values.items() if name in v}) for name, text in texts.items()
    ]
    pairs = duplicates.candidate_pairs(posts, {duplicates.text_key(p) for p in posts}, ())
    known = {duplicates.pair_key(a, b): duplicates.compare_texts(texts[a.path], texts[b.path]) for a, b in pairs}
    return {f.post.path: f for f in duplicates.find_duplicates(posts, known, settings)}


def edited(words, every, word="other"):
    return " ".join(w if (n + 1) % every else word for n, w in enumerate(words))


TEXT = " ".join(prose(1))
NEARLY = edited(prose(1), 60)
LATER = {"b.md": START + timedelta(days=1)}


def test_nearly_the_same_text_is_a_duplicate():
    """The earlier stays, and the reason says how much is the same."""
    twin = found({"a.md": TEXT, "b.md": NEARLY}, published=LATER)["b.md"]
    assert (twin.kind, twin.kept.path, twin.dropped) == (DuplicateKind.NEAR, "a.md", True)
    assert twin.similarity == duplicates.jaccard_similarity(TEXT, NEARLY) > 0.9
    assert twin.reason == f"{int(twin.similarity * 100)} % of its text as a.md"


def test_below_the_threshold_both_stay():
    """It is the owner's."""
    assert found({"a.md": TEXT, "b.md": edited(prose(1), 3)}) == {}
    strict = DuplicateSettings(similarity=0.999)
    assert found({"a.md": TEXT, "b.md": NEARLY}, strict) == {}


def test_a_copy_edited_in_every_sentence_is_found():
    """No run of a dozen words is the same in both."""
    other = edited(prose(1), 12)
    assert duplicates.jaccard_similarity(TEXT, other) >= 0.75
    assert found({"a.md": TEXT, "b.md": other}, DuplicateSettings(similarity=0.75))["b.md"].dropped


def test_what_is_near_may_be_reported_or_not_looked_for():
    """`near` decides; the same text is a duplicate all the same."""
    texts = {"a.md": TEXT, "b.md": NEARLY, "c.md": TEXT}
    told = {path: f.dropped for path, f in found(texts, DuplicateSettings(near="report")).items()}
    assert told == {"b.md": False, "c.md": True}
    assert found(texts, DuplicateSettings(near="keep")).keys() == {"c.md"}


def test_instalments_differ_in_their_numbers_and_stay():
    """Release notes and monthly notices are no duplicates; whoever asks is told of each and the one before it."""
    texts = {f"{n}.md": f"{TEXT} 9.{n}" for n in range(4)}
    assert found(texts) == {}
    posts = [written(name, text, published=START + timedelta(days=n)) for n, (name, text) in enumerate(texts.items())]
    pairs = {later.path: earlier.path for later, earlier in duplicates.instalment_pairs(posts)}
    assert pairs.keys() == {"1.md", "2.md", "3.md"}
    like = duplicates.compare_texts(texts["0.md"], texts["1.md"])
    told = duplicates.describe_instalment(posts[1], posts[0], like, NEAR)
    assert (told.kind, told.dropped) == (DuplicateKind.INSTALMENT, False)
    assert duplicates.describe_instalment(posts[1], posts[0], like, DuplicateSettings(similarity=0.9999)) is None


def test_numbers_in_the_addresses_of_links_are_no_numbers_of_the_text():
    """A copy whose links were renumbered is a copy."""
    assert (
        sketch.digits_hash(b"a 12 [b](/c/3) d 4")
        == sketch.digits_hash(b"a 12 [b](/c/99) d 4")
        != sketch.digits_hash(b"a 12 b 5")
    )


def test_translations_are_not_compared():
    """Not even with an untranslated copy."""
    assert found({"a.md": TEXT, "b.md": NEARLY}, lang={"b.md": "ja"}) == {}


def test_what_was_published_before_stays():
    """A copy never takes the place of its original, however early its date and short its path."""
    posts = [written("original.md", TEXT, published=START + timedelta(days=5)), written("c.md", TEXT)]
    known = {duplicates.pair_key(*posts): duplicates.compare_texts(TEXT, TEXT)}
    by_date = duplicates.find_duplicates(posts, known, NEAR)
    assert [f.post.path for f in by_date] == ["original.md"]
    remembered = duplicates.find_duplicates(posts, known, NEAR, lambda p: p.path == "original.md")
    assert [f.post.path for f in remembered] == ["c.md"]


def test_boilerplate_that_many_share_makes_no_pair():
    """A disclaimer below otherwise different posts."""
    disclaimer = " ".join(prose("disclaimer", 40))
    texts = {f"{n}.md": " ".join(prose(n, 200)) + " " + disclaimer for n in range(40)}
    assert found(texts) == {}


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=14),
    st.integers(0, 14),
    st.randoms(use_true_random=False),
)
def test_looking_at_a_few_new_posts_finds_what_looking_at_all_does(recipe, old, random):
    """So a cache changes nothing."""
    texts = {f"{n}.md": edited(prose(seed, 120), 20 + 10 * step) for n, (seed, step) in enumerate(recipe)}
    posts = [written(name, text) for name, text in texts.items()]
    random.shuffle(posts)

    def pairs(among, fresh):
        return {
            duplicates.pair_key(a, b)
            for a, b in duplicates.candidate_pairs(among, set(map(duplicates.text_key, fresh)), ())
        }

    before = pairs(posts[:old], posts[:old])
    assert before | pairs(posts, posts[old:]) == pairs(posts, posts)


@pytest.mark.parametrize("p", PAIRS, ids=lambda p: f"{p['blog']} {p['label']} {p['similarity']}")
def test_what_a_person_says_of_real_pairs_is_what_the_rules_say(p):
    """Of six blogs, by path: what is no duplicate stays, and what is one goes, if anything but its title says so."""
    shorter, longer = sorted(p["lengths"])
    known_by = {
        "text_digest": "same" if p["similarity"] == 1 else "a",
        "title": "T",
        "external_url": "https://a.example/",
    }
    a = post(p["a"], **known_by, lang="en")
    b = post(
        p["b"],
        text_digest="same" if p["similarity"] == 1 else "b",
        title="T" if p["same_title"] else "U",
        external_url="https://a.example/" if p["same_target"] else "https://b.example/",
        digits_hash=0 if p["same_numbers"] else 1,
        lang="en" if p["same_lang"] else "ja",
    )
    like = TextSimilarity(jaccard=p["similarity"], characters=shorter)
    told = duplicates.find_duplicates([a, b], {duplicates.pair_key(a, b): like}, NEAR)
    short_and_retitled = longer < duplicates.SHORT and not p["same_title"]
    assert bool([f for f in told if f.dropped]) == (p["label"] == "duplicate" and not short_and_retitled)
    alike = p["similarity"] >= NEAR.similarity and p["same_lang"] and shorter >= duplicates.SHORT
    if p["label"] == "instalment" and alike:
        assert duplicates.describe_instalment(b, a, like, NEAR).kind is DuplicateKind.INSTALMENT
