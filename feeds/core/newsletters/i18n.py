"""The fixed texts of letters and pages in one language: labels, dates, plural forms, fonts."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from babel.dates import format_date
from babel.lists import format_list

from feeds.core.posts.locales import locale_of, text_direction

_LATIN = "-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
_FONTS = {
    "ja": "'Hiragino Sans', 'Hiragino Kaku Gothic ProN', 'Yu Gothic', Meiryo, 'Noto Sans JP', sans-serif",
    "ar": "-apple-system, 'Segoe UI', Tahoma, 'Noto Naskh Arabic', Arial, sans-serif",
}
_WIDE_SPACING = {"ja", "ar"}


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
        self._locale = locale_of(lang)
        language = lang.split("-", maxsplit=1)[0]
        #: For CSS.
        self.font = _FONTS.get(language, _LATIN)
        self.line_height = "1.8" if language in _WIDE_SPACING else "1.6"
        self.direction = text_direction(lang)

    @property
    def plain(self) -> dict[str, str]:
        """The texts without placeholders, by name."""
        return {name: text for name, text in self._texts.items() if isinstance(text, str) and "{" not in text}

    def format(self, name: str, **values: object) -> str:
        """Return a text with its placeholders filled in."""
        return str(self._texts[name]).format(**values)

    def format_isolated(self, name: str, **values: object) -> str:
        """Return a text for a page with its placeholders filled in, each value in its own direction.

        Otherwise an address that begins with a digit would fall apart in a text from right to left (UAX #9, 2.7).
        """
        return self.format(
            name, **{key: f"\N{FIRST STRONG ISOLATE}{v}\N{POP DIRECTIONAL ISOLATE}" for key, v in values.items()}
        )

    def plural(self, name: str, count: int) -> str:
        """Return a text in the plural form for *count* (CLDR)."""
        forms = self._texts[name]
        return str(forms.get(self._locale.plural_form(count), forms["other"])).format(count=count)

    def join(self, names: Sequence[str]) -> str:
        """Return names as a list in the language, such as "A and B"."""
        return format_list(names, locale=self._locale)

    def date(self, time: datetime) -> str:
        """Return the day of *time* in the long form of the language, in the newsletter's time zone."""
        return format_date(time.astimezone(self._zone), format="long", locale=self._locale)
