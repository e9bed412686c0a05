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
from feeds.core.newsletters.message import Edition, Encoded, Envelope
from feeds.core.newsletters.replies import Fate
from feeds.core.schedule import next_slot
from feeds.edges import lock
from feeds.edges.keys import keys
from feeds.edges.signals import asked_to_stop
from feeds.edges.store import opening
from feeds.edges.store.deliveries import Deliveries, Outcome
from feeds.edges.store.memory import Memory
from feeds.edges.store.opening import Store, opened
from feeds.edges.transport import Answered, Lost, Parcel
from feeds.errors import Busy, FeedsError, MailRefused
from feeds.jobs import archive, bounces, deploy, gate
from feeds.jobs.compose import reported
from feeds.jobs.journal import keep
from feeds.jobs.letters import Typesetter
from feeds.jobs.limits import First, Limits
from feeds.jobs.report import Report, Wish
from feeds.jobs.site import Site
from feeds.model import Delivery, DeliveryState, Issue, IssueState
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


def deliver(site: Site, wish: Wish, report: Report) -> None:
    """Bring every issue that is on its way as near to its end as servers let it come, or until somebody says stop.

    One process sends, and it is not the one that publishes: it takes hours where servers want it so. Whoever comes
    second leaves it to the first, which looks for more before it ends.
    """
    gc.enable()  # a command collects nothing, since it is soon over; this one may last
    url, folder = site.settings.store.url, site.config.folder
    with asked_to_stop() as asked, opened(url, folder) as store:
        patient = replace(wish, stopping=lambda: asked() or wish.stopping())
        tried: set[int] = set()
        # Looked at again when the lock is free: what came while we held it, nobody else has taken.
        while issues := [issue for issue in store.memory.issues(unfinished=True) if issue.id not in tried]:
            tried.update(issue.id for issue in issues)
            try:
                with lock.sending(opening.path(url, folder)):
                    _keep(site, store, report)  # before anything of an issue leaves
                    _finish_all(site, issues, store, patient, report)
                    _keep(site, store, report)
            except Busy:
                report.issues += [reported(issue, IssueState.SENDING) for issue in issues]


def _keep(site: Site, store: Store, report: Report) -> None:
    try:
        keep(site.config, store)
    except FeedsError as e:
        report.errors.append(str(e))


def _finish_all(site: Site, issues: Iterable[Issue], store: Store, wish: Wish, report: Report) -> None:
    for issue in issues:
        state: str = IssueState.SENDING
        try:
            state = _finish_one(site, issue, store, wish, report)
        except FeedsError as e:
            told = report.later if e.exit_code == Report.LATER else report.errors
            told.append(f"{issue.newsletter} {issue.number}: {e}")
        report.issues.append(reported(issue, state))


def _finish_one(site: Site, issue: Issue, store: Store, wish: Wish, report: Report) -> str:
    """Send what is to be sent now; return how far the issue has come: sent, sending, or waiting for the site."""
    newsletter = next((n for n in site.settings.newsletters if n.name == issue.newsletter), None)
    if newsletter is None:
        raise FeedsError("is on its way, but config.toml has no such newsletter any more; put it back to finish it")
    if issue.halted:
        raise MailRefused(f"is stopped: {issue.halted}; `feeds resume {issue.newsletter}` goes on with it")
    if not (store.deliveries.has_begun(issue.id) or _is_shown(site, newsletter, issue, store, report)):
        return "waiting"
    typesetter = Typesetter(site=site, newsletter=newsletter, number=issue.number, slot=issue.slot, seed=issue.seed)
    found = editions(site, typesetter.envelope, issue, store.memory)
    transport = site.transport
    resend = _ALWAYS if transport.idempotent else int(site.settings.mail.on_unknown == "resend")
    longest = min(replies.LONGEST, _period(newsletter, site, issue.slot) / 2)
    limits, leave = Limits(site, store.deliveries, wish), _leave(site, typesetter.envelope)

    def settle() -> None:
        report.warnings += bounces.from_answers(store.bounces, issue.id, wish.clock())

    try:
        with store.deliveries.sending():
            store.deliveries.recover(issue.id)
            first = First(site, issue, store.deliveries, wish)
            while every := first.every(report):
                terms = _Terms(resend=resend, longest=longest, every=every, limits=limits, leave=leave, settle=settle)
                with _Desk(issue, store.deliveries, found, wish, terms) as desk:
                    transport.run(desk)
                if every == 1 or wish.stopping() or limits.until:
                    break
    finally:
        settle()
    return IssueState.SENT if _is_done(issue, store, resend, limits, report) else IssueState.SENDING


def _is_shown(site: Site, newsletter: Newsletter, issue: Issue, store: Store, report: Report) -> bool:
    """Return whether the web shows what an issue tells; say what it waits for, if that is not said elsewhere.

    Raises:
        FeedsError: its page was not written.
    """
    if deploy.waits(site, store.feeds):
        return False
    if archive.is_missing(site, newsletter, issue):
        raise FeedsError(f"its page {archive.page_path(issue)} is missing; the next publish writes it")
    waits = gate.not_yet_live(site, newsletter, issue, store.memory.content(issue.id))
    if waits:
        report.later.append(f"{issue.newsletter} {issue.number}: {waits}")
    return not waits


def _is_done(issue: Issue, store: Store, resend: int, limits: Limits, report: Report) -> bool:
    """Return whether nothing is left to send; say what waits, and what is held."""
    number, first, held = store.deliveries.waiting(issue.id, resend=resend)
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
    store.memory.finish(issue.id)
    return True


def editions(site: Site, envelope: Envelope, issue: Issue, memory: Memory) -> dict[int, Edition]:
    """Return an issue's letters ready to go out, by their ids; what they were encoded to stays as it is."""
    found = {}
    for identity, letter in memory.letters(issue.id).items():
        kept = memory.encoded(identity)
        if kept is None:
            kept = msgspec.json.encode(message.encoded(envelope, letter))
            memory.keep_encoded(identity, kept)
        found[identity] = Edition(envelope, msgspec.json.decode(kept, type=Encoded), site.signer(envelope.domain))
    return found


def _leave(site: Site, envelope: Envelope) -> Leave:
    """Return what gives a reader's own token for leaving; nobody needs one where a person reads the replies."""
    if envelope.bounces is None:
        return lambda _: ""
    number, key = keys(site.config.resolve(site.settings.secrets.file)).leaving
    newsletter = envelope.newsletter.name
    return lambda delivery: tokens.leave_token(number, key, delivery.subscriber_id or 0, newsletter)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Terms:
    """On which terms deliveries are given out."""

    #: How often one that may have arrived is handed over again.
    resend: int
    #: How long a server may put one off.
    longest: timedelta
    #: One in so many leaves.
    every: int
    limits: Limits
    leave: Leave
    #: Lets what servers have answered so far count.
    settle: Callable[[], None]


class _Desk:
    """Gives out the deliveries of one issue, and writes down what becomes of them."""

    def __init__(
        self,
        issue: Issue,
        deliveries: Deliveries,
        editions: dict[int, Edition],
        wish: Wish,
        terms: _Terms,
    ) -> None:
        self._issue, self._deliveries, self._editions, self._wish = issue, deliveries, editions, wish
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
            raise MailRefused(self._fault)

    def take(self) -> Parcel | None:
        if not self._leased and not self.stopping():
            now, terms = self._wish.clock(), self._terms
            taken = self._deliveries.claim(self._issue.id, _AT_ONCE, now, resend=terms.resend, every=terms.every)
            self._leased.extend(taken)
        if not self._leased or not self._terms.limits.allow():
            return None
        delivery = self._leased.popleft()
        self._out[delivery.id] = delivery
        return self._parcel(delivery)

    def back(self, parcel: Parcel) -> None:
        self._leased.appendleft(self._out.pop(parcel.id))

    def stopping(self) -> bool:
        return bool(self._fault) or self._wish.stopping()

    def turn(self, answers: Sequence[Answered | Lost], wanted: Sequence[Parcel]) -> dict[int, bytes]:
        now = self._wish.clock()
        outcomes = [self._outcome(answer, now) for answer in answers]
        begun = self._deliveries.turn(outcomes, [parcel.id for parcel in wanted], now)
        if len(begun) < len(wanted):  # a reader has left, or somebody has ended the issue
            self._look_again()
        for answer in answers:
            self._out.pop(answer.parcel.id, None)
        self._done += len(outcomes)
        if self._unsettled >= _OFTEN:  # a domain that refuses everybody is noticed before everybody was refused
            self._unsettled = 0
            self._terms.settle()
            self._look_again()
        if outcomes:
            self._wish.progress(
                f"Sending {self._issue.newsletter} {self._issue.number}", self._done, self._issue.recipients
            )
        ids = [parcel.id for parcel in wanted if parcel.id in begun]
        made = self._hands.map if self._signs and len(ids) > 1 else map
        return dict(zip(ids, made(partial(self._message, now), ids), strict=True))

    def _look_again(self) -> None:
        """Let go what was leased and is not any more."""
        leased = self._deliveries.leased(self._issue.id)
        self._leased = deque(delivery for delivery in self._leased if delivery.id in leased)

    def _message(self, now: datetime, identity: int) -> bytes:
        delivery = self._out[identity]
        edition = self._editions[delivery.letter_id]
        return edition.message(delivery, self._terms.leave(delivery), delivery.handed_over_at or now)

    def _parcel(self, delivery: Delivery) -> Parcel:
        sender = self._editions[delivery.letter_id].envelope.returning(delivery.id)
        return Parcel(delivery.id, sender, message.mailbox(delivery.recipient), self._folder)

    # What answers mean ------------------------------------------------------------------------------------------

    def _outcome(self, answer: Answered | Lost, now: datetime) -> Outcome:
        if isinstance(answer, Lost):
            return Outcome(
                id=answer.parcel.id, state=DeliveryState.UNKNOWN, answer=answer.reason, next_at=now + _BREATH
            )
        reply, tries = answer.reply, self._out[answer.parcel.id].tries
        match replies.fate(reply.code, reply.enhanced, answer.stage):
            case Fate.SENT:
                self._refused_in_a_row = 0
                return Outcome(id=answer.parcel.id, state=DeliveryState.SENT, answer=str(reply), tries=tries)
            case Fate.HALT:
                self._fault = f"the server refuses us, not the reader: {reply} (in answer to {answer.stage.upper()})"
                return Outcome(id=answer.parcel.id, state=DeliveryState.READY, answer=str(reply), tries=tries)
            case Fate.LATER:
                return self._later(answer, now, tries + 1)
        self._unsettled += 1
        self._count_refusal(answer)
        return Outcome(id=answer.parcel.id, state=DeliveryState.FAILED, answer=str(reply), tries=tries)

    def _later(self, answer: Answered, now: datetime, tries: int) -> Outcome:
        again = replies.next_try(tries, now, self._terms.longest)
        state = DeliveryState.DEFERRED if again else DeliveryState.FAILED
        said = str(answer.reply) if again else f"given up after {tries} tries: {answer.reply}"
        return Outcome(id=answer.parcel.id, state=state, answer=said, tries=tries, next_at=again)

    def _count_refusal(self, answer: Answered) -> None:
        """Stop where server after server, or reader after reader, refuses what we send rather than whom it is for."""
        if not replies.is_policy(answer.reply.enhanced, answer.stage):
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
