"""The pages of issues that everybody may read."""

from collections.abc import Iterable

from feeds.core.newsletters import view
from feeds.edges.store.memory import Memory
from feeds.errors import FeedsError
from feeds.jobs.letters import page_url
from feeds.jobs.notices import notice
from feeds.jobs.report import Report
from feeds.jobs.site import Site
from feeds.model import Issue, IssueState
from feeds.settings import Newsletter


def restore_pages(site: Site, memory: Memory, report: Report) -> None:
    """Write the archive pages that are missing, have a new neighbour or bear a notice.

    `finish` has seen to issues on their way.
    """
    named = {n.name: n for n in site.settings.newsletters}
    sent = [issue for issue in memory.issues() if issue.newsletter in named and issue.state is IssueState.SENT]
    newest = {issue.newsletter: issue.number for issue in sorted(sent, key=lambda issue: issue.number)}
    corrected = {(issue.newsletter, issue.corrects) for issue in sent}
    for issue in sent:
        has_new_neighbour = issue.number == newest[issue.newsletter] - 1
        has_notice = issue.retracted_at is not None or (issue.newsletter, issue.number) in corrected
        if has_new_neighbour or has_notice or not site.public.has(_page_path(issue)):
            try:
                report.pages += write_page(site, named[issue.newsletter], issue, memory)
            except FeedsError as e:
                report.errors.append(str(e))


def write_page(site: Site, newsletter: Newsletter, issue: Issue, memory: Memory) -> bool:
    """Bring an issue's page up to date, if its newsletter has an archive; return whether that changed it.

    Raises:
        OutputError: it cannot be written.
    """
    if newsletter.archive == "off":
        return False
    issues = memory.issues()
    links = _neighbours(site, newsletter, issue, issues)
    page = view.with_neighbours(memory.page(issue.id).html, site.words(newsletter), links)
    page = view.with_notice(page, notice(site, newsletter, issue, issues, on_page=True))
    return site.public.write(_page_path(issue), page.encode())


def _neighbours(site: Site, newsletter: Newsletter, issue: Issue, issues: Iterable[Issue]) -> dict[str, str]:
    """Return the addresses of other issues, by the text that says which; none where the archive is not listed."""
    if newsletter.archive != "public":
        return {}
    numbers = {i.number for i in issues if i.newsletter == newsletter.name and i.state is not IssueState.COMPOSED}
    beside = {"previous_issue": issue.number - 1, "next_issue": issue.number + 1}
    found = {name: page_url(site, newsletter, number) for name, number in beside.items() if number in numbers}
    found["all_issues"] = site.public_url(f"newsletters/{newsletter.name}/")
    return {name: url for name, url in found.items() if url}


def _page_path(issue: Issue) -> str:
    return f"newsletters/{issue.newsletter}/{issue.number}/index.html"
