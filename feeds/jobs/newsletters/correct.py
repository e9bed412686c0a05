"""Send a correction of an issue to its recipients."""

from dataclasses import replace
from pathlib import Path

from feeds.config import Config
from feeds.core.newsletters import message
from feeds.display import format_count
from feeds.edges.process import lock
from feeds.edges.store.database import Store
from feeds.errors import FeedsError
from feeds.jobs.context import Context
from feeds.jobs.newsletters import send_checks
from feeds.jobs.newsletters.compose import SEED_BYTES, copy_addresses
from feeds.jobs.newsletters.editor_notes import load_correction
from feeds.jobs.newsletters.find import find_newsletter, find_sent_issue
from feeds.jobs.newsletters.issue_renderer import IssueRenderer
from feeds.jobs.newsletters.status import PENDING_STATES
from feeds.jobs.options import PublishOptions
from feeds.jobs.publish import change_and_publish
from feeds.jobs.report import IssueReport, PublishReport
from feeds.jobs.site import Site
from feeds.jobs.store.site_store import open_site_store
from feeds.model import EditorNote, Issue, IssueContent, NewIssue, RenderedIssue, Selection
from feeds.settings import Newsletter


class _DeclinedError(Exception):
    """The person at the terminal answered no."""


def send_correction(
    config: Config, name: str, number: int, file: Path, options: PublishOptions, context: Context
) -> PublishReport | None:
    """Mail the text in *file* to everyone who got an issue and still subscribes to the newsletter, and publish.

    A correction is an issue: it is numbered, stored, shown and finished like any other, and announces no posts.
    Returns None if the person at the terminal declined. A dry run freezes nothing and reports the correction alone.

    Raises:
        FeedsError: there is no such issue, it is still being sent, or no recipient is left; *file* cannot be used, or
            its text was sent already; mail must not be sent from here.
        LockedError: another publish of this site is running; nothing was changed.
    """
    site = Site(config)
    newsletter, note = find_newsletter(site, name), load_correction(file)
    if options.dry_run:
        with lock.lock_site(config.folder), open_site_store(config) as store:
            new_issue, rendered = _compose(site, newsletter, number, note, store, options=options, context=context)
            return PublishReport(issues=[_report_due(new_issue, store.issues.count_recipients(name, rendered))])

    def freeze(store: Store) -> None:
        store.bounces.end_pauses(context.clock())
        new_issue, _ = _compose(site, newsletter, number, note, store, options=options, context=context)
        if not send_checks.confirm_send(site, newsletter, store.issues, new_issue, options=options, context=context):
            raise _DeclinedError
        if not store.issues.freeze(new_issue, options.now):
            raise FeedsError(f"another issue of {name} was frozen at the same moment; try again")

    try:
        # Consent to the correction is not consent to whatever else is due.
        return change_and_publish(config, freeze, replace(options, yes=False), context)
    except _DeclinedError:
        return None


def _compose(
    site: Site,
    newsletter: Newsletter,
    number: int,
    note: EditorNote,
    store: Store,
    *,
    options: PublishOptions,
    context: Context,
) -> tuple[NewIssue, RenderedIssue]:
    """Return the correction of an issue, and its letters.

    Raises:
        FeedsError: the issue cannot be corrected, the text is too long, or mail must not be sent from here.
    """
    corrected = _find_correctable(store, newsletter, number, note)
    _, last_number = store.issues.last_issue(newsletter.name)
    renderer = IssueRenderer(
        site=site,
        newsletter=newsletter,
        number=last_number + 1,
        slot=options.now.replace(microsecond=0),
        composed_at=options.now,
        seed=context.random_bytes(SEED_BYTES),
        corrects=corrected,
    )
    content = IssueContent(selection=Selection(stories=(), note=note), texts={})
    rendered = _render(renderer, content, corrected, store)
    if any(message.transfer_size(letter.html) >= message.MOST_BYTES for letter in rendered.letters):
        raise FeedsError(f"{note.path}: is too long: mail programs would cut off the letter")
    if options.dry_run:
        send_checks.require_sendable(site, newsletter, store.issues, renderer.number, content)
    new_issue = renderer.new_issue(content.selection, content, rendered)
    if not options.dry_run:
        renderer.pictures.write()
    return new_issue, rendered


def _find_correctable(store: Store, newsletter: Newsletter, number: int, note: EditorNote) -> Issue:
    """Return the issue with this number.

    Raises:
        FeedsError: there is no such issue, it is still being sent, or it was corrected with the same note.
    """
    name = newsletter.name
    issue = find_sent_issue(store.issues, name, number)
    counts = store.deliveries.count_states(issue.id)
    pending = sum(counts[state] for state in PENDING_STATES)
    if pending:
        raise FeedsError(
            f"{name} {number} is still being sent: {format_count(pending, 'more recipient')} would get it without"
            f" the correction;"
            f" `feeds retract {name} {number}` or `feeds cancel {name}` stops it"
        )
    if note.digest in store.issues.correction_digests(issue.id):
        raise FeedsError(f"{note.path}: was already sent as a correction of {name} {number}")
    return issue


def _render(renderer: IssueRenderer, content: IssueContent, corrected: Issue, store: Store) -> RenderedIssue:
    """Return the letters for subscribers and copies that got the corrected issue.

    Raises:
        FeedsError: none of them still gets letters.
    """
    newsletter, issues = renderer.newsletter, store.issues
    copies = copy_addresses(newsletter)
    reached = issues.reached_keys(corrected.id, [key for _, key in copies])
    copies = [(email, key) for email, key in copies if key in reached]
    preferences = issues.load_preferences(newsletter.name, recipients_of=corrected.id)
    rendered = renderer.render_issue(content, preferences, copies, recipients_of=corrected.id)
    if rendered is None:
        raise FeedsError(f"none of the recipients of {newsletter.name} {corrected.number} still gets letters")
    return rendered


def _report_due(new_issue: NewIssue, recipients: int) -> IssueReport:
    return IssueReport(
        newsletter=new_issue.newsletter, number=new_issue.number, posts=0, recipients=recipients, state="due"
    )
