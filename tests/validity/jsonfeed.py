"""Check JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.validity.values import HTTP, LANGUAGE, MEDIA_TYPE, NON_EMPTY, RFC_3339, URI, Shape

VERSION = "https://jsonfeed.org/version/1.1"

_TEXT = Shape(lambda value: isinstance(value, str), "is not a string")
_FLAG = Shape(lambda value: isinstance(value, bool), "is neither true nor false")
_LIST = Shape(lambda value: isinstance(value, list), "is not an array")
_VERSION = Shape(lambda value: value == VERSION, f"is not {VERSION}")
_NUMBER = Shape(lambda value: type(value) in {int, float} and 0 <= value < math.inf, "is not a number of at least zero")
_TAGS = Shape(lambda value: isinstance(value, list) and all(map(NON_EMPTY.fits, value)), "is not an array of strings")

_FEED = {
    "version": _VERSION,
    "title": NON_EMPTY,
    "home_page_url": HTTP,
    "feed_url": HTTP,
    "description": _TEXT,
    "user_comment": _TEXT,
    "next_url": HTTP,
    "icon": HTTP,
    "favicon": HTTP,
    "authors": _LIST,
    "language": LANGUAGE,
    "expired": _FLAG,
    "hubs": _LIST,
    "items": _LIST,
}
_ITEM = {
    "id": NON_EMPTY,
    "url": HTTP,
    "external_url": HTTP,
    "title": _TEXT,
    "content_html": _TEXT,
    "content_text": _TEXT,
    "summary": _TEXT,
    "image": HTTP,
    "banner_image": HTTP,
    "date_published": RFC_3339,
    "date_modified": RFC_3339,
    "authors": _LIST,
    "tags": _TAGS,
    "language": LANGUAGE,
    "attachments": _LIST,
}
_AUTHOR = {"name": NON_EMPTY, "url": URI, "avatar": HTTP}
_HUB = {"type": NON_EMPTY, "url": HTTP}
_ATTACHMENT = {
    "url": HTTP,
    "mime_type": MEDIA_TYPE,
    "title": _TEXT,
    "size_in_bytes": _NUMBER,
    "duration_in_seconds": _NUMBER,
}


def json_faults(document: bytes) -> list[str]:
    """Return one line for each rule of JSON Feed 1.1 that *document* breaks; none if it is valid."""
    try:
        feed = json.loads(document.decode(), object_pairs_hook=_unique_members, parse_constant=_reject_constant)
    except ValueError as error:  # not UTF-8, not JSON, or undefined in JSON
        return [f"RFC 8259: {error}"]
    if not isinstance(feed, dict):
        return ["JSON Feed 1.1 Top-level: the document is not an object"]
    return [*_check_feed(feed), *_check_items(feed)]


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    repeated = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    if repeated:
        raise ValueError(f"section 4: an object has {', '.join(repeated)} more than once")
    return dict(pairs)


def _reject_constant(name: str) -> None:
    raise ValueError(f"section 6: {name} is not a number")


def _check_feed(feed: Mapping[str, Any]) -> Iterator[str]:
    yield from _check_object("Top-level", "", feed, _FEED)
    # The addresses are "strongly recommended", and required here since our feeds are on the public web.
    yield from _missing_members("Top-level", "", feed, ("version", "title", "home_page_url", "feed_url", "items"))
    yield from _check_authors("Top-level", "", feed)
    for where, hub in _list_members("hubs", feed):
        yield from _check_object("Subscribing to Real-time Notifications", where, hub, _HUB)
        yield from _missing_members("Subscribing to Real-time Notifications", where, hub, _HUB)
    if "next_url" in feed and feed["next_url"] == feed.get("feed_url"):
        yield _fault("Top-level", "next_url", "is the feed's own address")


def _check_items(feed: Mapping[str, Any]) -> Iterator[str]:
    seen = set()
    for where, item in _list_members("items", feed):
        yield from _check_object("Items", where, item, _ITEM)
        yield from _missing_members("Items", where, item, ("id",))
        yield from _check_item(where, item)
        item_id = str(item.get("id", where))
        if item_id in seen:
            yield _fault("Items", where, f"a second item {item_id!r}")
        seen.add(item_id)


def _check_item(where: str, item: Mapping[str, Any]) -> Iterator[str]:
    if not item.keys() & {"content_html", "content_text"}:
        yield _fault("Items", where, "neither content_html nor content_text")
    yield from _check_authors("Items", where, item)
    for member, attachment in _list_members("attachments", item, where):
        yield from _check_object("Attachments", member, attachment, _ATTACHMENT)
        yield from _missing_members("Attachments", member, attachment, ("url", "mime_type"))


def _check_authors(section: str, where: str, holder: Mapping[str, Any]) -> Iterator[str]:
    for member, author in _list_members("authors", holder, where):
        yield from _check_object(section, member, author, _AUTHOR)
        if not _AUTHOR.keys() & author.keys():
            yield _fault(section, member, "none of name, url and avatar")


def _list_members(name: str, holder: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the path and value of each object in a list; another value counts as an empty object."""
    values = holder.get(name)
    for number, value in enumerate(values if isinstance(values, list) else []):
        yield f"{where}{name}[{number}].", value if isinstance(value, dict) else {}


def _check_object(section: str, where: str, value: Mapping[str, Any], shapes: Mapping[str, Shape]) -> Iterator[str]:
    for name, member in value.items():
        if member is None:
            yield _fault(section, where + name, "is null")
        elif name in shapes:
            if not shapes[name].fits(member):
                yield _fault(section, where + name, f"{member!r} {shapes[name].message}")
        else:
            yield from _unknown_member(section, where, name)


def _unknown_member(section: str, where: str, name: str) -> Iterator[str]:
    if name == "author":
        yield _fault(section, where + name, "is deprecated: authors")
    elif not re.fullmatch(r"_[A-Za-z][^.]*", name):
        yield _fault("Extensions", where + name, "is unknown, and an extension must begin with _ and a letter")


def _missing_members(section: str, where: str, value: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    return (_fault(section, where + name, "is missing") for name in names if name not in value)


def _fault(section: str, where: str, message: str) -> str:
    return f"JSON Feed 1.1 {section}: {where.removesuffix('.')}: {message}"
