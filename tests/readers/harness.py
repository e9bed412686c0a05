"""Reads a feed with readers that people use, and tells what each of them kept of it.

Every reader is a process of its own, with a time limit, a home folder that is thrown away, the feed as a local file,
and a proxy at which nobody listens: nothing is fetched, and nothing of the machine's own is read or written.
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
NOBODY = "http://127.0.0.1:9"

# Looked up on import: in a test no FEEDS_* variable is left, and another folder is the working one.
_NAMED = os.environ.get("FEEDS_NODE_MODULES")
NODE = Path(_NAMED).resolve() if _NAMED else None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """An entry as a reader keeps it; None where it keeps nothing of the kind."""

    id: str
    title: str
    link: str
    published: datetime | None  #: where there is none the update; not by newsboat and sfeed in RSS
    categories: tuple[str, ...] | None
    enclosures: tuple[tuple[str, str], ...] | None  #: addresses and media types
    media: tuple[tuple[str, str], ...] | None = None  #: the same, of Media RSS
    authors: tuple[str, ...] | None
    content: str


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A feed reader; `needs` says what to install."""

    name: str
    formats: frozenset[str]
    needs: str
    found: Callable[[], bool]
    entries: Callable[[Path, Path], Iterable[Seen]]

    def installed(self) -> bool:
        return self.found()

    @property
    def reason(self) -> str:
        return f"{self.name} is not installed ({self.needs})"

    def read(self, file: Path) -> list[Seen]:
        """Return the feed's entries, in the reader's order; *file* is not touched."""
        with TemporaryDirectory(prefix="reader-") as home:
            copy = Path(home) / f"feed{file.suffix}"  # a name that needs no quoting
            shutil.copyfile(file, copy)
            return list(self.entries(copy, Path(home)))


def each(*formats: str) -> list[Any]:
    """Return pytest parameters (reader, format), one for each of *formats* that a reader reads."""
    return [
        pytest.param(
            reader,
            format_,
            id=f"{reader.name}-{format_}",
            marks=pytest.mark.skipif(not reader.installed(), reason=reader.reason),
        )
        for reader in READERS
        for format_ in formats
        if format_ in reader.formats
    ]


def _run(home: Path, *words: str | Path, given: bytes = b"", **environ: str) -> str:
    """Return what a reader prints; when it fails, what it complained of becomes the error."""
    homes = {name: str(home) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "TMPDIR")}
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), NOBODY)
    settings = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}  # titles go through the locale
    done = subprocess.run(
        [*map(str, words)],
        input=given,
        capture_output=True,
        check=False,
        cwd=home,
        env=homes | proxies | settings | environ,
        timeout=SECONDS,
    )
    if done.returncode:
        raise RuntimeError(f"{words[0]} ended with {done.returncode}: {done.stderr.decode('utf-8', 'replace')}")
    return done.stdout.decode("utf-8")


def _newsboat(file: Path, home: Path) -> Iterable[Seen]:
    """Keeps no categories, and the last enclosure of sound or film; an entry without a date is of now."""
    (home / "urls").write_text(f'"file://{file}"\n', "utf-8")
    (home / "config").touch()
    _run(home, "newsboat", "-u", "urls", "-C", "config", "-c", "cache.db", "-x", "reload")
    with closing(sqlite3.connect(home / "cache.db")) as store:
        store.row_factory = sqlite3.Row
        # It ends well when it understands nothing of a file; only the feed's title then is missing.
        if not store.execute("SELECT 1 FROM rss_feed").fetchone():
            raise RuntimeError(f"newsboat cannot read {file.name}")
        # Written from the last to the first.
        rows = store.execute("SELECT * FROM rss_item ORDER BY id DESC").fetchall()
    for row in rows:
        yield Seen(
            id=row["guid"],
            title=row["title"],
            link=row["url"],
            published=datetime.fromtimestamp(row["pubDate"], UTC),
            categories=None,
            enclosures=((row["enclosure_url"], row["enclosure_type"]),) if row["enclosure_url"] else (),
            authors=(row["author"],) if row["author"] else (),  # Atom's in one text, with commas; RSS's last
            content=row["content"],
        )


def _sfeed(file: Path, home: Path) -> Iterable[Seen]:
    """Keeps the first author and enclosure, of Atom's categories the terms; what is no feed to it has no entries."""
    for line in _run(home, "sfeed", given=file.read_bytes()).split("\n")[:-1]:
        moment, title, link, content, _, id_, author, enclosure, categories = line.split("\t")
        yield Seen(
            id=id_,
            title=title,
            link=link,
            published=datetime.fromtimestamp(int(moment), UTC) if moment else None,
            categories=tuple(categories.split("|")) if categories else (),  # a bar in a name would divide it
            enclosures=((enclosure, ""),) if enclosure else (),
            authors=(author,) if author else (),
            content=re.sub(r"\\(.)", lambda found: {"t": "\t", "n": "\n"}.get(found[1], found[1]), content),
        )


def _lemon24(file: Path, home: Path) -> Iterable[Seen]:
    """Keeps no categories; of authors in XML the last, in RSS divided at commas; sorts by date; cleans HTML."""
    # It brings an older feedparser, for which our pins lack a part.
    told = _run(home, sys.executable, "-I", HERE / "lemon24.py", file, READER_NO_VENDORED_FEEDPARSER="1")
    for entry in json.loads(told):
        yield Seen(
            id=entry["id"],
            title=entry["title"],
            link=entry["link"],
            published=entry["published"] and datetime.fromisoformat(entry["published"]),
            categories=None,
            enclosures=tuple(map(tuple, entry["enclosures"])),
            authors=tuple(entry["authors"]),
            content=entry["content"],
        )


def _feedsmith(file: Path, home: Path) -> Iterable[Seen]:
    """Keeps everything, as written; of Atom's categories the labels are taken."""
    told = json.loads(_run(home, "node", HERE / "feedsmith.mjs", NODE or "", file))
    feed = told["feed"]
    entry = {"atom": _of_atom, "rss": _of_rss, "json": _of_json}[told["format"]]
    return [entry(item) for item in feed.get("entries", feed.get("items", ()))]


def _of_atom(item: dict[str, Any]) -> Seen:
    links = item.get("links", ())
    return Seen(
        id=item.get("id", ""),
        title=item.get("title", {}).get("value", ""),
        link=next((it["href"] for it in links if it.get("rel", "alternate") == "alternate"), ""),
        published=_rfc3339(item.get("published") or item.get("updated")),
        categories=tuple(it.get("label", it["term"]) for it in item.get("categories", ())),
        enclosures=tuple((it["href"], it.get("type", "")) for it in links if it.get("rel") == "enclosure"),
        media=_media(item),
        authors=tuple(it["name"] for it in item.get("authors", ())),
        content=(item.get("content") or item.get("summary") or {}).get("value", ""),
    )


def _of_rss(item: dict[str, Any]) -> Seen:
    extended = item.get("atom", {})
    return Seen(
        id=item.get("guid", {}).get("value", ""),
        title=item.get("title", ""),
        link=item.get("link", ""),
        published=_rfc822(item.get("pubDate")) or _rfc3339(extended.get("published") or extended.get("updated")),
        categories=tuple(it["name"] for it in item.get("categories", ())),
        enclosures=tuple((it["url"], it.get("type", "")) for it in item.get("enclosures", ())),
        media=_media(item),
        authors=tuple(item.get("dc", {}).get("creators", ())),
        content=item.get("content", {}).get("encoded") or item.get("description", ""),
    )


def _of_json(item: dict[str, Any]) -> Seen:
    return Seen(
        id=item.get("id", ""),
        title=item.get("title", ""),
        link=item.get("url", ""),
        published=_rfc3339(item.get("date_published") or item.get("date_modified")),
        categories=tuple(item.get("tags", ())),
        enclosures=tuple((it["url"], it.get("mime_type", "")) for it in item.get("attachments", ())),
        authors=tuple(it.get("name", "") for it in item.get("authors", ())),
        content=item.get("content_html") or item.get("content_text", ""),
    )


def _media(item: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((it["url"], it.get("type", "")) for it in item.get("media", {}).get("contents", ()))


def _rfc3339(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _rfc822(text: str | None) -> datetime | None:
    moment = parsedate_to_datetime(text) if text else None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment  # -0000: UTC, place unknown


@cache
def _command(name: str) -> bool:
    return shutil.which(name) is not None


XML = frozenset({"atom", "rss"})
READERS = (
    Reader(
        name="newsboat",
        formats=XML,
        needs="Debian's package newsboat",
        found=lambda: _command("newsboat"),
        entries=_newsboat,
    ),
    Reader(
        name="sfeed",
        formats=XML,
        needs="Debian's package sfeed",
        found=lambda: _command("sfeed"),
        entries=_sfeed,
    ),
    Reader(
        name="reader",
        formats=XML | {"json"},
        needs="PyPI's package reader",
        found=lambda: find_spec("reader") is not None,
        entries=_lemon24,
    ),
    Reader(
        name="feedsmith",
        formats=XML | {"json"},
        needs="node, and npm's package feedsmith in node_modules of the folder named by FEEDS_NODE_MODULES",
        found=lambda: _command("node") and NODE is not None and (NODE / "node_modules/feedsmith").is_dir(),
        entries=_feedsmith,
    ),
)
