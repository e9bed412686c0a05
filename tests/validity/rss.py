"""Check RSS 2.0 by the specification and the best practices profile of the RSS Advisory Board."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from lxml import etree

from tests.validity.values import (
    BOOLEAN,
    COUNT,
    EMAIL_AND_NAME,
    HTTP,
    LANGUAGE,
    MEDIA_TYPE,
    NON_EMPTY,
    RFC_822,
    Shape,
    document_faults,
    elements,
    fault,
    language_rule,
    name_of,
    namespace_of,
    text_of,
)

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}"
DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"
ITUNES = "{http://www.itunes.com/dtds/podcast-1.0.dtd}"
MEDIA = "{http://search.yahoo.com/mrss/}"
PODCAST = "{https://podcastindex.org/namespace/1.0}"
MEDIA_TYPE_OF_RSS = "application/rss+xml"

_NAMESPACES = {"", *(tag.strip("{}") for tag in (ATOM, CONTENT, DUBLIN_CORE, ITUNES, MEDIA, PODCAST))}
_REPEATABLE = {"item", "category"}
_CHILDREN = {
    "rss": {"channel"},
    "channel": {
        *("title", "link", "description", "language", "copyright", "managingEditor", "webMaster", "pubDate"),
        *("lastBuildDate", "category", "generator", "docs", "cloud", "ttl", "image", "rating", "textInput"),
        *("skipHours", "skipDays", "item"),
    },
    "item": {
        *("title", "link", "description", "author", "category", "comments", "enclosure", "guid", "pubDate", "source"),
    },
    "image": {"url", "title", "link", "width", "height", "description"},
}
_REQUIRED = {"channel": ("title", "link", "description"), "image": ("url", "title", "link")}
_DURATION = Shape(
    lambda text: COUNT.fits(text) or _is_duration(text.split(":")), "is neither H:MM:SS nor a number of seconds"
)
# The shape of an element's text, in any parent.
_TEXT_SHAPES = {
    "title": NON_EMPTY,
    "description": NON_EMPTY,
    "link": HTTP,
    "url": HTTP,
    "docs": HTTP,
    "comments": HTTP,
    "language": LANGUAGE,
    "pubDate": RFC_822,
    "lastBuildDate": RFC_822,
    "author": EMAIL_AND_NAME,
    "managingEditor": EMAIL_AND_NAME,
    "webMaster": EMAIL_AND_NAME,
    "category": NON_EMPTY,
    "guid": NON_EMPTY,
    "source": NON_EMPTY,
    "ttl": COUNT,
    f"{ITUNES}duration": _DURATION,
    f"{ITUNES}explicit": BOOLEAN,
}
# The required attributes of an element.
_ATTRIBUTE_SHAPES = {
    "enclosure": {"url": HTTP, "length": COUNT, "type": MEDIA_TYPE},
    "source": {"url": HTTP},
    f"{ATOM}link": {"href": HTTP},
    f"{MEDIA}content": {"url": HTTP},
    f"{MEDIA}thumbnail": {"url": HTTP},
    f"{ITUNES}image": {"href": HTTP},
    f"{ITUNES}category": {"text": NON_EMPTY},
    f"{PODCAST}transcript": {"url": HTTP, "type": MEDIA_TYPE},
    f"{PODCAST}chapters": {"url": HTTP, "type": MEDIA_TYPE},
    f"{PODCAST}funding": {"url": HTTP},
}


def rss_faults(document: bytes) -> list[str]:
    """Return one line for each rule of RSS 2.0 and its best practices that *document* breaks; none if it is valid."""
    return document_faults(document, ["rss"], _RULES)


def _check_version(root: Any) -> Iterator[str]:
    if root.get("version") != "2.0":
        yield fault("RSS 2.0 <rss>", root, f"version is {root.get('version')!r}, not '2.0'")
    if len(root.findall("channel")) != 1:
        yield fault("RSS 2.0 <rss>", root, f"{len(root.findall('channel'))} channels, not one")


def _check_namespaces(root: Any) -> Iterator[str]:
    for element in elements(root):
        if namespace_of(element) not in _NAMESPACES:
            yield fault("RSS 2.0 Extending RSS", element, f"<{name_of(element)}> is in an unknown namespace")


def _check_children(root: Any) -> Iterator[str]:
    for element in elements(root, *_CHILDREN):
        for name, count in Counter(child.tag for child in element.iterchildren(etree.Element)).items():
            if name not in _CHILDREN[element.tag] and not name.startswith("{"):
                yield fault(f"RSS 2.0 <{element.tag}>", element, f"has no <{name}>")
            elif count > 1 and name in _CHILDREN[element.tag] - _REPEATABLE:
                section = "RSS Profile <enclosure>" if name == "enclosure" else f"RSS 2.0 <{element.tag}>"
                yield fault(section, element, f"{count} times <{name}>")


def _check_required(root: Any) -> Iterator[str]:
    for element in elements(root, *_REQUIRED):
        for name in _REQUIRED[element.tag]:
            if element.find(name) is None:
                yield fault(f"RSS 2.0 <{element.tag}>", element, f"<{name}> is missing")


def _check_items(root: Any) -> Iterator[str]:
    for item in elements(root, "item"):
        if item.find("title") is None and item.find("description") is None:
            yield fault("RSS 2.0 <item>", item, "neither a title nor a description")
        if item.find("guid") is None:
            yield fault("RSS Profile <guid>", item, "an item should have a guid")


def _check_texts(root: Any) -> Iterator[str]:
    for element in elements(root, *_TEXT_SHAPES):
        text, shape = text_of(element), _TEXT_SHAPES[element.tag]
        if not shape.fits(text):
            yield fault(f"RSS 2.0 <{name_of(element)}>", element, f"{text!r} {shape.message}")


def _check_attributes(root: Any) -> Iterator[str]:
    for element in elements(root, *_ATTRIBUTE_SHAPES):
        for name, shape in _ATTRIBUTE_SHAPES[element.tag].items():
            if not shape.fits(element.get(name)):
                yield fault(f"RSS 2.0 <{name_of(element)}>", element, f"{name} {element.get(name)!r} {shape.message}")


def _check_guids(root: Any) -> Iterator[str]:
    seen = set()
    for guid in elements(root, "guid"):
        text, permanent = text_of(guid), guid.get("isPermaLink", "true")
        if not BOOLEAN.fits(permanent):
            yield fault("RSS 2.0 <guid>", guid, f"isPermaLink {permanent!r} {BOOLEAN.message}")
        if permanent == "true" and NON_EMPTY.fits(text) and not HTTP.fits(text):
            yield fault("RSS 2.0 <guid>", guid, f'{text!r} is not a URL: it needs isPermaLink="false"')
        if text != text.strip():
            yield fault("RSS Profile <guid>", guid, f"{text!r} has white space around it")
        if text in seen:
            yield fault("RSS 2.0 <guid>", guid, f"a second item {text!r}")
        seen.add(text)


def _check_self(root: Any) -> Iterator[str]:
    for channel in root.findall("channel"):
        links = [link for link in channel.findall(f"{ATOM}link") if link.get("rel") == "self"]
        if len(links) != 1:
            yield fault("RSS Profile <atom:link>", channel, f"{len(links)} links to the channel itself, not one")
        for link in links:
            if link.get("type") != MEDIA_TYPE_OF_RSS:
                yield fault("RSS Profile <atom:link>", link, f"type is {link.get('type')!r}, not {MEDIA_TYPE_OF_RSS!r}")


def _check_encoded(root: Any) -> Iterator[str]:
    """Yield a line if the full text is not in an item, once, after the description: some readers take the last."""
    for encoded in elements(root, f"{CONTENT}encoded"):
        if encoded.getparent().tag != "item":
            yield fault("RSS Profile <content:encoded>", encoded, "is not a child of an item")
        if next(encoded.itersiblings(f"{CONTENT}encoded"), None) is not None:
            yield fault("RSS Profile <content:encoded>", encoded, "is followed by another")
        if next(encoded.itersiblings("description"), None) is not None:
            yield fault("RSS Profile <content:encoded>", encoded, "comes before the description")


def _is_duration(parts: list[str]) -> bool:
    return len(parts) == 3 and all(map(COUNT.fits, parts)) and all(len(p) == 2 and p < "60" for p in parts[1:])


_RULES = [
    _check_version,
    _check_namespaces,
    language_rule("RSS 2.0 Extending RSS"),
    _check_children,
    _check_required,
    _check_items,
    _check_texts,
    _check_attributes,
    _check_guids,
    _check_self,
    _check_encoded,
]
