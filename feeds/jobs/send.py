"""Compose the issues that are due, and bring those that are frozen to everybody they are for."""

from collections.abc import Callable
from datetime import datetime
from email.headerregistry import Address

from msgspec.structs import replace

from feeds.core.newsletters import choose, mailhtml, message, notes, view
from feeds.core.newsletters.words import direction
from feeds.core.posts import markdown, read
from feeds.core.schedule import due_slot
from feeds.core.subscribers import addresses
from feeds.edges import folder, mjml
from feeds.edges.store.memory import Memory, Plan, Recipient
from feeds.errors import FeedsError, PostError
from feeds.jobs.report import IssueReport, Report, Wish
from feeds.jobs.site import Site
from feeds.jobs.survey import Survey
from feeds.model import Delivery, DeliveryState, Issue, IssueState, Letter, Note, Selection, Text
from feeds.settings import Newsletter, Sender

#: How often a letter that is too long is made shorter; each time it comes nearer.
_ATTEMPTS = 8
_MOST_NOTE_BYTES = 100_000


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
    selection = _selection(site, newsletter, found, memory, slot=slot, number=number + 1, first=used is None)
    to = _recipients(site, newsletter, memory, number + 1) if selection else []
    if selection is None or not to:
        return
    selection, letter = _letter(site, newsletter, selection, found, number=number + 1, slot=slot)
    if wish.dry_run:
        due = IssueReport(
            newsletter=newsletter.name,
            number=number + 1,
            posts=len(selection.stories),
            recipients=len(to),
            state="due",
        )
        report.issues.append(due)
        return
    plan = Plan(
        newsletter=newsletter.name,
        number=number + 1,
        slot=slot,
        selection=selection,
        letters=[letter],
        recipients=[] if newsletter.approve else to,
        approved=not newsletter.approve,
    )
    if memory.freeze(plan, wish.clock()):
        _waits(memory, newsletter, report)


def _slot(site: Site, newsletter: Newsletter, wish: Wish, used: datetime | None) -> datetime | None:
    """Return the slot that is due, or this moment if somebody asks for an issue now."""
    if wish.send == newsletter.name:
        return wish.now.replace(microsecond=0)
    return due_slot(newsletter.schedule, site.zone(newsletter), wish.now, used=used, catch_up=newsletter.catch_up)


def trial(site: Site, name: str, recipient: str, found: Survey, memory: Memory, wish: Wish) -> str:
    """Make the next issue of a newsletter as if it were due now, for one address; return where it lies.

    Nothing is written down: the issue that readers get will tell the same.

    Raises:
        FeedsError: there is no such newsletter, or nothing to tell.
        AddressError: mail could not be sent there.
    """
    newsletter, address = known(site, name), addresses.parse(recipient)
    letter = next_letter(site, newsletter, found, memory, wish)
    if letter is None:
        raise FeedsError(f"{name} has nothing to tell: fewer than {newsletter.min_posts} posts since the last issue")
    _, number = memory.last(name)
    envelope = _envelope(site, newsletter, number + 1)
    delivery = Delivery(
        id=0,
        recipient=address.email,
        lang=letter.lang,
        state=DeliveryState.READY,
        message_id=message.message_id(envelope, f"test {wish.clock().isoformat()} {address.key}"),
        handed_over_at=wish.clock(),
        copy=True,
    )
    content = message.message(envelope, letter, delivery)
    return site.outbox.hand_over(f"test/{name}", number + 1, address.email, content)


def next_letter(site: Site, newsletter: Newsletter, found: Survey, memory: Memory, wish: Wish) -> Letter | None:
    """Return the letter that would go out if an issue were due now; None where there is nothing to tell.

    Raises:
        FeedsError: it cannot be composed.
    """
    used, number = memory.last(newsletter.name)
    slot = wish.now.replace(microsecond=0)
    selection = _selection(site, newsletter, found, memory, slot=slot, number=number + 1, first=used is None)
    if selection is None:
        return None
    _, letter = _letter(site, newsletter, selection, found, number=number + 1, slot=slot)
    return letter


def _waits(memory: Memory, newsletter: Newsletter, report: Report) -> bool:
    """Return whether an issue waits for somebody to approve it, and report it: then no other one is composed."""
    waiting = next((i for i in memory.issues() if _is_waiting(i, newsletter.name)), None)
    if waiting is not None:
        report.issues.append(_reported(waiting, IssueState.COMPOSED))
    return waiting is not None


def _is_waiting(issue: Issue, newsletter: str) -> bool:
    return issue.newsletter == newsletter and issue.state is IssueState.COMPOSED


def approve(site: Site, name: str, memory: Memory) -> Issue:
    """Freeze the recipients of the issue that waits; return it.

    Raises:
        FeedsError: there is no such newsletter, or none of its issues waits.
    """
    newsletter, issue = _waiting(site, name, memory)
    memory.approve(issue.id, _recipients(site, newsletter, memory, issue.number))
    return issue


def cancel(site: Site, name: str, memory: Memory) -> Issue:
    """Forget the issue that waits, as if it had never been composed; return it.

    Raises:
        FeedsError: there is no such newsletter, or none of its issues waits.
    """
    _, issue = _waiting(site, name, memory)
    memory.cancel(issue.id)
    return issue


def _waiting(site: Site, name: str, memory: Memory) -> tuple[Newsletter, Issue]:
    newsletter = known(site, name)
    issue = next((i for i in memory.issues() if _is_waiting(i, name)), None)
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


def finish(site: Site, memory: Memory, wish: Wish, report: Report) -> None:
    """Bring every issue that is on its way to its end."""
    for issue in memory.issues(unfinished=True):
        try:
            _finish_one(site, issue, memory, wish)
            state = IssueState.SENT
        except FeedsError as e:
            report.errors.append(f"{issue.newsletter} {issue.number}: {e}")
            state = IssueState.SENDING
        report.issues.append(_reported(issue, state))


def _reported(issue: Issue, state: IssueState) -> IssueReport:
    return IssueReport(
        newsletter=issue.newsletter,
        number=issue.number,
        posts=issue.posts,
        recipients=issue.recipients,
        state=state,
    )


def restore_pages(site: Site, memory: Memory, report: Report) -> None:
    """Write the archive pages that are missing or have a new neighbour; `finish` has seen to issues on their way."""
    named = {n.name: n for n in site.settings.newsletters}
    sent = [issue for issue in memory.issues() if issue.newsletter in named and issue.state is IssueState.SENT]
    newest = {issue.newsletter: issue.number for issue in sent}
    for issue in sent:
        has_new_neighbour = issue.number == newest[issue.newsletter] - 1
        if has_new_neighbour or not site.public.has(_page_path(issue)):
            try:
                _write_page(site, named[issue.newsletter], issue, memory)
            except FeedsError as e:
                report.errors.append(str(e))


def _write_page(site: Site, newsletter: Newsletter, issue: Issue, memory: Memory) -> None:
    if newsletter.archive != "off":
        page = next(iter(memory.letters(issue.id).values())).page
        links = _neighbours(site, newsletter, issue, memory)
        site.public.write(_page_path(issue), view.with_neighbours(page, site.words(newsletter), links).encode())


def _neighbours(site: Site, newsletter: Newsletter, issue: Issue, memory: Memory) -> dict[str, str]:
    """Return the addresses of other issues, by the text that says which; none where the archive is not listed."""
    if newsletter.archive != "public":
        return {}
    numbers = {
        i.number for i in memory.issues() if i.newsletter == newsletter.name and i.state is not IssueState.COMPOSED
    }
    beside = {"previous_issue": issue.number - 1, "next_issue": issue.number + 1}
    found = {name: _page_url(site, newsletter, number) for name, number in beside.items() if number in numbers}
    found["all_issues"] = site.public_url(f"newsletters/{newsletter.name}/")
    return {name: url for name, url in found.items() if url}


def _page_path(issue: Issue) -> str:
    return f"newsletters/{issue.newsletter}/{issue.number}/index.html"


def _finish_one(site: Site, issue: Issue, memory: Memory, wish: Wish) -> None:
    newsletter = next((n for n in site.settings.newsletters if n.name == issue.newsletter), None)
    if newsletter is None:
        raise FeedsError("is on its way, but config.toml has no such newsletter any more; put it back to finish it")
    letters = memory.letters(issue.id)
    _write_page(site, newsletter, issue, memory)
    site.outbox.sweep(issue.newsletter, issue.number)
    envelope = _envelope(site, newsletter, issue.number)
    waiting = memory.waiting(issue.id)
    for done, delivery in enumerate(waiting, 1):
        stamped = memory.hand_over(delivery.id, wish.clock())
        content = message.message(envelope, letters[delivery.lang], stamped)
        answer = site.outbox.hand_over(issue.newsletter, issue.number, delivery.recipient, content)
        memory.sent(delivery.id, wish.clock(), answer)
        wish.progress(f"Sending {issue.newsletter} {issue.number}", done, len(waiting))
    memory.finish(issue.id)


def _recipients(site: Site, newsletter: Newsletter, memory: Memory, number: int) -> list[Recipient]:
    """Return who the issue goes to: active readers, then `copy_to`; nobody twice."""
    envelope = _envelope(site, newsletter, number)
    lang = newsletter.language or site.settings.site.language
    readers = memory.subscribers(newsletter=newsletter.name, active=True)
    copies = [addresses.parse(copy.address.addr_spec) for copy in newsletter.copy_to]
    everybody = [*((s.email, s.key, s.id) for s in readers), *((c.email, c.key, None) for c in copies)]
    found: dict[str, Recipient] = {}
    for email, key, subscriber_id in everybody:
        identity = message.message_id(envelope, key)
        recipient = Recipient(email=email, key=key, message_id=identity, lang=lang, subscriber_id=subscriber_id)
        found.setdefault(key, recipient)
    return list(found.values())


# What it tells ----------------------------------------------------------------------------------------------------


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
            content = folder.read(site.config.folder, path, _MOST_NOTE_BYTES)
            found = notes.note(path, read.source(path, notes.with_fence(content)), content)
            if name != "next.md" or found.digest not in memory.notes(newsletter.name):
                return found
    return None


# How it looks -----------------------------------------------------------------------------------------------------


def _letter(
    site: Site, newsletter: Newsletter, selection: Selection, found: Survey, *, number: int, slot: datetime
) -> tuple[Selection, Letter]:
    """Return the issue rendered, and what it tells: what would make it too long for mail programs is left for later."""
    texts = {e.post.path: found.text(e.post) for e in (*selection.stories, *selection.also)}

    def rendered(told: Selection, most: int) -> Letter:
        return _rendered(site, newsletter, told, texts, number=number, slot=slot, most=most)

    return _fitting(selection, rendered, whole=newsletter.template == "letter")


def _fitting(
    selection: Selection, rendered: Callable[[Selection, int], Letter], *, whole: bool
) -> tuple[Selection, Letter]:
    """Return a letter that mail programs show whole: a post is cut between paragraphs, a digest tells of fewer."""
    most, told = message.MOST_BYTES, selection
    letter = rendered(told, most)
    for _ in range(_ATTEMPTS):
        size = message.weight(letter.html)
        if size < message.MOST_BYTES:
            break
        if whole and most > message.MOST_BYTES // 4:
            most = int(most * min(0.9, 0.98 * message.MOST_BYTES / size))
        else:
            told = _fewer(told, message.MOST_BYTES / size)
        letter = rendered(told, most)
    return told, letter


def _fewer(told: Selection, part: float) -> Selection:
    """Return an issue that tells of fewer posts; they are listed by title, as far as there is room, or wait."""
    stories = max(1, min(int(len(told.stories) * part), len(told.stories) - 1))
    moved = (*told.stories[stories:], *told.also)[: choose.MOST_LISTED]
    passed = () if not told.passed_over else (*told.stories[stories:], *told.passed_over)
    return replace(told, stories=told.stories[:stories], also=() if passed else moved, passed_over=passed)


def _rendered(
    site: Site,
    newsletter: Newsletter,
    selection: Selection,
    texts: dict[str, Text],
    *,
    number: int,
    slot: datetime,
    most: int,
) -> Letter:
    """Return the letter; of a whole post at most so many bytes."""
    words = site.words(newsletter)
    envelope = _envelope(site, newsletter, number)
    template, parts = f"{newsletter.template}.mjml", site.templates.parts("letter")
    spliced, cut = _spliced(site, newsletter, selection, texts, most)

    def render(name: str, *, web: bool) -> str:
        seen = view.letter_view(
            selection,
            texts,
            words,
            site.settings,
            newsletter=newsletter,
            number=number,
            slot=slot,
            web_url=_page_url(site, newsletter, number),
            unsubscribe_url=None if web else envelope.leave_url,
            cut=cut and not web,
        )
        return site.templates.render(name, {"letter": seen, "t": words.plain})

    def compiled(*, web: bool) -> str:
        return mjml.compile(render(template, web=web), site.templates.path(template), parts, spliced[web])

    return Letter(
        lang=words.lang,
        subject=view.subject(selection),
        html=compiled(web=False),
        text=render(f"{newsletter.template}.txt", web=False),
        page=compiled(web=True),
        entry=render("pages/issue.html", web=True),
    )


def _spliced(
    site: Site, newsletter: Newsletter, selection: Selection, texts: dict[str, Text], most: int
) -> tuple[dict[bool, dict[str, str]], bool]:
    """Return the HTML of note and post, for mail and for the web, and whether mail has less of it."""
    words = site.words(newsletter)
    look, lead, note = _look(newsletter, words.lang), selection.stories[0], selection.note
    said = mailhtml.mail_html(note.html, site.settings.site.url, look) if note and note.html else ""
    paid = markdown.to_html(newsletter.sponsor) if newsletter.sponsor else ""
    paid = mailhtml.mail_html(paid, site.settings.site.url, look) if paid else ""
    whole = ""
    if newsletter.template == "letter":
        dressed = mailhtml.mail_html(texts[lead.post.path].html, lead.post.url, _look(newsletter, lead.post.lang))
        whole = view.said(dressed)
    short, cut = mailhtml.shortened(whole, most)
    return {
        web: {view.NOTE: said, view.SPONSOR: paid, view.BODY: whole if web else short} for web in (False, True)
    }, cut


def _look(newsletter: Newsletter, lang: str) -> mailhtml.Look:
    return mailhtml.Look(accent=newsletter.theme.accent, start="right" if direction(lang) == "rtl" else "left")


def _page_url(site: Site, newsletter: Newsletter, number: int) -> str | None:
    if newsletter.archive == "off":
        return None
    return site.public_url(f"newsletters/{newsletter.name}/{number}/")


def _envelope(site: Site, newsletter: Newsletter, number: int) -> message.Envelope:
    mail, host = site.settings.mail, site.settings.site.host
    listed = newsletter.archive == "public"
    return message.Envelope(
        newsletter=newsletter,
        number=number,
        sender=mail.sender or Sender(Address(site.settings.site.name, newsletter.name, host)),
        reply_to=mail.reply_to,
        zone=site.zone(newsletter),
        archive_url=site.settings.feeds_url if listed else None,
    )
