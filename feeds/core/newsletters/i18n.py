"""The fixed texts of letters and pages in one language: labels, dates, plural forms, fonts."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from babel.dates import format_date
from babel.lists import format_list
from markupsafe import Markup, escape

from feeds.core.posts.locales import locale_of, localize_digits, text_direction
from feeds.language_tags import script_of

_LATIN = "-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
#: For CSS, by language or else by script: fonts of Apple, Windows, Android and Linux.
_FONTS = {
    "Jpan": "'Hiragino Sans', 'Hiragino Kaku Gothic ProN', 'Yu Gothic', Meiryo, 'Noto Sans JP', sans-serif",
    "Hans": "'PingFang SC', 'Microsoft YaHei', 'Noto Sans SC', 'Noto Sans CJK SC', sans-serif",
    "Hant": "'PingFang TC', 'Microsoft JhengHei', 'Noto Sans TC', 'Noto Sans CJK TC', sans-serif",
    "Kore": "'Apple SD Gothic Neo', 'Malgun Gothic', 'Noto Sans KR', 'Noto Sans CJK KR', sans-serif",
    "Arab": "-apple-system, 'Segoe UI', Tahoma, 'Noto Naskh Arabic', Arial, sans-serif",
    "fa": "Vazirmatn, -apple-system, 'Segoe UI', Tahoma, 'Noto Naskh Arabic', Arial, sans-serif",
    "Hebr": "-apple-system, 'Segoe UI', Arial, 'Noto Sans Hebrew', sans-serif",
    "Deva": "-apple-system, 'Kohinoor Devanagari', 'Nirmala UI', Mangal, 'Noto Sans Devanagari', sans-serif",
    "Beng": "-apple-system, 'Kohinoor Bangla', 'Nirmala UI', Vrinda, 'Noto Sans Bengali', sans-serif",
    "Taml": "-apple-system, 'Tamil Sangam MN', 'Nirmala UI', Latha, 'Noto Sans Tamil', sans-serif",
    "Thai": "-apple-system, Thonburi, 'Leelawadee UI', Tahoma, 'Noto Sans Thai', sans-serif",
}
#: Characters without ascenders, or with marks above and below, need more space between lines.
_LINE_HEIGHTS = dict.fromkeys(("Jpan", "Hans", "Hant", "Arab", "Deva", "Beng", "Taml", "Thai"), "1.8") | {"Kore": "1.7"}


class Texts:
    """The fixed texts of one language; dates are in the newsletter's time zone."""

    def __init__(
        self, lang: str, texts: Mapping[str, Any], zone: tzinfo, english: frozenset[str] = frozenset()
    ) -> None:
        #: BCP 47.
        self.lang = lang
        #: The names of texts that are English because the language has none.
        self.english = english
        self._texts, self._zone = texts, zone
        self._locale, self._digits = locale_of(lang), localize_digits(lang)
        script = script_of(lang)
        #: For CSS.
        self.font = _FONTS.get(lang.split("-", maxsplit=1)[0]) or _FONTS.get(script, _LATIN)
        self.line_height = _LINE_HEIGHTS.get(script, "1.6")
        self.direction = text_direction(lang)
        #: Between the facts of a line. The dot looks like the Arabic and Persian zero.
        self.separator = "|" if self._digits.get(ord("0")) in ("\u0660", "\u06f0") else "·"

    @property
    def plain(self) -> dict[str, str]:
        """The texts without placeholders, by name, and `separator`, which is between the facts of a line."""
        plain = {name: text for name, text in self._texts.items() if isinstance(text, str) and "{" not in text}
        return plain | {"separator": self.separator}

    def format(self, name: str, **values: object) -> str:
        """Return a text with its placeholders filled in; integers get the digits of the language."""
        return str(self._texts[name]).format(**{key: self._write(value) for key, value in values.items()})

    def _write(self, value: object) -> object:
        return str(value).translate(self._digits) if isinstance(value, int) else value

    def format_isolated(self, name: str, **values: object) -> str:
        """Return a text for a page with its placeholders filled in, each value in its own direction.

        Otherwise an address that begins with a digit would fall apart in a text from right to left (UAX #9, 2.7).
        """
        return self.format(
            name, **{key: f"\N{FIRST STRONG ISOLATE}{v}\N{POP DIRECTIONAL ISOLATE}" for key, v in values.items()}
        )

    def format_html(self, name: str, **values: Markup) -> Markup:
        """Return a text as HTML with its placeholders filled in."""
        return escape(self._texts[name]).format(**values)

    def plural(self, name: str, count: int) -> str:
        """Return a text in the plural form for *count* (CLDR)."""
        forms = self._texts[name]
        form = forms.get(self._locale.plural_form(count), forms["other"])
        return str(form).format(count=self._write(count))

    def reading_time(self, minutes: int) -> str:
        """Return a reading time with its unit; empty for a text without words."""
        return self.plural("reading", minutes) if minutes else ""

    def join(self, names: Sequence[str]) -> str:
        """Return names as a list in the language, such as "A and B"."""
        return format_list(names, locale=self._locale)

    def date(self, time: datetime) -> str:
        """Return the day of *time* in the long form of the language, in the newsletter's time zone."""
        written = format_date(time.astimezone(self._zone), format="long", locale=self._locale)
        return str(written).translate(self._digits)
