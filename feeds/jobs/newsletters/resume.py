"""Resume or cancel the sending of an issue."""

from feeds.config import Config
from feeds.display import format_count
from feeds.edges.store.database import Store
from feeds.jobs.context import Context
from feeds.jobs.newsletters import find
from feeds.jobs.options import PublishOptions
from feeds.jobs.publish import change_and_publish
from feeds.jobs.report import PublishReport
from feeds.jobs.site import Site
from feeds.jobs.store.site_store import open_site_store


def resume_sending(config: Config, newsletter: str | None, context: Context) -> PublishReport:
    """Make waiting, held and halted deliveries due now, then publish and send; return the report.

    Only those of *newsletter*, or of all newsletters if it is None.

    Raises:
        FeedsError: there is no such newsletter.
        LockedError: another publish of this site is running; nothing was changed.
    """
    if newsletter is not None:
        find.find_newsletter(Site(config), newsletter)

    def resume(store: Store) -> None:
        for issue in store.issues.load_issues(unfinished=True) if store.has_issues else ():
            if newsletter in {None, issue.newsletter}:
                store.delays.forget(issue.id)
                store.deliveries.retry_now(issue.id)
                store.deliveries.halt(issue.id, "")

    return change_and_publish(config, resume, PublishOptions(now=context.clock()), context)


def cancel_issue(config: Config, newsletter: str) -> str:
    """Discard the issue that waits for approval, or cancel the pending deliveries of one that is being sent.

    Returns a line for people that says which. No lock is needed: a running sender finds nothing more to send.

    Raises:
        FeedsError: no issue of this newsletter waits for approval or is being sent.
    """
    find.find_newsletter(Site(config), newsletter)
    with open_site_store(config) as store:
        sending = [i for i in store.issues.load_issues(unfinished=True) if i.newsletter == newsletter]
        if not sending:
            issue = find.find_waiting_issue(store.issues, newsletter)
            store.issues.cancel(issue.id)
            return f"{newsletter} {issue.number} is discarded; the next publish composes it again"
        cancelled = sum(store.deliveries.cancel_pending(issue.id, "cancelled") for issue in sending)
        not_sent = format_count(cancelled, "delivery was", "deliveries were")
        return f"{newsletter} {sending[-1].number} is cancelled: {not_sent} not sent"
