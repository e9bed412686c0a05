"""What feedgen 1.0 does wrongly or not at all, in one extension for Atom and RSS.

In entries it drops `rel`, `type` and `length` of links, takes the last link for RSS's `<link>` and keeps one enclosure
of several; it leaves out authors without an address in RSS and writes labels where terms belong; its RSS dates come
from strftime under a locale that it sets for the whole process. It knows no language or base of an entry, no archive
marks, no hub in RSS, no `dc:creator`, no Media RSS beside enclosures, and no id of a `source`. Each of these has a test
that fails without this extension.
"""

from email.utils import format_datetime
from typing import Any

from feedgen.ext.base import BaseEntryExtension, BaseExtension
from lxml import etree

from feeds.core.syndication import archive
from feeds.core.syndication.feed import FILES, MEDIA_TYPES, NEVER
from feeds.core.syndication.item import UNKNOWN_TYPE, FeedDocument, Item
from feeds.model import Enclosure, OriginalFeed
from feeds.settings import Format

_ATOM = "http://www.w3.org/2005/Atom"
_DC = "http://purl.org/dc/elements/1.1/"
_HISTORY = "http://purl.org/syndication/history/1.0"
_ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
_MEDIA = "http://search.yahoo.com/mrss/"
_PREFIXES: dict[Format, dict[str, str]] = {
    "atom": {"fh": _HISTORY, "media": _MEDIA},
    "rss": {"dc": _DC, "itunes": _ITUNES, "media": _MEDIA},
}
_XML = "http://www.w3.org/XML/1998/namespace"


class FeedExtension(BaseExtension):  # type: ignore[misc] # feedgen ships no types
    """What a feed needs and feedgen does not write."""

    def __init__(self) -> None:
        self._document: FeedDocument
        self._prefixes: dict[str, str]

    def show(self, document: FeedDocument, name: Format) -> None:
        """Set what is shown, and in which format."""
        self._document, self._prefixes = document, _PREFIXES[name]

    def extend_ns(self) -> dict[str, str]:
        """Return prefixes: used or not, since a post that needs one more must not change the feed's first line."""
        return self._prefixes

    def extend_atom(self, feed: Any) -> Any:
        """Write archive marks and links."""
        if self._document.place.number is not None:
            _element(feed, f"{{{_HISTORY}}}archive")
        for attributes in _links(self._document, "atom"):
            _element(feed, "link", attributes)
        return feed

    def extend_rss(self, feed: Any) -> Any:
        """Write dates, links and the term of what the feed is about, where feedgen has its label."""
        channel = feed.find("channel")
        about = self._document.feed.about
        if about:
            channel.find("category").text = about[0]
        if self._document.updated > NEVER:
            _element(channel, "lastBuildDate", text=format_datetime(self._document.updated))
        for attributes in _links(self._document, "rss"):
            _element(channel, f"{{{_ATOM}}}link", attributes)
        return feed


class EntryExtension(BaseEntryExtension):  # type: ignore[misc] # as above
    """What an entry needs and feedgen does not write."""

    def __init__(self) -> None:
        self._item: Item

    def show(self, item: Item) -> None:
        """Set what is shown."""
        self._item = item

    def extend_atom(self, entry: Any) -> Any:
        """Write language, base and links; feedgen's own link, without `rel`, makes room."""
        item = self._item
        entry.set(f"{{{_XML}}}lang", item.lang)
        entry.set(f"{{{_XML}}}base", item.page)
        for bare in entry.findall("link"):
            entry.remove(bare)
        for attributes in _entry_links(item):
            _element(entry, "link", attributes)
        if item.source:
            _atom_source(entry, item.source)
        _media(entry, item)
        return entry

    def extend_rss(self, entry: Any) -> Any:
        """Write links, dates, authors and files; what feedgen has made of them makes room."""
        item = self._item
        for name in ("link", "pubDate", "author", "category", "enclosure"):
            for wrong in entry.findall(name):
                entry.remove(wrong)
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
            _element(entry, "enclosure", _enclosure(file))
        _rss_extras(entry, item)
        _media(entry, item)
        return entry


def _element(parent: Any, name: str, attributes: dict[str, str] | None = None, text: str | None = None) -> Any:
    made = etree.SubElement(parent, name, attributes or {})
    made.text = text
    return made


# Feeds ------------------------------------------------------------------------------------------------------------


def _links(document: FeedDocument, name: Format) -> list[dict[str, str]]:
    """Return a document's links: itself, the hub, its place in the archive; feedgen writes the page for people."""
    feed, place = document.feed, document.place
    kind = MEDIA_TYPES[name]
    current = feed.url_of(FILES[name])
    itself = current if place.number is None else feed.url_of(archive.archive_path(place.number))
    found = [{"href": itself, "rel": "self", "type": kind}]
    if place.number is not None:
        found.append({"href": current, "rel": "current", "type": kind})
    elif document.hub:
        found.append({"href": document.hub, "rel": "hub"})
    for rel, number in (("prev-archive", place.older), ("next-archive", place.newer)):
        if number is not None and name == "atom":
            found.append({"href": feed.url_of(archive.archive_path(number)), "rel": rel, "type": kind})
    return found


# Entries ----------------------------------------------------------------------------------------------------------


def _entry_links(item: Item) -> list[dict[str, str]]:
    """Return an entry's links (RFC 4287 section 4.2.7, RFC 6596)."""
    found = [{"href": item.url, "rel": "alternate", "type": "text/html"}]
    if item.via:
        found.append({"href": item.via, "rel": "via", "type": "text/html"})
    if item.canonical:
        found.append({"href": item.canonical, "rel": "canonical"})
    return [*found, *map(_enclosure_link, item.files)]


def _enclosure_link(file: Enclosure) -> dict[str, str]:
    about = {"type": file.type, "length": None if file.length is None else str(file.length), "title": file.title}
    return {"href": file.url, "rel": "enclosure"} | {name: value for name, value in about.items() if value}


def _enclosure(file: Enclosure) -> dict[str, str]:
    """Return RSS's attributes: all three are required, and a length that nobody knows is 0."""
    return {"url": file.url, "length": str(file.length or 0), "type": file.type or UNKNOWN_TYPE}


def _atom_source(entry: Any, source: OriginalFeed) -> None:
    made = _element(entry, "source")
    if source.id:
        _element(made, "id", text=source.id)
    _element(made, "title", text=source.title)
    _element(made, "link", {"href": source.url, "rel": "self"})


def _rss_extras(entry: Any, item: Item) -> None:
    """Write what RSS has no words for: the page behind a link post, another first place, rights, playing time."""
    for rel, address in (("via", item.via), ("canonical", item.canonical)):
        if address:
            _element(entry, f"{{{_ATOM}}}link", {"href": address, "rel": rel})
    if item.rights:
        _element(entry, f"{{{_DC}}}rights", text=item.rights)
    for file in item.enclosures[:1]:
        if file.seconds:
            _element(entry, f"{{{_ITUNES}}}duration", text=str(file.seconds))


def _media(entry: Any, item: Item) -> None:
    """Write files and picture as Media RSS knows them, in Atom too: only it knows how long something plays."""
    for file in item.enclosures:
        about = {
            "url": file.url,
            "type": file.type,
            "fileSize": None if file.length is None else str(file.length),
            "duration": None if file.seconds is None else str(file.seconds),
        }
        _element(entry, f"{{{_MEDIA}}}content", {name: value for name, value in about.items() if value})
    if item.picture:
        _element(entry, f"{{{_MEDIA}}}thumbnail", {"url": item.picture.url})
