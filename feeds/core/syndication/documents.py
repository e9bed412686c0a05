"""Render the documents of a feed in each format."""

from collections.abc import Iterable, Iterator, Sequence

from feeds.core.syndication import atom_rss, jsonfeed
from feeds.core.syndication.feed import CURRENT, FILES, ArchivePosition, Feed
from feeds.core.syndication.item import FeedDocument, Item
from feeds.core.syndication.podcast import find_podcast
from feeds.settings import Settings

_RENDERERS = {
    FILES["atom"]: atom_rss.render_atom,
    FILES["rss"]: atom_rss.render_rss,
    FILES["json"]: jsonfeed.render_json_feed,
}


def render_documents(
    feed: Feed, items: Sequence[Item], settings: Settings, paths: Iterable[str], position: ArchivePosition = CURRENT
) -> Iterator[tuple[str, bytes]]:
    """Yield each of *paths* with its bytes; the file name decides the format, except that archive pages are Atom."""
    document = FeedDocument(
        feed=feed,
        items=tuple(items),
        position=position,
        author=settings.site.author or settings.site.name,
        hub=str(settings.feeds.hub) if settings.feeds.hub else None,
        podcast=find_podcast(feed, settings.podcasts) if settings.podcasts else None,
    )
    for path in paths:
        render = atom_rss.render_atom if position.number is not None else _RENDERERS[path.rpartition("/")[2]]
        yield path, render(document)
