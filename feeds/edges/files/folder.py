"""The folder of posts, and the folders that are written.

A file is replaced in one step: a temporary file beside it, fsync, rename. Whatever happens in between, what stood
there before stands there still, whole.
"""

import errno
import os
import stat
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from feeds.errors import OutputError, PostError

#: Part of the name of a file that is not finished; a killed process may leave one behind.
_UNFINISHED = ".feeds-unfinished-"


def list_stamps(folder: Path) -> list[tuple[str, int, int]]:
    """Return path, time of modification and size of every file below *folder*, sorted; empty where there is none."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return [(file.relative_to(folder).as_posix(), file.stat().st_mtime_ns, file.stat().st_size) for file in files]


def read_file(folder: Path, path: str, most_bytes: int) -> bytes:
    """Return the content of one file.

    Raises:
        PostError: the file cannot be read, is larger than *most_bytes*, or is a link that leads out of the folder.
    """
    try:
        path.encode()
        number = _opened(folder, path)
        try:
            about = os.fstat(number)
            if not stat.S_ISREG(about.st_mode):
                raise PostError(path, None, "is no plain file")
            if about.st_size > most_bytes:
                large, most = (f"{size / 1_000_000:.3g} MB" for size in (about.st_size, most_bytes))
                raise PostError(path, None, f"is too large: {large}; at most {most} are read")
            return _whole(number, about.st_size)
        finally:
            os.close(number)
    except UnicodeEncodeError:
        shown = path.encode(errors="surrogateescape").decode(errors="backslashreplace")
        raise PostError(shown, None, "the file's name is not UTF-8; rename it") from None
    except (OSError, RuntimeError) as e:
        reason = getattr(e, "strerror", None) or str(e)
        raise PostError(path, None, f"cannot be read: {reason}") from e


def _opened(folder: Path, path: str) -> int:
    """Return an open file; a pipe is not waited for, and a link is followed only inside *folder*."""
    name = f"{folder}/{path}"
    how = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(name, how | os.O_NOFOLLOW)
    except OSError as e:
        if e.errno != errno.ELOOP:
            raise
    if not Path(name).resolve(strict=True).is_relative_to(folder.resolve()):
        raise PostError(path, None, "is a link that leads out of the posts folder")
    return os.open(name, how)


def _whole(number: int, size: int) -> bytes:
    """Return everything an open file holds, also if it has grown since its size was asked for."""
    found = os.read(number, size + 1)
    if len(found) == size:
        return found
    parts = [found]
    while parts[-1]:
        parts.append(os.read(number, max(size, 1)))
    return b"".join(parts)


def rewrite_file(folder: Path, path: str, old: bytes, new: bytes) -> None:
    """Replace one file's content in one step, keeping its mode; a link stays one, and what it leads to is replaced.

    Raises:
        OutputError: the file does not hold *old* any more, or cannot be written; it is left as it is.
    """
    try:
        file = (folder / path).resolve(strict=True)
        if file.read_bytes() != old:
            raise OutputError(path, "has changed meanwhile; it is left alone")
        _replace(file, [new], stat.S_IMODE(file.stat().st_mode))
    except (OSError, RuntimeError) as e:
        raise OutputError(path, f"cannot be written: {getattr(e, 'strerror', None) or e}") from e


def write_private(file: Path, content: Iterable[bytes]) -> None:
    """Bring one file, which only its owner may read, to *content*, in one step and holding no more than a piece of it.

    Raises:
        OutputError: it cannot be written; what stood there before still does.
    """
    try:
        _replace(file.resolve(), content, 0o600)
    except OSError as e:
        raise OutputError(str(file), f"cannot be written: {e.strerror or e}") from e


class OutputFolder:
    """A folder that this program writes to, and nothing outside it."""

    def __init__(self, root: Path, *, private: bool = False, dry_run: bool = False) -> None:
        #: Where it lies.
        self.root = root
        self._private, self._dry_run = private, dry_run

    def read(self, path: str) -> bytes | None:
        """Return what stands at *path*; None where nothing does."""
        try:
            return (self.root / path).read_bytes()
        except OSError:
            return None

    def _refuse_outside(self, file: Path) -> None:
        if not file.parent.resolve().is_relative_to(self.root.resolve()):
            raise OutputError(str(file), f"leads out of {self.root}")

    def has(self, path: str) -> bool:
        """Return whether a file stands at *path*."""
        return (self.root / path).is_file()

    def remove(self, path: str) -> bool:
        """Take *path* away, and folders that are empty without it; return whether it was there (or would be taken).

        Raises:
            OutputError: it cannot be taken away, or *path* leads out of the folder.
        """
        file = self.root / path
        self._refuse_outside(file)
        if not file.is_file() or self._dry_run:
            return file.is_file()
        try:
            file.unlink()
        except OSError as e:
            raise OutputError(str(file), f"cannot be removed: {e.strerror or e}") from e
        for folder in file.relative_to(self.root).parents:
            with suppress(OSError):  # not empty
                if folder.parts:
                    (self.root / folder).rmdir()
        return True

    def glob(self, pattern: str) -> list[str]:
        """Return the files that match a glob pattern, with `/`, sorted."""
        return sorted(file.relative_to(self.root).as_posix() for file in self.root.glob(pattern))

    def write(self, path: str, content: bytes) -> bool:
        """Bring *path* to *content*; return whether that changed anything (in a dry run: would change).

        Raises:
            OutputError: the file cannot be written, or *path* leads out of the folder.
        """
        file = self.root / path
        self._refuse_outside(file)
        if self.read(path) == content:
            return False
        if not self._dry_run:
            try:
                file.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if self._private else 0o777)
                _replace(file, [content], 0o600 if self._private else 0o666 & ~_umask())
            except OSError as e:
                raise OutputError(str(file), f"cannot be written: {e.strerror or e}") from e
        return True

    def remove_temp_files(self, *below: str) -> None:
        """Remove unfinished files that a killed process left behind; call it under the site's lock.

        Only the root itself and the folders named are looked at: the rest of `public/` may be a whole site.
        """
        if self._dry_run:
            return
        unfinished = list(self.root.glob(f"{_UNFINISHED}*"))
        for folder in below:
            for place, _, names in os.walk(self.root / folder):
                unfinished += (Path(place) / name for name in names if name.startswith(_UNFINISHED))
        for file in unfinished:
            with suppress(OSError):
                file.unlink()


def _replace(file: Path, content: Iterable[bytes], mode: int) -> None:
    number, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=file.parent)
    try:
        with os.fdopen(number, "wb") as opened:
            opened.writelines(content)
            opened.flush()
            os.fsync(opened.fileno())
        Path(name).chmod(mode)
        Path(name).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    _sync_folder(file.parent)


def _umask() -> int:
    found = os.umask(0o022)
    os.umask(found)
    return found


def _sync_folder(folder: Path) -> None:
    """Make the rename itself last through a power loss."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
