"""Enclosures, the files that belong to a post: address, media type, length and duration."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

#: Media types by file extension. Python's own table differs between versions and machines; feeds must not.
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
#: ISO 8601 (`PT1H2M3S`), `1h02`, `45 min` and `1 hour and 5 minutes`; also in German and Japanese.
_UNITS = re.compile(
    r"(?:P(?:0+D)?T)?(?:(\d{1,4})\s*(?:h|hrs?|hours?|std|stunden?|時間)\.?)?(?:[\s,]|and|und)*"
    r"(?:(\d{1,5})\s*(?:m|mins?|minutes?|minuten?|分|(?<=[hH]\d\d))\.?)?(?:[\s,]|and|und)*"
    r"(?:(\d{1,6})(?:[.,]\d+)?\s*(?:s|secs?|seconds?|sek|sekunden?|秒)\.?)?\Z",
    re.IGNORECASE,
)
_TRIPLE = ("url", "length", "type")
_BLOCK_MARKS = frozenset({"|", ">", "|-", ">-", "|+", ">+"})
_PHP_DURATION = re.compile(r'"duration";s:\d+:"([\d:.]+)"')
_MAX_SECONDS = 10**7
_MAX_BYTES = 10**15


def guess_media_type(url: str) -> str | None:
    """Return the media type of the file at *url* by its extension; None for an unknown one."""
    name = posixpath.basename(unquote(urlsplit(url).path))
    return TYPES.get(name.rpartition(".")[2].lower()) if "." in name else None


def normalize_enclosures(values: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield each file in values of front matter, of any shape, as a mapping; `url` is its address as written."""
    for value in values:
        if isinstance(value, list):
            yield from normalize_enclosures(value)
        elif isinstance(value, Mapping):
            fields = {str(key).strip().lower().replace("-", "_"): inner for key, inner in value.items()}
            yield {**fields, "url": _first(fields, "url", "src", "file", "href", "path")}
        elif not isinstance(value, bool) and str(value).strip():  # `video: true` is a switch of some generators
            yield _parse_text(value)


def _parse_text(value: Any) -> dict[str, Any]:
    """Return the address in one string, with length and type as imports of WordPress podcasts write them.

    Some exports leave YAML's block mark in the value, and some plug-ins add a line with the duration as PHP writes it.
    """
    words = str(value).split()
    lines = [word for word in words if word not in _BLOCK_MARKS]
    if len(lines) >= len(_TRIPLE) and lines[1].isdecimal() and "/" in lines[2]:
        duration = _PHP_DURATION.search(" ".join(lines[len(_TRIPLE) :]))
        return {**dict(zip(_TRIPLE, lines, strict=False)), "duration": duration and duration[1]}
    return {"url": value if len(lines) == len(words) else " ".join(lines)}


def _first(fields: Mapping[str, Any], *keys: str) -> Any:
    return next((fields[key] for key in keys if fields.get(key)), None)


def picture_address(value: Any) -> str | None:
    """Return the address of the first picture in a value of front matter of any shape; None without one."""
    if isinstance(value, list):
        return next((address for inner in value if (address := picture_address(inner))), None)
    if isinstance(value, Mapping):
        return picture_address(
            _first(value, "src", "url", "image", "path", "file", "href", "filename", "feature", "teaser")
        )
    return value.strip() or None if isinstance(value, str) else None


def declared_media_type(fields: Mapping[str, Any]) -> str | None:
    """Return the media type in *fields*; None without one, or if it is not one (RFC 6838)."""
    declared = str(_first(fields, "type", "mime_type", "mimetype", "mime") or "").strip().lower()
    return declared if _TYPE.match(declared) else None


def parse_length(fields: Mapping[str, Any]) -> int | None:
    """Return the length in bytes in *fields*; None without one, or if it is not a number."""
    length = str(_first(fields, "length", "size", "bytes", "size_in_bytes", "filesize") or "").replace(",", "").strip()
    return int(length) if re.fullmatch(r"[0-9]{1,16}", length) and int(length) < _MAX_BYTES else None


def parse_duration(value: Any) -> int | None:
    """Return the seconds in `1:02:03`, `62:03`, `PT62M3S`, `62 min` or a number of seconds; None for anything else."""
    text = str(value).strip() if value is not None and not isinstance(value, bool) else ""
    if re.fullmatch(r"[0-9]{1,8}(\.[0-9]+)?", text):
        seconds = int(float(text))
    elif clock := _CLOCK.match(text) or _UNITS.match(text):
        hours, minutes, rest = (int(part or 0) for part in clock.groups())
        seconds = hours * 3600 + minutes * 60 + rest
    else:
        return None
    return seconds if 0 < seconds < _MAX_SECONDS else None
