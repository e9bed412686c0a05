"""The language of a page, from what the browser asks for."""

from collections.abc import Iterable

#: A header with more languages than a browser has is not read to its end.
_MOST_RANGES = 20


def choose_language(accepted: str, available: Iterable[str]) -> str | None:
    """Return the language of *available* that an `Accept-Language` header asks for most; None if it asks for none.

    A range matches a language with the same first subtags (RFC 4647, section 3.4, lookup); q=0 excludes it (RFC 9110,
    section 12.5.4).
    """
    known = {lang.lower(): lang for lang in available}
    ranges = [_parse_range(part) for part in accepted.split(",")[:_MOST_RANGES]]
    wanted = sorted((one for one in ranges if one[1] > 0), key=lambda one: -one[1])
    prefixes = (prefix for tag, _ in wanted for prefix in _prefixes(tag))
    return next((known[prefix] for prefix in prefixes if prefix in known), None)


def _prefixes(tag: str) -> Iterable[str]:
    """Yield a language tag, then it without its last subtag, and so on: `zh-hant-tw`, `zh-hant`, `zh`."""
    parts = tag.split("-")
    return ("-".join(parts[:end]) for end in range(len(parts), 0, -1))


def _parse_range(part: str) -> tuple[str, float]:
    """Return a language range in lower case and its weight from 0 to 1; 0 if it cannot be read."""
    tag, _, weight = part.strip().lower().partition(";")
    try:
        quality = float(weight.strip().removeprefix("q=") or 1)
    except ValueError:
        quality = 0.0
    return tag.strip(), quality if 0 < quality <= 1 else 0.0
