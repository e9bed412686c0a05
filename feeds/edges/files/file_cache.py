"""Files that are read again only when they have changed: a stat for each use, a read for each change."""

import os
import stat
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """A value made of a file, and how many bytes it takes in memory."""

    @property
    def bytes_in_memory(self) -> int:
        """The size of all its parts."""


Built = TypeVar("Built", bound=Sized)
#: Makes something of a file: its path below the root, its content, the time of its last change in seconds since 1970,
#: and what was made of it before the change, if that is still known.
Build = Callable[[str, bytes, int, Built | None], Built]


@dataclass(frozen=True, slots=True)
class Loaded(Generic[Built]):
    """One version of a file."""

    file: str
    #: Differs between two versions: a file of ours is replaced, so its inode is another one.
    stamp: tuple[int, int, int]
    built: Built


class FileCache(Generic[Built]):
    """The files of a folder, each as it was made of its newest version, as far as they fit into a number of bytes.

    `load` may run in any thread; the other methods belong to one.
    """

    def __init__(self, root: Path, build: Build[Built], most_bytes: int) -> None:
        self._root, self._build, self._most = root, build, most_bytes
        self._files: OrderedDict[str, Loaded[Built]] = OrderedDict()
        self._bytes = 0

    def get(self, path: str) -> Built | None:
        """Return the value made of a file if that is still its newest version."""
        loaded = self._files.get(path)
        if loaded is None:
            return None
        try:
            current = _stamp(os.stat(loaded.file))  # noqa: PTH116 - a Path costs more than the call
        except OSError:
            return None
        if current != loaded.stamp:
            return None
        self._files.move_to_end(path)
        return loaded.built

    def load(self, path: str) -> Loaded[Built] | None:
        """Read a file; None if there is none below the root, or it is not a plain file."""
        file = self._inside(path)
        if file is None:
            return None
        try:
            with open(file, "rb", opener=_open_without_waiting) as opened:
                found = os.fstat(opened.fileno())
                if not stat.S_ISREG(found.st_mode):
                    return None
                content = opened.read()
        except (OSError, ValueError):
            return None
        before = self._files.get(path)
        built = self._build(path, content, int(found.st_mtime), before.built if before else None)
        return Loaded(str(file), _stamp(found), built)

    def has_file(self, path: str) -> bool:
        """Return whether there is a plain file at *path*."""
        file = self._inside(path)
        try:
            return file is not None and stat.S_ISREG(file.stat().st_mode)
        except OSError:
            return False

    def _inside(self, path: str) -> Path | None:
        """Return the place of a path after all links; None if that is not below the root."""
        try:
            root, place = self._root.resolve(), (self._root / path).resolve()
        except (OSError, RuntimeError, ValueError):  # a cycle of links, a name that is too long
            return None
        return place if place.is_relative_to(root) and place != root else None

    def put(self, path: str, loaded: Loaded[Built]) -> None:
        """Keep a version that `load` has returned; what was used least makes room for it."""
        self.drop(path)
        if loaded.built.bytes_in_memory > self._most:
            return
        self._files[path] = loaded
        self._bytes += loaded.built.bytes_in_memory
        while self._bytes > self._most:
            self.drop(next(iter(self._files)))

    def drop(self, path: str) -> None:
        """Forget a file."""
        loaded = self._files.pop(path, None)
        if loaded is not None:
            self._bytes -= loaded.built.bytes_in_memory


def _stamp(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_mtime_ns, found.st_size, found.st_ino


def _open_without_waiting(path: str, flags: int) -> int:
    """Open a file; of a named pipe, do not wait for its other end."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)
