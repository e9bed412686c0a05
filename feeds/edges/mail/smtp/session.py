"""One connection's side of the talk, without the connection: what to write, and what the replies mean for whom.

Where the server offers PIPELINING (RFC 2920), the end of one message and the envelope of the next are written together,
so that a message takes one round trip. Where it does not, each command waits for its reply. In both cases the content
is given out only when it is asked for: by then it is written down that this is about to happen.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from feeds.edges.mail.smtp.reply import ProtocolError, ReplyParser
from feeds.edges.mail.transport import OutgoingMail, Replied, Reply, Stage


@dataclass(frozen=True, slots=True)
class ContentRequested:
    """The server waits for the content of this one."""

    mail: OutgoingMail


Event = ContentRequested | Replied


#: Seconds to wait for a reply at each stage (RFC 5321 section 4.5.3.2).
PATIENCE = {Stage.MAIL: 300, Stage.RCPT: 300, Stage.DATA: 120, Stage.CONTENT: 600, Stage.RSET: 300}
_GO_ON = 354
#: First digits of a yes: done, and go on (RFC 5321 section 4.2.1).
_YES = (2, 3)


class _Transaction:
    """How far one parcel has come."""

    __slots__ = ("parcel", "refused")

    def __init__(self, mail: OutgoingMail) -> None:
        self.parcel = mail
        #: The first reply that was no yes, and where it came.
        self.refused: tuple[Reply, Stage] | None = None


class SmtpSession:
    """The talk on one connection after EHLO."""

    def __init__(self, *, pipelining: bool, utf8: bool = False) -> None:
        self.pipelining, self.utf8 = pipelining, utf8
        #: To be written, in order.
        self.outgoing: deque[bytes] = deque()
        #: How many bytes were ever put there, and at which of them the last content ended.
        self.said = self._content_end = 0
        #: How many replies were heard.
        self.heard = 0
        self._replies = ReplyParser()
        self._expected: deque[tuple[Stage, _Transaction | None]] = deque()
        #: Whose content has been given out and not been answered.
        self._given: _Transaction | None = None
        #: Whose envelope is on its way or taken.
        self._next: _Transaction | None = None
        #: Why nothing more can be said here; None while it can.
        self.closing: Reply | None = None

    @property
    def is_free(self) -> bool:
        """Whether another parcel may be offered."""
        return self._next is None and self.closing is None and (self.pipelining or not self._expected)

    @property
    def waits_for(self) -> Stage | None:
        """What the next reply will be to; None where none is due."""
        return self._expected[0][0] if self._expected else None

    def begin(self, parcel: OutgoingMail) -> None:
        """Begin with the envelope of *parcel*."""
        self._next = _Transaction(parcel)
        options = " SMTPUTF8 BODY=8BITMIME" if parcel.utf8 else ""
        self._say(f"MAIL FROM:<{parcel.sender}>{options}", Stage.MAIL, self._next)
        if self.pipelining:
            self._say(f"RCPT TO:<{parcel.recipient}>", Stage.RCPT, self._next)
            self._say("DATA", Stage.DATA, self._next)

    def send_content(self, content: bytes) -> None:
        """Write the content that was wanted, and its end (RFC 5321 section 4.1.1.4).

        It ends with a line break, and no line of it begins with a dot.
        """
        talk = self._next
        if talk is None:
            raise ValueError("no content was asked for")
        self._given, self._next = talk, None
        self._put(content)
        self._put(b".\r\n")
        self._content_end = self.said
        self._expected.append((Stage.CONTENT, talk))

    def abandon(self) -> None:
        """Give up the parcel whose content was wanted; then the connection is of no use any more."""
        self._next = None

    def quit(self) -> None:
        """Take leave."""
        self._put(b"QUIT\r\n")

    def receive(self, data: bytes) -> Iterator[Event]:
        """Yield what *data* means, in order.

        Raises:
            ProtocolError: it means nothing, or answers what was not asked; the connection is of no use any more.
        """
        for reply in self._replies.feed(data):
            self.heard += 1
            if reply.code == 421:  # noqa: PLR2004 - closing, at any time (RFC 5321 section 3.8)
                self.closing = reply
            if not self._expected:
                if self.closing:
                    return
                raise ProtocolError(f"the server says {str(reply)[:80]!r} and was not asked")
            yield from self._heard(*self._expected.popleft(), reply)

    def pending_refusal(self) -> Replied | None:
        """Return, when the connection is lost, what was said to a parcel that waited for more answers."""
        talk = self._next
        if talk is None or talk.refused is None:
            return None
        self._next = None
        return Replied(talk.parcel, *talk.refused)

    def unfinished(self, written: int) -> tuple[OutgoingMail | None, OutgoingMail | None, OutgoingMail | None]:
        """Return, when the connection is lost after so many bytes were *written*, what was left without an answer.

        First what may have arrived: its content was out, to the end. Then what has not: its content was cut. Then what
        nobody has seen the content of.
        """
        given = self._given.parcel if self._given else None
        following = self._next.parcel if self._next else None
        out = written >= self._content_end
        return (given if out else None), (None if out else given), following

    def _put(self, words: bytes) -> None:
        self.outgoing.append(words)
        self.said += len(words)

    def _say(self, command: str, stage: Stage, talk: _Transaction | None) -> None:
        self._put(f"{command}\r\n".encode())
        self._expected.append((stage, talk))

    def _heard(self, stage: Stage, talk: _Transaction | None, reply: Reply) -> Iterator[Event]:
        if not _fits(reply, stage):  # from here on each answer would be taken for that to another question
            raise ProtocolError(f"the server says {str(reply)[:80]!r}, which is no answer to {stage.upper()}")
        if talk is None:
            return
        if stage is Stage.CONTENT:
            if self._given is talk:
                self._given = None
                yield Replied(talk.parcel, reply, stage)
            return
        if reply.code // 100 not in _YES and talk.refused is None:
            talk.refused = (reply, stage)
        if stage is Stage.DATA:
            yield from self._decided(talk, reply)
        elif not self.pipelining:
            yield from self._one_by_one(stage, talk)

    def _one_by_one(self, stage: Stage, talk: _Transaction) -> Iterator[Event]:
        """Say the next command, or end what was refused."""
        if talk.refused:
            yield from self._refuse(talk)
        elif stage is Stage.MAIL:
            self._say(f"RCPT TO:<{talk.parcel.recipient}>", Stage.RCPT, talk)
        else:
            self._say("DATA", Stage.DATA, talk)

    def _decided(self, talk: _Transaction, reply: Reply) -> Iterator[Event]:
        """Ask for the content, or end what was refused."""
        if talk.refused is None:
            yield ContentRequested(talk.parcel)
            return
        if reply.code == _GO_ON:  # it wants content for nobody: nothing, then (RFC 2920 section 3.1)
            self._put(b".\r\n")
            self._expected.append((Stage.CONTENT, talk))
        yield from self._refuse(talk)

    def _refuse(self, talk: _Transaction) -> Iterator[Event]:
        assert talk.refused is not None
        reply, stage = talk.refused
        self._next = None
        if not self.closing:
            self._say("RSET", Stage.RSET, None)
        yield Replied(talk.parcel, reply, stage)


def _fits(reply: Reply, stage: Stage) -> bool:
    """Return whether this can be the answer: "go on" is one to DATA only, and to DATA the only yes."""
    kind = reply.code // 100
    return kind not in _YES or reply.code == _GO_ON if stage is Stage.DATA else kind != _YES[1]
