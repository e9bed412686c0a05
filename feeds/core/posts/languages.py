"""The language in the name of a file, as in `about.ja.md`."""

import re
import unicodedata

from feeds.config_types import Language

_SUFFIX = re.compile(r"\.([A-Za-z]{2,3}(?:[-_][A-Za-z]{2,4})?)$")
#: Languages whose codes also end names of programs, files and hosts (`init.el`, `main.cs`, `bbc.co.uk`), and scripts as
#: Unicode's character names begin with them. Of Latin, only letters beyond ASCII tell a language from English.
_AMBIGUOUS = {
    **dict.fromkeys(("bas", "cs", "fo", "gd", "gv", "io", "kde", "la", "pl", "sc", "so", "tk", "ts"), "LATIN"),
    **dict.fromkeys(("mk", "ru", "uk"), "CYRILLIC"),
    "am": "ETHIOPIC",
    "as": "BENGALI",
    "el": "GREEK",
    "ml": "MALAYALAM",
    "ps": "ARABIC",
}
#: The share of such letters that makes a text one in the language: more than an English text has in names and symbols.
_MIN_SHARE = 0.02
#: Characters that are looked at.
_SAMPLE = 20_000


def language_in_name(stem: str, text: str) -> str | None:
    """Return the language at the end of *stem*, a file name without extension, of a post with this *text*.

    None without one, and for a code that usually means something else if *text* is not written in that language.
    """
    found = _SUFFIX.search(stem) if "." in stem else None
    if not found:
        return None
    from babel.localedata import exists

    code = re.split("[-_]", found[1].lower())[0]
    script = _AMBIGUOUS.get(found[1].lower())  # not `cs-CZ`, which is a language only
    is_language = exists(code) and (script is None or _is_written_in(text[:_SAMPLE], script))
    return Language.parse(found[1]) if is_language else None


def _is_written_in(text: str, script: str) -> bool:
    letters = [character for character in text if character.isalpha()]
    own = sum(not letter.isascii() and unicodedata.name(letter, "").startswith(script) for letter in letters)
    return own > _MIN_SHARE * len(letters)
