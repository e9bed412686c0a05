"""The promises of a transport, as checks that each must pass, ours and those that other packages bring.

    def test_it_keeps_the_promises():
        transportkit.check(make, received)

*make* returns the transport, ready to send; *received* returns every message that has arrived so far, as bytes.
"""

from collections import deque
from collections.abc import Callable, Sequence

from feeds.edges.mail.transport import OutgoingMail, Replied, Stage, Transport, Unconfirmed

_CONTENT = (
    "From: Desk <desk@example.com>\r\nTo: {recipient}\r\nSubject: =?utf-8?b?5omL57SZ?=\r\n"
    "Message-ID: <{id}@example.com>\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    "\r\nA line\r\n=2E\r\n=2Ehidden\r\nThe end of {id}\r\n"
)


class InMemoryQueue:
    """A desk that keeps account in memory."""

    def __init__(self, recipients: Sequence[str], *, gone: Sequence[int] = (), stop_after: int | None = None) -> None:
        parcels = (OutgoingMail(n, "desk@example.com", to, "trial/1") for n, to in enumerate(recipients, 1))
        #: Still to be taken.
        self.waiting = deque(parcels)
        #: In the order in which they came.
        self.answers: list[Replied | Unconfirmed] = []
        #: Whose content was given out.
        self.given: list[int] = []
        self._gone, self._stop_after = gone, stop_after

    def next(self) -> OutgoingMail | None:
        """Return the next parcel."""
        return self.waiting.popleft() if self.waiting else None

    def requeue(self, parcel: OutgoingMail) -> None:
        """Take one back."""
        assert parcel.id not in self.given, "a parcel came back whose content was given out"
        self.waiting.appendleft(parcel)

    def stopping(self) -> bool:
        """Return whether enough was taken."""
        return self._stop_after is not None and len(self.given) >= self._stop_after

    def commit(self, answers: Sequence[Replied | Unconfirmed], wanted: Sequence[OutgoingMail]) -> dict[int, bytes]:
        """Keep account, and give out contents."""
        self.answers += answers
        found = {p.id: _content(p) for p in wanted if p.id not in self._gone}
        self.given += found
        return found


def _content(parcel: OutgoingMail) -> bytes:
    return _CONTENT.format(recipient=parcel.recipient, id=parcel.id).encode()


def check_transport(make: Callable[[], Transport], received: Callable[[], list[bytes]], *, readers: int = 30) -> None:
    """Raise AssertionError where a transport does not do what it must."""
    _brings_all(make(), received, readers)
    _leaves_out_who_is_gone(make(), received)
    _stops(make())
    make().run(InMemoryQueue([]))


def _brings_all(transport: Transport, received: Callable[[], list[bytes]], readers: int) -> None:
    before = len(received())
    desk = InMemoryQueue([f"reader{n}@example.org" for n in range(readers)])
    transport.run(desk)
    assert not desk.waiting, "not all parcels were taken"
    assert sorted(desk.given) == list(range(1, readers + 1)), "a content was asked for twice, or not at all"
    told = [answer.mail.id for answer in desk.answers]
    assert sorted(told) == sorted(desk.given), "a parcel was answered twice, or not at all"
    for answer in desk.answers:
        assert isinstance(answer, Replied), f"lost: {answer}"
        assert (answer.reply.code // 100, answer.stage) == (2, Stage.CONTENT), f"not taken: {answer.reply}"
    arrived = received()
    assert len(arrived) - before == readers, f"{len(arrived) - before} of {readers} arrived"
    for number in range(1, readers + 1):
        ending = f"=2E\r\n=2Ehidden\r\nThe end of {number}".encode()
        assert any(ending in one.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for one in arrived), "not as written"


def _leaves_out_who_is_gone(transport: Transport, received: Callable[[], list[bytes]]) -> None:
    before = len(received())
    desk = InMemoryQueue(["stays@example.org", "left@example.org", "stays.too@example.org"], gone=[2])
    transport.run(desk)
    assert [answer.mail.id for answer in desk.answers if answer.mail.id == 2] == [], "one who has left was sent to"  # noqa: PLR2004 - the second
    assert sorted(answer.mail.id for answer in desk.answers) == [1, 3], "the others were not"
    arrived = len(received()) - before
    assert arrived <= 2, "more arrived than was sent"  # noqa: PLR2004 - the two who stay


def _stops(transport: Transport) -> None:
    desk = InMemoryQueue([f"later{n}@example.org" for n in range(500)], stop_after=3)
    transport.run(desk)
    assert desk.waiting, "it went on though it was asked to stop"
    assert sorted(a.mail.id for a in desk.answers) == sorted(desk.given), "what was begun was not finished"
