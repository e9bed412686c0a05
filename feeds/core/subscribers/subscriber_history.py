"""Replay the journal's events about subscribers, who are known by digests only. The last event of each kind counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from feeds.model import GONE_STATUSES, SubscriberEvent

_SUPPRESSION_EVENTS = ("erased", "suppressed", "allowed")


@dataclass(frozen=True, slots=True)
class JournalEvent:
    """An event and its position in the journal."""

    position: int
    name: str
    at: datetime


@dataclass(kw_only=True, slots=True)
class SubscriberHistory:
    """The last events of one person; None where there was none."""

    #: The last change of status.
    status: JournalEvent | None = None
    #: `left` or `returned`, by newsletter.
    newsletters: dict[str, JournalEvent] = field(default_factory=dict)
    #: The last erasure: earlier events are not about a person who subscribed after it.
    erased: JournalEvent | None = None
    #: `erased` or `suppressed`: on the suppression list; `allowed`: not on it.
    suppression: JournalEvent | None = None

    @property
    def is_gone(self) -> bool:
        """True if the person has unsubscribed, bounced or complained."""
        return self.status is not None and self.status.name in GONE_STATUSES

    @property
    def latest_at(self) -> datetime:
        """The time of the latest of these events."""
        events = (self.status, self.erased, self.suppression, *self.newsletters.values())
        return max(event.at for event in events if event)

    def is_erased(self, created_at: datetime) -> bool:
        """Return whether a subscriber added at *created_at* is the one who was erased, not one who came back later."""
        if self.erased is None:
            return False
        return (self.suppression is not None and self.suppression.name == "erased") or created_at <= self.erased.at


def replay_events(events: Iterable[SubscriberEvent]) -> dict[str, SubscriberHistory]:
    """Return the history of each person by digest. Events that are repeated in the same order change nothing."""
    histories: dict[str, SubscriberHistory] = {}
    for position, event in enumerate(events):
        history = histories.setdefault(event.who, SubscriberHistory())
        _apply_event(history, event, JournalEvent(position, event.what, event.at))
    return histories


def _apply_event(history: SubscriberHistory, event: SubscriberEvent, entry: JournalEvent) -> None:
    if event.what in _SUPPRESSION_EVENTS:
        history.suppression = entry
    elif event.newsletter:
        history.newsletters[event.newsletter] = entry
    else:
        history.status = entry
    if event.what == "erased":
        history.erased, history.status, history.newsletters = entry, None, {}


def merge_histories(histories: Mapping[str, SubscriberHistory], digests: Iterable[str]) -> SubscriberHistory | None:
    """Return the history of a person who may have several digests, one per key; None if there is none."""
    found = [histories[digest] for digest in digests if digest in histories]
    if len(found) < 2:  # noqa: PLR2004 - one, or none
        return found[0] if found else None
    erased = _latest(history.erased for history in found)
    since = erased.position if erased else -1
    names = dict.fromkeys(name for history in found for name in history.newsletters)
    newsletters = {name: _latest((history.newsletters.get(name) for history in found), since) for name in names}
    return SubscriberHistory(
        status=_latest((history.status for history in found), since),
        newsletters={name: event for name, event in newsletters.items() if event},
        erased=erased,
        suppression=_latest(history.suppression for history in found),
    )


def _latest(events: Iterable[JournalEvent | None], since: int = -1) -> JournalEvent | None:
    later = (event for event in events if event and event.position > since)
    return max(later, key=lambda event: event.position, default=None)
