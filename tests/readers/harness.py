"""Read a feed with common feed readers, and return the entries that each of them keeps.

Each reader runs in a process with a time limit, a temporary home folder, the feed as a local file, and a proxy without
a server: it fetches nothing, and reads and writes nothing outside of that folder.
"""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

HERE = Path(__file__).parent
SECONDS = 60
CLOSED_PROXY = "http://127.0.0.1:9"

# Read on import: tests remove FEEDS_* variables and change the working folder.
_NODE_FOLDER = os.environ.get("FEEDS_NODE_MODULES")
NODE = Path(_NODE_FOLDER).resolve() if _NODE_FOLDER else None


@dataclass(frozen=True, kw_only=True)
class ReadEntry:
    """An entry as a reader keeps it; a field is None if the reader never keeps it."""

    id: str
    title: str
    link: str
    published: datetime | None  #: else the date of the update, except in RSS by newsboat and sfeed
    categories: tuple[str, ...] | None
    enclosures: tuple[tuple[str, str], ...] | None  #: URLs and media types
    media: tuple[tuple[str, str], ...] | None = None  #: those of Media RSS
    authors: tuple[str, ...] | None
    content: str


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A feed reader; *needs* is the package to install."""

    name: str
    formats: frozenset[str]
    needs: str
    is_installed: Callable[[], bool]
    entries: Callable[[Path, Path], Iterable[ReadEntry]]

    @property
    def skip_reason(self) -> str:
        return f"{self.name} is not installed ({self.needs})"

    def read(self, file: Path) -> list[ReadEntry]:
        """Return the entries of a feed in the reader's order; *file* is not changed."""
        with TemporaryDirectory(prefix="reader-") as home:
            copy = Path(home) / f"feed{file.suffix}"  # a name that needs no quotes
            shutil.copyfile(file, copy)
            return list(self.entries(copy, Path(home)))


@dataclass(frozen=True, kw_only=True)
class Subscriber:
    """A feed reader that somebody uses; *reader* says whether it is installed."""

    reader: str
    unread: Callable[[Path, Path, Path], list[str]]

    def unread_after(self, old: Path, new: Path) -> list[str]:
        """Subscribe to a feed, read all of it, and return the ids that are unread once its address serves another."""
        with TemporaryDirectory(prefix="reader-") as home:
            feed = Path(home) / "feed.xml"
            shutil.copyfile(old, feed)
            return self.unread(feed, new, Path(home))


def subscriber_params() -> list[Any]:
    """Return a pytest parameter for each reader that keeps what was read."""
    readers = {reader.name: reader for reader in READERS}
    return [
        pytest.param(
            one,
            id=one.reader,
            marks=pytest.mark.skipif(not readers[one.reader].is_installed(), reason=readers[one.reader].skip_reason),
        )
        for one in SUBSCRIBERS
    ]


def reader_params(*formats: str) -> list[Any]:
    """Return pytest parameters (reader, format) for each reader and each of *formats* that it supports."""
    return [
        pytest.param(
            reader,
            format_,
            id=f"{reader.name}-{format_}",
            marks=pytest.mark.skipif(not reader.is_installed(), reason=reader.skip_reason),
        )
        for reader in READERS
        for format_ in formats
        if format_ in reader.formats
    ]


def _run(home: Path, *command: str | Path, stdin: bytes = b"", **environ: str) -> str:
    """Return the output of a reader's command; a failure raises RuntimeError with its error output."""
    homes = {name: str(home) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "TMPDIR")}
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), CLOSED_PROXY)
    settings = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}  # titles are converted to the locale
    done = subprocess.run(
        [*map(str, command)],
        input=stdin,
        capture_output=True,
        check=False,
        cwd=home,
        env=homes | proxies | settings | environ,
        timeout=SECONDS,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr.decode('utf-8', 'replace')}")
    return done.stdout.decode("utf-8")


def _newsboat(file: Path, home: Path) -> Iterable[ReadEntry]:
    """Read with newsboat: no categories, only the last audio or video file, the current time for a missing date."""
    (home / "urls").write_text(f'"file://{file}"\n', "utf-8")
    (home / "config").touch()
    _run(home, "newsboat", "-u", "urls", "-C", "config", "-c", "cache.db", "-x", "reload")
    with closing(sqlite3.connect(home / "cache.db")) as store:
        store.row_factory = sqlite3.Row
        # It exits with 0 for any file; if it cannot read the file, it stores no feed.
        if not store.execute("SELECT 1 FROM rss_feed").fetchone():
            raise RuntimeError(f"newsboat cannot read {file.name}")
        # It stores the last entry first.
        rows = store.execute("SELECT * FROM rss_item ORDER BY id DESC").fetchall()
    for row in rows:
        yield ReadEntry(
            id=row["guid"],
            title=row["title"],
            link=row["url"],
            published=datetime.fromtimestamp(row["pubDate"], UTC),
            categories=None,
            enclosures=((row["enclosure_url"], row["enclosure_type"]),) if row["enclosure_url"] else (),
            authors=(row["author"],) if row["author"] else (),  # in Atom joined with commas, in RSS the last
            content=row["content"],
        )


def _newsboat_unread(feed: Path, new: Path, home: Path) -> list[str]:
    """Return what newsboat shows as new; before, everything is marked as read in its database."""
    (home / "urls").write_text(f'"file://{feed}"\n', "utf-8")
    (home / "config").touch()
    reload = ("newsboat", "-u", "urls", "-C", "config", "-c", "cache.db", "-x", "reload")
    _run(home, *reload)
    with closing(sqlite3.connect(home / "cache.db")) as store, store:
        assert store.execute("UPDATE rss_item SET unread = 0").rowcount
    shutil.copyfile(new, feed)
    _run(home, *reload)
    with closing(sqlite3.connect(home / "cache.db")) as store:
        return [row[0] for row in store.execute("SELECT guid FROM rss_item WHERE unread")]


def _sfeed(file: Path, home: Path) -> Iterable[ReadEntry]:
    """Read with sfeed: only the first author and file, terms of Atom categories; no entries for an invalid feed."""
    for line in _run(home, "sfeed", stdin=file.read_bytes()).split("\n")[:-1]:
        time, title, link, content, _, id_, author, enclosure, categories = line.split("\t")
        yield ReadEntry(
            id=id_,
            title=title,
            link=link,
            published=datetime.fromtimestamp(int(time), UTC) if time else None,
            categories=tuple(categories.split("|")) if categories else (),  # a name with a bar is split
            enclosures=((enclosure, ""),) if enclosure else (),
            authors=(author,) if author else (),
            content=re.sub(r"\\(.)", lambda match: {"t": "\t", "n": "\n"}.get(match[1], match[1]), content),
        )


def _lemon24(file: Path, home: Path) -> Iterable[ReadEntry]:
    """Read with lemon24's reader: no categories, only the last author in XML, sorted by date, HTML sanitized."""
    # Its vendored feedparser is older and needs a package that our constraints do not have.
    output = _run(home, sys.executable, "-I", HERE / "lemon24.py", file, READER_NO_VENDORED_FEEDPARSER="1")
    for entry in json.loads(output):
        yield ReadEntry(
            id=entry["id"],
            title=entry["title"],
            link=entry["link"],
            published=entry["published"] and datetime.fromisoformat(entry["published"]),
            categories=None,
            enclosures=tuple(map(tuple, entry["enclosures"])),
            authors=tuple(entry["authors"]),
            content=entry["content"],
        )


def _lemon24_unread(feed: Path, new: Path, home: Path) -> list[str]:
    command = (sys.executable, "-I", HERE / "lemon24.py", feed, new)
    return list(json.loads(_run(home, *command, READER_NO_VENDORED_FEEDPARSER="1")))


def _feedsmith(file: Path, home: Path) -> Iterable[ReadEntry]:
    """Read with feedsmith: everything as written, labels of Atom categories."""
    parsed = json.loads(_run(home, "node", HERE / "feedsmith.mjs", NODE or "", file))
    feed = parsed["feed"]
    convert = {"atom": _from_atom, "rss": _from_rss, "json": _from_json}[parsed["format"]]
    return [convert(item) for item in feed.get("entries", feed.get("items", ()))]


def _from_atom(item: dict[str, Any]) -> ReadEntry:
    links = item.get("links", ())
    return ReadEntry(
        id=item.get("id", ""),
        title=item.get("title", {}).get("value", ""),
        link=next((it["href"] for it in links if it.get("rel", "alternate") == "alternate"), ""),
        published=_parse_rfc3339(item.get("published") or item.get("updated")),
        categories=tuple(it.get("label", it["term"]) for it in item.get("categories", ())),
        enclosures=tuple((it["href"], it.get("type", "")) for it in links if it.get("rel") == "enclosure"),
        media=_media_files(item),
        authors=tuple(it["name"] for it in item.get("authors", ())),
        content=(item.get("content") or item.get("summary") or {}).get("value", ""),
    )


def _from_rss(item: dict[str, Any]) -> ReadEntry:
    extended = item.get("atom", {})
    return ReadEntry(
        id=item.get("guid", {}).get("value", ""),
        title=item.get("title", ""),
        link=item.get("link", ""),
        published=_parse_rfc822(item.get("pubDate"))
        or _parse_rfc3339(extended.get("published") or extended.get("updated")),
        categories=tuple(it["name"] for it in item.get("categories", ())),
        enclosures=tuple((it["url"], it.get("type", "")) for it in item.get("enclosures", ())),
        media=_media_files(item),
        authors=tuple(item.get("dc", {}).get("creators", ())),
        content=item.get("content", {}).get("encoded") or item.get("description", ""),
    )


def _from_json(item: dict[str, Any]) -> ReadEntry:
    return ReadEntry(
        id=item.get("id", ""),
        title=item.get("title", ""),
        link=item.get("url", ""),
        published=_parse_rfc3339(item.get("date_published") or item.get("date_modified")),
        categories=tuple(item.get("tags", ())),
        enclosures=tuple((it["url"], it.get("mime_type", "")) for it in item.get("attachments", ())),
        authors=tuple(it.get("name", "") for it in item.get("authors", ())),
        content=item.get("content_html") or item.get("content_text", ""),
    )


def _media_files(item: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((it["url"], it.get("type", "")) for it in item.get("media", {}).get("contents", ()))


def _parse_rfc3339(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _parse_rfc822(text: str | None) -> datetime | None:
    time = parsedate_to_datetime(text) if text else None
    return time.replace(tzinfo=UTC) if time and time.tzinfo is None else time  # -0000: UTC without a known zone


@cache
def _has_command(name: str) -> bool:
    return shutil.which(name) is not None


XML = frozenset({"atom", "rss"})
READERS = (
    Reader(
        name="newsboat",
        formats=XML,
        needs="Debian's package newsboat",
        is_installed=lambda: _has_command("newsboat"),
        entries=_newsboat,
    ),
    Reader(
        name="sfeed",
        formats=XML,
        needs="Debian's package sfeed",
        is_installed=lambda: _has_command("sfeed"),
        entries=_sfeed,
    ),
    Reader(
        name="reader",
        formats=XML | {"json"},
        needs="PyPI's package reader",
        is_installed=lambda: find_spec("reader") is not None,
        entries=_lemon24,
    ),
    Reader(
        name="feedsmith",
        formats=XML | {"json"},
        needs="node, and npm's package feedsmith in node_modules of the folder named by FEEDS_NODE_MODULES",
        is_installed=lambda: _has_command("node") and bool(NODE and (NODE / "node_modules/feedsmith").is_dir()),
        entries=_feedsmith,
    ),
)
SUBSCRIBERS = (
    Subscriber(reader="newsboat", unread=_newsboat_unread),
    Subscriber(reader="reader", unread=_lemon24_unread),
)
