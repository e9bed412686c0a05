"""A site with subscribers, a mail server with faults that a test decides, and a clock that the test moves."""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from feeds.edges.store.database import open_store
from feeds.edges.store.deliveries import DeliveryResult
from feeds.jobs.context import Context
from feeds.jobs.newsletters import resume, status
from feeds.jobs.report import PublishReport
from tests.conftest import CONFIG, NEWSLETTER, NOW, SampleSite
from tests.smtpserver import SmtpServer

URL = "sqlite:///.feeds/feeds.db"
_COLUMNS = ("id", "email", "email_key", "domain", "status", "lang", "consent", "created_at", "status_at")
_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def addresses(number: int) -> list[str]:
    """Return *number* addresses, in the order in which they get their letters."""
    return [f"r{n:04}@example.org" for n in range(number)]


def subscribe(
    folder: Path,
    emails: Iterable[str],
    *,
    lang: str | None = None,
    topics: str = "[]",
    url: str = URL,
    since: datetime = _LONG_AGO,
) -> None:
    """Add subscribers of the weekly newsletter in one transaction."""
    with open_store(os.environ.get("FEEDS_STORE_URL", url), folder) as store, store.database.transaction():
        (last,) = next(store.database.query("SELECT coalesce(max(id), 0) FROM subscribers"))
        rows = list(enumerate(emails, last + 1))
        domains = (email.rpartition("@")[2] for _, email in rows)
        values = [
            (n, email, email, domain, "active", lang, "asked", since, since)
            for (n, email), domain in zip(rows, domains, strict=True)
        ]
        store.database.load("subscribers", _COLUMNS, values)
        subscriptions = [(n, "weekly", topics) for n, _ in rows]
        store.database.load("subscriptions", ("subscriber_id", "newsletter", "topics"), subscriptions)
        store.database.continue_ids(["subscribers"])


def configured(server: SmtpServer, *, mail: str = "", store: str = URL, **smtp: object) -> str:
    """Return the settings of a weekly newsletter that is sent through *server*, without copies."""
    keys = {"port": server.port, "connections": 1} | smtp
    lines = "".join(
        f'{key} = "{value}"\n' if isinstance(value, str) else f"{key} = {value}\n" for key, value in keys.items()
    )
    newsletter = NEWSLETTER.replace('copy_to = ["desk@example.com"]\n', "")
    return f'{CONFIG}{newsletter}transport = "smtp"\n{mail}[mail.smtp]\n{lines}[store]\nurl = "{store}"\n'


@dataclass
class Mailing:
    """A site that sends its weekly newsletter through a server."""

    site: SampleSite
    server: SmtpServer
    at: datetime = NOW
    #: Whether the database is older than what was sent.
    has_old_store: bool = False

    def configure(self, **settings: object) -> None:
        self.site.configure(configured(self.server, **settings))

    def publish(self, **options: object) -> PublishReport:
        return self.site.publish(NOW, clock=lambda: self.at, **options)

    def context(self) -> Context:
        return Context(clock=lambda: self.at, random_bytes=bytes)

    def resume(self) -> PublishReport:
        """Resume sending, as `feeds resume` does."""
        return resume.resume_sending(self.site.config, None, self.context())

    def cancel(self) -> None:
        resume.cancel_issue(self.site.config, "weekly")

    def wait(self, **span: float) -> None:
        self.at += timedelta(**span)

    def deliveries(self) -> list[DeliveryResult]:
        """Return the result of each delivery, in their order."""
        return list(status.issue_recipients(self.site.config, None, 1))

    def states(self) -> Counter[str]:
        return Counter(one.state.value for one in self.deliveries())

    def answers(self) -> Counter[str]:
        """Count the last answers of deliveries that are not sent."""
        return Counter(one.answer for one in self.deliveries() if one.state.value != "sent")

    def state(self) -> str:
        """Return the state of the issue."""
        with open_store(self.site.config.store_url, self.site.folder) as store:
            return store.issues.load_issues()[0].state.value

    def check(self) -> None:
        """Check that every sent delivery has arrived, and that all copies of a message have the same bytes."""
        arrived = self.server.counts()
        assert {one.recipient for one in self.deliveries() if one.state.value == "sent"} <= set(arrived)
        for copies in self.server.copies():
            assert len({copy.content for copy in copies}) == 1
