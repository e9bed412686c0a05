"""The state of one mail server while mail is sent: its connections, its limits and its share of the mail."""

import socket
import time
from dataclasses import dataclass, field
from threading import Thread

from feeds.edges.mail.smtp import connect
from feeds.edges.mail.smtp.fair_queue import FairShare
from feeds.edges.mail.smtp.server_pace import LONGEST_WAIT, ServerPace
from feeds.edges.mail.smtp.session import SmtpSession
from feeds.edges.mail.transport import Reply, Stage
from feeds.errors import FeedsError, MailServerUnavailable, SenderRejected
from feeds.model import ServerLimit
from feeds.settings import SmtpSettings

#: Messages for one connection (RFC 5321 has no limit; Postfix and other servers close after 100 to 1,000).
_MOST_MESSAGES = 1000
#: A server that takes no more for so many domains in a row takes no more for any.
_MANY_DOMAINS = 3


@dataclass(slots=True, eq=False)
class Connection:
    """An open connection."""

    server: "Server"
    socket: socket.socket
    session: SmtpSession
    #: Bytes of the session that the socket has not taken yet, and how many it has taken.
    buffer: memoryview = field(default_factory=lambda: memoryview(b""))
    bytes_sent: int = 0
    #: How many messages were begun, how many of them got a reply other than 421, and how many were accepted.
    messages: int = 0
    replied: int = 0
    accepted: int = 0
    #: True if the server has asked us to wait: no message begins on it any more.
    is_refused: bool = False
    #: When the last content was handed out (`time.monotonic`).
    content_at: float = 0.0
    #: The command whose reply is due, and when it is too late.
    awaited_stage: Stage | None = None
    deadline: float = 0.0

    @property
    def is_used_up(self) -> bool:
        """True if it must begin no more messages."""
        most = min(_MOST_MESSAGES, self.server.pace.limit.per_connection or _MOST_MESSAGES)
        return self.is_refused or self.server.error is not None or self.messages >= most

    def is_late(self, now: float) -> bool:
        """Return whether a reply is overdue."""
        return self.session.awaited_stage is not None and now > self.deadline


class ConnectThread(Thread):
    """Opens one connection while the sender goes on."""

    def __init__(self, server: "Server", name: str) -> None:
        super().__init__(daemon=True, name="opening")
        self._arguments = (server.settings, server.password, name, server.tls_context)
        self._socket: connect.ReadySocket | None = None
        self._error: MailServerUnavailable | SenderRejected = MailServerUnavailable(
            f"{server.settings.host}: the connection was not opened"
        )
        self._is_discarded = False

    def run(self) -> None:
        """Open it."""
        try:
            self._socket = connect.connect(*self._arguments)
        except (MailServerUnavailable, SenderRejected) as e:
            self._error = e
        if self._is_discarded:
            self.discard()

    def result(self) -> connect.ReadySocket:
        """Return the connection, after the thread has ended.

        Raises:
            MailServerUnavailable, SenderRejected: it could not be opened.
        """
        if self._socket is None:
            raise self._error
        return self._socket

    def discard(self) -> None:
        """Close the connection, now or as soon as it is open."""
        self._is_discarded = True
        if self._socket is not None:
            self._socket.socket.close()


class Server:
    """One server, its connections, and how fast it may be sent messages. Times are those of `time.monotonic`."""

    def __init__(self, settings: SmtpSettings, password: str) -> None:
        self.settings, self.password = settings, password
        self.name = f"{settings.host}:{settings.port}"
        self.tls_context = connect.tls_context(settings)
        self.connections: list[Connection] = []
        self.opening: list[ConnectThread] = []
        #: How many connections it accepts; fewer after it has refused one or has asked us to wait.
        self.connection_limit = settings.connections
        #: Connections in a row that failed, and when the next may be opened.
        self.failures = 0
        self.retry_at = 0.0
        #: Why it is not used any more.
        self.error: FeedsError | None = None
        #: For which recipients' domains it took no more, since it last accepted a message.
        self.limited_domains: set[str] = set()
        self.share = FairShare(settings.weight)
        self.pace = ServerPace(settings.per_minute)
        #: Until when messages are left to other servers.
        self.waits_until = 0.0
        #: Whether it offers SMTPUTF8; None until the first connection is open.
        self.supports_utf8: bool | None = None

    def is_open(self, now: float) -> bool:
        """Return whether it accepts messages, though perhaps not at once."""
        return bool(self.connections) and self.pace.next_message_at <= now

    def has_room(self) -> bool:
        """Return whether a message could begin at once."""
        return any(connection.session.is_free and not connection.is_used_up for connection in self.connections)

    def resume(self, limit: ServerLimit, wait: float) -> None:
        """Go on with what an earlier run has learned; the server may be tried again in *wait* seconds."""
        self.pace.limit = limit
        self.pace.paused_until = self.pace.next_message_at = time.monotonic() + wait
        self._give_up_if_long(wait)

    def limits_all(self, domain: str) -> bool:
        """Return whether a limit at a domain is one of many in a row, and so the server's own."""
        self.limited_domains.add(domain)
        return len(self.limited_domains) >= _MANY_DOMAINS

    def refuse(self, connection: Connection, reply: Reply) -> float:
        """Take into account that the server wants no more messages on a connection for now; see `ServerPace.refuse`."""
        connection.is_refused = True
        wait = self.pace.refuse(connection.accepted, str(reply), time.monotonic())
        if wait:
            self.connection_limit = max(1, self.connection_limit // 2)
            for other in self.connections:  # they are closed when their replies are in
                other.is_refused = True
            self._give_up_if_long(wait)
        return wait

    def _give_up_if_long(self, wait: float) -> None:
        if wait > LONGEST_WAIT:
            reply = self.pace.limit.answer
            self.error = MailServerUnavailable(f"the mail server {self.name} asked us to wait: {reply}")
