"""Tags that rules find in a text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.posts.parse import parse_post
from feeds.core.posts.rules import TagMatcher, tags_in
from feeds.settings import Settings, TagRule, TagSettings


def rules(**words):
    return tuple(TagRule(tag=tag, match=(match,) if isinstance(match, str) else match) for tag, match in words.items())


def matches(word, text):
    return bool(tags_in(text, rules(tag=word)))


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("AI", "What AI does"),
        ("AI", "(ai)"),
        ("AI", "ＡＩ"),
        ("AI", "生成AI技術"),
        ("東京", "X東京Y"),
        ("機械", "機械学習"),
        ("กา", "xกาx"),
        ("STRASSE", "die Straße"),
        ("fi", "the ﬁ ligature"),
        ("naïve", "nai\u0308ve"),
        ("machine learning", "machine\u00a0learning"),
        ("newsletter", "news\u00adletter"),
        ("葛", "葛\U000e0100飾"),
        ("کتاب", "یک کتاب،"),
        ("C++", "in C++, and"),
        ("#rust", "a #rust meeting"),
        ("🎉", "done🎉done"),
    ],
)
def test_case_width_and_invisible_characters_are_ignored(word, text):
    """A word matches in any case, width and normal form, and inside text of scripts without spaces."""
    assert matches(word, text)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("AI", "he said"),
        ("AI", "AI2"),
        ("AI", "MY_AI"),
        ("5G", "15G"),
        ("C++", "C++17"),
        (".NET", "example.net"),
        ("мир", "мирный"),
        ("서울", "서울에서"),
        ("کتاب", "کتابها"),
        ("कम", "कमल"),
        ("cafe", "cafe\u0301"),
        ("กา", "กา่"),
        ("one two", "one\ntwo"),
    ],
)
def test_a_part_of_a_word_does_not_match(word, text):
    """A word does not match inside a longer word, inside a grapheme or across lines."""
    assert not matches(word, text)


def test_overlapping_words_all_count_in_the_order_of_the_rules():
    """Overlapping matches all give their tags, in the order of the rules."""
    found = tags_in("Machine learning at work", rules(B="learning at", A="machine learning", C="learning"))
    assert found == ("B", "A", "C")


def test_a_tag_of_two_rules_is_returned_once():
    """A tag of two matching rules is returned once, and one word may give several tags."""
    assert TagMatcher([*rules(A="x"), *rules(B="x"), *rules(A="y")]).tags_in("x y") == ("A", "B")


def test_without_rules_there_are_no_tags():
    """Without rules there are no tags."""
    assert tags_in("anything", ()) == ()


def test_each_call_uses_its_own_rules():
    """Each call uses its own rules, not the cached ones of the call before."""
    for name in ("one", "two", "one"):
        assert tags_in("one two", rules(**{name: name})) == (name,)


@given(
    st.lists(st.text("ab Aé漢", min_size=1, max_size=3), min_size=1, max_size=6), st.text("ab Aé漢.\u0301", max_size=30)
)
def test_a_match_is_in_the_text(words, text):
    """A matching word is in the normalised text, and rules match independently of each other."""
    together = tags_in(text, tuple(TagRule(tag=word, match=(word,)) for word in words))
    alone = [word for word in words if matches(word, text)]
    assert list(together) == list(dict.fromkeys(alone))
    plain = unicodedata.normalize("NFKC", text).casefold()
    assert all(unicodedata.normalize("NFKC", word).casefold() in plain for word in together)


def test_title_text_and_code_are_searched():
    """Rules look at title, text and code, and their tags are kept apart from the post's own."""
    settings = Settings(tags=TagSettings(rules=rules(Chips="TPU", Code="malloc", No="hidden")))
    source = b"---\ntitle: The TPU\ndate: 2026-01-01\ntags: [mine]\nx: hidden\n---\nText.\n\n```c\nmalloc(1);\n```\n"
    post = parse_post("a.md", source, settings)
    assert (post.tags, post.rule_tags) == (("mine",), ("Chips", "Code"))
