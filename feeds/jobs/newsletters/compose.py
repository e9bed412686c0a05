"""Compose the issues that are due: select posts, render letters, and freeze both with the recipients."""

from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from feeds.core.newsletters.outlook import NO_SUBSCRIBERS, too_few_posts
from feeds.core.newsletters.selection import select_entries, waiting_entries
from feeds.core.schedule import due_slot
from feeds.core.subscribers import addresses
from feeds.edges.store.issues import Issues
from feeds.errors import FeedsError, PostError
from feeds.jobs.context import Context
from feeds.jobs.newsletters import send_checks
from feeds.jobs.newsletters.editor_notes import load_issue_note
from feeds.jobs.newsletters.find import waiting_issue
from feeds.jobs.newsletters.issue_renderer import IssueRenderer
from feeds.jobs.options import PublishOptions
from feeds.jobs.posts.survey import Survey
from feeds.jobs.report import IssueReport, PublishReport
from feeds.jobs.site import Site
from feeds.model import Issue, IssueContent, IssueState, NewIssue, Selection
from feeds.settings import Newsletter

#: The size of an issue's seed.
SEED_BYTES = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftIssue:
    """An issue that is not frozen yet."""

    renderer: IssueRenderer
    #: What counts as announced.
    selection: Selection
    #: What letters are rendered from: the selection without the entries that it passes over.
    content: IssueContent


def compose_issue(
    site: Site,
    newsletter: Newsletter,
    survey: Survey,
    issues: Issues,
    report: PublishReport,
    *,
    options: PublishOptions,
    context: Context,
) -> None:
    """Freeze the issue that is due, if one is; in a dry run only report it.

    Raises:
        FeedsError: a letter cannot be rendered, the editor's note cannot be used, or mail must not be sent; nothing was
            frozen.
        PostChangedDuringRead, PostError: a post cannot be shown.
    """
    if _report_waiting(issues, newsletter, report):
        return
    last_slot, _ = issues.last_issue(newsletter.name)
    slot = _due_slot(site, newsletter, options, last_slot)
    if slot is None:
        return
    draft = draft_issue(site, newsletter, survey, issues, slot, context.random_bytes(SEED_BYTES))
    is_asked = options.send == newsletter.name
    if draft is None:
        if is_asked:
            report.skipped[newsletter.name] = nothing_to_send(site, newsletter, survey, issues, slot)
        return
    rendered = draft.renderer.render_issue(
        draft.content, issues.load_preferences(newsletter.name), copy_addresses(newsletter)
    )
    if rendered is None:
        if is_asked:
            report.skipped[newsletter.name] = _nobody_to_send_to(newsletter, issues)
        return
    if options.dry_run:
        send_checks.require_sendable(site, newsletter, issues, draft.renderer.number, draft.content)
        report.issues.append(_report_due(draft, issues.count_recipients(newsletter.name, rendered)))
        return
    new_issue = draft.renderer.new_issue(draft.selection, draft.content, None if newsletter.approve else rendered)
    report.warnings += draft.renderer.pictures.problems.values()
    if not _may_freeze(site, newsletter, issues, new_issue, options, context):
        report.declined = True
        report.skipped[newsletter.name] = "you answered no"
        return
    draft.renderer.pictures.write()
    if issues.freeze(new_issue, context.clock()):
        _report_waiting(issues, newsletter, report)


def _may_freeze(
    site: Site, newsletter: Newsletter, issues: Issues, new_issue: NewIssue, options: PublishOptions, context: Context
) -> bool:
    """Return False if the person at the terminal declines; an issue that waits for approval is confirmed by that.

    Raises:
        FeedsError: mail must not be sent.
    """
    if new_issue.rendered is None:
        send_checks.require_sendable(site, newsletter, issues, new_issue.number, new_issue.content)
        return True
    return send_checks.confirm_send(site, newsletter, issues, new_issue, options=options, context=context)


def draft_issue(
    site: Site, newsletter: Newsletter, survey: Survey, issues: Issues, slot: datetime, seed: bytes
) -> DraftIssue | None:
    """Return the issue for *slot*, shortened to what a letter holds; None if there are not enough posts.

    Raises:
        FeedsError: a letter cannot be rendered, or the editor's note cannot be used.
        PostChangedDuringRead, PostError: a post cannot be shown.
    """
    last_slot, last_number = issues.last_issue(newsletter.name)
    number = last_number + 1
    selection = _select(site, newsletter, survey, issues, slot=slot, number=number, first=last_slot is None)
    if selection is None:
        return None
    texts = {e.post.path: survey.text(e.post) for e in (*selection.stories, *selection.also)}
    renderer = IssueRenderer(site=site, newsletter=newsletter, number=number, slot=slot, seed=seed)
    selection, _ = renderer.render_letter(IssueContent(selection=selection, texts=texts))
    content = IssueContent(selection=replace(selection, passed_over=()), texts=texts)
    return DraftIssue(renderer=renderer, selection=selection, content=content)


def nothing_to_send(site: Site, newsletter: Newsletter, survey: Survey, issues: Issues, slot: datetime) -> str:
    """Return why there is no issue for *slot*: there are too few posts.

    Raises:
        FeedsError: the editor's note cannot be used.
    """
    last_slot, last_number = issues.last_issue(newsletter.name)
    pinned, others = waiting_entries(
        survey.catalogue.entries,
        newsletter,
        slot=slot,
        announced=issues.announced_ids(newsletter.name, survey.catalogue.replaced_ids),
        first=last_slot is None,
        categories=site.settings.categories,
        note=load_issue_note(site, newsletter, last_number + 1, issues),
    )
    return too_few_posts(newsletter, len(pinned) + len(others))


def _nobody_to_send_to(newsletter: Newsletter, issues: Issues) -> str:
    has_subscribers = bool(issues.load_preferences(newsletter.name))
    return "no subscriber has chosen a topic of these posts" if has_subscribers else NO_SUBSCRIBERS


def report_issue(issue: Issue, state: str) -> IssueReport:
    """Return an issue's part of the report of a publish run."""
    return IssueReport(
        newsletter=issue.newsletter,
        number=issue.number,
        posts=issue.posts,
        recipients=issue.recipients,
        state=state,
    )


def copy_addresses(newsletter: Newsletter) -> list[tuple[str, str]]:
    """Return the addresses of `copy_to`, each with the key by which addresses are compared."""
    parsed = [addresses.parse_address(copy.address.addr_spec) for copy in newsletter.copy_to]
    return [(address.email, address.key) for address in parsed]


def _report_waiting(issues: Issues, newsletter: Newsletter, report: PublishReport) -> bool:
    """Report the issue that waits for approval; return whether there is one, since then no other is composed."""
    issue = waiting_issue(issues, newsletter.name)
    if issue is not None:
        report.issues.append(report_issue(issue, IssueState.COMPOSED))
    return issue is not None


def _due_slot(
    site: Site, newsletter: Newsletter, options: PublishOptions, last_slot: datetime | None
) -> datetime | None:
    """Return the slot that is due, or the current time if the options ask for an issue of this newsletter."""
    if options.send == newsletter.name:
        return options.now.replace(microsecond=0)
    zone = site.zone(newsletter)
    return due_slot(newsletter.schedule, zone, options.now, used=last_slot, catch_up=newsletter.catch_up)


def _select(
    site: Site, newsletter: Newsletter, survey: Survey, issues: Issues, *, slot: datetime, number: int, first: bool
) -> Selection | None:
    """Return the selection for an issue, or None if there are not enough posts.

    Raises:
        FeedsError: the editor's note cannot be read, or names a post that is not available.
    """
    try:
        return select_entries(
            survey.catalogue.entries,
            newsletter,
            slot=slot,
            announced=issues.announced_ids(newsletter.name, survey.catalogue.replaced_ids),
            first=first,
            categories=site.settings.categories,
            note=load_issue_note(site, newsletter, number, issues),
        )
    except PostError as e:  # A PostError means that the run is repeated without that post; a note is not a post.
        raise FeedsError(str(e)) from e


def _report_due(draft: DraftIssue, recipients: int) -> IssueReport:
    return IssueReport(
        newsletter=draft.renderer.newsletter.name,
        number=draft.renderer.number,
        posts=len(draft.selection.stories),
        recipients=recipients,
        state="due",
    )
