"""Atom documents: the grammar of atom.rng, and what RFC 4287 and RFC 5005 demand beyond a grammar."""

import base64
import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lxml import etree

from tests.validity.values import (
    IRI,
    LANGUAGE,
    REFERENCE,
    URI,
    elements,
    faults_of,
    languages,
    moment,
    name_of,
    namespace_of,
    said,
    text_of,
)

ATOM = "{http://www.w3.org/2005/Atom}"
HISTORY = "{http://purl.org/syndication/history/1.0}"
MEDIA = "{http://search.yahoo.com/mrss/}"
XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"

_SCHEMA = Path(__file__).with_name("atom.rng")
_RNG = "{http://relaxng.org/ns/structure/1.0}"
_SECTIONS = {
    "feed": "4.1.1",
    "entry": "4.1.2",
    "content": "4.1.3",
    "author": "3.2",
    "contributor": "3.2",
    "name": "3.2.1",
    "uri": "3.2.2",
    "email": "3.2.3",
    "category": "4.2.2",
    "generator": "4.2.4",
    "icon": "4.2.5",
    "id": "4.2.6",
    "link": "4.2.7",
    "logo": "4.2.8",
    "published": "4.2.9",
    "rights": "4.2.10",
    "source": "4.2.11",
    "subtitle": "4.2.12",
    "summary": "4.2.13",
    "title": "4.2.14",
    "updated": "4.2.15",
}
_PROSE = {"title", "subtitle", "summary", "rights", "content"}

# Relations of RFC 4287, RFC 5005, RFC 4685, RFC 4946, WebSub and what else of IANA's registry a feed may hold.
_RELATIONS = {
    *("alternate", "enclosure", "related", "self", "via"),
    *("first", "last", "next", "previous", "current", "prev-archive", "next-archive"),
    *("replies", "license", "hub", "author", "search", "payment", "canonical", "edit", "service"),
}
# Where addresses stand: the element's tag, and the attribute ("" for its text).
_ADDRESSES = [
    *((ATOM + name, "") for name in ("uri", "icon", "logo")),
    *((ATOM + name, attribute) for name, attribute in (("link", "href"), ("generator", "uri"), ("content", "src"))),
    *((MEDIA + name, "url") for name in ("content", "thumbnail")),
]


def atom_faults(document: bytes) -> list[str]:
    """Return one line for each rule of RFC 4287 and RFC 5005 that *document* breaks; none if it is valid."""
    return faults_of(document, [f"{ATOM}feed", f"{ATOM}entry"], _RULES)


def updated_faults(document: bytes) -> list[str]:
    """Return a line if a feed with entries is not as new as its newest entry: a rule of this house."""
    return faults_of(document, [f"{ATOM}feed"], [_updated])


def archive_faults(documents: Mapping[str, bytes]) -> list[str]:
    """Return what keeps a reader from all of a feed (RFC 5005, section 4): its *documents* by their address."""
    faults = [f"{address}: {line}" for address, document in documents.items() for line in atom_faults(document)]
    if faults:
        return faults
    roots = {address: etree.fromstring(document) for address, document in documents.items()}
    newest = [address for address, root in roots.items() if root.find(f"{HISTORY}archive") is None]
    if len(newest) != 1:
        return [f"RFC 5005 section 4: one document is the subscription document, not {len(newest)}"]
    return list(_chain_faults(newest[0], roots))


# The grammar.


def _grammar(root: Any) -> Iterator[str]:
    if not _schema("").validate(root):
        yield from _deepest(root)


@functools.cache
def _schema(start: str) -> Any:
    """Return the schema of one element ("" for that of documents)."""
    tree = etree.parse(_SCHEMA)
    if start:
        found = tree.find(f"{_RNG}start")
        found[:] = [etree.Element(f"{_RNG}ref", name=start)]
    return etree.RelaxNG(tree)


def _deepest(element: Any) -> Iterator[str]:
    """Yield a line for each innermost element that is wrong by itself: of its parents one learns nothing."""
    within = [] if name_of(element) in _PROSE else element.iterchildren(etree.Element)
    wrong = [child for child in within if not _is_fine(child)]
    for child in wrong:
        yield from _deepest(child)
    if not wrong:
        yield said(_section(element), element, f"<{name_of(element)}>: {_complaint(element)}")


def _is_fine(element: Any) -> bool:
    define = _define(element)
    return define is not None and _schema(define).validate(element)


def _define(element: Any) -> str | None:
    """Return which part of the schema describes *element*; None if it does not know it."""
    name, tag = name_of(element), str(element.tag)
    if tag.startswith(ATOM):
        return name if name in _SECTIONS else None
    if tag.startswith(HISTORY):
        return f"fh.{name}" if name in {"archive", "complete"} else None
    return "media" if tag in {f"{MEDIA}content", f"{MEDIA}thumbnail"} else "foreign"


def _section(element: Any) -> str:
    """Return where the rules about *element* are."""
    if element.tag.startswith(HISTORY):
        return "RFC 5005 section 2" if name_of(element) == "complete" else "RFC 5005 section 4"
    if element.tag.startswith(MEDIA):
        return f"Media RSS 1.5.1 <media:{name_of(element)}>"
    return f"RFC 4287 section {_SECTIONS.get(name_of(element), '6.2') if element.tag.startswith(ATOM) else '6.4'}"


def _complaint(element: Any) -> str:
    """Return what the validator says that helps: it also tells of every way it tried in vain."""
    define = _define(element)
    if define is None or not namespace_of(element):
        return "no such element is known here"
    schema = _schema(define)
    schema.validate(element)
    vague = ("Expecting an element , got", "Invalid sequence", "failed to validate")
    said_so = [error.message for error in schema.error_log if not any(words in error.message for words in vague)]
    return said_so[0] if said_so else str(schema.error_log[0].message)


# Values.


def _ids(root: Any) -> Iterator[str]:
    for element in elements(root, f"{ATOM}id"):
        text = text_of(element)
        if not IRI.fits(text):
            yield said("RFC 4287 section 4.2.6", element, f"<id> {text!r} {IRI.words}")


def _addresses(root: Any) -> Iterator[str]:
    for tag, attribute in _ADDRESSES:
        for element in elements(root, tag):
            text = element.get(attribute) if attribute else text_of(element)
            shape = REFERENCE if _has_base(element) else URI
            if text is not None and not (text and shape.fits(text)):
                yield said(_section(element), element, f"<{name_of(element)}> {text!r} {shape.words}")


def _schemes(root: Any) -> Iterator[str]:
    for element in elements(root, f"{ATOM}category"):
        scheme = element.get("scheme")
        if scheme is not None and not IRI.fits(scheme):
            yield said("RFC 4287 section 4.2.2.2", element, f"scheme {scheme!r} {IRI.words}")


def _has_base(element: Any) -> bool:
    """Tell whether a relative address says relative to what."""
    return any(URI.fits(one.get(XML_BASE)) for one in (element, *element.iterancestors()))


def _links(root: Any) -> Iterator[str]:
    for element in elements(root, f"{ATOM}link"):
        rel, language = element.get("rel", "alternate"), element.get("hreflang")
        if rel not in _RELATIONS and not IRI.fits(rel):
            yield said("RFC 4287 section 4.2.7.2", element, f"rel {rel!r} is neither a known relation nor an IRI")
        if language is not None and not LANGUAGE.fits(language):
            yield said("RFC 4287 section 4.2.7.4", element, f"hreflang {language!r} {LANGUAGE.words}")


# What elements owe each other.


def _unique(root: Any) -> Iterator[str]:
    """Two entries of one id are two states of one entry, told apart by when they were updated."""
    seen = set()
    for entry in _entries(root):
        identity = text_of(entry.find(f"{ATOM}id"))
        updated = text_of(entry.find(f"{ATOM}updated"))
        state = identity, moment(updated) or updated
        if state in seen:
            yield said("RFC 4287 section 4.1.1", entry, f"a second entry {identity!r} with the same <updated>")
        if entry is not root and identity == text_of(root.find(f"{ATOM}id")):
            yield said("RFC 4287 section 4.2.6", entry, f"the entry has the feed's <id> {identity!r}")
        seen.add(state)


def _alternates(root: Any) -> Iterator[str]:
    for element in elements(root, f"{ATOM}feed", f"{ATOM}entry", f"{ATOM}source"):
        counted = Counter((link.get("type"), (link.get("hreflang") or "").lower()) for link in _related(element))
        for (kind, language), times in counted.items():
            if times > 1:
                words = f"{times} alternate links of type {kind or 'unknown'} and language {language or 'unknown'}"
                yield said(_section(element), element, words)


def _representations(root: Any) -> Iterator[str]:
    for entry in _entries(root):
        if entry.find(f"{ATOM}content") is None and not _related(entry):
            yield said("RFC 4287 section 4.1.2", entry, "an entry without content needs an alternate link")


def _self(root: Any) -> Iterator[str]:
    if root.tag == f"{ATOM}feed" and len(_related(root, "self")) != 1:
        yield said("RFC 4287 section 4.1.1", root, f"{len(_related(root, 'self'))} links to the feed itself, not one")


def _authors(root: Any) -> Iterator[str]:
    for entry in _entries(root):
        places = (entry, entry.find(f"{ATOM}source"), root)
        if all(place is None or place.find(f"{ATOM}author") is None for place in places):
            yield said("RFC 4287 section 4.1.2", entry, "neither the entry nor its source nor the feed has an author")


def _contents(root: Any) -> Iterator[str]:
    for entry in _entries(root):
        content = entry.find(f"{ATOM}content")
        if content is None:
            continue
        if (content.get("src") or _is_base64(content)) and entry.find(f"{ATOM}summary") is None:
            yield said("RFC 4287 section 4.1.2", entry, "content that is elsewhere or Base64 needs a summary")
        yield from _inline(content)


def _inline(content: Any) -> Iterator[str]:
    """Content of a media type: no elements unless it is XML; characters, if it is not text either, are Base64."""
    kind, is_parent = content.get("type", ""), content.find("*") is not None
    if "/" in kind and is_parent and not _is_xml(kind):
        yield said("RFC 4287 section 4.1.3.3", content, f"content of type {kind} has child elements")
    elif _is_base64(content) and not _decodes(text_of(content)):
        yield said("RFC 4287 section 4.1.3.3", content, f"content of type {kind} is not Base64")


def _is_xml(kind: str) -> bool:
    return kind.partition(";")[0].strip().lower().endswith(("+xml", "/xml"))


def _is_base64(content: Any) -> bool:
    kind = content.get("type", "")
    return "/" in kind and not kind.lower().startswith("text/") and not _is_xml(kind) and content.get("src") is None


def _decodes(text: str) -> bool:
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        return False
    return True


# Archives.


def _history(root: Any) -> Iterator[str]:
    """Say what one document can know of its place in an archived feed (RFC 5005, section 4)."""
    is_archive = root.find(f"{HISTORY}archive") is not None
    for rel in ("current", "prev-archive", "next-archive"):
        if len(_related(root, rel)) > 1:
            yield said("RFC 5005 section 4", root, f"more than one {rel} link")
        if rel != "current" or is_archive:
            yield from _pointing_at_itself(root, rel)
    if is_archive and not _related(root, "current"):
        yield said("RFC 5005 section 4", root, "an archive needs a current link")
    if not is_archive and _related(root, "next-archive"):
        yield said("RFC 5005 section 4", root, "only an archive is followed by an archive: fh:archive is missing")


def _pointing_at_itself(root: Any, rel: str) -> Iterator[str]:
    own = {link.get("href") for link in _related(root, "self")}
    if own & {link.get("href") for link in _related(root, rel)}:
        yield said("RFC 5005 section 4", root, f"the {rel} link points at the document itself")


def _complete(root: Any) -> Iterator[str]:
    """A document that holds all of a feed is no part of it."""
    parts = ("prev-archive", "next-archive", "previous", "next")
    is_part = root.find(f"{HISTORY}archive") is not None or any(_related(root, rel) for rel in parts)
    if root.find(f"{HISTORY}complete") is not None and is_part:
        yield said("RFC 5005 section 2", root, "a complete feed has no archives and no pages")


def _chain_faults(newest: str, roots: Mapping[str, Any]) -> Iterator[str]:
    """Walk from the subscription document to the oldest archive; every document is met once and knows its place."""
    address, after, missed = newest, None, dict(roots)
    while address is not None:
        if address not in missed:
            yield f"RFC 5005 section 4: prev-archive leads to {address}, which is missing or was met before"
            return
        root = missed.pop(address)
        yield from _misplaced(address, root, {"self": address, "next-archive": after} | _current(address, newest))
        older = _href(root, "prev-archive")
        address, after = older, address if address != newest else None
    yield from (f"RFC 5005 section 4: no prev-archive leads to {address}" for address in missed)


def _current(address: str, newest: str) -> dict[str, str | None]:
    return {} if address == newest else {"current": newest}


def _misplaced(address: str, root: Any, expected: Mapping[str, str | None]) -> Iterator[str]:
    for rel, href in expected.items():
        if _href(root, rel) != href:
            yield f"RFC 5005 section 4: {address}: {rel} is {_href(root, rel)}, not {href}"


# Helpers.


def _updated(root: Any) -> Iterator[str]:
    own = text_of(root.find(f"{ATOM}updated"))
    newest = max((text_of(entry.find(f"{ATOM}updated")) for entry in _entries(root)), key=_instant, default=own)
    if _instant(newest) != _instant(own):
        yield said("House rule", root, f"the feed was updated at {own}, its newest entry at {newest}")


def _instant(text: str) -> float:
    found = moment(text)
    return found.timestamp() if found else float("-inf")


def _entries(root: Any) -> Iterable[Any]:
    return [root] if root.tag == f"{ATOM}entry" else root.findall(f"{ATOM}entry")


def _related(element: Any, rel: str = "alternate") -> list[Any]:
    """Return the element's own links of that relation; one that does not say is an alternate."""
    return [link for link in element.findall(f"{ATOM}link") if link.get("rel", "alternate") == rel]


def _href(root: Any, rel: str) -> str | None:
    return next((link.get("href") for link in _related(root, rel)), None)


_RULES = [
    *(_grammar, languages("RFC 4287 section 2"), _ids, _addresses, _schemes, _links),
    *(_unique, _alternates, _representations, _self, _authors, _contents, _history, _complete),
]
