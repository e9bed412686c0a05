"""What comes back: read the bounce mailbox, believe what bears our tokens, decide, and undo it again if it was wrong.

Each message counts once, whenever the program is killed: that it was read is written down together with what follows
from it, and only then is it removed. What nobody understands is kept beside the config for a person to look at.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from feeds.config import Config
from feeds.core.newsletters import tokens
from feeds.core.newsletters.message import ascii_domain
from feeds.core.subscribers import bounces as rules
from feeds.core.subscribers import reports
from feeds.core.subscribers.bounces import Bounce, BounceDecision, BounceKind
from feeds.core.subscribers.reports import DeliveryFailure, InboundKind, InboundReport
from feeds.edges.files import keys
from feeds.edges.files.output_folder import OutputFolder
from feeds.edges.store.bounces import BounceRecord, Bounces, PausedDomain, Recipient, RevivalCounts
from feeds.edges.store.database import open_store
from feeds.errors import FeedsError
from feeds.jobs.store.journal import append_pending

if TYPE_CHECKING:
    from feeds.edges.mail.mailbox import MailFolder

#: Messages whose effect is written down together, at most.
_AT_ONCE, _MOST_BYTES = 300, 20_000_000
#: Where messages lie that nobody understood, and for how long.
FOLDER, _KEPT = "bounces", timedelta(days=90)
#: How long a letter may take to come back. One that has not by then has arrived.
_RETURNS = timedelta(days=7)
#: Answers of servers that are looked at together.
_ANSWERS_AT_ONCE = 1000
#: Characters that are kept of one.
_MOST_SAID = 300

# flufl.bounce logs each message that it stumbles over, with a traceback, and where nobody logs, Python prints it.
logging.getLogger("flufl.bounce").addHandler(logging.NullHandler())


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessedMessage:
    """A message, and what came of it."""

    what: InboundKind
    #: Whom it is about; empty where that is not known.
    email: str = ""
    newsletter: str = ""
    number: int | None = None
    #: The enhanced status code, and the server's words.
    status: str = ""
    said: str = ""
    #: What followed: a `Decision`, `left`, or empty.
    decision: str = ""


@dataclass(kw_only=True, slots=True)
class MailboxReport:
    """What was found in the mailbox."""

    processed: list[ProcessedMessage] = field(default_factory=list)
    #: A line each: what the operator should know.
    warnings: list[str] = field(default_factory=list)
    #: Domains that get no letters now.
    paused: tuple[PausedDomain, ...] = ()
    #: How many messages lie in `FOLDER`.
    kept: int = 0


def process_mailbox(config: Config, now: datetime, *, dry_run: bool = False) -> MailboxReport:
    """Read everything that lies in the bounce mailbox, once; in a dry run, say what would follow, and change nothing.

    Raises:
        FeedsError: there is no such mailbox, or `mail.bounces` is not set.
        MailRefused, MailAway: the server does not let us in, or is away.
        StoreError: the memory cannot be used; what was not handled stays in the mailbox.
    """
    from feeds.edges.mail import mailbox  # noqa: PLC0415 - IMAP, which nobody needs who only counts what servers answered

    settings = config.settings.mail.bounces
    if settings is None:
        raise FeedsError(f"{config.path}: mail.bounces is not set, so there is no mailbox to read")
    folder = OutputFolder(config.folder / FOLDER, private=True, dry_run=dry_run)
    found = MailboxReport(kept=_expire(folder, now, dry_run=dry_run))
    with mailbox.open_mailbox(settings.mailbox, config.folder, config.bounces_password, read_only=dry_run) as box:
        names = box.names()
        if names:
            with open_store(config.settings.store.url, config.folder, create=not dry_run) as store:
                clerk = _BounceProcessor(config, store.bounces, folder, now, found, dry_run=dry_run)
                for some, messages in _portions(box, names):
                    clerk.handle(messages)
                    if not dry_run:
                        append_pending(config, store)
                        box.remove(some)
                found.paused = store.bounces.paused_domains(now)
    return found


def summarize_report(found: MailboxReport) -> list[str]:
    """Return what was found in words; nothing where nothing was."""
    every = found.processed
    if not every:
        return []
    kinds = Counter(one.what.value for one in every)
    followed = Counter(one.decision for one in every if one.decision not in ("", BounceDecision.NOTHING))
    told = f"mail that came back: {len(every):,} ({format_counts(kinds)})"
    return [f"{told}; readers: {format_counts(followed)}" if followed else told]


def format_counts(numbers: Counter[str]) -> str:
    """Return numbers in words, the largest first."""
    return ", ".join(f"{number:,} {what}" for what, number in numbers.most_common())


def _portions(box: "MailFolder", names: Iterable[str]) -> Iterator[tuple[list[str], list[bytes]]]:
    """Yield messages, a handful or a few large ones at a time: names, and contents of those that are still there."""
    taken: list[str] = []
    contents: list[bytes] = []
    for name in names:
        content = box.read(name)
        taken.append(name)
        contents += [] if content is None else [content]
        if len(taken) == _AT_ONCE or sum(map(len, contents)) > _MOST_BYTES:
            yield taken, contents
            taken, contents = [], []
    if taken:
        yield taken, contents


def _expire(folder: OutputFolder, now: datetime, *, dry_run: bool) -> int:
    """Remove what was kept long enough: names begin with the day; return how many are left."""
    every = folder.glob("*.eml")
    oldest = f"{now - _KEPT:%Y-%m-%d}"
    old = [name for name in every if name < oldest]
    for name in old if not dry_run else ():
        folder.remove(name)
    return len(every) - len(old)


class _BounceProcessor:
    """Handles messages, some at a time."""

    def __init__(
        self,
        config: Config,
        memory: Bounces,
        folder: OutputFolder,
        now: datetime,
        found: MailboxReport,
        *,
        dry_run: bool,
    ) -> None:
        assert config.settings.mail.bounces is not None
        to = config.settings.mail.bounces.address.address
        self._address = f"{to.username}@{ascii_domain(to.domain)}"
        self._memory, self._folder, self._now, self._found, self._dry_run = memory, folder, now, found, dry_run
        file = config.resolve(config.settings.secrets.file)
        self._keys = keys.load_keys(file).leave if file.exists() or not dry_run else {}

    def handle(self, messages: Sequence[bytes]) -> None:
        """Write down what messages say and what follows; keep those that nobody understands."""
        understood = [(sha256(raw).hexdigest(), self._understood(raw)) for raw in messages]
        for raw, (digest, (report, _, _)) in zip(messages, understood, strict=True):
            if report.what is InboundKind.UNRECOGNISED:
                self._keep(digest, raw)
        with self._memory.transaction(dry_run=self._dry_run):
            new = [one for digest, one in understood if self._memory.claim_message(digest, self._now)]
            rows = [self._write(*one) for one in new]
            decided, told = decide_all(self._memory, self._now)
            self._memory.delete_old_messages(self._now)
        self._found.processed += [replace(row, decision=decided.get(number, row.decision)) for row, number in rows]
        self._found.warnings += told

    def _keep(self, digest: str, raw: bytes) -> None:
        """Keep a message before it is written down as handled; the same one twice is one file."""
        if not self._dry_run:
            self._folder.write(".gitignore", b"*\n")
        name = f"{self._now:%Y-%m-%d}-{digest[:16]}.eml"
        if not self._folder.glob(f"*-{digest[:16]}.eml"):
            self._folder.write(name, raw)
            self._found.kept += 1

    # Believing --------------------------------------------------------------------------------------------------

    def _understood(self, raw: bytes) -> tuple[InboundReport, Recipient | None, str]:
        """Return what a message says, of whom, and which newsletter they leave; without a token of ours nothing."""
        report = reports.parse_message(raw, self._address)
        if report.what is InboundKind.LEAVE:
            reader, newsletter = self._subscription(report)
            return (report, reader, newsletter) if reader else (InboundReport(what=InboundKind.UNRECOGNISED), None, "")
        if report.what not in (InboundKind.BOUNCE, InboundKind.COMPLAINT):
            return report, None, ""
        reader = self._delivery(report) or self._subscription(report)[0]
        return (report, reader, "") if reader else (InboundReport(what=InboundKind.UNRECOGNISED), None, "")

    def _delivery(self, report: InboundReport) -> Recipient | None:
        for token in report.deliveries:
            number = tokens.parse_delivery_token(token)
            reader = self._memory.find_delivery(number) if number is not None else None
            if reader is not None and tokens.verify_delivery_token(reader.seed, token):
                return reader
        return None

    def _subscription(self, report: InboundReport) -> tuple[Recipient | None, str]:
        for token in report.subscriptions:
            subscriber_id, digest = tokens.parse_unsubscribe_token(token, self._keys) or (0, b"")
            reader = self._memory.find_subscriber(subscriber_id) if digest else None
            if reader is not None:
                reads = self._memory.newsletters_of(subscriber_id)
                return reader, next((name for name in reads if tokens.name_digest(name) == digest), "")
        return None, ""

    def _write(self, report: InboundReport, reader: Recipient | None, newsletter: str) -> tuple[ProcessedMessage, int]:
        """Write down what a message says; what follows from a bounce, 0 or its number, is decided together."""
        if reader is None:
            return ProcessedMessage(what=report.what), 0
        if report.what is InboundKind.LEAVE:
            left = self._memory.unsubscribe_from(reader, newsletter, self._now)
            row = ProcessedMessage(what=report.what, email=reader.email, newsletter=newsletter)
            return replace(row, decision="left" if left else ""), 0
        kind, failure = _mildest(report)
        row = ProcessedMessage(
            what=report.what,
            email=reader.email,
            newsletter=reader.newsletter or "",
            number=reader.number,
            status=failure.status,
            said=failure.said,
        )
        return row, self._memory.record_bounce(reader, kind, failure.status, failure.said, self._now)


def _mildest(report: InboundReport) -> tuple[BounceKind, DeliveryFailure]:
    """Return what a report says at best: behind one address there may be several."""
    if report.what is InboundKind.COMPLAINT:
        return BounceKind.COMPLAINT, report.failures[0]
    by_kind = {rules.classify_status(failure.status): failure for failure in report.failures}
    kind = rules.mildest_kind(by_kind)
    return kind, by_kind[kind]


# Deciding ---------------------------------------------------------------------------------------------------------


def decide_all(
    memory: Bounces, now: datetime, *, trusted_domain: str = ""
) -> tuple[dict[int, BounceDecision], list[str]]:
    """Decide about the bounces that are undecided; return what, by their numbers, and what to tell the operator.

    Domains come first: what is a domain's fault decides nothing about its readers, unless the operator has said that
    it is to be *believed*. Inside `together`.
    """
    found = memory.load_undecided()
    told = [*_blamed(memory, found, now, trusted_domain)] if found else []
    paused = {one.domain for one in memory.paused_domains(now)} if found else set()
    decided = {entry.id: BounceDecision.HELD for entry in found}
    stands = {entry.subscriber_id: entry.stands for entry in found}
    for entry in memory.load_undecided() if found else ():
        held = entry.domain in paused or (
            entry.issue_id is not None and memory.is_domain_held(entry.domain, entry.issue_id)
        )
        decision = _decision(memory, entry, stands[entry.subscriber_id], held=held)
        memory.apply_decision(entry, decision, entry.at + rules.PAUSE)
        decided[entry.id] = decision
        if decision in (BounceDecision.BOUNCED, BounceDecision.COMPLAINED):
            stands[entry.subscriber_id] = decision
    return decided, told


def _blamed(memory: Bounces, found: Iterable[BounceRecord], now: datetime, believed: str) -> Iterator[str]:
    """Pause the domains that are to blame themselves; yield a line for each."""
    fine = {believed, *(one.domain for one in memory.paused_domains(now))}
    about_us = (BounceKind.HARD, BounceKind.POLICY)
    places = dict.fromkeys((entry.domain, entry.issue_id) for entry in found if entry.kind in about_us)
    for domain, issue_id in places:
        reason = _fault(memory, domain, issue_id) if issue_id is not None and domain not in fine else ""
        if reason and issue_id is not None:
            until = now + rules.DOMAIN_PAUSE
            memory.pause_domain(domain, issue_id, until, reason, now)
            fine.add(domain)
            yield f"{domain} gets no letters until {until:%Y-%m-%d %H:%M} UTC: {reason}; nobody is given up for it"


def _fault(memory: Bounces, domain: str, issue_id: int) -> str:
    """Return why a domain is to blame for what has become of an issue there; empty where it is not.

    If what has counted already was too much, somebody has said that the domain is to be believed, and it is.
    """
    numbers = memory.count_bounces(domain, issue_id)
    if max(numbers) < rules.MIN_BOUNCES or memory.is_domain_held(domain, issue_id):
        return ""
    most = memory.count_recipients(domain, issue_id)
    counted = rules.domain_fault(*memory.count_bounces(domain, issue_id, decided=True), most)
    return "" if counted else rules.domain_fault(*numbers, most)


def _decision(memory: Bounces, entry: BounceRecord, stands: str, *, held: bool) -> BounceDecision:
    new = Bounce(kind=BounceKind(entry.kind), at=entry.at)
    if new.kind is BounceKind.COMPLAINT:
        return BounceDecision.NOTHING if stands == BounceDecision.COMPLAINED else BounceDecision.COMPLAINED
    if held:
        return BounceDecision.HELD
    if stands not in ("active", "pending") or new.kind in (BounceKind.OTHER, BounceKind.POLICY):
        return BounceDecision.NOTHING
    earlier = [
        Bounce(kind=BounceKind(kind), at=at) for kind, at in memory.earlier_bounces(entry.subscriber_id, entry.id)
    ]
    return rules.decide_bounce(new, earlier, memory.last_arrival(entry.subscriber_id, entry.at - _RETURNS))


# Elsewhere --------------------------------------------------------------------------------------------------------


def decide_refusals(memory: Bounces, issue_id: int, now: datetime) -> list[str]:
    """Let what servers answered when they refused an issue's letters count like reports; return what to tell.

    Call it when a run of an issue ends; what has counted already does not count again.
    """
    told: list[str] = []
    last = 0
    while some := memory.refused_deliveries(issue_id, last, _ANSWERS_AT_ONCE):
        last = some[-1].delivery_id
        with memory.transaction():
            for refusal in some:
                if found := rules.classify_answer(refusal.answer):
                    kind, status = found
                    about = Recipient(
                        subscriber_id=refusal.subscriber_id,
                        email="",
                        domain=refusal.domain,
                        delivery_id=refusal.delivery_id,
                        issue_id=issue_id,
                    )
                    memory.record_bounce(about, kind, status, refusal.answer[:_MOST_SAID], now)
            told += decide_all(memory, now)[1]
    return told


def apply_held_bounces(config: Config, domain: str, now: datetime) -> Counter[str]:
    """Let bounces count that were held because so many came from a domain; return how many led to which decision.

    Raises:
        FeedsError: this is no domain.
    """
    with open_store(config.settings.store.url, config.folder) as store:
        with store.bounces.transaction():
            name = _domain(domain)
            store.bounces.release_domain(name)
            decided = Counter[str](decide_all(store.bounces, now, trusted_domain=name)[0].values())
        append_pending(config, store)
    return decided


def revive_domain(config: Config, domain: str, start: datetime, end: datetime, now: datetime) -> RevivalCounts:
    """Undo what bounces at a domain decided from *start* to before *end*; complaints and leaves stand.

    Raises:
        FeedsError: this is no domain, or the time is none.
    """
    if start >= end:
        raise FeedsError(f"--between: {end:%Y-%m-%d %H:%M %z} is not after {start:%Y-%m-%d %H:%M %z}")
    with open_store(config.settings.store.url, config.folder, create=False) as store:
        revived = store.bounces.revive_domain(_domain(domain), start, end, now)
        append_pending(config, store)
    return revived


def _domain(text: str) -> str:
    try:
        return ascii_domain(text.strip().lstrip("@").lower())
    except UnicodeError as e:
        raise FeedsError(f"{text!r} is no domain") from e
