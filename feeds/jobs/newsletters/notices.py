"""Render the public notice about an issue that was retracted or corrected."""

from collections.abc import Iterable
from typing import Any

from feeds.core.newsletters import placeholders
from feeds.jobs.site import Site
from feeds.model import Issue, IssueState
from feeds.settings import Newsletter

_ON_PAGE = "pages/notice.html"


def render_page_notice(site: Site, newsletter: Newsletter, issue: Issue, issues: Iterable[Issue], page: str) -> str:
    """Return the notice for the stored *page* of an issue; empty if the issue has none.

    Raises:
        TemplateError: the template has an error.
    """
    return _render(_ON_PAGE, site, newsletter, issue, issues, inline=not placeholders.is_styled(page))


def render_entry_notice(site: Site, newsletter: Newsletter, issue: Issue, issues: Iterable[Issue]) -> str:
    """Return the notice for the entry of an issue in its newsletter's feed; empty if the issue has none.

    Raises:
        TemplateError: the template has an error.
    """
    return _render("pages/notice_text.html", site, newsletter, issue, issues, inline=False)


def _render(
    template: str, site: Site, newsletter: Newsletter, issue: Issue, issues: Iterable[Issue], *, inline: bool
) -> str:
    """Return the notice; *inline* has its styles in attributes."""
    corrections = [one for one in issues if _is_correction_of(issue, one)]
    if not (issue.retracted_at or corrections):
        return ""
    texts = site.texts(newsletter)
    notice: dict[str, Any] = {
        "lang": texts.lang,
        "dir": texts.direction,
        "font": newsletter.theme.font or texts.font,
        "line_height": texts.line_height,
        "accent": newsletter.theme.accent,
        "on_page": template == _ON_PAGE,
        "inline": inline,
        "retracted": texts.format("retracted_on", date=texts.date(issue.retracted_at)) if issue.retracted_at else "",
        "reason": issue.retraction,
        "corrections": [
            {"title": one.subject, "url": site.public_url(f"newsletters/{one.newsletter}/{one.number}/")}
            for one in corrections
        ],
    }
    return site.templates.render(template, {"notice": notice, "t": texts.plain})


def _is_correction_of(issue: Issue, other: Issue) -> bool:
    """Return whether *other* corrects the issue, was sent and is not retracted."""
    is_valid = other.state is not IssueState.COMPOSED and other.retracted_at is None
    return is_valid and (other.newsletter, other.corrects) == (issue.newsletter, issue.number)
