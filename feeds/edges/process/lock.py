"""Locks: one publish at a time for each site, and one sender at a time for each database.

The lock of a site is its folder (flock on the directory). The lock of a sender is a file beside the database, which is
removed at the end. The system releases both when their process ends, even if it is killed.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from feeds.edges.files.private_folder import create_private_folder
from feeds.errors import LockedError


@contextmanager
def lock_site(folder: Path) -> Iterator[None]:
    """Hold the lock of a site.

    Raises:
        LockedError: another process holds it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if not _try_lock(descriptor):
            raise LockedError(f"another publish is running on {folder}; nothing was done here")
        yield
    finally:
        os.close(descriptor)


#: Why a task cannot be done now, by the task.
HOLDERS = {"sending": "another process is sending letters", "mailing": "another process is sending confirmations"}


@contextmanager
def lock_task(store: Path, task: str) -> Iterator[None]:
    """Hold the lock of a task of a database: `sending` letters, or `mailing` outside of any issue.

    Raises:
        LockedError: another process holds it.
    """
    with _lock_file(store.with_name(f"{store.name}.{task}"), HOLDERS[task]):
        yield


@contextmanager
def _lock_file(file: Path, holder: str) -> Iterator[None]:
    create_private_folder(file.parent)
    descriptor = _open_locked(file, holder)
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            file.unlink()  # before it is unlocked: a process that has opened it until then notices that it is gone
        os.close(descriptor)


def _open_locked(file: Path, holder: str) -> int:
    """Return the descriptor of a locked file that still has its name."""
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _try_lock(descriptor):
            os.close(descriptor)
            raise LockedError(f"{holder}; nothing was sent here")
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), file.stat()):
                return descriptor
        os.close(descriptor)  # the last holder has removed the file in between


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
