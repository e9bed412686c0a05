"""A feed: what it is called, where its documents are, what it shows."""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urljoin

from feeds.model import Entry, KnownFeed
from feeds.settings import ContentMode, Format

#: What each format's document is called.
FILES: dict[Format, str] = {"atom": "atom.xml", "rss": "rss.xml", "json": "feed.json"}
MEDIA_TYPES: dict[Format, str] = {
    "atom": "application/atom+xml",
    "rss": "application/rss+xml",
    "json": "application/feed+json",
}
#: The page for people beside them.
PAGE = "index.html"
#: Of feeds, whoever wrote them.
FEED_ENDINGS = (".xml", ".json", ".rss", ".atom", ".rdf")
#: What a path ends in that people write and that is no folder: a category may be called `node.js`.
_FILE_ENDINGS = (*FEED_ENDINGS, ".html", ".opml")
_OWN_FOLDER = "all/"
#: What a document that shows nothing says: `updated` is required (RFC 4287 section 4.1.1) and must not come from the
#: clock.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Feed:
    """One feed: what it is called, where it lies, what it shows."""

    #: `all`, `category`, `tag`, `author`, `language`, `extra`, `newsletter`; and of what, as names are compared.
    kind: str
    key: str
    #: A `tag:` URI.
    id: str
    title: str
    subtitle: str = ""
    #: What tells it from its neighbours.
    label: str
    #: The folder below `public/`, with `/`, and on the web.
    folder: str
    url: str
    #: The page that shows the same to people.
    home: str
    lang: str
    #: The category or tag it is about: term and label.
    about: tuple[str, str] | None = None
    #: All of them, newest first; none of a newsletter, whose issues are no entries.
    entries: tuple[Entry, ...] = ()
    #: How many there are.
    total: int
    #: How many are shown, and stand on a page of the archive.
    size: int
    content: ContentMode
    formats: tuple[Format, ...]
    updated: datetime
    #: Folders where it lay before, and what it was called then, as names are compared.
    former: tuple[str, ...] = ()
    before: str = ""

    @property
    def shown(self) -> tuple[Entry, ...]:
        """The newest ones."""
        return self.entries[: self.size]

    @property
    def files(self) -> dict[Format, str]:
        """The documents below `public/`, by format."""
        return {name: f"{self.folder}{FILES[name]}" for name in self.formats}

    def url_of(self, name: str) -> str:
        """Return where a file of the feed is on the web."""
        return self.url + quote(name)

    @property
    def page(self) -> str:
        """The page for people below `public/`; beside the feed of everything lies the list of all feeds."""
        return f"{self.folder}{_OWN_FOLDER if self.kind == 'all' else ''}{PAGE}"

    @property
    def page_url(self) -> str:
        """That page on the web."""
        return f"{self.url}{_OWN_FOLDER if self.kind == 'all' else ''}"

    @property
    def known_feed(self) -> KnownFeed:
        """What is to be remembered of it."""
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
    """Where a document stands in its feed's archive (RFC 5005 section 4)."""

    #: Its number; None for the feed itself.
    number: int | None = None
    older: int | None = None
    newer: int | None = None


#: The feed itself, without an archive.
CURRENT = ArchivePosition()


def normalize_feed_path(written: str) -> str:
    """Return a path as people write it as one that starts at `public/`: as on the web with a slash, else in `feeds/`.

    `category/x` is the folder `feeds/category/x/`; `/feed.xml` is a file beside `feeds/`.
    """
    found = written.strip()
    if not found.startswith(("/", "feeds/", "newsletters/", "public/")):
        found = f"feeds/{found}"
    found = found.lstrip("/").removeprefix("public/")
    is_file = found.endswith(_FILE_ENDINGS)
    return found if is_file or found.endswith("/") or not found else f"{found}/"


def public_url(path: str, feeds_url: str) -> str:
    """Return where a file below `public/` is on the web: `public/feeds/` at *feeds_url*, the rest beside it."""
    inside = path.removeprefix("feeds/")
    return feeds_url + quote(inside) if inside != path else urljoin(feeds_url, "../" + quote(path))


def to_rfc3339(at: datetime) -> datetime:
    """Return a moment as RFC 3339 can write it: whole seconds, an offset of whole minutes (no local mean time)."""
    offset = at.utcoffset()
    whole = offset is not None and offset.total_seconds() % 60 == 0
    return (at if whole else at.astimezone(UTC)).replace(microsecond=0)
