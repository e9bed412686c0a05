"""End a feed on purpose, or take that back. The next pass takes its documents down and tells servers."""

from collections.abc import Iterable

from feeds.config import Config
from feeds.core.syndication.plan import FILES, normalize_feed_path
from feeds.edges.process import lock
from feeds.edges.store.database import open_store
from feeds.errors import FeedsError
from feeds.jobs.publish import publish
from feeds.jobs.report import PublishOptions, PublishReport
from feeds.model import KnownFeed


def retire_feed(config: Config, written: str, wish: PublishOptions) -> PublishReport:
    """End the feed in a folder, or one document of it, and bring `public/` up to date.

    Raises:
        FeedsError: no feed lies there.
        Busy: a publish is at work on this site.
    """
    path = normalize_feed_path(written)
    with lock.lock_site(config.folder), open_store(config.settings.store.url, config.folder) as store:
        feed = _feed(path, store.feeds.load_feeds())
        if feed is None:
            raise FeedsError(
                f"{path}: no feed lies there; name its folder, such as category/notes, or a document of it, such as"
                f" category/notes/rss.xml (feeds/feeds.opml lists all feeds)"
            )
        store.feeds.retire(_everywhere(path, feed), wish.clock())
    return publish(config, wish)


def unretire_feed(config: Config, written: str, wish: PublishOptions) -> PublishReport:
    """Take that back, and bring `public/` up to date.

    Raises:
        FeedsError: it had not ended.
        Busy: a publish is at work on this site.
    """
    path = normalize_feed_path(written)
    with lock.lock_site(config.folder), open_store(config.settings.store.url, config.folder) as store:
        feed = _feed(path, store.feeds.load_feeds())
        if feed is None or not store.feeds.unretire(_everywhere(path, feed)):
            raise FeedsError(f"{path}: was not retired")
    return publish(config, wish)


def _feed(path: str, known: Iterable[KnownFeed]) -> KnownFeed | None:
    """Return the feed whose folder, or a document in it, *path* is; `feeds/` itself holds all of them."""
    folder, slash, name = path.rpartition("/")
    if path == "feeds/" or (name and name not in FILES.values()):
        return None
    return next((feed for feed in known if folder + slash in (feed.folder, *feed.former)), None)


def _everywhere(path: str, feed: KnownFeed) -> tuple[str, ...]:
    """Return *path*, and where the feed lay before: what goes on being written there ends with it."""
    if not path.startswith(feed.folder):
        return (path,)
    return (path, *(old + path.removeprefix(feed.folder) for old in feed.former))
