"""Retract an issue that should not have been sent, or undo a retraction."""

from dataclasses import dataclass

from msgspec.structs import replace

from feeds.config import Config
from feeds.core.posts.markdown import strip_illegal_xml
from feeds.core.posts.text import clean_line
from feeds.edges.store.database import Store
from feeds.errors import FeedsError, LockedError
from feeds.jobs.context import Context
from feeds.jobs.feeds.deploy import Deployment
from feeds.jobs.newsletters import issue_pages
from feeds.jobs.newsletters.find import find_newsletter, find_sent_issue
from feeds.jobs.options import PublishOptions
from feeds.jobs.publish import change_and_publish, publish
from feeds.jobs.report import PublishReport
from feeds.jobs.site import Site
from feeds.jobs.store.site_store import open_site_store
from feeds.model import Issue, IssueState


@dataclass(frozen=True, kw_only=True, slots=True)
class RetractionReport:
    """The result of a retraction, or of undoing one."""

    #: As it is now.
    issue: Issue
    #: The number of deliveries that were cancelled.
    cancelled: int = 0
    #: Of the publish run that updated the page and the feed.
    report: PublishReport


def retract_issue(config: Config, name: str, number: int | None, reason: str, context: Context) -> RetractionReport:
    """Cancel the pending deliveries of an issue and put the reason on its page and into its feed; return the report.

    *number* None is the newest issue. Cancelling needs no lock: a running sender finds nothing more to send. If another
    publish is running, the page and the feed are left to it or to the next one. If the issue is retracted already, only
    the reason is replaced, unless it is empty.

    Raises:
        FeedsError: there is no such issue, or it waits for approval.
    """
    find_newsletter(Site(config), name)
    with open_site_store(config) as store:
        issue = find_sent_issue(store.issues, name, number)
        cancelled = store.deliveries.cancel_pending(issue.id, "retracted")
        if issue.state is IssueState.SENDING:
            store.issues.finish(issue.id)
        if reason or issue.retracted_at is None:
            store.issues.retract(issue.id, context.clock(), strip_illegal_xml(clean_line(reason)))
        issue = find_sent_issue(store.issues, name, issue.number)
    return RetractionReport(issue=issue, cancelled=cancelled, report=_publish_notice(config, issue, context))


def _publish_notice(config: Config, issue: Issue, context: Context) -> PublishReport:
    try:
        return publish(config, PublishOptions(now=context.clock(), feeds_only=True), context)
    except LockedError:
        which = f"{issue.newsletter} {issue.number}"
        later = f"{which} is retracted; another publish is running, the next one updates its page and feed"
        return PublishReport(later=[later])


def undo_retraction(config: Config, name: str, number: int | None, context: Context) -> RetractionReport:
    """Undo the retraction of an issue, the newest if *number* is None, and publish; return the report.

    Page and feed are as before the retraction. Deliveries that it cancelled stay cancelled.

    Raises:
        FeedsError: there is no such issue, or it was not retracted.
        LockedError: another publish of this site is running; nothing was changed.
    """
    site = Site(config)
    newsletter = find_newsletter(site, name)
    issues: list[Issue] = []

    def undo(store: Store) -> None:
        issue = find_sent_issue(store.issues, name, number)
        if issue.retracted_at is None:
            raise FeedsError(f"{name} {issue.number} was not retracted; `feeds issues` lists all")
        issue = replace(issue, retracted_at=None, retraction="")
        # The page changes, so there is something to deploy; the publish run that follows deploys it.
        Deployment(site, store.feeds, PublishReport(), now=context.clock())
        # The page is written first: once the retraction is gone from the store, no later run knows that it is outdated.
        issue_pages.write_issue_page(site, newsletter, issue, store.issues)
        store.issues.retract(issue.id, None)
        issues.append(issue)

    report = change_and_publish(config, undo, PublishOptions(now=context.clock(), feeds_only=True), context)
    return RetractionReport(issue=issues[0], report=report)
