"""All feeds in one file that feed readers import (http://opml.org/spec2.opml)."""

from collections.abc import Iterable, Mapping
from email.utils import format_datetime
from itertools import groupby

from lxml import etree

from feeds.core.syndication.feed import FILES, NEVER, Feed

_VERSIONS = {"atom": "ATOM1", "rss": "RSS2", "json": "JSON1"}


def render_opml(feeds: Iterable[Feed], title: str, groups: Mapping[str, str]) -> bytes:
    """Return the bytes of the list: the feed of everything, then one group for each kind, called as *groups* say.

    There must be a feed with a format left, since a list of nothing is no OPML.
    """
    found = [feed for feed in feeds if feed.formats]
    made = etree.Element("opml", version="2.0")
    head = etree.SubElement(made, "head")
    etree.SubElement(head, "title").text = title
    updated = max((feed.updated for feed in found), default=NEVER)
    if updated > NEVER:
        etree.SubElement(head, "dateModified").text = format_datetime(updated)
    body = etree.SubElement(made, "body")
    for kind, members in groupby(found, lambda feed: feed.kind):
        parent = body if kind == "all" else etree.SubElement(body, "outline", text=groups[kind])
        for feed in members:
            _outline(parent, feed)
    return bytes(etree.tostring(made, pretty_print=True, encoding="UTF-8", xml_declaration=True))


def _outline(parent: etree._Element, feed: Feed) -> None:
    """Write one feed, in the format that says most of those it has. `rss` is the type of all of them."""
    name = feed.formats[0]
    about = {
        "type": "rss",
        "text": feed.label,
        "title": feed.title,
        "description": feed.subtitle,
        "language": feed.lang,
        "version": _VERSIONS[name],
        "xmlUrl": feed.url_of(FILES[name]),
        "htmlUrl": feed.page_url,
    }
    etree.SubElement(parent, "outline", {key: value for key, value in about.items() if value})
