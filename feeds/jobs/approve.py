"""Let an issue go that waits for approval, or forget it."""

from feeds.config import Config
from feeds.edges import lock
from feeds.edges.store.opening import opened
from feeds.jobs import compose
from feeds.jobs.publish import publish
from feeds.jobs.report import Report, Wish
from feeds.jobs.site import Site
from feeds.model import Issue


def approve(config: Config, newsletter: str, wish: Wish) -> Report:
    """Freeze who gets the issue that waits, and bring it to them as a publish does.

    Raises:
        FeedsError: no issue of this newsletter waits.
        Busy: a publish is at work on this site.
    """
    with lock.site(config.folder), opened(config.settings.store.url, config.folder) as store:
        compose.approve(Site(config), newsletter, store.memory)
    return publish(config, wish)


def cancel(config: Config, newsletter: str) -> Issue:
    """Forget the issue that waits: the next publish composes it anew, from what is public then.

    Raises:
        FeedsError: no issue of this newsletter waits.
        Busy: a publish is at work on this site.
    """
    with lock.site(config.folder), opened(config.settings.store.url, config.folder) as store:
        return compose.cancel(Site(config), newsletter, store.memory)
