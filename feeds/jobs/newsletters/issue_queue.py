"""The queue from which a transport takes the deliveries of one issue, and through which it records their outcomes."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Self

from feeds.core.newsletters import message, replies
from feeds.core.newsletters.message import MessageBuilder
from feeds.core.newsletters.replies import SendHealth
from feeds.edges.mail.transport import OutgoingMail, Replied, Unconfirmed
from feeds.edges.store.deliveries import Deliveries
from feeds.errors import SenderRejected
from feeds.jobs.context import Context
from feeds.jobs.newsletters.limits import SendLimits
from feeds.model import Delivery, DeliveryOutcome, Issue

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
        deliveries: Deliveries,
        builders: dict[int, MessageBuilder],
        context: Context,
        options: SendOptions,
    ) -> None:
        self._issue, self._deliveries, self._builders, self._context = issue, deliveries, builders, context
        self._options = options
        self._folder = f"{issue.newsletter}/{issue.number}"
        self._leased: deque[Delivery] = deque()
        #: Given to the transport, by id.
        self._started: dict[int, Delivery] = {}
        self._done = self._checked_refusals = 0
        self._health = SendHealth()
        self._signs = any(builder.signs for builder in builders.values())

    def __enter__(self) -> Self:
        self._threads = ThreadPoolExecutor(_BUILDER_THREADS, thread_name_prefix="signing")
        return self

    def __exit__(self, *failure: object) -> None:
        self._threads.shutdown()
        self._deliveries.release(self._issue.id)
        if self._health.fault and failure[0] is None:
            raise SenderRejected(self._health.fault)

    def next(self) -> OutgoingMail | None:
        """Return the next mail; None if there is none now, or if limits allow none."""
        if not self._leased and not self.stopping():
            now, options = self._context.clock(), self._options
            leased = self._deliveries.claim(
                self._issue.id, _LEASE_SIZE, now, resend=options.resend, every=options.every
            )
            self._leased.extend(leased)
        if not self._leased or not self._options.limits.allow():
            return None
        delivery = self._leased.popleft()
        self._started[delivery.id] = delivery
        return self._outgoing_mail(delivery)

    def requeue(self, mail: OutgoingMail) -> None:
        """Put back mail of which no content was sent."""
        self._leased.appendleft(self._started.pop(mail.id))

    def stopping(self) -> bool:
        """Return whether the transport must take no more mail."""
        return bool(self._health.fault) or self._context.stopping()

    def commit(self, outcomes: Sequence[Replied | Unconfirmed], starting: Sequence[OutgoingMail]) -> dict[int, bytes]:
        """Record outcomes, and record that some mail is about to be sent; return the messages of the latter by id."""
        now = self._context.clock()
        decided = [self._decide(outcome, now) for outcome in outcomes]
        begun = self._deliveries.commit_and_begin(decided, [mail.id for mail in starting], now)
        for outcome in outcomes:
            self._started.pop(outcome.mail.id, None)
        # A domain that refuses everything is noticed before all of its subscribers were refused.
        has_many_refusals = self._health.refusals - self._checked_refusals >= _REFUSALS_BEFORE_CHECK
        if has_many_refusals:
            self._checked_refusals = self._health.refusals
            self._options.process_refusals()
        if has_many_refusals or len(begun) < len(starting):  # a subscriber unsubscribed, or the issue was cancelled
            self._drop_cancelled()
        if decided:
            self._report_progress(len(decided))
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
        if isinstance(outcome, Unconfirmed):
            return replies.unconfirmed_outcome(outcome.mail.id, outcome.reason, now)
        self._update_health(outcome)
        delivery = self._started[outcome.mail.id]
        return replies.decide_outcome(delivery, outcome.reply, outcome.stage, now, longest=self._options.longest)

    def _update_health(self, outcome: Replied) -> None:
        """Take a reply into account; halt the issue if servers refuse it again and again."""
        before, self._health = self._health, replies.update_health(self._health, outcome.reply, outcome.stage)
        if self._health.halt_reason and not before.halt_reason:
            self._deliveries.halt(self._issue.id, self._health.halt_reason)
