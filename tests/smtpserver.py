"""A mail server on loopback whose replies and faults a test decides, with real sockets and TLS.

It does what aiosmtpd cannot: PIPELINING, closing a connection at a chosen byte, unexpected replies, silence. It keeps
the messages that it accepted, so that a test can count them.
"""

import _thread
import re
import select
import socket
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Self

_MESSAGE_ID = re.compile(rb"^Message-ID:[ \t]*(\S+)\r\n", re.MULTILINE | re.IGNORECASE)
_SUBJECT = re.compile(rb"^Subject:[ \t]*(.+)\r\n", re.MULTILINE | re.IGNORECASE)
_DATE = re.compile(rb"^Date:[ \t]*(.+)\r\n", re.MULTILINE | re.IGNORECASE)


class Fault(Enum):
    """A fault instead of a reply."""

    #: The connection is closed at once.
    HANG_UP = auto()
    #: It stays open, but no reply is sent any more.
    SILENCE = auto()
    #: The message is accepted, but the connection is closed before the reply.
    KEEP_AND_HANG_UP = auto()


class LastReply(str):
    """A reply after which the connection is closed."""

    __slots__ = ()


@dataclass(frozen=True)
class Step:
    """A command of a client."""

    #: `greeting`, `ehlo`, `starttls`, `auth`, `mail`, `rcpt`, `data`, `part` (of a content), `content`, `rset`, …
    stage: str
    #: The command line; for a content, its recipient.
    words: str
    #: The numbers of the connection, and of the message on it, both from 1.
    connection: int
    message: int
    #: How often this stage was reached before, on all connections.
    before: int


#: A reply of any number of lines, or a fault; None for the reply of a server without faults.
Answer = str | Fault | None
Rule = Callable[[Step], Answer]


@dataclass(frozen=True)
class AcceptedMessage:
    """A message that the server accepted."""

    sender: str
    recipient: str
    content: bytes
    connection: int
    #: `time.monotonic`.
    at: float

    @property
    def subject(self) -> str:
        return _SUBJECT.search(self.content)[1].decode()

    @property
    def message_id(self) -> str:
        return _MESSAGE_ID.search(self.content)[1].decode()

    @property
    def date(self) -> str:
        return _DATE.search(self.content)[1].decode()


def no_fault(_step: Step) -> Answer:
    """Reply like a server without faults."""
    return None


def at(stage: str, answer: Answer, *, times: int = 1_000_000_000, skip: int = 0) -> Rule:
    """Return a rule that gives *answer* at a stage: *times* times, after the first *skip* times."""

    def rule(step: Step) -> Answer:
        return answer if step.stage == stage and skip <= step.before < skip + times else None

    return rule


def wait_for(condition: Callable[[], object]) -> None:
    """Return when a condition holds, or after two seconds: for rules that make one server wait for another."""
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.002)


def ehlo_reply(*extensions: str) -> str:
    """Return a reply to EHLO."""
    lines = ["me", *extensions]
    return "\r\n".join([f"250-{line}" for line in lines[:-1]] + [f"250 {lines[-1]}"])


OFFERS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")
_REPLIES = {
    "greeting": "220 me ESMTP",
    "starttls": "220 2.0.0 go on",
    "auth": "235 2.7.0 welcome",
    "mail": "250 2.1.0 ok",
    "rcpt": "250 2.1.5 ok",
    "data": "354 go on",
    "content": "250 2.0.0 kept",
    "rset": "250 2.0.0 ok",
    "quit": "221 2.0.0 bye",
    "noop": "250 2.0.0 ok",
    "astray": "503 5.5.1 not now",
}


@dataclass
class SmtpServer:
    """Listens until it is closed."""

    rule: Rule = no_fault
    offers: tuple[str, ...] = OFFERS
    #: For STARTTLS, or, if *implicit*, from the first byte.
    tls: ssl.SSLContext | None = None
    implicit: bool = False
    #: Seconds that each message takes.
    pace: float = 0.0
    #: Whether every second message is dropped whose client has closed before the reply: RFC 5321 allows this.
    forgets: bool = False
    port: int = 0
    #: How many bytes of a content are read before the stage `part`; a small number lets a test hang up in the middle.
    window: int = 65_536
    accepted: list[AcceptedMessage] = field(default_factory=list)
    #: All command lines, each with the number of its connection.
    received: list[tuple[int, str]] = field(default_factory=list)
    #: Bytes that were sent before the reply to the last command, though PIPELINING was not offered.
    too_early: list[bytes] = field(default_factory=list)
    #: How many connections were ever opened, and the most that were open at one moment.
    connections: int = 0
    most_open: int = 0
    _counts: Counter[str] = field(default_factory=Counter)
    _open: set[socket.socket] = field(default_factory=set)
    #: An event for each connection, set at its end.
    _ended: list[threading.Event] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    closed: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._switching = sys.getswitchinterval()
        sys.setswitchinterval(0.0002)  # client and server threads switch many times a message
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closed.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for ended in self._ended:
            ended.wait()
        sys.setswitchinterval(self._switching)

    @property
    def open_connections(self) -> int:
        """How many connections are open now."""
        return len(self._open)

    # Results ----------------------------------------------------------------------------------------------------

    def counts(self) -> Counter[str]:
        """Return how many messages were accepted for each recipient."""
        return Counter(message.recipient for message in self.accepted)

    def duplicates(self) -> int:
        """Return how many messages were accepted beyond the first for each recipient."""
        return len(self.accepted) - len(self.counts())

    def copies(self) -> Iterator[list[AcceptedMessage]]:
        """Yield the messages to one recipient with one subject, for each of these pairs."""
        found: dict[tuple[str, str], list[AcceptedMessage]] = {}
        for message in self.accepted[:]:
            found.setdefault((message.recipient, message.subject), []).append(message)
        yield from found.values()

    def commands(self, verb: str) -> list[str]:
        """Return the command lines with one verb."""
        return [words for _, words in self.received if words.upper().startswith(verb)]

    # Threads ----------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        while not self.closed.is_set():
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
                self._open.add(accepted)
                self.most_open = max(self.most_open, len(self._open))
                connection = _Connection(self, accepted, self.connections)
            ended = threading.Event()
            self._ended.append(ended)
            # No `Thread`: coverage traces those, and CPython 3.11 fails if two begin to be traced at the same moment
            # ("Cannot install a trace function while another trace function is being installed").
            _thread.start_new_thread(self._serve, (connection, ended))

    def _serve(self, connection: "_Connection", ended: threading.Event) -> None:
        try:
            connection.run()
        except (OSError, _Disconnected):
            pass
        finally:
            with self._lock:
                self._open.discard(connection.socket)
            connection.socket.close()
            ended.set()

    def decide(self, connection: "_Connection", stage: str, words: str) -> Answer:
        with self._lock:
            before = self._counts[stage]
            self._counts[stage] += 1
        return self.rule(Step(stage, words, connection.number, connection.message, before))

    def is_even(self) -> bool:
        """Return True for every second call."""
        with self._lock:
            self._counts["even"] += 1
            return self._counts["even"] % 2 == 0

    def replace(self, old: socket.socket, new: socket.socket) -> None:
        with self._lock:
            self._open.discard(old)
            self._open.add(new)


class _Disconnected(Exception):  # noqa: N818 - not an error: it ends a connection
    """The connection has ended."""


class _Connection:
    """One connection."""

    def __init__(self, server: SmtpServer, accepted: socket.socket, number: int) -> None:
        self.server, self.socket, self.number = server, accepted, number
        self.message = 1
        self._rest = b""
        self._pipelining = False
        self._sender, self._recipient = "", ""

    def run(self) -> None:
        if self.server.implicit:
            self._start_tls()
        self._answer("greeting", "")
        while True:
            words = self._read_line()
            self.server.received.append((self.number, words))
            verb = words.partition(" ")[0].lower()
            if verb == "data":
                self._data(words)
            else:
                self._command(verb, words)

    def _command(self, verb: str, words: str) -> None:
        address = re.search(r"<(.*)>", words)
        reply = self._answer(verb if verb != "rcpt" or self._sender else "astray", words)
        if reply.startswith("2") and verb == "mail":
            self._sender = address[1]
        if reply.startswith("2") and verb == "rcpt":
            self._recipient = address[1]
        if verb == "rset":
            self._sender = self._recipient = ""
        if verb == "starttls" and reply.startswith("2"):
            self._start_tls()
        if verb == "quit":
            raise _Disconnected

    def _data(self, words: str) -> None:
        if "354" not in self._answer("data", words):
            return
        content = self._read_content()
        recipient = self._recipient
        answer = self.server.decide(self, "content", recipient)
        answer = _REPLIES["content"] if answer is None else answer
        if self.server.pace:
            time.sleep(self.server.pace)
        if self.server.forgets and self._client_has_closed() and self.server.is_even():
            raise _Disconnected
        is_kept = answer is Fault.KEEP_AND_HANG_UP or (isinstance(answer, str) and answer.startswith("2"))
        if is_kept and recipient:
            message = AcceptedMessage(self._sender, recipient, content, self.number, time.monotonic())
            self.server.accepted.append(message)
        self._send(answer if recipient or not is_kept else "554 5.5.1 no valid recipients")
        self.message += 1
        self._sender = self._recipient = ""

    def _client_has_closed(self) -> bool:
        poll = select.poll()
        poll.register(self.socket, select.POLLRDHUP)
        return bool(poll.poll(0))

    def _answer(self, stage: str, words: str) -> str:
        answer = self.server.decide(self, stage, words)
        if answer is None:
            default = ehlo_reply(*self.server.offers) if stage == "ehlo" else "502 5.5.1 what?"
            answer = _REPLIES.get(stage, default)
        if stage == "ehlo":
            self._pipelining = isinstance(answer, str) and "PIPELINING" in answer
        if stage == "data" and answer == _REPLIES["data"] and not self._recipient:
            answer = "554 5.5.1 no valid recipients"
        self._send(answer)
        return str(answer)

    def _send(self, answer: str | Fault) -> None:
        if answer is Fault.SILENCE:
            self.server.closed.wait()
            raise _Disconnected
        if isinstance(answer, Fault):
            raise _Disconnected
        if self._rest and not self._pipelining:
            self.server.too_early.append(self._rest)
        if answer:
            self.socket.sendall(f"{answer}\r\n".encode())
        if isinstance(answer, LastReply):
            raise _Disconnected

    def _start_tls(self) -> None:
        plain = self.socket
        self.socket = self.server.tls.wrap_socket(plain, server_side=True)
        self.server.replace(plain, self.socket)
        self._rest = b""

    def _read_line(self) -> str:
        while b"\r\n" not in self._rest:
            self._rest += self._read(65_536)
        line, _, self._rest = self._rest.partition(b"\r\n")
        return line.decode(errors="replace")  # a client that begins TLS unasked sends random bytes

    def _read_content(self) -> bytes:
        """Return a content without its final dot and without dot-stuffing (RFC 5321 section 4.5.2)."""
        found = bytearray(b"\r\n" + (self._rest or self._read(self.server.window)))
        answer = self.server.decide(self, "part", self._recipient)
        if answer is not None:
            self._send(answer)
        at = 0
        while (end := found.find(b"\r\n.\r\n", at)) < 0:
            at = max(0, len(found) - 4)
            found += self._read(self.server.window)
        self._rest = bytes(found[end + 5 :])
        return bytes(found[2 : end + 2]).replace(b"\r\n..", b"\r\n.")

    def _read(self, size: int) -> bytes:
        data = self.socket.recv(size)
        if not data:
            raise _Disconnected
        return data
