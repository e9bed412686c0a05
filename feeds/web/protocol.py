"""HTTP connections: uvicorn's protocol with bounds on time and headers, and with short answers for files.

uvicorn (0.54) waits for ever for the rest of a request's head, bounds its size only with h11, and waits for ever for a
client that does not read. Its way from a request to an application takes longer than everything that a 304 needs.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

#: Seconds for the head of a request, from its first byte or from the connection.
HEAD_SECONDS = 10.0
#: Seconds that a connection may be idle after an answer, or a client may read nothing of it. Longer than the browsers'
#: pause between a page and its style sheet; a proxy opens another one.
IDLE_SECONDS = 20.0
#: Bytes of the path and headers of a request.
MOST_HEAD_BYTES = 32 * 1024
#: Connections at once; further ones are closed, so that there are always file descriptors for the store.
MOST_CONNECTIONS = 8000

#: Requests that are remembered until the second is over.
_MOST_REPEATS = 500

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
#: A request with one of these needs more than an answer.
_SLOW_HEADERS = frozenset((b"content-length", b"transfer-encoding", b"expect", b"upgrade"))
_STATUS_LINES = {status: f"HTTP/1.1 {status} {status.phrase}\r\n".encode() for status in HTTPStatus}

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer."""

    status: HTTPStatus
    headers: Headers
    body: bytes = b""
    #: Returns whether the same request would get the same answer now; it counts the request like a new one.
    repeat: Callable[[], bool] = bool


class QuickAnswers(Protocol):
    """Answers requests that nothing has to be waited for."""

    def answer_now(self, method: str, path: str, fields: dict[bytes, bytes]) -> Reply | None:
        """Return the answer; None if the application has to give it."""


class RecentReplies:
    """The answers to the requests of this second, by the bytes of the request.

    Many readers ask for the same feed with the same words: then nothing is parsed. All of it is forgotten as soon as
    the `Date` of answers changes.
    """

    def __init__(self) -> None:
        self._date: Headers | None = None
        self._replies: dict[bytes, tuple[bytes, Reply]] = {}

    def find(self, request: bytes, date: Headers) -> tuple[bytes, Reply] | None:
        """Return the head of an answer and the answer; *date* are the headers that uvicorn renews each second."""
        if date is not self._date:
            self._date = date
            self._replies.clear()
        return self._replies.get(request)

    def add(self, request: bytes, head: bytes, reply: Reply) -> None:
        """Remember an answer."""
        if len(self._replies) < _MOST_REPEATS:
            self._replies[request] = head, reply


class BoundedConnection(HttpToolsProtocol):
    """One connection of a client."""

    def __init__(self, *arguments: Any, quick: QuickAnswers | None, recent: RecentReplies, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._quick, self._recent = quick, recent
        #: Whether the parser is between two requests, and how many have begun in the bytes that it reads now.
        self._is_between, self._begun = True, 0
        #: The answer to the request that is being read, if it was given at once.
        self._answered: tuple[bytes, Reply] | None = None
        self._head_bytes = 0
        #: When the client must have gone on, in the event loop's time; None while we work for it.
        self._deadline: float | None = None
        self._unread = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; refuse a connection above the bound."""
        super().connection_made(transport)
        self._deadline = self.loop.time() + HEAD_SECONDS
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()

    def check_time(self, now: float) -> None:
        """End the connection if its client takes too long; call it every second or so."""
        if self._deadline is None or now < self._deadline:
            return
        unread = self.transport.get_write_buffer_size()
        if unread == 0:
            self.transport.close()
        elif unread == self._unread:
            self.transport.abort()  # closing would wait until it is read
        self._unread, self._deadline = unread, now + IDLE_SECONDS

    def data_received(self, data: bytes) -> None:
        """Answer a request like one of this second at once; else parse what has come."""
        if self._is_between and self._is_free():
            known = self._recent.find(data, self.server_state.default_headers)
            if known is not None and known[1].repeat():
                self._write(*known)
                return
        if not self.transport.is_closing():  # nothing after an error
            self._parse(data)

    def _parse(self, data: bytes) -> None:
        was_between, self._begun = self._is_between, 0
        try:
            super().data_received(data)
        except httptools.HttpParserCallbackError:  # see `_count`
            self.transport.close()
            return
        if was_between and self._is_between and self._begun == 1 and self._answered is not None:
            self._recent.add(data, *self._answered)

    def _is_free(self) -> bool:
        """Return whether no other request of this connection has to be answered before."""
        return self.cycle is None or (self.cycle.response_complete and not self.pipeline)

    # Callbacks of the parser

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self._is_between, self._answered, self._head_bytes = False, None, 0
        self._begun += 1
        self._deadline = self.loop.time() + HEAD_SECONDS

    def on_url(self, url: bytes) -> None:
        """Add a part of the path."""
        self._count(len(url))
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MOST_HEAD_BYTES:
            self.transport.write(_TOO_LARGE)
            raise ValueError("the head of a request is too large")  # ends the parser; see `_parse`

    def on_headers_complete(self) -> None:
        """Answer at once if that is possible, else start the application."""
        self._deadline = None
        reply = self._find_answer()
        if reply is None:
            self._start_application()
        else:
            self._answered = self._render_head(reply), reply
            self._write(*self._answered)

    def _find_answer(self) -> Reply | None:
        method = self.parser.get_method()
        is_simple = method in (b"GET", b"HEAD") and self._is_free() and self.parser.should_keep_alive()
        if self._quick is None or not is_simple:
            return None
        fields = dict(self.headers)
        if len(fields) < len(self.headers) or not _SLOW_HEADERS.isdisjoint(fields) or b"%" in self.url:
            return None
        return self._quick.answer_now(method.decode(), self.url.partition(b"?")[0].decode("latin-1"), fields)

    def _start_application(self) -> None:
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()  # makes a new scope
        self.url, self.headers, self.expect_100_continue = url, headers, expects
        self.scope["headers"] = headers
        super().on_headers_complete()

    def _render_head(self, reply: Reply) -> bytes:
        lines = [_STATUS_LINES[reply.status]]
        for name, value in (*self.server_state.default_headers, *reply.headers):
            lines += (name, b": ", value, b"\r\n")
        return b"".join((*lines, b"\r\n"))

    def _write(self, head: bytes, reply: Reply) -> None:
        self.transport.write(head)
        if reply.body:
            self.transport.write(reply.body)
        self._deadline = self.loop.time() + IDLE_SECONDS

    def on_body(self, body: bytes) -> None:
        """Add a part of the body."""
        if self._answered is None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._is_between = True
        if self._answered is None:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._unset_keepalive_if_required()  # `check_time` does that for all connections
        self._deadline = self.loop.time() + IDLE_SECONDS


async def check_times(state: ServerState) -> None:
    """End the connections of clients that take too long, until the task is cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(1)
        for connection in list(state.connections):
            if isinstance(connection, BoundedConnection):
                connection.check_time(loop.time())
