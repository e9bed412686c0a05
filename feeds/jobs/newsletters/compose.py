"""Compose the issues that are due: which posts, which letters, for whom, frozen before anything leaves."""

from datetime import datetime

from msgspec.structs import replace

from feeds.core.newsletters import notes
from feeds.core.newsletters.selection import select_entries
from feeds.core.posts.frontmatter import parse_source
from feeds.core.schedule import due_slot
from feeds.core.subscribers import addresses
from feeds.edges.files import source_files
from feeds.edges.store.issues import Issues
from feeds.errors import FeedsError, PostError
from feeds.jobs.context import Context
from feeds.jobs.newsletters import send_checks
from feeds.jobs.newsletters.issue_renderer import IssueRenderer
from feeds.jobs.options import PublishOptions
from feeds.jobs.posts.survey import Survey
from feeds.jobs.report import IssueReport, PublishReport
from feeds.jobs.site import Site
from feeds.model import EditorNote, Issue, IssueContent, IssueState, NewIssue, Selection
from feeds.settings import Newsletter

MOST_NOTE_BYTES = 100_000
#: Of what an issue's tokens are made of.
SEED_BYTES = 16


def compose_issue(
    site: Site,
    newsletter: Newsletter,
    found: Survey,
    memory: Issues,
    report: PublishReport,
    *,
    options: PublishOptions,
    context: Context,
) -> None:
    """Freeze the issue that is due, if one is; in a dry run only report it.

    Raises:
        FeedsError: the letter cannot be rendered, or the editor's note cannot be followed; nothing was frozen.
        Changed, PostError: a post cannot be shown.
    """
    if _waits(memory, newsletter, report):
        return
    used, number = memory.last_issue(newsletter.name)
    slot = _slot(site, newsletter, options, used)
    if slot is None:
        return
    drafted = draft_issue(site, newsletter, found, memory, slot, context.random_bytes(SEED_BYTES))
    if drafted is None:
        return
    typesetter, selection, content = drafted
    mailing = typesetter.render_issue(content, memory.load_preferences(newsletter.name), copy_addresses(newsletter))
    if mailing is None:
        return
    send_checks.check_sendable(site, newsletter, number)
    if options.dry_run:
        due = IssueReport(
            newsletter=newsletter.name,
            number=number + 1,
            posts=len(selection.stories),
            recipients=memory.count_recipients(newsletter.name, mailing),
            state="due",
        )
        report.issues.append(due)
        return
    if not (
        newsletter.approve
        or send_checks.confirm_send(site, newsletter, memory, mailing, number + 1, options=options, context=context)
    ):
        report.declined = True
        return
    plan = NewIssue(
        newsletter=newsletter.name,
        number=number + 1,
        slot=slot,
        subject=typesetter.subject(selection),
        selection=selection,
        page=typesetter.render_page(content),
        content=content,
        seed=typesetter.seed,
        rendered=None if newsletter.approve else mailing,
        transport=site.settings.mail.transport,
    )
    if memory.freeze(plan, context.clock()):
        _waits(memory, newsletter, report)


def draft_issue(
    site: Site, newsletter: Newsletter, found: Survey, memory: Issues, slot: datetime, seed: bytes
) -> tuple[IssueRenderer, Selection, IssueContent] | None:
    """Return what an issue for *slot* would tell, as far as a letter holds it; None where there is nothing to tell.

    Raises:
        FeedsError: the letter cannot be rendered, or the editor's note cannot be followed.
        Changed, PostError: a post cannot be shown.
    """
    used, number = memory.last_issue(newsletter.name)
    selection = _selection(site, newsletter, found, memory, slot=slot, number=number + 1, first=used is None)
    if selection is None:
        return None
    texts = {e.post.path: found.text(e.post) for e in (*selection.stories, *selection.also)}
    typesetter = IssueRenderer(site=site, newsletter=newsletter, number=number + 1, slot=slot, seed=seed)
    told, _ = typesetter.render_letter(IssueContent(selection=selection, texts=texts))
    return typesetter, told, IssueContent(selection=replace(told, passed_over=()), texts=texts)


def freeze_approved(site: Site, name: str, memory: Issues) -> Issue:
    """Freeze the recipients and letters of the issue that waits; return it.

    Raises:
        FeedsError: there is no such newsletter, or none of its issues waits; a letter cannot be rendered.
    """
    newsletter, issue = _waiting(site, name, memory)
    content = memory.load_content(issue.id)
    if content is None:
        raise FeedsError(f"{name} {issue.number} was composed by another version; `feeds cancel {name}` makes it anew")
    typesetter = IssueRenderer(site=site, newsletter=newsletter, number=issue.number, slot=issue.slot, seed=issue.seed)
    mailing = typesetter.render_issue(content, memory.load_preferences(name), copy_addresses(newsletter))
    send_checks.check_sendable(site, newsletter, issue.number - 1)
    if mailing is None:
        raise FeedsError(f"there is nobody to send {name} {issue.number} to")
    memory.approve(issue, mailing)
    return issue


def discard_waiting(site: Site, name: str, memory: Issues) -> Issue:
    """Forget the issue that waits, as if it had never been composed; return it.

    Raises:
        FeedsError: there is no such newsletter, or none of its issues waits.
    """
    _, issue = _waiting(site, name, memory)
    memory.cancel(issue.id)
    return issue


def find_waiting(memory: Issues, newsletter: str) -> Issue | None:
    """Return the issue of a newsletter that waits for somebody to approve it."""
    return next(
        (i for i in memory.load_issues() if i.newsletter == newsletter and i.state is IssueState.COMPOSED), None
    )


def _slot(site: Site, newsletter: Newsletter, options: PublishOptions, used: datetime | None) -> datetime | None:
    """Return the slot that is due, or this moment if somebody asks for an issue now."""
    if options.send == newsletter.name:
        return options.now.replace(microsecond=0)
    return due_slot(newsletter.schedule, site.zone(newsletter), options.now, used=used, catch_up=newsletter.catch_up)


def _waits(memory: Issues, newsletter: Newsletter, report: PublishReport) -> bool:
    """Return whether an issue waits for somebody to approve it, and report it: then no other one is composed."""
    found = find_waiting(memory, newsletter.name)
    if found is not None:
        report.issues.append(report_issue(found, IssueState.COMPOSED))
    return found is not None


def _waiting(site: Site, name: str, memory: Issues) -> tuple[Newsletter, Issue]:
    newsletter, issue = find_newsletter(site, name), find_waiting(memory, name)
    if issue is None:
        raise FeedsError(f"no issue of {name} waits for approval; `feeds issues` lists all")
    return newsletter, issue


def find_newsletter(site: Site, name: str) -> Newsletter:
    """Return a newsletter by its name.

    Raises:
        FeedsError: there is none of this name.
    """
    newsletter = next((n for n in site.settings.newsletters if n.name == name), None)
    if newsletter is None:
        names = ", ".join(n.name for n in site.settings.newsletters) or "none"
        raise FeedsError(f"there is no newsletter {name!r}; known here: {names}")
    return newsletter


def report_issue(issue: Issue, state: str) -> IssueReport:
    """Return an issue as a pass reports it."""
    return IssueReport(
        newsletter=issue.newsletter,
        number=issue.number,
        posts=issue.posts,
        recipients=issue.recipients,
        state=state,
    )


def copy_addresses(newsletter: Newsletter) -> list[tuple[str, str]]:
    """Return the addresses of `copy_to`, and how they are compared."""
    found = [addresses.parse_address(copy.address.addr_spec) for copy in newsletter.copy_to]
    return [(one.email, one.key) for one in found]


def _selection(
    site: Site, newsletter: Newsletter, found: Survey, memory: Issues, *, slot: datetime, number: int, first: bool
) -> Selection | None:
    """Return what the issue tells.

    Raises:
        FeedsError: the editor's note cannot be read or followed.
    """
    try:
        return select_entries(
            found.catalogue.entries,
            newsletter,
            slot=slot,
            announced=memory.announced_ids(newsletter.name),
            first=first,
            categories=site.settings.categories,
            note=_note(site, newsletter, memory, number),
        )
    except PostError as e:  # of the note, not of a post, which the others could do without
        raise FeedsError(str(e)) from e


def _note(site: Site, newsletter: Newsletter, memory: Issues, number: int) -> EditorNote | None:
    """Return the editor's note for an issue: that of its number, else `next.md` unless it was used before.

    Raises:
        PostError: it cannot be read.
    """
    place = f"letters/{newsletter.name}"
    for name in (f"{number}.md", "next.md"):
        path = f"{place}/{name}"
        if (site.config.folder / path).is_file():
            content = source_files.read_file(site.config.folder, path, MOST_NOTE_BYTES)
            found = notes.parse_note(path, parse_source(path, notes.ensure_front_matter(content)), content)
            if name != "next.md" or found.digest not in memory.note_digests(newsletter.name):
                return found
    return None
