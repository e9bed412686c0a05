"""What a journal comes to: where people stand who are known by digests only. Of each thing the last word counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from feeds.model import GONE_STATUSES, SubscriberEvent

_LISTED = ("erased", "suppressed", "allowed")


@dataclass(frozen=True, slots=True)
class JournalEvent:
    """A word, and where in the journal it stands."""

    place: int
    what: str
    at: datetime


@dataclass(kw_only=True, slots=True)
class SubscriberHistory:
    """What was said last of one person; None where nothing was."""

    status: JournalEvent | None = None
    #: `left` or `returned`, by newsletter.
    newsletters: dict[str, JournalEvent] = field(default_factory=dict)
    #: When they were last forgotten: what was said before is not about who came later.
    erased: JournalEvent | None = None
    #: `erased` or `suppressed`: they are on the suppression list; `allowed`: they are not.
    listed: JournalEvent | None = None

    @property
    def is_gone(self) -> bool:
        """Whether they have left, or mail to them came back."""
        return self.status is not None and self.status.what in GONE_STATUSES

    def was_forgotten(self, known_since: datetime) -> bool:
        """Return whether somebody who is known since then is who was erased, and not who came back afterwards."""
        if self.erased is None:
            return False
        return (self.listed is not None and self.listed.what == "erased") or known_since <= self.erased.at


def replay_events(words: Iterable[SubscriberEvent]) -> dict[str, SubscriberHistory]:
    """Return what comes of words, by whom they are about. Saying all of them again changes nothing."""
    found: dict[str, SubscriberHistory] = {}
    for place, word in enumerate(words):
        _hear(found.setdefault(word.who, SubscriberHistory()), word, JournalEvent(place, word.what, word.at))
    return found


def _hear(fate: SubscriberHistory, word: SubscriberEvent, said: JournalEvent) -> None:
    if word.what in _LISTED:
        fate.listed = said
    elif word.newsletter:
        fate.newsletters[word.newsletter] = said
    else:
        fate.status = said
    if word.what == "erased":
        fate.erased, fate.status, fate.newsletters = said, None, {}


def merge_histories(known: Mapping[str, SubscriberHistory], digests: Iterable[str]) -> SubscriberHistory | None:
    """Return what comes of somebody who may be known as several digests, one a key; None where nothing was said."""
    found = [known[digest] for digest in digests if digest in known]
    if len(found) < 2:  # noqa: PLR2004 - one, or none
        return found[0] if found else None
    erased = _latest(fate.erased for fate in found)
    since = erased.place if erased else -1
    names = dict.fromkeys(name for fate in found for name in fate.newsletters)
    about = {name: _latest((f.newsletters.get(name) for f in found), since) for name in names}
    return SubscriberHistory(
        status=_latest((fate.status for fate in found), since),
        newsletters={name: said for name, said in about.items() if said},
        erased=erased,
        listed=_latest(fate.listed for fate in found),
    )


def _latest(said: Iterable[JournalEvent | None], since: int = -1) -> JournalEvent | None:
    return max((one for one in said if one and one.place > since), key=lambda one: one.place, default=None)
