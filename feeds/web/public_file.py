"""One version of a file of `public/`, ready to be sent: its codings, its headers, and what is new in a feed."""

import gzip
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from functools import cached_property
from hashlib import blake2b
from http import HTTPStatus
from mimetypes import guess_type

import brotli

from feeds.core.syndication.deltas import entry_digests, render_delta
from feeds.core.syndication.feed import FILES, MEDIA_TYPES
from feeds.web.conditional import CODINGS
from feeds.web.protocol import Headers

#: How many former versions of a feed a reader may have and still get only what is new.
_MOST_BASES = 50
_BROTLI_QUALITY, _GZIP_LEVEL = 6, 6
#: Smaller files do not get smaller; larger ones would keep the first reader waiting.
_SMALLEST_COMPRESSED, _LARGEST_COMPRESSED = 256, 8 * 1024 * 1024

_NAMED_TYPES = {FILES[name]: kind for name, kind in MEDIA_TYPES.items()} | {"feeds.opml": "text/x-opml"}
_TEXT_TYPES = ("text/", "application/json", "application/xml", "image/svg+xml", *MEDIA_TYPES.values())
#: A page of ours has inline styles and no script; its pictures may come from anywhere, as in a letter.
_PAGE_POLICY = (
    b"default-src 'none'; style-src 'unsafe-inline'; img-src http: https: data:; media-src http: https:;"
    b" base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
#: Web pages of other sites may read feeds; a preflight request comes before a conditional one.
CORS: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag, Last-Modified, IM"),
]


@dataclass(frozen=True)
class PublicFile:
    """One version of a file, ready to be sent."""

    path: str
    content: bytes
    media_type: str
    #: Of the content; the entity tags are made of it.
    digest: str
    #: Seconds since 1970.
    modified: int
    #: Content coding -> the compressed content; the key of the plain content is empty.
    bodies: dict[str, bytes]
    #: Digest of a former version -> the digests of its entries.
    bases: dict[str, frozenset[bytes]] = field(default_factory=dict)

    @cached_property
    def is_feed(self) -> bool:
        """True for a feed document, also an archive page of one."""
        return self.media_type in MEDIA_TYPES.values()

    @property
    def bytes_in_memory(self) -> int:
        """The size of all its bodies, and of a digest for each entry of a former version."""
        return sum(map(len, self.bodies.values())) + 100 * sum(map(len, self.bases.values())) + 1000

    @cached_property
    def headers(self) -> dict[tuple[str, HTTPStatus], Headers]:
        """The headers of an answer by content coding and status, without `Cache-Control`; a 304 describes no body."""
        found: dict[tuple[str, HTTPStatus], Headers] = {}
        for coding in self.bodies:
            found[coding, HTTPStatus.NOT_MODIFIED] = list(self._list_headers(coding))
            found[coding, HTTPStatus.OK] = [*self._list_headers(coding), *self._describe_body(coding)]
        return found

    @cached_property
    def header_lines(self) -> dict[tuple[str, HTTPStatus], bytes]:
        """The same as lines of an answer, each with its end."""
        return {key: b"".join(b"%s: %s\r\n" % header for header in headers) for key, headers in self.headers.items()}

    def _list_headers(self, coding: str) -> Iterable[tuple[bytes, bytes]]:
        yield b"etag", f'"{self.digest}{CODINGS.get(coding, "")}"'.encode()
        yield b"last-modified", formatdate(self.modified, usegmt=True).encode()
        yield b"vary", b"Accept-Encoding, A-IM" if self.is_feed else b"Accept-Encoding"
        yield b"x-content-type-options", b"nosniff"
        if self.is_feed:
            yield from CORS
        elif self.media_type == "text/html":
            yield b"content-security-policy", _PAGE_POLICY
            yield b"referrer-policy", b"no-referrer"

    @cached_property
    def content_type(self) -> bytes:
        """The media type with the encoding of texts."""
        is_text = self.media_type.startswith(_TEXT_TYPES)
        return f"{self.media_type}{'; charset=utf-8' if is_text else ''}".encode()

    def _describe_body(self, coding: str) -> Iterable[tuple[bytes, bytes]]:
        yield b"content-type", self.content_type
        yield b"content-length", b"%d" % len(self.bodies[coding])
        if coding:
            yield b"content-encoding", coding.encode()

    def make_delta(self, base: str) -> "PublicFile":
        """Return the feed with only the entries that a former version did not have, which is one of `bases`.

        Its entity tag is the one of the whole feed (RFC 3229, section 10.4.1: of the current instance).
        """
        content = render_delta(self.content, self.bases[base])
        return replace(self, content=content, bodies=_compress(content, self.media_type), bases={})


def build_file(path: str, content: bytes, modified: int, before: PublicFile | None) -> PublicFile:
    """Return a file ready to be sent; *before* is the version that it replaces."""
    media_type = media_type_of(path)
    digest = blake2b(content, digest_size=12).hexdigest()
    bases = _list_bases(before, digest) if media_type in MEDIA_TYPES.values() else {}
    return PublicFile(path, content, media_type, digest, modified, _compress(content, media_type), bases)


def _compress(content: bytes, media_type: str) -> dict[str, bytes]:
    """Return a content in each coding that is worth it, and as it is."""
    bodies = {"": content}
    if media_type.startswith(_TEXT_TYPES) and _SMALLEST_COMPRESSED <= len(content) <= _LARGEST_COMPRESSED:
        bodies["br"] = brotli.compress(content, mode=brotli.MODE_TEXT, quality=_BROTLI_QUALITY)
        bodies["gzip"] = gzip.compress(content, _GZIP_LEVEL, mtime=0)
    return bodies


def _list_bases(before: PublicFile | None, digest: str) -> dict[str, frozenset[bytes]]:
    """Return the entries of the former versions of a feed, the newest versions only."""
    if before is None:
        return {}
    bases = before.bases | {before.digest: entry_digests(before.content)}
    bases.pop(digest, None)  # it has become again what it was
    return dict(list(bases.items())[-_MOST_BASES:])


def media_type_of(path: str) -> str:
    """Return the media type of a file: feeds by their names, Atom for the other XML files of ours."""
    name = path.rpartition("/")[2]
    if name in _NAMED_TYPES:
        return _NAMED_TYPES[name]
    if name.endswith(".xml") and path.startswith(("feeds/", "newsletters/")):
        return MEDIA_TYPES["atom"]  # an archive page (RFC 5005)
    return guess_type(name)[0] or "application/octet-stream"
