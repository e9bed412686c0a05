"""Which front matter keys mean the same thing.

One table for Jekyll, Hugo, Zola, Eleventy, Hexo, Astro, Docusaurus and Pelican. Keys are compared in lower case with
`-` as `_`; the first of a row that is set wins. docs/front-matter.md explains them to people.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

KEYS: dict[str, tuple[str, ...]] = {
    "title": ("title",),
    "date": ("date", "published", "publishdate", "publish_date", "pubdate", "date_published", "created"),
    "updated": ("updated", "lastmod", "last_modified_at", "modified", "last_modified", "date_updated", "date_modified"),
    "expires": ("expirydate", "expiry_date", "expires", "unpublishdate"),
    "draft": ("draft",),
    "live": ("published",),
    "status": ("status",),
    "lang": ("lang", "language", "locale"),
    "slug": ("slug",),
    "url": ("permalink", "url", "path"),
    "id": ("id", "guid"),
    "target": ("source_url", "external_url", "link_url"),
    "authors": ("authors", "author"),
    "categories": ("categories", "category"),
    "tags": ("tags", "tag", "keywords", "topics", "topic"),
    "excerpt": ("excerpt", "summary", "description", "deck", "og_description"),
    "image": ("image", "cover", "thumbnail", "featured_image", "hero", "og_image", "images"),
    "image_alt": ("image_alt", "cover_alt", "featured_image_alt", "hero_alt"),
    "reading_time": ("reading_time", "readingtime", "read_time"),
    "feed": ("feed",),
    "newsletter": ("newsletter",),
    "featured": ("featured",),
}
#: Tables in which generators keep some of their keys: Zola's, Hugo's.
NESTED = ("extra", "params", "taxonomies")
_MOMENTS = frozenset({"date", "updated", "expires"})
#: key -> the meanings it may have (`published` is a flag to one generator and a date to another), each with its rank.
_MEANINGS: dict[str, list[tuple[str, int]]] = {}
for _meaning, _keys in KEYS.items():
    for _rank, _key in enumerate(_keys):
        _MEANINGS.setdefault(_key, []).append((_meaning, _rank))


class Fields:
    """Front matter by meaning instead of by key."""

    def __init__(self, metadata: Mapping[str, Any]) -> None:
        self._keys = _flat(metadata)
        #: meaning -> (rank, key as written, value), the best first.
        self._found: dict[str, list[tuple[int, str, Any]]] = {}
        for key, (written, value) in self._keys.items():
            for meaning, rank in _MEANINGS.get(key, ()) if value is not None else ():
                self._found.setdefault(meaning, []).append((rank, written, value))
        for several in self._found.values():
            several.sort(key=lambda found: found[0])

    def get(self, meaning: str) -> tuple[str, Any]:
        """Return the key as written and its value; the meaning's first key and None where no key is set.

        `published` and others may be a flag to one generator and a date to another: what is a date is not a flag.
        """
        for _, written, value in self._found.get(meaning, ()):
            blank = isinstance(value, str) and (not value or value.isspace())
            if not blank and not (isinstance(value, bool) and meaning in _MOMENTS):
                return written, value
        return KEYS[meaning][0], None

    def __contains__(self, meaning: str) -> bool:
        return meaning in self._found

    def all(self, meaning: str) -> list[Any]:
        """Return the values of every key of this meaning that is set."""
        return [value for _, _, value in self._found.get(meaning, ())]

    def misspelt(self) -> list[tuple[str, str]]:
        """Return keys that look like a known one which is not set, each with the known one."""
        near = [(written, _near(key)) for key, (written, _) in self._keys.items() if key not in _MEANINGS]
        return [(written, known) for written, known in near if known and known not in self._keys]


def _flat(metadata: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """Return normalised key -> (key, value), the inner tables' keys behind the outer ones."""
    found = {normal_key(key): (key, value) for key, value in metadata.items()}
    for name in NESTED:
        _, inner = found.get(name, (name, None))
        if isinstance(inner, Mapping):
            for key, value in inner.items():
                found.setdefault(normal_key(str(key)), (str(key), value))
    return found


@lru_cache(maxsize=4096)
def normal_key(key: str) -> str:
    """Return *key* as keys are compared."""
    return key.strip().lower().replace("-", "_")


@lru_cache(maxsize=4096)
def _near(key: str) -> str | None:
    """Return the known key that *key* was most likely meant to be; short keys are too alike to tell."""
    from difflib import get_close_matches  # noqa: PLC0415 - few keys are unknown

    close = get_close_matches(key, [known for known in _MEANINGS if len(known) > 3], n=1, cutoff=0.8)  # noqa: PLR2004
    plural = close and (key + "s" == close[0] or key == close[0] + "s")
    return close[0] if close and len(key) > 3 and not plural else None  # noqa: PLR2004
