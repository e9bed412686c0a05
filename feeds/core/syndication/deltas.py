"""The entries of a feed document that a reader does not know yet (RFC 3229 with `A-IM: feed`).

The delta of a document is the document without the entries that an older version of it had, byte for byte the same.
What came of an entry that was removed is not part of it, as a feed only ever shows its newest entries.
"""

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element

_ENTRIES = "{http://www.w3.org/2005/Atom}entry", "item"


def entry_digests(document: bytes) -> frozenset[bytes]:
    """Return a digest of each entry of an Atom, RSS or JSON feed; none if it is not one."""
    try:
        if document.startswith(b"{"):
            return frozenset(map(_digest_item, json.loads(document)["items"]))
        return frozenset(map(_digest_element, _iter_entries(_parse(document))))
    except (ValueError, KeyError, TypeError, SyntaxError):  # XMLSyntaxError is a SyntaxError
        return frozenset()


def render_delta(document: bytes, known: frozenset[bytes]) -> bytes:
    """Return *document* without the entries whose digests are *known*."""
    if document.startswith(b"{"):
        feed = json.loads(document)
        feed["items"] = [item for item in feed["items"] if _digest_item(item) not in known]
        return json.dumps(feed, ensure_ascii=False, indent=1).encode() + b"\n"
    from lxml import etree

    root = _parse(document)
    for entry in list(_iter_entries(root)):
        if _digest_element(entry) in known:
            parent = entry.getparent()
            assert parent is not None
            parent.remove(entry)
    delta: bytes = etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8")
    return delta


def _parse(document: bytes) -> "_Element":
    from lxml import etree

    return etree.fromstring(document, etree.XMLParser(resolve_entities=False, huge_tree=True))


def _iter_entries(root: "_Element") -> "Iterator[_Element]":
    entries: Iterator[_Element] = root.iter(*_ENTRIES)
    return entries


def _digest_element(entry: "_Element") -> bytes:
    from lxml import etree

    return _digest(etree.tostring(entry, with_tail=False))


def _digest_item(item: Any) -> bytes:
    return _digest(json.dumps(item, sort_keys=True).encode())


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=16).digest()
