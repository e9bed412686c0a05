"""The files of a site, and what its settings say, as values."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

#: A feed document's format, as `feeds.formats` names it.
FeedFormat = Literal["atom", "rss", "json"]
#: File name of Feeds for each format.
DOCUMENTS: Mapping[FeedFormat, str] = {"atom": "atom.xml", "rss": "rss.xml", "json": "feed.json"}
#: An element `html` with a language that is not a template's.
_HTML_LANG = re.compile(r"""<html\b[^<>{}]*?\slang\s*=\s*["']?([A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*)["'\s>]""")
_MARKDOWN = (".md", ".markdown", ".mdx")


@dataclass(frozen=True, kw_only=True)
class SiteFiles:
    """The files of a site: the paths of all of them from its folder, and the texts of those that hold settings."""

    paths: tuple[str, ...]
    texts: Mapping[str, str]
    #: The folder of posts if it is known before; None to find it.
    posts: "Found | None" = None

    def new_facts(self, output: str = "") -> "SiteFacts":
        """Return what is known before settings are read; *output* is the usual folder of the built site."""
        facts = SiteFacts(output=output)
        if self.posts is not None:
            facts.values["posts.folder"] = self.posts
        return facts

    def first(self, *names: str) -> str | None:
        """Return the first of *names* whose text is there."""
        return next((name for name in names if name in self.texts), None)

    def has_folder(self, name: str) -> bool:
        """Return whether there is a folder *name* with files."""
        return any(path.startswith(f"{name}/") for path in self.paths)

    def posts_below(self, folder: str) -> list[str]:
        """Return the paths of the Markdown files below *folder*, from there; without section pages and READMEs."""
        start = f"{folder}/" if folder not in ("", ".") else ""
        below = (path.removeprefix(start) for path in self.paths if path.startswith(start))
        return [path for path in below if path.endswith(_MARKDOWN) and not _is_section_page(path)]

    def html_language(self) -> tuple[str, str] | None:
        """Return the language that a layout says in its element `html`, and the layout's path."""
        for path, text in self.texts.items():
            if found := _HTML_LANG.search(text):
                return found[1], path
        return None


def _is_section_page(path: str) -> bool:
    return path.rpartition("/")[2].lower().startswith(("_index.", "readme."))


@dataclass(frozen=True, kw_only=True)
class Found:
    """A value for `feeds.toml`, and the place that it was taken from, for people."""

    value: str | dict[str, str]
    source: str


@dataclass(frozen=True, kw_only=True)
class OldFeed:
    """A feed that the generator makes: its path on the site, without a slash at the start."""

    path: str
    format: FeedFormat
    source: str


@dataclass(kw_only=True)
class SiteFacts:
    """What is known of a site; it is filled in while its settings are read."""

    #: Table and key, such as `site.title` -> value.
    values: dict[str, Found] = field(default_factory=dict)
    #: The folder of the built site.
    output: str = ""
    #: The feeds that the generator makes of all posts.
    feeds: list[OldFeed] = field(default_factory=list)
    #: What could not be taken, one line each.
    problems: list[str] = field(default_factory=list)
    #: What to add to the settings of the generator, one line each.
    advice: list[str] = field(default_factory=list)

    def set(self, key: str, value: object, source: str) -> None:
        """Set a value if it says something and was not set before."""
        text = to_text(value)
        if text and key not in self.values:
            self.values[key] = Found(value=text, source=source)

    def value(self, key: str) -> str:
        """Return a value that is text; empty if it is not set."""
        found = self.values.get(key)
        return found.value if found and isinstance(found.value, str) else ""

    def add_feed(self, path: str, form: FeedFormat, source: str) -> None:
        """Add a feed, if its path is one below the site."""
        if path.strip("/") and ".." not in path and ":" not in path:
            self.feeds.append(OldFeed(path=path.strip("/"), format=form, source=source))


def to_text(value: object) -> str:
    """Return a value of a settings file as one line; empty for what is not text or a number, and for templates."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    text = " ".join(str(value).split())
    return "" if "{{" in text or "{%" in text else text


def to_table(value: object) -> dict[str, Any]:
    """Return a value of a settings file that is a table; an empty one for everything else."""
    return {str(key): inner for key, inner in value.items()} if isinstance(value, dict) else {}


def to_list(value: object) -> list[Any]:
    """Return a value of a settings file as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def to_folder(value: object, default: str) -> str:
    """Return a relative folder as `a/b`; *default* without one, `.` for the site's folder."""
    text = to_text(value) or default
    return re.sub(r"/{2,}", "/", re.sub(r"^(\./)+", "", text)).rstrip("/") or "."


def join_folder(*parts: str) -> str:
    """Return a path below a folder; `.` adds nothing."""
    return "/".join(part for part in parts if part not in ("", ".")) or "."


def join_url(base: object, path: object) -> str:
    """Return a URL with the path that the generator puts before its links, which counts from the host.

    The URL may have that path, or the beginning of it, already; it counts once.
    """
    start, folders = to_text(base).rstrip("/"), [part for part in to_text(path).split("/") if part]
    if not start or not folders:
        return start
    known = urlsplit(start).path.strip("/").split("/")
    common = next(n for n in range(min(len(known), len(folders)), -1, -1) if known[len(known) - n :] == folders[:n])
    return "/".join([start, *folders[common:]])


def feed_format(name: str, text: str = "") -> FeedFormat:
    """Return the format of a feed by its document or the template of it, else by the name of the file."""
    if "<rss" in text or "<rdf" in text:
        return "rss"
    if "<feed" in text:
        return "atom"
    if name.endswith(".json"):
        return "json"
    return "rss" if "rss" in name.lower() or name.endswith("index.xml") else "atom"


def choose_section(site: SiteFiles, base: str, names: Iterable[str]) -> str:
    """Return the folder of posts below *base*: the first of *names* with posts, else the one with most of them.

    The last is what Hugo takes for the main section (gohugo.io, `mainSections`).
    """
    counts: dict[str, int] = {}
    for path in site.posts_below(base):
        top, slash, rest = path.partition("/")
        section = top if slash and "/" + rest not in ("/index.md", "/index.mdx") else ""
        counts[section] = counts.get(section, 0) + 1
    preferred = next((name for name in names if counts.get(name)), None)
    section = preferred or max(counts, key=lambda name: (counts[name], name), default="")
    return join_folder(base, section)


#: Names of the folder of posts, as blogs and themes have them.
SECTION_NAMES = ("posts", "post", "blog", "news", "articles", "article", "notes", "journal", "writing")
#: The files of a host's name (GitHub Pages) are in folders that are copied as they are.
CNAMES = ("CNAME", "static/CNAME", "source/CNAME", "public/CNAME", "content/extra/CNAME", "src/CNAME", "docs/CNAME")


def read_cname(site: SiteFiles, facts: SiteFacts) -> None:
    """Set the site's URL after the file of GitHub Pages that names its host."""
    name = site.first(*CNAMES)
    host = site.texts[name].strip() if name else ""
    if name and re.fullmatch(r"[\w.-]+\.[\w-]+", host):
        facts.set("site.url", f"https://{host}", name)
