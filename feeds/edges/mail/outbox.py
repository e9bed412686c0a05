"""The transports that send nothing: each message becomes a file.

`outbox/<newsletter>/<number>/<address>.eml`, or one in a Maildir (cr.yp.to/proto/maildir.html), which mail programs
open. Handing the same message over twice gives one file, so a crash before the store knew of the first time doubles
nothing.
"""

from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote

from feeds.edges.files.output_folder import OutputFolder
from feeds.edges.mail.transport import DeliveryQueue, OutgoingMail, Replied, Reply

_LONGEST_NAME = 200
#: How many messages are written between two looks at the store.
_AT_ONCE = 64


class Outbox:
    """Messages as files that only their owner may read."""

    idempotent = True

    def __init__(self, folder: Path) -> None:
        self._output = OutputFolder(folder, private=True)

    def path(self, folder: str, recipient: str) -> str:
        """Return where a message lies, below the outbox."""
        return f"{folder}/{_name(recipient)}.eml"

    def run(self, desk: DeliveryQueue) -> None:
        """Write every message that a desk has.

        Raises:
            OutputError: a file cannot be written; what was written before is told to the desk.
        """
        self._output.remove_temp_files()
        while parcels := self._write_all(desk):
            contents = desk.commit([], parcels)
            answers = []
            try:
                for parcel in (parcel for parcel in parcels if parcel.id in contents):
                    kept = self.write_message(parcel.folder, parcel.recipient, contents[parcel.id])
                    answers.append(Replied(parcel, Reply(250, kept)))
            finally:
                desk.commit(answers, [])

    def _write_all(self, desk: DeliveryQueue) -> list[OutgoingMail]:
        found: list[OutgoingMail] = []
        while len(found) < _AT_ONCE and not desk.stopping() and (parcel := desk.next()) is not None:
            found.append(parcel)
        for folder in {parcel.folder for parcel in found}:
            self._output.remove_temp_files(folder)
        return found

    def write_message(self, folder: str, recipient: str, message: bytes) -> str:
        """Keep one message; return where, in words.

        Raises:
            OutputError: it cannot be written.
        """
        path = self.path(folder, recipient)
        self._output.write(path, message)
        return f"kept as {path}"


class Maildir(Outbox):
    """All messages in one Maildir, for mail programs: new ones in `new/`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._folder = folder

    def path(self, folder: str, recipient: str) -> str:
        """Return where a message lies; the name is its own, so that none is there twice."""
        return f"new/{blake2b(f'{folder} {recipient}'.encode(), digest_size=12).hexdigest()}.feeds"

    def run(self, desk: DeliveryQueue) -> None:
        """Write every message that a desk has.

        Raises:
            OutputError: a file cannot be written; what was written before is told to the desk.
        """
        for name in ("new", "cur", "tmp"):  # a Maildir has all three
            (self._folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        super().run(desk)


def _name(recipient: str) -> str:
    """Return an address as a file name: no separators, not longer than file systems take."""
    name = quote(recipient, safe="@+-_.").lstrip(".")
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 17]}-{blake2b(recipient.encode(), digest_size=8).hexdigest()}"
