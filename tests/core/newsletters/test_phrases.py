"""Japanese headlines in phrases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.newsletters.phrases import split_phrases


@pytest.mark.parametrize(
    "headline",
    ["新しい Mac を 買った", "  RSS リーダーを 選び直した 三日間の記録 ", "今日は iPhone 17 Pro を半年使った感想"],
)
def test_spaces_inside_a_headline_stay(headline):
    """The phrases of a headline, joined, are the headline with its spaces, none of which begins a phrase."""
    phrases = split_phrases(headline, "ja")
    assert "".join(phrases) == headline.strip()
    assert not any(phrase.startswith(" ") for phrase in phrases)


@pytest.mark.parametrize(
    "headline", ["今日は天気がいいから散歩に行ってみた", "春の庭に 花が 咲いた よ", "小さな町の本屋が続いた理由"]
)
def test_no_word_is_stranded_on_the_last_line(headline):
    """The last phrase of a headline is wide enough to be alone on a line."""
    assert len(split_phrases(headline, "ja")[-1]) >= 6


def test_a_long_phrase_is_not_joined():
    """A short last phrase stays alone if it would not fit a phone's line together with the one before."""
    assert split_phrases("プログラミングコンテストチャレンジブックを読んだ", "ja")[-1] == "読んだ"


@given(st.text(alphabet="新しい本を買ったのでRSS 読む、。「」", max_size=60))
def test_nothing_of_a_headline_is_lost(headline):
    """Whatever the headline, its phrases joined are the headline."""
    assert "".join(split_phrases(headline, "ja-JP")) in ("", headline.strip())


@pytest.mark.parametrize("lang", ["en", "ko", "zh-Hans"])
def test_other_languages_have_no_phrases(lang):
    """Only Japanese headlines are split."""
    assert split_phrases("新しい本を買ったので読む", lang) == ()
