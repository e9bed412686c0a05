"""The transport that runs a command like sendmail: one call a message, the message on standard input."""

import subprocess
from pathlib import Path

from feeds.edges.mail.transport import DeliveryQueue, OutgoingMail, Replied, Reply, Unconfirmed
from feeds.errors import SenderRejected

#: Seconds that the command may take for one message.
_TIMEOUT = 300
#: SMTP replies for exit codes (sysexits(3)); all other codes are our fault.
_REPLIES = {
    0: Reply(250, "2.0.0 accepted by the command"),
    65: Reply(554, "5.6.0 the command rejects the message (EX_DATAERR)"),
    67: Reply(550, "5.1.1 the command does not know the user (EX_NOUSER)"),
    68: Reply(550, "5.1.2 the command does not know the host (EX_NOHOST)"),
    69: Reply(451, "4.3.0 the command is unavailable (EX_UNAVAILABLE)"),
    71: Reply(451, "4.3.0 the command had a system error (EX_OSERR)"),
    75: Reply(451, "4.3.0 the command failed temporarily (EX_TEMPFAIL)"),
}


class Sendmail:
    """Hands messages to a command such as /usr/sbin/sendmail."""

    idempotent = False

    def __init__(self, command: str) -> None:
        self._command = command

    def run(self, queue: DeliveryQueue) -> None:
        """Hand over every message of the queue, one after another.

        Raises:
            SenderRejected: the command does not exist.
        """
        while not queue.stopping() and (mail := queue.next()) is not None:
            if problems := self.find_problems():
                queue.requeue(mail)
                raise SenderRejected(problems[0])
            content = queue.commit([], [mail]).get(mail.id)
            if content is not None:
                queue.commit([self._hand_over(mail, content)], [])

    def find_problems(self) -> list[str]:
        """Return a text if the command does not exist."""
        return [] if Path(self._command).is_file() else [f"mail.sendmail: the command {self._command} does not exist"]

    def _hand_over(self, mail: OutgoingMail, content: bytes) -> Replied | Unconfirmed:
        words = [self._command, "-i", "-f", mail.sender, "--", mail.recipient]
        try:
            # Lines end with LF, as on this system: the command converts them to CRLF.
            done = subprocess.run(  # noqa: S603 - the owner's command, and addresses that were checked, behind `--`
                words, input=content.replace(b"\r\n", b"\n"), capture_output=True, check=False, timeout=_TIMEOUT
            )
        except subprocess.TimeoutExpired:
            return Unconfirmed(mail, f"{self._command} did not end within {_TIMEOUT} s")
        except OSError as e:
            return Replied(mail, Reply(550, f"5.7.8 {self._command} cannot be run: {e.strerror or e}"))
        return Replied(mail, self._to_reply(done))

    def _to_reply(self, done: subprocess.CompletedProcess[bytes]) -> Reply:
        output = " ".join((done.stderr or done.stdout).decode("utf-8", "replace").split())[:200]
        reply = _REPLIES.get(done.returncode)
        if reply is None:
            return Reply(550, f"5.7.8 {self._command} ended with exit code {done.returncode}: {output}")
        return Reply(reply.code, f"{reply.text} {output}".strip())
