"""The fixed words of letters and pages, in one language: texts, dates, plurals, fonts."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from functools import cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

_LATIN = "-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
_FONTS = {
    "ja": "'Hiragino Sans', 'Hiragino Kaku Gothic ProN', 'Yu Gothic', Meiryo, 'Noto Sans JP', sans-serif",
    "ar": "-apple-system, 'Segoe UI', Tahoma, 'Noto Naskh Arabic', Arial, sans-serif",
}
_AIRY = {"ja", "ar"}


class Texts:
    """What is said beside the posts' own words."""

    def __init__(self, lang: str, texts: Mapping[str, Any], zone: tzinfo) -> None:
        #: BCP 47.
        self.lang = lang
        self._texts, self._zone = texts, zone
        self._locale = _locale(lang)
        language = lang.split("-", maxsplit=1)[0]
        #: For CSS.
        self.font = _FONTS.get(language, _LATIN)
        self.line_height = "1.8" if language in _AIRY else "1.6"
        self.direction = text_direction(lang)

    @property
    def plain(self) -> dict[str, str]:
        """The texts that need nothing filled in."""
        return {name: text for name, text in self._texts.items() if isinstance(text, str) and "{" not in text}

    def format(self, name: str, **values: object) -> str:
        """Return a text filled in."""
        return str(self._texts[name]).format(**values)

    def plural(self, name: str, number: int) -> str:
        """Return a text in the plural form that *number* asks for (CLDR)."""
        forms = self._texts[name]
        return str(forms.get(self._locale.plural_form(number), forms["other"])).format(count=number)

    def date(self, moment: datetime) -> str:
        """Return the day, long, as seen in the newsletter's zone."""
        return format_date(moment.astimezone(self._zone), format="long", locale=self._locale)


def text_direction(lang: str) -> str:
    """Return `ltr` or `rtl`."""
    return str(_locale(lang).text_direction)


@cache
def _locale(lang: str) -> Locale:
    try:
        return Locale.parse(lang, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
