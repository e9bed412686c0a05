"""Names as parts of an address, as the site generators make them of titles and file names.

`feeds.core.posts.urls.slugify` is our own rule, for `{slug}` and for the folders of feeds.
"""

import re
import unicodedata
from collections.abc import Callable
from urllib.parse import unquote_plus

#: `Utils.slugify`, mode "pretty" (lib/jekyll/utils.rb): Ruby's `[:alnum:]` are letters, marks and numbers.
_NOT_PRETTY = re.compile(r"[^\w.~!$&'()+,;=@\u0300-\u036f]+")
_NOT_LETTER = re.compile(r"[\W_]+")
#: `slugize` of hexo-util (lib/slugize.ts).
_HEXO_SIGNS = re.compile(r"[\s~`!@#$%^&*()\-_+=\[\]{}|\\;:\"'<>,.?/]+")
#: Letters of `escapeDiacritic` (hexo-util) that do not consist of a letter and an accent.
_HEXO_LETTERS = str.maketrans(
    {"ß": "s", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D"}
    | {"æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE"}
)
#: `isAllowedPathCharacter` (common/paths/path.go): besides letters, digits and marks.
_HUGO_SIGNS = "./\\_#+~-@"
#: A percent-encoded byte, which stays, or one character.
_HUGO_UNIT = re.compile("%[0-9A-Fa-f]{2}|.", re.DOTALL)
_ACCENT = re.compile("[\u0300-\u036f]")
_TAG = re.compile(r"<[^<>]*>")


def jekyll_part(name: str) -> str:
    """Return *name* as Jekyll's `:title`: in its case, signs that an address may have kept."""
    return _trim_hyphen(_NOT_PRETTY.sub("-", name))


def jekyll_slug(name: str) -> str:
    """Return *name* as Jekyll's `:slug`: in lower case, only letters and digits."""
    return _trim_hyphen(_NOT_LETTER.sub("-", name)).lower()


def _trim_hyphen(slug: str) -> str:
    return slug.removeprefix("-").removesuffix("-")


def hugo_part(name: str) -> str:
    """Return *name* as Hugo's `urlize`: in lower case, spaces as hyphens, most signs removed.

    Source: `Sanitize` in common/paths/path.go, `MakePathSanitized` in helpers/path.go.
    """
    kept: list[str] = []
    is_space_pending = False
    for sign in _HUGO_UNIT.findall(name):
        if len(sign) > 1 or sign.isalpha() or sign.isdecimal() or sign in _HUGO_SIGNS or _is_mark(sign):
            if is_space_pending and sign != "-":
                kept.append("-")
            is_space_pending = False
            kept.append(sign)
        elif sign.isspace() and kept and kept[-1] != "-":
            is_space_pending = True
    return "".join(kept).lower()


def hugo_permalink_part(name: str) -> str:
    """Return *name* as a placeholder of Hugo's `permalinks`: as `hugo_part`, but a plus becomes a space before.

    Source: `url.QueryUnescape` in hugolib/page__paths.go; `URLEscape` in helpers/url.go drops a `#` at the end.
    """
    return hugo_part(unquote_plus(hugo_part(name).removesuffix("#")))


def _is_mark(sign: str) -> bool:
    return unicodedata.category(sign)[0] == "M"


def ascii_part(name: str) -> str:
    """Return *name* as Zola's `slugify`: ASCII letters and digits with single hyphens (the crate `slug`)."""
    return re.sub(r"[^a-z0-9]+", "-", to_ascii(name).lower()).strip("-")


def pelican_title(title: str) -> str:
    """Return *title* as Pelican's slug: ASCII in lower case, signs removed.

    Source: `slugify` in pelican/utils.py with the default `SLUG_REGEX_SUBSTITUTIONS` of pelican/settings.py.
    """
    plain = to_ascii(unicodedata.normalize("NFKC", _TAG.sub("", title)))
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip()).lower()


def hexo_part(name: str) -> str:
    """Return the name of a category as in Hexo's addresses: without accents, signs as single hyphens."""
    plain = _ACCENT.sub("", unicodedata.normalize("NFD", name.translate(_HEXO_LETTERS)))
    return _HEXO_SIGNS.sub("-", unicodedata.normalize("NFC", plain)).strip("-")


def hexo_title(title: str) -> str:
    """Return *title* as Hexo's `:post_title`, in lower case."""
    return hexo_part(title).lower()


def astro_part(name: str) -> str:
    """Return *name* as Astro's ids of entries: in lower case, signs removed, spaces as hyphens (github-slugger)."""
    return re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-")


def to_ascii(text: str) -> str:
    """Return *text* in ASCII, other scripts transliterated as in Text::Unidecode, which Pelican and Zola follow."""
    if text.isascii():
        return text
    from text_unidecode import unidecode

    return str(unidecode(text))


def as_written(name: str) -> str:
    """Return *name* unchanged."""
    return name


#: Generator -> how a file or folder name becomes a part of an address; those that are not here leave it as it is.
NAME_PARTS: dict[str, Callable[[str], str]] = {
    "jekyll": jekyll_part,
    "hugo": hugo_part,
    "zola": ascii_part,
    "astro": astro_part,
}
#: Generator -> how a title does; all others as in Pelican.
TITLE_PARTS: dict[str, Callable[[str], str]] = {
    "jekyll": jekyll_slug,
    "hugo": hugo_permalink_part,
    "zola": ascii_part,
    "hexo": hexo_title,
}
