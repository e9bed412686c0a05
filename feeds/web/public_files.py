"""The files of `public/` over HTTP: `/feeds/…` and `/newsletters/…`, and redirects from former addresses of feeds.

This is the busiest part of the server, so it comes before the router: a request for a file that has not changed costs a
stat and no thread. A file is compressed once for each change.
"""

from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from time import monotonic
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from feeds.edges.files.file_cache import FileCache
from feeds.jobs.feeds.moved_feeds import MovedFeeds
from feeds.jobs.site import web_url
from feeds.web.conditional import choose_coding, is_modified_since, parse_tags, parse_weights
from feeds.web.delta_cache import DeltaCache
from feeds.web.door import Door
from feeds.web.error_pages import ErrorPages
from feeds.web.paths import is_in_folders, is_page, parse_path
from feeds.web.protocol import Headers, QuickReply
from feeds.web.public_file import CORS, PublicFile, build_file
from feeds.web.shared_work import SharedWork

#: Memory for files and their compressed forms, and for what is new in feeds.
_MOST_BYTES, _MOST_DELTA_BYTES = 64 * 1024 * 1024, 16 * 1024 * 1024
_PREFLIGHT: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, HEAD"),
    (b"access-control-allow-headers", b"If-None-Match, If-Modified-Since, A-IM, Cache-Control"),
    (b"access-control-max-age", b"86400"),
    (b"allow", b"GET, HEAD, OPTIONS"),
]


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
        self._deltas = DeltaCache(_MOST_DELTA_BYTES)
        self._use_site()

    def _use_site(self) -> None:
        self._site = self._door.site
        if self._site.public.root != self._root:
            self._root = self._site.public.root
            self._files = FileCache(self._root, build_file, _MOST_BYTES)
        self._moved = MovedFeeds(self._site)
        self._prefix = urlsplit(web_url(self._site.config)).path.rstrip("/")
        self._loading: SharedWork[PublicFile | None] = SharedWork()
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
        is_ours = is_in_folders(path) or (self._moved and not is_page(path) and self._moved.find(path)[0])
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
        file = self._files.get(name) or await self._loading.wait_for(name, self._load(name))
        if file is not None:
            return await self._delta(file, method, fields) or self._reply(file, method, fields)
        if self._files.has_file(f"{name}/index.html"):
            return self._redirect(quote(f"{path}/"))
        return HTTPStatus.NOT_FOUND

    async def _load(self, name: str) -> PublicFile | None:
        """Return a file that is new or has changed."""
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
        """Return the new entries for a reader that has a former version (RFC 3229); None if it has to get all.

        `no-store` is for caches that do not know the status 226; those that know `im` may keep it (section 10.8.3).
        """
        if not _wants_delta(file, fields) or _is_unmodified(file, fields):
            return None
        tags = parse_tags(fields.get(b"if-none-match", b""))
        base = next((digest for digest in tags if digest in file.bases), None)
        if base is None:
            return None
        self._count(file, fields)
        delta = await self._deltas.find(file, base)
        coding = _choose_coding(delta, fields)
        headers = [
            (b"im", b"feed"),
            (b"delta-base", tags[base]),
            (b"cache-control", b"no-store, im"),
            *(header for header in delta.headers[coding, HTTPStatus.OK] if header[0] != b"vary"),
            (b"vary", b"A-IM, If-None-Match, Accept-Encoding"),
        ]
        return Reply(HTTPStatus.IM_USED, headers, _body(method, delta.bodies[coding]))

    def _redirect(self, location: str) -> Reply:
        headers = [
            (b"location", f"{self._prefix}{location}".encode()),
            (b"cache-control", self._cache_control),
            *CORS[:1],
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
        return tags == b"*" or file.digest in parse_tags(tags)
    since = fields.get(b"if-modified-since")
    return since is not None and not is_modified_since(since, file.modified)


def _wants_delta(file: PublicFile, fields: dict[bytes, bytes]) -> bool:
    """Return whether a reader takes only what is new; `A-IM` has weights as `Accept` has (RFC 3229, section 10.5.3)."""
    return file.is_feed and parse_weights(fields.get(b"a-im", b"")).get("feed", 0.0) > 0


async def _send(reply: Reply, send: Send) -> None:
    await send({"type": "http.response.start", "status": int(reply.status), "headers": reply.headers})
    await send({"type": "http.response.body", "body": reply.body})
