"""Tell those who got an issue what was wrong in it."""

from dataclasses import replace
from pathlib import Path

from feeds.config import Config
from feeds.core.newsletters import message, notes
from feeds.core.posts.frontmatter import parse_source
from feeds.edges.files import source_files
from feeds.edges.process import lock
from feeds.edges.store.database import Store, open_store
from feeds.errors import FeedsError, PostError
from feeds.jobs.context import Context
from feeds.jobs.newsletters import compose, retract, send_checks
from feeds.jobs.newsletters.issue_renderer import IssueRenderer
from feeds.jobs.newsletters.status import PENDING_STATES
from feeds.jobs.options import PublishOptions
from feeds.jobs.publish import change_and_publish
from feeds.jobs.report import IssueReport, PublishReport
from feeds.jobs.site import Site
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
    newsletter, note = compose.find_newsletter(site, name), _note(file)
    if options.dry_run:
        with lock.lock_site(config.folder), open_store(config.settings.store.url, config.folder) as store:
            plan, mailing = _plan_correction(site, newsletter, number, note, store, options=options, context=context)
            return PublishReport(issues=[_due(newsletter, plan, store.issues.count_recipients(name, mailing))])

    def freeze(store: Store) -> None:
        store.bounces.end_pauses(context.clock())
        plan, mailing = _plan_correction(site, newsletter, number, note, store, options=options, context=context)
        if not send_checks.confirm_send(
            site, newsletter, store.issues, mailing, plan.number, options=options, context=context
        ):
            raise _DeclinedError
        if not store.issues.freeze(plan, context.clock()):
            raise FeedsError(f"another issue of {name} was frozen at the same moment; try again")

    try:
        # Consent to the correction is not consent to whatever else is due.
        return change_and_publish(config, freeze, replace(options, yes=False), context)
    except _DeclinedError:
        return None


def _note(file: Path) -> EditorNote:
    """Return what the editor says.

    Raises:
        PostError: the file cannot be read, names posts, or says nothing.
    """
    content = source_files.read_file(file.absolute().parent, file.name, compose.MOST_NOTE_BYTES)
    path = str(file)
    found = notes.parse_note(path, parse_source(path, notes.ensure_front_matter(content)), content)
    if found.pinned or found.skipped:
        raise PostError(path, None, "a correction tells of no posts: take out pin and skip")
    if not found.html:
        raise PostError(path, None, "says nothing below its front matter")
    return found


def _about(store: Store, newsletter: Newsletter, number: int, note: EditorNote) -> Issue:
    """Return the issue that is to be corrected, when all who get it have it.

    Raises:
        FeedsError: there is none, some would get it afterwards, or it was corrected with the same words.
    """
    issue = retract.find_sent_issue(store, newsletter, number)
    counts, name = store.deliveries.count_states(issue.id), newsletter.name
    left = sum(counts[state] for state in PENDING_STATES)
    if left:
        raise FeedsError(
            f"{name} {number} is still on its way to {left:,}, who would not get the correction; `feeds retract {name}"
            f" {number}` or `feeds cancel {name}` sends nothing more of it"
        )
    if note.digest in store.issues.correction_digests(issue.id):
        raise FeedsError(f"{note.path}: was sent already as a correction of {name} {number}")
    return issue


def _plan_correction(
    site: Site,
    newsletter: Newsletter,
    number: int,
    note: EditorNote,
    store: Store,
    *,
    options: PublishOptions,
    context: Context,
) -> tuple[NewIssue, RenderedIssue]:
    """Return the issue, and who gets it.

    Raises:
        FeedsError: nobody is left to tell, it is too long, or mail must not go out from here.
    """
    about = _about(store, newsletter, number, note)
    _, last = store.issues.last_issue(newsletter.name)
    slot, seed = options.now.replace(microsecond=0), context.random_bytes(compose.SEED_BYTES)
    typesetter = IssueRenderer(site=site, newsletter=newsletter, number=last + 1, slot=slot, seed=seed, corrects=about)
    content = IssueContent(selection=Selection(stories=(), note=note), texts={})
    mailing = _mailing(typesetter, content, about, store)
    if any(message.transfer_size(letter.html) >= message.MOST_BYTES for letter in mailing.letters):
        raise FeedsError(f"{note.path}: is longer than mail programs show")
    send_checks.check_sendable(site, newsletter, last)
    plan = NewIssue(
        newsletter=newsletter.name,
        number=last + 1,
        slot=slot,
        subject=typesetter.subject(content.selection),
        selection=content.selection,
        page=typesetter.render_page(content),
        content=content,
        seed=seed,
        rendered=mailing,
        transport=site.settings.mail.transport,
        corrects=about.id,
    )
    return plan, mailing


def _mailing(typesetter: IssueRenderer, content: IssueContent, about: Issue, store: Store) -> RenderedIssue:
    """Return a letter for each language of those who got the issue, and for copies that did.

    Raises:
        FeedsError: none of them still wants it.
    """
    newsletter, memory = typesetter.newsletter, store.issues
    copies = compose.copy_addresses(newsletter)
    had = memory.reached_keys(about.id, [key for _, key in copies])
    copies = [(email, key) for email, key in copies if key in had]
    mailing = typesetter.render_issue(
        content, memory.load_preferences(newsletter.name, recipients_of=about.id), copies, of=about.id
    )
    if mailing is None:
        raise FeedsError(f"nobody who got {newsletter.name} {about.number} is left to be told")
    return mailing


def _due(newsletter: Newsletter, plan: NewIssue, recipients: int) -> IssueReport:
    return IssueReport(newsletter=newsletter.name, number=plan.number, posts=0, recipients=recipients, state="due")
