"""Check OPML 2.0, as far as a list of subscriptions needs it."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from lxml import etree

from tests.validity.values import (
    BOOLEAN,
    EMAIL,
    HTTP,
    LANGUAGE,
    NON_EMPTY,
    RFC_822,
    document_faults,
    elements,
    fault,
    language_rule,
    text_of,
)

_HEAD = {
    *("title", "dateCreated", "dateModified", "ownerName", "ownerEmail", "ownerId", "docs", "expansionState"),
    *("vertScrollState", "windowTop", "windowLeft", "windowBottom", "windowRight"),
}
_TEXT_SHAPES = {
    "dateCreated": RFC_822,
    "dateModified": RFC_822,
    "ownerEmail": EMAIL,
    "ownerId": HTTP,
    "docs": HTTP,
}
_ATTRIBUTE_SHAPES = {
    "text": NON_EMPTY,
    "type": NON_EMPTY,
    "isComment": BOOLEAN,
    "isBreakpoint": BOOLEAN,
    "created": RFC_822,
    "category": NON_EMPTY,
    "xmlUrl": HTTP,
    "htmlUrl": HTTP,
    "url": HTTP,
    "language": LANGUAGE,
    "title": NON_EMPTY,
    "description": NON_EMPTY,
    "version": NON_EMPTY,
}
_POINTERS = {"rss": "xmlUrl", "link": "url", "include": "url"}


def opml_faults(document: bytes) -> list[str]:
    """Return one line for each rule of OPML 2.0 that *document* breaks; none if it is valid."""
    return document_faults(document, ["opml"], _RULES)


def _check_root(root: Any) -> Iterator[str]:
    if root.get("version") != "2.0":
        yield fault("OPML 2.0 <opml>", root, f"version is {root.get('version')!r}, not '2.0'")
    if [child.tag for child in root.iterchildren(etree.Element)] != ["head", "body"]:
        yield fault("OPML 2.0 <opml>", root, "needs one head, then one body")


def _check_head(root: Any) -> Iterator[str]:
    for head in root.findall("head"):
        if not text_of(head.find("title")).strip():
            yield fault("OPML 2.0 <head>", head, "title is missing or empty")
        for name, count in Counter(child.tag for child in head.iterchildren(etree.Element)).items():
            if count > 1:
                yield fault("OPML 2.0 Notes 7", head, f"{count} times <{name}>")
            if name not in _HEAD and not name.startswith("{"):
                yield fault("OPML 2.0 <head>", head, f"has no <{name}>")


def _check_texts(root: Any) -> Iterator[str]:
    for element in elements(root, *_TEXT_SHAPES):
        text, shape = text_of(element), _TEXT_SHAPES[element.tag]
        if not shape.fits(text):
            yield fault("OPML 2.0 <head>", element, f"<{element.tag}> {text!r} {shape.message}")


def _check_body(root: Any) -> Iterator[str]:
    for body in root.findall("body"):
        if body.find("outline") is None:
            yield fault("OPML 2.0 <body>", body, "no outline")
        for element in body.iterdescendants(etree.Element):
            if element.tag != "outline" and not element.tag.startswith("{"):
                yield fault("OPML 2.0 Extending OPML", element, f"<{element.tag}> is allowed only in a namespace")


def _check_outlines(root: Any) -> Iterator[str]:
    for outline in elements(root, "outline"):
        if "text" not in outline.attrib:
            yield fault("OPML 2.0 Text attribute", outline, "an outline needs a text")
        pointer = _POINTERS.get(outline.get("type", "").lower())
        if pointer and pointer not in outline.attrib:
            yield fault("OPML 2.0 Subscription lists", outline, f"type {outline.get('type')} needs {pointer}")


def _check_attributes(root: Any) -> Iterator[str]:
    for outline in elements(root, "outline"):
        for name, value in outline.attrib.items():
            if name in _ATTRIBUTE_SHAPES and not _ATTRIBUTE_SHAPES[name].fits(value):
                yield fault("OPML 2.0 <outline>", outline, f"{name} {value!r} {_ATTRIBUTE_SHAPES[name].message}")
            elif name not in _ATTRIBUTE_SHAPES and not name.startswith("{"):
                yield fault("OPML 2.0 Extending OPML", outline, f"{name} is allowed only in a namespace")


_RULES = [
    _check_root,
    language_rule("OPML 2.0 Extending OPML"),
    _check_head,
    _check_texts,
    _check_body,
    _check_outlines,
    _check_attributes,
]
