"""Files that people write: posts, notes, templates, keys. Only regular files of a bounded size are read."""

import errno
import os
import stat
from pathlib import Path

from feeds.edges.files.write_files import replace_file
from feeds.errors import OutputError, PostError


def list_stamps(folder: Path) -> list[tuple[str, int, int]]:
    """Return path, time of modification and size of every file below *folder*, sorted; empty without a folder."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return [(file.relative_to(folder).as_posix(), file.stat().st_mtime_ns, file.stat().st_size) for file in files]


def read_file(folder: Path, path: str, most_bytes: int) -> bytes:
    """Return the content of one file.

    Raises:
        PostError: the file cannot be read, is larger than *most_bytes*, or is a link to a file outside *folder*.
    """
    try:
        path.encode()
        descriptor = _open(folder, path)
        try:
            return _read(path, descriptor, most_bytes)
        finally:
            os.close(descriptor)
    except UnicodeEncodeError:
        printable = path.encode(errors="surrogateescape").decode(errors="backslashreplace")
        raise PostError(printable, None, "the file's name is not UTF-8; rename it") from None
    except (OSError, RuntimeError) as e:
        reason = getattr(e, "strerror", None) or str(e)
        raise PostError(path, None, f"cannot be read: {reason}") from e


def _open(folder: Path, path: str) -> int:
    """Return the descriptor of an open file; do not wait for a pipe, follow a link only inside *folder*."""
    name = f"{folder}/{path}"
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(name, flags | os.O_NOFOLLOW)
    except OSError as e:
        if e.errno != errno.ELOOP:
            raise
    if not Path(name).resolve(strict=True).is_relative_to(folder.resolve()):
        raise PostError(path, None, f"is a link to a file outside of {folder}")
    return os.open(name, flags)


def _read(path: str, descriptor: int, most_bytes: int) -> bytes:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise PostError(path, None, "is not a regular file")
    if status.st_size > most_bytes:
        size, limit = (f"{number / 1_000_000:.3g} MB" for number in (status.st_size, most_bytes))
        raise PostError(path, None, f"is too large: {size}; the limit is {limit}")
    return _read_all(descriptor, status.st_size)


def _read_all(descriptor: int, size: int) -> bytes:
    """Return the whole content of an open file, even if it has grown since its *size* was read."""
    content = os.read(descriptor, size + 1)
    if len(content) == size:
        return content
    parts = [content]
    while parts[-1]:
        parts.append(os.read(descriptor, max(size, 1)))
    return b"".join(parts)


def rewrite_file(folder: Path, path: str, old: bytes, new: bytes) -> None:
    """Replace the content of one file and keep its mode; of a link, replace the content of its target.

    Raises:
        OutputError: the file does not contain *old* any more, or cannot be written; it is left unchanged.
    """
    try:
        file = (folder / path).resolve(strict=True)
        if file.read_bytes() != old:
            raise OutputError(path, "was changed by another program in the meantime; it is left unchanged")
        replace_file(file, [new], mode=stat.S_IMODE(file.stat().st_mode))
    except (OSError, RuntimeError) as e:
        raise OutputError(path, f"cannot be written: {getattr(e, 'strerror', None) or e}") from e
