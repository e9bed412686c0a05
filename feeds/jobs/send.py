"""Compose the issues that are due, and bring those that are frozen to everybody they are for."""

from datetime import datetime
from email.headerregistry import Address

from feeds.core.newsletters import choose, message, view
from feeds.core.schedule import due_slot
from feeds.core.subscribers import addresses
from feeds.edges import mjml
from feeds.edges.store.memory import Memory, Plan, Recipient
from feeds.errors import FeedsError
from feeds.jobs.report import IssueReport, Report, Wish
from feeds.jobs.site import Site
from feeds.jobs.survey import Survey
from feeds.model import Issue, IssueState, Letter, Selection
from feeds.settings import Newsletter, Sender


def compose(site: Site, newsletter: Newsletter, found: Survey, memory: Memory, wish: Wish, report: Report) -> None:
    """Freeze the issue that is due, if one is; in a dry run only report it.

    Raises:
        TemplateError: the letter cannot be rendered; nothing was frozen.
        Changed, PostError: a post cannot be shown.
    """
    if newsletter.approve:
        return  # the config's warning says so: nobody could approve it yet
    used, number = memory.last(newsletter.name)
    slot = due_slot(newsletter.schedule, site.zone(newsletter), wish.now, used=used, catch_up=newsletter.catch_up)
    if slot is None:
        return
    selection = choose.choose(
        found.catalogue.entries,
        newsletter,
        slot=slot,
        announced=memory.announced(newsletter.name),
        first=used is None,
        categories=site.settings.categories,
    )
    to = _recipients(site, newsletter, memory, number + 1) if selection else []
    if selection is None or not to:
        return
    letter = _letter(site, newsletter, selection, found, number=number + 1, slot=slot)
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
        recipients=to,
    )
    memory.freeze(plan, wish.clock())


def finish(site: Site, memory: Memory, wish: Wish, report: Report) -> None:
    """Bring every issue that is on its way to its end."""
    for issue in memory.issues(unfinished=True):
        try:
            _finish_one(site, issue, memory, wish)
            state = IssueState.SENT
        except FeedsError as e:
            report.errors.append(f"{issue.newsletter} {issue.number}: {e}")
            state = IssueState.SENDING
        report.issues.append(
            IssueReport(
                newsletter=issue.newsletter,
                number=issue.number,
                posts=issue.posts,
                recipients=issue.recipients,
                state=state,
            ),
        )


def restore_pages(site: Site, memory: Memory, report: Report) -> None:
    """Write the archive pages that are missing, as they were sent; `finish` has seen to issues on their way."""
    named = {n.name: n for n in site.settings.newsletters}
    for issue in memory.issues():
        lost = issue.state is IssueState.SENT and site.public.read(_page_path(issue)) is None
        if lost and issue.newsletter in named:
            try:
                _write_page(site, named[issue.newsletter], issue, memory)
            except FeedsError as e:
                report.errors.append(str(e))


def _write_page(site: Site, newsletter: Newsletter, issue: Issue, memory: Memory) -> None:
    if newsletter.archive != "off":
        page = next(iter(memory.letters(issue.id).values())).page
        site.public.write(_page_path(issue), page.encode())


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


def _letter(
    site: Site, newsletter: Newsletter, selection: Selection, found: Survey, *, number: int, slot: datetime
) -> Letter:
    texts = {e.post.path: found.text(e.post) for e in (*selection.stories, *selection.also)}
    words = site.words(newsletter)
    envelope = _envelope(site, newsletter, number)

    def rendered(name: str, *, web: bool) -> str:
        seen = view.letter_view(
            selection,
            texts,
            words,
            site.settings,
            title=newsletter.heading,
            number=number,
            slot=slot,
            web_url=_page_url(site, newsletter, number),
            unsubscribe_url=None if web else envelope.leave_url,
        )
        return site.templates.render(name, {"letter": seen, "t": words.plain})

    path = site.templates.path("digest.mjml")
    return Letter(
        lang=words.lang,
        subject=selection.stories[0].post.title,
        html=mjml.compile(rendered("digest.mjml", web=False), path),
        text=rendered("digest.txt", web=False),
        page=mjml.compile(rendered("digest.mjml", web=True), path),
        entry=rendered("pages/issue.html", web=True),
    )


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
