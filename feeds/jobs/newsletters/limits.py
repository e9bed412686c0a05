"""Limit when and how many letters are sent: `mail.hours`, `mail.per_day` and `mail.first_percent`."""

from datetime import datetime, timedelta

from feeds.core.schedule import next_opening
from feeds.display import format_count, format_time
from feeds.edges.store.deliveries import Deliveries
from feeds.errors import SenderRejected
from feeds.jobs.context import Context
from feeds.jobs.report import PublishReport
from feeds.jobs.site import Site
from feeds.model import Issue

_DAY = timedelta(days=1)
#: The part of the first batch that may be refused, bounce or complain.
_MOST_BAD = 0.05


class SendLimits:
    """The hours in which letters are sent, and the number of messages in a day: `mail.hours`, `mail.per_day`.

    Confirmations and other mail outside of issues count too, as they do for a provider, but are never held back.
    """

    def __init__(self, site: Site, deliveries: Deliveries, context: Context) -> None:
        mail, now = site.settings.mail, context.clock()
        self._hours, self._zone, self._context = mail.hours, site.settings.site.timezone, context
        self._remaining: int | None = None
        #: Nothing may be sent before this time; None without a limit now.
        self.until: datetime | None = None
        if mail.per_day:
            self._remaining = max(0, mail.per_day - deliveries.count_sent(now - _DAY))
            #: When a message counts no more towards the last day, so that another may be sent.
            self._next_free_at = deliveries.sent_before(mail.per_day, now) + _DAY

    def allow(self) -> bool:
        """Return whether another letter may be sent now, and count it."""
        self.until = next_opening(self._hours, self._zone, self._context.clock())
        if self._remaining == 0 and self.until is None:
            self.until = self._next_free_at
        if self.until is None and self._remaining is not None:
            self._remaining -= 1
        return self.until is None


class FirstBatch:
    """The part of an issue that is sent first (`mail.first_percent`); the rest waits for its result."""

    def __init__(self, site: Site, issue: Issue, deliveries: Deliveries, context: Context) -> None:
        mail = site.settings.mail
        self._issue, self._deliveries, self._context, self._pause = issue, deliveries, context, mail.first_pause
        self._zone = site.settings.site.timezone
        #: One delivery in so many is in the first batch, by id, so that every letter of the issue is among them.
        self._every = 1 if issue.released_to_all or not mail.first_percent else round(100 / mail.first_percent)
        #: Whether this run has attempted the first batch.
        self._has_tried = False

    def sampling(self, report: PublishReport) -> int:
        """Return one in how many deliveries may be sent now; 0 if none may, with the reason in the report.

        Raises:
            SenderRejected: too much of the first batch was refused, bounced or complained; the issue is halted.
        """
        stats = self._deliveries.first_batch_stats(self._issue.id, self._every) if self._every > 1 else None
        if stats is None or not stats.number:  # a small issue may have no delivery in the first batch
            return 1
        if stats.failed > _MOST_BAD * stats.number:
            of = f"of the first {format_count(stats.number, 'delivery', 'deliveries')}"
            reason = f"{format_count(stats.failed, f'{of} was', f'{of} were')} refused, bounced or got a complaint"
            self._deliveries.halt(self._issue.id, reason)
            raise SenderRejected(f"is halted: {reason}; `feeds resume {self._issue.newsletter}` sends the rest")
        if stats.pending or (stats.last_sent_at is None and not self._has_tried):
            self._has_tried = True
            return self._every
        if stats.last_sent_at is None:  # servers put off all of it
            return 0
        until = stats.last_sent_at + self._pause
        if self._context.clock() < until:
            name = f"{self._issue.newsletter} {self._issue.number}"
            first = format_count(stats.number, "delivery is", "deliveries are")
            report.later.append(f"{name}: the first {first} sent; the rest follows at {format_time(until, self._zone)}")
            report.next_try_at = min(filter(None, [report.next_try_at, until]))
            return 0
        self._deliveries.release_to_all(self._issue.id)
        self._every = 1
        return 1
