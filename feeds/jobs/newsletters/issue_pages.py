"""The pages of issues that everybody may read."""

from collections.abc import Iterable

from feeds.core.newsletters import placeholders
from feeds.edges.store.issues import Issues
from feeds.errors import FeedsError
from feeds.jobs.newsletters.issue_renderer import issue_page_url
from feeds.jobs.newsletters.notices import render_notice
from feeds.jobs.report import PublishReport
from feeds.jobs.site import Site
from feeds.model import Issue, IssueState
from feeds.settings import Newsletter


def write_issue_pages(site: Site, memory: Issues, report: PublishReport) -> list[str]:
    """Write the pages of issues that are being sent, have a new neighbour or a notice, or whose page is missing.

    Returns the path of every issue's page below `public/`, written or not.
    """
    named = {n.name: n for n in site.settings.newsletters}
    issues = [i for i in memory.load_issues() if i.newsletter in named and i.state is not IssueState.COMPOSED]
    newest = {issue.newsletter: issue.number for issue in sorted(issues, key=lambda issue: issue.number)}
    corrected = {(issue.newsletter, issue.corrects) for issue in issues}
    for issue in issues:
        is_new = issue.state is IssueState.SENDING or issue.number >= newest[issue.newsletter] - 1
        has_notice = issue.retracted_at is not None or (issue.newsletter, issue.number) in corrected
        if is_new or has_notice or not site.public.has(issue_page_path(issue)):
            try:
                report.pages += write_issue_page(site, named[issue.newsletter], issue, memory)
            except FeedsError as e:
                report.errors.append(str(e))
    return [issue_page_path(issue) for issue in issues]


def is_page_missing(site: Site, newsletter: Newsletter, issue: Issue) -> bool:
    """Return whether an issue has no page and should have one."""
    return newsletter.archive != "off" and not site.public.has(issue_page_path(issue))


def write_issue_page(site: Site, newsletter: Newsletter, issue: Issue, memory: Issues) -> bool:
    """Bring an issue's page up to date, if its newsletter has an archive; return whether that changed it.

    Raises:
        OutputError: it cannot be written.
    """
    if newsletter.archive == "off":
        return False
    issues = memory.load_issues()
    links = _neighbours(site, newsletter, issue, issues)
    page = placeholders.insert_neighbour_links(memory.load_page(issue.id).html, site.texts(newsletter), links)
    page = placeholders.insert_notice(page, render_notice(site, newsletter, issue, issues, on_page=True))
    return site.public.write(issue_page_path(issue), page.encode())


def _neighbours(site: Site, newsletter: Newsletter, issue: Issue, issues: Iterable[Issue]) -> dict[str, str]:
    """Return the addresses of other issues, by the text that says which; none where the archive is not listed."""
    if newsletter.archive != "public":
        return {}
    numbers = {i.number for i in issues if i.newsletter == newsletter.name and i.state is not IssueState.COMPOSED}
    beside = {"previous_issue": issue.number - 1, "next_issue": issue.number + 1}
    found = {name: issue_page_url(site, newsletter, number) for name, number in beside.items() if number in numbers}
    found["all_issues"] = site.public_url(f"newsletters/{newsletter.name}/")
    return {name: url for name, url in found.items() if url}


def issue_page_path(issue: Issue) -> str:
    """Return where an issue's page lies below `public/`."""
    return f"newsletters/{issue.newsletter}/{issue.number}/index.html"
