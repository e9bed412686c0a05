"""Compose the issues that are due: which posts, which letters, for whom, frozen before anything leaves."""

from datetime import datetime

from msgspec.structs import replace

from feeds.core.newsletters import choose, notes
from feeds.core.posts import read
from feeds.core.schedule import due_slot
from feeds.core.subscribers import addresses
from feeds.edges import folder
from feeds.edges.store.memory import Memory, Plan
from feeds.errors import FeedsError, PostError
from feeds.jobs import gate
from feeds.jobs.letters import Typesetter
from feeds.jobs.report import IssueReport, Report, Wish
from feeds.jobs.site import Site
from feeds.jobs.survey import Survey
from feeds.model import Content, Issue, IssueState, Note, Selection
from feeds.settings import Newsletter

MOST_NOTE_BYTES = 100_000
#: Of what an issue's tokens are made of.
SEED_BYTES = 16


def compose(site: Site, newsletter: Newsletter, found: Survey, memory: Memory, wish: Wish, report: Report) -> None:
    """Freeze the issue that is due, if one is; in a dry run only report it.

    Raises:
        FeedsError: the letter cannot be rendered, or the editor's note cannot be followed; nothing was frozen.
        Changed, PostError: a post cannot be shown.
    """
    if _waits(memory, newsletter, report):
        return
    used, number = memory.last(newsletter.name)
    slot = _slot(site, newsletter, wish, used)
    if slot is None:
        return
    drafted = draft(site, newsletter, found, memory, slot, wish.chance(SEED_BYTES))
    if drafted is None:
        return
    typesetter, selection, content = drafted
    mailing = typesetter.mailing(content, memory.choices(newsletter.name), copies(newsletter))
    if mailing is None:
        return
    gate.check(site, newsletter, number)
    if wish.dry_run:
        due = IssueReport(
            newsletter=newsletter.name,
            number=number + 1,
            posts=len(selection.stories),
            recipients=memory.expected(newsletter.name, mailing),
            state="due",
        )
        report.issues.append(due)
        return
    if not (newsletter.approve or gate.ask(site, newsletter, memory, wish, mailing, number + 1)):
        return
    plan = Plan(
        newsletter=newsletter.name,
        number=number + 1,
        slot=slot,
        subject=typesetter.subject(selection),
        selection=selection,
        page=typesetter.page(content),
        content=content,
        seed=typesetter.seed,
        mailing=None if newsletter.approve else mailing,
        transport=site.settings.mail.transport,
    )
    if memory.freeze(plan, wish.clock()):
        _waits(memory, newsletter, report)


def draft(
    site: Site, newsletter: Newsletter, found: Survey, memory: Memory, slot: datetime, seed: bytes
) -> tuple[Typesetter, Selection, Content] | None:
    """Return what an issue for *slot* would tell, as far as a letter holds it; None where there is nothing to tell.

    Raises:
        FeedsError: the letter cannot be rendered, or the editor's note cannot be followed.
        Changed, PostError: a post cannot be shown.
    """
    used, number = memory.last(newsletter.name)
    selection = _selection(site, newsletter, found, memory, slot=slot, number=number + 1, first=used is None)
    if selection is None:
        return None
    texts = {e.post.path: found.text(e.post) for e in (*selection.stories, *selection.also)}
    typesetter = Typesetter(site=site, newsletter=newsletter, number=number + 1, slot=slot, seed=seed)
    told, _ = typesetter.letter(Content(selection=selection, texts=texts))
    return typesetter, told, Content(selection=replace(told, passed_over=()), texts=texts)


def approve(site: Site, name: str, memory: Memory) -> Issue:
    """Freeze the recipients and letters of the issue that waits; return it.

    Raises:
        FeedsError: there is no such newsletter, or none of its issues waits; a letter cannot be rendered.
    """
    newsletter, issue = _waiting(site, name, memory)
    content = memory.content(issue.id)
    if content is None:
        raise FeedsError(f"{name} {issue.number} was composed by another version; `feeds cancel {name}` makes it anew")
    typesetter = Typesetter(site=site, newsletter=newsletter, number=issue.number, slot=issue.slot, seed=issue.seed)
    mailing = typesetter.mailing(content, memory.choices(name), copies(newsletter))
    gate.check(site, newsletter, issue.number - 1)
    if mailing is None:
        raise FeedsError(f"there is nobody to send {name} {issue.number} to")
    memory.approve(issue, mailing)
    return issue


def cancel(site: Site, name: str, memory: Memory) -> Issue:
    """Forget the issue that waits, as if it had never been composed; return it.

    Raises:
        FeedsError: there is no such newsletter, or none of its issues waits.
    """
    _, issue = _waiting(site, name, memory)
    memory.cancel(issue.id)
    return issue


def waiting(memory: Memory, newsletter: str) -> Issue | None:
    """Return the issue of a newsletter that waits for somebody to approve it."""
    return next((i for i in memory.issues() if i.newsletter == newsletter and i.state is IssueState.COMPOSED), None)


def _slot(site: Site, newsletter: Newsletter, wish: Wish, used: datetime | None) -> datetime | None:
    """Return the slot that is due, or this moment if somebody asks for an issue now."""
    if wish.send == newsletter.name:
        return wish.now.replace(microsecond=0)
    return due_slot(newsletter.schedule, site.zone(newsletter), wish.now, used=used, catch_up=newsletter.catch_up)


def _waits(memory: Memory, newsletter: Newsletter, report: Report) -> bool:
    """Return whether an issue waits for somebody to approve it, and report it: then no other one is composed."""
    found = waiting(memory, newsletter.name)
    if found is not None:
        report.issues.append(reported(found, IssueState.COMPOSED))
    return found is not None


def _waiting(site: Site, name: str, memory: Memory) -> tuple[Newsletter, Issue]:
    newsletter, issue = known(site, name), waiting(memory, name)
    if issue is None:
        raise FeedsError(f"no issue of {name} waits for approval; `feeds issues` lists all")
    return newsletter, issue


def known(site: Site, name: str) -> Newsletter:
    """Return a newsletter by its name.

    Raises:
        FeedsError: there is none of this name.
    """
    newsletter = next((n for n in site.settings.newsletters if n.name == name), None)
    if newsletter is None:
        names = ", ".join(n.name for n in site.settings.newsletters) or "none"
        raise FeedsError(f"there is no newsletter {name!r}; known here: {names}")
    return newsletter


def reported(issue: Issue, state: str) -> IssueReport:
    """Return an issue as a pass reports it."""
    return IssueReport(
        newsletter=issue.newsletter,
        number=issue.number,
        posts=issue.posts,
        recipients=issue.recipients,
        state=state,
    )


def copies(newsletter: Newsletter) -> list[tuple[str, str]]:
    """Return the addresses of `copy_to`, and how they are compared."""
    found = [addresses.parse(copy.address.addr_spec) for copy in newsletter.copy_to]
    return [(one.email, one.key) for one in found]


def _selection(
    site: Site, newsletter: Newsletter, found: Survey, memory: Memory, *, slot: datetime, number: int, first: bool
) -> Selection | None:
    """Return what the issue tells.

    Raises:
        FeedsError: the editor's note cannot be read or followed.
    """
    try:
        return choose.choose(
            found.catalogue.entries,
            newsletter,
            slot=slot,
            announced=memory.announced(newsletter.name),
            first=first,
            categories=site.settings.categories,
            note=_note(site, newsletter, memory, number),
        )
    except PostError as e:  # of the note, not of a post, which the others could do without
        raise FeedsError(str(e)) from e


def _note(site: Site, newsletter: Newsletter, memory: Memory, number: int) -> Note | None:
    """Return the editor's note for an issue: that of its number, else `next.md` unless it was used before.

    Raises:
        PostError: it cannot be read.
    """
    place = f"letters/{newsletter.name}"
    for name in (f"{number}.md", "next.md"):
        path = f"{place}/{name}"
        if (site.config.folder / path).is_file():
            content = folder.read(site.config.folder, path, MOST_NOTE_BYTES)
            found = notes.note(path, read.source(path, notes.with_fence(content)), content)
            if name != "next.md" or found.digest not in memory.notes(newsletter.name):
                return found
    return None
