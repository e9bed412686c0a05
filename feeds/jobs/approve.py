"""Let an issue go that waits for approval."""

from feeds.config import Config
from feeds.edges import lock
from feeds.edges.store.opening import opened
from feeds.jobs import compose
from feeds.jobs.publish import publish
from feeds.jobs.report import Report, Wish
from feeds.jobs.site import Site


def approve(config: Config, newsletter: str, wish: Wish) -> Report:
    """Freeze who gets the issue that waits, and bring it to them as a publish does.

    Raises:
        FeedsError: no issue of this newsletter waits.
        Busy: a publish is at work on this site.
    """
    with lock.site(config.folder), opened(config.settings.store.url, config.folder) as store:
        store.bounces.end_pauses(wish.clock())
        compose.approve(Site(config), newsletter, store.memory)
    return publish(config, wish)
