"""Removes files with the address of a subscriber who is erased."""

import re
from collections.abc import Callable, Collection
from pathlib import Path

from feeds.edges.files.output_folder import OutputFolder
from feeds.errors import OutputError

#: Bytes in which our own messages have the `To` field: only DKIM signatures precede it.
_HEAD_BYTES = 8192
_TO = re.compile(rb"^To: (.*?)\r?$", re.MULTILINE)


def erase_messages(folder: Path, recipients: Collection[str]) -> int:
    """Remove our own messages to *recipients* (in the form of envelopes); return how many.

    The `To` field decides, because a mail program renames the files of a Maildir.

    Raises:
        OutputError: one cannot be read or removed.
    """
    addresses = {recipient.casefold() for recipient in recipients}

    def is_to_them(head: bytes) -> bool:
        to = _TO.search(head)
        return to is not None and to[1].decode(errors="replace").casefold() in addresses

    return _remove(folder, is_to_them, _HEAD_BYTES)


def erase_mentions(folder: Path, addresses: Collection[str]) -> int:
    """Remove the files that contain one of *addresses*, not as a part of a longer address; return how many.

    Raises:
        OutputError: one cannot be read or removed.
    """
    alternatives = b"|".join(re.escape(address.encode()) for address in addresses)
    mention = re.compile(rb"(?<![\w.+-])(?:%b)(?![\w-]|\.\w)" % alternatives, re.IGNORECASE)
    return _remove(folder, lambda content: mention.search(content) is not None, -1)


def _remove(folder: Path, matches: Callable[[bytes], bool], most_bytes: int) -> int:
    files = [file for file in folder.rglob("*") if file.is_file() and matches(_read(file, most_bytes))]
    output = OutputFolder(folder, private=True)
    return sum(output.remove(file.relative_to(folder).as_posix()) for file in files)


def _read(file: Path, most_bytes: int) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(most_bytes)
    except OSError as e:
        raise OutputError(str(file), f"cannot be read: {e.strerror or e}") from e
