"""The transport that sends nothing: each message becomes a file, `outbox/<newsletter>/<number>/<address>.eml`.

Handing the same message over twice gives one file, so a crash before the store knew of the first time doubles nothing.
"""

from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote

from feeds.edges.folder import Output
from feeds.edges.transport import Answered, Desk, Parcel, Reply

_LONGEST_NAME = 200
#: How many messages are written between two looks at the store.
_AT_ONCE = 64


class Outbox:
    """Messages as files that only their owner may read."""

    idempotent = True

    def __init__(self, folder: Path) -> None:
        self._output = Output(folder, private=True)

    def run(self, desk: Desk) -> None:
        """Write every message that a desk has.

        Raises:
            OutputError: a file cannot be written; what was written before is told to the desk.
        """
        self._output.sweep()
        while parcels := self._taken(desk):
            contents = desk.turn([], parcels)
            answers = []
            try:
                for parcel in (parcel for parcel in parcels if parcel.id in contents):
                    kept = self.keep(parcel.folder, parcel.recipient, contents[parcel.id])
                    answers.append(Answered(parcel, Reply(250, kept)))
            finally:
                desk.turn(answers, [])

    def _taken(self, desk: Desk) -> list[Parcel]:
        found: list[Parcel] = []
        while len(found) < _AT_ONCE and not desk.stopping() and (parcel := desk.take()) is not None:
            found.append(parcel)
        for folder in {parcel.folder for parcel in found}:
            self._output.sweep(folder)
        return found

    def keep(self, folder: str, recipient: str, message: bytes) -> str:
        """Keep one message; return where, in words.

        Raises:
            OutputError: it cannot be written.
        """
        path = f"{folder}/{_name(recipient)}.eml"
        self._output.write(path, message)
        return f"kept as {path}"


def _name(recipient: str) -> str:
    """Return an address as a file name: no separators, not longer than file systems take."""
    name = quote(recipient, safe="@+-_.").lstrip(".")
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 17]}-{blake2b(recipient.encode(), digest_size=8).hexdigest()}"
