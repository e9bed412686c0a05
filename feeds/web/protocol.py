"""HTTP connections: uvicorn's protocol with bounds on time and headers, and with short answers for files.

uvicorn (0.54) waits for ever for the rest of a request's head, bounds its size only with h11, and waits for ever for a
client that does not read. Its way from a request to an application takes longer than everything that a 304 needs.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

#: Seconds for the head of a request, from its first byte or from the connection.
HEAD_SECONDS = 10.0
#: Seconds that a connection may be idle after an answer, or a client may read nothing of it. Longer than nginx keeps a
#: connection to us (60): if we ended it first, a form that nginx sends at that moment would be lost.
IDLE_SECONDS = 75.0
#: Bytes of the path and headers of a request.
MOST_HEAD_BYTES = 32 * 1024
#: Connections at once; further ones are closed, so that there are always file descriptors for the store.
MOST_CONNECTIONS = 8000

#: Requests that are remembered, and how long one may be: that of a reader is shorter.
_MOST_REPEATS, _LONGEST_REPEAT = 5000, 2000

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
#: A request with one of these needs more than an answer.
_SLOW_HEADERS = frozenset((b"content-length", b"transfer-encoding", b"expect", b"upgrade"))
_STATUS_LINES = {status: f"HTTP/1.1 {status} {status.phrase}\r\n".encode() for status in HTTPStatus}

Headers = list[tuple[bytes, bytes]]


class QuickReply(NamedTuple):
    """A whole answer to a request that nothing has to be waited for."""

    status: HTTPStatus
    #: The lines of the headers, each with its end, without those that change with the time.
    headers: bytes
    body: bytes
    #: Returns whether the same request would get the same answer now; it counts the request like a new one.
    repeat: Callable[[], bool]


class QuickAnswers(Protocol):
    """Answers requests that nothing has to be waited for."""

    #: The line of a header that changes with the time, with its end.
    cache_line: bytes

    def answer_now(self, method: bytes, path: str, fields: dict[bytes, bytes]) -> QuickReply | None:
        """Return the answer; None if the application has to give it."""


class RecentReplies:
    """The answers to requests that came before, by the bytes of the request.

    A reader asks with the same bytes each time, and many have the same program: then nothing has to be parsed.
    """

    def __init__(self) -> None:
        self._replies: dict[bytes, QuickReply] = {}
        self._date: Headers | None = None
        self._date_lines = b""

    def find(self, request: bytes) -> QuickReply | None:
        """Return the answer to the same request, if it is still the same."""
        reply = self._replies.get(request)
        if reply is None or reply.repeat():
            return reply
        self._replies.clear()  # a file has changed; what remains would keep its old versions in memory
        return None

    def add(self, request: bytes, reply: QuickReply) -> None:
        """Remember an answer."""
        if len(self._replies) >= _MOST_REPEATS:
            self._replies.clear()
        if len(request) <= _LONGEST_REPEAT:
            self._replies[request] = reply

    def date_lines(self, headers: Headers) -> bytes:
        """Return the lines of the headers that uvicorn renews each second."""
        if headers is not self._date:
            self._date, self._date_lines = headers, b"".join([b"%s: %s\r\n" % header for header in headers])
        return self._date_lines


class BoundedConnection(HttpToolsProtocol):
    """One connection of a client."""

    def __init__(self, *arguments: Any, quick: QuickAnswers | None, recent: RecentReplies, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._quick, self._recent = quick, recent
        #: Whether the parser is between two requests, and how many have begun in the bytes that it reads now.
        self._is_between, self._begun = True, 0
        #: The answer to the request that is being read, if it was given at once.
        self._answered: QuickReply | None = None
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
        """Answer a request that came before at once; else parse what has come."""
        if self._is_between and self._is_free() and (known := self._recent.find(data)) is not None:
            self._write(known)
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
            self._recent.add(data, self._answered)

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
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

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
            self._answered = reply
            self._write(reply)

    def _find_answer(self) -> QuickReply | None:
        method = self.parser.get_method()
        is_simple = method in (b"GET", b"HEAD") and self._is_free() and self.parser.should_keep_alive()
        if self._quick is None or not is_simple:
            return None
        fields = dict(self.headers)
        if len(fields) < len(self.headers) or not _SLOW_HEADERS.isdisjoint(fields) or b"%" in self.url:
            return None
        return self._quick.answer_now(method, self.url.partition(b"?")[0].decode("latin-1"), fields)

    def _start_application(self) -> None:
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()  # makes a new scope
        self.url, self.headers, self.expect_100_continue = url, headers, expects
        self.scope["headers"] = headers
        super().on_headers_complete()

    def _write(self, reply: QuickReply) -> None:
        assert self._quick is not None
        date = self._recent.date_lines(self.server_state.default_headers)
        self.transport.write(
            b"%s%s%s%s\r\n" % (_STATUS_LINES[reply.status], date, self._quick.cache_line, reply.headers)
        )
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
