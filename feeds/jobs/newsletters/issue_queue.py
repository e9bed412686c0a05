"""The queue from which a transport takes the deliveries of one issue, and through which it records their outcomes."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Self

import msgspec

from feeds.core.newsletters import message, replies
from feeds.core.newsletters.message import MessageBuilder
from feeds.core.newsletters.replies import Answer, SendHealth
from feeds.edges.mail.transport import OutgoingMail, Replied, Reply, Stage, Unconfirmed
from feeds.edges.store.database import Store
from feeds.errors import SenderRejected
from feeds.jobs.context import Context
from feeds.jobs.newsletters.domain_gates import Admission, DomainGates, domain_of
from feeds.jobs.newsletters.limits import SendLimits
from feeds.model import Delivery, DeliveryOutcome, Issue, ReplyAction, ServerLimit

#: How many deliveries are leased at a time.
_LEASE_SIZE = 256
#: After so many refusals the domains that refuse too much are looked for.
_REFUSALS_BEFORE_CHECK = 50
#: Threads that build messages: signing releases Python's lock.
_BUILDER_THREADS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class SendOptions:
    """How the deliveries of an issue are sent."""

    #: How often a delivery that may have arrived is sent again.
    resend: int
    #: How long a delivery is retried.
    longest: timedelta
    #: One in so many deliveries is sent.
    every: int
    limits: SendLimits
    #: Returns the token with which the recipient of a delivery unsubscribes.
    unsubscribe_token: Callable[[Delivery], str]
    #: Applies the refusals so far to subscribers and domains.
    process_refusals: Callable[[], None]


class IssueQueue:
    """The deliveries of one issue, as a `feeds.edges.mail.transport.DeliveryQueue`.

    Leaving it as a context manager releases what is leased.

    Raises:
        SenderRejected: on leaving; a server rejected the sender, or the issue was halted.
    """

    def __init__(
        self,
        issue: Issue,
        store: Store,
        builders: dict[int, MessageBuilder],
        context: Context,
        options: SendOptions,
    ) -> None:
        self._issue, self._builders, self._context, self._options = issue, builders, context, options
        self._deliveries, self._delays = store.deliveries, store.delays
        self._folder = f"{issue.newsletter}/{issue.number}"
        self._leased: deque[Delivery] = deque()
        self._has_untried = True
        #: Given to the transport, by id.
        self._started: dict[int, Delivery] = {}
        self._done = self._checked_refusals = 0
        self._health = SendHealth()
        self._gates = DomainGates(store.delays, issue.id, options.longest)
        #: Domains that turned out to have rejected the sender because the server does so.
        self._released: frozenset[str] = frozenset()
        #: Servers that are stopped, but have accepted other letters: the domains that they named wait.
        self._doubtful: set[str] = set()
        self._limits = dict(store.delays.load_servers(issue.id))
        self._signs = any(builder.signs for builder in builders.values())

    def __enter__(self) -> Self:
        self._threads = ThreadPoolExecutor(_BUILDER_THREADS, thread_name_prefix="signing")
        return self

    def __exit__(self, *failure: object) -> None:
        self._threads.shutdown()
        self._record_waiting()
        self._deliveries.release(self._issue.id)
        reason = self._health.halt_reason or self._find_rejection()
        if reason and failure[0] is None:
            raise SenderRejected(reason)

    def _find_rejection(self) -> str:
        """Return why the sender is rejected for all mail, though by too few domains to tell at once; else empty."""
        if self._health.rejecting_servers:
            return self.rejected_by("")
        if not self._gates.rejection or self._has_sent():
            return ""
        self._gates.release_rejected()
        return replies.rejection_reason(self._gates.rejection)

    def _has_sent(self) -> bool:
        return bool(self._health.accepting_servers) or self._deliveries.has_sent(self._issue.id)

    def next(self) -> OutgoingMail | None:
        """Return the next mail; None if there is none now, or if limits allow none."""
        delivery = None
        while delivery is None and not self.stopping() and (self._leased or self._claim()):
            delivery = self._admit_next()
        if delivery is None:
            return None
        if not self._options.limits.allow():
            self._gates.leave_untried(delivery)
            self._leased.appendleft(delivery)
            return None
        self._started[delivery.id] = delivery
        return self._outgoing_mail(delivery)

    def _claim(self) -> bool:
        """Lease more deliveries; return whether there are any.

        Those without an answer come first: otherwise each run that a server stops would end at the same recipients.
        """
        self._record_waiting()
        if self._has_untried:
            leased = self._deliveries.claim_untried(self._issue.id, _LEASE_SIZE, every=self._options.every)
            self._leased.extend(leased)
            self._has_untried = bool(leased)
        if not self._leased:
            now, options = self._context.clock(), self._options
            self._leased.extend(
                self._deliveries.claim(self._issue.id, _LEASE_SIZE, now, resend=options.resend, every=options.every)
            )
        return bool(self._leased)

    def _admit_next(self) -> Delivery | None:
        """Return the first leased delivery whose domain gets mail now."""
        if not self._gates.any_known:
            return self._leased.popleft()
        now = self._context.clock()
        while self._leased:
            delivery = self._leased.popleft()
            if self._gates.admit(delivery, now) is Admission.GO:
                return delivery
        return None

    def _record_waiting(self) -> None:
        """Record the deliveries that wait for their domains."""
        if outcomes := self._gates.take_outcomes():
            self._deliveries.commit_and_begin(outcomes, [], self._context.clock())

    def requeue(self, mail: OutgoingMail) -> None:
        """Put back mail of which no content was sent."""
        delivery = self._started.pop(mail.id)
        self._gates.leave_untried(delivery)
        self._leased.appendleft(delivery)

    def stopping(self) -> bool:
        """Return whether the transport must take no more mail."""
        return bool(self._health.halt_reason or self.rejected_by("")) or self._context.stopping()

    def action(self, reply: Reply, stage: Stage) -> ReplyAction:
        """Return the consequence of a reply for its mail."""
        return replies.classify_reply(reply, stage)

    def rejected_by(self, server: str) -> str:
        """Return why a server must get no more mail; empty if it may get more."""
        return self._health.rejecting_servers.get(server, "")

    def load_limit(self, server: str) -> tuple[ServerLimit, float]:
        """Return the limits that a server has shown, and the seconds until it may be tried again."""
        limit = self._limits.get(server, ServerLimit())
        wait = (limit.until - self._context.clock()).total_seconds() if limit.until else 0
        return limit, max(0.0, wait)

    def save_limit(self, server: str, limit: ServerLimit, wait: float) -> None:
        """Store what was learned about a server; it may be tried again in *wait* seconds."""
        until = self._context.clock() + timedelta(seconds=wait) if wait else None
        self._limits[server] = msgspec.structs.replace(limit, until=until)
        self._delays.save_server(self._issue.id, server, self._limits[server])

    def commit(self, outcomes: Sequence[Replied | Unconfirmed], starting: Sequence[OutgoingMail]) -> dict[int, bytes]:
        """Record outcomes, and record that some mail is about to be sent; return the messages of the latter by id."""
        now = self._context.clock()
        decided = [self._decide(outcome, now) for outcome in outcomes]
        decided += self._gates.take_outcomes()
        begun = self._deliveries.commit_and_begin(decided, [mail.id for mail in starting], now)
        if self._released:
            self._gates.release_rejected(self._released)
            self._released = frozenset()
        for outcome in outcomes:
            self._started.pop(outcome.mail.id, None)
        # A domain that refuses everything is noticed before all of its subscribers were refused.
        has_many_refusals = self._health.refusals - self._checked_refusals >= _REFUSALS_BEFORE_CHECK
        if has_many_refusals:
            self._checked_refusals = self._health.refusals
            self._options.process_refusals()
        if has_many_refusals or len(begun) < len(starting):  # a subscriber unsubscribed, or the issue was cancelled
            self._drop_cancelled()
        if outcomes:
            self._report_progress(len(outcomes))
        return self._build_messages([mail.id for mail in starting if mail.id in begun], now)

    def _report_progress(self, number: int) -> None:
        self._done += number
        name = f"Sending {self._issue.newsletter} {self._issue.number}"
        self._context.progress(name, self._done, self._issue.recipients)

    def _drop_cancelled(self) -> None:
        """Forget the leased deliveries that the store does not list as leased any more."""
        leased = self._deliveries.leased_ids(self._issue.id)
        self._leased = deque(delivery for delivery in self._leased if delivery.id in leased)

    # Messages ---------------------------------------------------------------------------------------------------

    def _outgoing_mail(self, delivery: Delivery) -> OutgoingMail:
        sender = self._builders[delivery.letter_id].headers.return_path(delivery.id)
        return OutgoingMail(delivery.id, sender, message.idna_address(delivery.recipient), self._folder)

    def _build_messages(self, ids: Sequence[int], now: datetime) -> dict[int, bytes]:
        use = self._threads.map if self._signs and len(ids) > 1 else map
        return dict(zip(ids, use(partial(self._build_message, now), ids), strict=True))

    def _build_message(self, now: datetime, delivery_id: int) -> bytes:
        delivery = self._started[delivery_id]
        builder = self._builders[delivery.letter_id]
        return builder.build(delivery, self._options.unsubscribe_token(delivery), delivery.handed_over_at or now)

    # Outcomes ---------------------------------------------------------------------------------------------------

    def _decide(self, outcome: Replied | Unconfirmed, now: datetime) -> DeliveryOutcome:
        delivery = self._started[outcome.mail.id]
        if isinstance(outcome, Unconfirmed):
            self._leased.extendleft(reversed(self._gates.release_probe(delivery)))
            return replies.unconfirmed_outcome(outcome.mail.id, outcome.reason, now)
        action = self.action(outcome.reply, outcome.stage)
        self._update_health(outcome, action, delivery)
        return self._decide_replied(outcome, action, delivery, now)

    def _decide_replied(
        self, outcome: Replied, action: ReplyAction, delivery: Delivery, now: datetime
    ) -> DeliveryOutcome:
        is_doubtful = outcome.server in self._doubtful and outcome.stage != "mail"
        is_about_server = bool(self.rejected_by(outcome.server)) and not is_doubtful
        if action in (ReplyAction.LIMIT, ReplyAction.REJECTED) and not is_about_server:
            return self._gates.put_off(delivery, action, str(outcome.reply), outcome.stage, now)
        is_sent = action is ReplyAction.SENT
        freed = self._gates.accept(delivery, now) if is_sent else self._gates.release_probe(delivery)
        self._leased.extendleft(reversed(freed))
        return replies.decide_outcome(delivery, outcome.reply, outcome.stage, now, longest=self._options.longest)

    def _update_health(self, outcome: Replied, action: ReplyAction, delivery: Delivery) -> None:
        """Take a reply into account; halt the issue if servers refuse it again and again."""
        before = self._health
        if action is ReplyAction.REJECTED and outcome.stage != "mail" and self._gates.is_probe(delivery):
            return  # that its domain still rejects the sender says nothing about the server
        answer = Answer(reply=outcome.reply, stage=outcome.stage, domain=domain_of(delivery), server=outcome.server)
        self._health = replies.update_health(before, answer)
        if self._health.halt_reason and not before.halt_reason:
            self._deliveries.halt(self._issue.id, self._health.halt_reason)
        if self._health.rejecting_servers != before.rejecting_servers:
            self._judge_server(outcome)

    def _judge_server(self, outcome: Replied) -> None:
        """Decide whether the domains for which a server rejected the sender are to blame, or the server.

        If the domains were never to blame, those of an issue that all others have got would be tried without end.
        """
        working = self._health.accepting_servers - self._health.rejecting_servers.keys()
        if outcome.stage == "mail" or working or not self._has_sent():
            self._released |= self._health.rejected_domains[outcome.server]
        else:
            self._doubtful.add(outcome.server)
