"""The archive of a feed: every entry that it ever had, on pages that do not change (RFC 5005 section 4).

An entry is put on a page when it first appears, and stays there: posts that are published late, expire or change their
date never move others. A page is full when it has as many entries as the feed shows; new ones go to the last page.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec.structs import replace

from feeds.core.syndication.feed import ArchivePosition, Feed
from feeds.model import ArchivePage
from feeds.settings import Settings

#: With more posts, archives must be switched on in the config: to render ten thousand takes ten seconds.
_MAX_POSTS_FOR_AUTO = 2_000


def archives_enabled(settings: Settings, posts: int, *, begun: bool) -> bool:
    """Return whether feeds have archives (Atom only): as configured; if `auto`, once *begun* or for few posts."""
    configured = settings.feeds.archives
    if "atom" not in settings.feeds.formats:
        return False
    return begun or posts <= _MAX_POSTS_FOR_AUTO if configured == "auto" else bool(configured)


def fill_pages(feed: Feed, pages: Sequence[ArchivePage]) -> list[ArchivePage]:
    """Return the pages of a feed that are new or got more entries; *pages* are its pages so far.

    New entries are added in the order of their dates, the oldest first.
    """
    placed = {entry_id for page in pages for entry_id in page.entries}
    waiting = [entry.id for entry in reversed(feed.entries) if entry.id not in placed]
    last = pages[-1] if pages else ArchivePage(kind=feed.kind, key=feed.key, number=0, size=0, entries=())
    changed = []
    if not _is_full(last) and (waiting or len(last.entries) >= feed.size):
        # If the feed shows fewer entries than before, the page is full now.
        size = max(min(last.size, feed.size), len(last.entries))
        room = size - len(last.entries)
        changed.append(replace(last, size=size, entries=(*last.entries, *waiting[:room])))
        waiting = waiting[room:]
    for number, at in enumerate(range(0, len(waiting), feed.size), last.number + 1):
        entries = tuple(waiting[at : at + feed.size])
        changed.append(ArchivePage(kind=feed.kind, key=feed.key, number=number, size=feed.size, entries=entries))
    return changed


def _is_full(page: ArchivePage) -> bool:
    return len(page.entries) >= page.size


def merge_pages(pages: Iterable[ArchivePage], changed: Iterable[ArchivePage]) -> list[ArchivePage]:
    """Return *pages*, with the *changed* ones replaced or added, the oldest first."""
    by_number = {page.number: page for page in (*pages, *changed)}
    return [by_number[number] for number in sorted(by_number)]


def published_pages(feed: Feed, pages: Sequence[ArchivePage]) -> list[ArchivePage]:
    """Return the pages to publish: the full ones, and the open one if it has an entry that the feed does not show.

    Readers may cache an archive document permanently (section 4.2). The entries of the open page are in the feed too,
    except those published late with an old date; only for them it is published before it is full.
    """
    if not pages or _is_full(pages[-1]):
        return list(pages)
    hidden = {entry.id for entry in feed.entries} - {entry.id for entry in feed.shown}
    return list(pages) if not hidden.isdisjoint(pages[-1].entries) else list(pages[:-1])


def archive_positions(pages: Collection[ArchivePage]) -> Iterator[ArchivePosition]:
    """Yield the position of each page's document."""
    numbers = [page.number for page in pages]
    for at, number in enumerate(numbers):
        yield ArchivePosition(
            number=number,
            older=numbers[at - 1] if at else None,
            newer=numbers[at + 1] if at + 1 < len(numbers) else None,
        )


def archive_path(number: int) -> str:
    """Return the path of an archive document in its feed's folder."""
    return f"archive/{number}.xml"
