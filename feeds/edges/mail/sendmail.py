"""The transport that runs a command as `sendmail` is run: one message a call, on its standard input."""

import subprocess
from pathlib import Path

from feeds.edges.mail.transport import DeliveryQueue, OutgoingMail, Replied, Reply, Unconfirmed
from feeds.errors import SenderRejected

#: Seconds that a command may take for one message.
_PATIENCE = 300
#: What exit codes mean (sysexits(3)), as a server would say it; all others are faults of ours.
_REPLIES = {
    0: Reply(250, "2.0.0 taken by the command"),
    65: Reply(554, "5.6.0 the command does not like the message"),
    67: Reply(550, "5.1.1 the command knows no such user"),
    68: Reply(550, "5.1.2 the command knows no such host"),
    69: Reply(451, "4.3.0 the command cannot do it now"),
    71: Reply(451, "4.3.0 the system cannot do it now"),
    75: Reply(451, "4.3.0 the command says: later"),
}


class Sendmail:
    """Messages to a command such as /usr/sbin/sendmail."""

    idempotent = False

    def __init__(self, command: str) -> None:
        self._command = command

    def run(self, desk: DeliveryQueue) -> None:
        """Hand over every message that a desk has, one after another.

        Raises:
            MailRefused: the command cannot be run, or ends as no mailer does.
        """
        while not desk.stopping() and (parcel := desk.next()) is not None:
            if not Path(self._command).is_file():
                desk.requeue(parcel)
                raise SenderRejected(f"there is no command {self._command}; mail.sendmail names another one")
            content = desk.commit([], [parcel]).get(parcel.id)
            if content is not None:
                desk.commit([self._handed_over(parcel, content)], [])

    def _handed_over(self, parcel: OutgoingMail, content: bytes) -> Replied | Unconfirmed:
        words = [self._command, "-i", "-f", parcel.sender, "--", parcel.recipient]
        try:
            # Lines end as on this system: the command makes CRLF of it.
            done = subprocess.run(  # noqa: S603 - the owner's command, and addresses that were checked, behind `--`
                words, input=content.replace(b"\r\n", b"\n"), capture_output=True, check=False, timeout=_PATIENCE
            )
        except subprocess.TimeoutExpired:
            return Unconfirmed(parcel, f"{self._command} did not end within {_PATIENCE} s")
        except OSError as e:
            return Replied(parcel, Reply(550, f"5.7.8 {self._command} cannot be run: {e.strerror or e}"))
        said = " ".join((done.stderr or done.stdout).decode("utf-8", "replace").split())[:200]
        reply = _REPLIES.get(done.returncode)
        if reply is None:
            return Replied(parcel, Reply(550, f"5.7.8 {self._command} ends with {done.returncode}: {said}"))
        return Replied(parcel, Reply(reply.code, f"{reply.text} {said}".strip()))
