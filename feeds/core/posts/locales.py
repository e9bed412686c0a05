"""Facts about languages from Unicode's locale data (CLDR)."""

from functools import cache
from typing import Any


@cache
def locale_of(lang: str) -> Any:
    """Return Babel's locale of a language tag, or that of English for one that it does not know."""
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(lang, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def text_direction(lang: str) -> str:
    """Return the direction of a language's script: `ltr` or `rtl`."""
    return str(locale_of(lang).text_direction)
