"""The entries that a reader does not know yet."""

import json

import pytest
from lxml import etree

from feeds.core.syndication.deltas import entry_digests, render_delta

ATOM = '<?xml version="1.0"?>\n<feed xmlns="http://www.w3.org/2005/Atom"><id>f</id>{}</feed>'
RSS = '<rss version="2.0"><channel><title>f</title>{}</channel></rss>'


def atom(**entries):
    return ATOM.format("".join(f"<entry><id>{i}</id><title>{t}</title></entry>\n" for i, t in entries.items())).encode()


def rss(**entries):
    return RSS.format("".join(f"<item><guid>{i}</guid><title>{t}</title></item>" for i, t in entries.items())).encode()


def json_feed(**entries):
    return json.dumps({"title": "f", "items": [{"id": i, "title": t} for i, t in entries.items()]}).encode()


def titles(document):
    """Return the titles of the entries of a feed."""
    if document.startswith(b"{"):
        return [item["title"] for item in json.loads(document)["items"]]
    root = etree.fromstring(document)
    return [e.text for e in root.iter("{*}title") if e.getparent().tag.endswith(("entry", "item"))]


@pytest.mark.parametrize("feed", [atom, rss, json_feed])
def test_a_delta_has_the_new_and_the_changed_entries(feed):
    """A delta has each entry that is new or differs, in the order of the document, and everything around them."""
    old, new = feed(a="A", b="B", gone="G"), feed(n="N", a="A", b="B, changed")
    assert titles(render_delta(new, entry_digests(old))) == ["N", "B, changed"]
    assert titles(render_delta(new, entry_digests(new))) == []
    assert b"f" in render_delta(new, entry_digests(new))
    assert titles(render_delta(new, frozenset())) == ["N", "A", "B, changed"]


@pytest.mark.parametrize("document", [b"", b"<feed", b"{}", b'{"items": 3}', b"<html/>", b"\xff\x00"])
def test_a_document_that_is_no_feed_has_no_entries(document):
    """What cannot be read has no entries, so that a reader of it gets everything."""
    assert entry_digests(document) == frozenset()
