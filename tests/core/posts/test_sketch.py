"""What texts are known by."""

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
    chance = random.Random(f"{script}{seed}")
    return ["".join(chance.choices(SCRIPTS[script], k=chance.randint(2, 6))) for _ in range(count)]


def edited(found, share, seed):
    """The same words with a share of them replaced, spread evenly."""
    chance = random.Random(seed)
    step = max(1, round(1 / share))
    return [f"{word}{chance.randint(0, 9)}" if n % step == 0 else word for n, word in enumerate(found)]


def sketched(text):
    return sketch.make_sketch(sketch.normalize_bytes(text.encode()))


def shared(one, other):
    return len(set(sketch.sketch_hashes(sketched(one))) & set(sketch.sketch_hashes(sketched(other))))


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("count", [60, 150, 400, 1500])
@pytest.mark.parametrize("share", [0.01, 0.03, 0.06])
def test_texts_that_are_nearly_the_same_share_much_in_any_script(script, count, share):
    """However evenly the edits are spread, at a similarity of 0.85 the sketches share what makes a candidate."""
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
    """Two texts of one language are no candidates."""
    texts = [" ".join(words(script, 600, seed)) for seed in range(6)]
    for n, one in enumerate(texts):
        assert all(sketch.resemblance(sketched(one), sketched(other)) < 0.1 for other in texts[:n])


def test_a_text_with_a_part_of_another_resembles_it_by_that_part():
    """The estimate follows what is shared."""
    text = words("English", 2000, 1)
    half = text[:1000] + words("English", 1000, 2)
    assert sketch.resemblance(sketched(" ".join(text)), sketched(" ".join(text))) == 1
    assert 0.15 < sketch.resemblance(sketched(" ".join(text)), sketched(" ".join(half))) < 0.55


def test_a_text_of_a_few_words_has_no_sketch():
    """It says too little to be known by."""
    assert sketched("A word.") == b""
    assert sketch.resemblance(b"", sketched("x " * 300)) == 0


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_wrapping_and_emphasis_make_no_other_text(text):
    """Line breaks, marks and ASCII case are how a text is set, not what it says."""
    again = "**" + text.replace(" ", "\n\n").upper().lower() + "** \n"
    plain = text.upper().lower()
    assert sketch.text_digest(sketch.normalize_bytes(again.encode())) == sketch.text_digest(
        sketch.normalize_bytes(plain.encode())
    )
