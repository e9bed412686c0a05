"""List issues, their progress and their recipients."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from feeds.config import Config
from feeds.edges.store.bounces import PausedDomain
from feeds.edges.store.database import Store
from feeds.edges.store.deliveries import DeliveryResult, RefusalCount
from feeds.errors import FeedsError
from feeds.jobs.store.site_store import open_site_store
from feeds.model import DeliveryState, DomainDelay, Issue, IssueState, ServerLimit

#: The states of deliveries that are still to be sent, without those that are held.
PENDING_STATES = (DeliveryState.READY, DeliveryState.LEASED, DeliveryState.HANDING_OVER, DeliveryState.DEFERRED)


@dataclass(frozen=True, kw_only=True, slots=True)
class IssueProgress:
    """An issue and the progress of its deliveries."""

    issue: Issue
    #: The number of deliveries by state.
    counts: dict[str, int]
    #: The number of deliveries sent in the last minute.
    rate: int
    #: When the next deferred delivery is due; None if none is deferred.
    next_at: datetime | None
    #: Replies to deliveries that are not sent, by domain and code, the most frequent first.
    refusals: tuple[RefusalCount, ...]
    #: Domains that get no letters for now.
    paused: tuple[PausedDomain, ...]
    #: Domains that wait since they limit their rate or reject the sender.
    delayed: tuple[DomainDelay, ...]
    #: What was learned about mail servers, by host and port.
    servers: Mapping[str, ServerLimit]

    @property
    def pending(self) -> int:
        """The number of deliveries that are still to be sent, without those that are held."""
        return sum(self.counts[state] for state in PENDING_STATES)

    @property
    def seconds_left(self) -> int | None:
        """The time that the pending deliveries take at this rate; None if the rate is zero or none are pending."""
        return round(self.pending * 60 / self.rate) if self.rate and self.pending else None


def list_issues(config: Config) -> Sequence[Issue]:
    """Return the issues of all newsletters, oldest first."""
    with open_site_store(config, create=False) as store:
        return store.issues.load_issues()


def load_progress(config: Config, now: datetime) -> list[IssueProgress]:
    """Return the progress of the issues that are being sent, and of each newsletter's last sent issue."""
    with open_site_store(config, create=False) as store:
        issues = store.issues.load_issues() if store.has_issues else ()
        last_sent = {issue.newsletter: issue for issue in issues if issue.state is IssueState.SENT}
        shown = [i for i in issues if i.state is IssueState.SENDING or i in last_sent.values()]
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
        delayed=tuple(delay for delay in store.delays.load_domains(issue.id).values() if delay.matters(now)),
        servers=store.delays.load_servers(issue.id),
    )


def issue_recipients(config: Config, newsletter: str | None, number: int) -> Iterator[DeliveryResult]:
    """Yield the result of each delivery of an issue.

    Raises:
        FeedsError: there is no such issue, or *newsletter* is None and several newsletters have one.
    """
    with open_site_store(config, create=False) as store:
        matching = [i for i in store.issues.load_issues() if i.number == number and newsletter in {None, i.newsletter}]
        if not matching:
            raise FeedsError(f"there is no issue {number}; `feeds issues` lists all")
        if len(matching) > 1:
            names = ", ".join(issue.newsletter for issue in matching)
            raise FeedsError(f"several newsletters have an issue {number}: {names}; choose one with --newsletter")
        yield from store.deliveries.load_results(matching[0].id)
