"""When and how much of an issue may leave: what the settings say of hours, days, and of those who get it first."""

from datetime import datetime, timedelta

from feeds.core.schedule import next_opening
from feeds.edges.store.deliveries import Deliveries
from feeds.errors import SenderRejected
from feeds.jobs.context import Context
from feeds.jobs.report import PublishReport
from feeds.jobs.site import Site
from feeds.model import Issue

_DAY = timedelta(days=1)
#: How much of what leaves first may be refused or come back.
_MOST_BAD = 0.05


class SendLimits:
    """When and how much may leave: `mail.hours`, `mail.per_day`."""

    def __init__(self, site: Site, deliveries: Deliveries, context: Context) -> None:
        mail, now = site.settings.mail, context.clock()
        self._hours, self._zone, self._context = mail.hours, site.settings.site.timezone, context
        self._left: int | None = None
        #: Until when nothing may leave; None while it may.
        self.until: datetime | None = None
        if mail.per_day:
            self._left = max(0, mail.per_day - deliveries.sent_since(now - _DAY))
            #: When the first of as many as may leave in a day is a day old.
            self._free_at = deliveries.sent_before(mail.per_day, now) + _DAY

    def allow(self) -> bool:
        """Return whether one more may leave now, and count it."""
        self.until = next_opening(self._hours, self._zone, self._context.clock())
        if self._left == 0 and self.until is None:
            self.until = self._free_at
        if self.until is None and self._left is not None:
            self._left -= 1
        return self.until is None


class FirstBatch:
    """The part of an issue that leaves first, and what the rest waits for (`mail.first_percent`)."""

    def __init__(self, site: Site, issue: Issue, deliveries: Deliveries, context: Context) -> None:
        mail = site.settings.mail
        self._issue, self._deliveries, self._context, self._pause = issue, deliveries, context, mail.first_pause
        #: One delivery in so many leaves first: by their numbers, so that every letter is among them.
        self._every = 1 if issue.released_to_all or not mail.first_percent else round(100 / mail.first_percent)

    def sampling(self, report: PublishReport) -> int:
        """Return one in how many deliveries may leave now; 0 where none may, with the reason told.

        Raises:
            MailRefused: too much of the first part was refused or came back; the issue is stopped.
        """
        share = self._deliveries.first_batch_stats(self._issue.id, self._every) if self._every > 1 else None
        if share is None or not share.number:  # or too few readers for there to be a part
            return 1
        if share.bad > _MOST_BAD * share.number:
            reason = f"{share.bad:,} of the first {share.number:,} were refused, came back or complained"
            self._deliveries.halt(self._issue.id, reason)
            raise SenderRejected(f"is stopped: {reason}; `feeds resume {self._issue.newsletter}` sends the rest")
        if share.to_come or share.last_sent_at is None:
            return self._every
        until = share.last_sent_at + self._pause
        if self._context.clock() < until:
            name = f"{self._issue.newsletter} {self._issue.number}"
            report.later.append(f"{name}: the first {share.number:,} are out, the rest follows at {until:%H:%M} UTC")
            report.next_try_at = min(filter(None, [report.next_try_at, until]))
            return 0
        self._deliveries.release_to_all(self._issue.id)
        self._every = 1
        return 1
