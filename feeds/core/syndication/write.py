"""A feed's items -> its documents, in every format that is wanted."""

from collections.abc import Iterable, Iterator, Sequence

from feeds.core.syndication import jsonfeed, xml
from feeds.core.syndication.item import Document, Item
from feeds.core.syndication.plan import CURRENT, FILES, Feed, Place
from feeds.settings import Settings

_WRITERS = {FILES["atom"]: xml.atom, FILES["rss"]: xml.rss, FILES["json"]: jsonfeed.json}


def documents(
    feed: Feed, items: Sequence[Item], settings: Settings, paths: Iterable[str], place: Place = CURRENT
) -> Iterator[tuple[str, bytes]]:
    """Yield each of *paths* and its bytes; a page of the archive is an Atom document, whatever it is called."""
    document = Document(
        feed=feed,
        items=tuple(items),
        place=place,
        author=settings.site.author or settings.site.name,
        hub=str(settings.feeds.hub) if settings.feeds.hub else None,
    )
    for path in paths:
        write = xml.atom if place.number is not None else _WRITERS[path.rpartition("/")[2]]
        yield path, write(document)
