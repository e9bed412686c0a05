"""The files of a site: their paths, and the texts of those that hold its settings."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

#: Folders that hold neither posts nor settings, wherever they are.
_SKIPPED = frozenset({"node_modules", "vendor", "__pycache__", "bower_components"})
#: A larger file does not hold settings.
_MOST_BYTES = 1_000_000
#: A larger site is not listed to its end.
_MOST_FILES = 200_000
#: What the head of a file has, in characters.
HEAD = 4096


def list_site(folder: Path) -> tuple[str, ...]:
    """Return the paths of the files below *folder*, sorted, without hidden folders and those of installed packages."""
    found: list[str] = []
    for base, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _SKIPPED and not name.startswith(".")]
        start = "" if Path(base) == folder else f"{Path(base).relative_to(folder).as_posix()}/"
        found += (start + name for name in names)
        if len(found) > _MOST_FILES:
            break
    return tuple(sorted(found))


def read_texts(folder: Path, paths: Iterable[str], wanted: re.Pattern[str]) -> Mapping[str, str]:
    """Return the texts of the files whose path matches *wanted* as a whole; what is not UTF-8 is left out."""
    texts = {}
    for path in filter(wanted.fullmatch, paths):
        try:
            if (folder / path).stat().st_size <= _MOST_BYTES:
                texts[path] = (folder / path).read_text("utf-8-sig")
        except (OSError, ValueError):
            continue
    return texts


def read_head(file: Path) -> str | None:
    """Return the first characters of a file; None if there is no such file."""
    try:
        with file.open("rb") as opened:
            return opened.read(HEAD).decode("utf-8", "replace")
    except OSError:
        return None
