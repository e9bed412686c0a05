"""The interface of a transport: mail to send, its outcomes, and the queue between transports and the database.

A transport takes mail from a `DeliveryQueue`, asks it for the content, and reports the replies of the other side. The
queue records every step before it hands out a content, so a transport records nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from feeds.model import ReplyAction, ServerLimit

#: Cisco's gateways quote the answer of the server behind them: `550-'5.1.1 ...'`; other servers write `550 #5.1.0`.
_ENHANCED = re.compile(r"['\"#(]?([245]\.\d{1,3}\.\d{1,3})(?![^\s)'\"])")


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply of a mail server (RFC 5321 section 4.2); transports without a server use the same codes."""

    code: int
    #: One line.
    text: str

    @property
    def enhanced(self) -> str:
        """The enhanced status code (RFC 3463), such as `5.1.1`; empty if there is none."""
        found = _ENHANCED.match(self.text)
        return found[1] if found else ""

    @property
    def is_success(self) -> bool:
        """True for 2yz: what was asked for is done (RFC 5321 section 4.2.1)."""
        return self.code // 100 == 2  # noqa: PLR2004 - as above

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()


class Stage(StrEnum):
    """The command that a reply answers."""

    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    #: The content and its final dot: the server has the whole message.
    CONTENT = "content"
    RSET = "rset"


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """An envelope: the return path, the recipient, and a folder for transports that write files."""

    id: int
    sender: str
    recipient: str
    #: Newsletter and number: `weekly/3`.
    folder: str = ""

    @property
    def domain(self) -> str:
        """The recipient's domain, as it is written."""
        return self.recipient.rpartition("@")[2]

    @property
    def utf8(self) -> bool:
        """True if its addresses need SMTPUTF8 (RFC 6531)."""
        return not (self.sender + self.recipient).isascii()


@dataclass(frozen=True, slots=True)
class Replied:
    """The final reply to a mail."""

    mail: OutgoingMail
    reply: Reply
    stage: Stage = Stage.CONTENT
    #: Host and port of the server that gave it; empty if there is only one way for all mail.
    server: str = ""


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """The whole content was sent, but the connection ended before the reply: the mail may have arrived."""

    mail: OutgoingMail
    reason: str


class DeliveryQueue(Protocol):
    """The mail that is waiting; it records the outcomes."""

    def next(self) -> OutgoingMail | None:
        """Return the next mail; None if there is none now."""

    def commit(self, outcomes: Sequence[Replied | Unconfirmed], starting: Sequence[OutgoingMail]) -> dict[int, bytes]:
        """Record outcomes, and record that some mail is about to be sent; return the contents of the latter by id.

        Both happen in one transaction. A content is a whole message. It ends with a line break, and no line of it
        begins with a dot, so it needs no dot-stuffing (RFC 5321 section 4.5.2). Mail without a content must not be
        sent any more: its recipient has unsubscribed.
        """

    def requeue(self, mail: OutgoingMail) -> None:
        """Put back mail of which no content was sent."""

    def stopping(self) -> bool:
        """Return whether the transport must take no more mail."""

    def action(self, reply: Reply, stage: Stage) -> ReplyAction:
        """Return the consequence of a reply for its mail."""

    def rejected_by(self, server: str) -> str:
        """Return why a server must get no more mail: it rejects the sender, whoever the recipient is; else empty."""

    def load_limit(self, server: str) -> tuple[ServerLimit, float]:
        """Return the limits of a server that earlier runs have found, and the seconds until it may be tried again."""

    def save_limit(self, server: str, limit: ServerLimit, wait: float) -> None:
        """Store what was learned about a server; it may be tried again in *wait* seconds (instead of `until`)."""


class Transport(Protocol):
    """A way to send mail."""

    #: Whether the same mail arrives once even if it is sent twice.
    idempotent: bool

    def run(self, queue: DeliveryQueue) -> None:
        """Send until the queue has nothing more.

        Raises:
            SenderRejected, MailServerUnavailable: no server accepts our mail; all of it is back in the queue.
            OutputError: a message cannot be written.
        """


@runtime_checkable
class CheckedTransport(Transport, Protocol):
    """A transport that can tell before the first mail whether it will work."""

    def find_problems(self) -> list[str]:
        """Return why mail could not be sent: one text for each server; nothing is sent."""
