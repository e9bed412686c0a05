"""A disk that can lose power: what was written and not brought to it (fsync) is gone.

As root it is a file system of its own in a file (ext4 on a loop device): the file holds what has reached the device,
what is still in memory is not in it. Elsewhere it is a folder, and a power loss brings back its files as they were up
to a quarter of a second before, which is what we promise.
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
#: Without a commit of its own every few seconds: what is not asked for is not written.
_OPTIONS = "loop,commit=600,noatime"
_PROMISED = 0.25


class Device:
    """A file system on a loop device."""

    def __init__(self, place: Path) -> None:
        self.place, self._image = place, place.with_name("image")
        with self._image.open("wb") as file:
            file.truncate(_SIZE)
        _run("mkfs.ext4", "-q", "-F", str(self._image))
        _run("mount", "-o", _OPTIONS, str(self._image), str(place))

    def lose_power(self, process: subprocess.Popen[str]) -> float:
        """End a process and bring back what had reached the device; return since when something may be missing."""
        process.send_signal(signal.SIGSTOP)
        moment, copy = time.monotonic(), self._image.with_name("copy")
        shutil.copyfile(self._image, copy)
        _kill(process)
        self.close()
        copy.rename(self._image)
        _run("mount", "-o", _OPTIONS, str(self._image), str(self.place))
        return moment - _PROMISED

    def close(self) -> None:
        _run("umount", str(self.place))


class Folder:
    """Files of a folder, as they were a moment ago."""

    def __init__(self, place: Path) -> None:
        self.place, self._copy = place, place.with_name("copy")

    def lose_power(self, process: subprocess.Popen[str]) -> float:
        """End a process and bring back what was there a moment before; return when that was."""
        process.send_signal(signal.SIGSTOP)
        moment = time.monotonic()
        shutil.copytree(self.place, self._copy, ignore=shutil.ignore_patterns("*-shm"))
        process.send_signal(signal.SIGCONT)
        time.sleep(_PROMISED)
        _kill(process)
        shutil.rmtree(self.place)
        self._copy.rename(self.place)
        return moment

    def close(self) -> None:
        """There is nothing to close."""


@contextmanager
def disk(folder: Path) -> Iterator[Device | Folder]:
    """Hold one open at *folder*`/disk`."""
    place = folder / "disk"
    place.mkdir()
    try:
        found: Device | Folder = Device(place) if os.geteuid() == 0 else Folder(place)
    except (OSError, subprocess.CalledProcessError):  # a container without loop devices
        found = Folder(place)
    try:
        yield found
    finally:
        found.close()


@contextmanager
def small(folder: Path) -> Iterator[Path]:
    """Hold a folder open that has little room, if we may mount one."""
    place = folder / "small"
    place.mkdir()
    if os.geteuid():
        yield place
        return
    _run("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place))
    try:
        yield place
    finally:
        _run("umount", str(place))


@contextmanager
def filled(place: Path, process: int) -> Iterator[None]:
    """Leave no room in a small folder, or let a process write no file that is longer than the longest there is."""
    if os.geteuid():
        longest = max(file.stat().st_size for file in place.iterdir())
        resource.prlimit(process, resource.RLIMIT_FSIZE, (longest, longest))
        yield
        return
    file = place / "filler"
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
