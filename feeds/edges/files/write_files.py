"""Writing a file in one step: a temporary file beside it, fsync, rename.

Whenever the process is killed, a reader finds either the old content or the new one, never a part.
This module imports `os` alone, so that a publish that finds nothing changed stays fast.
"""

import os
from collections.abc import Callable, Iterable

#: Begins the names of temporary files; a killed process may leave one behind.
TEMP_PREFIX = ".feeds-unfinished-"

AnyPath = str | os.PathLike[str]


def replace_file(file: AnyPath, content: Iterable[bytes], *, mode: int | None = None, durable: bool = True) -> None:
    """Write *content* to *file* and replace the file that is there.

    The file gets exactly the permissions of *mode*, by default those that the umask leaves. If *durable*, the new
    content survives a power loss as soon as this function returns.

    Raises:
        OSError: the file cannot be written; the old one is unchanged.
    """
    _write(file, content, os.replace, mode=mode, durable=durable)


def create_file(file: AnyPath, content: Iterable[bytes], *, mode: int | None = None) -> None:
    """Write *content* to a new *file*; the content survives a power loss.

    Raises:
        FileExistsError: the file exists; it is unchanged.
        OSError: the file cannot be written.
    """
    _write(file, content, _link, mode=mode, durable=True)


def sync(path: AnyPath) -> None:
    """Wait until the content of a file, or the names in a folder, would survive a power loss.

    Raises:
        OSError: the disk cannot be written.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(
    file: AnyPath, content: Iterable[bytes], name: Callable[[str, AnyPath], None], *, mode: int | None, durable: bool
) -> None:
    """Write a temporary file and let *name* give it the name *file*."""
    folder = os.path.dirname(file) or "."
    temp = f"{folder}/{TEMP_PREFIX}{os.urandom(6).hex()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(temp, flags, 0o666 if mode is None else 0o600), "wb") as opened:
            opened.writelines(content)
            if mode is not None:
                os.fchmod(opened.fileno(), mode)
            if durable:
                opened.flush()
                os.fsync(opened.fileno())
        name(temp, file)
    except BaseException:
        _remove(temp)
        raise
    if durable:
        sync(folder)


def _link(temp: str, file: AnyPath) -> None:
    os.link(temp, file)
    os.unlink(temp)


def _remove(temp: str) -> None:
    try:
        os.unlink(temp)
    except OSError:
        return  # it was never created
