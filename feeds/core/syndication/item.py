"""What a feed shows: the same for all formats."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from html import escape

from feeds.core.posts import markdown, media
from feeds.core.syndication.feed import CURRENT, NEVER, ArchivePosition, Feed, to_rfc3339
from feeds.model import Author, Enclosure, Entry, Issue, OriginalFeed, Text

#: Where a type is required and none is known (RFC 2046 section 4.5.1).
UNKNOWN_TYPE = "application/octet-stream"


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """An entry, as every format shows it."""

    id: str
    title: str
    #: The page; of a link post the page it points to.
    url: str
    #: Our page on a link post's target.
    via: str | None = None
    canonical: str | None = None
    source: OriginalFeed | None = None
    published: datetime
    updated: datetime
    lang: str
    authors: tuple[Author, ...] = ()
    #: Term and label.
    categories: tuple[tuple[str, str], ...] = ()
    #: Plain text.
    summary: str = ""
    #: Safe, every address in it absolute; empty where the feed shows summaries only.
    html: str = ""
    rights: str = ""
    #: The lead picture, as a file.
    picture: Enclosure | None = None
    enclosures: tuple[Enclosure, ...] = ()

    @property
    def page(self) -> str:
        """Our own page: what relative addresses start from."""
        return self.via or self.url

    @property
    def files(self) -> tuple[Enclosure, ...]:
        """Everything that belongs to the entry: its own files, then its picture."""
        return (*self.enclosures, *([self.picture] if self.picture else []))

    @property
    def html_summary(self) -> str:
        """The summary as RSS and people's programs take it: as HTML."""
        return escape(self.summary, quote=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedDocument:
    """One document of a feed, whatever its format."""

    feed: Feed
    items: tuple[Item, ...]
    place: ArchivePosition = CURRENT
    #: Who answers for entries without authors.
    author: str
    hub: str | None = None

    @property
    def updated(self) -> datetime:
        """When readers should look again; an archive page is as old as what is in it."""
        if self.place.number is None:
            return self.feed.updated
        return max((item.updated for item in self.items), default=NEVER)


def item_of_entry(entry: Entry, text: Text, *, full: bool, sizes: Mapping[str, int]) -> Item:
    """Return what feeds show of a post; *sizes* are the bytes of files that lie on this machine, by address."""
    post = entry.post
    return Item(
        id=entry.id,
        title=post.title,
        url=post.external_url or post.url,
        via=post.url if post.external_url else None,
        canonical=post.canonical,
        source=post.source,
        published=to_rfc3339(post.published),
        updated=to_rfc3339(entry.updated),
        lang=post.lang,
        authors=post.authors,
        categories=_categories(entry),
        summary=text.excerpt,
        html=_safe(text.html, post.url) if full else "",
        rights=post.rights,
        picture=_picture(entry, sizes),
        enclosures=tuple(_sized(file, sizes) for file in post.enclosures),
    )


def item_of_issue(issue: Issue, html: str, *, title: str, url: str, lang: str, authority: str) -> Item:
    """Return what a newsletter's feed shows of an issue; *html* was frozen with it, but for a notice on top."""
    return Item(
        id=f"tag:{authority}:newsletters/{issue.newsletter}/{issue.number}",
        title=title,
        url=url,
        published=to_rfc3339(issue.slot),
        updated=to_rfc3339(issue.updated),
        lang=lang,
        html=html,
    )


def _categories(entry: Entry) -> tuple[tuple[str, str], ...]:
    """Return categories, then tags, by term and label; a tag that is called like a category is not said twice."""
    found = {tag: tag for tag in entry.tags} | {topic.term: topic.label for topic in entry.categories}
    order = dict.fromkeys((*(topic.term for topic in entry.categories), *entry.tags))
    return tuple((term, found[term]) for term in order)


#: A post stands in several feeds, and on a page of each one's archive: those that are made together share it.
_safe = lru_cache(maxsize=500)(markdown.sanitize_html)


def _picture(entry: Entry, sizes: Mapping[str, int]) -> Enclosure | None:
    image = entry.post.image
    if image is None:
        return None
    return _sized(Enclosure(url=image.url, type=media.guess_media_type(image.url), title=image.alt), sizes)


def _sized(file: Enclosure, sizes: Mapping[str, int]) -> Enclosure:
    """Return a file with its bytes: what lies here is what is served, whatever the post says."""
    length = sizes.get(file.url, file.length)
    return Enclosure(url=file.url, type=file.type, length=length, seconds=file.seconds, title=file.title)
