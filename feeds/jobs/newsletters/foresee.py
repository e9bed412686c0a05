"""Find what each newsletter sends next."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from feeds.config import Config
from feeds.core.curation import taxonomy
from feeds.core.newsletters import outlook
from feeds.core.newsletters.outlook import Outlook
from feeds.edges.store.issues import Issues
from feeds.errors import PostError
from feeds.jobs.context import Context
from feeds.jobs.newsletters.editor_notes import load_issue_note
from feeds.jobs.newsletters.find import waiting_issue
from feeds.jobs.posts.listing import open_survey
from feeds.jobs.posts.survey import Survey
from feeds.jobs.site import Site
from feeds.model import EditorNote
from feeds.settings import Newsletter


def load_outlooks(config: Config, now: datetime, context: Context) -> list[Outlook]:
    """Return the outlook of each newsletter, by the posts as they are now."""
    if not config.settings.newsletters:
        return []
    site = Site(config)
    with open_survey(config, now, context) as opened:
        return [
            foresee_newsletter(site, newsletter, opened.survey, opened.store.issues, now)
            for newsletter in config.settings.newsletters
        ]


def category_warnings(site: Site, newsletter: Newsletter, survey: Survey) -> Iterator[str]:
    """Yield a warning for each category in a newsletter's table that no public post has; none if no post is public."""
    entries = survey.catalogue.entries
    published = dict.fromkeys(category for entry in entries for category in entry.categories)
    for key, names in (("categories", newsletter.categories), ("theme.categories", newsletter.theme.categories)):
        for text in taxonomy.unknown_categories(names if entries else (), published, site.settings.categories):
            yield f"{site.config.path}: newsletters.{newsletter.name}.{key}: {text}"


def foresee_newsletter(
    site: Site, newsletter: Newsletter, survey: Survey, issues: Issues, now: datetime, *, reason: str = ""
) -> Outlook:
    """Return the outlook of a newsletter; *reason* says why it has no issue now, though one was asked for."""
    used, number = issues.last_issue(newsletter.name)
    waiting = waiting_issue(issues, newsletter.name)

    def foresee(note: EditorNote | None) -> Outlook:
        return outlook.foresee(
            survey.catalogue.entries,
            newsletter,
            site.zone(newsletter),
            now,
            used=used,
            announced=issues.announced_ids(newsletter.name, survey.catalogue.replaced_ids),
            recipients=sum(issues.load_preferences(newsletter.name).values()) + len(newsletter.copy_to),
            categories=site.settings.categories,
            note=note,
        )

    try:
        found = foresee(load_issue_note(site, newsletter, number + 1, issues))
    except PostError:  # composing the issue reports it
        found = foresee(None)
    return replace(found, waiting_issue=waiting.number if waiting else None, reason=reason)
