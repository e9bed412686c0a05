"""What podcast apps show of an episode: season, number, transcripts, chapters, people.

Sources: https://podcasters.apple.com/support/823-podcast-requirements (itunes) and
https://podcasting2.org/docs/podcast-namespace (podcast).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from feeds.core.posts.media import declared_media_type
from feeds.core.posts.vocabulary import Fields
from feeds.model import Enclosure, Episode, Person, Transcript

#: The media types of transcripts by file extension; the type is required (Podcast Namespace, `transcript`).
_TRANSCRIPT_TYPES = {
    "vtt": "text/vtt",
    "srt": "application/x-subrip",
    "html": "text/html",
    "htm": "text/html",
    "json": "application/json",
    "txt": "text/plain",
}
#: WordPress plug-ins write `clean` and `explicit`, the values that Apple once had.
_EXPLICIT = {"true": True, "yes": True, "explicit": True, "false": False, "no": False, "clean": False}
_EPISODE_TYPES = ("full", "trailer", "bonus")
_ROLES = {"hosts": "host", "host": "host", "guests": "guest", "guest": "guest"}
_NUMBER = re.compile(r"(?:(?:season|episode|ep|s|e)?[\s.#]*)?0*(\d{1,6})\Z", re.IGNORECASE)

#: Adds a warning at the line of a key.
Warn = Callable[[str, str], None]
#: Returns the absolute form of an address in the front matter; None if it is none.
Resolve = Callable[[str], str | None]


def read_episode(fields: Fields, enclosures: Iterable[Enclosure], resolve: Resolve, warn: Warn) -> Episode | None:
    """Return what the front matter says of an episode; None without a recording, or if it says nothing."""
    if not any((file.type or "").startswith(("audio/", "video/")) for file in enclosures):
        return None
    episode = Episode(
        season=_read_number(fields, "season", warn),
        number=_read_number(fields, "episode", warn),
        type=_read_type(fields, warn),
        explicit=_read_explicit(fields, warn),
        transcripts=tuple(_read_transcripts(fields, resolve, warn)),
        chapters=_read_chapters(fields, resolve, warn),
        people=tuple(dict.fromkeys(_read_people(fields, resolve))),
    )
    return episode if episode != _EMPTY else None


_EMPTY = Episode()


def _read_number(fields: Fields, meaning: str, warn: Warn) -> int | None:
    key, value = fields.get(meaning)
    if value is None or isinstance(value, bool):
        return None
    found = _NUMBER.match(str(value).strip())
    if found is None:
        warn(key, f"{str(value)[:40]!r} is not a number; write, for example, 12")
        return None
    return int(found[1])


def _read_type(fields: Fields, warn: Warn) -> str:
    key, value = fields.get("episode_type")
    word = "" if value is None else str(value).strip().lower()
    if word and word not in _EPISODE_TYPES:
        warn(key, f"{word[:40]!r} is not a type of episode; write full, trailer or bonus")
        return ""
    return word


def _read_explicit(fields: Fields, warn: Warn) -> bool | None:
    key, value = fields.get("explicit")
    if value is None:
        return None
    word = str(value).strip().lower()
    if word not in _EXPLICIT:
        warn(key, f"{word[:40]!r} is neither true nor false")
    return _EXPLICIT.get(word)


def _read_transcripts(fields: Fields, resolve: Resolve, warn: Warn) -> Iterator[Transcript]:
    for key, value in fields.each("transcript"):
        for one in value if isinstance(value, list) else [value]:
            given = one if isinstance(one, Mapping) else {"url": one}
            url = _address(given, resolve)
            media_type = declared_media_type(given) or (url and _TRANSCRIPT_TYPES.get(_extension(url)))
            if url is None:
                warn(key, f"{str(one)[:60]!r} is not the web address of a transcript; it is ignored")
            elif media_type is None:
                warn(key, f"{url[-60:]!r} has no known type; write `type`, such as text/vtt; it is ignored")
            else:
                yield Transcript(url=url, type=media_type, lang=_text(given.get("language") or given.get("lang")))


def _read_chapters(fields: Fields, resolve: Resolve, warn: Warn) -> str:
    key, value = fields.get("chapters")
    url = _address(value if isinstance(value, Mapping) else {"url": value}, resolve) if value else None
    if value and (url is None or _extension(url) != "json"):
        warn(key, "is not the web address of a JSON chapters file, which podcast apps need; it is ignored")
        return ""
    return url or ""


def _read_people(fields: Fields, resolve: Resolve) -> Iterator[Person]:
    for key, value in fields.each("people"):
        role = _ROLES.get(key.strip().lower(), "")
        for one in value if isinstance(value, list) else [value]:
            given = one if isinstance(one, Mapping) else {"name": one}
            if name := _text(given.get("name")):
                yield Person(
                    name=name,
                    role=_text(given.get("role")).lower() or role,
                    url=_address({"url": given.get("url") or given.get("href")}, resolve) or "",
                    image=_address({"url": given.get("image") or given.get("img")}, resolve) or "",
                )


def _address(given: Mapping[str, Any], resolve: Resolve) -> str | None:
    written = given.get("url") or given.get("src") or given.get("href")
    has_path = isinstance(written, str) and re.search(r"[./]", written)
    return resolve(written.strip()) if has_path and isinstance(written, str) else None


def _extension(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2].rpartition(".")[2].lower()


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, (bool, Mapping, list)) else " ".join(str(value).split())
