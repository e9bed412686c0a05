"""Files that belong to a post: where they are, what they are, how long they play."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

#: By the ending of the file's name. Python's own table differs between versions and machines, and feeds must not.
TYPES = {
    **dict.fromkeys(("jpg", "jpeg"), "image/jpeg"),
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "svg": "image/svg+xml",
    "mp3": "audio/mpeg",
    **dict.fromkeys(("m4a", "m4b"), "audio/mp4"),
    "aac": "audio/aac",
    **dict.fromkeys(("ogg", "oga", "opus"), "audio/ogg"),
    "flac": "audio/flac",
    "wav": "audio/wav",
    **dict.fromkeys(("mp4", "m4v"), "video/mp4"),
    "webm": "video/webm",
    "ogv": "video/ogg",
    "mov": "video/quicktime",
    "pdf": "application/pdf",
    "epub": "application/epub+zip",
    "zip": "application/zip",
}
_TYPE = re.compile(r"[A-Za-z0-9][\w!#$&^.+-]*/[A-Za-z0-9][\w!#$&^.+-]*\Z", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d\d)(?:\.\d+)?\Z")
_MOST_SECONDS = 10**7
_MOST_BYTES = 10**15


def guess_media_type(url: str) -> str | None:
    """Return the media type that the name of the file at *url* tells; None if it tells none."""
    name = posixpath.basename(unquote(urlsplit(url).path))
    return TYPES.get(name.rpartition(".")[2].lower()) if "." in name else None


def normalize_enclosures(values: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield each file that front matter names, in whichever shape, as a mapping whose `url` is what was written."""
    for value in values:
        if isinstance(value, list):
            yield from normalize_enclosures(value)
        elif isinstance(value, Mapping):
            fields = {str(key).strip().lower().replace("-", "_"): inner for key, inner in value.items()}
            yield {**fields, "url": _first(fields, "url", "src", "file", "href", "path")}
        elif (found := _triple(str(value))) is not None:
            yield found
        elif not isinstance(value, bool) and str(value).strip():  # `video: true` is a generator's switch
            yield {"url": value}


def _triple(value: str) -> dict[str, Any] | None:
    """Return address, bytes and type, as the import of a WordPress podcast leaves them in one string."""
    words = value.split(maxsplit=3)
    is_one = len(words) == len(("url", "length", "type")) and words[1].isdecimal() and "/" in words[2]
    return dict(zip(("url", "length", "type"), words, strict=True)) if is_one else None


def _first(fields: Mapping[str, Any], *keys: str) -> Any:
    return next((fields[key] for key in keys if fields.get(key)), None)


def declared_media_type(fields: Mapping[str, Any]) -> str | None:
    """Return the media type that is written down; None where none is, or what is written is none (RFC 6838)."""
    found = str(_first(fields, "type", "mime_type", "mimetype", "mime") or "").strip().lower()
    return found if _TYPE.match(found) else None


def parse_length(fields: Mapping[str, Any]) -> int | None:
    """Return the bytes that are written down; None where that is no number."""
    found = str(_first(fields, "length", "size", "bytes", "size_in_bytes", "filesize") or "").replace(",", "").strip()
    return int(found) if re.fullmatch(r"[0-9]{1,16}", found) and int(found) < _MOST_BYTES else None


def parse_duration(value: Any) -> int | None:
    """Return how long something plays, from `1:02:03`, `62:03` or a number of seconds; None if that is no time."""
    text = str(value).strip() if value is not None and not isinstance(value, bool) else ""
    if re.fullmatch(r"[0-9]{1,8}(\.[0-9]+)?", text):
        found = int(float(text))
    elif clock := _CLOCK.match(text):
        found = int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + int(clock[3])
    else:
        return None
    return found if 0 < found < _MOST_SECONDS else None
