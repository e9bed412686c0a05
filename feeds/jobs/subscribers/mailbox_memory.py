"""A file that remembers the bounce mailbox: that it is the right one, and which messages are not ours."""

from collections.abc import Iterable, Sequence

import msgspec

from feeds.edges.files.output_folder import OutputFolder

#: In the state folder. If it is lost, all messages are read again.
FILE = "mailbox.json"


class _Stored(msgspec.Struct):
    mailbox: str
    left: list[str]


class MailboxMemory:
    """The messages of a mailbox that have no token of ours, by name, so that no run reads them again."""

    def __init__(self, state: OutputFolder, url: str) -> None:
        self._state, self._url = state, url
        stored = self._load()
        #: True if the mailbox was read before.
        self.is_known = stored is not None and stored.mailbox == url
        self.left = set(stored.left) if stored is not None and self.is_known else set[str]()

    def _load(self) -> _Stored | None:
        try:
            return msgspec.json.decode(self._state.read(FILE) or b"", type=_Stored)
        except msgspec.DecodeError:
            return None

    def forget_all_but(self, names: Sequence[str]) -> list[str]:
        """Forget the messages that are gone; return those of *names* that are new."""
        self.left.intersection_update(names)
        return [name for name in names if name not in self.left]

    def leave(self, names: Iterable[str]) -> None:
        """Remember messages that stay in the mailbox."""
        self.left.update(names)

    def save(self) -> None:
        """Store what is remembered.

        Raises:
            OutputError: it cannot be written.
        """
        self._state.write(FILE, msgspec.json.encode(_Stored(str(self._url), sorted(self.left))))
