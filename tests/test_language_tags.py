"""Language tags, those that may stand in for them, and their scripts."""

import pytest
from babel.core import Locale
from babel.localedata import locale_identifiers
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.posts.locales import language_name, locale_of, text_direction
from feeds.language_tags import fallback_tags, normalize_tag, script_of


@pytest.mark.parametrize(
    ("tag", "stands_in"),
    [
        *(("zh-TW", "zh-Hant"), ("zh-HK", "zh-Hant"), ("zh-MO", "zh-Hant-HK"), ("zh-hant-tw", "zh-Hant")),
        *(("zh", "zh-Hans"), ("zh-CN", "zh-Hans"), ("zh-SG", "zh-Hans"), ("cmn", "zh-Hans")),
        *(("iw", "he"), ("iw-IL", "he"), ("in-ID", "id"), ("tl", "fil"), ("nb-NO", "no"), ("nn", "no")),
        *(("pt-BR", "pt"), ("pt-AO", "pt-PT"), ("es-MX", "es-419"), ("en-GB", "en"), ("de-1996", "de")),
        *(("de-AT-x-private", "de-AT"), ("sh", "sr-Latn")),
    ],
)
def test_a_general_tag_stands_in_for_a_special_one(tag, stands_in):
    """A tag is followed by its current code, its parent, its script, and itself with fewer subtags."""
    assert stands_in in fallback_tags(tag)


def test_the_nearest_tag_is_first():
    """Chinese as in Hong Kong and Portuguese as in Angola are looked for before what is only the same language."""
    assert fallback_tags("zh-HK")[:3] == ("zh-HK", "zh-Hant-HK", "zh-Hant")
    found = fallback_tags("pt-AO")
    assert found.index("pt-PT") < found.index("pt")


@given(st.from_regex(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}", fullmatch=True))
def test_any_tag_has_fallbacks(tag):
    """Whatever a browser sends, the first fallback is the tag itself, and a locale is found."""
    assert fallback_tags(tag)[0] == normalize_tag(tag)
    assert locale_of(tag).plural_form


def test_directions_are_those_of_cldr():
    """Every language that Babel knows is written from right to left if its locale is."""
    names = {name.replace("_", "-"): Locale.parse(name) for name in locale_identifiers()}
    wrong = [tag for tag, one in names.items() if (text_direction(tag) == "rtl") != (one.text_direction == "rtl")]
    assert wrong == []


@pytest.mark.parametrize(
    ("tag", "direction"), [("az-IR", "rtl"), ("ku-Arab-XX", "rtl"), ("ar-Latn", "ltr"), ("he-XX", "rtl"), ("xx", "ltr")]
)
def test_a_direction_follows_the_script(tag, direction):
    """A script that is named or likely decides the direction, in an unknown region too."""
    assert text_direction(tag) == direction


@pytest.mark.parametrize(("tag", "expected"), [("de-XX", "de"), ("zh-Hant-XX", "zh_Hant"), ("pt-BR-x-a", "pt_BR")])
def test_an_unknown_region_keeps_the_language(tag, expected):
    """Dates in a language with an unknown region or a private subtag are those of the language, not English ones."""
    assert str(locale_of(tag)) == expected


@pytest.mark.parametrize(
    ("tag", "name"),
    [("de", "Deutsch"), ("zh-Hans", "中文 (简体)"), ("pt-PT", "português (Portugal)"), ("iw", "עברית"), ("xx", "xx")],
)
def test_languages_are_named_in_themselves(tag, name):
    """A language has its own name, also with a script or a region; one that is not known is its tag."""
    assert language_name(tag).startswith(name)


@pytest.mark.parametrize(
    ("tag", "script"),
    [("zh-TW", "Hant"), ("zh", "Hans"), ("ja-JP", "Jpan"), ("ko", "Kore"), ("mr", "Deva")],
)
def test_scripts(tag, script):
    """The script of a language is the one that its region, or most of its readers, use."""
    assert script_of(tag) == script
