"""Write the public pages of issues."""

from collections.abc import Iterable

from feeds.core.newsletters import placeholders
from feeds.edges.store.issues import Issues
from feeds.errors import FeedsError
from feeds.jobs.newsletters.issue_page_values import SHARE_PICTURE, issue_page_url
from feeds.jobs.newsletters.notices import render_page_notice
from feeds.jobs.newsletters.share_pictures import draw_share_picture
from feeds.jobs.report import PublishReport
from feeds.jobs.site import Site
from feeds.model import Issue, IssueState
from feeds.settings import Newsletter


def write_issue_pages(site: Site, issues: Issues, report: PublishReport) -> list[str]:
    """Write the pages of issues that are being sent, have a new neighbour or a notice, or whose page is missing.

    Returns the paths of every issue's page and share picture below `public/`, written or not.
    """
    newsletters = {n.name: n for n in site.settings.newsletters}
    listed = [i for i in issues.load_issues() if i.newsletter in newsletters and i.state is not IssueState.COMPOSED]
    newest = {issue.newsletter: issue.number for issue in sorted(listed, key=lambda issue: issue.number)}
    corrected = {(issue.newsletter, issue.corrects) for issue in listed}
    for issue in listed:
        is_new = issue.state is IssueState.SENDING or issue.number >= newest[issue.newsletter] - 1
        has_notice = issue.retracted_at is not None or (issue.newsletter, issue.number) in corrected
        if is_new or has_notice or not site.public.has(issue_page_path(issue)):
            try:
                report.pages += write_issue_page(site, newsletters[issue.newsletter], issue, issues)
            except FeedsError as e:
                report.errors.append(str(e))
    pictures = (path for path in map(share_picture_path, listed) if site.public.has(path))
    return [*map(issue_page_path, listed), *pictures]


def is_page_missing(site: Site, newsletter: Newsletter, issue: Issue) -> bool:
    """Return whether an issue's page is missing from `public/` though its newsletter has an archive."""
    return newsletter.archive != "off" and not site.public.has(issue_page_path(issue))


def write_issue_page(site: Site, newsletter: Newsletter, issue: Issue, issues: Issues) -> bool:
    """Write an issue's page if its newsletter has an archive and the page changed; return whether it was written.

    Raises:
        OutputError: the page cannot be written.
    """
    if newsletter.archive == "off":
        return False
    all_issues, stored = issues.load_issues(), issues.load_page(issue.id).html
    links = _neighbour_links(site, newsletter, issue, all_issues)
    page = placeholders.insert_neighbour_links(stored, site.texts(newsletter), links)
    page = placeholders.insert_notice(page, render_page_notice(site, newsletter, issue, all_issues, stored))
    written = site.public.write(issue_page_path(issue), page.encode())
    _write_share_picture(site, newsletter, issue, stored)
    return written


def _write_share_picture(site: Site, newsletter: Newsletter, issue: Issue, page: str) -> None:
    """Write the share picture that a page names, unless it is there: like the page, it stays as it was.

    Raises:
        OutputError: it cannot be written.
    """
    path = share_picture_path(issue)
    if site.public_url(path) in page and not site.public.has(path):
        site.public.write(path, draw_share_picture(site, newsletter, issue))


def _neighbour_links(site: Site, newsletter: Newsletter, issue: Issue, issues: Iterable[Issue]) -> dict[str, str]:
    """Return URLs of other issues by the key of the link's text; none if the archive is not public."""
    if newsletter.archive != "public":
        return {}
    numbers = {i.number for i in issues if i.newsletter == newsletter.name and i.state is not IssueState.COMPOSED}
    neighbours = {"previous_issue": issue.number - 1, "next_issue": issue.number + 1}
    links = {key: issue_page_url(site, newsletter, number) for key, number in neighbours.items() if number in numbers}
    links["all_issues"] = site.public_url(f"newsletters/{newsletter.name}/")
    return {key: url for key, url in links.items() if url}


def issue_page_path(issue: Issue) -> str:
    """Return the path of an issue's page below `public/`."""
    return f"newsletters/{issue.newsletter}/{issue.number}/index.html"


def share_picture_path(issue: Issue) -> str:
    """Return the path of an issue's share picture below `public/`; not all issues have one."""
    return f"newsletters/{issue.newsletter}/{issue.number}/{SHARE_PICTURE}"
