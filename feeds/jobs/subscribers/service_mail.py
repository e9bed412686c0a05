"""Send the mail that is outside of any issue: confirmations, reminders, welcomes, links that were asked for.

Other jobs queue it in the store (`feeds.edges.store.service_mails`); `feeds run`, `feeds serve` and `feeds publish`
send it with `send_service_mails`. It goes through the same transport as letters and is signed like them. It does not
wait for letters, for `mail.hours` or for `mail.per_day`, since a person waits for it; but it counts for the latter.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from feeds.core.newsletters import replies
from feeds.core.newsletters.message import idna_address
from feeds.core.newsletters.service_message import build_service_message
from feeds.edges.mail.transport import OutgoingMail, Replied, Reply, Stage, Unconfirmed
from feeds.edges.store.database import Store
from feeds.errors import FeedsError, LockedError
from feeds.jobs.context import Context
from feeds.jobs.newsletters import send_checks
from feeds.jobs.site import Site
from feeds.jobs.store.site_store import open_site_store
from feeds.jobs.subscribers.service_mail_renderer import ServiceMailRenderer, service_sender
from feeds.model import (
    Delivery,
    DeliveryOutcome,
    DeliveryState,
    Letter,
    NewServiceMail,
    ReplyAction,
    ServerLimit,
    ServiceMail,
    ServiceMailKind,
)

#: How many mails are read at a time.
_BATCH = 64
_SEED_BYTES = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceMailReport:
    """The result of sending what waits."""

    sent: int = 0
    failed: int = 0
    #: Why mail could not be sent, one line each.
    errors: tuple[str, ...] = ()
    #: When the next mail is due; None if none waits.
    next_try_at: datetime | None = None


def new_service_mail(
    kind: ServiceMailKind,
    recipient: str,
    key: str,
    context: Context,
    *,
    lang: str | None = None,
    values: dict[str, str],
    expires_at: datetime,
) -> NewServiceMail:
    """Return a mail to be queued; *key* is the address as addresses are compared, *values* see `NewServiceMail`."""
    return NewServiceMail(
        kind=kind,
        recipient=recipient,
        recipient_key=key,
        lang=lang,
        values=values,
        seed=context.random_bytes(_SEED_BYTES),
        expires_at=expires_at,
    )


def send_service_mails(site: Site, context: Context) -> ServiceMailReport:
    """Send the mail that is due; what a server does not take now is tried again later.

    Only one process sends it at a time. Another one leaves what it has queued to the first.

    Raises:
        StoreError, LockedError: the store cannot be used.
    """
    sending = _Sending(site, context)
    with open_site_store(site.config) as store:
        sending.run(store)
        next_try_at = store.service_mails.next_at(resend=sending.resend)
    return ServiceMailReport(
        sent=sending.sent, failed=sending.failed, errors=tuple(sending.errors), next_try_at=next_try_at
    )


class _Sending:
    """One call of `send_service_mails`."""

    def __init__(self, site: Site, context: Context) -> None:
        self._site, self._context = site, context
        self.sent = self.failed = 0
        self.errors: list[str] = []
        #: How often mail that may have arrived is sent again.
        self.resend = int(site.settings.mail.on_unknown == "resend")

    def run(self, store: Store) -> None:
        """Send what is due.

        It looks again once the lock is free: another process may have left its mail to this one.
        """
        if sample := ", ".join(f"{key} is {value!r}" for key, value in send_checks.sample_values(self._site)):
            self.errors.append(f"confirmations and other mail wait: {sample}, as in the sample: set your own")
            return
        while self._is_due(store) and not self.errors and not self._context.stopping():
            try:
                with store.lock("mailing"):
                    self._send_locked(store)
            except LockedError:
                return

    def _is_due(self, store: Store) -> bool:
        next_at = store.service_mails.next_at(resend=self.resend)
        return next_at is not None and next_at <= self._context.clock()

    def _send_locked(self, store: Store) -> None:
        now = self._context.clock()
        store.service_mails.recover(now, now + replies.UNKNOWN_WAIT)
        store.service_mails.delete_old(now)
        queue = _ServiceMailQueue(self._site, store, self._context, self.resend)
        try:
            self._site.transport.run(queue)
        except FeedsError as e:
            self.errors.append(f"confirmations and other mail: {e}")
            queue.put_off(str(e))
        self.sent, self.failed = self.sent + queue.sent, self.failed + queue.failed
        self.errors += queue.errors


class _ServiceMailQueue:
    """The waiting mail, as a `feeds.edges.mail.transport.DeliveryQueue`."""

    def __init__(self, site: Site, store: Store, context: Context, resend: int) -> None:
        self._mails, self._context, self._resend = store.service_mails, context, resend
        self._renderer, self._sender = ServiceMailRenderer(site, store), service_sender(site)
        self._loaded: deque[ServiceMail] = deque()
        self._last = 0
        self._started: dict[int, ServiceMail] = {}
        self.sent = self.failed = 0
        #: Why mail could not be rendered.
        self.errors: list[str] = []

    def next(self) -> OutgoingMail | None:
        """Return the next mail; None if none is due."""
        if not self._loaded and not self.stopping():
            self._loaded.extend(self._mails.load_due(self._last, _BATCH, self._context.clock(), resend=self._resend))
        if not self._loaded:
            return None
        mail = self._loaded.popleft()
        self._last = max(self._last, mail.id)
        self._started[mail.id] = mail
        folder = f"mail/{mail.kind}/{mail.id}"
        return OutgoingMail(mail.id, self._sender.return_path(mail), idna_address(mail.recipient), folder)

    def requeue(self, mail: OutgoingMail) -> None:
        """Put back mail of which no content was sent."""
        self._loaded.appendleft(self._started.pop(mail.id))

    def stopping(self) -> bool:
        """Return whether the transport must take no more mail."""
        return self._context.stopping()

    def action(self, reply: Reply, stage: Stage) -> ReplyAction:
        """Return the consequence of a reply for its mail."""
        return replies.classify_reply(reply, stage)

    def rejected_by(self, _server: str) -> str:
        """Return an empty text: each mail is tried by itself, since they are few."""
        return ""

    def load_limit(self, _server: str) -> tuple[ServerLimit, float]:
        """Return that nothing is known: they are few."""
        return ServerLimit(), 0

    def save_limit(self, _server: str, _limit: ServerLimit, _wait: float) -> None:
        """Forget it."""

    def commit(self, outcomes: Sequence[Replied | Unconfirmed], starting: Sequence[OutgoingMail]) -> dict[int, bytes]:
        """Record outcomes, and record that some mail is about to be sent; return the messages of the latter by id."""
        now = self._context.clock()
        decided = [self._decide(outcome, now) for outcome in outcomes]
        letters = {mail.id: letter for mail in starting if (letter := self._render(mail.id, decided, now)) is not None}
        begun = self._mails.commit_and_begin(decided, [*letters], now)
        return {
            number: build_service_message(self._sender, self._started[number], letters[number], at)
            for number, at in begun.items()
        }

    def _render(self, mail_id: int, decided: list[DeliveryOutcome], now: datetime) -> Letter | None:
        """Return the letter; None, with an outcome in *decided*, if a template has an error."""
        mail = self._started[mail_id]
        try:
            return self._renderer.render(mail)
        except FeedsError as e:
            self.errors.append(f"the {mail.kind} to {mail.recipient}: {e}")
            decided.append(self._retry(mail, str(e), now))
            return None

    def _decide(self, outcome: Replied | Unconfirmed, now: datetime) -> DeliveryOutcome:
        mail = self._started.pop(outcome.mail.id)
        if isinstance(outcome, Unconfirmed):
            return replies.unconfirmed_outcome(mail.id, outcome.reason, now)
        match self.action(outcome.reply, outcome.stage):
            case ReplyAction.SENT:
                self.sent += 1
                return DeliveryOutcome(id=mail.id, state=DeliveryState.SENT, answer=str(outcome.reply))
            case ReplyAction.NEVER:
                self.failed += 1
                return DeliveryOutcome(id=mail.id, state=DeliveryState.FAILED, answer=str(outcome.reply))
            case _:
                return self._retry(mail, str(outcome.reply), now)

    def _retry(self, mail: ServiceMail, answer: str, now: datetime) -> DeliveryOutcome:
        delivery = Delivery(
            id=mail.id,
            letter_id=0,
            recipient=mail.recipient,
            state=DeliveryState.HANDING_OVER,
            handed_over_at=mail.handed_over_at,
            subscriber_id=None,
            tries=mail.tries,
        )
        return replies.retry_outcome(delivery, answer, now, longest=replies.LONGEST)

    def put_off(self, reason: str) -> None:
        """Try again later what is due, since no server takes mail now."""
        now = self._context.clock()
        due = self._mails.load_due(0, 1_000_000, now, resend=self._resend)
        self._mails.commit_and_begin([self._retry(mail, reason, now) for mail in due], [], now)
