"""The archive of a feed: every entry it ever showed, in documents that stay as they are (RFC 5005 section 4).

An entry is put on a page when it first appears, and stays there: posts that come late, expire or change their date
never shift others. A page is full when it holds as many entries as the feed shows; only the last page takes new ones.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec.structs import replace

from feeds.core.syndication.feed import ArchivePosition, Feed
from feeds.model import ArchivePage
from feeds.settings import Settings

#: A site with more posts than this gets archives only if it asks for them: to render ten thousand takes ten seconds.
_MOST_POSTS = 2_000


def archives_enabled(settings: Settings, posts: int, *, begun: bool) -> bool:
    """Return whether feeds have archives, which are Atom documents: as asked, else once *begun*, or for few posts."""
    asked = settings.feeds.archives
    if "atom" not in settings.feeds.formats:
        return False
    return begun or posts <= _MOST_POSTS if asked == "auto" else bool(asked)


def fill_pages(feed: Feed, pages: Sequence[ArchivePage]) -> list[ArchivePage]:
    """Return the pages that are new or have more on them, now that the feed holds what it holds; *pages* are its own.

    What has not been on a page comes in the order of its dates, the oldest first.
    """
    placed = {identity for page in pages for identity in page.entries}
    waiting = [entry.id for entry in reversed(feed.entries) if entry.id not in placed]
    last = pages[-1] if pages else ArchivePage(kind=feed.kind, key=feed.key, number=0, size=0, entries=())
    found = []
    if not _is_full(last) and (waiting or len(last.entries) >= feed.size):
        size = max(min(last.size, feed.size), len(last.entries))  # of a feed that shows less than before it is full now
        room = size - len(last.entries)
        found.append(replace(last, size=size, entries=(*last.entries, *waiting[:room])))
        waiting = waiting[room:]
    for number, at in enumerate(range(0, len(waiting), feed.size), last.number + 1):
        entries = tuple(waiting[at : at + feed.size])
        found.append(ArchivePage(kind=feed.kind, key=feed.key, number=number, size=feed.size, entries=entries))
    return found


def _is_full(page: ArchivePage) -> bool:
    return len(page.entries) >= page.size


def merge_pages(pages: Iterable[ArchivePage], changed: Iterable[ArchivePage]) -> list[ArchivePage]:
    """Return all pages, the oldest first."""
    by_number = {page.number: page for page in (*pages, *changed)}
    return [by_number[number] for number in sorted(by_number)]


def published_pages(feed: Feed, pages: Sequence[ArchivePage]) -> list[ArchivePage]:
    """Return the pages that are documents: the full ones, and the open one if it has what the feed does not show.

    Readers may take an archive document they know for what it will always be (section 4.2). What is on the open page
    is in the feed as well, unless it came late, with an old date; then the page is shown before it is full.
    """
    if not pages or _is_full(pages[-1]):
        return list(pages)
    held, shown = {e.id for e in feed.entries}, {e.id for e in feed.shown}
    return list(pages) if any(i in held and i not in shown for i in pages[-1].entries) else list(pages[:-1])


def archive_positions(pages: Collection[ArchivePage]) -> Iterator[ArchivePosition]:
    """Yield where each of these documents stands."""
    numbers = [page.number for page in pages]
    for at, number in enumerate(numbers):
        yield ArchivePosition(
            number=number,
            older=numbers[at - 1] if at else None,
            newer=numbers[at + 1] if at + 1 < len(numbers) else None,
        )


def archive_path(number: int) -> str:
    """Return where an archive document lies in its feed's folder."""
    return f"archive/{number}.xml"
