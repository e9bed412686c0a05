"""The SMTP commands and replies of one connection, without the connection: bytes to send, replies matched to mail.

If the server offers PIPELINING (RFC 2920), the end of one message and the envelope of the next are sent together, so
that a message takes one round trip. Otherwise each command waits for its reply. In both cases the sender is asked for
the content only when the server waits for it, so that the queue can record this first.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from feeds.edges.mail.smtp.reply import ProtocolError, ReplyParser
from feeds.edges.mail.transport import OutgoingMail, Replied, Reply, Stage


@dataclass(frozen=True, slots=True)
class ContentRequested:
    """The server waits for the content of this mail."""

    mail: OutgoingMail


Event = ContentRequested | Replied


#: Seconds to wait for the reply to each command (RFC 5321 section 4.5.3.2).
TIMEOUTS = {Stage.MAIL: 300, Stage.RCPT: 300, Stage.DATA: 120, Stage.CONTENT: 600, Stage.RSET: 300}
_START_CONTENT = 354
#: First digits of a success: completed, and continue (RFC 5321 section 4.2.1).
_SUCCESS = (2, 3)


class _Transaction:
    """A mail transaction (RFC 5321 section 3.3)."""

    __slots__ = ("mail", "refusal")

    def __init__(self, mail: OutgoingMail) -> None:
        self.mail = mail
        #: The first reply that is not a success, and the command that it answers.
        self.refusal: tuple[Reply, Stage] | None = None


class SmtpSession:
    """The state of one connection after EHLO."""

    def __init__(self, *, pipelining: bool, utf8: bool = False) -> None:
        self.pipelining, self.utf8 = pipelining, utf8
        #: To be sent, in this order.
        self.outgoing: deque[bytes] = deque()
        #: How many bytes were ever put there, and at which of them the last content ended.
        self.bytes_queued = self._content_end = 0
        self.replies_received = 0
        self._parser = ReplyParser()
        #: The commands that wait for a reply, in the order in which they were sent.
        self._expected: deque[tuple[Stage, _Transaction | None]] = deque()
        #: The transaction whose content was sent and has no reply yet.
        self._sent: _Transaction | None = None
        #: The transaction whose envelope was sent.
        self._current: _Transaction | None = None
        #: The reply 421 of the server, after which it accepts nothing more.
        self.closing: Reply | None = None

    @property
    def is_free(self) -> bool:
        """True if the next mail may begin."""
        return self._current is None and self.closing is None and (self.pipelining or not self._expected)

    @property
    def awaited_stage(self) -> Stage | None:
        """The command that the next reply will answer; None if no reply is due."""
        return self._expected[0][0] if self._expected else None

    def begin(self, mail: OutgoingMail) -> None:
        """Begin a transaction with the envelope of *mail*."""
        self._current = _Transaction(mail)
        options = " SMTPUTF8 BODY=8BITMIME" if mail.utf8 else ""
        self._send_command(f"MAIL FROM:<{mail.sender}>{options}", Stage.MAIL, self._current)
        if self.pipelining:
            self._send_command(f"RCPT TO:<{mail.recipient}>", Stage.RCPT, self._current)
            self._send_command("DATA", Stage.DATA, self._current)

    def send_content(self, content: bytes) -> None:
        """Send the content that was requested, and the final dot (RFC 5321 section 4.1.1.4).

        The content ends with a line break, and no line of it begins with a dot.

        Raises:
            ValueError: no content was requested.
        """
        transaction = self._current
        if transaction is None:
            raise ValueError("no content was requested")
        self._sent, self._current = transaction, None
        self._send(content)
        self._send(b".\r\n")
        self._content_end = self.bytes_queued
        self._expected.append((Stage.CONTENT, transaction))

    def abandon(self) -> None:
        """Give up the mail whose content was requested; after this the connection must be closed."""
        self._current = None

    def quit(self) -> None:
        """Send QUIT."""
        self._send(b"QUIT\r\n")

    def receive(self, data: bytes) -> Iterator[Event]:
        """Yield the events that follow from *data*, in order.

        Raises:
            ProtocolError: it is not a reply, or not one that the server may send now; the connection must be closed.
        """
        for reply in self._parser.feed(data):
            self.replies_received += 1
            if reply.code == 421:  # noqa: PLR2004 - closing, at any time (RFC 5321 section 3.8)
                self.closing = reply
            if not self._expected:
                if self.closing:
                    return
                raise ProtocolError(f"the server sent {str(reply)[:80]!r} though no reply was due")
            yield from self._process(*self._expected.popleft(), reply)

    def pending_refusal(self) -> Replied | None:
        """Return, after a disconnect, the refusal that was received for a transaction that had more replies due."""
        transaction = self._current
        if transaction is None or transaction.refusal is None:
            return None
        self._current = None
        return Replied(transaction.mail, *transaction.refusal)

    def unfinished(self, bytes_sent: int) -> tuple[OutgoingMail | None, OutgoingMail | None, OutgoingMail | None]:
        """Return, after a disconnect, the mail without a reply, given how many bytes were sent.

        First the mail that may have arrived: its content was sent to the end. Then the mail whose content was cut off,
        which has not arrived. Then the mail of which no content was sent.
        """
        sent = self._sent.mail if self._sent else None
        current = self._current.mail if self._current else None
        is_complete = bytes_sent >= self._content_end
        return (sent if is_complete else None), (None if is_complete else sent), current

    def _send(self, data: bytes) -> None:
        self.outgoing.append(data)
        self.bytes_queued += len(data)

    def _send_command(self, command: str, stage: Stage, transaction: _Transaction | None) -> None:
        self._send(f"{command}\r\n".encode())
        self._expected.append((stage, transaction))

    def _process(self, stage: Stage, transaction: _Transaction | None, reply: Reply) -> Iterator[Event]:
        if not _is_valid(reply, stage):  # all later replies would be matched to the wrong commands
            raise ProtocolError(f"the server sent {str(reply)[:80]!r}, which is not a reply to {stage.upper()}")
        if transaction is None:
            return
        if stage is Stage.CONTENT:
            if self._sent is transaction:
                self._sent = None
                yield Replied(transaction.mail, reply, stage)
            return
        if reply.code // 100 not in _SUCCESS and transaction.refusal is None:
            transaction.refusal = (reply, stage)
        if stage is Stage.DATA:
            yield from self._process_data_reply(transaction, reply)
        elif not self.pipelining:
            yield from self._continue(stage, transaction)

    def _continue(self, stage: Stage, transaction: _Transaction) -> Iterator[Event]:
        """Without PIPELINING: send the next command, or end a transaction that was refused."""
        if transaction.refusal:
            yield from self._end_refused(transaction)
        elif stage is Stage.MAIL:
            self._send_command(f"RCPT TO:<{transaction.mail.recipient}>", Stage.RCPT, transaction)
        else:
            self._send_command("DATA", Stage.DATA, transaction)

    def _process_data_reply(self, transaction: _Transaction, reply: Reply) -> Iterator[Event]:
        """Request the content, or end a transaction that was refused."""
        if transaction.refusal is None:
            yield ContentRequested(transaction.mail)
            return
        if reply.code == _START_CONTENT:  # content for no recipient: send an empty one (RFC 2920 section 3.1)
            self._send(b".\r\n")
            self._expected.append((Stage.CONTENT, transaction))
        yield from self._end_refused(transaction)

    def _end_refused(self, transaction: _Transaction) -> Iterator[Event]:
        assert transaction.refusal is not None
        reply, stage = transaction.refusal
        self._current = None
        if not self.closing:
            self._send_command("RSET", Stage.RSET, None)
        yield Replied(transaction.mail, reply, stage)


def _is_valid(reply: Reply, stage: Stage) -> bool:
    """Return whether a reply may answer a command: 354 answers DATA only, and is the only success of DATA."""
    kind = reply.code // 100
    return kind not in _SUCCESS or reply.code == _START_CONTENT if stage is Stage.DATA else kind != _SUCCESS[1]
