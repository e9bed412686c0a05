"""Retire a feed, or bring it back. The publish run that follows removes its documents and updates redirects."""

from collections.abc import Iterable

from feeds.config import Config
from feeds.core.syndication.feed import FILES, normalize_feed_path
from feeds.edges.store.database import Store
from feeds.errors import FeedsError
from feeds.jobs.context import Context
from feeds.jobs.options import PublishOptions
from feeds.jobs.publish import change_and_publish
from feeds.jobs.report import PublishReport
from feeds.model import KnownFeed


def retire_feed(config: Config, path: str, context: Context) -> PublishReport:
    """Retire the feed in a folder, or one document of it, and publish; return the report.

    Raises:
        FeedsError: the path is not a feed.
        LockedError: another publish of this site is running; nothing was changed.
    """
    path = normalize_feed_path(path)

    def retire(store: Store) -> None:
        feed = _find_feed(path, store.feeds.load_feeds())
        if feed is None:
            raise FeedsError(
                f"{path}: is not a feed; name its folder, such as category/notes, or one of its documents, such as"
                f" category/notes/rss.xml (feeds/feeds.opml lists all feeds)"
            )
        store.feeds.retire(_former_paths(path, feed), context.clock())

    return change_and_publish(config, retire, PublishOptions(now=context.clock(), feeds_only=True), context)


def unretire_feed(config: Config, path: str, context: Context) -> PublishReport:
    """Bring a retired feed back and publish; return the report.

    Raises:
        FeedsError: the feed was not retired.
        LockedError: another publish of this site is running; nothing was changed.
    """
    path = normalize_feed_path(path)

    def unretire(store: Store) -> None:
        feed = _find_feed(path, store.feeds.load_feeds())
        if feed is None or not store.feeds.unretire(_former_paths(path, feed)):
            raise FeedsError(f"{path}: is not retired")

    return change_and_publish(config, unretire, PublishOptions(now=context.clock(), feeds_only=True), context)


def _find_feed(path: str, known: Iterable[KnownFeed]) -> KnownFeed | None:
    """Return the feed whose folder is *path*, or contains it as a document; `feeds/` itself is the parent of all."""
    folder, slash, name = path.rpartition("/")
    if path == "feeds/" or (name and name not in FILES.values()):
        return None
    return next((feed for feed in known if folder + slash in (feed.folder, *feed.former)), None)


def _former_paths(path: str, feed: KnownFeed) -> tuple[str, ...]:
    """Return *path* and the same path in each former folder of the feed, where copies are still written."""
    if not path.startswith(feed.folder):
        return (path,)
    return (path, *(old + path.removeprefix(feed.folder) for old in feed.former))
