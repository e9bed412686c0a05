"""The front matter keys of Jekyll, Hugo, Zola, Eleventy, Hexo, Astro, Docusaurus and Pelican, by meaning.

Keys are compared in lower case with `-` as `_`; of each row the first key that is set counts. docs/front-matter.md
documents them for users.
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
    "target": ("source_url", "external_url", "link_url", "redirect_to", "url"),  # `url` only if it is on another site
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
    "season": ("season", "itunes_season", "season_number"),
    "episode": ("episode", "itunes_episode", "episode_number"),
    "episode_type": ("episode_type", "itunes_episode_type", "itunes_episodetype", "episodetype"),
    "explicit": ("explicit", "itunes_explicit"),
    "transcript": ("transcript", "transcripts", "podcast_transcript"),
    "chapters": ("chapters", "podcast_chapters"),
    "people": ("people", "persons", "hosts", "host", "guests", "guest"),
    "reading_time": ("reading_time", "readingtime", "read_time"),
    "feed": ("feed",),
    "newsletter": ("newsletter",),
    "featured": ("featured",),
    "hold": ("hold_until",),
}
#: Tables in which Zola and Hugo keep some of their keys.
NESTED = ("extra", "params", "taxonomies")
_DATES = frozenset({"date", "embargo", "updated", "expires", "hold"})
#: Keys of generators and their plugins that resemble ours and mean something else.
_OTHER_KEYS = frozenset(
    {"authorurl", "feature", "featured_image_caption", "heroimagealt", "hide_reading_time", "last_modified_by"}
    | {"modified_gmt", "redirect_from", "redirectfrom", "redirects", "related", "resources", "sub_category"}
    | {"subcategories", "updated_by"}
)
#: So many unknown keys are compared with the known ones; a post with more does not just have misspellings.
_MOST_COMPARED = 100
#: Keys of at most so many letters are too similar to recognise a misspelt one.
_TOO_SHORT = 3
#: Key -> its meanings; `published` is a flag for one generator and a date for another.
_MEANINGS: dict[str, tuple[str, ...]] = {
    key: tuple(meaning for meaning, keys in KEYS.items() if key in keys) for keys in KEYS.values() for key in keys
}


class Fields:
    """The values of front matter, by meaning."""

    def __init__(self, metadata: Mapping[str, Any]) -> None:
        self._values = _flatten(metadata)
        #: Meaning -> the keys that are set. Every meaning is looked up in every post, and most are not set.
        self._keys: dict[str, list[str]] = {}
        self._unknown: list[str] = []
        for key in self._values:
            meanings = _MEANINGS.get(key)
            if meanings is None:
                self._unknown.append(key)
            else:
                for meaning in meanings:
                    self._keys.setdefault(meaning, []).append(key)

    def get(self, meaning: str) -> tuple[str, Any]:
        """Return the key as written and its value; if no key is set, the meaning's first key and None.

        A flag is not returned as a date: `published` may be either, depending on the generator.
        """
        for key in self._sorted_keys(meaning):
            written, value = self._values[key]
            is_blank = value is None or (isinstance(value, str) and not value.strip())
            if not is_blank and not (isinstance(value, bool) and meaning in _DATES):
                return written, value
        return KEYS[meaning][0], None

    def all(self, meaning: str) -> list[Any]:
        """Return the values of all keys with this meaning that are set."""
        return [value for _, value in self.each(meaning)]

    def each(self, meaning: str) -> list[tuple[str, Any]]:
        """Return (key as written, value) for all keys with this meaning that are set."""
        pairs = (self._values[key] for key in self._sorted_keys(meaning))
        return [(written, value) for written, value in pairs if value is not None]

    def misspelled(self) -> list[tuple[str, str]]:
        """Return (key as written, similar known key) for unknown keys whose similar key is not set."""
        pairs = [(self._values[key][0], _similar_key(key)) for key in self._unknown[:_MOST_COMPARED]]
        return [(written, known) for written, known in pairs if known and known not in self._values]

    def _sorted_keys(self, meaning: str) -> Sequence[str]:
        keys = self._keys.get(meaning, ())
        return keys if len(keys) <= 1 else sorted(keys, key=KEYS[meaning].index)


def _flatten(metadata: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """Return normalised key -> (key, value); a key of a nested table counts if the outer table does not have it."""
    values = {key if key in _MEANINGS else normal_key(key): (key, value) for key, value in metadata.items()}
    for name in NESTED:
        _, inner = values.get(name, (name, None))
        if isinstance(inner, Mapping):
            for key, value in inner.items():
                values.setdefault(normal_key(str(key)), (str(key), value))
    return values


def normal_key(key: str) -> str:
    """Return *key* for comparison: in lower case, with `_` for `-`."""
    return key.strip().lower().replace("-", "_")


@lru_cache(maxsize=4096)
def _similar_key(key: str) -> str | None:
    """Return the known key that *key* is probably a misspelling of."""
    if len(key) <= _TOO_SHORT or key in _OTHER_KEYS:
        return None
    closest = closest_name(key, (known for known in _MEANINGS if len(known) > _TOO_SHORT), cutoff=0.8)
    is_plural = closest and (key + "s" == closest or key == closest + "s")
    return None if is_plural else closest
