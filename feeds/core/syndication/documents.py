"""A feed's items -> its documents, in every format that is wanted."""

from collections.abc import Iterable, Iterator, Sequence

from feeds.core.syndication import atom_rss, jsonfeed
from feeds.core.syndication.feed import CURRENT, FILES, ArchivePosition, Feed
from feeds.core.syndication.item import FeedDocument, Item
from feeds.settings import Settings

_WRITERS = {
    FILES["atom"]: atom_rss.render_atom,
    FILES["rss"]: atom_rss.render_rss,
    FILES["json"]: jsonfeed.render_json_feed,
}


def render_documents(
    feed: Feed, items: Sequence[Item], settings: Settings, paths: Iterable[str], place: ArchivePosition = CURRENT
) -> Iterator[tuple[str, bytes]]:
    """Yield each of *paths* and its bytes; a page of the archive is an Atom document, whatever it is called."""
    document = FeedDocument(
        feed=feed,
        items=tuple(items),
        place=place,
        author=settings.site.author or settings.site.name,
        hub=str(settings.feeds.hub) if settings.feeds.hub else None,
    )
    for path in paths:
        write = atom_rss.render_atom if place.number is not None else _WRITERS[path.rpartition("/")[2]]
        yield path, write(document)
