"""Folders of what only their owner may read: addresses, keys, letters that are not sent yet."""

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from feeds.edges.files.write_files import replace_file
from feeds.errors import OutputError

#: Keeps everything in a folder out of git.
_IGNORED = b"*\n"


def create_private_folder(folder: Path) -> None:
    """Create a folder that only its owner may enter, and its parents; an existing one stays as it is.

    The topmost folder that is created gets a `.gitignore`, unless it is below a folder that has ours.

    Raises:
        OSError: it cannot be created.
    """
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        place.mkdir(mode=0o700, exist_ok=True)
    if missing and not any(map(_is_ignored, missing[-1].parents)):
        replace_file(missing[-1] / ".gitignore", [_IGNORED], mode=0o600, durable=False)


def close_folder(folder: Path, names: re.Pattern[str]) -> None:
    """Make an existing folder private if it has no `.gitignore` and everything in it has one of our *names*.

    Such a folder was made by hand or is a mounted volume, or the process that made it was killed before it was done.
    """
    if not folder.is_dir() or (folder / ".gitignore").exists() or any(map(_is_ignored, folder.parents)):
        return
    if all(names.fullmatch(path.name) for path in folder.iterdir()):
        with suppress(OSError):  # it belongs to another user: its owner decides who may enter it
            folder.chmod(0o700)
        with suppress(OSError):
            replace_file(folder / ".gitignore", [_IGNORED], mode=0o600, durable=False)


def _is_ignored(folder: Path) -> bool:
    """Return whether a folder has the `.gitignore` of this module."""
    try:
        return (folder / ".gitignore").read_bytes() == _IGNORED
    except OSError:
        return False


def has_only(folder: Path, names: re.Pattern[str]) -> bool:
    """Return whether a folder has files, and the path of each below it matches a pattern."""
    found = False
    for file in folder.rglob("*"):  # ends at the first other file: the folder may be a large mailbox
        if file.is_file():
            found = names.fullmatch(file.relative_to(folder).as_posix()) is not None
            if not found:
                return False
    return found


def move_path(source: Path, target: Path) -> None:
    """Move a file or a folder, with everything in it, into a private folder; a link still leads where it did.

    Raises:
        OutputError: the target exists, or the source cannot be moved; it is where it was.
    """
    if target.exists() and not (source.is_symlink() and source.samefile(target)):
        raise OutputError(str(source), f"{target} exists too; delete the one that you do not need")
    try:
        create_private_folder(target.parent)
        if source.is_symlink():
            _move_link(source, target)
        else:
            source.rename(target)
    except OSError as e:
        raise OutputError(str(source), f"cannot be moved to {target}: {e.strerror or e}; move it yourself") from e


def _move_link(source: Path, target: Path) -> None:
    """Make a link in another folder to where *source* leads, then remove *source*."""
    if not target.is_symlink():
        place = source.readlink()
        leads_to = place if place.is_absolute() else source.parent.resolve() / place
        target.symlink_to(place if place.is_absolute() else os.path.relpath(leads_to, target.parent.resolve()))
    source.unlink()


def remove_tree(folder: Path) -> None:
    """Remove a folder with everything in it, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)
