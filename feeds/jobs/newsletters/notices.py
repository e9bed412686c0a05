"""Render the public notice about an issue that was retracted or corrected."""

from collections.abc import Iterable

from feeds.jobs.site import Site
from feeds.model import Issue, IssueState
from feeds.settings import Newsletter


def render_notice(site: Site, newsletter: Newsletter, issue: Issue, issues: Iterable[Issue], *, on_page: bool) -> str:
    """Return the notice at the top of an issue's page or of its entry in the feed; empty if the issue has none.

    Raises:
        TemplateError: the template has an error.
    """
    corrections = [one for one in issues if _is_correction_of(issue, one)]
    if not (issue.retracted_at or corrections):
        return ""
    texts = site.texts(newsletter)
    notice = {
        "lang": texts.lang,
        "dir": texts.direction,
        "font": newsletter.theme.font or texts.font,
        "line_height": texts.line_height,
        "accent": newsletter.theme.accent,
        "on_page": on_page,
        "retracted": texts.format("retracted_on", date=texts.date(issue.retracted_at)) if issue.retracted_at else "",
        "reason": issue.retraction,
        "corrections": [
            {"title": one.subject, "url": site.public_url(f"newsletters/{one.newsletter}/{one.number}/")}
            for one in corrections
        ],
    }
    template = "pages/notice.html" if on_page else "pages/notice_text.html"
    return site.templates.render(template, {"notice": notice, "t": texts.plain})


def _is_correction_of(issue: Issue, other: Issue) -> bool:
    """Return whether *other* corrects the issue, was sent and is not retracted."""
    is_valid = other.state is not IssueState.COMPOSED and other.retracted_at is None
    return is_valid and (other.newsletter, other.corrects) == (issue.newsletter, issue.number)
