"""Make the picture that networks show beside a link to an issue, from the newsletter's theme."""

from feeds.core.newsletters.palette import light_palette
from feeds.core.newsletters.plaintext import wrap_text
from feeds.edges.render.share_picture import ShareCard, draw_card
from feeds.jobs.newsletters.issue_page_values import SHARE_SIZE
from feeds.jobs.site import Site
from feeds.model import Issue
from feeds.settings import Newsletter


def draw_share_picture(site: Site, newsletter: Newsletter, issue: Issue) -> bytes:
    """Return a PNG with the colours of the newsletter, its title, and the subject, number and date of the issue."""
    texts, palette = site.texts(newsletter), light_palette(newsletter.theme)
    card = ShareCard(
        size=SHARE_SIZE,
        paper=palette.paper,
        ink=palette.ink,
        muted=palette.muted,
        accent=palette.accent,
        title=newsletter.heading,
        headline=issue.subject,
        facts=(texts.format("issue", number=issue.number), texts.date(issue.date)),
        separator=texts.separator,
        lang=texts.lang,
        direction=texts.direction,
    )
    return draw_card(card, wrap_text)
