"""Take back an issue that should not have gone out, or take that back."""

from dataclasses import dataclass

from msgspec.structs import replace

from feeds.config import Config
from feeds.core.posts.markdown import strip_illegal_xml
from feeds.core.posts.text import clean_line
from feeds.edges.process import lock
from feeds.edges.store.database import Store, open_store
from feeds.errors import FeedsError, LockedError
from feeds.jobs.feeds.deploy import Deployment
from feeds.jobs.newsletters import compose, issue_pages
from feeds.jobs.publish import publish
from feeds.jobs.report import PublishOptions, PublishReport
from feeds.jobs.site import Site
from feeds.model import Issue, IssueState
from feeds.settings import Newsletter


@dataclass(frozen=True, kw_only=True, slots=True)
class RetractionReport:
    """An issue as it stands now, and what came of it."""

    issue: Issue
    #: How many more would have got it.
    ended: int = 0
    #: What the pass did that tells everybody.
    report: PublishReport


def retract_issue(config: Config, name: str, number: int | None, reason: str, wish: PublishOptions) -> RetractionReport:
    """Send nothing more of an issue, the newest if no *number* is given, and say on its page and in its feed why.

    The first needs no lock: a sender at work finds nothing more to send. While another publish is at work the second
    is left to it, or to the next one. Of an issue that is retracted already only the reason is replaced, if there is
    another one.

    Raises:
        FeedsError: there is no such issue, or it waits for approval.
    """
    site = Site(config)
    newsletter = compose.find_newsletter(site, name)
    with open_store(config.settings.store.url, config.folder) as store:
        issue = find_sent_issue(store, newsletter, number)
        ended = store.deliveries.cancel_pending(issue.id, "retracted")
        if issue.state is IssueState.SENDING:
            store.issues.finish(issue.id)
        if reason or issue.retracted_at is None:
            store.issues.retract(issue.id, wish.clock(), strip_illegal_xml(clean_line(reason)))
        issue = find_sent_issue(store, newsletter, issue.number)
    try:
        report = publish(config, wish)
    except LockedError:
        later = f"{name} {issue.number} is retracted; another publish is at work, and its page and feed say so after it"
        report = PublishReport(later=[later])
    return RetractionReport(issue=issue, ended=ended, report=report)


def undo_retraction(config: Config, name: str, number: int | None, wish: PublishOptions) -> RetractionReport:
    """Take a retraction back, the newest if no *number* is given: page and feed are as before; what was ended stays so.

    Raises:
        FeedsError: there is no such issue, or it was not retracted.
        Busy: a publish is at work on this site.
    """
    site = Site(config)
    newsletter = compose.find_newsletter(site, name)
    with lock.lock_site(config.folder), open_store(config.settings.store.url, config.folder) as store:
        issue = find_sent_issue(store, newsletter, number)
        if issue.retracted_at is None:
            raise FeedsError(f"{name} {issue.number} was not retracted; `feeds issues` lists all")
        issue = replace(issue, retracted_at=None, retraction="")
        Deployment(
            site, store.feeds, wish, PublishReport()
        )  # files change that are still to be deployed: the pass sees to it
        issue_pages.write_issue_page(
            site, newsletter, issue, store.issues
        )  # before, since later nothing says that it should be
        store.issues.retract(issue.id, None)
    return RetractionReport(issue=issue, report=publish(config, wish))


def find_sent_issue(store: Store, newsletter: Newsletter, number: int | None) -> Issue:
    """Return an issue that is on its way or was sent, the newest if no *number* is given.

    Raises:
        FeedsError: there is none, or it waits for approval.
    """
    issues = [i for i in store.issues.load_issues() if i.newsletter == newsletter.name and number in {None, i.number}]
    found = max((i for i in issues if i.state is not IssueState.COMPOSED), key=lambda i: i.number, default=None)
    if found is not None:
        return found
    if issues:
        forget = f"`feeds cancel {newsletter.name}` forgets it"
        raise FeedsError(f"{newsletter.name} {issues[0].number} waits for approval and went to nobody; {forget}")
    which = "no issue" if number is None else f"no issue {number}"
    raise FeedsError(f"there is {which} of {newsletter.name}; `feeds issues` lists all")
