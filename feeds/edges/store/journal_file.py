"""The journal: a file beside the store to which lines are only ever added, for the day on which the store is lost.

A line is a JSON object. Nobody is named in it (people stand there as on the suppression list), so that whoever is
erased need not be erased here, and the file need never be written anew.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from feeds.edges.files.write_files import sync
from feeds.errors import OutputError
from feeds.model import JournalRecord

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(JournalRecord)


def journal_path(store: Path) -> Path:
    """Return where the journal of a store lies."""
    return store.with_name(f"{store.name}.journal")


def append_records(file: Path, lines: Iterable[JournalRecord]) -> None:
    """Add lines, and come back when they are on the disk.

    A line that a killed process has left unfinished is closed off: what it was to say is not forgotten in the store.

    Raises:
        OutputError: they cannot be written.
    """
    content = b"".join(_ENCODER.encode(line) + b"\n" for line in lines)
    try:
        is_new = not file.exists()
        with os.fdopen(os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "r+b") as opened:
            opened.write((b"\n" if _is_torn(opened.fileno()) else b"") + content)
            opened.flush()
            os.fsync(opened.fileno())
        if is_new:
            sync(file.parent)
    except OSError as e:
        raise OutputError(str(file), f"cannot be written: {e.strerror or e}") from e


def _is_torn(number: int) -> bool:
    size = os.fstat(number).st_size
    return size > 0 and os.pread(number, 1, size - 1) != b"\n"


def read_records(file: Path, tell: Callable[[str], None]) -> Iterator[JournalRecord]:
    """Yield the lines, oldest first; *tell* is told of those that cannot be read. No file: no lines.

    Raises:
        OutputError: the file cannot be read.
    """
    try:
        with file.open("rb") as opened:
            for number, line in enumerate(opened, 1):
                try:
                    yield _DECODER.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError) as e:
                    if line.endswith(b"\n"):  # else it is the last, and was never finished
                        tell(f"{file}:{number}: cannot be read, and is left out: {e}")
    except FileNotFoundError:
        return
    except OSError as e:
        raise OutputError(str(file), f"cannot be read: {e.strerror or e}") from e
