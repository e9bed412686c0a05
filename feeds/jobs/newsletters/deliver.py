"""Send the issues that are frozen to their recipients."""

import gc
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

import msgspec

from feeds.core.newsletters import message, replies, tokens
from feeds.core.newsletters.message import EncodedLetter, IssueHeaders, MessageBuilder
from feeds.core.schedule import next_slot
from feeds.display import format_count, format_time
from feeds.edges.files.keys import load_keys
from feeds.edges.process.signals import stop_requested
from feeds.edges.store.database import Store
from feeds.edges.store.issues import Issues
from feeds.errors import FeedsError, LockedError, SenderRejected
from feeds.jobs.context import Context
from feeds.jobs.feeds import deploy
from feeds.jobs.newsletters import issue_pages, send_checks
from feeds.jobs.newsletters.compose import report_issue
from feeds.jobs.newsletters.issue_queue import IssueQueue, SendOptions
from feeds.jobs.newsletters.issue_renderer import IssueRenderer
from feeds.jobs.newsletters.limits import FirstBatch, SendLimits
from feeds.jobs.report import IssueReport, PublishReport
from feeds.jobs.site import Site
from feeds.jobs.store.journal import append_pending
from feeds.jobs.store.site_store import open_site_store
from feeds.jobs.subscribers import bounces
from feeds.model import Delivery, DeliveryState, Issue, IssueState
from feeds.settings import Newsletter

#: How often a delivery is sent again if the transport keeps one copy of it only.
_ALWAYS = 1_000_000


def deliver_issues(site: Site, context: Context, report: PublishReport) -> None:
    """Send every unfinished issue as far as servers and limits allow, or until the context asks to stop.

    Only one process of a site sends; it may take hours. A second process reports the issues as being sent and leaves
    them to the first, which looks for more issues before it ends.
    """
    gc.enable()  # Commands disable the garbage collector because they are short; this one may run for hours.
    with stop_requested() as is_signalled, open_site_store(site.config) as store:
        is_asked = context.stopping
        context = replace(context, stopping=lambda: is_signalled() or is_asked())
        tried: set[int] = set()
        # The loop looks again once the lock is free: other processes left their issues to this one.
        while issues := [issue for issue in store.issues.load_issues(unfinished=True) if issue.id not in tried]:
            tried.update(issue.id for issue in issues)
            try:
                with store.lock("sending"):
                    _append_journal(site, store, report)  # before anything of an issue is sent
                    _send_all(site, issues, store, context, report)
                    _append_journal(site, store, report)
            except LockedError:
                report.issues += [report_issue(issue, IssueState.SENDING) for issue in issues]


def _append_journal(site: Site, store: Store, report: PublishReport) -> None:
    try:
        append_pending(site.config, store)
    except FeedsError as e:
        report.errors.append(str(e))


def _send_all(site: Site, issues: Iterable[Issue], store: Store, context: Context, report: PublishReport) -> None:
    for issue in issues:
        state: str = IssueState.SENDING
        try:
            state = _send_issue(site, issue, store, context, report)
        except FeedsError as e:
            lines = report.later if e.exit_code == PublishReport.LATER else report.errors
            lines.append(f"{issue.newsletter} {issue.number}: {e}")
            _note_next_try(report, store.delays.next_server_at(issue.id))
        report.issues.append(_report_sending(site, issue, state, store))


def _report_sending(site: Site, issue: Issue, state: str, store: Store) -> IssueReport:
    """Return the report of an issue with the numbers of its deliveries."""
    counts = store.deliveries.count_states(issue.id)
    name = f" --newsletter {issue.newsletter}" if len(site.settings.newsletters) > 1 else ""
    return replace(
        report_issue(issue, state),
        sent=counts[DeliveryState.SENT],
        refused=counts[DeliveryState.FAILED],
        cancelled=counts[DeliveryState.CANCELLED],
        command=f"feeds issues {issue.number} --recipients{name}",
    )


def _send_issue(site: Site, issue: Issue, store: Store, context: Context, report: PublishReport) -> str:
    """Send the deliveries that are due; return the state of the issue: sent, sending, or waiting for the site.

    Raises:
        FeedsError: the issue cannot be sent.
    """
    newsletter = next((n for n in site.settings.newsletters if n.name == issue.newsletter), None)
    if newsletter is None:
        raise FeedsError("is being sent, but config.toml has no such newsletter any more; add it again to finish")
    if issue.halt_reason:
        raise SenderRejected(f"is halted: {issue.halt_reason}; `feeds resume {issue.newsletter}` resumes it")
    if not (store.deliveries.has_begun(issue.id) or _is_online(site, newsletter, issue, store, report)):
        return "waiting"
    renderer = IssueRenderer(
        site=site, newsletter=newsletter, number=issue.number, slot=issue.slot, composed_at=issue.date, seed=issue.seed
    )
    builders = _message_builders(site, renderer.headers, issue, store.issues)
    resend = _ALWAYS if site.transport.idempotent else int(site.settings.mail.on_unknown == "resend")
    limits = SendLimits(site, store.deliveries, context)

    def process_refusals() -> None:
        report.warnings += bounces.decide_refusals(
            store.bounces, issue.id, context.clock(), site.settings.site.timezone
        )

    options = SendOptions(
        resend=resend,
        longest=min(replies.LONGEST, _period(newsletter, site, issue.slot) / 2),
        every=1,
        limits=limits,
        unsubscribe_token=unsubscribe_tokens(site, renderer.headers),
        process_refusals=process_refusals,
    )
    try:
        with store.deliveries.bulk_mode():
            store.deliveries.recover(issue.id)
            _send_batches(site, issue, store, report, builders=builders, context=context, options=options)
    finally:
        process_refusals()
    zone = site.settings.site.timezone
    return IssueState.SENT if _is_done(issue, store, resend, limits, report, zone) else IssueState.SENDING


def _send_batches(
    site: Site,
    issue: Issue,
    store: Store,
    report: PublishReport,
    *,
    builders: dict[int, MessageBuilder],
    context: Context,
    options: SendOptions,
) -> None:
    """Send the first batch, if the settings ask for one, and the rest once the first batch allows it.

    Raises:
        SenderRejected, MailServerUnavailable: nothing more can be sent now.
    """
    first_batch = FirstBatch(site, issue, store.deliveries, context)
    while every := first_batch.sampling(report):
        with IssueQueue(issue, store, builders, context, replace(options, every=every)) as queue:
            site.transport.run(queue)
        if every == 1 or context.stopping() or options.limits.until:
            break


def _is_online(site: Site, newsletter: Newsletter, issue: Issue, store: Store, report: PublishReport) -> bool:
    """Return whether the web shows the posts and the page of an issue; report what it waits for.

    A pending deployment is not reported here: the publish run has done so.

    Raises:
        FeedsError: the page is not in the public folder.
    """
    if deploy.is_deploy_pending(site, store.feeds):
        return False
    if issue_pages.is_page_missing(site, newsletter, issue):
        raise FeedsError(f"its page {issue_pages.issue_page_path(issue)} is missing; the next publish writes it")
    missing = send_checks.pages_missing_online(site, newsletter, issue, store.issues.load_content(issue.id))
    if missing:
        report.later.append(f"{issue.newsletter} {issue.number}: {missing}")
    return not missing


def _is_done(issue: Issue, store: Store, resend: int, limits: SendLimits, report: PublishReport, zone: tzinfo) -> bool:
    """Finish the issue if no delivery is pending or held, else report how many are; return whether it is finished."""
    number, next_at, held = store.deliveries.pending(issue.id, resend=resend)
    name = f"{issue.newsletter} {issue.number}"
    if number:
        next_at = limits.until or next_at
        when = f"; the next try is due at {format_time(next_at, zone)}" if next_at else ""
        of = f"of {format_count(issue.recipients, 'delivery', 'deliveries')}"
        report.later.append(f"{name}: {format_count(number, f'{of} waits', f'{of} wait')}{when}")
        _note_next_try(report, next_at)
        return False
    if held:
        remedy = f"`feeds resume {issue.newsletter}` sends {'it' if held == 1 else 'them'} again"
        may_have = format_count(held, "delivery may have arrived and is", "deliveries may have arrived and are")
        report.warnings.append(f"{name}: {may_have} held; {remedy}")
        return False
    store.issues.finish(issue.id)
    return True


def _note_next_try(report: PublishReport, at: datetime | None) -> None:
    report.next_try_at = min(filter(None, [report.next_try_at, at]), default=None)


def _message_builders(site: Site, headers: IssueHeaders, issue: Issue, issues: Issues) -> dict[int, MessageBuilder]:
    """Return the builder of each letter's messages by the letter's id; a letter is encoded once and stays as it is."""
    builders = {}
    for letter_id, letter in issues.load_letters(issue.id).items():
        encoded = issues.load_encoded(letter_id)
        if encoded is None:
            encoded = msgspec.json.encode(message.encode_letter(headers, letter))
            issues.save_encoded(letter_id, encoded)
        decoded = msgspec.json.decode(encoded, type=EncodedLetter)
        builders[letter_id] = MessageBuilder(headers, decoded, site.signer(headers.domain))
    return builders


def unsubscribe_tokens(site: Site, headers: IssueHeaders) -> Callable[[Delivery], str]:
    """Return a function that makes the unsubscribe token of a delivery; empty if a person reads all those requests."""
    if headers.bounces is None and headers.web_url is None:
        return lambda _: ""
    key_id, key = load_keys(site.config.keys_file).current_unsubscribe_key
    name = headers.newsletter.name
    return lambda delivery: tokens.unsubscribe_token(key_id, key, delivery.subscriber_id or 0, name)


def _period(newsletter: Newsletter, site: Site, slot: datetime) -> timedelta:
    """Return the time between the two slots after *slot*."""
    zone = site.zone(newsletter)
    following = next_slot(newsletter.schedule, zone, slot)
    return next_slot(newsletter.schedule, zone, following) - following
