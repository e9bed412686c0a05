"""Process bounces: read the bounce mailbox, verify tokens, decide, apply, and revert wrong decisions.

Only a message with a valid token is ours. It has its effect once, even if the program is killed: the effect and the
digest of the message are committed together, and only then is the message removed. Of ours, those that say nothing
known are kept in a folder of the state. All other messages stay in the mailbox as they are.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from hashlib import sha256
from typing import TYPE_CHECKING

from feeds.config import Config
from feeds.core.newsletters import tokens
from feeds.core.newsletters.domains import is_subdomain
from feeds.core.subscribers import addresses, reports
from feeds.core.subscribers import bounces as rules
from feeds.core.subscribers.bounces import Bounce, BounceDecision, BounceKind
from feeds.core.subscribers.reports import DeliveryFailure, InboundKind, InboundReport
from feeds.display import format_count, format_time
from feeds.edges.files import keys
from feeds.edges.files.output_folder import OutputFolder
from feeds.edges.store.bounces import Bounces, PausedDomain, Refusal, RevivalCounts
from feeds.edges.store.database import Store
from feeds.errors import FeedsError
from feeds.idn import ascii_domain
from feeds.jobs.context import Context
from feeds.jobs.site import Site
from feeds.jobs.store.journal import append_pending
from feeds.jobs.store.site_store import open_site_store
from feeds.jobs.subscribers.address_hashing import ensure_hasher
from feeds.jobs.subscribers.join_by_mail import MailRequests
from feeds.jobs.subscribers.mailbox_memory import MailboxMemory
from feeds.model import ALL_NEWSLETTERS, BounceRecord, Recipient
from feeds.settings import Settings

if TYPE_CHECKING:
    from feeds.edges.mail.mailbox import MailFolder

#: Messages that are processed in one transaction, at most.
_BATCH_MESSAGES, _BATCH_BYTES = 300, 20_000_000
#: Where unrecognised messages are kept, and for how long.
FOLDER, _KEEP_FOR = "bounces", timedelta(days=90)
#: Refused deliveries that are processed in one transaction.
_BATCH_REFUSALS = 1000
#: Characters of a server's answer that are stored.
_MAX_ANSWER = 300

# flufl.bounce logs each message that it cannot parse, with a traceback, and without a handler Python prints it.
logging.getLogger("flufl.bounce").addHandler(logging.NullHandler())


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessedMessage:
    """A message of the bounce mailbox and its effect."""

    what: InboundKind
    #: The subscriber's address; empty if unknown.
    email: str = ""
    #: The name, or several names with commas; empty if unknown.
    newsletter: str = ""
    number: int | None = None
    #: The enhanced status code, and the server's words.
    status: str = ""
    said: str = ""
    #: A `BounceDecision`, `left`, `asked` or `subscribed`, or empty.
    decision: str = ""


@dataclass(kw_only=True, slots=True)
class MailboxReport:
    """The result of reading the bounce mailbox."""

    processed: list[ProcessedMessage] = field(default_factory=list)
    #: Lines for the operator.
    warnings: list[str] = field(default_factory=list)
    #: Domains that get no letters now.
    paused: tuple[PausedDomain, ...] = ()
    #: How many messages are in `FOLDER`.
    kept: int = 0
    #: How many messages stay in the mailbox, since they have no token of ours.
    left: int = 0


def process_mailbox(
    config: Config, now: datetime, *, dry_run: bool = False, confirm: Callable[[str], bool] | None = None
) -> MailboxReport:
    """Process the messages in the bounce mailbox that are ours; in a dry run report the effects without applying them.

    If the first read of a mailbox finds other messages in it, *confirm* is asked whether it is the right one.

    Raises:
        FeedsError: there is no such mailbox, `mail.bounces` is not set, or the mailbox is not confirmed.
        SenderRejected, MailServerUnavailable: the mail server refuses the login, or cannot be reached.
        StoreError: the store cannot be used; messages that were not processed stay in the mailbox.
    """
    from feeds.edges.mail import mailbox

    settings = config.settings.mail.bounces
    if settings is None:
        raise FeedsError(f"{config.path}: mail.bounces is not set, so there is no mailbox to read")
    folder = OutputFolder(config.state / FOLDER, private=True, dry_run=dry_run)
    report = MailboxReport(kept=_expire(folder, now, dry_run=dry_run))
    memory = MailboxMemory(OutputFolder(config.state, private=True, dry_run=dry_run), settings.mailbox)
    with mailbox.open_mailbox(settings.mailbox, config.folder, config.bounces_password, read_only=dry_run) as box:
        names = box.names()
        new = memory.forget_all_but(names)
        if new:
            with open_site_store(config, create=not dry_run) as store:
                processor = _BounceProcessor(config, store, folder, now, report, dry_run=dry_run)
                if not (memory.is_known or dry_run or store.bounces.has_handled()):
                    _confirm_mailbox(settings.mailbox, box, processor, new, confirm)
                for batch in _batches(box, new):
                    ours = processor.process(batch)
                    if not dry_run:
                        append_pending(config, store)
                        box.remove(ours)
                    memory.leave(name for name, _ in batch if name not in ours)
                report.paused = store.bounces.paused_domains(now)
    memory.save()
    report.left = len(memory.left)
    return report


def _confirm_mailbox(
    url: str,
    box: "MailFolder",
    processor: "_BounceProcessor",
    names: Sequence[str],
    confirm: Callable[[str], bool] | None,
) -> None:
    """Ask whether a mailbox with other messages is the right one; nothing has been changed yet."""
    foreign = sum(len(batch) - len(processor.find_ours(batch)) for batch in _batches(box, names))
    if not foreign:
        return
    messages = format_count(foreign, "message that does not answer a letter", "messages that do not answer letters")
    found = f"{url} holds {messages} of this site; {'it stays as it is' if foreign == 1 else 'they stay as they are'}"
    if confirm is None:
        raise FeedsError(f"{found}. If it is the right mailbox, run `feeds bounces --yes` once")
    if not confirm(f"{found}. Use this mailbox?"):
        raise FeedsError(f"{url} was not read; set mail.bounces.mailbox to a mailbox for bounces alone")


def summarize_report(report: MailboxReport) -> list[str]:
    """Return a line that counts messages and their effects; none if there were no messages."""
    messages = report.processed
    if not messages:
        return []
    kinds = Counter(message.what.value for message in messages)
    effects = Counter(m.decision for m in messages if m.decision not in ("", BounceDecision.NOTHING))
    line = f"bounce mailbox: {len(messages):,} processed ({format_counts(kinds)})"
    return [f"{line}; subscribers: {format_counts(effects)}" if effects else line]


def format_counts(counts: Counter[str]) -> str:
    """Return counts as text, the largest first: `3 paused, 1 bounced`."""
    return ", ".join(f"{number:,} {name}" for name, number in counts.most_common())


#: Names and contents of messages.
_Batch = list[tuple[str, bytes]]


def _batches(box: "MailFolder", names: Iterable[str]) -> Iterator[_Batch]:
    """Yield messages in batches of bounded number and size, without those that are deleted meanwhile."""
    batch: _Batch = []
    for name in names:
        content = box.read(name)
        if content is not None:
            batch.append((name, content))
        if len(batch) == _BATCH_MESSAGES or sum(len(content) for _, content in batch) > _BATCH_BYTES:
            yield batch
            batch = []
    if batch:
        yield batch


def _expire(folder: OutputFolder, now: datetime, *, dry_run: bool) -> int:
    """Delete unrecognised messages that are too old (their names begin with the date); return how many are left."""
    names = folder.glob("*.eml")
    oldest = f"{now - _KEEP_FOR:%Y-%m-%d}"
    expired = [name for name in names if name < oldest]
    for name in expired if not dry_run else ():
        folder.remove(name)
    return len(names) - len(expired)


def _has_complaint_address(settings: Settings) -> bool:
    """Return whether letters name the bounce address in `CFBL-Address`."""
    mail = settings.mail
    sender = mail.sender.address.domain if mail.sender else settings.site.host
    return mail.bounces is not None and is_subdomain(mail.bounces.address.address.domain, sender)


class _BounceProcessor:
    """Processes batches of messages."""

    def __init__(
        self,
        config: Config,
        store: Store,
        folder: OutputFolder,
        now: datetime,
        report: MailboxReport,
        *,
        dry_run: bool,
    ) -> None:
        assert config.settings.mail.bounces is not None
        to = config.settings.mail.bounces.address.address
        self._address = f"{to.username}@{to.domain}"
        #: Verifies complaints to the address, if letters name it in `CFBL-Address`.
        self._server = config.settings.mail.bounces.authserv_id if _has_complaint_address(config.settings) else ""
        self._config, self._store, self._bounces = config, store, store.bounces
        self._folder, self._now, self._report, self._dry_run = folder, now, report, dry_run
        self._requests = MailRequests(Site(config), store, Context(clock=lambda: now), dry_run=dry_run)
        self._zone = config.settings.site.timezone
        file = config.keys_file
        self._keys = keys.load_keys(file).leave if file.exists() or not dry_run else {}

    def find_ours(self, batch: _Batch) -> set[str]:
        """Return the names of the messages that have a valid token, or ask to subscribe."""
        return {name for name, raw in batch if self._verify(raw) or self._requests.parse(raw)}

    def process(self, batch: _Batch) -> set[str]:
        """Apply the effects of our messages in one transaction, keep those that say nothing known, return our names.

        Messages that have no valid token, and do not ask to subscribe, have no effect and are not kept.
        """
        verified = [(name, raw, self._verify(raw)) for name, raw in batch]
        ours = {name: (sha256(raw).hexdigest(), raw, found) for name, raw, found in verified if found is not None}
        for digest, raw, (inbound, _, _) in ours.values():
            if inbound.kind is InboundKind.UNRECOGNISED:
                self._keep(digest, raw)
        with self._bounces.transaction(dry_run=self._dry_run):
            new = [message for digest, _, message in ours.values() if self._bounces.claim_message(digest, self._now)]
            rows = [self._record(*message) for message in new]
            decisions, warnings = decide_all(self._bounces, self._now, self._zone)
            self._bounces.delete_old_messages(self._now)
        self._report.processed += [
            replace(row, decision=decisions.get(bounce_id, row.decision)) for row, bounce_id in rows
        ]
        self._report.warnings += warnings
        return {*ours, *self._handle_requests((name, raw) for name, raw in batch if name not in ours)}

    def _handle_requests(self, batch: Iterable[tuple[str, bytes]]) -> Iterator[str]:
        """Apply the messages that ask to subscribe or confirm it, each in a transaction; yield their names."""
        for name, raw in batch:
            request = self._requests.parse(raw)
            if request is not None:
                done = self._requests.handle(request)
                what = InboundKind.AUTOMATIC if request.is_automatic else InboundKind.JOIN
                row = ProcessedMessage(what=what, email=done.email, newsletter=done.newsletter, decision=done.decision)
                self._report.processed.append(row)
                yield name

    def _keep(self, digest: str, raw: bytes) -> None:
        """Keep a message in the folder, before it is recorded as handled; the same message is kept once."""
        name = f"{self._now:%Y-%m-%d}-{digest[:16]}.eml"
        if not self._folder.glob(f"*-{digest[:16]}.eml"):
            self._folder.write(name, raw)
            self._report.kept += 1

    # Verifying ----------------------------------------------------------------------------------------------------

    def _verify(self, raw: bytes) -> tuple[InboundReport, Recipient, str] | None:
        """Return the report, its recipient and the newsletter to leave; None without a valid token of ours."""
        report = reports.parse_message(raw, self._address, self._server)
        recipient, newsletter = self._find_subscription(report)
        if report.kind is not InboundKind.UNSUBSCRIBE:
            recipient = self._find_delivery(report) or self._find_service_mail(report) or recipient
        return None if recipient is None else (report, recipient, newsletter)

    def _find_delivery(self, report: InboundReport) -> Recipient | None:
        for token in report.deliveries:
            number = tokens.parse_delivery_token(token)
            recipient = self._bounces.find_delivery(number) if number is not None else None
            if recipient is not None and tokens.verify_delivery_token(recipient.seed, token):
                return recipient
        return None

    def _find_service_mail(self, report: InboundReport) -> Recipient | None:
        """Return the recipient of the mail outside of any issue that a report is about."""
        for token in report.deliveries:
            number = tokens.parse_delivery_token(token)
            recipient = self._bounces.find_service_mail(number) if number is not None else None
            if recipient is not None and tokens.verify_service_token(recipient.seed, token):
                return recipient
        return None

    def _find_subscription(self, report: InboundReport) -> tuple[Recipient | None, str]:
        for token in report.subscriptions:
            subscriber_id, digest = tokens.parse_unsubscribe_token(token, self._keys) or (0, b"")
            recipient = self._bounces.find_subscriber(subscriber_id) if digest else None
            if recipient is not None:
                names = [*self._bounces.newsletters_of(subscriber_id), ALL_NEWSLETTERS]
                return recipient, next((name for name in names if tokens.name_digest(name) == digest), "")
        return None, ""

    def _record(self, report: InboundReport, recipient: Recipient, newsletter: str) -> tuple[ProcessedMessage, int]:
        """Store an unsubscribe or a bounce; return the message and the id of the bounce, 0 if it is not one."""
        if report.kind not in (InboundKind.UNSUBSCRIBE, InboundKind.BOUNCE, InboundKind.COMPLAINT):
            return ProcessedMessage(what=report.kind), 0
        if report.kind is InboundKind.UNSUBSCRIBE:
            left = self._bounces.unsubscribe_from(recipient, newsletter, self._now)
            names = ", ".join(left) if newsletter == ALL_NEWSLETTERS else newsletter
            row = ProcessedMessage(what=report.kind, email=recipient.email, newsletter=names)
            return replace(row, decision="left" if left else ""), 0
        kind, failure = reports.classify_report(report)
        if recipient.mail_id is not None:
            return self._record_service_mail(report, recipient, kind, failure), 0
        row = ProcessedMessage(
            what=report.kind,
            email=recipient.email,
            newsletter=recipient.newsletter or "",
            number=recipient.number,
            status=failure.status,
            said=failure.said,
        )
        return row, self._bounces.record_bounce(recipient, kind, failure.status, failure.said, self._now)

    def _record_service_mail(
        self, report: InboundReport, recipient: Recipient, kind: BounceKind, failure: DeliveryFailure
    ) -> ProcessedMessage:
        """Apply what came back about a mail outside of any issue; a complaint suppresses its address at once.

        The recipient may not have asked for it, so nothing else is waited for.
        """
        row = ProcessedMessage(what=report.kind, email=recipient.email, status=failure.status, said=failure.said)
        assert recipient.mail_id is not None
        if kind is BounceKind.COMPLAINT:
            key = addresses.parse_address(recipient.email).key
            digest = ensure_hasher(self._config, self._store).digests(key)[0]
            self._bounces.apply_service_complaint(recipient, digest, self._now)
            return replace(row, decision="suppressed")
        if kind in (BounceKind.HARD, BounceKind.POLICY):
            self._bounces.apply_service_bounce(recipient.mail_id, failure.said)
        return row


# Deciding ---------------------------------------------------------------------------------------------------------


def decide_all(
    bounces: Bounces, now: datetime, zone: tzinfo, *, trusted_domain: str = ""
) -> tuple[dict[int, BounceDecision], list[str]]:
    """Decide all undecided bounces and apply the decisions; return them by bounce id, and warnings for the operator.

    Domains are checked first: the bounces of a domain with a suspected outage are held, unless it is *trusted_domain*.
    Warnings have times in *zone*.
    Call it inside `Bounces.transaction`.
    """
    undecided = bounces.load_undecided()
    if not undecided:
        return {}, []
    warnings = [*_pause_domains(bounces, undecided, now, trusted_domain, zone)]
    paused = {one.domain for one in bounces.paused_domains(now)}
    decisions = {bounce.id: BounceDecision.HELD for bounce in undecided}
    statuses = {bounce.subscriber_id: bounce.subscriber_status for bounce in undecided}
    for bounce in bounces.load_undecided():
        held = bounce.domain in paused or _is_held(bounces, bounce)
        decision = _decide(bounces, bounce, statuses[bounce.subscriber_id], held=held)
        bounces.apply_decision(bounce, decision, bounce.at + rules.PAUSE)
        decisions[bounce.id] = decision
        statuses[bounce.subscriber_id] = rules.status_after(decision, statuses[bounce.subscriber_id])
    return decisions, warnings


def _pause_domains(
    bounces: Bounces, undecided: Iterable[BounceRecord], now: datetime, trusted: str, zone: tzinfo
) -> Iterator[str]:
    """Pause the domains where an outage is suspected; yield a warning for each."""
    skip = {trusted, *(one.domain for one in bounces.paused_domains(now))}
    for domain, issue_id in rules.domains_to_check(undecided):
        reason = _find_outage(bounces, domain, issue_id) if domain not in skip else ""
        if reason:
            until = now + rules.DOMAIN_PAUSE
            bounces.pause_domain(domain, issue_id, until, reason, now)
            skip.add(domain)
            yield (
                f"suspected outage: {domain} gets no letters until {format_time(until, zone)}: {reason}."
                f" Its bounces are held; `feeds bounces --believe {domain}` applies them"
            )


def _find_outage(bounces: Bounces, domain: str, issue_id: int) -> str:
    """Return why an outage of a domain is suspected from the bounces of an issue; empty if none is."""
    found = bounces.count_bounces(domain, issue_id)
    if not rules.may_be_outage(*found) or bounces.is_domain_held(domain, issue_id):
        return ""
    applied = bounces.count_bounces(domain, issue_id, decided=True)
    return rules.outage_reason(found, applied, bounces.count_recipients(domain, issue_id))


def _is_held(bounces: Bounces, bounce: BounceRecord) -> bool:
    return bounce.issue_id is not None and bounces.is_domain_held(bounce.domain, bounce.issue_id)


def _decide(bounces: Bounces, bounce: BounceRecord, subscriber_status: str, *, held: bool) -> BounceDecision:
    kind = BounceKind(bounce.kind)
    decision = rules.decide_without_history(kind, subscriber_status, held=held)
    if decision is not None:
        return decision
    earlier = [
        Bounce(kind=BounceKind(kind), at=at) for kind, at in bounces.earlier_bounces(bounce.subscriber_id, bounce.id)
    ]
    arrived = bounces.last_arrival(bounce.subscriber_id, bounce.at - rules.RETURN_TIME)
    return rules.decide_bounce(Bounce(kind=kind, at=bounce.at), earlier, arrived)


# Refusals, held bounces, revivals ---------------------------------------------------------------------------------


def decide_refusals(bounces: Bounces, issue_id: int, now: datetime, zone: tzinfo) -> list[str]:
    """Treat the servers' refusals of an issue's letters as bounces; return warnings for the operator.

    Call it when a run of an issue ends; a refusal that was processed before is not processed again.
    """
    warnings: list[str] = []
    last = 0
    while refusals := bounces.refused_deliveries(issue_id, last, _BATCH_REFUSALS):
        last = refusals[-1].delivery_id
        with bounces.transaction():
            for refusal in refusals:
                _record_refusal(bounces, refusal, issue_id, now)
            warnings += decide_all(bounces, now, zone)[1]
    return warnings


def _record_refusal(bounces: Bounces, refusal: Refusal, issue_id: int, now: datetime) -> None:
    classified = rules.classify_refusal(refusal.answer)
    if classified is None:
        return
    kind, status = classified
    recipient = Recipient(
        subscriber_id=refusal.subscriber_id,
        email="",
        domain=refusal.domain,
        delivery_id=refusal.delivery_id,
        issue_id=issue_id,
    )
    bounces.record_bounce(recipient, kind, status, refusal.answer[:_MAX_ANSWER], now)


def apply_held_bounces(config: Config, domain: str, now: datetime) -> Counter[str]:
    """Apply the bounces of a domain that were held as a suspected outage; return how many led to which decision.

    Raises:
        FeedsError: *domain* is not a domain.
    """
    with open_site_store(config) as store:
        with store.bounces.transaction():
            name = _parse_domain(domain)
            store.bounces.release_domain(name)
            decisions = Counter[str](
                decide_all(store.bounces, now, config.settings.site.timezone, trusted_domain=name)[0].values()
            )
        append_pending(config, store)
    return decisions


def revive_domain(config: Config, domain: str, start: datetime, end: datetime, now: datetime) -> RevivalCounts:
    """Revert what bounces at a domain decided from *start* to before *end*; complaints and unsubscribes stay.

    Raises:
        FeedsError: *domain* is not a domain, or *end* is not after *start*.
    """
    if start >= end:
        zone = config.settings.site.timezone
        raise FeedsError(f"--between: {format_time(end, zone)} is not after {format_time(start, zone)}")
    with open_site_store(config, create=False) as store:
        counts = store.bounces.revive_domain(_parse_domain(domain), start, end, now)
        append_pending(config, store)
    return counts


def _parse_domain(text: str) -> str:
    try:
        return ascii_domain(text.strip().lstrip("@").lower())
    except UnicodeError as e:
        raise FeedsError(f"{text!r} is not a domain") from e
