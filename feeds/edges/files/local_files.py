"""Files of the site that lie on this machine: how large they are, since feeds have to say so (RSS 2.0, enclosure)."""

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote


class LocalFiles:
    """Finds the file behind an address of the site: where the site is built, and where its sources lie."""

    def __init__(self, site_url: str, roots: Sequence[Path], posts: Path) -> None:
        self._site_url, self._roots, self._posts = site_url, [str(root) for root in roots], str(posts)
        self._sizes: dict[str, int | None] = {}
        #: Every place that was looked at: if one changes, sizes may.
        self.looked_at: list[str] = []

    def size(self, url: str, post_url: str, post_path: str) -> int | None:
        """Return the bytes of the file that is served at *url*; None if it is not of this site or not here.

        A file may lie beside the post that names it.
        """
        plain = url.partition("#")[0].partition("?")[0]
        if not plain.startswith(self._site_url):
            return None
        if plain not in self._sizes:
            inside = _inside(plain, self._site_url)
            self._sizes[plain] = self._first(f"{root}/{inside}" for root in self._roots) if inside else None
        found = self._sizes[plain]
        beside = _inside(plain, post_url) if found is None else None
        if beside is None:
            return found
        folder = os.path.dirname(post_path)  # noqa: PTH120 - a path with `/`, of which there may be thousands
        return self._first(["/".join(filter(None, (self._posts, folder, beside)))])

    def _first(self, places: Iterable[str]) -> int | None:
        return next((size for size in map(self._size, places) if size is not None), None)

    def _size(self, place: str) -> int | None:
        self.looked_at.append(place)
        try:
            about = os.stat(place)  # noqa: PTH116 - likewise
        except OSError:
            return None
        return about.st_size or None if stat.S_ISREG(about.st_mode) else None


def _inside(url: str, base: str) -> str | None:
    """Return the path of *url* below *base*, decoded; None where it is not below it, or could lead anywhere else."""
    path = unquote(url.removeprefix(base)) if url.startswith(base) else ""
    return path if path and "\0" not in path and ".." not in path.split("/") else None
