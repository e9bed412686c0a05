"""The fixed texts of letters and pages."""

import re
import tomllib
import unicodedata
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from babel.localedata import locale_identifiers

from feeds.core.newsletters.i18n import Texts
from feeds.core.posts.locales import locale_of, localize_digits
from feeds.edges.files.resources import resource_folder
from feeds.edges.render.templates import Templates
from feeds.language_tags import script_of

_SHIPPED = resource_folder() / "templates" / "texts"
_LANGUAGES = sorted(file.stem for file in _SHIPPED.glob("*.toml"))
#: These have only what differs from the language without the region.
_REGIONAL = {"pt-PT"}
_STRAIGHT = r"[\"'`]|\.\.\."
#: What is wrong in a text, by script.
_FOREIGN = {
    "Jpan": _STRAIGHT + r"|[,?!;]|: |、 |。 |(?<![\w{])\.",
    "Hans": _STRAIGHT + r"|[,?!;:「」]|\.",
    "Hant": _STRAIGHT + r"|[,?!;:“”]|\.",
    "Arab": _STRAIGHT + r"|[,?;“”]",
}


def _read(lang):
    return tomllib.loads((_SHIPPED / f"{lang}.toml").read_text("utf-8"))


def _load(tmp_path, lang):
    return Templates(tmp_path, {}).texts(lang)


def _write(tmp_path, lang, content):
    (tmp_path / "templates" / "texts").mkdir(parents=True)
    (tmp_path / "templates" / "texts" / f"{lang}.toml").write_text(content, "utf-8")


def _texts(texts):
    return [(name, text) for name, text in texts.items() if isinstance(text, str)]


def _all_forms(texts):
    plurals = [(f"{k}.{form}", text) for k, v in texts.items() if isinstance(v, dict) for form, text in v.items()]
    return [*_texts(texts), *plurals]


def _placeholders(text):
    return sorted(re.findall(r"\{\w+\}", text))


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
    assert [arabic.plural("reading", n) for n in (1, 2, 3, 11)] == [
        "دقيقة قراءة واحدة",
        "دقيقتا قراءة",
        "3 دقائق قراءة",
        "11 دقيقة قراءة",
    ]


@pytest.mark.parametrize("lang", _LANGUAGES)
def test_each_language_has_every_text(tmp_path, lang):
    """Each shipped language has a translation of each English text, with the same placeholders."""
    english, texts = _read("en"), _load(tmp_path, lang)
    assert texts.keys() == english.keys()
    assert {k: _placeholders(v) for k, v in _texts(texts)} == {k: _placeholders(v) for k, v in _texts(english)}
    if lang not in _REGIONAL:
        assert _read(lang).keys() == english.keys()


@pytest.mark.parametrize("lang", _LANGUAGES)
def test_each_language_has_every_plural_form(tmp_path, lang):
    """Each plural text has the forms of its language in CLDR and no others."""
    forms = set(locale_of(lang).plural_form.tags) | {"other"}
    plurals = {name: set(text) for name, text in _load(tmp_path, lang).items() if isinstance(text, dict)}
    assert plurals == dict.fromkeys(plurals, forms)


@pytest.mark.parametrize("lang", _LANGUAGES)
def test_no_text_is_left_in_english(tmp_path, lang):
    """A text that is the same as in English is a word or an abbreviation that the language has too."""
    english = dict(_texts(_read("en")))
    same = {v for k, v in _texts(_load(tmp_path, lang)) if v == english.get(k)}
    assert same <= {"Feed", "Feeds", "Format", "Tags", "No. {number}"} or lang == "en"


#: How a button is called in languages whose texts have named it, and in some others.
_BUTTON = re.compile(r"ボタン|버튼|按钮|按鈕|button|schaltfl|bouton|кнопк|botón|pulsante|przycisk", re.IGNORECASE)


@pytest.mark.parametrize("lang", _LANGUAGES)
def test_mails_name_no_button(lang):
    """In the text part of a mail the button is a link, so the sentences around it fit both."""
    assert {k: v for k, v in _texts(_read(lang)) if k.startswith("mail_") and _BUTTON.search(v)} == {}


@pytest.mark.parametrize("lang", _LANGUAGES)
def test_each_language_has_its_own_punctuation(lang):
    """Quotation marks, apostrophes, commas, question marks and spaces before marks are those of the language."""
    wrong = {k: v for k, v in _all_forms(_read(lang)) if re.search(_FOREIGN.get(script_of(lang), _STRAIGHT), v)}
    assert wrong == {}


@pytest.mark.parametrize(
    ("lang", "wrong"),
    [
        ("fr", r"[^\u202f][?!;]|[^\u00a0]:|«[^\u00a0]|[^\u00a0]»"),
        ("es", r"^[^¿]*\?|^[^¡]*!"),
        ("fa", r"\bن?می [^ ]|[كي]"),
        ("ko", r"[“”]|\}(을|를|이|가|은|는)\b"),
    ],
)
def test_marks_of_one_language(lang, wrong):
    """French has no-break spaces, Spanish opening marks, Persian its own letters, Korean no guessed particles."""
    assert {k: v for k, v in _all_forms(_read(lang)) if re.search(wrong, v) and k != "corrects"} == {}


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        *(("fr", "22 novembre 2026"), ("pt-BR", "22 de novembro de 2026"), ("pl", "22 listopada 2026")),
        *(("ru", "22 ноября 2026\u202fг."), ("ko", "2026년 11월 22일"), ("zh-TW", "2026年11月22日")),
        *(("fa", "۲۲ نوامبر ۲۰۲۶"), ("hi", "22 नवंबर 2026"), ("he", "22 בנובמבר 2026"), ("de-XX", "22. November 2026")),
    ],
)
def test_dates(tmp_path, lang, expected):
    """A date has the words, the order and the digits of its language."""
    assert texts_in(lang, tmp_path).date(datetime(2026, 11, 22, tzinfo=UTC)) == expected


def test_numbers_have_the_digits_of_the_language(tmp_path):
    """Numbers have the digits of dates: Persian ones, and in Arabic those that the country uses."""
    persian, arabic, egyptian = (texts_in(lang, tmp_path) for lang in ("fa", "ar", "ar-EG"))
    assert (persian.format("issue", number=12), persian.plural("reading", 8)) == ("شمارهٔ ۱۲", "۸ دقیقه مطالعه")
    assert arabic.format("issue", number=12) == "العدد 12"
    assert egyptian.format("issue", number=12) == "العدد ١٢"


@pytest.mark.parametrize(("lang", "separator"), [("fa", "|"), ("ar-EG", "|"), ("ar", "·"), ("hi", "·"), ("ja", "·")])
def test_a_separator_looks_like_no_digit(tmp_path, lang, separator):
    """Where the digit zero is a dot, the facts of a line are not separated by a dot."""
    assert texts_in(lang, tmp_path).plain["separator"] == separator


def test_digits_are_those_of_unicode():
    """Each digit of each numbering system has its own value, in every language that Babel knows."""
    tables = [localize_digits(name.replace("_", "-")) for name in locale_identifiers()]
    assert len({tuple(table) for table in tables}) == 2
    assert all(unicodedata.digit(table[ord(str(n))]) == n for table in tables if table for n in range(10))


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        ("pl", {1: "1 wpis", 3: "3 wpisy", 5: "5 wpisów", 22: "22 wpisy"}),
        ("ru", {1: "1 запись", 3: "3 записи", 11: "11 записей", 21: "21 запись"}),
        ("he", {1: "פוסט אחד", 2: "שני פוסטים", 3: "3 פוסטים"}),
        ("pt-BR", {0: "0 publicação", 2: "2 publicações", 1_000_000: "1000000 de publicações"}),
        ("zh-HK", {1: "1 篇文章"}),
    ],
)
def test_plurals(tmp_path, lang, expected):
    """Numbers have the plural form that CLDR asks for."""
    assert {count: texts_in(lang, tmp_path).plural("entries", count) for count in expected} == expected


@pytest.mark.parametrize(
    ("lang", "read_on"),
    [
        *(
            ("zh-TW", "繼續閱讀"),
            ("zh-HK", "繼續閱讀"),
            ("zh", "继续阅读"),
            ("zh-CN", "继续阅读"),
            ("zh-SG", "继续阅读"),
        ),
        *(("iw", "להמשך קריאה"), ("in", "Baca selengkapnya"), ("fr-CA", "Lire la suite"), ("es-MX", "Seguir leyendo")),
        *(("pt-BR", "Continuar lendo"), ("pt-PT", "Continuar a ler"), ("pt-AO", "Continuar a ler")),
        *(("xx", "Read on"), ("nb", "Read on")),
    ],
)
def test_the_nearest_texts_are_used(tmp_path, lang, read_on):
    """A regional, unscripted or older tag has the texts of its language; a language without texts speaks English."""
    assert texts_in(lang, tmp_path).format("read_on") == read_on


@pytest.mark.parametrize(
    ("lang", "font", "line_height"),
    [
        *(("zh-TW", "PingFang TC", "1.8"), ("zh", "PingFang SC", "1.8"), ("ja", "Hiragino Sans", "1.8")),
        *(("ko-KR", "Malgun Gothic", "1.7"), ("fa", "Vazirmatn", "1.8"), ("ur", "Noto Naskh Arabic", "1.8")),
        *(("he", "Noto Sans Hebrew", "1.6"), ("mr", "Nirmala UI", "1.8"), ("th", "Leelawadee UI", "1.8")),
        *(("ru", "Segoe UI", "1.6"), ("xx", "Segoe UI", "1.6")),
    ],
)
def test_fonts_and_line_heights(tmp_path, lang, font, line_height):
    """Each script has its fonts, and more space between lines if its characters need it."""
    texts = texts_in(lang, tmp_path)
    assert font in texts.font
    assert texts.line_height == line_height


@pytest.mark.parametrize("lang", ["ja", "zh", "zh-Hant", "ko", "ar", "fa", "he", "hi", "bn", "ta", "th"])
def test_pages_have_the_fonts_of_letters(tmp_path, lang):
    """The style sheet of pages and the letters name the same fonts and line height for a language."""
    texts = texts_in(lang, tmp_path)
    styles = Templates(tmp_path, {}).render("pages/reader.css", {})
    rules = [line for line in styles.splitlines() if f":lang({lang})" in line and " body {" in line]
    assert f"font-family: {texts.font};" in rules[0]
    assert texts.line_height == "1.6" or f"line-height: {texts.line_height};" in "".join(rules) or lang == "zh-Hant"


def test_a_site_may_add_a_language(tmp_path):
    """A site's `texts/<language>.toml` adds a language; missing texts stay English."""
    _write(tmp_path, "eo", 'read_on = "Legi plu"')
    assert texts_in("eo-XX", tmp_path).format("read_on") == "Legi plu"
    assert texts_in("eo", tmp_path).format("feeds") == "Feeds"


@pytest.mark.parametrize(
    ("own", "lang"), [("fr", "fr-CA"), ("zh", "zh-CN"), ("zh", "zh-TW"), ("in", "in"), ("pt", "pt-BR")]
)
def test_what_a_site_says_comes_before_what_is_shipped(tmp_path, own, lang):
    """A text in a site's own file is used, however the file is named; the other texts are the shipped ones."""
    _write(tmp_path, own, 'read_on = "…"')
    texts = texts_in(lang, tmp_path)
    assert texts.format("read_on") == "…"
    assert texts.format("leave") != "Unsubscribe"


def test_english_texts_of_a_site_change_no_translation(tmp_path):
    """A site that changes an English text still has the shipped one in other languages."""
    _write(tmp_path, "en", 'read_on = "More"')
    assert texts_in("en-GB", tmp_path).format("read_on") == "More"
    assert texts_in("de", tmp_path).format("read_on") == "Weiterlesen"


@pytest.mark.parametrize("value", ["1•••@e•••.org", "…!", "العدد 3"])
def test_a_value_of_a_page_keeps_its_own_direction(tmp_path, value):
    """A value is isolated, so that an address that begins with a digit does not fall apart in an Arabic text."""
    for lang in ("ar", "en"):
        text = texts_in(lang, tmp_path).format_isolated("leave_who", address=value)
        assert text == texts_in(lang, tmp_path).format("leave_who", address=f"\u2068{value}\u2069")
