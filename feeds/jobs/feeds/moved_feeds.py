"""Where the former address of a feed leads now, as the last publish has written it down."""

import json
from http import HTTPStatus
from urllib.parse import quote, unquote

from feeds.core.syndication.redirects import web_path
from feeds.edges.files.scan import Stamp, file_stamp
from feeds.jobs.feeds.redirect import TABLE
from feeds.jobs.site import Site


class MovedFeeds:
    """The former addresses of the feeds of a site, by paths below `public/` that begin with a slash."""

    def __init__(self, site: Site) -> None:
        self._file = site.public.root / TABLE
        #: The path of `public/` on the website.
        self._base = web_path(site.public_url(""))
        self._stamp: Stamp | None = None
        self._rules: dict[str, tuple[int, str]] = {}

    def __bool__(self) -> bool:
        return bool(self._rules)

    def refresh(self) -> None:
        """Read the table again if it has changed; one that cannot be read means that nothing has moved."""
        try:
            stamp = file_stamp(self._file.stat())
        except OSError:
            stamp = None
        if stamp != self._stamp:
            self._stamp = stamp
            self._rules = dict(self._read())

    def _read(self) -> "list[tuple[str, tuple[int, str]]]":
        try:
            rows = json.loads(self._file.read_bytes())
            return [
                (f"/{unquote(row['from']).removeprefix(self._base)}", (int(row["status"]), self._local(row["to"])))
                for row in rows
            ]
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return []

    def _local(self, target: str | None) -> str:
        return "" if target is None else f"/{target.removeprefix(self._base)}"

    def find(self, path: str) -> tuple[int, str]:
        """Return the HTTP status for a decoded path, and the encoded new one; 0 if nothing has moved from there.

        A rule for a folder is one for everything below it, and for the folder without its slash; the rule for the
        longest path counts.
        """
        for exact in (path, f"{path}/"):
            if exact in self._rules:
                return self._rules[exact]
        folder = path
        while folder := folder.rstrip("/").rpartition("/")[0]:
            if rule := self._rules.get(f"{folder}/"):
                status, target = rule
                rest = quote(path[len(folder) + 1 :])
                return status, f"{target}{rest}" if status == HTTPStatus.MOVED_PERMANENTLY else ""
        return 0, ""
