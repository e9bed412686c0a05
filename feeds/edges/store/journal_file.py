"""The journal: an append-only file beside the store, from which a restored backup is brought up to date.

Each line is a JSON object; the first one identifies the file. It has no addresses, only the digests of the suppression
list, so that erasing an address does not require rewriting the file.
"""

import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from feeds.edges.files.write_files import sync
from feeds.errors import OutputError
from feeds.model import JournalBegun, JournalRecord

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(JournalRecord | JournalBegun)
#: The bytes of a random id, and of a first line that are read.
_ID_BYTES, _FIRST_BYTES = 8, 4096


def journal_path(store: Path) -> Path:
    """Return the path of the journal of a store."""
    return store.with_name(f"{store.name}.journal")


def read_journal_id(file: Path) -> int | None:
    """Return a positive number that identifies a journal: a checksum of its first line.

    None if there is no file yet, or it cannot be read. Journals of older versions begin with any record.
    """
    try:
        with file.open("rb") as opened:
            first = opened.readline(_FIRST_BYTES).rstrip(b"\n")
    except OSError:
        return None
    return zlib.crc32(first) >> 1 or 1 if first else None  # SQLite keeps a signed number of 32 bits


def append_records(file: Path, records: Iterable[JournalRecord]) -> None:
    """Append records, and sync them to the disk.

    An incomplete line of a killed process is ended first; its record is still pending in the store.

    Raises:
        OutputError: they cannot be written.
    """
    content = b"".join(_ENCODER.encode(record) + b"\n" for record in records)
    try:
        is_new = not (file.exists() and file.stat().st_size)
        begin = _ENCODER.encode(JournalBegun(id=os.urandom(_ID_BYTES).hex())) + b"\n" if is_new else b""
        with os.fdopen(os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "r+b") as opened:
            opened.write((b"\n" if _ends_mid_line(opened.fileno()) else begin) + content)
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
                    record = _DECODER.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError) as e:
                    if line.endswith(b"\n"):  # else it is the last line, which was not completed
                        warn(f"{file}:{number}: cannot be read, and is ignored: {e}")
                else:
                    if not isinstance(record, JournalBegun):
                        yield record
    except FileNotFoundError:
        return
    except OSError as e:
        raise OutputError(str(file), f"cannot be read: {e.strerror or e}") from e
