"""One publish at a time for each site, and beside it one sender for each store.

The site's lock is its folder itself (flock on the directory). A sender's is a file beside the store, which goes when it
ends. Both locks die with their process, however that dies.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from feeds.errors import LockedError


@contextmanager
def lock_site(folder: Path) -> Iterator[None]:
    """Hold the site's lock.

    Raises:
        Busy: another process holds it.
    """
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if not _locked(number):
            raise LockedError(f"another publish is at work on {folder}; nothing was done here")
        yield
    finally:
        os.close(number)


@contextmanager
def lock_sending(store: Path) -> Iterator[None]:
    """Hold the lock of whoever sends what lies in a store.

    Raises:
        Busy: another process sends.
    """
    file = store.with_name(f"{store.name}.sending")
    number = _of_file(file)
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            file.unlink()  # before it is let go: whoever opens it until then finds out below
        os.close(number)


def _of_file(file: Path) -> int:
    """Return the open file, locked, of which it is certain that it still bears its name."""
    while True:
        number = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _locked(number):
            os.close(number)
            raise LockedError("another process is sending letters; nothing was sent here")
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(number), file.stat()):
                return number
        os.close(number)


def _locked(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
