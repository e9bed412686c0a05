"""A feed -> the bytes of an Atom document (RFC 4287).

feedgen builds it. What feedgen 1.0 does wrongly or not at all is mended by `_EntryExtension`: it drops `rel` and
`type` of an entry's links and knows no `xml:lang` on entries. Titles, dates and order are handed to it so that its
other habits (newest last, microseconds, its own name as generator) do not show.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator

from feeds.core.posts import markdown
from feeds.core.syndication.plan import Feed
from feeds.model import Author, Entry, Text
from feeds.settings import Settings

MEDIA_TYPE = "application/atom+xml"
_ATOM = "{http://www.w3.org/2005/Atom}"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


class _EntryExtension(BaseEntryExtension):  # type: ignore[misc]
    """What an entry needs and feedgen does not write."""

    def __init__(self) -> None:
        self._lang = ""
        self._links: list[dict[str, str]] = []

    def about(self, lang: str, links: list[dict[str, str]]) -> None:
        """Set the entry's language and its links, attributes and all."""
        self._lang, self._links = lang, links

    def extend_atom(self, entry: Any) -> Any:
        """Write them; feedgen's own links, without `rel`, make room."""
        entry.set(_LANG, self._lang)
        bare = [child for child in entry if child.tag in {"link", f"{_ATOM}link"}]
        for link, attributes in zip(bare, self._links, strict=True):
            link.attrib.clear()
            link.attrib.update(attributes)
        return entry


def document(feed: Feed, texts: Mapping[str, Text], settings: Settings) -> bytes:
    """Return the feed's bytes; they depend on entries, their texts (by the post's path) and settings only."""
    made = FeedGenerator()
    made.register_extension("feeds", BaseExtension, _EntryExtension, atom=True, rss=False)
    made.id(feed.id)
    made.title(feed.title)
    made.language(feed.lang)
    made.updated(_moment(feed.updated))
    made.generator("Feeds")
    made.author({"name": settings.site.author or settings.site.name})
    made.link(href=feed.atom_url, rel="self", type=MEDIA_TYPE)
    made.link(href=settings.site.url, rel="alternate", type="text/html")
    if feed.subtitle:
        made.subtitle(feed.subtitle)
    if feed.topic:
        made.category({"term": feed.topic.term, "label": feed.topic.label})
    for entry in feed.entries:
        _add(made, entry, texts[entry.post.path], full=settings.feeds.content == "full")
    return bytes(made.atom_str(pretty=True))


def _add(made: Any, entry: Entry, text: Text, *, full: bool) -> None:
    post, item = entry.post, made.add_entry(order="append")
    item.id(entry.id)
    item.title(post.title)
    item.published(_moment(post.published))
    item.updated(_moment(entry.updated))
    links = [{"href": post.url, "rel": "alternate", "type": "text/html"}]
    if post.target:
        links.append({"href": post.target, "rel": "related"})
    for link in links:
        item.link(**link)
    item.feeds.about(post.lang, links)
    for author in post.authors:
        item.author(_person(author))
    for topic in entry.categories:
        item.category({"term": topic.term, "label": topic.label})
    for tag in entry.tags:
        item.category({"term": tag, "label": tag})
    if text.excerpt:
        item.summary(text.excerpt)
    if full:
        item.content(markdown.safe(text.html, post.url), type="html")


def _person(author: Author) -> dict[str, str]:
    found = {"name": author.name, "uri": author.uri, "email": author.email}
    return {key: value for key, value in found.items() if value}


def _moment(moment: datetime) -> datetime:
    """Return *moment* as RFC 3339 can write it: whole seconds, an offset of whole minutes (no local mean time)."""
    offset = moment.utcoffset()
    whole = offset is not None and offset.total_seconds() % 60 == 0
    return (moment if whole else moment.astimezone(UTC)).replace(microsecond=0)
