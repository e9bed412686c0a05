"""A feed: its names, folder and documents, and the entries it shows."""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urljoin

from feeds.core.posts.dates import has_impossible_offset
from feeds.model import Entry, KnownFeed
from feeds.settings import ContentMode, Format

#: The file name of each format's document.
FILES: dict[Format, str] = {"atom": "atom.xml", "rss": "rss.xml", "json": "feed.json"}
MEDIA_TYPES: dict[Format, str] = {
    "atom": "application/atom+xml",
    "rss": "application/rss+xml",
    "json": "application/feed+json",
}
#: The file name of a feed's HTML page.
PAGE = "index.html"
#: Endings of feed documents, of this and other programs.
FEED_ENDINGS = (".xml", ".json", ".rss", ".atom", ".rdf")
#: A path in the config or on the command line with another ending is a folder: a category may be called `node.js`.
_FILE_ENDINGS = (*FEED_ENDINGS, ".html", ".opml")
#: The folder for the HTML page of the feed of everything.
_ALL_FOLDER = "all/"
#: `updated` of a document without entries: it is required (RFC 4287 section 4.1.1) and must not depend on the clock.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Feed:
    """One feed: its names, folder and documents, and the entries it shows."""

    #: `all`, `category`, `tag`, `author`, `language`, `extra` or `newsletter`.
    kind: str
    #: The normalized name of the category, tag, and so on.
    key: str
    #: A `tag:` URI.
    id: str
    title: str
    subtitle: str = ""
    #: The short name, for lists of feeds.
    label: str
    #: Below `public/`, with a slash at the end.
    folder: str
    #: The URL of the folder.
    url: str
    #: The URL of the page for people: the site for the feed of everything, else the feed's HTML page.
    home: str
    lang: str
    #: Term and label of its category or tag.
    about: tuple[str, str] | None = None
    #: All entries, newest first; empty for a newsletter, whose issues are not entries.
    entries: tuple[Entry, ...] = ()
    #: The number of entries or issues.
    total: int
    #: How many entries the feed shows, and how many fit on a page of its archive.
    size: int
    content: ContentMode
    formats: tuple[Format, ...]
    updated: datetime
    #: Its former folders.
    former: tuple[str, ...] = ()
    #: Its key before the category was renamed; empty if it was not.
    former_key: str = ""

    @property
    def shown(self) -> tuple[Entry, ...]:
        """The newest entries, which the feed shows."""
        return self.entries[: self.size]

    @property
    def files(self) -> dict[Format, str]:
        """The paths of the documents below `public/`, by format."""
        return {name: f"{self.folder}{FILES[name]}" for name in self.formats}

    def url_of(self, name: str) -> str:
        """Return the URL of a file in the feed's folder."""
        return self.url + quote(name)

    @property
    def page(self) -> str:
        """The path of the HTML page below `public/`; that of `feeds/` itself is the list of all feeds."""
        return f"{self.folder}{_ALL_FOLDER if self.kind == 'all' else ''}{PAGE}"

    @property
    def page_url(self) -> str:
        """The URL of the HTML page."""
        return f"{self.url}{_ALL_FOLDER if self.kind == 'all' else ''}"

    @property
    def known_feed(self) -> KnownFeed:
        """The part of it that the store keeps."""
        updated = None if self.updated == NEVER else self.updated
        return KnownFeed(
            kind=self.kind,
            key=self.key,
            id=self.id,
            folder=self.folder,
            label=self.label,
            updated=updated,
            former=self.former,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchivePosition:
    """The position of a document in its feed's archive (RFC 5005 section 4)."""

    #: The number of the archive page; None for the feed itself.
    number: int | None = None
    older: int | None = None
    newer: int | None = None


#: The position of the feed itself, without an archive.
CURRENT = ArchivePosition()


def normalize_feed_path(path: str) -> str:
    """Return a path in the config or on the command line relative to `public/`; a folder ends with a slash.

    Paths that do not begin with a slash are in `feeds/`: `category/x` is the folder `feeds/category/x/`, `/feed.xml` a
    file beside `feeds/`.
    """
    path = path.strip()
    if not path.startswith(("/", "feeds/", "newsletters/", "public/")):
        path = f"feeds/{path}"
    path = path.lstrip("/").removeprefix("public/")
    is_file = path.endswith(_FILE_ENDINGS)
    return path if is_file or path.endswith("/") or not path else f"{path}/"


def public_url(path: str, feeds_url: str) -> str:
    """Return the URL of a path below `public/`: `feeds/` is at *feeds_url*, other paths are beside it."""
    inside = path.removeprefix("feeds/")
    return feeds_url + quote(inside) if inside != path else urljoin(feeds_url, "../" + quote(path))


def to_rfc3339(time: datetime) -> datetime:
    """Return *time* as feeds write it: in whole seconds, and in UTC if no zone has its offset or RFC 3339 cannot."""
    offset = time.utcoffset()
    is_valid = offset is not None and offset.total_seconds() % 60 == 0 and not has_impossible_offset(time)
    return (time if is_valid else time.astimezone(UTC)).replace(microsecond=0)
