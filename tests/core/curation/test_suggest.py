"""Tag suggestions."""

from hypothesis import given
from hypothesis import strategies as st

from feeds.core.curation.suggest import extra_tags, suggest_tags, tokenize

BREAD = "flour yeast oven crust dough"
OTHERS = {"feeds": "atom entry reader client", "boats": "mast keel sail rudder", "maps": "scale legend contour grid"}


def texts(base, number, start=0):
    return {f"{base[:3]}{n}.md": tokenize("", f"{base} word{chr(97 + n)}xyz") for n in range(start, start + number)}


def site():
    bread = {path: (("baking",), found) for path, found in texts(BREAD, 6).items()}
    others = {path: ((tag,), found) for tag, base in OTHERS.items() for path, found in texts(base, 6).items()}
    return bread | others


def test_a_post_gets_the_tag_of_the_posts_it_shares_words_with():
    """A post gets the tag of the most similar posts, with the shared words and the number of posts as the reason."""
    (found,) = suggest_tags(site(), {"new.md": tokenize("Bread", "The dough waits; yeast and flour do the work.")})
    assert (found.path, found.tag, found.posts, found.of) == ("new.md", "baking", 6, 6)
    assert set(found.because) == {"dough", "flour", "yeast"}
    assert extra_tags([found]) == {"new.md": ("baking",)}


def test_the_reason_is_true():
    """The words of a reason are in the post, and its numbers are correct."""
    tagged = site() | {"odd.md": (("other",), tokenize("", BREAD))}
    for found in suggest_tags(tagged, texts(BREAD, 3, start=20)):
        holding = [tags for tags, words in tagged.values() if set(found.because) <= words]
        assert (found.posts, found.of) == (sum(found.tag in tags for tags in holding), len(holding))
        assert len(found.because) >= 2


def test_too_little_evidence_gives_no_suggestion():
    """One shared word, two tagged posts or an unrelated text give no suggestion."""
    assert suggest_tags(site(), {"a.md": tokenize("", "dough"), "b.md": tokenize("", "something else entirely")}) == []
    few = dict(list(site().items())[:2])
    assert suggest_tags(few, {"a.md": tokenize("", BREAD)}) == []
    assert suggest_tags({}, {"a.md": tokenize("", BREAD)}) == []
    assert suggest_tags(site(), {}) == []


def test_japanese_is_compared_by_katakana_runs_and_pairs_of_han():
    """Japanese words are katakana runs and pairs of Han; addresses and elements are ignored."""
    found = tokenize("機械学習", "<b>データ</b>を使う [it](https://example.com/abc) ok it https://x.example/path")
    assert found == {"機械", "械学", "学習", "データ"}


def test_words_are_compared_without_case_and_width():
    """Words are compared without case and width."""
    assert tokenize("ＡＴＯＭ", "Atom ATOM 2024") == {"atom"}


@given(st.permutations(sorted(site())), st.permutations(sorted(texts(BREAD, 4, start=20))))
def test_the_order_of_posts_never_matters(tagged, untagged):
    """Suggestions do not depend on the order of posts."""
    new = texts(BREAD, 4, start=20)
    expected = suggest_tags(site(), new)
    assert expected
    assert suggest_tags({path: site()[path] for path in tagged}, {path: new[path] for path in untagged}) == expected
