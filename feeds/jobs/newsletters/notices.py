"""What everybody must know of an issue that went out: that it was taken back, and why; that it was corrected."""

from collections.abc import Iterable

from feeds.jobs.site import Site
from feeds.model import Issue, IssueState
from feeds.settings import Newsletter


def render_notice(site: Site, newsletter: Newsletter, issue: Issue, issues: Iterable[Issue], *, on_page: bool) -> str:
    """Return the notice for the top of an issue's page, or of its entry in the feed; empty where there is none.

    Raises:
        TemplateError: the template has a fault.
    """
    corrections = [one for one in issues if _corrects(one, issue)]
    if not (issue.retracted_at or corrections):
        return ""
    words = site.texts(newsletter)
    about = {
        "lang": words.lang,
        "dir": words.direction,
        "font": newsletter.theme.font or words.font,
        "line_height": words.line_height,
        "accent": newsletter.theme.accent,
        "on_page": on_page,
        "retracted": words.format("retracted_on", date=words.date(issue.retracted_at)) if issue.retracted_at else "",
        "reason": issue.retraction,
        "corrections": [
            {"title": one.subject, "url": site.public_url(f"newsletters/{one.newsletter}/{one.number}/")}
            for one in corrections
        ],
    }
    template = "pages/notice.html" if on_page else "pages/notice_text.html"
    return site.templates.render(template, {"notice": about, "t": words.plain})


def _corrects(one: Issue, issue: Issue) -> bool:
    """Return whether an issue is a correction of another, and stands."""
    stands = one.state is not IssueState.COMPOSED and one.retracted_at is None
    return stands and (one.newsletter, one.corrects) == (issue.newsletter, issue.number)
