"""List issues, their progress and their recipients."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from feeds.config import Config
from feeds.edges.store.bounces import PausedDomain
from feeds.edges.store.database import Store, open_store
from feeds.edges.store.deliveries import DeliveryResult, RefusalCount
from feeds.errors import FeedsError
from feeds.model import DeliveryState, Issue, IssueState

#: What a delivery is in while it is still to come; what is held aside.
PENDING_STATES = (DeliveryState.READY, DeliveryState.LEASED, DeliveryState.HANDING_OVER, DeliveryState.DEFERRED)


@dataclass(frozen=True, kw_only=True, slots=True)
class IssueProgress:
    """An issue and how its deliveries fare."""

    issue: Issue
    counts: dict[str, int]
    #: How many were sent in the last minute.
    rate: int
    #: When what waits is due; None where nothing waits for its time.
    next_at: datetime | None
    #: What servers said, by domain, the most frequent first; what was sent aside.
    refusals: tuple[RefusalCount, ...]
    #: Domains that get no letters for now.
    paused: tuple[PausedDomain, ...]

    @property
    def pending(self) -> int:
        """How many are still to come, those that are held aside."""
        return sum(self.counts[state] for state in PENDING_STATES)

    @property
    def seconds_left(self) -> int | None:
        """How long the rest takes at this rate; None where nothing moves."""
        return round(self.pending * 60 / self.rate) if self.rate and self.pending else None


def list_issues(config: Config) -> Sequence[Issue]:
    """Return the issues of every newsletter, oldest first."""
    with open_store(config.settings.store.url, config.folder, create=False) as store:
        return store.issues.load_issues()


def load_progress(config: Config, now: datetime) -> list[IssueProgress]:
    """Return the issues that are on their way, and of each newsletter the last that has arrived."""
    with open_store(config.settings.store.url, config.folder, create=False) as store:
        issues = store.issues.load_issues() if store.has_issues else ()
        last = {issue.newsletter: issue for issue in issues if issue.state is IssueState.SENT}
        shown = [i for i in issues if i.state is IssueState.SENDING or i in last.values()]
        return [_progress(issue, store, now) for issue in shown]


def _progress(issue: Issue, store: Store, now: datetime) -> IssueProgress:
    deliveries = store.deliveries
    return IssueProgress(
        issue=issue,
        counts={state.value: number for state, number in deliveries.count_states(issue.id).items()},
        rate=deliveries.sent_per_minute(issue.id, now),
        next_at=deliveries.pending(issue.id, resend=1)[1],
        refusals=tuple(deliveries.count_refusals(issue.id)),
        paused=store.bounces.paused_domains(now),
    )


def issue_recipients(config: Config, newsletter: str | None, number: int) -> Iterator[DeliveryResult]:
    """Yield who got an issue, when, and what the server said.

    Raises:
        FeedsError: there is no such issue.
    """
    with open_store(config.settings.store.url, config.folder, create=False) as store:
        found = [i for i in store.issues.load_issues() if i.number == number and newsletter in {None, i.newsletter}]
        if not found:
            raise FeedsError(f"there is no issue {number}; `feeds issues` lists all")
        if len(found) > 1:
            names = ", ".join(issue.newsletter for issue in found)
            raise FeedsError(f"there are issues {number} of {names}: say which with --newsletter")
        yield from store.deliveries.load_results(found[0].id)
