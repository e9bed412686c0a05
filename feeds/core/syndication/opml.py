"""Render the OPML file with all feeds, which feed readers can import (http://opml.org/spec2.opml)."""

from collections.abc import Iterable, Mapping
from email.utils import format_datetime
from itertools import groupby

from lxml import etree

from feeds.core.syndication.feed import FILES, NEVER, Feed


def render_opml(feeds: Iterable[Feed], title: str, groups: Mapping[str, str]) -> bytes:
    """Return the bytes of an OPML file: the feed of everything, then a group for each kind, with its name in *groups*.

    At least one feed must have a format, since OPML requires an outline.
    """
    listed = [feed for feed in feeds if feed.formats]
    root = etree.Element("opml", version="2.0")
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = title
    updated = max((feed.updated for feed in listed), default=NEVER)
    if updated > NEVER:
        etree.SubElement(head, "dateModified").text = format_datetime(updated)
    body = etree.SubElement(root, "body")
    for kind, members in groupby(listed, lambda feed: feed.kind):
        parent = body if kind == "all" else etree.SubElement(body, "outline", text=groups[kind])
        for feed in members:
            _add_outline(parent, feed)
    return bytes(etree.tostring(root, pretty_print=True, encoding="UTF-8", xml_declaration=True))


def _add_outline(parent: etree._Element, feed: Feed) -> None:
    """Add the outline of one feed, with the richest of its formats.

    The type is `rss` for every format. There is no `version`, which exists for versions of RSS only.
    """
    name = feed.formats[0]
    attributes = {
        "type": "rss",
        "text": feed.label,
        "title": feed.title,
        "description": feed.subtitle,
        "language": feed.lang,
        "xmlUrl": feed.url_of(FILES[name]),
        "htmlUrl": feed.page_url,
    }
    etree.SubElement(parent, "outline", {key: value for key, value in attributes.items() if value})
