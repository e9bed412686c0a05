"""Several connections, one loop: whatever the replies of a turn decide is written down together, then acted upon.

The loop asks a `Desk` for work and tells it what has come of it. The desk's `turn` is the one place where anything is
written down: it takes the answers of this turn and the parcels whose content servers wait for, and gives out contents.
So a transaction serves all connections that had something to say, and no content leaves before it is written down.
"""

import selectors
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Thread

from feeds import settings
from feeds.edges.mail.smtp import connect
from feeds.edges.mail.smtp.fair_queue import FairShare
from feeds.edges.mail.smtp.reply import ProtocolError
from feeds.edges.mail.smtp.session import PATIENCE, ContentRequested, Event, SmtpSession
from feeds.edges.mail.transport import DeliveryQueue, OutgoingMail, Replied, Reply, Stage, Unconfirmed
from feeds.errors import FeedsError, MailServerUnavailable, SenderRejected

_READ = 65_536
#: A connection has carried enough (RFC 5321 has no limit; servers have: Postfix and others close after 100 to 1,000).
_MOST_MESSAGES = 1000
#: Seconds between tries to open a connection again, growing, and how many in a row are enough to give the server up.
_PAUSES = (0.0, 1.0, 5.0)
#: "Closing", and "temporary authentication failure" that some relays say instead (RFC 5321, RFC 4954 section 6).
_CLOSING, _NOT_NOW = 421, 454
_TOO_FAST = frozenset({_CLOSING, _NOT_NOW})
#: A transaction costs the same for one connection as for all of them, so more are waited for: so much of the time that
#: a message takes at its server, which costs little there, and so many seconds at most.
_GATHER, _MOST_GATHER = 1 / 8, 0.004
#: Seconds the loop sleeps at most, to look at clocks and opening connections.
_NAP = 0.25
#: Why a connection ends when the work does.
_STOPPED = "stopped"


@dataclass(slots=True, eq=False)
class _Connection:
    """One connection at work."""

    server: "_Server"
    socket: socket.socket
    dialogue: SmtpSession
    buffer: memoryview = field(default_factory=lambda: memoryview(b""))
    written: int = 0
    messages: int = 0
    #: How many of them were answered, other than by closing.
    answered: int = 0
    #: When the last content was given out.
    given_at: float = 0.0
    #: When a reply that is due is too late.
    deadline: float = 0.0
    patient_for: Stage | None = None


class _Opening(Thread):
    """A connection that is being opened, beside everything else."""

    def __init__(self, server: "_Server", name: str) -> None:
        super().__init__(daemon=True, name="opening")
        self._about = (server.settings, server.password, name, server.context)
        self._found: connect.ReadySocket | None = None
        self._wrong: MailServerUnavailable | SenderRejected = MailServerUnavailable(
            f"{server.settings.host}: the connection was not opened"
        )
        self._unwanted = False

    def run(self) -> None:
        """Open it."""
        try:
            self._found = connect.connect(*self._about)
        except (MailServerUnavailable, SenderRejected) as e:
            self._wrong = e
        if self._unwanted:
            self.forget()

    def result(self) -> connect.ReadySocket:
        """Return the connection, when the thread has ended, however it has.

        Raises:
            MailAway, MailRefused: there is none.
        """
        if self._found is None:
            raise self._wrong
        return self._found

    def forget(self) -> None:
        """Close it, now or when it is open: nobody waits for it any more."""
        self._unwanted = True
        if self._found is not None:
            self._found.socket.close()


@dataclass(slots=True, eq=False)
class _Server:
    """One server, its connections and how fast it may be given messages."""

    settings: settings.SmtpSettings
    password: str
    context: ssl.SSLContext | None
    lines: list[_Connection] = field(default_factory=list)
    opening: list[_Opening] = field(default_factory=list)
    failures: int = 0
    not_before: float = 0.0
    #: When the next message may be given to it (`per_minute`).
    next_message: float = 0.0
    #: How many connections it bears: fewer when it says so.
    connection_limit: int = 1
    given_up: FeedsError | None = None
    share: FairShare = field(default_factory=FairShare)
    #: Until when it leaves messages to other servers.
    waits_until: float = 0.0
    #: Whether it takes addresses beyond ASCII; None until it has been asked.
    takes_utf8: bool | None = None

    def is_open(self, now: float) -> bool:
        """Whether it takes messages, if not at once."""
        return bool(self.lines) and self.next_message <= now

    def has_room(self) -> bool:
        """Whether it could take one at once."""
        return any(line.dialogue.is_free and line.messages < _MOST_MESSAGES for line in self.lines)

    def count(self) -> None:
        """Note that a message is under way: the next one may have to wait."""
        if self.settings.per_minute:
            self.next_message = max(self.next_message, time.monotonic()) + 60 / self.settings.per_minute

    def slow_down(self) -> None:
        """Bother it with half as many connections, and with no new one for a while."""
        self.connection_limit = max(1, self.connection_limit // 2)
        self.not_before = time.monotonic() + 1


class SmtpTransport:
    """The transport to mail servers, each given with its password; *name* is what we call ourselves there."""

    idempotent = False

    def __init__(self, servers: Sequence[tuple[settings.SmtpSettings, str]], name: str) -> None:
        self._servers, self._name = servers, name

    def run(self, desk: DeliveryQueue) -> None:
        """Work until the desk has nothing more.

        Raises:
            MailRefused, MailAway: no server takes our mail; the desk has everything back.
        """
        _SmtpSender(self._servers, self._name, desk).run()


class _SmtpSender:
    """Brings what a desk has to its servers, once."""

    def __init__(self, servers: Sequence[tuple[settings.SmtpSettings, str]], name: str, desk: DeliveryQueue) -> None:
        self._name, self._desk = name, desk
        self._servers = [
            _Server(
                about,
                password,
                connect.tls_context(about),
                connection_limit=about.connections,
                share=FairShare(about.weight),
            )
            for about, password in servers
        ]
        self._selector = selectors.DefaultSelector()
        self._answers: list[Replied | Unconfirmed] = []
        self._wanted: list[tuple[_Connection, OutgoingMail]] = []
        #: Parcels for a server that takes such addresses (SMTPUTF8).
        self._beyond_ascii: list[OutgoingMail] = []
        self._exhausted = False

    def run(self) -> None:
        try:
            while self._is_at_work():
                self._listen()
                self._act()
        finally:
            self._end()
        self._complain()

    def _complain(self) -> None:
        reasons = [server.given_up for server in self._servers if server.given_up]
        if len(reasons) == len(self._servers):
            raise reasons[0]

    # Connections ------------------------------------------------------------------------------------------------

    def _is_at_work(self) -> bool:
        """Open what should be open, offer what can be offered; return whether anything is left to wait for."""
        stopping = self._desk.stopping()
        for server in self._servers:
            self._opened(server)
        while self._offer_all(stopping=stopping) and len(self._servers) > 1:
            pass  # who was ahead may be behind by now
        needed = [] if stopping else [server for server in self._servers if self._has_work_for(server)]
        for server in needed:
            self._open_more(server)
        return any(server.lines for server in self._servers) or any(s.opening or not s.given_up for s in needed)

    def _has_work_for(self, server: _Server) -> bool:
        return not self._exhausted or (bool(self._beyond_ascii) and server.takes_utf8 is not False)

    def _open_more(self, server: _Server) -> None:
        missing = server.connection_limit - len(server.lines) - len(server.opening)
        if server.given_up or time.monotonic() < server.not_before:
            return
        # One at first, until it is known that it can be reached.
        missing = min(missing, 1) if server.failures or not server.lines else missing
        for _ in range(missing if not server.opening or server.lines else 0):
            opening = _Opening(server, self._name)
            opening.start()
            server.opening.append(opening)

    def _opened(self, server: _Server) -> None:
        for opening in [opening for opening in server.opening if not opening.is_alive()]:
            server.opening.remove(opening)
            try:
                found = opening.result()
            except (MailServerUnavailable, SenderRejected) as e:
                self._failed(server, e)
            else:
                self._begin(server, found)

    def _failed(self, server: _Server, reason: MailServerUnavailable | SenderRejected) -> None:
        """Open fewer connections from now on, later; give a server up that has none and refuses us, or answers none."""
        if server.lines:
            server.connection_limit = len(server.lines)
            return
        server.failures += 1
        if server.failures >= len(_PAUSES) or isinstance(reason, SenderRejected):
            server.given_up = reason
        else:
            server.not_before = time.monotonic() + _PAUSES[server.failures]

    def _begin(self, server: _Server, found: connect.ReadySocket) -> None:
        server.takes_utf8 = "smtputf8" in found.offers
        dialogue = SmtpSession(pipelining="pipelining" in found.offers, utf8=server.takes_utf8)
        line = _Connection(server, found.socket, dialogue)
        server.lines.append(line)
        self._selector.register(found.socket, selectors.EVENT_READ, line)

    def _offer_all(self, *, stopping: bool) -> bool:
        """Offer what can be; return whether that changes what else can be."""
        was_exhausted = self._exhausted
        offered = [self._offer(line, stopping=stopping) for server in self._servers for line in server.lines[:]]
        return any(offered) or self._exhausted != was_exhausted

    def _offer(self, line: _Connection, *, stopping: bool) -> bool:
        """Give a free connection its next parcel, or end it where there is none; return whether it has one."""
        dialogue = line.dialogue
        if dialogue.closing or line.messages >= _MOST_MESSAGES:
            if dialogue.waits_for is None:
                self._close(line)
            return False
        if not dialogue.is_free or (not stopping and self._pauses(line.server)):
            return False
        parcel = None if stopping else self._take(dialogue)
        if parcel is not None:
            line.messages += 1
            self._count(line.server)
            dialogue.begin(parcel)
            self._write(line)
        elif dialogue.waits_for is None:
            self._close(line)
        return parcel is not None

    def _pauses(self, server: _Server) -> bool:
        """Return whether a server is to have no message now: it has had enough for a while, or another one is behind.

        Nobody waits for another server where there may be nothing to share: a connection ends when it is told so.
        """
        now = time.monotonic()
        if server.next_message > now or len(self._servers) == 1 or self._exhausted:
            return server.next_message > now
        rivals = [
            (other.share, other.has_room()) for other in self._servers if other is not server and other.is_open(now)
        ]
        server.waits_until = server.share.waits_until(rivals, now)
        return server.waits_until > now

    def _count(self, server: _Server) -> None:
        server.count()
        if len(self._servers) > 1:
            server.share.take([other.share for other in self._servers if other is not server], time.monotonic())

    def _take(self, dialogue: SmtpSession) -> OutgoingMail | None:
        if dialogue.utf8 and self._beyond_ascii:
            return self._beyond_ascii.pop()
        parcel = self._desk.next()
        while parcel is not None and parcel.utf8 and not dialogue.utf8:
            self._beyond_ascii.append(parcel)
            parcel = self._desk.next()
        self._exhausted = parcel is None
        return parcel

    def _close(self, line: _Connection) -> None:
        line.dialogue.quit()
        self._write(line)
        self._drop(line, "closed")

    def _drop(self, line: _Connection, reason: str) -> None:
        """Let a connection go, and say what is known of its parcels."""
        if line not in line.server.lines:
            return
        line.server.lines.remove(line)
        self._selector.unregister(line.socket)
        line.socket.close()
        if last := line.dialogue.pending_refusal():
            self._note(line, last)
        maybe, cut, unseen = line.dialogue.unfinished(line.written)
        if maybe:
            self._answers.append(Unconfirmed(maybe, reason))
        closing = line.dialogue.closing
        if unseen and not (line.answered or maybe or cut or closing or reason == _STOPPED):
            # It may be what the server breaks on: at the head of one connection after the other it would hold up all.
            cut, unseen = unseen, None
        if cut:
            self._answers.append(Replied(cut, Reply(451, f"4.4.2 {reason}"), Stage.CONTENT))
        if unseen:
            self._desk.requeue(unseen)
            self._exhausted = False
        self._wanted = [(other, parcel) for other, parcel in self._wanted if other is not line]
        if not line.answered and (maybe or cut or unseen or closing):
            self._failed(line.server, MailServerUnavailable(f"{line.server.settings.host}: {reason}"))

    def _end(self) -> None:
        """Let all go; what servers may have is written down, what they have not goes back."""
        for server in self._servers:
            for opening in server.opening:
                opening.forget()
            for line in server.lines[:]:
                self._drop(line, _STOPPED)
        self._answer_beyond_ascii()
        if self._answers:
            self._desk.commit(self._answers, [])
            self._answers = []
        self._selector.close()

    def _answer_beyond_ascii(self) -> None:
        """Answer for servers that take no such addresses, for good if none does; who was stopped has asked too few."""
        for_good = all(server.takes_utf8 is False for server in self._servers)
        code, enhanced = (550, "5.6.7") if for_good else (451, "4.6.7")
        reply = Reply(code, f"{enhanced} the server does not take addresses beyond ASCII (SMTPUTF8)")
        for parcel in self._beyond_ascii:
            if self._desk.stopping() and not for_good:
                self._desk.requeue(parcel)
            else:
                self._answers.append(Replied(parcel, reply, Stage.RCPT))

    # A turn -----------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """Read and write what can be; drop who is silent for too long."""
        self._hear(self._nap() if self._selector.get_map() else 0.02)
        if 0 < len(self._wanted) < sum(len(server.lines) for server in self._servers) // 2:
            time.sleep(min(_MOST_GATHER, *(_GATHER * server.share.pace for server in self._servers if server.lines)))
            self._hear(0)
        now = time.monotonic()
        for line in [line for server in self._servers for line in server.lines if self._is_late(line, now)]:
            self._drop(line, f"no reply within {PATIENCE[line.patient_for or Stage.MAIL]} seconds")

    def _nap(self) -> float:
        """Return how long nothing but a server's word calls for anything."""
        now = time.monotonic()
        moments = [moment for s in self._servers for moment in (s.next_message, s.waits_until) if moment > now]
        return min([_NAP, *(moment - now for moment in moments)])

    def _hear(self, wait: float) -> None:
        for key, mask in self._selector.select(wait):
            line: _Connection = key.data
            if mask & selectors.EVENT_WRITE:
                self._write(line)
            if mask & selectors.EVENT_READ and line in line.server.lines:
                self._read(line)

    def _is_late(self, line: _Connection, now: float) -> bool:
        return line.dialogue.waits_for is not None and now > line.deadline

    def _act(self) -> None:
        """Write down what has been heard and what is about to be said, then say it."""
        if not self._answers and not self._wanted:
            self._desk.commit([], [])  # nothing new: what it has put off is not put off for long
            return
        contents = self._desk.commit(self._answers, [parcel for _, parcel in self._wanted])
        self._answers.clear()
        ready, self._wanted = self._wanted, []
        for line, parcel in ready:
            content = contents.get(parcel.id)
            if content is None:  # the reader has left; a server that waits for content takes nothing else
                line.dialogue.abandon()
                self._drop(line, "not needed any more")
                continue
            line.dialogue.send_content(content)
            line.given_at = time.monotonic()
            self._offer(line, stopping=self._desk.stopping())
            self._write(line)

    # Bytes ------------------------------------------------------------------------------------------------------

    def _read(self, line: _Connection) -> None:
        while True:
            try:
                data = line.socket.recv(_READ)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError as e:
                self._drop(line, f"the connection broke: {e.strerror or e}")
                return
            if not self._heard(line, data):
                return
            if len(data) < _READ and not isinstance(line.socket, ssl.SSLSocket):
                return

    def _heard(self, line: _Connection, data: bytes) -> bool:
        """Take in what a server says; return whether the connection is still of use."""
        if not data:
            self._drop(line, "the server closed the connection")
            return False
        heard = line.dialogue.heard
        try:
            for event in line.dialogue.receive(data):
                self._note(line, event)
        except ProtocolError as e:
            self._drop(line, str(e))
            return False
        if line.dialogue.heard > heard:  # whole replies: some servers say a byte now and then
            self._set_patience(line)
        if line.dialogue.closing:  # some say so and never hang up
            self._drop(line, str(line.dialogue.closing))
            return False
        if line.dialogue.outgoing:
            self._write(line)
        return line in line.server.lines

    def _note(self, line: _Connection, event: Event) -> None:
        if isinstance(event, ContentRequested):
            self._wanted.append((line, event.mail))
            return
        self._answers.append(event)
        if event.stage is Stage.CONTENT:
            line.server.share.measure(time.monotonic() - line.given_at)
        if event.reply.code != _CLOSING:
            line.answered += 1
            line.server.failures = 0
        if event.reply.code in _TOO_FAST or event.reply.enhanced.startswith("4.7."):
            line.server.slow_down()

    def _write(self, line: _Connection) -> None:
        """Write as much as the connection takes now."""
        outgoing = line.dialogue.outgoing
        while line.buffer or outgoing:
            if not line.buffer:
                line.buffer = memoryview(b"".join(outgoing) if len(outgoing) > 1 else outgoing[0])
                outgoing.clear()
            try:
                sent = line.socket.send(line.buffer)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except OSError as e:
                self._read(line)  # the server may have said why
                self._drop(line, f"the connection broke: {e.strerror or e}")
                return
            line.written += sent
            line.buffer = line.buffer[sent:]
        self._set_patience(line)
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if line.buffer else 0)
        if line in line.server.lines and self._selector.get_key(line.socket).events != wanted:
            self._selector.modify(line.socket, wanted, line)

    def _set_patience(self, line: _Connection) -> None:
        """Begin to wait anew where another reply is due, or more could be written."""
        stage = line.dialogue.waits_for
        line.patient_for = stage
        if stage is not None:
            line.deadline = time.monotonic() + PATIENCE[stage]
