"""Which front matter keys mean the same thing.

One table for Jekyll, Hugo, Zola, Eleventy, Hexo, Astro, Docusaurus and Pelican. Keys are compared in lower case with
`-` as `_`; the first of a row that is set wins. docs/front-matter.md explains them to people.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from feeds.spelling import closest_name

KEYS: dict[str, tuple[str, ...]] = {
    "title": ("title",),
    "date": ("date", "published", "publishdate", "publish_date", "pubdate", "date_published", "created"),
    "embargo": ("publishdate", "publish_date"),
    "updated": (
        "updated",
        "lastmod",
        "last_modified_at",
        "modified",
        "last_modified",
        "date_updated",
        "date_modified",
        "updateddate",
        "updated_date",
    ),
    "expires": ("expirydate", "expiry_date", "expires", "unpublishdate"),
    "draft": ("draft",),
    "live": ("published",),
    "status": ("status",),
    "unlisted": ("unlisted", "eleventyexcludefromcollections"),
    "lang": ("lang", "language", "locale"),
    "slug": ("slug",),
    "url": ("permalink", "url", "path"),
    "id": ("id", "guid"),
    "target": ("source_url", "external_url", "link_url", "redirect_to"),
    "canonical": ("canonical_url", "canonical", "canonicalurl"),
    "source": ("source",),
    "rights": ("rights", "copyright", "license", "licence"),
    "authors": ("authors", "author"),
    "categories": ("categories", "category"),
    "tags": ("tags", "tag", "keywords", "topics", "topic"),
    "excerpt": ("excerpt", "summary", "description", "deck", "og_description"),
    "image": ("image", "cover", "thumbnail", "featured_image", "hero", "heroimage", "hero_image", "og_image", "images"),
    "image_alt": ("image_alt", "cover_alt", "featured_image_alt", "hero_alt"),
    "enclosures": ("enclosure", "enclosures", "audio", "video", "podcast"),
    "duration": ("duration", "itunes_duration"),
    "reading_time": ("reading_time", "readingtime", "read_time"),
    "feed": ("feed",),
    "newsletter": ("newsletter",),
    "featured": ("featured",),
    "hold": ("hold_until",),
}
#: Tables in which generators keep some of their keys: Zola's, Hugo's.
NESTED = ("extra", "params", "taxonomies")
_MOMENTS = frozenset({"date", "embargo", "updated", "expires", "hold"})
#: Keys of so many letters are too alike to tell a slip from another key.
_TOO_SHORT = 3
#: What a key may mean; `published` is a flag to one generator and a date to another.
_MEANINGS: dict[str, tuple[str, ...]] = {
    key: tuple(meaning for meaning, keys in KEYS.items() if key in keys) for keys in KEYS.values() for key in keys
}


class Fields:
    """Front matter by meaning instead of by key."""

    def __init__(self, metadata: Mapping[str, Any]) -> None:
        self._found = _flat(metadata)
        #: Every post is asked for each of the meanings and has few of them, so only what is there is looked at.
        self._keys: dict[str, list[str]] = {}
        self._unknown: list[str] = []
        for key in self._found:
            meanings = _MEANINGS.get(key)
            if meanings is None:
                self._unknown.append(key)
            else:
                for meaning in meanings:
                    self._keys.setdefault(meaning, []).append(key)

    def get(self, meaning: str) -> tuple[str, Any]:
        """Return the key as written and its value; the meaning's first key and None where no key is set.

        `published` and others may be a flag to one generator and a date to another: what is a date is not a flag.
        """
        for key in self._in_order(meaning):
            written, value = self._found[key]
            blank = value is None or (isinstance(value, str) and not value.strip())
            if not blank and not (isinstance(value, bool) and meaning in _MOMENTS):
                return written, value
        return KEYS[meaning][0], None

    def all(self, meaning: str) -> list[Any]:
        """Return the values of every key of this meaning that is set."""
        return [value for _, value in self.each(meaning)]

    def each(self, meaning: str) -> list[tuple[str, Any]]:
        """Return every key of this meaning that is set, as written, and its value."""
        found = (self._found[key] for key in self._in_order(meaning))
        return [(written, value) for written, value in found if value is not None]

    def misspelled(self) -> list[tuple[str, str]]:
        """Return keys that look like a known one which is not set, each with the known one."""
        near = [(self._found[key][0], _near(key)) for key in self._unknown]
        return [(written, known) for written, known in near if known and known not in self._found]

    def _in_order(self, meaning: str) -> Sequence[str]:
        keys = self._keys.get(meaning, ())
        return keys if len(keys) <= 1 else sorted(keys, key=KEYS[meaning].index)


def _flat(metadata: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """Return normalised key -> (key, value), the inner tables' keys behind the outer ones."""
    found = {key if key in _MEANINGS else normal_key(key): (key, value) for key, value in metadata.items()}
    for name in NESTED:
        _, inner = found.get(name, (name, None))
        if isinstance(inner, Mapping):
            for key, value in inner.items():
                found.setdefault(normal_key(str(key)), (str(key), value))
    return found


def normal_key(key: str) -> str:
    """Return *key* as keys are compared."""
    return key.strip().lower().replace("-", "_")


@lru_cache(maxsize=4096)
def _near(key: str) -> str | None:
    """Return the known key that *key* was most likely meant to be; short keys are too alike to tell."""
    close = closest_name(key, (known for known in _MEANINGS if len(known) > _TOO_SHORT), cutoff=0.8)
    plural = close and (key + "s" == close or key == close + "s")
    return close if close and len(key) > _TOO_SHORT and not plural else None
