"""What each output was made of, so that it need not be made again to learn that it is the same.

A recipe is a digest of everything that decides an output's bytes. An output is as it should be when its recipe is the
same and its file has not been touched since. Lost or damaged, everything is made and compared again.
"""

import os
from hashlib import blake2b
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec

from feeds.edges.files.scan import Stamp, file_stamp
from feeds.edges.files.write_files import replace_file

_Known = dict[str, tuple[str, Stamp]]


def input_digest(*decided: Any) -> str:
    """Return a digest of whatever decides something's bytes."""
    return blake2b(msgspec.json.encode(decided, enc_hook=str), digest_size=16).hexdigest()


class BuildManifest:
    """The recipes of the files below one folder; kept in *file*, or nowhere where that is None."""

    def __init__(self, file: Path | None, root: Path, build: str) -> None:
        self._file, self._root, self._build = file, root, build
        self._had = self._loaded()
        self._now: _Known = {}

    def _loaded(self) -> _Known:
        if self._file is None:
            return {}
        try:
            head, _, encoded = self._file.read_bytes().partition(b"\n")
            trusted = head == self._head(encoded)
            return msgspec.json.decode(encoded, type=_Known) if trusted else {}
        except (OSError, msgspec.DecodeError):
            return {}

    def _head(self, encoded: bytes) -> bytes:
        return f"feeds made 1 {self._build} {crc32(encoded):08x}".encode()

    def is_fresh(self, path: str, recipe: str) -> bool:
        """Return whether *path* was made by this recipe and lies as it was left."""
        fresh = self._had.get(path) == (recipe, self._stamp(path))
        if fresh:
            self._now[path] = self._had[path]
        return fresh

    def last_digest(self, path: str) -> str | None:
        """Return the recipe by which *path* was made; None if it does not lie as it was left."""
        had = self._had.get(path)
        return had[0] if had is not None and had[1] == self._stamp(path) else None

    @property
    def paths(self) -> tuple[str, ...]:
        """What is known to lie as it should."""
        return tuple(self._now)

    def record(self, path: str, recipe: str) -> None:
        """Remember that *path* was just made by this recipe."""
        stamp = self._stamp(path)
        if stamp is not None:
            self._now[path] = (recipe, stamp)

    def _stamp(self, path: str) -> Stamp | None:
        try:
            return file_stamp(os.stat(f"{self._root}/{path}"))  # noqa: PTH116 - thousands of them, and this is five times as fast
        except OSError:
            return None

    def save(self) -> None:
        """Keep what this pass knows; without it the next pass compares bytes."""
        if self._file is None or self._now == self._had:
            return
        encoded = msgspec.json.encode(self._now)
        try:
            self._file.parent.mkdir(exist_ok=True)
            replace_file(self._file, [self._head(encoded), b"\n", encoded], durable=False)
        except OSError:
            return  # the cache has said so already
