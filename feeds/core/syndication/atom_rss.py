"""Render Atom 1.0 (RFC 4287) and RSS 2.0 with feedgen; `feedgen_extension` corrects what feedgen writes."""

from typing import Any

from feedgen.feed import FeedGenerator

from feeds.core.posts.markdown import strip_illegal_xml
from feeds.core.syndication.feedgen_extension import EntryExtension, FeedExtension
from feeds.core.syndication.item import FeedDocument, Item
from feeds.model import Author
from feeds.settings import Format


def render_atom(document: FeedDocument) -> bytes:
    """Return the bytes of an Atom document; they depend only on *document*."""
    return bytes(_build_feed(document, "atom").atom_str(pretty=True))


def render_rss(document: FeedDocument) -> bytes:
    """Return the bytes of an RSS document; they depend only on *document*."""
    generator = _build_feed(document, "rss")
    # feedgen would set a locale for the whole process to write this date; the extension writes it instead.
    generator._FeedGenerator__rss_lastBuildDate = None  # noqa: SLF001 - feedgen has no other way to omit it
    return bytes(generator.rss_str(pretty=True))


def _build_feed(document: FeedDocument, name: Format) -> Any:
    feed, generator = document.feed, FeedGenerator()
    generator.register_extension("feeds", FeedExtension, EntryExtension)
    generator.feeds.set_document(document, name)
    generator.id(feed.id)
    generator.title(strip_illegal_xml(feed.title))
    if feed.subtitle:
        generator.subtitle(strip_illegal_xml(feed.subtitle))
    if name == "rss":  # RSS 2.0 requires a description
        generator.description(strip_illegal_xml(feed.subtitle or feed.title))
    generator.language(feed.lang)
    generator.updated(document.updated)
    generator.generator("Feeds")
    generator.author({"name": document.author})
    generator.link(href=feed.home, rel="alternate", type="text/html")
    if feed.about:
        generator.category({"term": feed.about[0], "label": feed.about[1]})
    for item in document.items:
        _add_entry(generator, item, document, name)
    return generator


def _add_entry(generator: Any, item: Item, document: FeedDocument, name: Format) -> None:
    entry = generator.add_entry(order="append")  # feedgen's default would reverse the order
    entry.feeds.set_item(item, is_podcast=document.podcast is not None)
    entry.id(item.id)
    entry.title(item.title)
    if name == "atom":  # in RSS the extension writes the date, because of the locale
        entry.published(item.published)
    entry.updated(item.updated)
    entry.link(href=item.url, rel="alternate")
    for author in item.authors:
        entry.author(_person(author))
    for term, label in item.categories:
        entry.category({"term": term, "label": label})
    if item.rights:
        entry.rights(item.rights)
    if item.summary:
        entry.summary(item.summary)
    if item.html:
        entry.content(item.html, type="html")


def _person(author: Author) -> dict[str, str]:
    fields = {"name": author.name, "uri": author.uri, "email": author.email}
    return {key: value for key, value in fields.items() if value}
