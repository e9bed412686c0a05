"""The local files that posts link to, and their sizes, which feeds must state (RSS 2.0, enclosure)."""

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote


class _File(NamedTuple):
    """A file and its size in bytes."""

    path: str
    size: int


class LocalFiles:
    """Finds the file for a URL of the site: where the site is built, or among its sources."""

    def __init__(self, site_url: str, roots: Sequence[Path], posts: Path) -> None:
        self._site_url, self._roots, self._posts = site_url, [str(root) for root in roots], str(posts)
        self._files: dict[str, _File | None] = {}
        #: Every path that was checked: if one changes, a size may change.
        self.checked_paths: list[str] = []

    def size(self, url: str, post_url: str, post_path: str) -> int | None:
        """Return the size in bytes of the file at *url*; None if it is on another site or not found here.

        The file may be in the folder of the post that links to it.
        """
        file = self._find(url, post_url, post_path)
        return file and file.size

    def path(self, url: str, post_url: str, post_path: str) -> str | None:
        """Return the path of the file at *url*; None as for `size`. Without a post, both of its values are empty."""
        file = self._find(url, post_url, post_path)
        return file and file.path

    def _find(self, url: str, post_url: str, post_path: str) -> _File | None:
        plain = url.partition("#")[0].partition("?")[0]
        if not plain.startswith(self._site_url):
            return None
        if plain not in self._files:
            path = _path_below(plain, self._site_url)
            self._files[plain] = self._first_file(f"{root}/{path}" for root in self._roots) if path else None
        file = self._files[plain]
        path = _path_below(plain, post_url) if file is None and post_url else None
        if path is None:
            return file
        folder, name = os.path.split(post_path)  # a path with `/`, of which there may be thousands
        folders = [folder, "/".join(filter(None, (folder, name.rpartition(".")[0])))]  # Hexo has a folder for each post
        return self._first_file("/".join(filter(None, (self._posts, one, path))) for one in folders)

    def _first_file(self, paths: Iterable[str]) -> _File | None:
        return next((file for file in map(self._check, paths) if file is not None), None)

    def _check(self, path: str) -> _File | None:
        self.checked_paths.append(path)
        try:
            status = os.stat(path)  # noqa: PTH116 - as above
        except OSError:
            return None
        return _File(path, status.st_size) if stat.S_ISREG(status.st_mode) and status.st_size else None


def _path_below(url: str, base: str) -> str | None:
    """Return the decoded path of *url* below *base*; None if it is not below it or could lead out of it."""
    path = unquote(url.removeprefix(base)) if url.startswith(base) else ""
    return path if path and "\0" not in path and ".." not in path.split("/") else None
