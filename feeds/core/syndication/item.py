"""The content of feed documents, the same for all formats."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape

from feeds.core.posts import footnotes, markdown, media
from feeds.core.posts.locales import text_direction
from feeds.core.posts.text import balance_directions
from feeds.core.syndication.feed import CURRENT, NEVER, ArchivePosition, Feed, to_rfc3339
from feeds.latest import keep_latest
from feeds.model import Author, Enclosure, Entry, Episode, Issue, OriginalFeed, Text
from feeds.settings import Podcast

#: For formats that require a media type (RFC 2046 section 4.5.1).
UNKNOWN_TYPE = "application/octet-stream"
#: The same for a lead picture whose URL has no file extension: readers need to know that it is a picture, and look into
#: the file for its format.
PICTURE_TYPE = "image/jpeg"


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """An entry or issue, as every format shows it."""

    id: str
    title: str
    #: The URL of the post's page; of a link post that of the page it links to.
    url: str
    #: The URL of a link post's own page.
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
    #: Sanitized, with absolute URLs except those of its own ids; empty if the feed shows only summaries.
    html: str = ""
    rights: str = ""
    #: The lead image, as a file.
    image: Enclosure | None = None
    enclosures: tuple[Enclosure, ...] = ()
    episode: Episode | None = None

    @property
    def page(self) -> str:
        """The URL of the post's own page, the base of relative URLs."""
        return self.via or self.url

    @property
    def has_fragment_links(self) -> bool:
        """Whether the HTML has links to its own ids, which need a base."""
        return ' href="#' in self.html

    @property
    def files(self) -> tuple[Enclosure, ...]:
        """All files of the entry: its enclosures, then its image."""
        return (*self.enclosures, *([self.image] if self.image else []))

    @property
    def html_summary(self) -> str:
        """The summary escaped as HTML, for RSS."""
        return escape(self.summary, quote=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedDocument:
    """One document of a feed, in any format."""

    feed: Feed
    items: tuple[Item, ...]
    position: ArchivePosition = CURRENT
    #: The author of entries without authors.
    author: str
    hub: str | None = None
    #: The settings of the podcast that the feed is.
    podcast: Podcast | None = None

    @property
    def updated(self) -> datetime:
        """The feed's `updated`; that of an archive page is its newest entry's."""
        if self.position.number is None:
            return self.feed.updated
        return max((item.updated for item in self.items), default=NEVER)


def item_of_entry(entry: Entry, text: Text, *, full: bool, sizes: Mapping[str, int]) -> Item:
    """Return the item of a post; *sizes* are the sizes in bytes of files on this machine, by URL."""
    post = entry.post
    return Item(
        id=entry.id,
        title=balance_directions(post.title),
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
        html=_with_direction(_entry_html(text.html, entry), post.lang) if full else "",
        rights=post.rights,
        image=_image_file(entry, sizes),
        enclosures=tuple(_with_size(file, sizes) for file in post.enclosures),
        episode=post.episode,
    )


def item_of_issue(issue: Issue, html: str, *, title: str, url: str, lang: str, authority: str) -> Item:
    """Return the item of an issue; *html* is stored with the issue, except for a notice on top."""
    return Item(
        id=f"tag:{authority}:newsletters/{issue.newsletter}/{issue.number}",
        title=title,
        url=url,
        published=to_rfc3339(issue.slot),
        updated=to_rfc3339(issue.updated),
        lang=lang,
        html=_with_direction(html, lang),
    )


def _categories(entry: Entry) -> tuple[tuple[str, str], ...]:
    """Return term and label of categories, then of tags; a tag with the term of a category is left out."""
    labels = {tag: tag for tag in entry.tags} | {topic.term: topic.label for topic in entry.categories}
    order = dict.fromkeys((*(topic.term for topic in entry.categories), *entry.tags))
    return tuple((term, labels[term]) for term in order)


#: A post is in several feeds and their archives, so the sanitized HTML of each page is reused.
_sanitize = keep_latest(markdown.sanitize_html, of=1, size=500)


def _entry_html(html: str, entry: Entry) -> str:
    """Return the sanitized HTML of an entry, in which links to its own ids stay inside.

    Those of a link post do not: readers take them for fragments of the page that it links to.
    """
    post = entry.post
    if post.external_url:
        return _sanitize(footnotes.unlink_footnotes(html), post.url)
    return footnotes.keep_links_inside(_sanitize(html, post.url), post.url, entry.id)


def _with_direction(html: str, lang: str) -> str:
    """Return *html* in an element with the direction of its language, unless that is left to right."""
    return f'<div dir="rtl">\n{html}</div>' if html and text_direction(lang) == "rtl" else html


def _image_file(entry: Entry, sizes: Mapping[str, int]) -> Enclosure | None:
    image = entry.post.image
    if image is None:
        return None
    return _with_size(Enclosure(url=image.url, type=media.guess_media_type(image.url), title=image.alt), sizes)


def _with_size(file: Enclosure, sizes: Mapping[str, int]) -> Enclosure:
    """Return a file with its size on this machine, else with the size in the post."""
    length = sizes.get(file.url, file.length)
    return Enclosure(url=file.url, type=file.type, length=length, seconds=file.seconds, title=file.title)
