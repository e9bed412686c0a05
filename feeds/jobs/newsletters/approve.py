"""Approve the newsletter issue that waits for approval."""

from feeds.config import Config
from feeds.edges.store.database import Store
from feeds.jobs.context import Context
from feeds.jobs.newsletters import compose
from feeds.jobs.options import PublishOptions
from feeds.jobs.publish import change_and_publish
from feeds.jobs.report import PublishReport
from feeds.jobs.site import Site


def approve_issue(config: Config, newsletter: str, context: Context) -> PublishReport:
    """Freeze the recipients and letters of the waiting issue, then publish and send; return the report.

    Raises:
        FeedsError: no issue of this newsletter waits for approval.
        LockedError: another publish of this site is running; nothing was changed.
    """

    def freeze(store: Store) -> None:
        store.bounces.end_pauses(context.clock())
        compose.freeze_approved(Site(config), newsletter, store.issues)

    return change_and_publish(config, freeze, PublishOptions(now=context.clock()), context)
