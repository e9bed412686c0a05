"""OPML 2.0, as far as a list of subscriptions needs it."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from lxml import etree

from tests.validity.values import (
    BOOLEAN,
    EMAIL,
    HTTP,
    LANGUAGE,
    RFC_822,
    WORDS,
    elements,
    faults_of,
    languages,
    said,
    text_of,
)

_HEAD = {
    *("title", "dateCreated", "dateModified", "ownerName", "ownerEmail", "ownerId", "docs", "expansionState"),
    *("vertScrollState", "windowTop", "windowLeft", "windowBottom", "windowRight"),
}
_TEXTS = {
    "dateCreated": RFC_822,
    "dateModified": RFC_822,
    "ownerEmail": EMAIL,
    "ownerId": HTTP,
    "docs": HTTP,
}
_ATTRIBUTES = {
    "text": WORDS,
    "type": WORDS,
    "isComment": BOOLEAN,
    "isBreakpoint": BOOLEAN,
    "created": RFC_822,
    "category": WORDS,
    "xmlUrl": HTTP,
    "htmlUrl": HTTP,
    "url": HTTP,
    "language": LANGUAGE,
    "title": WORDS,
    "description": WORDS,
    "version": WORDS,
}
_POINTERS = {"rss": "xmlUrl", "link": "url", "include": "url"}


def opml_faults(document: bytes) -> list[str]:
    """Return one line for each rule of OPML 2.0 that *document* breaks; none if it is valid."""
    return faults_of(document, ["opml"], _RULES)


def _frame(root: Any) -> Iterator[str]:
    if root.get("version") != "2.0":
        yield said("OPML 2.0 <opml>", root, f"version is {root.get('version')!r}, not '2.0'")
    if [child.tag for child in root.iterchildren(etree.Element)] != ["head", "body"]:
        yield said("OPML 2.0 <opml>", root, "has one head, then one body")


def _head(root: Any) -> Iterator[str]:
    for head in root.findall("head"):
        if not text_of(head.find("title")).strip():
            yield said("OPML 2.0 <head>", head, "title is missing or empty")
        for name, times in Counter(child.tag for child in head.iterchildren(etree.Element)).items():
            if times > 1:
                yield said("OPML 2.0 Notes 7", head, f"{times} times <{name}>")
            if name not in _HEAD and not name.startswith("{"):
                yield said("OPML 2.0 <head>", head, f"has no <{name}>")


def _texts(root: Any) -> Iterator[str]:
    for element in elements(root, *_TEXTS):
        text, shape = text_of(element), _TEXTS[element.tag]
        if not shape.fits(text):
            yield said("OPML 2.0 <head>", element, f"<{element.tag}> {text!r} {shape.words}")


def _body(root: Any) -> Iterator[str]:
    for body in root.findall("body"):
        if body.find("outline") is None:
            yield said("OPML 2.0 <body>", body, "no outline")
        for element in body.iterdescendants(etree.Element):
            if element.tag != "outline" and not element.tag.startswith("{"):
                yield said("OPML 2.0 Extending OPML", element, f"<{element.tag}> is known only within a namespace")


def _outlines(root: Any) -> Iterator[str]:
    for outline in elements(root, "outline"):
        if "text" not in outline.attrib:
            yield said("OPML 2.0 Text attribute", outline, "an outline has a text")
        pointer = _POINTERS.get(outline.get("type", "").lower())
        if pointer and pointer not in outline.attrib:
            yield said("OPML 2.0 Subscription lists", outline, f"type {outline.get('type')} needs {pointer}")


def _attributes(root: Any) -> Iterator[str]:
    for outline in elements(root, "outline"):
        for name, value in outline.attrib.items():
            if name in _ATTRIBUTES and not _ATTRIBUTES[name].fits(value):
                yield said("OPML 2.0 <outline>", outline, f"{name} {value!r} {_ATTRIBUTES[name].words}")
            elif name not in _ATTRIBUTES and not name.startswith("{"):
                yield said("OPML 2.0 Extending OPML", outline, f"{name} is known only within a namespace")


_RULES = [_frame, languages("OPML 2.0 Extending OPML"), _head, _texts, _body, _outlines, _attributes]
