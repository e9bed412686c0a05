"""A mail server on loopback that does what a test tells it, faults included; real sockets, and TLS where asked for.

aiosmtpd serves well-behaved clients well; this one is for what it cannot do: PIPELINING, hanging up at a chosen byte,
answers that nobody asked for, silence. What it has taken it keeps, so that a test can count who got what.
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
    """What may come instead of an answer."""

    #: The connection is closed at once.
    HANG_UP = auto()
    #: It stays open, and nothing is said any more.
    SILENCE = auto()
    #: To a content: it is kept like any other, then the connection is closed.
    KEEP_AND_HANG_UP = auto()


class Last(str):
    """An answer behind which the connection is closed."""

    __slots__ = ()


@dataclass(frozen=True)
class Step:
    """Something that a client has said, or done."""

    #: `greeting`, `ehlo`, `starttls`, `auth`, `mail`, `rcpt`, `data`, `part` (some of a content), `content`, `rset`, …
    stage: str
    #: The command as it came; of a content, whom it is for.
    words: str
    #: Which connection, and which message on it, both from 1.
    connection: int
    message: int
    #: How often somebody has come to this stage before, on any connection.
    before: int


#: What to answer; None: what a server answers when all is well. Several lines, or none, are as good as one.
Answer = str | Fault | None
Rule = Callable[[Step], Answer]


@dataclass(frozen=True)
class Taken:
    """A message that the server took on."""

    sender: str
    recipient: str
    content: bytes
    connection: int
    #: On the clock that only goes forwards.
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


def well(_step: Step) -> Answer:
    """Answer as if all were well."""
    return None


def at(stage: str, answer: Answer, *, times: int = 1_000_000_000, skip: int = 0) -> Rule:
    """Return a rule that gives *answer* at a stage, so many *times*, after some were skipped."""

    def rule(step: Step) -> Answer:
        return answer if step.stage == stage and skip <= step.before < skip + times else None

    return rule


def wait_for(what: Callable[[], object]) -> None:
    """Return when something is so, or after two seconds: for rules that let one server answer after another."""
    for _ in range(1000):
        if what():
            return
        time.sleep(0.002)


def offering(*offers: str) -> str:
    """Return an answer to EHLO."""
    lines = ["me", *offers]
    return "\r\n".join([f"250-{line}" for line in lines[:-1]] + [f"250 {lines[-1]}"])


OFFERS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")
_WELL = {
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

    rule: Rule = well
    offers: tuple[str, ...] = OFFERS
    #: For STARTTLS, or from the first byte.
    tls: ssl.SSLContext | None = None
    implicit: bool = False
    #: Seconds that each message takes.
    pace: float = 0.0
    #: Whether every other message is dropped whose sender has gone before the answer: RFC 5321 leaves it to servers.
    forgets: bool = False
    port: int = 0
    #: Bytes that are read of a content before anything is decided; small ones let a test hang up in the middle.
    window: int = 65_536
    taken: list[Taken] = field(default_factory=list)
    #: Everything that clients said, contents aside, each with the number of its connection.
    heard: list[tuple[int, str]] = field(default_factory=list)
    #: What came before it was its turn, though PIPELINING was not offered.
    hasty: list[bytes] = field(default_factory=list)
    connections: int = 0
    most_at_once: int = 0
    _counts: Counter[str] = field(default_factory=Counter)
    _open: set[socket.socket] = field(default_factory=set)
    #: For each connection, what is set when it is over.
    _talks: list[threading.Event] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    closed: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._switching = sys.getswitchinterval()
        sys.setswitchinterval(0.0002)  # whoever talks to it here takes turns with it many times a message
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
            for line in self._open:
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)
        for over in self._talks:
            over.wait()
        sys.setswitchinterval(self._switching)

    @property
    def at_once(self) -> int:
        """How many connections are open."""
        return len(self._open)

    # What it has seen -------------------------------------------------------------------------------------------

    def counts(self) -> Counter[str]:
        """Return how many messages it has taken for each recipient."""
        return Counter(taken.recipient for taken in self.taken)

    def doubled(self) -> int:
        """Return how many messages it has taken beyond the first for each recipient."""
        return len(self.taken) - len(self.counts())

    def copies(self) -> Iterator[list[Taken]]:
        """Yield the messages of one subject for each recipient."""
        found: dict[tuple[str, str], list[Taken]] = {}
        for taken in self.taken[:]:
            subject = taken.subject
            found.setdefault((taken.recipient, subject), []).append(taken)
        yield from found.values()

    def said(self, verb: str) -> list[str]:
        """Return the commands of one kind."""
        return [words for _, words in self.heard if words.upper().startswith(verb)]

    # At work ----------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        while not self.closed.is_set():
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
                self._open.add(line)
                self.most_at_once = max(self.most_at_once, len(self._open))
                talk = _Talk(self, line, self.connections)
            over = threading.Event()
            self._talks.append(over)
            # No `Thread`: coverage traces those, and CPython 3.11 fails where two begin to be traced at the same moment
            # ("Cannot install a trace function while another trace function is being installed").
            _thread.start_new_thread(self._serve, (talk, over))

    def _serve(self, talk: "_Talk", over: threading.Event) -> None:
        try:
            talk.run()
        except (OSError, _HungUp):
            pass
        finally:
            with self._lock:
                self._open.discard(talk.line)
            talk.line.close()
            over.set()

    def decide(self, talk: "_Talk", stage: str, words: str) -> Answer:
        with self._lock:
            before = self._counts[stage]
            self._counts[stage] += 1
        return self.rule(Step(stage, words, talk.number, talk.message, before))

    def is_even(self) -> bool:
        """Return every other time that it is so."""
        with self._lock:
            self._counts["even"] += 1
            return self._counts["even"] % 2 == 0

    def replace(self, old: socket.socket, new: socket.socket) -> None:
        with self._lock:
            self._open.discard(old)
            self._open.add(new)


class _HungUp(Exception):  # noqa: N818 - it ends a talk, it is no fault
    """This connection is over."""


class _Talk:
    """One connection."""

    def __init__(self, server: SmtpServer, line: socket.socket, number: int) -> None:
        self.server, self.line, self.number = server, line, number
        self.message = 1
        self._rest = b""
        self._pipelining = False
        self._sender, self._recipient = "", ""

    def run(self) -> None:
        if self.server.implicit:
            self._secure()
        self._answer("greeting", "")
        while True:
            words = self._line()
            self.server.heard.append((self.number, words))
            verb = words.partition(" ")[0].lower()
            if verb == "data":
                self._data(words)
            else:
                self._command(verb, words)

    def _command(self, verb: str, words: str) -> None:
        address = re.search(r"<(.*)>", words)
        said = self._answer(verb if verb != "rcpt" or self._sender else "astray", words)
        if said.startswith("2") and verb == "mail":
            self._sender = address[1]
        if said.startswith("2") and verb == "rcpt":
            self._recipient = address[1]
        if verb == "rset":
            self._sender = self._recipient = ""
        if verb == "starttls" and said.startswith("2"):
            self._secure()
        if verb == "quit":
            raise _HungUp

    def _data(self, words: str) -> None:
        said = self._answer("data", words)
        if "354" not in said:
            return
        content = self._content()
        recipient = self._recipient
        said = self.server.decide(self, "content", recipient)
        said = _WELL["content"] if said is None else said
        if self.server.pace:
            time.sleep(self.server.pace)
        if self.server.forgets and self._is_alone() and self.server.is_even():
            raise _HungUp
        kept = said is Fault.KEEP_AND_HANG_UP or (isinstance(said, str) and said.startswith("2"))
        if kept and recipient:
            one = Taken(self._sender, recipient, content, self.number, time.monotonic())
            self.server.taken.append(one)
        self._say(said if recipient or not kept else "554 5.5.1 no valid recipients")
        self.message += 1
        self._sender = self._recipient = ""

    def _is_alone(self) -> bool:
        poll = select.poll()
        poll.register(self.line, select.POLLRDHUP)
        return bool(poll.poll(0))

    def _answer(self, stage: str, words: str) -> str:
        said = self.server.decide(self, stage, words)
        if said is None:
            well = offering(*self.server.offers) if stage == "ehlo" else "502 5.5.1 what?"
            said = _WELL.get(stage, well)
        if stage == "ehlo":
            self._pipelining = isinstance(said, str) and "PIPELINING" in said
        if stage == "data" and said == _WELL["data"] and not self._recipient:
            said = "554 5.5.1 no valid recipients"
        self._say(said)
        return str(said)

    def _say(self, said: str | Fault) -> None:
        if said is Fault.SILENCE:
            self.server.closed.wait()
            raise _HungUp
        if isinstance(said, Fault):
            raise _HungUp
        if self._rest and not self._pipelining:
            self.server.hasty.append(self._rest)
        if said:
            self.line.sendall(f"{said}\r\n".encode())
        if isinstance(said, Last):
            raise _HungUp

    def _secure(self) -> None:
        plain = self.line
        self.line = self.server.tls.wrap_socket(plain, server_side=True)
        self.server.replace(plain, self.line)
        self._rest = b""

    def _line(self) -> str:
        while b"\r\n" not in self._rest:
            self._rest += self._more(65_536)
        line, _, self._rest = self._rest.partition(b"\r\n")
        return line.decode()

    def _content(self) -> bytes:
        """Return a content without its end, as it was before dots were stuffed (RFC 5321 section 4.5.2)."""
        found = bytearray(b"\r\n" + (self._rest or self._more(self.server.window)))
        said = self.server.decide(self, "part", self._recipient)
        if said is not None:
            self._say(said)
        at = 0
        while (end := found.find(b"\r\n.\r\n", at)) < 0:
            at = max(0, len(found) - 4)
            found += self._more(self.server.window)
        self._rest = bytes(found[end + 5 :])
        return bytes(found[2 : end + 2]).replace(b"\r\n..", b"\r\n.")

    def _more(self, most: int) -> bytes:
        data = self.line.recv(most)
        if not data:
            raise _HungUp
        return data
