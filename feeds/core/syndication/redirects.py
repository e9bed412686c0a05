"""Feeds that have moved or were retired: copies at their old paths, and redirects for web servers.

A web server without redirects serves the copy, which is the new document byte for byte, with the new address as its
`self` link. Paths are relative to `public/`; a folder ends with a slash.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

from feeds.core.syndication.feed import FEED_ENDINGS, FILES, Feed, normalize_feed_path, public_url

#: Paths that look like those of moved feeds, but are written by this program.
_RESERVED = ("feeds/", "feeds/redirects.json")
_BEGIN, _END = "# Feeds: begin", "# Feeds: end"
_BLOCK = re.compile(rf"^{_BEGIN}[^\n]*\n(?:(?!{_BEGIN}).)*?^{_END}[^\n]*(?:\n|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedMove:
    """An old path and the new one; None if the feed was retired."""

    old: str
    new: str | None

    @property
    def status(self) -> HTTPStatus:
        """The HTTP status for the old path."""
        return HTTPStatus.GONE if self.new is None else HTTPStatus.MOVED_PERMANENTLY


class FeedPaths:
    """The paths of the feeds of a site: their folders, and the files in each folder."""

    def __init__(self, feeds: Iterable[Feed]) -> None:
        self.folders = {feed.folder: (*feed.files.values(), feed.page) for feed in feeds}
        self.files = frozenset(path for paths in self.folders.values() for path in paths)

    def any_below(self, folder: str) -> bool:
        """Return whether any folder or file of a feed is below a folder."""
        return any(path.startswith(folder) for path in (*self.folders, *self.files))

    def __contains__(self, path: str) -> bool:
        return path in (self.folders if path.endswith("/") else self.files)


def remembered_moves(feeds: Iterable[Feed], retired: Iterable[str]) -> list[FeedMove]:
    """Return the moves from the former folders of feeds, and from *retired* paths that are not in use again."""
    feeds = list(feeds)
    paths = FeedPaths(feeds)
    gone = {path for path in retired if path not in paths}
    moved = [
        FeedMove(old=old, new=feed.folder)
        for feed in feeds
        for old in feed.former
        if old not in paths and old not in gone
    ]
    return [*moved, *(FeedMove(old=old, new=None) for path in sorted(gone) for old in _removed_paths(path))]


def _removed_paths(path: str) -> Iterable[str]:
    """Return the paths of a retired feed: its folder; for a newsletter only the documents, as its issues stay."""
    return [path + name for name in FILES.values()] if path.startswith("newsletters/") and path[-1] == "/" else [path]


def configured_moves(moved: Mapping[str, str], feeds: Iterable[Feed]) -> tuple[list[FeedMove], dict[str, str]]:
    """Return the moves in `feeds.moved`, and what is wrong with each invalid one, by its old path as it is written."""
    paths = FeedPaths(feeds)
    targets = {normalize_feed_path(old): normalize_feed_path(new) for old, new in moved.items()}
    moves, problems = [], {}
    for written, new in moved.items():
        old = normalize_feed_path(written)
        final = _follow(targets[old], targets, paths)
        if problem := _problem(old, final, paths):
            problems[written] = f"cannot move to {new!r}: {problem}"
        elif final is not None:
            moves.append(FeedMove(old=old, new=final))
    return moves, problems


def _follow(new: str, targets: Mapping[str, str], paths: FeedPaths) -> str | None:
    """Return the end of a chain of moves; None if it is a cycle."""
    seen = set()
    while new in targets and new not in paths:
        if new in seen:
            return None
        seen.add(new)
        new = targets[new]
    return new


def _problem(old: str, new: str | None, paths: FeedPaths) -> str | None:
    if new is None:
        return "leads back to itself"
    if old in paths or (old.endswith("/") and paths.any_below(old)):
        return "a feed is at the old path now; it cannot be at both"
    if ".." in old.split("/") or not re.fullmatch(r"[^\x00-\x1f\x7f\"\\]+", old):
        return "the old path is not a valid path below public/"
    if not old.endswith(("/", *FEED_ENDINGS)) or old in _RESERVED:
        return f"the old path is not a feed; write a folder or a file that ends in {', '.join(FEED_ENDINGS)}"
    if old.endswith("/") != new.endswith("/"):
        return "a folder can only move to a folder, a file to a file"
    return None if new in paths else "the new path is not a feed; `feeds.opml` lists all feeds"


def documents_to_copy(moves: Iterable[FeedMove], feeds: Iterable[Feed]) -> dict[str, str]:
    """Return the files to write at old paths, by path, each with the path of the file that it is a copy of."""
    paths = FeedPaths(feeds)
    return {
        move.old + path.removeprefix(move.new) if move.old.endswith("/") else move.old: path
        for move in moves
        if move.new is not None
        for path in (paths.folders[move.new] if move.new.endswith("/") else [move.new])
        if path.endswith(FEED_ENDINGS) or move.old.startswith("feeds/")  # elsewhere the site may have its own page
    }


# Configuration of web servers ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class RedirectRule:
    """A redirect for a web server; `url` and `target` are None if the feed was retired."""

    #: The old path on the web, decoded and percent-encoded; a folder ends with a slash.
    path: str
    encoded: str
    #: The new URL, and its path.
    url: str | None
    target: str | None
    status: HTTPStatus


def render_redirects(rules: Sequence[RedirectRule], fallback: str) -> list[str]:
    """Return lines for `_redirects` of Netlify and Cloudflare Pages, single documents before folders.

    Cloudflare requires that order, accepts at most a hundred folders and no 410, and ignores other lines. Netlify shows
    the *fallback* page with a 410, and serves an existing document instead of a redirect.
    """
    folders = [rule for rule in rules if rule.path.endswith("/")]
    lines = [_line(rule.encoded, rule.target or fallback, rule) for rule in rules if not rule.path.endswith("/")]
    for rule in folders:
        lines += (
            _line(rule.encoded + name, rule.target + name if rule.target else fallback, rule) for name in FILES.values()
        )
    lines += (_line(f"{rule.encoded}*", f"{rule.target}:splat" if rule.target else fallback, rule) for rule in folders)
    return lines


def _line(old: str, new: str, rule: RedirectRule) -> str:
    return f"{old} {new} {rule.status}"


def render_htaccess(rules: Sequence[RedirectRule]) -> list[str]:
    """Return lines for Apache's mod_alias, which compares decoded paths and redirects everything below a folder."""
    lines = [
        f'Redirect gone "{rule.path}"' if rule.url is None else f'Redirect {rule.status} "{rule.path}" "{rule.url}"'
        for rule in rules
    ]
    return ["<IfModule mod_alias.c>", *lines, "</IfModule>"] if lines else []


def redirect_table(rules: Sequence[RedirectRule]) -> list[dict[str, Any]]:
    """Return the rules as data for other programs; a `from` with a slash at its end includes everything below it."""
    return [{"from": rule.encoded, "to": rule.target, "status": int(rule.status)} for rule in rules]


def insert_block(existing: str, lines: Sequence[str]) -> str:
    """Return the content of a file with *lines* as its block between markers; the other lines stay.

    Raises:
        ValueError: one of the markers is there without the other.
    """
    rest = _BLOCK.sub("", existing, count=1)
    if re.search(rf"^(?:{_BEGIN}|{_END})", rest, re.MULTILINE):
        raise ValueError(f"only one of the lines {_BEGIN!r} and {_END!r} is there; remove it, or restore the other")
    block = "".join(f"{line}\n" for line in (f"{_BEGIN} (written by `feeds publish`)", *lines, _END)) if lines else ""
    if _BLOCK.search(existing):
        return _BLOCK.sub(lambda _: block, existing, count=1)
    gap = "\n" if existing and block and not existing.endswith("\n") else ""
    return existing + gap + block


def redirect_rules(moves: Iterable[FeedMove], feeds_url: str) -> Iterator[RedirectRule]:
    """Yield the redirect rule of each move."""
    for move in moves:
        old = web_path(public_url(move.old, feeds_url))
        new = None if move.new is None else public_url(move.new, feeds_url)
        target = None if new is None else web_path(new)
        yield RedirectRule(path=unquote(old), encoded=old, url=new, target=target, status=move.status)


def web_path(url: str) -> str:
    """Return the path of a URL."""
    return urlsplit(url).path
