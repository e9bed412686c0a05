"""Render JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from typing import Any

import msgspec

from feeds.core.syndication.feed import FILES
from feeds.core.syndication.item import UNKNOWN_TYPE, FeedDocument, Item
from feeds.model import Author, Enclosure


def render_json_feed(document: FeedDocument) -> bytes:
    """Return the bytes of a JSON Feed; they depend only on *document*. Empty members are left out."""
    feed = document.feed
    members = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.home,
        "feed_url": feed.url_of(FILES["json"]),
        "description": feed.subtitle,
        "language": feed.lang,
        "authors": [{"name": document.author}],
        "hubs": [{"type": "WebSub", "url": document.hub}] if document.hub else [],
    }
    encoded = msgspec.json.encode(_without_empty(members) | {"items": [_item(item) for item in document.items]})
    return msgspec.json.format(encoded, indent=1) + b"\n"


def _item(item: Item) -> dict[str, Any]:
    """Return one item: `url` is the post's own page, `external_url` the page that a link post links to."""
    return _without_empty(
        {
            "id": item.id,
            "url": item.page,
            "external_url": item.url if item.via else None,
            "title": item.title,
            "content_html": item.html,
            # `content_html` or `content_text` is required.
            "content_text": None if item.html else item.summary or item.title,
            "summary": item.summary,
            "image": item.image.url if item.image else None,
            "date_published": item.published.isoformat(),
            "date_modified": item.updated.isoformat(),
            "authors": [_author(author) for author in item.authors],
            "tags": [term for term, _ in item.categories],
            "language": item.lang,
            "attachments": [_attachment(file) for file in item.enclosures],
        },
    )


def _author(author: Author) -> dict[str, Any]:
    return _without_empty({"name": author.name, "url": author.uri})


def _attachment(file: Enclosure) -> dict[str, Any]:
    return _without_empty(
        {
            "url": file.url,
            "mime_type": file.type or UNKNOWN_TYPE,
            "title": file.title,
            "size_in_bytes": file.length,
            "duration_in_seconds": file.seconds,
        },
    )


def _without_empty(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "", [])}
