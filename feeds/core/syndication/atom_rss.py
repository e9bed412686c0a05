"""A document -> the bytes of Atom 1.0 (RFC 4287) and RSS 2.0. feedgen writes both; `extension` mends what it writes."""

from typing import Any

from feedgen.feed import FeedGenerator

from feeds.core.posts.markdown import strip_illegal_xml
from feeds.core.syndication.feedgen_extension import EntryExtension, FeedExtension
from feeds.core.syndication.item import FeedDocument, Item
from feeds.model import Author
from feeds.settings import Format


def render_atom(document: FeedDocument) -> bytes:
    """Return the bytes of an Atom document; they depend on the document only."""
    return bytes(_generator(document, "atom").atom_str(pretty=True))


def render_rss(document: FeedDocument) -> bytes:
    """Return the bytes of an RSS document; they depend on the document only."""
    made = _generator(document, "rss")
    # It would be written under a locale that is set for the whole process; the extension writes it.
    made._FeedGenerator__rss_lastBuildDate = None  # noqa: SLF001 - there is no other way to leave it out
    return bytes(made.rss_str(pretty=True))


def _generator(document: FeedDocument, name: Format) -> Any:
    feed, made = document.feed, FeedGenerator()
    made.register_extension("feeds", FeedExtension, EntryExtension)
    made.feeds.show(document, name)
    made.id(feed.id)
    made.title(strip_illegal_xml(feed.title))
    if feed.subtitle:
        made.subtitle(strip_illegal_xml(feed.subtitle))
    if name == "rss":  # it wants one (RSS 2.0, required channel elements)
        made.description(strip_illegal_xml(feed.subtitle or feed.title))
    made.language(feed.lang)
    made.updated(document.updated)
    made.generator("Feeds")
    made.author({"name": document.author})
    made.link(href=feed.home, rel="alternate", type="text/html")
    if feed.about:
        made.category({"term": feed.about[0], "label": feed.about[1]})
    for item in document.items:
        _add(made, item, name)
    return made


def _add(made: Any, item: Item, name: Format) -> None:
    entry = made.add_entry(order="append")  # else the newest would stand last
    entry.feeds.show(item)
    entry.id(item.id)
    entry.title(item.title)
    if name == "atom":  # RSS's date comes from the extension, for the same reason
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
    found = {"name": author.name, "uri": author.uri, "email": author.email}
    return {key: value for key, value in found.items() if value}
