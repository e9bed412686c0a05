"""Transports that send nothing: each message becomes a file.

It is `outbox/<newsletter>/<number>/<address>.eml` in the state folder, or a file in a Maildir
(cr.yp.to/proto/maildir.html), which mail programs can open. Writing the same message twice gives one file, so a crash
before the database is updated duplicates nothing.
"""

from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote

from feeds.edges.files.output_folder import OutputFolder
from feeds.edges.files.private_folder import create_private_folder
from feeds.edges.mail.transport import DeliveryQueue, OutgoingMail, Replied, Reply

_LONGEST_NAME = 200
#: How many messages are written between two commits.
_BATCH = 64


class Outbox:
    """Messages as files that only their owner may read."""

    idempotent = True

    def __init__(self, folder: Path) -> None:
        self._output = OutputFolder(folder, private=True)

    def path(self, folder: str, recipient: str) -> str:
        """Return the path of a message below the outbox."""
        return f"{folder}/{_file_name(recipient)}.eml"

    def run(self, queue: DeliveryQueue) -> None:
        """Write every message of the queue.

        Raises:
            OutputError: a file cannot be written; those before it are committed.
        """
        self._output.remove_temp_files()
        while batch := self._take_batch(queue):
            contents = queue.commit([], batch)
            written = []
            try:
                for mail in (mail for mail in batch if mail.id in contents):
                    text = self.write_message(mail.folder, mail.recipient, contents[mail.id])
                    written.append(Replied(mail, Reply(250, text)))
            finally:
                queue.commit(written, [])

    def _take_batch(self, queue: DeliveryQueue) -> list[OutgoingMail]:
        batch: list[OutgoingMail] = []
        while len(batch) < _BATCH and not queue.stopping() and (mail := queue.next()) is not None:
            batch.append(mail)
        for folder in {mail.folder for mail in batch}:
            self._output.remove_temp_files(folder)
        return batch

    def write_message(self, folder: str, recipient: str, message: bytes) -> str:
        """Write one message; return a sentence with its path.

        Raises:
            OutputError: it cannot be written.
        """
        path = self.path(folder, recipient)
        self._output.write(path, message)
        return f"saved as {path}"


class Maildir(Outbox):
    """All messages in one Maildir, for mail programs; new ones are in `new/`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._folder = folder

    def path(self, folder: str, recipient: str) -> str:
        """Return the path of a message: a hash of issue and recipient, so that each message exists once."""
        return f"new/{blake2b(f'{folder} {recipient}'.encode(), digest_size=12).hexdigest()}.feeds"

    def run(self, queue: DeliveryQueue) -> None:
        """Write every message of the queue.

        Raises:
            OutputError: a file cannot be written; those before it are committed.
        """
        for name in ("new", "cur", "tmp"):  # a Maildir has all three
            create_private_folder(self._folder / name)
        super().run(queue)


def _file_name(recipient: str) -> str:
    """Return an address as a file name: no separators, not longer than file systems allow."""
    name = quote(recipient, safe="@+-_.").lstrip(".")
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 17]}-{blake2b(recipient.encode(), digest_size=8).hexdigest()}"
