"""A queue with one message that nothing records, for a message outside of any issue."""

from collections.abc import Sequence

from feeds.edges.mail.transport import OutgoingMail, Replied, Reply, Stage, Unconfirmed
from feeds.model import ReplyAction, ServerLimit


class SingleMail:
    """One message, as a `feeds.edges.mail.transport.DeliveryQueue`."""

    def __init__(self, mail: OutgoingMail, content: bytes) -> None:
        self._mail, self._content = mail, content
        self._is_waiting = True
        #: What became of it; None if it was not sent.
        self.outcome: Replied | Unconfirmed | None = None

    def next(self) -> OutgoingMail | None:
        """Return the message once."""
        is_waiting, self._is_waiting = self._is_waiting, False
        return self._mail if is_waiting else None

    def commit(self, outcomes: Sequence[Replied | Unconfirmed], starting: Sequence[OutgoingMail]) -> dict[int, bytes]:
        """Keep the outcome; return the content if the message is about to be sent."""
        for outcome in outcomes:
            self.outcome = outcome
        return {mail.id: self._content for mail in starting}

    def requeue(self, _mail: OutgoingMail) -> None:
        """Put the message back."""
        self._is_waiting = True

    def stopping(self) -> bool:
        """Return whether the transport must take no more mail."""
        return False

    def action(self, reply: Reply, stage: Stage) -> ReplyAction:
        """Return the consequence of a reply: any that is not a success ends the only try."""
        return ReplyAction.SENT if stage is Stage.CONTENT and reply.is_success else ReplyAction.NEVER

    def rejected_by(self, _server: str) -> str:
        """Return an empty text: the outcome says it."""
        return ""

    def load_limit(self, _server: str) -> tuple[ServerLimit, float]:
        """Return that nothing is known: a single message breaks no limit."""
        return ServerLimit(), 0

    def save_limit(self, _server: str, _limit: ServerLimit, _wait: float) -> None:
        """Forget it."""
