"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.validity.values import HTTP, LANGUAGE, MEDIA_TYPE, RFC_3339, URI, WORDS, Shape

VERSION = "https://jsonfeed.org/version/1.1"

_TEXT = Shape(lambda value: isinstance(value, str), "is no string")
_FLAG = Shape(lambda value: isinstance(value, bool), "is neither true nor false")
_LIST = Shape(lambda value: isinstance(value, list), "is no array")
_VERSION = Shape(lambda value: value == VERSION, f"is not {VERSION}")
_NUMBER = Shape(lambda value: type(value) in {int, float} and 0 <= value < math.inf, "is no number from zero on")
_TAGS = Shape(lambda value: isinstance(value, list) and all(map(WORDS.fits, value)), "is no array of strings")

_FEED = {
    "version": _VERSION,
    "title": WORDS,
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
    "id": WORDS,
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
_AUTHOR = {"name": WORDS, "url": URI, "avatar": HTTP}
_HUB = {"type": WORDS, "url": HTTP}
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
        feed = json.loads(document.decode(), object_pairs_hook=_members, parse_constant=_constant)
    except ValueError as error:  # not UTF-8, not JSON, or what JSON leaves open
        return [f"RFC 8259: {error}"]
    if not isinstance(feed, dict):
        return ["JSON Feed 1.1 Top-level: the document is no object"]
    return [*_feed(feed), *_items(feed)]


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    twice = [name for name, times in Counter(name for name, _ in pairs).items() if times > 1]
    if twice:
        raise ValueError(f"section 4: an object has {', '.join(twice)} more than once")
    return dict(pairs)


def _constant(name: str) -> None:
    raise ValueError(f"section 6: {name} is no number")


def _feed(feed: Mapping[str, Any]) -> Iterator[str]:
    yield from _object("Top-level", "", feed, _FEED)
    # The addresses are "strongly recommended", and required for feeds on the public web: ours are.
    yield from _missing("Top-level", "", feed, ("version", "title", "home_page_url", "feed_url", "items"))
    yield from _authors("Top-level", "", feed)
    for where, hub in _objects("hubs", feed):
        yield from _object("Subscribing to Real-time Notifications", where, hub, _HUB)
        yield from _missing("Subscribing to Real-time Notifications", where, hub, _HUB)
    if "next_url" in feed and feed["next_url"] == feed.get("feed_url"):
        yield _said("Top-level", "next_url", "is the feed's own address")


def _items(feed: Mapping[str, Any]) -> Iterator[str]:
    seen = set()
    for where, item in _objects("items", feed):
        yield from _object("Items", where, item, _ITEM)
        yield from _missing("Items", where, item, ("id",))
        yield from _item(where, item)
        identity = str(item.get("id", where))
        if identity in seen:
            yield _said("Items", where, f"a second item {identity!r}")
        seen.add(identity)


def _item(where: str, item: Mapping[str, Any]) -> Iterator[str]:
    if not item.keys() & {"content_html", "content_text"}:
        yield _said("Items", where, "neither content_html nor content_text")
    yield from _authors("Items", where, item)
    for place, attachment in _objects("attachments", item, where):
        yield from _object("Attachments", place, attachment, _ATTACHMENT)
        yield from _missing("Attachments", place, attachment, ("url", "mime_type"))


def _authors(section: str, where: str, holder: Mapping[str, Any]) -> Iterator[str]:
    for place, author in _objects("authors", holder, where):
        yield from _object(section, place, author, _AUTHOR)
        if not _AUTHOR.keys() & author.keys():
            yield _said(section, place, "none of name, url and avatar")


def _objects(name: str, holder: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what a list holds, and where; what is no object counts as an empty one, which lacks what it needs."""
    found = holder.get(name)
    for number, value in enumerate(found if isinstance(found, list) else []):
        yield f"{where}{name}[{number}].", value if isinstance(value, dict) else {}


def _object(section: str, where: str, value: Mapping[str, Any], shapes: Mapping[str, Shape]) -> Iterator[str]:
    for name, member in value.items():
        if member is None:
            yield _said(section, where + name, "is null")
        elif name in shapes:
            if not shapes[name].fits(member):
                yield _said(section, where + name, f"{member!r} {shapes[name].words}")
        else:
            yield from _unknown(section, where, name)


def _unknown(section: str, where: str, name: str) -> Iterator[str]:
    if name == "author":
        yield _said(section, where + name, "is deprecated: authors")
    elif not re.fullmatch(r"_[A-Za-z][^.]*", name):
        yield _said("Extensions", where + name, "is unknown, and an extension begins with _ and a letter")


def _missing(section: str, where: str, value: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    return (_said(section, where + name, "is missing") for name in names if name not in value)


def _said(section: str, where: str, words: str) -> str:
    return f"JSON Feed 1.1 {section}: {where.removesuffix('.')}: {words}"
