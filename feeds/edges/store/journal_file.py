"""The journal: an append-only file beside the store, from which a restored backup is brought up to date.

Each line is a JSON object. It has no addresses, only the digests of the suppression list, so that erasing an address
does not require rewriting the file.
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
    """Return the path of the journal of a store."""
    return store.with_name(f"{store.name}.journal")


def append_records(file: Path, records: Iterable[JournalRecord]) -> None:
    """Append records, and sync them to the disk.

    An incomplete line of a killed process is ended first; its record is still pending in the store.

    Raises:
        OutputError: they cannot be written.
    """
    content = b"".join(_ENCODER.encode(record) + b"\n" for record in records)
    try:
        is_new = not file.exists()
        with os.fdopen(os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "r+b") as opened:
            opened.write((b"\n" if _ends_mid_line(opened.fileno()) else b"") + content)
            opened.flush()
            os.fsync(opened.fileno())
        if is_new:
            sync(file.parent)
    except OSError as e:
        raise OutputError(str(file), f"cannot be written: {e.strerror or e}") from e


def _ends_mid_line(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def read_records(file: Path, warn: Callable[[str], None]) -> Iterator[JournalRecord]:
    """Yield the records, oldest first; call *warn* for lines that cannot be read. Without a file there are none.

    Raises:
        OutputError: the file cannot be read.
    """
    try:
        with file.open("rb") as opened:
            for number, line in enumerate(opened, 1):
                try:
                    yield _DECODER.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError) as e:
                    if line.endswith(b"\n"):  # else it is the last line, which was not completed
                        warn(f"{file}:{number}: cannot be read, and is ignored: {e}")
    except FileNotFoundError:
        return
    except OSError as e:
        raise OutputError(str(file), f"cannot be read: {e.strerror or e}") from e
