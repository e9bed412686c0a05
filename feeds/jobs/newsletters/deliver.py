"""Bring issues that are frozen to everybody they are for."""

import gc
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Self

import msgspec

from feeds.core.newsletters import message, replies, tokens
from feeds.core.newsletters.message import EncodedLetter, IssueHeaders, MessageBuilder
from feeds.core.newsletters.replies import ReplyAction
from feeds.core.schedule import next_slot
from feeds.edges.files.keys import load_keys
from feeds.edges.mail.transport import OutgoingMail, Replied, Unconfirmed
from feeds.edges.process import lock
from feeds.edges.process.signals import stop_requested
from feeds.edges.store import database
from feeds.edges.store.database import Store, open_store
from feeds.edges.store.deliveries import Deliveries
from feeds.edges.store.issues import Issues
from feeds.errors import FeedsError, LockedError, SenderRejected
from feeds.jobs.context import Context
from feeds.jobs.feeds import deploy
from feeds.jobs.newsletters import issue_pages, send_checks
from feeds.jobs.newsletters.compose import report_issue
from feeds.jobs.newsletters.issue_renderer import IssueRenderer
from feeds.jobs.newsletters.limits import FirstBatch, SendLimits
from feeds.jobs.report import PublishReport
from feeds.jobs.site import Site
from feeds.jobs.store.journal import append_pending
from feeds.jobs.subscribers import bounces
from feeds.model import Delivery, DeliveryOutcome, DeliveryState, Issue, IssueState
from feeds.settings import Newsletter

#: Gives a reader's own token for leaving.
Leave = Callable[[Delivery], str]
#: How many deliveries a sender leases at a time.
_AT_ONCE = 256
#: How often something that can be handed over twice without harm is.
_ALWAYS = 1_000_000
#: After how many refusals in a row that are about us nobody else is asked.
_CLUSTER = 20
#: How long to wait before something that may have arrived is handed over again.
_BREATH = timedelta(minutes=5)
#: After how many refusals it is asked whether a domain is to blame.
_OFTEN = 50
#: Threads that put messages together: signing does not hold Python's lock.
_HANDS = 2


def deliver_issues(site: Site, context: Context, report: PublishReport) -> None:
    """Bring every issue that is on its way as near to its end as servers let it come, or until somebody says stop.

    One process sends, and it is not the one that publishes: it takes hours where servers want it so. Whoever comes
    second leaves it to the first, which looks for more before it ends.
    """
    gc.enable()  # a command collects nothing, since it is soon over; this one may last
    url, folder = site.settings.store.url, site.config.folder
    with stop_requested() as asked, open_store(url, folder) as store:
        patient = replace(context, stopping=lambda: asked() or context.stopping())
        tried: set[int] = set()
        # Looked at again when the lock is free: what came while we held it, nobody else has taken.
        while issues := [issue for issue in store.issues.load_issues(unfinished=True) if issue.id not in tried]:
            tried.update(issue.id for issue in issues)
            try:
                with lock.lock_sending(database.store_path(url, folder)):
                    _keep(site, store, report)  # before anything of an issue leaves
                    _finish_all(site, issues, store, patient, report)
                    _keep(site, store, report)
            except LockedError:
                report.issues += [report_issue(issue, IssueState.SENDING) for issue in issues]


def _keep(site: Site, store: Store, report: PublishReport) -> None:
    try:
        append_pending(site.config, store)
    except FeedsError as e:
        report.errors.append(str(e))


def _finish_all(site: Site, issues: Iterable[Issue], store: Store, context: Context, report: PublishReport) -> None:
    for issue in issues:
        state: str = IssueState.SENDING
        try:
            state = _finish_one(site, issue, store, context, report)
        except FeedsError as e:
            told = report.later if e.exit_code == PublishReport.LATER else report.errors
            told.append(f"{issue.newsletter} {issue.number}: {e}")
        report.issues.append(report_issue(issue, state))


def _finish_one(site: Site, issue: Issue, store: Store, context: Context, report: PublishReport) -> str:
    """Send what is to be sent now; return how far the issue has come: sent, sending, or waiting for the site."""
    newsletter = next((n for n in site.settings.newsletters if n.name == issue.newsletter), None)
    if newsletter is None:
        raise FeedsError("is on its way, but config.toml has no such newsletter any more; put it back to finish it")
    if issue.halt_reason:
        raise SenderRejected(f"is stopped: {issue.halt_reason}; `feeds resume {issue.newsletter}` goes on with it")
    if not (store.deliveries.has_begun(issue.id) or _is_shown(site, newsletter, issue, store, report)):
        return "waiting"
    typesetter = IssueRenderer(site=site, newsletter=newsletter, number=issue.number, slot=issue.slot, seed=issue.seed)
    found = message_builders(site, typesetter.headers, issue, store.issues)
    transport = site.transport
    resend = _ALWAYS if transport.idempotent else int(site.settings.mail.on_unknown == "resend")
    longest = min(replies.LONGEST, _period(newsletter, site, issue.slot) / 2)
    limits, leave = SendLimits(site, store.deliveries, context), _leave(site, typesetter.headers)

    def settle() -> None:
        report.warnings += bounces.decide_refusals(store.bounces, issue.id, context.clock())

    try:
        with store.deliveries.bulk_mode():
            store.deliveries.recover(issue.id)
            first = FirstBatch(site, issue, store.deliveries, context)
            while every := first.sampling(report):
                terms = _SendOptions(
                    resend=resend, longest=longest, every=every, limits=limits, leave=leave, process_bounces=settle
                )
                with _DeliveryQueue(issue, store.deliveries, found, context, terms) as desk:
                    transport.run(desk)
                if every == 1 or context.stopping() or limits.until:
                    break
    finally:
        settle()
    return IssueState.SENT if _is_done(issue, store, resend, limits, report) else IssueState.SENDING


def _is_shown(site: Site, newsletter: Newsletter, issue: Issue, store: Store, report: PublishReport) -> bool:
    """Return whether the web shows what an issue tells; say what it waits for, if that is not said elsewhere.

    Raises:
        FeedsError: its page was not written.
    """
    if deploy.is_deploy_pending(site, store.feeds):
        return False
    if issue_pages.is_page_missing(site, newsletter, issue):
        raise FeedsError(f"its page {issue_pages.issue_page_path(issue)} is missing; the next publish writes it")
    waits = send_checks.pages_missing_online(site, newsletter, issue, store.issues.load_content(issue.id))
    if waits:
        report.later.append(f"{issue.newsletter} {issue.number}: {waits}")
    return not waits


def _is_done(issue: Issue, store: Store, resend: int, limits: SendLimits, report: PublishReport) -> bool:
    """Return whether nothing is left to send; say what waits, and what is held."""
    number, first, held = store.deliveries.pending(issue.id, resend=resend)
    name = f"{issue.newsletter} {issue.number}"
    if number:
        first = limits.until or first
        when = f"; the next try is due at {first:%Y-%m-%d %H:%M} UTC" if first else ""
        report.later.append(f"{name}: {number:,} of {issue.recipients:,} wait{when}")
        report.next_try_at = min(filter(None, [report.next_try_at, first]), default=None)
        return False
    if held:
        report.warnings.append(
            f"{name}: {held:,} may have arrived and are held; `feeds resume {issue.newsletter}` sends them again"
        )
        return False
    store.issues.finish(issue.id)
    return True


def message_builders(site: Site, envelope: IssueHeaders, issue: Issue, memory: Issues) -> dict[int, MessageBuilder]:
    """Return an issue's letters ready to go out, by their ids; what they were encoded to stays as it is."""
    found = {}
    for identity, letter in memory.load_letters(issue.id).items():
        kept = memory.load_encoded(identity)
        if kept is None:
            kept = msgspec.json.encode(message.encode_letter(envelope, letter))
            memory.save_encoded(identity, kept)
        found[identity] = MessageBuilder(
            envelope, msgspec.json.decode(kept, type=EncodedLetter), site.signer(envelope.domain)
        )
    return found


def _leave(site: Site, envelope: IssueHeaders) -> Leave:
    """Return what gives a reader's own token for leaving; nobody needs one where a person reads the replies."""
    if envelope.bounces is None:
        return lambda _: ""
    number, key = load_keys(site.config.resolve(site.settings.secrets.file)).current_unsubscribe_key
    newsletter = envelope.newsletter.name
    return lambda delivery: tokens.unsubscribe_token(number, key, delivery.subscriber_id or 0, newsletter)


@dataclass(frozen=True, kw_only=True, slots=True)
class _SendOptions:
    """On which terms deliveries are given out."""

    #: How often one that may have arrived is handed over again.
    resend: int
    #: How long a server may put one off.
    longest: timedelta
    #: One in so many leaves.
    every: int
    limits: SendLimits
    leave: Leave
    #: Lets what servers have answered so far count.
    process_bounces: Callable[[], None]


class _DeliveryQueue:
    """Gives out the deliveries of one issue, and writes down what becomes of them."""

    def __init__(
        self,
        issue: Issue,
        deliveries: Deliveries,
        editions: dict[int, MessageBuilder],
        context: Context,
        terms: _SendOptions,
    ) -> None:
        self._issue, self._deliveries, self._editions, self._context = issue, deliveries, editions, context
        self._terms = terms
        self._folder = f"{issue.newsletter}/{issue.number}"
        self._leased: deque[Delivery] = deque()
        self._out: dict[int, Delivery] = {}
        self._done = self._refused_in_a_row = self._unsettled = 0
        self._fault: str = ""
        self._signs = any(edition.signs for edition in editions.values())

    def __enter__(self) -> Self:
        self._hands = ThreadPoolExecutor(_HANDS, thread_name_prefix="signing")
        return self

    def __exit__(self, *failure: object) -> None:
        self._hands.shutdown()
        self._deliveries.release(self._issue.id)
        if self._fault and failure[0] is None:
            raise SenderRejected(self._fault)

    def next(self) -> OutgoingMail | None:
        if not self._leased and not self.stopping():
            now, terms = self._context.clock(), self._terms
            taken = self._deliveries.claim(self._issue.id, _AT_ONCE, now, resend=terms.resend, every=terms.every)
            self._leased.extend(taken)
        if not self._leased or not self._terms.limits.allow():
            return None
        delivery = self._leased.popleft()
        self._out[delivery.id] = delivery
        return self._outgoing_mail(delivery)

    def requeue(self, parcel: OutgoingMail) -> None:
        self._leased.appendleft(self._out.pop(parcel.id))

    def stopping(self) -> bool:
        return bool(self._fault) or self._context.stopping()

    def commit(self, answers: Sequence[Replied | Unconfirmed], wanted: Sequence[OutgoingMail]) -> dict[int, bytes]:
        now = self._context.clock()
        outcomes = [self._outcome(answer, now) for answer in answers]
        begun = self._deliveries.commit_and_begin(outcomes, [parcel.id for parcel in wanted], now)
        if len(begun) < len(wanted):  # a reader has left, or somebody has ended the issue
            self._look_again()
        for answer in answers:
            self._out.pop(answer.mail.id, None)
        self._done += len(outcomes)
        if self._unsettled >= _OFTEN:  # a domain that refuses everybody is noticed before everybody was refused
            self._unsettled = 0
            self._terms.process_bounces()
            self._look_again()
        if outcomes:
            self._context.progress(
                f"Sending {self._issue.newsletter} {self._issue.number}", self._done, self._issue.recipients
            )
        ids = [parcel.id for parcel in wanted if parcel.id in begun]
        made = self._hands.map if self._signs and len(ids) > 1 else map
        return dict(zip(ids, made(partial(self._message, now), ids), strict=True))

    def _look_again(self) -> None:
        """Let go what was leased and is not any more."""
        leased = self._deliveries.leased_ids(self._issue.id)
        self._leased = deque(delivery for delivery in self._leased if delivery.id in leased)

    def _message(self, now: datetime, identity: int) -> bytes:
        delivery = self._out[identity]
        edition = self._editions[delivery.letter_id]
        return edition.build(delivery, self._terms.leave(delivery), delivery.handed_over_at or now)

    def _outgoing_mail(self, delivery: Delivery) -> OutgoingMail:
        sender = self._editions[delivery.letter_id].headers.return_path(delivery.id)
        return OutgoingMail(delivery.id, sender, message.idna_address(delivery.recipient), self._folder)

    # What answers mean ------------------------------------------------------------------------------------------

    def _outcome(self, answer: Replied | Unconfirmed, now: datetime) -> DeliveryOutcome:
        if isinstance(answer, Unconfirmed):
            return DeliveryOutcome(
                id=answer.mail.id, state=DeliveryState.UNKNOWN, answer=answer.reason, next_at=now + _BREATH
            )
        reply, tries = answer.reply, self._out[answer.mail.id].tries
        match replies.classify_reply(reply.code, reply.enhanced, answer.stage):
            case ReplyAction.SENT:
                self._refused_in_a_row = 0
                return DeliveryOutcome(id=answer.mail.id, state=DeliveryState.SENT, answer=str(reply), tries=tries)
            case ReplyAction.HALT:
                self._fault = f"the server refuses us, not the reader: {reply} (in answer to {answer.stage.upper()})"
                return DeliveryOutcome(id=answer.mail.id, state=DeliveryState.READY, answer=str(reply), tries=tries)
            case ReplyAction.LATER:
                return self._later(answer, now, tries + 1)
        self._unsettled += 1
        self._count_refusal(answer)
        return DeliveryOutcome(id=answer.mail.id, state=DeliveryState.FAILED, answer=str(reply), tries=tries)

    def _later(self, answer: Replied, now: datetime, tries: int) -> DeliveryOutcome:
        again = replies.next_retry_at(tries, now, self._terms.longest)
        state = DeliveryState.DEFERRED if again else DeliveryState.FAILED
        said = str(answer.reply) if again else f"given up after {tries} tries: {answer.reply}"
        return DeliveryOutcome(id=answer.mail.id, state=state, answer=said, tries=tries, next_at=again)

    def _count_refusal(self, answer: Replied) -> None:
        """Stop where server after server, or reader after reader, refuses what we send rather than whom it is for."""
        if not replies.is_policy_refusal(answer.reply.enhanced, answer.stage):
            return
        self._refused_in_a_row += 1
        if self._refused_in_a_row >= _CLUSTER and not self._fault:
            self._fault = f"{_CLUSTER} in a row were refused, the last with: {answer.reply}"
            self._deliveries.halt(self._issue.id, self._fault)


def _period(newsletter: Newsletter, site: Site, slot: datetime) -> timedelta:
    """Return how long a newsletter's issue is the newest one."""
    zone = site.zone(newsletter)
    following = next_slot(newsletter.schedule, zone, slot)
    return next_slot(newsletter.schedule, zone, following) - following
