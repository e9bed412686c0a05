"""The transport that sends nothing: each message becomes a file, `outbox/<newsletter>/<number>/<address>.eml`.

Handing the same message over twice gives one file, so a crash before the store knew of the first time doubles nothing.
"""

from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote

from feeds.edges.folder import Output

_LONGEST_NAME = 200


class Outbox:
    """Messages as files that only their owner may read."""

    def __init__(self, folder: Path) -> None:
        self._output = Output(folder, private=True)

    def hand_over(self, newsletter: str, number: int, recipient: str, message: bytes) -> str:
        """Keep one message; return the transport's answer."""
        path = f"{newsletter}/{number}/{_name(recipient)}.eml"
        self._output.write(path, message)
        return f"kept as {path}"

    def sweep(self, newsletter: str, number: int) -> None:
        """Remove unfinished files of one issue that a killed process left behind."""
        self._output.sweep(f"{newsletter}/{number}")


def _name(recipient: str) -> str:
    """Return an address as a file name: no separators, not longer than file systems take."""
    name = quote(recipient, safe="@+-_.").lstrip(".")
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 17]}-{blake2b(recipient.encode(), digest_size=8).hexdigest()}"
