"""Let an issue go that waits for approval."""

from feeds.config import Config
from feeds.edges.process import lock
from feeds.edges.store.database import open_store
from feeds.jobs.newsletters import compose
from feeds.jobs.publish import publish
from feeds.jobs.report import PublishOptions, PublishReport
from feeds.jobs.site import Site


def approve_issue(config: Config, newsletter: str, wish: PublishOptions) -> PublishReport:
    """Freeze who gets the issue that waits, and bring it to them as a publish does.

    Raises:
        FeedsError: no issue of this newsletter waits.
        Busy: a publish is at work on this site.
    """
    with lock.lock_site(config.folder), open_store(config.settings.store.url, config.folder) as store:
        store.bounces.end_pauses(wish.clock())
        compose.freeze_approved(Site(config), newsletter, store.issues)
    return publish(config, wish)
