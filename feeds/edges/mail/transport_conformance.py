"""Checks that every transport must pass, ours and those of other packages.

    def test_my_transport_conforms():
        transport_conformance.check_transport(make, received)

*make* returns the transport, ready to send; *received* returns every message that has arrived so far, as bytes.
"""

from collections import deque
from collections.abc import Callable, Sequence

from feeds.edges.mail.transport import OutgoingMail, Replied, Reply, Stage, Transport, Unconfirmed
from feeds.model import ReplyAction, ServerLimit

#: A server that closes the connection, and the lowest permanent code (RFC 5321 section 4.2.1).
_CLOSING, _PERMANENT = 421, 500

_CONTENT = (
    "From: Desk <desk@example.com>\r\nTo: {recipient}\r\nSubject: =?utf-8?b?5omL57SZ?=\r\n"
    "Message-ID: <{id}@example.com>\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    "\r\nA line\r\n=2E\r\n=2Ehidden\r\nThe end of {id}\r\n"
)


class InMemoryQueue:
    """A delivery queue that records everything in memory.

    Mail with an id in *unsubscribed* has no content any more. After *stop_after* contents the queue asks to stop.
    """

    def __init__(
        self, recipients: Sequence[str], *, unsubscribed: Sequence[int] = (), stop_after: int | None = None
    ) -> None:
        mails = (OutgoingMail(n, "desk@example.com", to, "trial/1") for n, to in enumerate(recipients, 1))
        #: Not yet taken by the transport.
        self.waiting = deque(mails)
        #: In the order in which they were committed.
        self.outcomes: list[Replied | Unconfirmed] = []
        #: The ids whose content was handed out.
        self.started: list[int] = []
        #: What was learned about each server, and the seconds until it may be tried again.
        self.limits: dict[str, tuple[ServerLimit, float]] = {}
        self._unsubscribed, self._stop_after = unsubscribed, stop_after

    def next(self) -> OutgoingMail | None:
        """Return the next mail."""
        return self.waiting.popleft() if self.waiting else None

    def requeue(self, mail: OutgoingMail) -> None:
        """Put one back."""
        assert mail.id not in self.started, "a mail was requeued after its content was handed out"
        self.waiting.appendleft(mail)

    def stopping(self) -> bool:
        """Return whether enough contents were handed out."""
        return self._stop_after is not None and len(self.started) >= self._stop_after

    def action(self, reply: Reply, stage: Stage) -> ReplyAction:
        """Return the consequence of a reply, by its code alone."""
        if reply.is_success and stage is Stage.CONTENT:
            return ReplyAction.SENT
        if reply.code == _CLOSING or (stage is Stage.MAIL and reply.code < _PERMANENT):
            return ReplyAction.LIMIT
        return ReplyAction.LATER if reply.code < _PERMANENT else ReplyAction.NEVER

    def rejected_by(self, _server: str) -> str:
        """Return an empty text: no server is left for what it says about single mails."""
        return ""

    def load_limit(self, server: str) -> tuple[ServerLimit, float]:
        """Return what was saved."""
        return self.limits.get(server, (ServerLimit(), 0.0))

    def save_limit(self, server: str, limit: ServerLimit, wait: float) -> None:
        """Keep what was learned."""
        self.limits[server] = (limit, wait)

    def commit(self, outcomes: Sequence[Replied | Unconfirmed], starting: Sequence[OutgoingMail]) -> dict[int, bytes]:
        """Record outcomes and return contents."""
        self.outcomes += outcomes
        contents = {mail.id: _content(mail) for mail in starting if mail.id not in self._unsubscribed}
        self.started += contents
        return contents


def _content(mail: OutgoingMail) -> bytes:
    return _CONTENT.format(recipient=mail.recipient, id=mail.id).encode()


def check_transport(
    make: Callable[[], Transport], received: Callable[[], list[bytes]], *, recipients: int = 30
) -> None:
    """Raise AssertionError if a transport breaks the protocol."""
    _check_delivery(make(), received, recipients)
    _check_unsubscribed(make(), received)
    _check_stopping(make())
    make().run(InMemoryQueue([]))


def _check_delivery(transport: Transport, received: Callable[[], list[bytes]], recipients: int) -> None:
    before = len(received())
    queue = InMemoryQueue([f"reader{n}@example.org" for n in range(recipients)])
    transport.run(queue)
    assert not queue.waiting, "some mail was not taken from the queue"
    assert sorted(queue.started) == list(range(1, recipients + 1)), "a content was requested twice or never"
    _check_outcomes(queue)
    arrived = received()
    assert len(arrived) - before == recipients, f"{len(arrived) - before} of {recipients} arrived"
    contents = [message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for message in arrived]
    for number in range(1, recipients + 1):
        ending = f"=2E\r\n=2Ehidden\r\nThe end of {number}".encode()
        assert any(ending in content for content in contents), "a message arrived changed"


def _check_outcomes(queue: InMemoryQueue) -> None:
    committed = [outcome.mail.id for outcome in queue.outcomes]
    assert sorted(committed) == sorted(queue.started), "a mail has two outcomes or none"
    for outcome in queue.outcomes:
        assert isinstance(outcome, Replied), f"unconfirmed: {outcome}"
        assert (outcome.reply.code // 100, outcome.stage) == (2, Stage.CONTENT), f"refused: {outcome.reply}"


def _check_unsubscribed(transport: Transport, received: Callable[[], list[bytes]]) -> None:
    before = len(received())
    queue = InMemoryQueue(["stays@example.org", "left@example.org", "stays.too@example.org"], unsubscribed=[2])
    transport.run(queue)
    committed = sorted(outcome.mail.id for outcome in queue.outcomes)
    assert 2 not in committed, "a mail to an unsubscribed recipient has an outcome"  # noqa: PLR2004 - the second
    assert committed == [1, 3], "the mail to the other recipients was not sent"
    assert len(received()) - before <= 2, "more messages arrived than were sent"  # noqa: PLR2004 - the two who stay


def _check_stopping(transport: Transport) -> None:
    queue = InMemoryQueue([f"later{n}@example.org" for n in range(500)], stop_after=3)
    transport.run(queue)
    assert queue.waiting, "the transport did not stop when the queue asked it to"
    assert sorted(outcome.mail.id for outcome in queue.outcomes) == sorted(queue.started), "mail was left unfinished"
