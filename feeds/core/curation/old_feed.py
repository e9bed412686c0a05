"""Read the feed of another program: Atom 1.0 and 0.3, RSS 2.0 and its predecessors, RSS 1.0, JSON Feed.

Only what identifies an entry is read. lxml reads the XML, because the ids must come out as they are written:
feedparser, which readers use, trims ids and resolves those that are addresses (its `can_be_relative_uri`).
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

from feeds.core.posts import text
from feeds.core.posts.dates import parse_date
from feeds.core.posts.markdown import strip_illegal_xml
from feeds.errors import FeedsError

#: Links to documents with older entries: RFC 5005 sections 3 and 4.
_OLDER = ("next", "prev-archive")
_RDF_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_FEEDBURNER_LINK = "{http://rssnamespace.org/feedburner/ext/1.0}origLink"
_PUBLISHED = ("pubDate", "published", "issued", "date", "created")
_UPDATED = ("updated", "modified")
_MOST_NAMED = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class OldEntry:
    """An entry of another program's feed."""

    #: As readers know it, byte for byte; without a `guid` it is the link, as for readers.
    id: str
    title: str = ""
    #: Absolute; the page of the entry first.
    links: tuple[str, ...] = ()
    published: datetime | None = None
    updated: datetime | None = None

    @property
    def last_change(self) -> datetime | None:
        """The date that readers show: that of the update, else that of the publication."""
        return self.updated or self.published


@dataclass(frozen=True, kw_only=True, slots=True)
class OldFeed:
    """A document of another program's feed."""

    entries: tuple[OldEntry, ...]
    #: The address of the site; empty if the feed does not say it.
    home: str = ""
    #: Addresses of documents with older entries.
    older: tuple[str, ...] = ()
    #: Messages for the user, without the name of the document.
    warnings: tuple[str, ...] = ()


def parse_old_feed(content: bytes, url: str) -> OldFeed:
    """Return the entries of a feed document; *url* is its address, or empty.

    Raises:
        FeedsError: it is not a feed; the message does not have the name of the document.
    """
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return _parse_json(content, url)
    return _parse_xml(content, url)


# JSON Feed --------------------------------------------------------------------------------------------------------


def _parse_json(content: bytes, url: str) -> OldFeed:
    try:
        feed = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as e:
        raise FeedsError(f"is not a JSON Feed: {e}") from e
    items = feed.get("items")
    if not str(feed.get("version", "")).startswith("https://jsonfeed.org/version/") or not isinstance(items, list):
        raise FeedsError("is not a JSON Feed: it has no version of jsonfeed.org, or no items")
    entries = [_json_entry(item, url) for item in items if isinstance(item, dict)]
    return OldFeed(
        entries=tuple(entry for entry in entries if entry.id),
        home=_join(url, _string(feed.get("home_page_url"))),
        older=tuple(_join(url, link) for link in [_string(feed.get("next_url"))] if link),
        warnings=_count_useless(entries),
    )


def _json_entry(item: dict[str, Any], url: str) -> OldEntry:
    links = tuple(_join(url, link) for key in ("url", "external_url") if (link := _string(item.get(key))))
    return OldEntry(
        id=_usable_id(_string(item.get("id"))),  # a number means its digits (JSON Feed 1.1, `id`)
        title=_string(item.get("title")),
        links=links,
        published=_first_date([_string(item.get("date_published"))]),
        updated=_first_date([_string(item.get("date_modified"))]),
    )


def _string(value: object) -> str:
    return "" if value is None or isinstance(value, (list, dict, bool)) else str(value)


# XML --------------------------------------------------------------------------------------------------------------


def _parse_xml(content: bytes, url: str) -> OldFeed:
    from lxml import etree

    # Nothing is fetched, no entity is replaced (so none can grow), and faults are reported instead of raised.
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser, base_url=url or None)
    except etree.XMLSyntaxError:  # in spite of `recover`, if no element is found at all
        root = None
    if root is None or (name := _name(root)) not in {"feed", "rss", "RDF"}:
        raise FeedsError(_no_feed_reason(content, url, root))
    channel = root if name == "feed" else next(_children(root, "channel"), root)
    inner = "entry" if name == "feed" else "item"
    read = _atom_entry if name == "feed" else _rss_entry
    elements = [*_children(root, inner), *(_children(channel, inner) if channel is not root else ())]
    entries = [read(element) for element in elements]
    faults = [f"line {e.line}: {e.message.strip()}" for e in parser.error_log[:1]]
    return OldFeed(
        entries=tuple(entry for entry in entries if entry.id),
        home=next(_page_links(channel), ""),
        older=tuple(link for rel, link in _typed_links(channel) if rel in _OLDER),
        warnings=(
            *(f"is not well-formed XML ({fault}); compare the ids that were read with the feed" for fault in faults),
            *_count_useless(entries),
        ),
    )


def _no_feed_reason(content: bytes, url: str, root: Any) -> str:
    """Return why a document is not a feed; for a page with the feeds that it names."""
    feeds = [] if root is None or _name(root).lower() != "html" else _feeds_of_page(content, url)
    named = f"; the page names the feed {', '.join(feeds[:_MOST_NAMED])}" if feeds else ""
    found = "cannot be read as XML" if root is None else f"its first element is <{_name(root)}>"
    return f"is not a feed (Atom, RSS or JSON Feed): {found}{named}"


def _feeds_of_page(content: bytes, url: str) -> list[str]:
    from lxml.html import document_fromstring

    links = document_fromstring(content).iter("link")
    kinds = ("application/atom+xml", "application/rss+xml", "application/feed+json")
    return [_join(url, link.get("href")) for link in links if link.get("type") in kinds and link.get("href")]


def _atom_entry(entry: Any) -> OldEntry:
    title = next(_own_children(entry, "title"), None)
    return OldEntry(
        id=_usable_id(_text(entry, "id")),
        title="" if title is None else _plain_title("".join(title.itertext()), is_html=title.get("type") == "html"),
        links=tuple(_page_links(entry)),
        published=_first_date(_texts(entry, *_PUBLISHED)),
        updated=_first_date(_texts(entry, *_UPDATED)),
    )


def _rss_entry(item: Any) -> OldEntry:
    links = tuple(dict.fromkeys(_page_links(item)))
    guid = _text(item, "guid") or item.get(_RDF_ABOUT) or ""
    is_page = any(element.get("isPermaLink", "true").lower() == "true" for element in _children(item, "guid"))
    return OldEntry(
        id=_usable_id(guid if guid.strip() else next(iter(links), "")),
        title=_plain_title(_text(item, "title"), is_html=True),
        links=links or ((guid.strip(),) if is_page and guid.strip() else ()),
        published=_first_date(_texts(item, *_PUBLISHED)),
        updated=_first_date(_texts(item, *_UPDATED)),
    )


def _plain_title(written: str, *, is_html: bool) -> str:
    """Return a title without markup; RSS does not say whether titles are HTML, and readers guess."""
    is_html = is_html and ("<" in written or "&" in written)
    return text.clean_line(text.text_content(written) if is_html else written)


def _page_links(element: Any) -> Iterator[str]:
    """Yield the addresses of the page of an entry or feed: FeedBurner's original first, then its links."""
    original = element.findtext(_FEEDBURNER_LINK)
    if original and original.strip():
        yield original.strip()
    yield from (link for rel, link in _typed_links(element) if rel == "alternate")
    for link in _children(element, "link"):
        if not link.get("href") and (written := "".join(link.itertext()).strip()):
            yield _join(link.base or "", written)


def _typed_links(element: Any) -> Iterator[tuple[str, str]]:
    """Yield the relation and the absolute address of each Atom link; without `rel` it is `alternate`."""
    for link in _children(element, "link"):
        if href := link.get("href"):
            yield link.get("rel", "alternate"), _join(link.base or "", href.strip())


def _children(element: Any, name: str) -> Iterator[Any]:
    """Yield the child elements with a name, in whatever namespace: feeds exist with any, or none."""
    return (child for child in element if isinstance(child.tag, str) and _name(child) == name)


def _own_children(element: Any, name: str) -> Iterator[Any]:
    """Yield the child elements with a name in the namespace of their parent: `media:title` is not the title."""
    namespace = str(element.tag).rpartition("}")[0]
    return (child for child in _children(element, name) if str(child.tag).rpartition("}")[0] == namespace)


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _texts(element: Any, *names: str) -> Iterator[str]:
    return ("".join(child.itertext()) for name in names for child in _children(element, name))


def _text(element: Any, name: str) -> str:
    return next(("".join(child.itertext()) for child in _own_children(element, name)), "")


# Both -------------------------------------------------------------------------------------------------------------


def _join(base: str, link: str) -> str:
    """Return *link* as an absolute address if it can be read; some feeds have links such as `http://[host]:port]`."""
    try:
        return urljoin(base, link)
    except ValueError:
        return link


def _usable_id(written: str) -> str:
    """Return an id unchanged, or nothing: an id that XML cannot hold would not come back as it is."""
    return written if written.strip() and strip_illegal_xml(written) == written else ""


def _first_date(written: Iterable[str]) -> datetime | None:
    """Return the first of these that is a date; without a zone it is in UTC (RFC 4287 and RFC 822 require one)."""
    for value in written:
        try:
            return parse_date(value, UTC)
        except ValueError:
            continue
    return None


def _count_useless(entries: list[OldEntry]) -> tuple[str, ...]:
    useless = sum(not entry.id for entry in entries)
    return (f"{useless} of {len(entries)} entries have neither id nor link; they are left out",) if useless else ()
