"""Language tags (BCP 47): the more general ones that may stand in for one, and its script, from Unicode's CLDR."""

import re
from collections.abc import Iterator
from functools import lru_cache

#: Browsers send tags too, so not all that were seen are kept.
_MOST_KEPT = 1024
_REGION = re.compile(r"[A-Z]{2}|\d{3}")
_SCRIPT = re.compile(r"[A-Z][a-z]{3}")


def normalize_tag(tag: str) -> str:
    """Return a language tag in the case that RFC 5646 section 2.1.1 recommends: `zh-Hans`, `pt-BR`."""
    first, *rest = tag.split("-")
    return "-".join([first.lower(), *map(_normalize_subtag, rest)])


def _normalize_subtag(subtag: str) -> str:
    cases = {4: subtag.title(), 2: subtag.upper()}
    return cases.get(len(subtag), subtag.lower()) if subtag.isalpha() else subtag.lower()


@lru_cache(maxsize=_MOST_KEPT)
def fallback_tags(tag: str) -> tuple[str, ...]:
    """Return a language tag in its recommended case, and those that may stand in for it, the nearest first.

    A tag is followed by its current code (`iw`: `he`), its parent (`pt-AO`: `pt-PT`), itself with its script (`zh-TW`:
    `zh-Hant-TW`), and itself without its last subtag (RFC 4647, section 3.4); and each of these likewise. Codes,
    parents and scripts are those of CLDR (UTS #35, "Likely Subtags" and "Parent Locales").
    """
    found: dict[str, None] = {}
    waiting = [normalize_tag(tag)]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found[current] = None
            waiting += reversed([*_more_general(current)])
    return tuple(found)


def _more_general(tag: str) -> Iterator[str]:
    from babel.core import get_global

    language, *rest = tag.split("-")
    alias = get_global("language_aliases").get(language)
    if alias:
        yield "-".join([*str(alias).split("_"), *rest])
    if parent := get_global("parent_exceptions").get(tag.replace("-", "_")):
        yield str(parent).replace("_", "-")
    if len(rest) <= 1 and all(map(_REGION.fullmatch, rest)) and (script := script_of(tag)):
        yield "-".join([language, script, *rest])
    if rest:
        yield "-".join([language, *rest[: -2 if len(rest) > 1 and len(rest[-2]) == 1 else -1]])


@lru_cache(maxsize=_MOST_KEPT)
def script_of(tag: str) -> str:
    """Return the code of a language's script (ISO 15924), such as `Hant` for `zh-TW`; empty if it is not known."""
    from babel.core import get_global

    language, *rest = normalize_tag(tag).split("-")
    if rest and _SCRIPT.fullmatch(rest[0]):
        return rest[0]
    likely = get_global("likely_subtags")
    region = [one for one in rest[:1] if _REGION.fullmatch(one)]
    found = likely.get("_".join([language, *region])) or likely.get(language, "")
    return next((part for part in found.split("_")[1:] if _SCRIPT.fullmatch(part)), "")
