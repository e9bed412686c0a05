"""A disk that can lose power: data that was written but not synced (fsync) is lost.

For root it is a file system in a file (ext4 on a loop device): the file has the data that reached the device, and not
the data that is still in memory. For other users it is a folder, and a power loss restores its files as they were a
quarter of a second before, which is what the program promises.
"""

import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_SIZE = 48_000_000
#: Without the usual commit every few seconds: only data that is synced is written.
_OPTIONS = "loop,commit=600,noatime"
_PROMISED = 0.25


class Device:
    """A file system on a loop device."""

    def __init__(self, path: Path) -> None:
        self.path, self._image = path, path.with_name("image")
        with self._image.open("wb") as file:
            file.truncate(_SIZE)
        _run("mkfs.ext4", "-q", "-F", str(self._image))
        _run("mount", "-o", _OPTIONS, str(self._image), str(path))

    def lose_power(self, process: subprocess.Popen[str]) -> float:
        """Kill a process and restore what had reached the device; return the time after which data may be missing."""
        process.send_signal(signal.SIGSTOP)
        stopped_at, copy = time.monotonic(), self._image.with_name("copy")
        shutil.copyfile(self._image, copy)
        _kill(process)
        self.close()
        copy.rename(self._image)
        _run("mount", "-o", _OPTIONS, str(self._image), str(self.path))
        return stopped_at - _PROMISED

    def close(self) -> None:
        _run("umount", str(self.path))


class Folder:
    """A folder whose files can be restored as they were a moment ago."""

    def __init__(self, path: Path) -> None:
        self.path, self._copy = path, path.with_name("copy")

    def lose_power(self, process: subprocess.Popen[str]) -> float:
        """Kill a process and restore the files of a moment before; return the time of that moment."""
        process.send_signal(signal.SIGSTOP)
        stopped_at = time.monotonic()
        shutil.copytree(self.path, self._copy, ignore=shutil.ignore_patterns("*-shm"))
        process.send_signal(signal.SIGCONT)
        time.sleep(_PROMISED)
        _kill(process)
        shutil.rmtree(self.path)
        self._copy.rename(self.path)
        return stopped_at

    def close(self) -> None:
        """Do nothing."""


@contextmanager
def disk(folder: Path) -> Iterator[Device | Folder]:
    """Mount a disk at *folder*`/disk`."""
    path = folder / "disk"
    path.mkdir()
    try:
        found: Device | Folder = Device(path) if os.geteuid() == 0 else Folder(path)
    except (OSError, subprocess.CalledProcessError):  # a container without loop devices
        found = Folder(path)
    try:
        yield found
    finally:
        found.close()


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a disk of 16 MB at *folder*`/small`; for users other than root it is a folder."""
    path = folder / "small"
    path.mkdir()
    if os.geteuid():
        yield path
        return
    _run("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(path))
    try:
        yield path
    finally:
        _run("umount", str(path))


@contextmanager
def without_space(path: Path, process: int) -> Iterator[None]:
    """Fill a small disk; for users other than root let a process write no file longer than the longest there."""
    if os.geteuid():
        longest = max(file.stat().st_size for file in path.iterdir())
        resource.prlimit(process, resource.RLIMIT_FSIZE, (longest, longest))
        yield
        return
    file = path / "filler"
    with suppress(OSError), file.open("wb", 0) as filler:
        while True:
            filler.write(bytes(4096))
    yield
    file.unlink()


def _kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=60)
