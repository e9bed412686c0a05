"""Find newsletters and issues by name and number."""

from feeds.edges.store.issues import Issues
from feeds.errors import FeedsError
from feeds.jobs.site import Site
from feeds.model import Issue, IssueState
from feeds.settings import Newsletter


def find_newsletter(site: Site, name: str) -> Newsletter:
    """Return a newsletter by its name.

    Raises:
        FeedsError: there is no such newsletter.
    """
    newsletter = next((n for n in site.settings.newsletters if n.name == name), None)
    if newsletter is None:
        names = ", ".join(n.name for n in site.settings.newsletters) or "none"
        raise FeedsError(f"there is no newsletter {name!r}; known here: {names}")
    return newsletter


def waiting_issue(issues: Issues, newsletter: str) -> Issue | None:
    """Return the issue of a newsletter that waits for approval, or None."""
    composed = (i for i in issues.load_issues() if i.state is IssueState.COMPOSED)
    return next((i for i in composed if i.newsletter == newsletter), None)


def find_waiting_issue(issues: Issues, newsletter: str) -> Issue:
    """Return the issue of a newsletter that waits for approval.

    Raises:
        FeedsError: there is no such issue.
    """
    issue = waiting_issue(issues, newsletter)
    if issue is None:
        raise FeedsError(f"no issue of {newsletter} waits for approval; `feeds issues` lists all")
    return issue


def find_sent_issue(issues: Issues, newsletter: str, number: int | None) -> Issue:
    """Return an issue that is being sent or was sent; the newest if *number* is None.

    Raises:
        FeedsError: there is no such issue, or it waits for approval.
    """
    matching = [i for i in issues.load_issues() if i.newsletter == newsletter and number in {None, i.number}]
    sent = [i for i in matching if i.state is not IssueState.COMPOSED]
    if sent:
        return max(sent, key=lambda i: i.number)
    if matching:
        remedy = f"`feeds cancel {newsletter}` discards it"
        raise FeedsError(f"{newsletter} {matching[0].number} waits for approval and was not sent; {remedy}")
    which = "no issue" if number is None else f"no issue {number}"
    raise FeedsError(f"there is {which} of {newsletter}; `feeds issues` lists all")
