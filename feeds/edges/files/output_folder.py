"""Files and folders that this program writes; each file is replaced in one step."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from feeds.edges.files.private_folder import create_private_folder
from feeds.edges.files.write_files import TEMP_PREFIX, replace_file
from feeds.errors import OutputError

#: Permissions of a file that only its owner may read.
_PRIVATE_FILE = 0o600


def write_private(file: Path, content: Iterable[bytes]) -> None:
    """Write a file that only its owner may read; of a link, write its target. One piece of *content* is in memory.

    Raises:
        OutputError: the file cannot be written; the old one is unchanged.
    """
    try:
        replace_file(file.resolve(), content, mode=_PRIVATE_FILE)
    except OSError as e:
        raise OutputError(str(file), f"cannot be written: {e.strerror or e}") from e


class OutputFolder:
    """A folder that this program writes to, and nothing outside of it."""

    def __init__(self, root: Path, *, private: bool = False, dry_run: bool = False) -> None:
        #: The path of the folder.
        self.root = root
        self._private, self._dry_run = private, dry_run

    def require_folder(self) -> None:
        """Check that the folder exists or can be created, before many files are written to it.

        Raises:
            OutputError: there is a file at its path, or at the path of a folder above it.
        """
        first = next(path for path in (self.root, *self.root.parents) if os.path.lexists(path))
        if not first.is_dir():
            raise OutputError(
                str(first), "is a file, so that nothing can be written there; move it, or set feeds.folder"
            )

    def read(self, path: str) -> bytes | None:
        """Return the content of the file at *path*; None if there is none."""
        try:
            return (self.root / path).read_bytes()
        except OSError:
            return None

    def has(self, path: str) -> bool:
        """Return whether there is a file at *path*."""
        return (self.root / path).is_file()

    def glob(self, pattern: str) -> list[str]:
        """Return the files that match a glob pattern, with `/`, sorted."""
        return sorted(file.relative_to(self.root).as_posix() for file in self.root.glob(pattern))

    def write(self, path: str, content: bytes) -> bool:
        """Write a file unless it has this *content* already; return whether it changed (in a dry run: would change).

        Raises:
            OutputError: the file cannot be written, or *path* leads out of the folder.
        """
        file = self._inside(path)
        if self.read(path) == content:
            return False
        if not self._dry_run:
            try:
                self._create_folder(file.parent)
                replace_file(file, [content], mode=_PRIVATE_FILE if self._private else None)
            except OSError as e:
                raise OutputError(str(file), f"cannot be written: {e.strerror or e}") from e
        return True

    def _create_folder(self, folder: Path) -> None:
        if self._private:
            create_private_folder(folder)
        else:
            folder.mkdir(parents=True, exist_ok=True)

    def remove(self, path: str) -> bool:
        """Remove a file, and folders that are empty without it; return whether it existed.

        Raises:
            OutputError: it cannot be removed, or *path* leads out of the folder.
        """
        file = self._inside(path)
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

    def _inside(self, path: str) -> Path:
        file = self.root / path
        if not file.parent.resolve().is_relative_to(self.root.resolve()):
            raise OutputError(str(file), f"is outside of {self.root}")
        return file

    def remove_temp_files(self, *below: str) -> None:
        """Remove temporary files that a killed process left behind; call it under the site's lock.

        Only the root and the named folders are searched: the rest of `public/` may be a whole web site.
        """
        if self._dry_run:
            return
        found = list(self.root.glob(f"{TEMP_PREFIX}*"))
        for folder in below:
            for place, _, names in os.walk(self.root / folder):
                found += (Path(place) / name for name in names if name.startswith(TEMP_PREFIX))
        for file in found:
            with suppress(OSError):
                file.unlink()
