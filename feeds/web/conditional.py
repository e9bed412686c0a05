"""Conditional requests and content codings (RFC 9110, sections 12.5.3 and 13)."""

import re
from email.utils import parsedate_to_datetime
from functools import lru_cache

#: What is compressed, best first, and the ending of the entity tag of each.
CODINGS = {"br": "-br", "gzip": "-gz"}
_LONGEST_TAGS = 4000
#: An entity tag without `W/`, quotation marks and the ending of a coding; Apache's module appends `-gzip` to ours.
_TAG = re.compile(rb'("([\x21\x23-\x7e]*?)(?:-(?:br|gz|gzip))*")')


@lru_cache(maxsize=256)
def choose_coding(accepted: bytes) -> str:
    """Return the content coding for an `Accept-Encoding` header: `br`, `gzip`, or empty for none."""
    weights = parse_weights(accepted)
    other = weights.get("*", 0.0)
    best = max(CODINGS, key=lambda coding: weights.get(coding, other))
    return best if weights.get(best, other) > 0 else ""


def parse_weights(accepted: bytes) -> dict[str, float]:
    """Return the names in a list, in lower case, with their weights (RFC 9110, section 12.4.2).

    A name whose weight is not a number has the weight 0, and so has one that is not wanted.
    """
    return dict(map(_parse_weight, accepted.decode("latin-1").lower().split(",")))


def _parse_weight(part: str) -> tuple[str, float]:
    name, _, weight = part.partition(";")
    try:
        return name.strip(), float(weight.strip().removeprefix("q=") or 1)
    except ValueError:
        return name.strip(), 0.0


def parse_tags(if_none_match: bytes) -> dict[str, bytes]:
    """Return the digests in an `If-None-Match` header with their entity tags as they are there, but without `W/`.

    A digest is a tag without the coding's ending. The comparison is weak (RFC 9110, section 13.1.2): a proxy that
    compresses makes a weak tag of ours, and all codings of one version have the same content.
    """
    return {digest.decode("ascii"): tag for tag, digest in _TAG.findall(if_none_match[:_LONGEST_TAGS])}


def is_modified_since(if_modified_since: bytes, modified: int) -> bool:
    """Return whether something changed after a date; True if it is not a date (RFC 9110, section 13.1.3)."""
    try:
        return modified > parsedate_to_datetime(if_modified_since.decode("latin-1")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return True
