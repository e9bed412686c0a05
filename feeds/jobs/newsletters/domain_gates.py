"""Which domains get letters of an issue now: one that limits its rate or rejects the sender does not stop the others.

A single refusal may be about one mailbox only, so a gate closes when a second recipient of its domain is put off
with nothing accepted between. When the wait is over, one delivery is tried, and the others share what becomes of it.
A domain that has limited its rate again and again then gets one letter at a time for a while.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

from feeds.core.newsletters import delays as rules
from feeds.core.newsletters import replies
from feeds.edges.store.delays import Delays
from feeds.edges.store.deliveries import DOMAIN_PAUSED
from feeds.model import Delivery, DeliveryOutcome, DeliveryState, DomainDelay, ReplyAction

#: Deliveries that were put off are due a little later than those that waited with them, which are tried first.
_LATER = timedelta(minutes=1)
#: After so many letters one at a time, a domain gets several at once again.
_ENOUGH_ACCEPTED = 100


class Admission(Enum):
    """Whether a delivery may be sent now."""

    GO = auto()
    #: The gate keeps it until the outcome of another one is known.
    HELD = auto()
    #: It is put off, or has failed; see `DomainGates.take_outcomes`.
    NOT_NOW = auto()


@dataclass(slots=True, eq=False)
class _Gate:
    """The gate of a domain that has put off a delivery."""

    delay: DomainDelay
    is_closed: bool
    #: The only delivery that was put off; None if there were several.
    suspect: Delivery | None = None
    #: Those that were put off in this run.
    refused: set[int] = field(default_factory=set)
    #: The delivery that is being tried although the gate is closed, and those that wait for its outcome.
    probe: int | None = None
    held: deque[Delivery] = field(default_factory=deque)
    #: Accepted since the gate was opened for one at a time.
    accepted: int = 0

    @property
    def is_serial(self) -> bool:
        """True if a rate limit is remembered: one delivery at a time may go."""
        return self.delay.until is None and not self.delay.has_given_up


class DomainGates:
    """The gates of one issue; *longest* is how long deliveries are retried."""

    def __init__(self, delays: Delays, issue_id: int, longest: timedelta) -> None:
        self._delays, self._issue_id, self._longest = delays, issue_id, longest
        known = delays.load_domains(issue_id)
        self._gates = {domain: _Gate(delay, is_closed=delay.until is not None) for domain, delay in known.items()}
        self._outcomes: list[DeliveryOutcome] = []
        #: The last reply that rejected the sender in this run, with the command that it answers.
        self.rejection = ""

    @property
    def any_known(self) -> bool:
        """True if any domain has put off a delivery."""
        return bool(self._gates)

    def is_probe(self, delivery: Delivery) -> bool:
        """Return whether a delivery is tried to see whether its domain, which put others off, accepts mail again."""
        gate = self._gates.get(domain_of(delivery))
        return gate is not None and gate.probe == delivery.id

    # Before a delivery is sent ------------------------------------------------------------------------------------

    def admit(self, delivery: Delivery, now: datetime) -> Admission:
        """Return whether a delivery may be sent *now*."""
        gate = self._gates.get(domain_of(delivery))
        if gate is None or not (gate.is_closed or gate.is_serial or gate.delay.has_given_up):
            return Admission.GO
        if gate.delay.has_given_up or (gate.delay.until is not None and now < gate.delay.until):
            self._outcomes.append(_waiting_outcome(delivery, gate))
            return Admission.NOT_NOW
        if gate.probe is None:
            gate.probe = delivery.id
            return Admission.GO
        gate.held.append(delivery)
        return Admission.HELD

    def leave_untried(self, delivery: Delivery) -> None:
        """Forget that a delivery was to be tried: it is not sent now."""
        gate = self._gates.get(domain_of(delivery))
        if gate is not None and gate.probe == delivery.id:
            gate.probe = None

    def take_outcomes(self) -> list[DeliveryOutcome]:
        """Return the outcomes of deliveries that were not sent because of a gate, once."""
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    # After a reply ------------------------------------------------------------------------------------------------

    def accept(self, delivery: Delivery, now: datetime) -> list[Delivery]:
        """Open the gate of a domain that has accepted a message; return the deliveries that waited for this."""
        gate = self._gates.get(domain_of(delivery))
        if gate is None:
            return []
        if gate.suspect is not None and gate.suspect.id != delivery.id:  # the domain accepts mail, so it was about it
            self._outcomes.append(replies.retry_outcome(gate.suspect, gate.delay.answer, now, longest=self._longest))
        remembered = gate.delay if gate.is_serial else rules.shorten(gate.delay)
        gate.accepted += 1
        if remembered is None or gate.accepted >= _ENOUGH_ACCEPTED:
            del self._gates[gate.delay.domain]
            self._delays.end_domain(self._issue_id, gate.delay.domain)
            return list(gate.held)
        if remembered is not gate.delay:
            self._delays.save_domain(self._issue_id, remembered)
        gate.delay, gate.is_closed, gate.suspect = remembered, False, None
        return self.release_probe(delivery)

    def release_probe(self, delivery: Delivery) -> list[Delivery]:
        """Return the delivery that is tried next, after one whose reply did not close its gate: one or none."""
        self.leave_untried(delivery)
        gate = self._gates.get(domain_of(delivery))
        return [gate.held.popleft()] if gate is not None and gate.probe is None and gate.held else []

    def put_off(
        self, delivery: Delivery, action: ReplyAction, answer: str, stage: str, now: datetime
    ) -> DeliveryOutcome:
        """Return the outcome of a delivery whose domain limits its rate or rejects the sender; close its gate."""
        if action is ReplyAction.REJECTED:
            self.rejection = f"{answer} (in reply to {stage.upper()})"
        domain = domain_of(delivery)
        gate = self._gates.get(domain)
        if gate is None or gate.is_serial or gate.probe == delivery.id:
            gate = self._lengthen(gate, delivery, action, answer, now)
        elif gate.suspect is not None and gate.suspect.id != delivery.id:
            gate.is_closed, gate.suspect = True, None
        gate.refused.add(delivery.id)
        for waiting in gate.held:
            self._outcomes.append(_waiting_outcome(waiting, gate))
        gate.held.clear()
        return _refused_outcome(delivery, answer, gate)

    def _lengthen(
        self, gate: _Gate | None, delivery: Delivery, action: ReplyAction, answer: str, now: datetime
    ) -> _Gate:
        last = gate.delay if gate else None
        delay = rules.lengthen(last, domain_of(delivery), action, answer, now, self._longest)
        self._delays.save_domain(self._issue_id, delay)
        if gate is None:
            gate = self._gates[delay.domain] = _Gate(delay, is_closed=False, suspect=delivery)
        else:
            gate.is_closed, gate.suspect = True, None
        gate.delay, gate.probe, gate.accepted = delay, None, 0
        return gate

    # The whole issue ----------------------------------------------------------------------------------------------

    def release_rejected(self, domains: frozenset[str] | None = None) -> None:
        """Open the gates of domains where the sender was rejected in this run: the server rejects it everywhere.

        Those of *domains* only, if given.
        """
        for domain, gate in list(self._gates.items()):
            is_meant = gate.refused and (domains is None or domain in domains)
            if is_meant and gate.delay.cause is not ReplyAction.LIMIT:
                self._delays.release_domain(self._issue_id, domain, gate.refused)
                del self._gates[domain]


def domain_of(delivery: Delivery) -> str:
    """Return the domain of a delivery's recipient, in small letters."""
    return delivery.recipient.rpartition("@")[2].lower()


def _waiting_outcome(delivery: Delivery, gate: _Gate) -> DeliveryOutcome:
    """Return the outcome of a delivery that waits for its domain, or has failed with it."""
    if gate.delay.has_given_up:
        return _failed_outcome(delivery, gate.delay.times, gate.delay.answer)
    until = gate.delay.until
    return DeliveryOutcome(
        id=delivery.id, state=DeliveryState.DEFERRED, answer=DOMAIN_PAUSED, tries=delivery.tries, next_at=until
    )


def _refused_outcome(delivery: Delivery, answer: str, gate: _Gate) -> DeliveryOutcome:
    until = gate.delay.until
    if until is None:  # the last wait was too long
        return _failed_outcome(delivery, gate.delay.times, answer)
    return DeliveryOutcome(
        id=delivery.id, state=DeliveryState.DEFERRED, answer=answer, tries=delivery.tries, next_at=until + _LATER
    )


def _failed_outcome(delivery: Delivery, times: int, answer: str) -> DeliveryOutcome:
    text = replies.given_up_answer(times, answer)
    return DeliveryOutcome(id=delivery.id, state=DeliveryState.FAILED, answer=text, tries=delivery.tries)
