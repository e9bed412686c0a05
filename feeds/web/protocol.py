"""HTTP connections: uvicorn's protocol with bounds on time and headers, and with short answers for files.

uvicorn (0.54) waits for ever for the rest of a request's head, bounds its size only with h11, and waits for ever for a
client that does not read. It does not look at `Host`, and its answer to a request that it cannot parse comes before
those to earlier requests. Its way from a request to an application takes longer than everything that a 304 needs.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from feeds.web.request_target import is_valid_host, split_absolute

#: Seconds for the head of a request, from its first byte or from the connection.
HEAD_SECONDS = 10.0
#: Seconds that a connection may be idle after an answer, or a client may read nothing of it. Longer than nginx keeps a
#: connection to us (60): if we ended it first, a form that nginx sends at that moment would be lost.
IDLE_SECONDS = 75.0
#: Seconds that a client has to read a refusal. If we closed a connection that has bytes that we have not read, its end
#: would discard the answer (RFC 9112, section 9.6).
LINGER_SECONDS = 2.0
#: Bytes of the path and headers of a request.
MOST_HEAD_BYTES = 32 * 1024
#: Connections at once; further ones are closed, so that there are always file descriptors for the store.
MOST_CONNECTIONS = 8000

#: Requests that are remembered, and how long one may be: that of a reader is shorter.
_MOST_REPEATS, _LONGEST_REPEAT = 5000, 2000

#: A request with one of these needs more than an answer.
_SLOW_HEADERS = frozenset((b"content-length", b"transfer-encoding", b"expect", b"upgrade"))
_VERSIONS = frozenset(("1.0", "1.1"))
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


class _RefusedError(Exception):
    """Raised in a callback of the parser: the request gets an HTTP error, and is not read to its end."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


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
        #: The request whose body is being read and that the application answers, and the one before it.
        self._reading: RequestResponseCycle | None = None
        self._before: RequestResponseCycle | None = None
        #: Set when a request could not be read: the answer to it until it is sent, and that nothing more is read.
        self._refusal, self._is_refused = b"", False
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
        if not (self._is_refused or self.transport.is_closing()):
            self._parse(data)

    def _parse(self, data: bytes) -> None:
        was_between, self._begun = self._is_between, 0
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as e:  # we stay with HTTP/1.1
            if rest := data[e.args[0] :]:
                self._parse(rest)
        except httptools.HttpParserError as e:
            cause = e.__context__
            self._refuse(cause.status if isinstance(cause, _RefusedError) else HTTPStatus.BAD_REQUEST)
        else:
            if was_between and self._is_between and self._begun == 1 and self._answered is not None:
                self._recent.add(data, self._answered)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep the connection for the answers to whole requests: a client may have ended its side only."""
        if self._is_free() or not self._is_between:
            return False
        self.cycle.keep_alive = False
        return True

    # A request that cannot be read

    def _refuse(self, status: HTTPStatus) -> None:
        """Give the one answer to a request that cannot be read, after those to the requests before it; then end."""
        self._is_refused, is_begun = True, self._reading is not None and self._reading.response_started
        if self._reading is not None and not is_begun:
            self._abandon(self._reading)
        self._refusal = b"" if is_begun else self._render_refusal(status)
        if self._is_free():
            self._end()

    def _abandon(self, cycle: RequestResponseCycle) -> None:
        """Take a request from the application, or from those that wait for it."""
        if self.pipeline and self.pipeline[0][0] is cycle:
            self.pipeline.popleft()
            assert self._before is not None
            self.cycle = self._before
        cycle.disconnected = cycle.response_complete = True
        cycle.message_event.set()

    def _render_refusal(self, status: HTTPStatus) -> bytes:
        body = f"{status} {status.phrase}\n".encode()
        date = self._recent.date_lines(self.server_state.default_headers)
        return b"%s%sconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n\r\n%s" % (
            _STATUS_LINES[status],
            date,
            len(body),
            b"" if self.parser.get_method() == b"HEAD" else body,
        )

    def _end(self) -> None:
        """Send the refusal and end our side of the connection; `check_time` closes it."""
        self.flow.resume_reading()
        self.transport.write(self._refusal)
        self.transport.write_eof()
        self._deadline = self.loop.time() + LINGER_SECONDS

    def _is_free(self) -> bool:
        """Return whether no other request of this connection has to be answered before."""
        return self.cycle is None or (self.cycle.response_complete and not self.pipeline)

    # Callbacks of the parser

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self._is_between, self._answered, self._head_bytes, self._reading = False, None, 0, None
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
            raise _RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """Answer at once if that is possible, else start the application."""
        self._deadline = None
        reply = self._find_answer()
        if reply is None:
            self._check_head()
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
        if not is_valid_host(fields.get(b"host", b"")):
            return None
        return self._quick.answer_now(method, self.url.partition(b"?")[0].decode("latin-1"), fields)

    def _check_head(self) -> None:
        """Refuse a head without one valid host; that of a target in absolute form counts (RFC 9112, section 3.2)."""
        version, hosts = self.parser.get_http_version(), [value for name, value in self.headers if name == b"host"]
        needs_host = version != "1.0" or hosts
        if version not in _VERSIONS or (needs_host and not (len(hosts) == 1 and is_valid_host(hosts[0]))):
            raise _RefusedError(HTTPStatus.BAD_REQUEST)
        is_for_server = self.url == b"*" and self.parser.get_method() == b"OPTIONS"
        if not self.url.startswith(b"/") and not is_for_server:
            self._use_absolute_target()

    def _use_absolute_target(self) -> None:
        target = split_absolute(self.url)
        if target is None:
            raise _RefusedError(HTTPStatus.BAD_REQUEST)
        host, self.url = target
        self.headers = [(b"host", host), *(header for header in self.headers if header[0] != b"host")]

    def _start_application(self) -> None:
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()  # makes a new scope
        self.url, self.headers, self.expect_100_continue = url, headers, expects
        self.scope["headers"] = headers
        self._before = self.cycle
        super().on_headers_complete()
        self._reading = self.cycle

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
        self._is_between, self._reading = True, None
        if self._answered is None:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._unset_keepalive_if_required()  # `check_time` does that for all connections
        self._deadline = self.loop.time() + IDLE_SECONDS
        if self._is_refused and self._is_free() and not self.transport.is_closing():
            self._end()


async def check_times(state: ServerState) -> None:
    """End the connections of clients that take too long, until the task is cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(1)
        for connection in list(state.connections):
            if isinstance(connection, BoundedConnection):
                connection.check_time(loop.time())
