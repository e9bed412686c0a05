"""Feeds that lie elsewhere now, or have ended: what goes on being written where they lay, and what servers are told.

A server that knows no redirects goes on showing the old document, which is the new one, byte for byte, and names its
new address as `self`. Paths start at `public/`; a folder ends with a slash.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

from feeds.core.syndication.feed import FEED_ENDINGS, FILES, Feed, normalize_feed_path, public_url

#: What is a feed and must not be written over all the same.
_OURS = ("feeds/", "feeds/redirects.json")
_BEGIN, _END = "# Feeds: begin", "# Feeds: end"
_BLOCK = re.compile(rf"^{_BEGIN}[^\n]*\n(?:(?!{_BEGIN}).)*?^{_END}[^\n]*(?:\n|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedMove:
    """Where something lay, and where it lies; None where it has ended."""

    old: str
    new: str | None

    @property
    def status(self) -> HTTPStatus:
        """What a server is to answer."""
        return HTTPStatus.GONE if self.new is None else HTTPStatus.MOVED_PERMANENTLY


class FeedPaths:
    """Where the feeds of a site lie: their folders, and every file in them by its folder."""

    def __init__(self, feeds: Iterable[Feed]) -> None:
        self.folders = {feed.folder: (*feed.files.values(), feed.page) for feed in feeds}
        self.files = frozenset(path for paths in self.folders.values() for path in paths)

    def below(self, folder: str) -> bool:
        """Return whether any feed, or a file of one, lies below a folder."""
        return any(place.startswith(folder) for place in (*self.folders, *self.files))

    def __contains__(self, path: str) -> bool:
        return path in (self.folders if path.endswith("/") else self.files)


def remembered_moves(feeds: Iterable[Feed], retired: Iterable[str]) -> list[FeedMove]:
    """Return the moves that follow from what feeds were called before, and from what was ended."""
    found = list(feeds)
    places = FeedPaths(found)
    ended = {path for path in retired if path not in places}
    moved = [
        FeedMove(old=old, new=feed.folder)
        for feed in found
        for old in feed.former
        if old not in places and old not in ended
    ]
    return [*moved, *(FeedMove(old=old, new=None) for path in sorted(ended) for old in _gone(path))]


def _gone(path: str) -> Iterable[str]:
    """Return what is no more when a feed has ended: its folder; of a newsletter the documents, as its issues stay."""
    return [path + name for name in FILES.values()] if path.startswith("newsletters/") and path[-1] == "/" else [path]


def configured_moves(moved: Mapping[str, str], feeds: Iterable[Feed]) -> tuple[list[FeedMove], list[str]]:
    """Return the moves that `feeds.moved` names, and a line for each that cannot be."""
    places = FeedPaths(feeds)
    wanted = {normalize_feed_path(old): normalize_feed_path(new) for old, new in moved.items()}
    found, problems = [], []
    for old, new in wanted.items():
        end = _end(new, wanted, places)
        if problem := _problem(old, end, places):
            problems.append(f"feeds.moved: {old!r} = {new!r}: {problem}")
        elif end is not None:
            found.append(FeedMove(old=old, new=end))
    return found, problems


def _end(new: str, wanted: Mapping[str, str], places: FeedPaths) -> str | None:
    """Return where a chain of moves leads; None where it goes in a circle."""
    seen = set()
    while new in wanted and new not in places:
        if new in seen:
            return None
        seen.add(new)
        new = wanted[new]
    return new


def _problem(old: str, new: str | None, places: FeedPaths) -> str | None:
    if new is None:
        return "leads back to itself"
    if old in places or (old.endswith("/") and places.below(old)):
        return "a feed lies there now; it cannot be at both places"
    if ".." in old.split("/") or not re.fullmatch(r"[^\x00-\x1f\x7f\"\\]+", old):
        return "is no path below public/"
    if not old.endswith(("/", *FEED_ENDINGS)) or old in _OURS:
        return f"is no feed; write a folder or a file that ends in {', '.join(FEED_ENDINGS)}"
    if old.endswith("/") != new.endswith("/"):
        return "a folder moves to a folder and a file to a file"
    return None if new in places else "there is no feed at the new place; `feeds.opml` lists all"


def documents_to_copy(moves: Iterable[FeedMove], feeds: Iterable[Feed]) -> dict[str, str]:
    """Return which file goes on being written, and of which it is a copy."""
    places = FeedPaths(feeds)
    return {
        move.old + path.removeprefix(move.new) if move.old.endswith("/") else move.old: path
        for move in moves
        if move.new is not None
        for path in (places.folders[move.new] if move.new.endswith("/") else [move.new])
        if path.endswith(FEED_ENDINGS) or move.old.startswith("feeds/")  # elsewhere a page may be the site's own
    }


# What servers are told --------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class RedirectRule:
    """One line of a server's configuration."""

    #: The path on the web, as it is and percent-encoded; a folder ends with a slash.
    path: str
    encoded: str
    #: The whole address, and its path; None where nothing is any more.
    url: str | None
    target: str | None
    status: HTTPStatus


def render_redirects(answers: Sequence[RedirectRule], fallback: str) -> list[str]:
    """Return the lines of Netlify's and Cloudflare Pages' `_redirects`, single documents before whole folders.

    Cloudflare wants that order, takes at most a hundred folders and no 410, and passes over lines it does not take;
    Netlify wants a page to show with a 410, and shows a document that is there rather than send anybody away.
    """
    folders = [answer for answer in answers if answer.path.endswith("/")]
    lines = [_line(a.encoded, a.target or fallback, a) for a in answers if not a.path.endswith("/")]
    for a in folders:
        lines += (_line(a.encoded + name, a.target + name if a.target else fallback, a) for name in FILES.values())
    return [*lines, *(_line(f"{a.encoded}*", f"{a.target}:splat" if a.target else fallback, a) for a in folders)]


def _line(old: str, new: str, answer: RedirectRule) -> str:
    return f"{old} {new} {answer.status}"


def render_htaccess(answers: Sequence[RedirectRule]) -> list[str]:
    """Return the lines of Apache's mod_alias: it compares decoded paths, and what is below a folder follows it."""
    lines = [
        f'Redirect gone "{a.path}"' if a.url is None else f'Redirect {a.status} "{a.path}" "{a.url}"' for a in answers
    ]
    return ["<IfModule mod_alias.c>", *lines, "</IfModule>"] if lines else []


def redirect_table(answers: Sequence[RedirectRule]) -> list[dict[str, Any]]:
    """Return the same for programs: `from` ends with a slash where everything below it is meant."""
    return [{"from": a.encoded, "to": a.target, "status": int(a.status)} for a in answers]


def insert_block(existing: str, lines: Sequence[str]) -> str:
    """Return a file of the site with our lines in it, marked, in place of those that were there; the rest stays.

    Raises:
        ValueError: one of our marks stands there without the other.
    """
    rest = _BLOCK.sub("", existing, count=1)
    if re.search(rf"^(?:{_BEGIN}|{_END})", rest, re.MULTILINE):
        raise ValueError(f"one of the lines {_BEGIN!r} and {_END!r} stands alone; remove it, or put the other back")
    block = "".join(f"{line}\n" for line in (f"{_BEGIN} (written by `feeds publish`)", *lines, _END)) if lines else ""
    if _BLOCK.search(existing):
        return _BLOCK.sub(lambda _: block, existing, count=1)
    gap = "\n" if existing and block and not existing.endswith("\n") else ""
    return existing + gap + block


def redirect_rules(moves: Iterable[FeedMove], feeds_url: str) -> Iterator[RedirectRule]:
    """Yield what a server answers for each move."""
    for move in moves:
        old = web_path(public_url(move.old, feeds_url))
        new = None if move.new is None else public_url(move.new, feeds_url)
        target = None if new is None else web_path(new)
        yield RedirectRule(path=unquote(old), encoded=old, url=new, target=target, status=move.status)


def web_path(url: str) -> str:
    """Return an address without its host."""
    return urlsplit(url).path
