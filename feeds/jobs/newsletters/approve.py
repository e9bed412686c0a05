"""Approve the newsletter issue that waits for approval."""

from feeds.config import Config
from feeds.edges.store.database import Store
from feeds.edges.store.issues import Issues
from feeds.errors import FeedsError
from feeds.jobs.context import Context
from feeds.jobs.newsletters import find, send_checks
from feeds.jobs.newsletters.compose import copy_addresses
from feeds.jobs.newsletters.issue_renderer import IssueRenderer
from feeds.jobs.options import PublishOptions
from feeds.jobs.publish import change_and_publish
from feeds.jobs.report import PublishReport
from feeds.jobs.site import Site


def approve_issue(config: Config, newsletter: str, context: Context) -> PublishReport:
    """Freeze the recipients and letters of the waiting issue, then publish and send; return the report.

    Raises:
        FeedsError: no issue of this newsletter waits for approval, or it cannot be sent.
        LockedError: another publish of this site is running; nothing was changed.
    """

    def freeze(store: Store) -> None:
        store.bounces.end_pauses(context.clock())
        _freeze(Site(config), newsletter, store.issues)

    return change_and_publish(config, freeze, PublishOptions(now=context.clock()), context)


def _freeze(site: Site, name: str, issues: Issues) -> None:
    newsletter, issue = find.find_newsletter(site, name), find.find_waiting_issue(issues, name)
    content = issues.load_content(issue.id)
    if content is None:
        remedy = f"`feeds cancel {name}` discards it, and the next publish composes it again"
        raise FeedsError(f"{name} {issue.number} was composed by another version of Feeds; {remedy}")
    renderer = IssueRenderer(site=site, newsletter=newsletter, number=issue.number, slot=issue.slot, seed=issue.seed)
    rendered = renderer.render_issue(content, issues.load_preferences(name), copy_addresses(newsletter))
    send_checks.require_sendable(site, newsletter, issues, issue.number, content)
    if rendered is None:
        raise FeedsError(f"{name} {issue.number} has no recipients")
    renderer.pictures.write()
    issues.approve(issue, rendered)
