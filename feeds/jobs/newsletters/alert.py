"""Report problems that a person should look into, each once, also to the command `publish.alert`."""

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo

from feeds.config import Config
from feeds.core.schedule import due_slot
from feeds.display import format_time
from feeds.edges.process import shell
from feeds.edges.store.database import Store, open_store
from feeds.errors import CommandError
from feeds.jobs.context import Context
from feeds.jobs.report import PublishReport

#: How long an issue may be due before it is reported.
_PATIENCE = timedelta(hours=1)


def report_alerts(config: Config, report: PublishReport, context: Context, *, now: datetime) -> None:
    """Add the problems that were not reported before to the report, and pass them to the operator's command."""
    if not config.settings.newsletters:
        return
    with open_store(config.store_url, config.folder) as store:
        problems = [
            *_not_composed(config, report, store, now),
            *_not_begun(report, store, context, config.settings.site.timezone),
            *_halted(report, store),
            *_paused_domains(store, context, config.settings.site.timezone),
        ]
        lines = [line for key, line in problems if store.alerts.record(key, context.clock())]
    if not lines:
        return
    report.alerts += lines
    if config.settings.publish.alert:
        try:
            shell.run_command(config.settings.publish.alert, config.folder, "".join(f"{line}\n" for line in lines))
        except CommandError as e:
            report.errors.append(f"publish.alert: {e}")


# Each of these yields a key, by which a problem is reported once, and the line to report. Keys are stored, so their
# times stay in UTC.


def _not_composed(config: Config, report: PublishReport, store: Store, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield newsletters whose issue is due and could not be composed."""
    for newsletter in config.settings.newsletters if report.failed else ():
        if newsletter.name in report.failed:
            zone = newsletter.timezone or config.settings.site.timezone
            last_slot, _ = store.issues.last_issue(newsletter.name)
            slot = due_slot(newsletter.schedule, zone, now, used=last_slot, catch_up=newsletter.catch_up)
            if slot is not None and now - slot > _PATIENCE:
                key = f"{newsletter.name}: the issue due at {slot:%Y-%m-%d %H:%M} UTC could not be composed"
                due = f"the issue due at {format_time(slot, config.settings.site.timezone)} could not be composed"
                yield key, f"{newsletter.name}: {due}: {report.failed[newsletter.name]}"


def _not_begun(report: PublishReport, store: Store, context: Context, zone: tzinfo) -> Iterator[tuple[str, str]]:
    """Yield issues that are due and of which no letter was sent."""
    for issue in store.issues.load_issues(unfinished=True) if report.sends else ():
        since = max(issue.slot, issue.composed_at or issue.slot)  # the slot of a first issue may be long ago
        if context.clock() - since > _PATIENCE and not store.deliveries.has_begun(issue.id) and not issue.halt_reason:
            name = f"{issue.newsletter} {issue.number}"
            key = f"{name} was due at {issue.slot:%Y-%m-%d %H:%M} UTC and nothing of it was sent"
            due = f"was due at {format_time(issue.slot, zone)} and nothing of it was sent"
            yield key, f"{name} {due}; `feeds publish` prints the reason"


def _halted(report: PublishReport, store: Store) -> Iterator[tuple[str, str]]:
    """Yield issues whose sending was halted."""
    for issue in store.issues.load_issues(unfinished=True) if report.sends else ():
        if issue.halt_reason:
            key = f"{issue.newsletter} {issue.number} is halted: {issue.halt_reason}"
            yield key, f"{key}; `feeds resume {issue.newsletter}` resumes it"


def _paused_domains(store: Store, context: Context, zone: tzinfo) -> Iterator[tuple[str, str]]:
    """Yield domains that get no letters for now."""
    for pause in store.bounces.paused_domains(context.clock()):
        key = f"{pause.domain} gets no letters until {pause.until:%Y-%m-%d %H:%M} UTC: {pause.reason}"
        line = f"{pause.domain} gets no letters until {format_time(pause.until, zone)}: {pause.reason}"
        yield key, f"{line}; see `feeds bounces --help` and `feeds subscribers revive --help`"
