"""Check Atom documents: by the grammar in atom.rng, and by the other rules of RFC 4287 and RFC 5005."""

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
    document_faults,
    elements,
    fault,
    language_rule,
    name_of,
    namespace_of,
    parse_rfc3339,
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
_TEXT_CONSTRUCTS = {"title", "subtitle", "summary", "rights", "content"}

# Relations of RFC 4287, RFC 5005, RFC 4685, RFC 4946, WebSub, and others of IANA's registry for feeds.
_RELATIONS = {
    *("alternate", "enclosure", "related", "self", "via"),
    *("first", "last", "next", "previous", "current", "prev-archive", "next-archive"),
    *("replies", "license", "hub", "author", "search", "payment", "canonical", "edit", "service"),
}
# Elements and attributes with addresses; "" for the text of the element.
_ADDRESSES = [
    *((ATOM + name, "") for name in ("uri", "icon", "logo")),
    *((ATOM + name, attribute) for name, attribute in (("link", "href"), ("generator", "uri"), ("content", "src"))),
    *((MEDIA + name, "url") for name in ("content", "thumbnail")),
]


def atom_faults(document: bytes) -> list[str]:
    """Return one line for each rule of RFC 4287 and RFC 5005 that *document* breaks; none if it is valid."""
    return document_faults(document, [f"{ATOM}feed", f"{ATOM}entry"], _RULES)


def updated_faults(document: bytes) -> list[str]:
    """Return a line if `updated` of a feed is not that of its newest entry: a rule of this project."""
    return document_faults(document, [f"{ATOM}feed"], [_check_updated])


def archive_faults(documents: Mapping[str, bytes]) -> list[str]:
    """Return the faults of an archived feed (RFC 5005, section 4); *documents* are all of its documents, by URL."""
    faults = [f"{address}: {line}" for address, document in documents.items() for line in atom_faults(document)]
    if faults:
        return faults
    roots = {address: etree.fromstring(document) for address, document in documents.items()}
    newest = [address for address, root in roots.items() if root.find(f"{HISTORY}archive") is None]
    if len(newest) != 1:
        return [f"RFC 5005 section 4: one document is the subscription document, not {len(newest)}"]
    return list(_chain_faults(newest[0], roots))


# The grammar.


def _check_grammar(root: Any) -> Iterator[str]:
    if not _schema("").validate(root):
        yield from _innermost_faults(root)


@functools.cache
def _schema(start: str) -> Any:
    """Return the schema that starts with one element ("" for whole documents)."""
    tree = etree.parse(_SCHEMA)
    if start:
        start_element = tree.find(f"{_RNG}start")
        start_element[:] = [etree.Element(f"{_RNG}ref", name=start)]
    return etree.RelaxNG(tree)


def _innermost_faults(element: Any) -> Iterator[str]:
    """Yield a line for each innermost invalid element: the messages for its parents have no details."""
    children = [] if name_of(element) in _TEXT_CONSTRUCTS else element.iterchildren(etree.Element)
    invalid = [child for child in children if not _is_valid(child)]
    for child in invalid:
        yield from _innermost_faults(child)
    if not invalid:
        yield fault(_section(element), element, f"<{name_of(element)}>: {_validator_message(element)}")


def _is_valid(element: Any) -> bool:
    name = _definition_name(element)
    return name is not None and _schema(name).validate(element)


def _definition_name(element: Any) -> str | None:
    """Return the name of the schema's definition for *element*; None if there is none."""
    name, tag = name_of(element), str(element.tag)
    if tag.startswith(ATOM):
        return name if name in _SECTIONS else None
    if tag.startswith(HISTORY):
        return f"fh.{name}" if name in {"archive", "complete"} else None
    return "media" if tag in {f"{MEDIA}content", f"{MEDIA}thumbnail"} else "foreign"


def _section(element: Any) -> str:
    """Return the section of the specification for *element*."""
    if element.tag.startswith(HISTORY):
        return "RFC 5005 section 2" if name_of(element) == "complete" else "RFC 5005 section 4"
    if element.tag.startswith(MEDIA):
        return f"Media RSS 1.5.1 <media:{name_of(element)}>"
    return f"RFC 4287 section {_SECTIONS.get(name_of(element), '6.2') if element.tag.startswith(ATOM) else '6.4'}"


def _validator_message(element: Any) -> str:
    """Return the first specific message of the validator, which also reports each alternative that it tried."""
    definition = _definition_name(element)
    if definition is None or not namespace_of(element):
        return "unknown element"
    schema = _schema(definition)
    schema.validate(element)
    vague = ("Expecting an element , got", "Invalid sequence", "failed to validate")
    specific = [error.message for error in schema.error_log if not any(words in error.message for words in vague)]
    return specific[0] if specific else str(schema.error_log[0].message)


# Values.


def _check_ids(root: Any) -> Iterator[str]:
    for element in elements(root, f"{ATOM}id"):
        text = text_of(element)
        if not IRI.fits(text):
            yield fault("RFC 4287 section 4.2.6", element, f"<id> {text!r} {IRI.message}")


def _check_addresses(root: Any) -> Iterator[str]:
    for tag, attribute in _ADDRESSES:
        for element in elements(root, tag):
            text = element.get(attribute) if attribute else text_of(element)
            shape = REFERENCE if _has_base(element) else URI
            if text is not None and not (text and shape.fits(text)):
                yield fault(_section(element), element, f"<{name_of(element)}> {text!r} {shape.message}")


def _check_schemes(root: Any) -> Iterator[str]:
    for element in elements(root, f"{ATOM}category"):
        scheme = element.get("scheme")
        if scheme is not None and not IRI.fits(scheme):
            yield fault("RFC 4287 section 4.2.2.2", element, f"scheme {scheme!r} {IRI.message}")


def _has_base(element: Any) -> bool:
    """Return whether a relative address has a base."""
    return any(URI.fits(one.get(XML_BASE)) for one in (element, *element.iterancestors()))


def _check_links(root: Any) -> Iterator[str]:
    for element in elements(root, f"{ATOM}link"):
        rel, language = element.get("rel", "alternate"), element.get("hreflang")
        if rel not in _RELATIONS and not IRI.fits(rel):
            yield fault("RFC 4287 section 4.2.7.2", element, f"rel {rel!r} is neither a known relation nor an IRI")
        if language is not None and not LANGUAGE.fits(language):
            yield fault("RFC 4287 section 4.2.7.4", element, f"hreflang {language!r} {LANGUAGE.message}")


# Rules across elements.


def _check_unique(root: Any) -> Iterator[str]:
    """Yield a line for each entry with the id and `updated` of another entry, or with the id of the feed."""
    seen = set()
    for entry in _entries(root):
        entry_id = text_of(entry.find(f"{ATOM}id"))
        updated = text_of(entry.find(f"{ATOM}updated"))
        state = entry_id, parse_rfc3339(updated) or updated
        if state in seen:
            yield fault("RFC 4287 section 4.1.1", entry, f"a second entry {entry_id!r} with the same <updated>")
        if entry is not root and entry_id == text_of(root.find(f"{ATOM}id")):
            yield fault("RFC 4287 section 4.2.6", entry, f"the entry has the feed's <id> {entry_id!r}")
        seen.add(state)


def _check_alternates(root: Any) -> Iterator[str]:
    for element in elements(root, f"{ATOM}feed", f"{ATOM}entry", f"{ATOM}source"):
        counts = Counter((link.get("type"), (link.get("hreflang") or "").lower()) for link in _related(element))
        for (media_type, language), count in counts.items():
            if count > 1:
                message = (
                    f"{count} alternate links of type {media_type or 'unknown'} and language {language or 'unknown'}"
                )
                yield fault(_section(element), element, message)


def _check_representations(root: Any) -> Iterator[str]:
    for entry in _entries(root):
        if entry.find(f"{ATOM}content") is None and not _related(entry):
            yield fault("RFC 4287 section 4.1.2", entry, "an entry without content needs an alternate link")


def _check_self(root: Any) -> Iterator[str]:
    if root.tag == f"{ATOM}feed" and len(_related(root, "self")) != 1:
        yield fault("RFC 4287 section 4.1.1", root, f"{len(_related(root, 'self'))} links to the feed itself, not one")


def _check_authors(root: Any) -> Iterator[str]:
    for entry in _entries(root):
        holders = (entry, entry.find(f"{ATOM}source"), root)
        if all(holder is None or holder.find(f"{ATOM}author") is None for holder in holders):
            yield fault("RFC 4287 section 4.1.2", entry, "neither the entry nor its source nor the feed has an author")


def _check_contents(root: Any) -> Iterator[str]:
    for entry in _entries(root):
        content = entry.find(f"{ATOM}content")
        if content is None:
            continue
        if (content.get("src") or _is_base64(content)) and entry.find(f"{ATOM}summary") is None:
            yield fault("RFC 4287 section 4.1.2", entry, "content that is elsewhere or Base64 needs a summary")
        yield from _check_inline(content)


def _check_inline(content: Any) -> Iterator[str]:
    """Yield a line if content of a media type has elements and is not XML, or is neither text nor XML nor Base64."""
    media_type, has_children = content.get("type", ""), content.find("*") is not None
    if "/" in media_type and has_children and not _is_xml(media_type):
        yield fault("RFC 4287 section 4.1.3.3", content, f"content of type {media_type} has child elements")
    elif _is_base64(content) and not _decodes(text_of(content)):
        yield fault("RFC 4287 section 4.1.3.3", content, f"content of type {media_type} is not Base64")


def _is_xml(media_type: str) -> bool:
    return media_type.partition(";")[0].strip().lower().endswith(("+xml", "/xml"))


def _is_base64(content: Any) -> bool:
    media_type = content.get("type", "")
    is_text = media_type.lower().startswith("text/")
    return "/" in media_type and not is_text and not _is_xml(media_type) and content.get("src") is None


def _decodes(text: str) -> bool:
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        return False
    return True


# Archives.


def _check_archive_links(root: Any) -> Iterator[str]:
    """Yield the faults of one document's archive links (RFC 5005, section 4)."""
    is_archive = root.find(f"{HISTORY}archive") is not None
    for rel in ("current", "prev-archive", "next-archive"):
        if len(_related(root, rel)) > 1:
            yield fault("RFC 5005 section 4", root, f"more than one {rel} link")
        if rel != "current" or is_archive:
            yield from _check_own_link(root, rel)
    if is_archive and not _related(root, "current"):
        yield fault("RFC 5005 section 4", root, "an archive needs a current link")
    if not is_archive and _related(root, "next-archive"):
        yield fault("RFC 5005 section 4", root, "only an archive is followed by an archive: fh:archive is missing")


def _check_own_link(root: Any, rel: str) -> Iterator[str]:
    own = {link.get("href") for link in _related(root, "self")}
    if own & {link.get("href") for link in _related(root, rel)}:
        yield fault("RFC 5005 section 4", root, f"the {rel} link points at the document itself")


def _check_complete(root: Any) -> Iterator[str]:
    """Yield a line if a complete feed (`fh:complete`) has archives or pages."""
    parts = ("prev-archive", "next-archive", "previous", "next")
    is_part = root.find(f"{HISTORY}archive") is not None or any(_related(root, rel) for rel in parts)
    if root.find(f"{HISTORY}complete") is not None and is_part:
        yield fault("RFC 5005 section 2", root, "a complete feed has no archives and no pages")


def _chain_faults(newest: str, roots: Mapping[str, Any]) -> Iterator[str]:
    """Yield the faults on the way from the subscription document to the oldest archive, with each document once."""
    address, newer, remaining = newest, None, dict(roots)
    while address is not None:
        if address not in remaining:
            yield f"RFC 5005 section 4: prev-archive leads to {address}, which is missing or repeated"
            return
        root = remaining.pop(address)
        expected = {"self": address, "next-archive": newer} | _current_link(address, newest)
        yield from _wrong_links(address, root, expected)
        older = _href(root, "prev-archive")
        address, newer = older, address if address != newest else None
    yield from (f"RFC 5005 section 4: no prev-archive leads to {address}" for address in remaining)


def _current_link(address: str, newest: str) -> dict[str, str | None]:
    return {} if address == newest else {"current": newest}


def _wrong_links(address: str, root: Any, expected: Mapping[str, str | None]) -> Iterator[str]:
    for rel, href in expected.items():
        if _href(root, rel) != href:
            yield f"RFC 5005 section 4: {address}: {rel} is {_href(root, rel)}, not {href}"


# Helpers.


def _check_updated(root: Any) -> Iterator[str]:
    own = text_of(root.find(f"{ATOM}updated"))
    newest = max((text_of(entry.find(f"{ATOM}updated")) for entry in _entries(root)), key=_timestamp, default=own)
    if _timestamp(newest) != _timestamp(own):
        yield fault("Project rule", root, f"the feed was updated at {own}, its newest entry at {newest}")


def _timestamp(text: str) -> float:
    time = parse_rfc3339(text)
    return time.timestamp() if time else float("-inf")


def _entries(root: Any) -> Iterable[Any]:
    return [root] if root.tag == f"{ATOM}entry" else root.findall(f"{ATOM}entry")


def _related(element: Any, rel: str = "alternate") -> list[Any]:
    """Return the element's links of a relation; a link without `rel` is `alternate`."""
    return [link for link in element.findall(f"{ATOM}link") if link.get("rel", "alternate") == rel]


def _href(root: Any, rel: str) -> str | None:
    return next((link.get("href") for link in _related(root, rel)), None)


_RULES = [
    _check_grammar,
    language_rule("RFC 4287 section 2"),
    _check_ids,
    _check_addresses,
    _check_schemes,
    _check_links,
    _check_unique,
    _check_alternates,
    _check_representations,
    _check_self,
    _check_authors,
    _check_contents,
    _check_archive_links,
    _check_complete,
]
