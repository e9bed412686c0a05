"""What lies in a folder, without opening any of it.

Loads almost nothing, since a publish that finds nothing changed does little else than this.
"""

import os
from array import array

#: Endings of files that are meant to be posts.
_POSTS = frozenset({"md", "markdown", "mdx", "html"})
#: Of a file: modified, changed (nanoseconds since 1970), size in bytes, inode.
Stamp = tuple[int, int, int, int]
#: Of what cannot be looked at.
UNKNOWN: Stamp = (0, 0, 0, 0)


class Scan:
    """The files of a folder, folder by folder and sorted in each, with what tells whether one has changed."""

    def __init__(self, paths: list[str], numbers: "array[int]") -> None:
        #: Relative to the folder, with `/`; bytes that are not UTF-8 as surrogates.
        self.paths = paths
        self._numbers = numbers

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scan) and self.paths == other.paths and self._numbers == other._numbers

    __hash__ = None  # type: ignore[assignment] # a scan is compared, never looked up

    def stamps(self) -> list[Stamp]:
        """Return modified, changed, size and inode of each file, in the order of the paths."""
        numbers = iter(self._numbers.tolist())
        return list(zip(numbers, numbers, numbers, numbers, strict=True))

    def digest(self) -> bytes:
        """Return the same bytes for the same files in the same state, and for no other."""
        return b"\0".join([*map(os.fsencode, self.paths), b"", self._numbers.tobytes()])


def scan_folder(folder: str) -> Scan:
    """Return every file below *folder* that is meant to be a post: Markdown or HTML, no section page, no README.

    Hidden files and folders are left out. Linked folders are not entered: a link that leads back would never end. A
    file that cannot be looked at is there all the same, so that whoever reads it can say what is wrong.
    """
    paths: list[str] = []
    numbers: list[int] = []
    todo = [""]
    while todo:
        base = todo.pop()
        try:
            number = os.open(f"{folder}/{base}", os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            paths.append(base)
            numbers += UNKNOWN
            continue
        try:
            folders, names = _listed(number)
            todo += [f"{base}{name}/" for name in folders]
            paths += [base + name for name in names] if base else names
            _add_stamps(number, names, numbers)
        finally:
            os.close(number)
    return Scan(paths, array("q", numbers))


def _listed(number: int) -> tuple[list[str], list[str]]:
    """Return the folders of a folder, last first, and its posts."""
    folders, names = [], []
    with os.scandir(number) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            else:
                names.append(entry.name)
    return (
        sorted((name for name in folders if name[0] != "."), reverse=True),
        sorted(filter(is_post, names)),
    )


def _add_stamps(number: int, names: list[str], numbers: list[int]) -> None:
    """Add what tells whether each of the names in an open folder has changed."""
    for name in names:
        try:
            about = os.stat(name, dir_fd=number)
        except OSError:  # a link that leads nowhere, or to itself
            numbers += UNKNOWN
        else:
            numbers += file_stamp(about)


def file_stamp(about: os.stat_result) -> Stamp:
    """Return what tells whether a file has changed."""
    return (about.st_mtime_ns, about.st_ctime_ns, about.st_size, about.st_ino)


def is_post(name: str) -> bool:
    """Return whether a file of this name is meant to be a post."""
    stem, _, ending = name.rpartition(".")
    if not stem or name[0] == "." or ending.lower() not in _POSTS:
        return False
    return name[0] not in "_Rr" or not (stem.lower() == "_index" or stem.upper().startswith("README"))
