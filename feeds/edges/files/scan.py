"""Lists the posts of a folder without opening them.

This module imports almost nothing: a publish that finds nothing changed does little else than a scan.
"""

import os
from array import array

#: File name extensions of posts.
_EXTENSIONS = frozenset({"md", "markdown", "mdx", "html"})
#: Of a file: times of modification and of change (nanoseconds since 1970), size in bytes, inode.
Stamp = tuple[int, int, int, int]
#: Of a file whose status cannot be read.
UNKNOWN: Stamp = (0, 0, 0, 0)


class Scan:
    """The files of a folder with their stamps, sorted within each folder."""

    def __init__(self, paths: list[str], numbers: "array[int]") -> None:
        #: Relative to the folder, with `/`; bytes that are not UTF-8 as surrogates.
        self.paths = paths
        self._numbers = numbers

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scan) and self.paths == other.paths and self._numbers == other._numbers

    __hash__ = None  # type: ignore[assignment] # a scan is compared, never a key

    def stamps(self) -> list[Stamp]:
        """Return the stamp of each file, in the order of the paths."""
        numbers = iter(self._numbers.tolist())
        return list(zip(numbers, numbers, numbers, numbers, strict=True))

    def digest(self) -> bytes:
        """Return bytes that are equal for two scans only if paths and stamps are equal."""
        return b"\0".join([*map(os.fsencode, self.paths), b"", self._numbers.tobytes()])


def scan_folder(folder: str, skipped: str = "") -> Scan:
    """Return the posts below *folder*: Markdown and HTML files other than section pages and READMEs.

    Hidden files and folders are left out, and *skipped*, a folder below (with a slash at its end). Links to folders are
    not followed, since they could form a loop. A file whose status cannot be read is included, so that reading it gives
    the error.
    """
    paths: list[str] = []
    numbers: list[int] = []
    todo = [""]
    while todo:
        base = todo.pop()
        try:
            descriptor = os.open(f"{folder}/{base}", os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            paths.append(base)
            numbers += UNKNOWN
            continue
        try:
            folders, names = _list_folder(descriptor)
            todo += [below for name in folders if (below := f"{base}{name}/") != skipped]
            paths += [base + name for name in names] if base else names
            _add_stamps(descriptor, names, numbers)
        finally:
            os.close(descriptor)
    return Scan(paths, array("q", numbers))


def _list_folder(descriptor: int) -> tuple[list[str], list[str]]:
    """Return the names of the folders in an open folder, in reverse order, and those of its posts."""
    folders, names = [], []
    with os.scandir(descriptor) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            else:
                names.append(entry.name)
    return (
        sorted((name for name in folders if name[0] != "."), reverse=True),
        sorted(filter(is_post, names)),
    )


def _add_stamps(descriptor: int, names: list[str], numbers: list[int]) -> None:
    """Add the stamps of files in an open folder to *numbers*."""
    for name in names:
        try:
            status = os.stat(name, dir_fd=descriptor)
        except OSError:  # a link to nothing, or to itself
            numbers += UNKNOWN
        else:
            numbers += file_stamp(status)


def file_stamp(status: os.stat_result) -> Stamp:
    """Return the stamp of a file: it differs if the file has changed."""
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


def is_post(name: str) -> bool:
    """Return whether a file with this name is a post."""
    stem, _, extension = name.rpartition(".")
    if not stem or name[0] == "." or extension.lower() not in _EXTENSIONS:
        return False
    return name[0] not in "_Rr" or not (f"{stem}.".lower().startswith("_index.") or stem.upper().startswith("README"))
