"""Facts about languages from Unicode's locale data (CLDR)."""

from functools import cache
from typing import Any

from feeds.language_tags import fallback_tags, script_of

#: Scripts that are written from right to left (ISO 15924).
_RIGHT_TO_LEFT = frozenset({"Adlm", "Arab", "Hebr", "Mand", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa"})
#: Scripts that have italics. In others, slanted characters are distorted upright ones.
_WITH_ITALICS = frozenset({"Armn", "Cyrl", "Grek", "Latn"})
#: The digit zero of CLDR's numbering systems that are some language's default. Babel knows only their names.
_ZEROS = {
    "adlm": "\U0001e950",
    "arab": "\u0660",
    "arabext": "\u06f0",
    "beng": "\u09e6",
    "cakm": "\U00011136",
    "deva": "\u0966",
    "hmnp": "\U0001e140",
    "mtei": "\uabf0",
    "mymr": "\u1040",
    "nkoo": "\u07c0",
    "olck": "\u1c50",
    "tibt": "\u0f20",
}


@cache
def locale_of(lang: str) -> Any:
    """Return Babel's locale of a language tag or of the nearest fallback that it knows, else that of English."""
    from babel import Locale

    return _find_locale(lang) or Locale("en")


def language_name(lang: str) -> str:
    """Return the name of a language in itself, such as `Deutsch`; the tag if Babel does not know it."""
    locale = _find_locale(lang)
    return str(locale.get_display_name(locale)) if locale else lang


def _find_locale(lang: str) -> Any:
    from babel import Locale, UnknownLocaleError

    for tag in fallback_tags(lang):
        try:
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return None


@cache
def text_direction(lang: str) -> str:
    """Return the direction of a language's script: `ltr` or `rtl`."""
    return "rtl" if script_of(lang) in _RIGHT_TO_LEFT else "ltr"


@cache
def has_italics(lang: str) -> bool:
    """Return whether the script of a language has italics, as also an unknown one is taken to have."""
    script = script_of(lang)
    return not script or script in _WITH_ITALICS


@cache
def localize_digits(lang: str) -> dict[int, str]:
    """Return a table for `str.translate` from ASCII digits to those of a language; empty if it uses ASCII digits."""
    zero = _ZEROS.get(locale_of(lang).default_numbering_system)
    return {ord(str(n)): chr(ord(zero) + n) for n in range(10)} if zero else {}
