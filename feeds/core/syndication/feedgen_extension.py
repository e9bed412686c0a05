"""Write what feedgen 1.0 writes incorrectly or not at all, in one extension for Atom and RSS.

In entries feedgen drops `rel`, `type` and `length` of links, takes the last link for RSS's `<link>` and keeps only one
enclosure. In RSS it omits authors without an address and writes labels instead of terms; it writes RSS dates with
strftime under a locale that it sets for the whole process. It does not support the language of an entry,
archive marks, a hub in RSS, `dc:creator`, Media RSS next to enclosures, and the id of a `source`. For each of these
a test shows the fault.
"""

from email.utils import format_datetime
from typing import Any

from feedgen.ext.base import BaseEntryExtension, BaseExtension
from lxml import etree

from feeds.core.syndication import archive, podcast
from feeds.core.syndication.feed import FILES, MEDIA_TYPES, NEVER
from feeds.core.syndication.item import PICTURE_TYPE, UNKNOWN_TYPE, FeedDocument, Item
from feeds.model import Enclosure, OriginalFeed
from feeds.settings import Format

_ATOM = "http://www.w3.org/2005/Atom"
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_DC = "http://purl.org/dc/elements/1.1/"
_HISTORY = "http://purl.org/syndication/history/1.0"
_MEDIA = "http://search.yahoo.com/mrss/"
_PREFIXES: dict[Format, dict[str, str]] = {
    "atom": {"fh": _HISTORY, "media": _MEDIA},
    "rss": {"dc": _DC, "itunes": podcast.ITUNES, "media": _MEDIA},
}
_XML = "http://www.w3.org/XML/1998/namespace"


class FeedExtension(BaseExtension):  # type: ignore[misc] # feedgen ships no types
    """Writes the elements of a feed that feedgen does not write."""

    def __init__(self) -> None:
        self._document: FeedDocument
        self._prefixes: dict[str, str]

    def set_document(self, document: FeedDocument, name: Format) -> None:
        """Set the document and its format."""
        self._document, self._prefixes = document, _PREFIXES[name]
        if name == "rss" and document.podcast:
            self._prefixes = self._prefixes | {"podcast": podcast.PODCAST}

    def extend_ns(self) -> dict[str, str]:
        """Return all prefixes, used or not, so that no post changes the first line of the feed."""
        return self._prefixes

    def extend_atom(self, feed: Any) -> Any:
        """Write the archive mark and links."""
        if self._document.position.number is not None:
            _element(feed, f"{{{_HISTORY}}}archive")
        for attributes in _feed_links(self._document, "atom"):
            _element(feed, "link", attributes)
        return feed

    def extend_rss(self, feed: Any) -> Any:
        """Write date and links, and the term of the feed's category instead of its label."""
        channel = feed.find("channel")
        about = self._document.feed.about
        if about:
            channel.find("category").text = about[0]
        if self._document.updated > NEVER:
            _element(channel, "lastBuildDate", text=format_datetime(self._document.updated))
        for attributes in _feed_links(self._document, "rss"):
            _element(channel, f"{{{_ATOM}}}link", attributes)
        if self._document.podcast:
            podcast.write_channel(channel, self._document, self._document.podcast)
        return feed


class EntryExtension(BaseEntryExtension):  # type: ignore[misc] # as above
    """Writes the elements of an entry that feedgen does not write."""

    def __init__(self) -> None:
        self._item: Item
        self._is_podcast: bool

    def set_item(self, item: Item, *, is_podcast: bool) -> None:
        """Set the entry's item; *is_podcast* is true in the feed of a podcast."""
        self._item, self._is_podcast = item, is_podcast

    def extend_atom(self, entry: Any) -> Any:
        """Write language and links; feedgen's link, which has no `rel`, is removed.

        Every URL is absolute; only the content with links to its own ids has a base, the post's page.
        """
        item = self._item
        _set_base(entry.find("content"), item)
        entry.set(f"{{{_XML}}}lang", item.lang)
        for link in entry.findall("link"):
            entry.remove(link)
        for attributes in _entry_links(item):
            _element(entry, "link", attributes)
        if item.source:
            _write_atom_source(entry, item.source)
        _write_media(entry, item)
        return entry

    def extend_rss(self, entry: Any) -> Any:
        """Write links, date, authors and files; those of feedgen are removed.

        feedgen never marks an id as the address of the page (RSS 2.0, `guid`).
        """
        item = self._item
        _set_base(entry.find(f"{{{_CONTENT}}}encoded"), item)
        for name in ("link", "pubDate", "author", "category", "enclosure"):
            for element in entry.findall(name):
                entry.remove(element)
        entry.find("guid").set("isPermaLink", "true" if item.id in {item.url, item.page} else "false")
        if item.summary:
            entry.find("description").text = item.html_summary
        _element(entry, "link", text=item.url)
        _element(entry, "pubDate", text=format_datetime(item.published))
        for author in item.authors:
            _element(entry, f"{{{_DC}}}creator", text=author.name)
        for term, _ in item.categories:
            _element(entry, "category", text=term)
        if item.source:
            _element(entry, "source", {"url": item.source.url}, item.source.title)
        for file in item.files[:1]:
            default = UNKNOWN_TYPE if file in item.enclosures else PICTURE_TYPE
            _element(entry, "enclosure", _rss_enclosure(file, default))
        _write_rss_extras(entry, item)
        podcast.write_episode(entry, item)
        if self._is_podcast:
            podcast.write_podcast_episode(entry, item)
        _write_media(entry, item)
        return entry


def _set_base(content: Any, item: Item) -> None:
    """Give content with links to its own ids a base: readers that make them absolute then open the post's page."""
    if content is not None and item.has_fragment_links:
        content.set(f"{{{_XML}}}base", item.page)


def _element(parent: Any, name: str, attributes: dict[str, str] | None = None, text: str | None = None) -> Any:
    element = etree.SubElement(parent, name, attributes or {})
    element.text = text
    return element


# Feeds ------------------------------------------------------------------------------------------------------------


def _feed_links(document: FeedDocument, name: Format) -> list[dict[str, str]]:
    """Return a document's links to itself, the hub and its archive; feedgen writes the link to the HTML page."""
    feed, position = document.feed, document.position
    media_type = MEDIA_TYPES[name]
    current = feed.url_of(FILES[name])
    own = current if position.number is None else feed.url_of(archive.archive_path(position.number))
    links = [{"href": own, "rel": "self", "type": media_type}]
    if position.number is not None:
        links.append({"href": current, "rel": "current", "type": media_type})
    elif document.hub:
        links.append({"href": document.hub, "rel": "hub"})
    for rel, number in (("prev-archive", position.older), ("next-archive", position.newer)):
        if number is not None and name == "atom":
            links.append({"href": feed.url_of(archive.archive_path(number)), "rel": rel, "type": media_type})
    return links


# Entries ----------------------------------------------------------------------------------------------------------


def _entry_links(item: Item) -> list[dict[str, str]]:
    """Return an entry's links (RFC 4287 section 4.2.7, RFC 6596)."""
    links = [{"href": item.url, "rel": "alternate", "type": "text/html"}]
    if item.via:
        links.append({"href": item.via, "rel": "via", "type": "text/html"})
    if item.canonical:
        links.append({"href": item.canonical, "rel": "canonical"})
    return [*links, *map(_enclosure_link, item.files)]


def _enclosure_link(file: Enclosure) -> dict[str, str]:
    optional = {"type": file.type, "length": None if file.length is None else str(file.length), "title": file.title}
    return {"href": file.url, "rel": "enclosure"} | {name: value for name, value in optional.items() if value}


def _rss_enclosure(file: Enclosure, default: str) -> dict[str, str]:
    """Return the attributes of RSS's `enclosure`: all three are required, and an unknown length is 0."""
    return {"url": file.url, "length": str(file.length or 0), "type": file.type or default}


def _write_atom_source(entry: Any, source: OriginalFeed) -> None:
    element = _element(entry, "source")
    if source.id:
        _element(element, "id", text=source.id)
    _element(element, "title", text=source.title)
    _element(element, "link", {"href": source.url, "rel": "self"})


def _write_rss_extras(entry: Any, item: Item) -> None:
    """Write elements of other namespaces: our page of a link post, the canonical URL, rights, duration."""
    for rel, address in (("via", item.via), ("canonical", item.canonical)):
        if address:
            _element(entry, f"{{{_ATOM}}}link", {"href": address, "rel": rel})
    if item.rights:
        _element(entry, f"{{{_DC}}}rights", text=item.rights)
    for file in item.enclosures[:1]:
        if file.seconds:
            _element(entry, f"{{{podcast.ITUNES}}}duration", text=str(file.seconds))


def _write_media(entry: Any, item: Item) -> None:
    """Write files and image as Media RSS, in Atom too: only Media RSS has a duration."""
    for file in item.enclosures:
        attributes = {
            "url": file.url,
            "type": file.type,
            "fileSize": None if file.length is None else str(file.length),
            "duration": None if file.seconds is None else str(file.seconds),
        }
        _element(entry, f"{{{_MEDIA}}}content", {name: value for name, value in attributes.items() if value})
    if item.image:
        _element(entry, f"{{{_MEDIA}}}thumbnail", {"url": item.image.url})
