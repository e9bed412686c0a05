"""Japanese headlines in phrases."""

import re

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


UNBROKEN = {
    "a number of months": ("三か月かけて読んだ分厚い本のこと", ["三か月", "分厚い"]),
    "several months": ("数か月ぶりに会った友人の話", ["数か月ぶり"]),
    "once a month": ("一か月に一度だけ開く本屋", ["一か月", "一度"]),
    "a plan of years": ("五ヵ年計画の一年目を終えて", ["五ヵ年", "一年目"]),
    "a number of countries": ("十ヶ国を旅して分かったこと", ["十ヶ国"]),
    "a number of places": ("東京の2カ所で開かれた朝市の記録", ["2カ所"]),
    "one place": ("一個所だけ直した辞書を配る", ["一個所"]),
    "languages": ("5か国語で書いた手紙が届くまで", ["5か国語"]),
    "an issue": ("第3号を出しました、ありがとう", ["第3号"]),
    "an ordinal in characters": ("第十二回の朝市を開きました", ["第十二回"]),
    "hours and a half": ("10時間半かけて焼いたパンの話", ["10時間半"]),
    "a number with a comma": ("1,200部を刷って配った新聞", ["1,200部"]),
    "a year with spaces": ("港の新聞をまとめた本 2018 年 04 月号が出ました", ["2018 年", "04 月号"]),
    "a word that begins with a number": ("統一規格を作ろうとした十年間", ["統一規格", "十年間"]),
    "a particle of two": ("犬を先生として迎えた学校の二年間の記録", ["として"]),
}


@pytest.mark.parametrize(("headline", "words"), UNBROKEN.values(), ids=UNBROKEN)
def test_no_line_ends_inside_a_word_or_between_a_number_and_its_counter(headline, words):
    """Each of these words is whole in one phrase, whatever BudouX does with it."""
    phrases = split_phrases(headline, "ja")
    assert len(phrases) > 1
    assert [word for word in words if not any(word in phrase for phrase in phrases)] == []


@given(st.text(alphabet="三0か月第、」々読2ヶ所", max_size=30))
def test_a_number_is_never_at_the_end_of_a_phrase_before_its_counter(headline):
    """Whatever is around them, number, か and counter are in one phrase, and no phrase begins with a closing sign."""
    phrases = split_phrases(headline, "ja")
    joined = "|".join(phrases)
    assert not re.search(r"[三02]\|[か月ヶ所]|[三02][かヶ]\|[月所]|第\||\|[、」々]", joined)


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
