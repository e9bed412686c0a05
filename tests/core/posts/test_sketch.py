"""Digests and sketches of texts."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.curation.duplicates import jaccard_similarity
from feeds.core.posts import sketch

#: Letters and syllables of many scripts, to make words of.
SCRIPTS = {
    "English": ["er", "an", "th", "ing", "pro", "st", "ly", "ou", "re", "con"],
    "Japanese": list("日本語文章読書紙面編集者はをがにでとのるれたかしいくけ"),
    "Korean": list("한국어문장을쓰는사람이다그리고에서의로"),
    "Arabic": list("ابتثجحخدذرزسشصضطظعغفقكلمنهوي"),
    "Hebrew": list("אבגדהוזחטיכלמנסעפצקרשת"),
    "Georgian": list("აბგდევზთიკლმნოპჟრსტუფქღყშ"),
    "Thai": list("กขคงจฉชซญดตถทนบปผพฟมยรลวสหอ"),
    "Cyrillic": list("абвгдежзийклмнопрстуфхцчшщъыьэюя"),
}


def words(script, count, seed):
    rng = random.Random(f"{script}{seed}")
    return ["".join(rng.choices(SCRIPTS[script], k=rng.randint(2, 6))) for _ in range(count)]


def edited(words, share, seed):
    """The same words, an evenly spread share of them replaced."""
    rng = random.Random(seed)
    step = max(1, round(1 / share))
    return [f"{word}{rng.randint(0, 9)}" if n % step == 0 else word for n, word in enumerate(words)]


def sketched(text):
    return sketch.make_sketch(sketch.normalize_bytes(text.encode()))


def shared(one, other):
    return len(set(sketch.sketch_hashes(sketched(one))) & set(sketch.sketch_hashes(sketched(other))))


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("count", [60, 150, 400, 1500])
@pytest.mark.parametrize("share", [0.01, 0.03, 0.06])
def test_texts_that_are_nearly_the_same_share_much_in_any_script(script, count, share):
    """Texts with a similarity of 0.85 share enough hashes to become candidates, in any script."""
    for seed in range(5):
        before = words(script, count, seed)
        one, other = " ".join(before), " ".join(edited(before, share, seed))
        if jaccard_similarity(one, other) >= 0.85:
            enough = max(
                2, 0.2 * min(len(sketch.sketch_hashes(sketched(one))), len(sketch.sketch_hashes(sketched(other))))
            )
            assert shared(one, other) >= enough


@pytest.mark.parametrize("script", SCRIPTS)
def test_other_texts_share_little(script):
    """Different texts in one script have a resemblance below 0.1."""
    texts = [" ".join(words(script, 600, seed)) for seed in range(6)]
    for n, one in enumerate(texts):
        assert all(sketch.resemblance(sketched(one), sketched(other)) < 0.1 for other in texts[:n])


def test_a_text_with_a_part_of_another_resembles_it_by_that_part():
    """The resemblance of two texts estimates the share of text that they have in common."""
    text = words("English", 2000, 1)
    half = text[:1000] + words("English", 1000, 2)
    assert sketch.resemblance(sketched(" ".join(text)), sketched(" ".join(text))) == 1
    assert 0.15 < sketch.resemblance(sketched(" ".join(text)), sketched(" ".join(half))) < 0.55


def test_a_text_of_a_few_words_has_no_sketch():
    """A text of a few words has an empty sketch, and no resemblance to any text."""
    assert sketched("A word.") == b""
    assert sketch.resemblance(b"", sketched("x " * 300)) == 0


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_wrapping_and_emphasis_do_not_change_the_digest(text):
    """Line breaks, emphasis marks and ASCII case do not change the digest."""
    again = "**" + text.replace(" ", "\n\n").upper().lower() + "** \n"
    plain = text.upper().lower()
    assert sketch.text_digest(sketch.normalize_bytes(again.encode())) == sketch.text_digest(
        sketch.normalize_bytes(plain.encode())
    )
