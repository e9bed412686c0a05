"""The files of `public/` over HTTP: `/feeds/…` and `/newsletters/…`, and redirects from former addresses of feeds.

This is the busiest part of the server, so it comes before the router: a request for a file that has not changed costs a
stat and no thread. A file is compressed once for each change.
"""

import asyncio
import gzip
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import cached_property, partial
from hashlib import blake2b
from http import HTTPStatus
from mimetypes import guess_type
from time import monotonic
from urllib.parse import quote, urlsplit

import brotli
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from feeds.core.syndication.deltas import entry_digests, render_delta
from feeds.core.syndication.feed import FILES, MEDIA_TYPES
from feeds.edges.files.file_cache import FileCache
from feeds.jobs.feeds.moved_feeds import MovedFeeds
from feeds.jobs.site import web_url
from feeds.web.conditional import CODINGS, choose_coding, is_modified_since, list_tags, parse_weights
from feeds.web.door import Door
from feeds.web.error_pages import ErrorPages
from feeds.web.paths import FOLDERS, parse_path
from feeds.web.protocol import Headers, QuickReply

#: Memory for files and their compressed forms.
_MOST_BYTES = 64 * 1024 * 1024
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
_CORS: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag, Last-Modified, IM"),
]
_PREFLIGHT: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, HEAD"),
    (b"access-control-allow-headers", b"If-None-Match, If-Modified-Since, A-IM, Cache-Control"),
    (b"access-control-max-age", b"86400"),
    (b"allow", b"GET, HEAD, OPTIONS"),
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
        """Whether it is a feed document, also an archive page of one."""
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
            yield from _CORS
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

    def delta(self, base: str) -> bytes | None:
        """Return the feed with the entries that a former version did not have; None if that is not known any more."""
        known = self.bases.get(base)
        return None if known is None else render_delta(self.content, known)


def build_file(path: str, content: bytes, modified: int, before: PublicFile | None) -> PublicFile:
    """Return a file ready to be sent; *before* is the version that it replaces."""
    media_type = media_type_of(path)
    bodies = {"": content}
    if media_type.startswith(_TEXT_TYPES) and _SMALLEST_COMPRESSED <= len(content) <= _LARGEST_COMPRESSED:
        bodies["br"] = brotli.compress(content, mode=brotli.MODE_TEXT, quality=_BROTLI_QUALITY)
        bodies["gzip"] = gzip.compress(content, _GZIP_LEVEL, mtime=0)
    digest = blake2b(content, digest_size=12).hexdigest()
    bases = _list_bases(before, digest) if media_type in MEDIA_TYPES.values() else {}
    return PublicFile(path, content, media_type, digest, modified, bodies, bases)


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


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer."""

    status: HTTPStatus
    headers: Headers
    body: bytes = b""


class PublicFiles:
    """Answers requests for files of `public/`; all others go on to the application."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._door, self._errors = app, door, ErrorPages(door)
        self._root = door.site.public.root
        self._files = FileCache(self._root, build_file, _MOST_BYTES)
        self._use_site()

    def _use_site(self) -> None:
        self._site = self._door.site
        if self._site.public.root != self._root:
            self._root = self._site.public.root
            self._files = FileCache(self._root, build_file, _MOST_BYTES)
        self._moved = MovedFeeds(self._site)
        self._prefix = urlsplit(web_url(self._site.config)).path.rstrip("/")
        self._loading: dict[str, asyncio.Task[PublicFile | None]] = {}
        self._second = -1
        self._cache_control = self.cache_line = b""  # see `_refresh`

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        path = self._path_below_public(scope["path"]) if scope["type"] == "http" else None
        if path is None:
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await _send(Reply(HTTPStatus.NO_CONTENT, _PREFLIGHT), send)
        elif scope["method"] not in {"GET", "HEAD"}:
            await self._send_error(HTTPStatus.METHOD_NOT_ALLOWED, scope, receive, send, Allow="GET, HEAD, OPTIONS")
        else:
            await self._handle(path, scope, receive, send)

    async def _handle(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            reply = await self._answer(path, scope["method"], _read_headers(scope["headers"]))
        except Exception as e:  # noqa: BLE001 - as for the application, a fault of ours is a line in the log and a page
            response = await run_in_threadpool(self._errors.show_fault, Request(scope), e)
            await response(scope, receive, send)
            return
        if isinstance(reply, Reply):
            await _send(reply, send)
        else:
            await self._send_error(reply, scope, receive, send)

    def answer_now(self, method: bytes, path: str, fields: dict[bytes, bytes]) -> QuickReply | None:
        """Return the answer for a file that has not changed since it was read; None if it takes more than that.

        *path* is decoded; *fields* are the headers, by names in lower case.
        """
        below = self._path_below_public(path)
        file = None if below is None or self._moved or b"a-im" in fields else self._files.get(below[1:])
        if file is None:
            return None
        repeat = partial(self._repeat, file, fields.get(b"user-agent", b""))
        self._count(file, fields)
        coding, status = _choose_coding(file, fields), _choose_status(file, fields)
        body = file.bodies[coding] if status == HTTPStatus.OK and method != b"HEAD" else b""
        return QuickReply(status, file.header_lines[coding, status], body, repeat)

    def _repeat(self, file: PublicFile, user_agent: bytes) -> bool:
        """Return whether a file is still the newest version, and count another request for it."""
        if self._door.site is not self._site or self._files.get(file.path) is not file:
            return False
        self._refresh()
        if self._moved:
            return False
        if file.is_feed:
            self._door.reader_counts.add(file.path, user_agent)
        return True

    def _count(self, file: PublicFile, fields: dict[bytes, bytes]) -> None:
        if file.is_feed:
            self._door.reader_counts.add(file.path, fields.get(b"user-agent", b""))

    def _path_below_public(self, path: str) -> str | None:
        """Return the path of a file for the path of a URL; None if it is not one of a file.

        The feed of another program may have moved here from anywhere, such as `/feed.xml`.
        """
        if self._door.site is not self._site:
            self._use_site()
        if self._prefix and path.startswith(f"{self._prefix}/"):
            path = path[len(self._prefix) :]
        self._refresh()
        is_ours = path.startswith(FOLDERS) or (self._moved and self._moved.find(path)[0])
        return path if is_ours else None

    def _refresh(self) -> None:
        """Update what is the same for all requests of a second."""
        second = int(monotonic())
        if second != self._second:
            self._second = second
            self._moved.refresh()
            self._cache_control = f"public, max-age={self._door.seconds_until_publish()}".encode()
            self.cache_line = b"cache-control: %s\r\n" % self._cache_control

    async def _answer(self, path: str, method: str, fields: dict[bytes, bytes]) -> Reply | HTTPStatus:
        """Return the answer, or the status of an error."""
        status, location = self._moved.find(path)
        if status == HTTPStatus.MOVED_PERMANENTLY:
            return self._redirect(location)
        if status:
            return HTTPStatus(status)
        name = parse_path(path)
        if name is None:
            return HTTPStatus.NOT_FOUND
        file = self._files.get(name) or await self._load(name)
        if file is not None:
            return await self._delta(file, method, fields) or self._reply(file, method, fields)
        if self._files.has_folder(name):
            return self._redirect(quote(f"{path}/"))
        return HTTPStatus.NOT_FOUND

    async def _load(self, name: str) -> PublicFile | None:
        """Return a file that is new or has changed; requests for it that come meanwhile wait for the same work."""
        task = self._loading.get(name)
        if task is None:
            task = self._loading[name] = asyncio.create_task(self._load_now(name))
            task.add_done_callback(lambda _: self._loading.pop(name, None))
        return await asyncio.shield(task)

    async def _load_now(self, name: str) -> PublicFile | None:
        files = self._files
        loaded = await run_in_threadpool(files.load, name)
        if loaded is None:
            files.drop(name)
            return None
        files.put(name, loaded)
        return loaded.built

    def _reply(self, file: PublicFile, method: str, fields: dict[bytes, bytes]) -> Reply:
        """Return a file, or that it has not changed."""
        self._count(file, fields)
        coding, status = _choose_coding(file, fields), _choose_status(file, fields)
        headers = [(b"cache-control", self._cache_control), *file.headers[coding, status]]
        return Reply(status, headers, _body(method, file.bodies[coding]) if status == HTTPStatus.OK else b"")

    async def _delta(self, file: PublicFile, method: str, fields: dict[bytes, bytes]) -> Reply | None:
        """Return what is new for a reader that has a former version (RFC 3229); None if it has to get all.

        `no-store` is for caches that do not know the status 226; those that know `im` may keep it (section 10.8.3).
        """
        if not _wants_delta(file, fields) or _is_unmodified(file, fields):
            return None
        base = next((tag for tag in list_tags(fields.get(b"if-none-match", b"")) if tag in file.bases), None)
        body = None if base is None else await run_in_threadpool(file.delta, base)
        if body is None:
            return None
        self._count(file, fields)
        headers = [
            (b"im", b"feed"),
            (b"delta-base", f'"{base}"'.encode()),
            (b"cache-control", b"no-store, im"),
            *((key, value) for key, value in file.headers["", HTTPStatus.NOT_MODIFIED] if key != b"vary"),
            (b"vary", b"A-IM, If-None-Match, Accept-Encoding"),
            (b"content-type", file.content_type),
            (b"content-length", b"%d" % len(body)),
        ]
        return Reply(HTTPStatus.IM_USED, headers, _body(method, body))

    def _redirect(self, location: str) -> Reply:
        headers = [
            (b"location", f"{self._prefix}{location}".encode()),
            (b"cache-control", self._cache_control),
            *_CORS[:1],
            (b"content-length", b"0"),
        ]
        return Reply(HTTPStatus.MOVED_PERMANENTLY, headers)

    async def _send_error(self, status: HTTPStatus, scope: Scope, receive: Receive, send: Send, **headers: str) -> None:
        error = HTTPException(status, headers=headers)
        response = await run_in_threadpool(self._errors.show_status, Request(scope), error)
        await response(scope, receive, send)


def _body(method: str, content: bytes) -> bytes:
    return b"" if method == "HEAD" else content


def _read_headers(headers: Headers) -> dict[bytes, bytes]:
    """Return the headers of a request; the values of a repeated one are joined (RFC 9110, section 5.3)."""
    fields = dict(headers)
    if len(fields) < len(headers):
        fields = {name: b",".join(value for other, value in headers if other == name) for name in fields}
    return fields


def _choose_coding(file: PublicFile, fields: dict[bytes, bytes]) -> str:
    accepted = fields.get(b"accept-encoding")
    coding = choose_coding(accepted) if accepted else ""
    return coding if coding in file.bodies else ""


def _choose_status(file: PublicFile, fields: dict[bytes, bytes]) -> HTTPStatus:
    return HTTPStatus.NOT_MODIFIED if _is_unmodified(file, fields) else HTTPStatus.OK


def _is_unmodified(file: PublicFile, fields: dict[bytes, bytes]) -> bool:
    """Return whether the client has this version; a date only counts without entity tags (RFC 9110, section 13.2.2)."""
    tags = fields.get(b"if-none-match")
    if tags is not None:
        return tags == b"*" or file.digest in list_tags(tags)
    since = fields.get(b"if-modified-since")
    return since is not None and not is_modified_since(since, file.modified)


def _wants_delta(file: PublicFile, fields: dict[bytes, bytes]) -> bool:
    """Return whether a reader takes only what is new; `A-IM` has weights as `Accept` has (RFC 3229, section 10.5.3)."""
    return file.is_feed and parse_weights(fields.get(b"a-im", b"")).get("feed", 0.0) > 0


async def _send(reply: Reply, send: Send) -> None:
    await send({"type": "http.response.start", "status": int(reply.status), "headers": reply.headers})
    await send({"type": "http.response.body", "body": reply.body})
