"""The SMTP transport: one loop sends over all connections of all servers.

Each round of the loop collects the replies that have arrived, commits them to the `DeliveryQueue` together with the
mail whose content is about to be sent, and then sends these contents. So one transaction serves all connections, and
no content is sent before the database knows of it.
"""

import selectors
import ssl
import time
from collections.abc import Sequence

from feeds.edges.mail.smtp.connect import ReadySocket, find_problem
from feeds.edges.mail.smtp.reply import ProtocolError
from feeds.edges.mail.smtp.server import Connection, ConnectThread, Server
from feeds.edges.mail.smtp.session import TIMEOUTS, ContentRequested, Event, SmtpSession
from feeds.edges.mail.transport import DeliveryQueue, OutgoingMail, Replied, Reply, Stage, Unconfirmed
from feeds.errors import MailServerUnavailable, SenderRejected
from feeds.model import ReplyAction
from feeds.settings import SmtpSettings

_READ_SIZE = 65_536
#: Seconds before a connection is tried again, for each failure in a row; after as many failures the server is given up.
_PAUSES = (0.0, 1.0, 5.0)
#: The server closes the connection (RFC 5321 section 3.8).
_CLOSING = 421
#: A transaction costs the same for one connection as for all, so the loop waits for more of them to have replies: for
#: this part of the time that a message takes at its server, and for so many seconds at most.
_GATHER, _MOST_GATHER = 1 / 8, 0.004
#: Seconds that the loop waits at most before it looks at timeouts and at connections that are being opened.
_LONGEST_WAIT = 0.25
#: The reason of a disconnect at the end of the run.
_STOPPED = "stopped"


class SmtpTransport:
    """Sends to mail servers, each given with its password; *name* is the host name for EHLO."""

    idempotent = False

    def __init__(self, servers: Sequence[tuple[SmtpSettings, str]], name: str) -> None:
        self._servers, self._name = servers, name

    def run(self, queue: DeliveryQueue) -> None:
        """Send until the queue has nothing more.

        Raises:
            SenderRejected, MailServerUnavailable: no server accepts our mail; all of it is back in the queue.
        """
        _SmtpSender(self._servers, self._name, queue).run()

    def find_problems(self) -> list[str]:
        """Return a text for each server that cannot be reached, or rejects TLS, user or password."""
        return [
            problem for server, password in self._servers if (problem := find_problem(server, password, self._name))
        ]


class _SmtpSender:
    """Sends the mail of a queue, once."""

    def __init__(self, servers: Sequence[tuple[SmtpSettings, str]], name: str, queue: DeliveryQueue) -> None:
        self._name, self._queue = name, queue
        self._servers = [Server(settings, password) for settings, password in servers]
        self._selector = selectors.DefaultSelector()
        #: What the next transaction records: outcomes, and mail whose content a connection waits for.
        self._outcomes: list[Replied | Unconfirmed] = []
        self._requests: list[tuple[Connection, OutgoingMail]] = []
        #: Mail that only a server with SMTPUTF8 can take.
        self._non_ascii: list[OutgoingMail] = []
        self._queue_is_empty = False

    def run(self) -> None:
        self._load_limits()
        try:
            while self._start_mail():
                self._receive()
                self._commit()
                self._leave_rejecting()
        finally:
            self._stop()
        errors = [server.error for server in self._servers if server.error]
        if len(errors) == len(self._servers):
            raise errors[0]

    # Limits -----------------------------------------------------------------------------------------------------

    def _load_limits(self) -> None:
        for server in self._servers:
            server.resume(*self._queue.load_limit(server.name))

    def _refuse(self, connection: Connection, reply: Reply) -> None:
        """Take into account that the server wants no more messages on a connection for now."""
        if not connection.is_refused:
            server = connection.server
            wait = server.refuse(connection, reply)
            self._queue.save_limit(server.name, server.pace.limit, wait)

    def _count_accepted(self, connection: Connection) -> None:
        connection.accepted += 1
        server = connection.server
        server.limited_domains.clear()
        if server.pace.count_accepted(connection.accepted, time.monotonic()):
            self._queue.save_limit(server.name, server.pace.limit, 0)

    def _leave_rejecting(self) -> None:
        """Leave the servers that reject the sender, whoever the recipient is, once their replies are in."""
        for server in self._servers:
            reason = "" if server.error else self._queue.rejected_by(server.name)
            if reason:
                server.error = SenderRejected(reason)

    # Connections ------------------------------------------------------------------------------------------------

    def _start_mail(self) -> bool:
        """Give mail to every free connection and open more; return whether there is anything left to wait for."""
        stopping = self._queue.stopping()
        for server in self._servers:
            self._collect_opened(server)
        while self._start_on_all(stopping=stopping) and len(self._servers) > 1:
            pass  # a server that was ahead of its share may be behind now
        needed = [] if stopping else [server for server in self._servers if self._has_work_for(server)]
        for server in needed:
            self._open_connections(server)
        return any(server.connections for server in self._servers) or any(s.opening or not s.error for s in needed)

    def _has_work_for(self, server: Server) -> bool:
        return not self._queue_is_empty or (bool(self._non_ascii) and server.supports_utf8 is not False)

    def _open_connections(self, server: Server) -> None:
        missing = server.connection_limit - len(server.connections) - len(server.opening)
        if server.error or time.monotonic() < max(server.retry_at, server.pace.paused_until):
            return
        # Only one until it is known that the server accepts messages.
        is_unknown = server.failures or server.pace.is_recovering or not server.connections
        missing = min(missing, 1 - len(server.connections)) if is_unknown else missing
        for _ in range(missing if not server.opening or server.connections else 0):
            thread = ConnectThread(server, self._name)
            thread.start()
            server.opening.append(thread)

    def _collect_opened(self, server: Server) -> None:
        for thread in [thread for thread in server.opening if not thread.is_alive()]:
            server.opening.remove(thread)
            try:
                ready = thread.result()
            except (MailServerUnavailable, SenderRejected) as e:
                self._count_failure(server, e)
            else:
                self._add_connection(server, ready)

    def _count_failure(self, server: Server, error: MailServerUnavailable | SenderRejected) -> None:
        """Limit the server to the connections it has; if it has none, try again later, or give it up."""
        if server.connections:
            server.connection_limit = len(server.connections)
            return
        server.failures += 1
        if server.failures >= len(_PAUSES) or isinstance(error, SenderRejected):
            server.error = error
        else:
            server.retry_at = time.monotonic() + _PAUSES[server.failures]

    def _add_connection(self, server: Server, ready: ReadySocket) -> None:
        server.supports_utf8 = "smtputf8" in ready.extensions
        session = SmtpSession(pipelining="pipelining" in ready.extensions, utf8=server.supports_utf8)
        connection = Connection(server, ready.socket, session)
        server.connections.append(connection)
        self._selector.register(ready.socket, selectors.EVENT_READ, connection)

    def _start_on_all(self, *, stopping: bool) -> bool:
        """Start mail on every connection; return whether that changes what the others may start."""
        was_empty = self._queue_is_empty
        connections = [connection for server in self._servers for connection in server.connections]
        started = [self._start_on(connection, stopping=stopping) for connection in connections]
        return any(started) or self._queue_is_empty != was_empty

    def _start_on(self, connection: Connection, *, stopping: bool) -> bool:
        """Start the next mail on a free connection, or close it if there is none; return whether mail was started."""
        session = connection.session
        if session.closing or connection.is_used_up:
            if session.awaited_stage is None:
                self._quit(connection)
            return False
        if not session.is_free or (not stopping and self._must_wait(connection.server)):
            return False
        mail = None if stopping else self._next_mail(session)
        if mail is not None:
            connection.messages += 1
            self._count_message(connection.server)
            session.begin(mail)
            self._write(connection)
        elif session.awaited_stage is None:
            self._quit(connection)
        return mail is not None

    def _must_wait(self, server: Server) -> bool:
        """Return whether a server gets no message now: its rate limit is reached, or another one is behind its share.

        No server waits for another when the queue is empty, so that its connections are closed.
        """
        now = time.monotonic()
        if server.pace.next_message_at > now or len(self._servers) == 1 or self._queue_is_empty:
            return server.pace.next_message_at > now
        rivals = [
            (other.share, other.has_room()) for other in self._servers if other is not server and other.is_open(now)
        ]
        server.waits_until = server.share.waits_until(rivals, now)
        return server.waits_until > now

    def _count_message(self, server: Server) -> None:
        server.pace.count_message(time.monotonic())
        if len(self._servers) > 1:
            others = [other.share for other in self._servers if other is not server]
            server.share.count_message(others, time.monotonic())

    def _next_mail(self, session: SmtpSession) -> OutgoingMail | None:
        if session.utf8 and self._non_ascii:
            return self._non_ascii.pop()
        mail = self._queue.next()
        while mail is not None and mail.utf8 and not session.utf8:
            self._non_ascii.append(mail)
            mail = self._queue.next()
        self._queue_is_empty = mail is None
        return mail

    def _quit(self, connection: Connection) -> None:
        connection.session.quit()
        self._write(connection)
        self._drop(connection, "closed")

    def _drop(self, connection: Connection, reason: str) -> None:
        """Close a connection; record the outcomes of its mail, or requeue it."""
        server, session = connection.server, connection.session
        if connection not in server.connections:
            return
        server.connections.remove(connection)
        self._selector.unregister(connection.socket)
        connection.socket.close()
        if refusal := session.pending_refusal():
            self._handle(connection, refusal)
        unconfirmed, cut, unsent = session.unfinished(connection.bytes_sent)
        if unconfirmed:
            self._outcomes.append(Unconfirmed(unconfirmed, reason))
        if unsent and not (connection.replied or unconfirmed or cut or session.closing or reason == _STOPPED):
            # Perhaps the server fails on this mail: if it began one connection after the other, it would delay all.
            cut, unsent = unsent, None
        if cut:
            self._outcomes.append(Replied(cut, Reply(451, f"4.4.2 {reason}"), Stage.CONTENT))
        if unsent:
            self._requeue(unsent)
        self._requests = [(other, mail) for other, mail in self._requests if other is not connection]
        if not connection.replied and not session.closing and (unconfirmed or cut or unsent):
            self._count_failure(server, MailServerUnavailable(f"{server.settings.host}: {reason}"))

    def _requeue(self, mail: OutgoingMail) -> None:
        self._queue.requeue(mail)
        self._queue_is_empty = False

    def _stop(self) -> None:
        """Close all connections; commit what servers may have, and requeue what they do not have."""
        for server in self._servers:
            for thread in server.opening:
                thread.discard()
            for connection in server.connections[:]:
                self._drop(connection, _STOPPED)
        self._refuse_non_ascii()
        if self._outcomes:
            self._queue.commit(self._outcomes, [])
            self._outcomes = []
        self._selector.close()

    def _refuse_non_ascii(self) -> None:
        """Refuse mail that needs SMTPUTF8, for good if no server offers it; a run that was stopped requeues it."""
        is_final = all(server.supports_utf8 is False for server in self._servers)
        code, enhanced = (550, "5.6.7") if is_final else (451, "4.6.7")
        reply = Reply(code, f"{enhanced} the server does not accept non-ASCII addresses (SMTPUTF8)")
        for mail in self._non_ascii:
            if self._queue.stopping() and not is_final:
                self._queue.requeue(mail)
            else:
                self._outcomes.append(Replied(mail, reply, Stage.RCPT))

    # One round --------------------------------------------------------------------------------------------------

    def _receive(self) -> None:
        """Read and write on every connection that is ready; drop those whose reply is overdue."""
        self._poll(self._wait_seconds() if self._selector.get_map() else 0.02)
        active = [server for server in self._servers if server.connections]
        if 0 < len(self._requests) < sum(len(server.connections) for server in active) // 2:
            time.sleep(min(_MOST_GATHER, *(_GATHER * server.share.message_seconds for server in active)))
            self._poll(0)
        now = time.monotonic()
        for connection in [c for server in self._servers for c in server.connections if c.is_late(now)]:
            seconds = TIMEOUTS[connection.awaited_stage or Stage.MAIL]
            self._drop(connection, f"no reply within {seconds} seconds")

    def _wait_seconds(self) -> float:
        """Return how long the loop may wait if no server replies."""
        now = time.monotonic()
        times = [at for s in self._servers for at in (s.pace.next_message_at, s.waits_until) if at > now]
        return min([_LONGEST_WAIT, *(at - now for at in times)])

    def _poll(self, timeout: float) -> None:
        for key, mask in self._selector.select(timeout):
            connection: Connection = key.data
            if mask & selectors.EVENT_WRITE:
                self._write(connection)
            if mask & selectors.EVENT_READ and connection in connection.server.connections:
                self._read(connection)

    def _commit(self) -> None:
        """Commit outcomes and requests of this round, then send the contents that were requested."""
        if not self._outcomes and not self._requests:
            self._queue.commit([], [])  # nothing new, but the queue may have put off work
            return
        contents = self._queue.commit(self._outcomes, [mail for _, mail in self._requests])
        self._outcomes.clear()
        requests, self._requests = self._requests, []
        for connection, mail in requests:
            self._send_content(connection, contents.get(mail.id))

    def _send_content(self, connection: Connection, content: bytes | None) -> None:
        if content is None:  # the recipient has unsubscribed; a server that waits for content accepts nothing else
            connection.session.abandon()
            self._drop(connection, "the message is not needed any more")
            return
        connection.session.send_content(content)
        connection.content_at = time.monotonic()
        self._start_on(connection, stopping=self._queue.stopping())
        self._write(connection)

    # Bytes ------------------------------------------------------------------------------------------------------

    def _read(self, connection: Connection) -> None:
        while True:
            try:
                data = connection.socket.recv(_READ_SIZE)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError as e:
                self._drop(connection, f"the connection was lost: {e.strerror or e}")
                return
            if not self._process(connection, data):
                return
            if len(data) < _READ_SIZE and not isinstance(connection.socket, ssl.SSLSocket):
                return

    def _process(self, connection: Connection, data: bytes) -> bool:
        """Handle what a server sent; return whether the connection is still open."""
        session = connection.session
        if not data:
            self._drop(connection, "the server closed the connection")
            return False
        replies = session.replies_received
        try:
            for event in session.receive(data):
                self._handle(connection, event)
        except ProtocolError as e:
            self._drop(connection, str(e))
            return False
        if session.replies_received > replies:  # only whole replies count: some servers send a byte now and then
            self._set_deadline(connection)
        if session.closing:  # some servers send 421 and never close
            if not connection.replied:  # one that was used may be closed at any time
                self._refuse(connection, session.closing)
            self._drop(connection, str(session.closing))
            return False
        if session.outgoing:
            self._write(connection)
        return connection in connection.server.connections

    def _handle(self, connection: Connection, event: Event) -> None:
        if isinstance(event, ContentRequested):
            self._requests.append((connection, event.mail))
            return
        self._take_outcome(connection, Replied(event.mail, event.reply, event.stage, connection.server.name))

    def _take_outcome(self, connection: Connection, outcome: Replied) -> None:
        action = self._queue.action(outcome.reply, outcome.stage)
        server, code = connection.server, outcome.reply.code
        if outcome.stage is Stage.CONTENT:
            server.share.measure(time.monotonic() - connection.content_at)
        if action is ReplyAction.SENT:
            self._count_accepted(connection)
        if code != _CLOSING and not (action is ReplyAction.LIMIT and outcome.stage is Stage.MAIL):
            connection.replied += 1
            server.failures = 0
        if action is ReplyAction.LIMIT and (
            outcome.stage is Stage.MAIL or code == _CLOSING or server.limits_all(outcome.mail.domain)
        ):
            self._refuse(connection, outcome.reply)
        if action is ReplyAction.LIMIT and outcome.stage is Stage.MAIL:  # the server knows no recipient yet
            self._requeue(outcome.mail)
        else:
            self._outcomes.append(outcome)

    def _write(self, connection: Connection) -> None:
        """Write as much as the socket takes now."""
        outgoing = connection.session.outgoing
        while connection.buffer or outgoing:
            if not connection.buffer:
                connection.buffer = memoryview(b"".join(outgoing) if len(outgoing) > 1 else outgoing[0])
                outgoing.clear()
            try:
                sent = connection.socket.send(connection.buffer)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except OSError as e:
                self._read(connection)  # the server may have said why
                self._drop(connection, f"the connection was lost: {e.strerror or e}")
                return
            connection.bytes_sent += sent
            connection.buffer = connection.buffer[sent:]
        self._set_deadline(connection)
        self._watch(connection)

    def _watch(self, connection: Connection) -> None:
        """Wait for the socket to be writable only while something is to be written."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.buffer else 0)
        is_open = connection in connection.server.connections
        if is_open and self._selector.get_key(connection.socket).events != events:
            self._selector.modify(connection.socket, events, connection)

    def _set_deadline(self, connection: Connection) -> None:
        """Restart the timeout: a reply has arrived, or more could be written."""
        stage = connection.session.awaited_stage
        connection.awaited_stage = stage
        if stage is not None:
            connection.deadline = time.monotonic() + TIMEOUTS[stage]
