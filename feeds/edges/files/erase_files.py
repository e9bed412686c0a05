"""Messages that lie in a folder and name somebody who is to be forgotten."""

import re
from collections.abc import Callable, Collection
from pathlib import Path

from feeds.edges.files.output_folder import OutputFolder
from feeds.errors import OutputError

#: Whom a message of ours is to stands in its first bytes; only signatures stand before it.
_HEAD = 8192
_TO = re.compile(rb"^To: (.*?)\r?$", re.MULTILINE)


def erase_messages(folder: Path, recipients: Collection[str]) -> int:
    """Remove our own messages to *recipients* (as envelopes have them); return how many.

    They are asked, since a mail program gives what lies in a Maildir names of its own.

    Raises:
        OutputError: one cannot be read or removed.
    """
    theirs = {recipient.casefold() for recipient in recipients}

    def is_theirs(head: bytes) -> bool:
        to = _TO.search(head)
        return to is not None and to[1].decode(errors="replace").casefold() in theirs

    return _remove(folder, is_theirs, _HEAD)


def erase_mentions(folder: Path, addresses: Collection[str]) -> int:
    """Remove the files that hold one of *addresses* in plain sight, and nothing longer that ends or begins so.

    Raises:
        OutputError: one cannot be read or removed.
    """
    names = b"|".join(re.escape(address.encode()) for address in addresses)
    named = re.compile(rb"(?<![\w.+-])(?:%b)(?![\w-]|\.\w)" % names, re.IGNORECASE)
    return _remove(folder, lambda content: named.search(content) is not None, -1)


def _remove(folder: Path, is_theirs: Callable[[bytes], bool], most: int) -> int:
    found = [file for file in folder.rglob("*") if file.is_file() and is_theirs(_read(file, most))]
    output = OutputFolder(folder, private=True)
    return sum(output.remove(file.relative_to(folder).as_posix()) for file in found)


def _read(file: Path, most: int) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(most)
    except OSError as e:
        raise OutputError(str(file), f"cannot be read: {e.strerror or e}") from e
