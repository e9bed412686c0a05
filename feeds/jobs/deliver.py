"""Bring issues that are frozen to everybody they are for."""

import msgspec

from feeds.core.newsletters import message
from feeds.core.newsletters.message import Edition, Encoded
from feeds.edges.store.deliveries import Deliveries, Outcome
from feeds.edges.store.memory import Memory
from feeds.edges.store.opening import Store
from feeds.errors import FeedsError
from feeds.jobs.archive import write_page
from feeds.jobs.compose import reported
from feeds.jobs.letters import Typesetter
from feeds.jobs.report import Report, Wish
from feeds.jobs.site import Site
from feeds.model import Delivery, DeliveryState, Issue, IssueState

#: How many deliveries a sender takes at a time.
_AT_ONCE = 64


def finish(site: Site, store: Store, wish: Wish, report: Report) -> None:
    """Bring every issue that is on its way to its end."""
    for issue in store.memory.issues(unfinished=True):
        try:
            _finish_one(site, issue, store, wish)
            state = IssueState.SENT
        except FeedsError as e:
            report.errors.append(f"{issue.newsletter} {issue.number}: {e}")
            state = IssueState.SENDING
        report.issues.append(reported(issue, state))


def _finish_one(site: Site, issue: Issue, store: Store, wish: Wish) -> None:
    newsletter = next((n for n in site.settings.newsletters if n.name == issue.newsletter), None)
    if newsletter is None:
        raise FeedsError("is on its way, but config.toml has no such newsletter any more; put it back to finish it")
    write_page(site, newsletter, issue, store.memory)
    site.outbox.sweep(issue.newsletter, issue.number)
    typesetter = Typesetter(site=site, newsletter=newsletter, number=issue.number, slot=issue.slot, seed=issue.seed)
    found = editions(typesetter.envelope, issue, store.memory)
    with store.deliveries.sending():
        store.deliveries.recover(issue.id, resend=1)
        _post(site, issue, found, store.deliveries, wish)
    store.memory.finish(issue.id)


def editions(envelope: message.Envelope, issue: Issue, memory: Memory) -> dict[int, Edition]:
    """Return an issue's letters ready to go out, by their ids; what they were encoded to stays as it is."""
    found = {}
    for identity, letter in memory.letters(issue.id).items():
        kept = memory.encoded(identity)
        if kept is None:
            kept = msgspec.json.encode(message.encoded(envelope, letter))
            memory.keep_encoded(identity, kept)
        found[identity] = Edition(envelope, msgspec.json.decode(kept, type=Encoded))
    return found


def _post(site: Site, issue: Issue, found: dict[int, Edition], deliveries: Deliveries, wish: Wish) -> None:
    """Write the messages that are still to be written into the outbox."""
    done = 0
    while taken := deliveries.claim(issue.id, _AT_ONCE, wish.clock()):
        begun = deliveries.turn([], [delivery.id for delivery in taken], wish.clock())
        outcomes = []
        try:
            for delivery in (d for d in taken if d.id in begun):
                stamped = msgspec.structs.replace(delivery, handed_over_at=begun[delivery.id])
                outcomes.append(_hand_over(site, issue, found[delivery.letter_id], stamped))
                done += 1
                wish.progress(f"Sending {issue.newsletter} {issue.number}", done, issue.recipients)
        finally:
            deliveries.turn(outcomes, [], wish.clock())


def _hand_over(site: Site, issue: Issue, edition: Edition, delivery: Delivery) -> Outcome:
    content = edition.message(delivery, "")
    answer = site.outbox.hand_over(issue.newsletter, issue.number, delivery.recipient, content)
    return Outcome(id=delivery.id, state=DeliveryState.SENT, answer=answer)
