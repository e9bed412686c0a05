"""The fixed texts of letters and pages."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from feeds.core.newsletters.i18n import Texts
from feeds.edges.render.templates import Templates


def texts_in(lang, tmp_path, zone="UTC"):
    return Texts(lang, Templates(tmp_path, {}).texts(lang), ZoneInfo(zone))


def test_japanese_and_english_dates_and_plurals(tmp_path):
    """Reading time, dates and plurals are written as in each language."""
    time = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
    assert texts_in("ja", tmp_path, "Asia/Tokyo").plural("reading", 8) == "8分で読めます"
    assert texts_in("ja", tmp_path, "Asia/Tokyo").date(time) == "2026年11月23日"
    assert texts_in("en", tmp_path).plural("entries", 1) == "1 entry"
    assert texts_in("en", tmp_path).plural("entries", 2) == "2 entries"
    assert texts_in("en", tmp_path).date(time) == "November 22, 2026"


def test_german_and_arabic_count_as_their_readers_do(tmp_path):
    """German and Arabic plurals follow CLDR, and Arabic is written from right to left."""
    assert texts_in("de", tmp_path).plural("entries", 2) == "2 Beiträge"
    arabic = texts_in("ar", tmp_path)
    assert arabic.direction == "rtl"
    assert [arabic.plural("reading", n) for n in (1, 2, 3, 11)] == ["دقيقة واحدة", "دقيقتان", "3 دقائق", "11 دقيقة"]


@pytest.mark.parametrize("lang", ["de", "ja", "ar"])
def test_no_text_is_left_in_english(tmp_path, lang):
    """Each shipped language translates every English text."""
    texts, english = (Templates(tmp_path, {}).texts(name) for name in (lang, "en"))
    same = {name for name, text in english.items() if texts[name] == text and name not in {"feed", "feeds", "formats"}}
    assert same - {"opml"} == set()


@pytest.mark.parametrize("lang", ["xx", "fr", "pt-BR"])
def test_a_language_without_texts_speaks_english(tmp_path, lang):
    """A language without texts uses the English ones."""
    assert texts_in(lang, tmp_path).format("read_on") == "Read on"


def test_a_site_may_add_a_language(tmp_path):
    """A site's `texts/<language>.toml` adds a language; missing texts stay English."""
    (tmp_path / "templates" / "texts").mkdir(parents=True)
    (tmp_path / "templates" / "texts" / "fr.toml").write_text('read_on = "Lire la suite"', "utf-8")
    assert texts_in("fr-CA", tmp_path).format("read_on") == "Lire la suite"
    assert texts_in("fr-CA", tmp_path).format("feeds") == "Feeds"


@pytest.mark.parametrize("value", ["1•••@e•••.org", "…!", "العدد 3"])
def test_a_value_of_a_page_keeps_its_own_direction(tmp_path, value):
    """A value is isolated, so that an address that begins with a digit does not fall apart in an Arabic text."""
    for lang in ("ar", "en"):
        text = texts_in(lang, tmp_path).format_isolated("leave_who", address=value)
        assert text == texts_in(lang, tmp_path).format("leave_who", address=f"\u2068{value}\u2069")
