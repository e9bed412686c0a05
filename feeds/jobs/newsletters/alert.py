"""What somebody should look after before long: told once, here and to `publish.alert`."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from feeds.config import Config
from feeds.core.schedule import due_slot
from feeds.edges.process import shell
from feeds.edges.store.database import Store, open_store
from feeds.errors import CommandError
from feeds.jobs.context import Context
from feeds.jobs.report import PublishReport

#: How long an issue may be due and not on its way.
_PATIENCE = timedelta(hours=1)


def report_alerts(config: Config, report: PublishReport, context: Context, *, now: datetime) -> None:
    """Add to a report what is to be looked after and nobody was told yet, and let the operator's command know."""
    if not config.settings.newsletters:
        return
    with open_store(config.settings.store.url, config.folder) as store:
        found = [*_not_begun(config, report, store, context, now), *_stopped(report, store), *_paused(store, context)]
        news = [line for about, line in found if store.alerts.record(about, context.clock())]
    if not news:
        return
    report.alerts += news
    if config.settings.publish.alert:
        try:
            shell.run_command(config.settings.publish.alert, config.folder, "".join(f"{line}\n" for line in news))
        except CommandError as e:
            report.errors.append(f"publish.alert: {e}")


def _not_begun(
    config: Config, report: PublishReport, store: Store, context: Context, now: datetime
) -> Iterator[tuple[str, str]]:
    """Yield issues that are due and not on their way: they cannot be composed, or nothing of them has left."""
    for newsletter in config.settings.newsletters if report.failed else ():
        if newsletter.name in report.failed:
            zone = newsletter.timezone or config.settings.site.timezone
            used, _ = store.issues.last_issue(newsletter.name)
            slot = due_slot(newsletter.schedule, zone, now, used=used, catch_up=newsletter.catch_up)
            if slot is not None and now - slot > _PATIENCE:
                line = f"{newsletter.name} was due at {slot:%Y-%m-%d %H:%M} UTC and is not on its way"
                yield line, f"{line}: {report.failed[newsletter.name]}"
    for issue in store.issues.load_issues(unfinished=True) if report.sends else ():
        since = max(issue.slot, issue.composed_at or issue.slot)  # the slot of a first issue may be long ago
        if context.clock() - since > _PATIENCE and not store.deliveries.has_begun(issue.id) and not issue.halt_reason:
            line = f"{issue.newsletter} {issue.number} was due at {issue.slot:%Y-%m-%d %H:%M} UTC"
            yield line, f"{line} and is not on its way; `feeds publish` says why"


def _stopped(report: PublishReport, store: Store) -> Iterator[tuple[str, str]]:
    """Yield issues that were stopped on their way."""
    for issue in store.issues.load_issues(unfinished=True) if report.sends else ():
        if issue.halt_reason:
            line = f"{issue.newsletter} {issue.number} is stopped: {issue.halt_reason}"
            yield line, f"{line}; `feeds resume {issue.newsletter}` goes on with it"


def _paused(store: Store, context: Context) -> Iterator[tuple[str, str]]:
    """Yield domains that get no letters for now."""
    for one in store.bounces.paused_domains(context.clock()):
        line = f"{one.domain} gets no letters until {one.until:%Y-%m-%d %H:%M} UTC: {one.reason}"
        yield line, f"{line}; see `feeds bounces --help` and `feeds subscribers revive --help`"
