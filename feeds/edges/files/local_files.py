"""The sizes of files that posts link to, which feeds must state (RSS 2.0, enclosure)."""

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote


class LocalFiles:
    """Finds the file for a URL of the site: where the site is built, or among its sources."""

    def __init__(self, site_url: str, roots: Sequence[Path], posts: Path) -> None:
        self._site_url, self._roots, self._posts = site_url, [str(root) for root in roots], str(posts)
        self._sizes: dict[str, int | None] = {}
        #: Every path that was checked: if one changes, a size may change.
        self.checked_paths: list[str] = []

    def size(self, url: str, post_url: str, post_path: str) -> int | None:
        """Return the size in bytes of the file at *url*; None if it is on another site or not found here.

        The file may be in the folder of the post that links to it.
        """
        plain = url.partition("#")[0].partition("?")[0]
        if not plain.startswith(self._site_url):
            return None
        if plain not in self._sizes:
            path = _path_below(plain, self._site_url)
            self._sizes[plain] = self._first_size(f"{root}/{path}" for root in self._roots) if path else None
        size = self._sizes[plain]
        path = _path_below(plain, post_url) if size is None else None
        if path is None:
            return size
        folder = os.path.dirname(post_path)  # noqa: PTH120 - a path with `/`, of which there may be thousands
        return self._first_size(["/".join(filter(None, (self._posts, folder, path)))])

    def _first_size(self, paths: Iterable[str]) -> int | None:
        return next((size for size in map(self._file_size, paths) if size is not None), None)

    def _file_size(self, path: str) -> int | None:
        self.checked_paths.append(path)
        try:
            status = os.stat(path)  # noqa: PTH116 - as above
        except OSError:
            return None
        return status.st_size or None if stat.S_ISREG(status.st_mode) else None


def _path_below(url: str, base: str) -> str | None:
    """Return the decoded path of *url* below *base*; None if it is not below it or could lead out of it."""
    path = unquote(url.removeprefix(base)) if url.startswith(base) else ""
    return path if path and "\0" not in path and ".." not in path.split("/") else None
