"""What every way of sending has in common: parcels, what became of them, and the desk that keeps account.

A transport takes parcels from a `Desk`, asks it for their contents, and tells it what the other side answered. The desk
writes down what is about to happen before it gives a content out, so a transport never has to.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?!\S)")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answers; transports without one answer in its words (RFC 5321 section 4.2)."""

    code: int
    #: In one line.
    text: str

    @property
    def enhanced(self) -> str:
        """The enhanced status code (RFC 3463), such as `5.1.1`; empty where there is none."""
        found = _ENHANCED.match(self.text)
        return found[0] if found else ""

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()


class Stage(StrEnum):
    """Where in the talk with a server an answer came."""

    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    #: After the content: whoever asked has all of it.
    CONTENT = "content"
    RSET = "rset"


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """An envelope: who it comes back to, who it is for, where it is kept."""

    id: int
    sender: str
    recipient: str
    #: Newsletter and number, for transports that sort what they keep.
    folder: str = ""

    @property
    def utf8(self) -> bool:
        """Whether it takes SMTPUTF8 (RFC 6531)."""
        return not (self.sender + self.recipient).isascii()


@dataclass(frozen=True, slots=True)
class Replied:
    """This parcel has its answer."""

    mail: OutgoingMail
    reply: Reply
    stage: Stage = Stage.CONTENT


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """All content of this parcel was out when the connection ended: it may have arrived."""

    mail: OutgoingMail
    reason: str


class DeliveryQueue(Protocol):
    """Where parcels come from, and what has come of them is written down."""

    def next(self) -> OutgoingMail | None:
        """Return the next parcel; None where there is none for now."""

    def commit(self, answers: Sequence[Replied | Unconfirmed], wanted: Sequence[OutgoingMail]) -> dict[int, bytes]:
        """Write down both at once, and return the contents that are wanted, by id.

        A content is a whole message. It ends with a line break, and no line of it begins with a dot, so there is
        nothing to stuff (RFC 5321 section 4.5.2). A parcel without one is not needed any more: its reader has left.
        """

    def requeue(self, parcel: OutgoingMail) -> None:
        """Take back a parcel that nobody has seen the content of."""

    def stopping(self) -> bool:
        """Return whether nothing more is to be taken."""


class Transport(Protocol):
    """A way of sending."""

    #: Whether a parcel that is handed over twice arrives once.
    idempotent: bool

    def run(self, desk: DeliveryQueue) -> None:
        """Work until the desk has nothing more.

        Raises:
            MailRefused, MailAway: nobody takes our mail; the desk has everything back.
            OutputError: it cannot be kept.
        """
