"""The language of a page, from what the browser asks for."""

from collections.abc import Iterable

from feeds.language_tags import fallback_tags

#: A header with more languages than a browser has is not read to its end, nor is a longer tag than there are
#: (RFC 5646, section 4.4.1).
_MOST_RANGES, _LONGEST_TAG = 20, 35


def choose_language(accepted: str, available: Iterable[str]) -> str | None:
    """Return the language of *available* that an `Accept-Language` header asks for most; None if it asks for none.

    A range matches the nearest language that may stand in for it (RFC 4647, section 3.4, lookup), such as `zh-Hant` for
    `zh-TW`; q=0 excludes it (RFC 9110, section 12.5.4).
    """
    known = {lang.lower(): lang for lang in available}
    ranges = [_parse_range(part) for part in accepted.split(",")[:_MOST_RANGES]]
    wanted = sorted((one for one in ranges if one[1] > 0), key=lambda one: -one[1])
    tags = (fallback.lower() for tag, _ in wanted for fallback in fallback_tags(tag))
    return next((known[tag] for tag in tags if tag in known), None)


def _parse_range(part: str) -> tuple[str, float]:
    """Return a language range in lower case and its weight from 0 to 1; 0 if it cannot be read."""
    tag, _, weight = part.strip().lower().partition(";")
    if len(tag) > _LONGEST_TAG:
        return "", 0.0
    try:
        quality = float(weight.strip().removeprefix("q=") or 1)
    except ValueError:
        quality = 0.0
    return tag.strip(), quality if 0 < quality <= 1 else 0.0
