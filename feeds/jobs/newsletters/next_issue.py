"""Draft the next issue of a newsletter as if it were due now, for a preview or a test message."""

from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from feeds.config_types import Duration
from feeds.core.newsletters import selection
from feeds.edges.store.issues import Issues
from feeds.jobs.context import Context
from feeds.jobs.newsletters.compose import SEED_BYTES, draft_issue
from feeds.jobs.newsletters.editor_notes import load_issue_note
from feeds.jobs.newsletters.find import waiting_issue
from feeds.jobs.newsletters.issue_renderer import IssueRenderer
from feeds.jobs.posts.survey import Survey
from feeds.jobs.site import Site
from feeds.model import IssueContent, Letter, SubscriberPreferences
from feeds.settings import Newsletter

#: A sample may have posts of any age.
_ANY_AGE = Duration(days=36_500)


@dataclass(frozen=True, kw_only=True, slots=True)
class NextIssue:
    """The issue that would be sent now, or that waits for approval."""

    renderer: IssueRenderer
    content: IssueContent

    def with_original_pictures(self) -> "NextIssue":
        """Return the same issue without converted pictures, which are on the web only when it is."""
        return NextIssue(renderer=self.renderer.with_original_pictures(), content=self.content)

    def for_test(self) -> "NextIssue":
        """Return the same issue for a test letter."""
        return NextIssue(renderer=self.renderer.for_test(), content=self.content)

    def letter(self, preferences: SubscriberPreferences) -> Letter | None:
        """Return the letter for subscribers with these preferences; None if they get none.

        Raises:
            TemplateError: a template has an error, or a part of the letter has no unsubscribe link.
        """
        categories = self.renderer.site.settings.categories
        selected = selection.selection_for(self.content.selection, preferences, categories)
        if selected is None:
            return None
        content = IssueContent(selection=selected, texts=self.content.texts)
        return self.renderer.render_subscriber_letter(content, preferences.lang)


def next_issue(
    site: Site,
    newsletter: Newsletter,
    survey: Survey,
    issues: Issues,
    now: datetime,
    context: Context,
) -> NextIssue | None:
    """Return the next issue; None if there are not enough posts.

    Raises:
        FeedsError: it cannot be composed.
    """
    issue = waiting_issue(issues, newsletter.name)
    content = issues.load_content(issue.id) if issue else None
    if issue and content:
        number, slot, seed = issue.number, issue.slot, issue.seed
        renderer = IssueRenderer(
            site=site,
            newsletter=newsletter,
            number=number,
            slot=slot,
            composed_at=issue.date,
            seed=seed,
        )
        return NextIssue(renderer=renderer, content=content)
    seed = context.random_bytes(SEED_BYTES)
    draft = draft_issue(site, newsletter, survey, issues, now.replace(microsecond=0), composed_at=now, seed=seed)
    return NextIssue(renderer=draft.renderer, content=draft.content) if draft else None


def sample_issue(
    site: Site, newsletter: Newsletter, survey: Survey, issues: Issues, now: datetime, context: Context
) -> NextIssue | None:
    """Return the next issue as if none of the newest posts had been announced; None without posts.

    Raises:
        FeedsError: it cannot be composed.
    """
    last_slot, last_number = issues.last_issue(newsletter.name)
    slot, number = now.replace(microsecond=0), last_number + 1
    selected = selection.select_entries(
        survey.catalogue.entries,
        replace(newsletter, min_posts=1, max_age=_ANY_AGE),
        slot=slot,
        announced=(),
        first=last_slot is None,
        categories=site.settings.categories,
        note=load_issue_note(site, newsletter, number, issues),
    )
    if selected is None or not selected.stories:
        return None
    selected = replace(selected, also=(), passed_over=())
    seed = context.random_bytes(SEED_BYTES)
    renderer = IssueRenderer(site=site, newsletter=newsletter, number=number, slot=slot, composed_at=now, seed=seed)
    texts = {entry.post.path: survey.text(entry.post) for entry in selected.stories}
    return NextIssue(renderer=renderer, content=IssueContent(selection=selected, texts=texts))
