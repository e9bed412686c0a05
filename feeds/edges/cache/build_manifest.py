"""The digest of the inputs of each output file, so that an output whose inputs are the same is not rendered again.

An output is fresh if its digest is the same and its file has not been changed since. If the manifest is lost or
damaged, every output is rendered again and compared with its file.
"""

import os
from hashlib import blake2b
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec

from feeds.edges.files.private_folder import create_private_folder
from feeds.edges.files.scan import Stamp, file_stamp
from feeds.edges.files.write_files import replace_file

#: By path: the digest of the inputs and the stamp of the file.
_Entries = dict[str, tuple[str, Stamp]]


def input_digest(*inputs: Any) -> str:
    """Return a digest of everything that decides the bytes of an output."""
    return blake2b(msgspec.json.encode(inputs, enc_hook=str), digest_size=16).hexdigest()


class BuildManifest:
    """The digests of the files below *root*; stored in *file*, or not at all if that is None."""

    def __init__(self, file: Path | None, root: Path, build: str) -> None:
        self._file, self._root, self._build = file, root, build
        self._previous = self._load()
        self._current: _Entries = {}

    def _load(self) -> _Entries:
        if self._file is None:
            return {}
        try:
            header, _, encoded = self._file.read_bytes().partition(b"\n")
            is_valid = header == self._header(encoded)
            return msgspec.json.decode(encoded, type=_Entries) if is_valid else {}
        except (OSError, msgspec.DecodeError):
            return {}

    def _header(self, encoded: bytes) -> bytes:
        return f"feeds made 1 {self._build} {crc32(encoded):08x}".encode()

    def is_fresh(self, path: str, digest: str) -> bool:
        """Return whether the file at *path* was made from inputs with this digest and has not been changed since."""
        is_fresh = self._previous.get(path) == (digest, self._stamp(path))
        if is_fresh:
            self._current[path] = self._previous[path]
        return is_fresh

    def last_digest(self, path: str) -> str | None:
        """Return the digest of the inputs of a file; None if the file has been changed since."""
        entry = self._previous.get(path)
        return entry[0] if entry is not None and entry[1] == self._stamp(path) else None

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that are fresh or were just made."""
        return tuple(self._current)

    def record(self, path: str, digest: str) -> None:
        """Record that the file at *path* was just made from inputs with this digest."""
        stamp = self._stamp(path)
        if stamp is not None:
            self._current[path] = (digest, stamp)

    def _stamp(self, path: str) -> Stamp | None:
        try:
            return file_stamp(os.stat(f"{self._root}/{path}"))  # noqa: PTH116 - thousands of them, and this is five times as fast
        except OSError:
            return None

    def save(self) -> None:
        """Store what this run recorded; if that fails, the next run only compares bytes."""
        if self._file is None or self._current == self._previous:
            return
        encoded = msgspec.json.encode(self._current)
        try:
            create_private_folder(self._file.parent)
            replace_file(self._file, [self._header(encoded), b"\n", encoded], mode=0o600, durable=False)
        except OSError:
            return  # the post cache, in the same folder, has already warned
