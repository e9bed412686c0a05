"""Report problems that a person should look into, each once, also to the command `publish.alert`."""

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta, tzinfo

from feeds.config import Config
from feeds.core.schedule import due_slot
from feeds.display import format_time
from feeds.edges.process import shell
from feeds.edges.store.database import Store
from feeds.errors import CommandError
from feeds.jobs.context import Context
from feeds.jobs.report import PublishReport
from feeds.jobs.store.site_store import open_site_store
from feeds.jobs.subscribers.signup_problems import find_signup_problems
from feeds.model import ReplyAction


@dataclass(frozen=True, slots=True)
class _Alert:
    """A problem that a person should look into."""

    #: Stored, so that the problem is reported once; times in it stay in UTC.
    key: str
    line: str
    _: KW_ONLY
    #: True if an error of this run says the same.
    is_error: bool = False
    #: A part of the errors and warnings of this run that say the same, and less of what to do; empty if none does.
    repeats: str = ""


#: A server that has refused more mail so often in a row is waited for for half an hour by then.
_MANY_REFUSALS = 9
#: How long an issue may be due before it is reported.
_PATIENCE = timedelta(hours=1)


def report_alerts(config: Config, report: PublishReport, context: Context, *, now: datetime) -> None:
    """Add the problems that were not reported before to the report, and pass them to the operator's command."""
    if not config.settings.newsletters:
        return
    with open_site_store(config) as store:
        problems = [
            *_not_composed(config, report, store, now),
            *_not_begun(report, store, context, config.settings.site.timezone),
            *_halted(report, store),
            *_paused_domains(store, context, config.settings.site.timezone),
            *_rejecting_domains(report, store),
            *_slow_servers(report, store, config.settings.site.timezone),
            *_signups(store, context),
        ]
        new = [alert for alert in problems if store.alerts.record(alert.key, context.clock())]
    lines = [alert.line for alert in new]
    if not lines:
        return
    for alert in new:
        _remove_repeated(report, alert.repeats)
    report.alerts += [alert.line for alert in new if not alert.is_error]
    if config.settings.publish.alert:
        try:
            shell.run_command(config.settings.publish.alert, config.folder, "".join(f"{line}\n" for line in lines))
        except CommandError as e:
            report.errors.append(f"publish.alert: {e}")


def _remove_repeated(report: PublishReport, text: str) -> None:
    """Remove the errors and warnings of this run that an alert says again."""
    report.errors = [line for line in report.errors if not text or text not in line]
    report.warnings = [line for line in report.warnings if not text or text not in line]


def _not_composed(config: Config, report: PublishReport, store: Store, now: datetime) -> Iterator[_Alert]:
    """Yield newsletters whose issue is due and could not be composed."""
    for newsletter in config.settings.newsletters if report.failed else ():
        if newsletter.name in report.failed:
            zone = newsletter.timezone or config.settings.site.timezone
            last_slot, _ = store.issues.last_issue(newsletter.name)
            slot = due_slot(newsletter.schedule, zone, now, used=last_slot, catch_up=newsletter.catch_up)
            if slot is not None and now - slot > _PATIENCE:
                key = f"{newsletter.name}: the issue due at {slot:%Y-%m-%d %H:%M} UTC could not be composed"
                due = f"the issue due at {format_time(slot, config.settings.site.timezone)} could not be composed"
                reason = report.failed[newsletter.name]
                yield _Alert(key, f"{newsletter.name}: {due}: {reason}", is_error=True)


def _not_begun(report: PublishReport, store: Store, context: Context, zone: tzinfo) -> Iterator[_Alert]:
    """Yield issues that are due and of which no letter was sent."""
    for issue in store.issues.load_issues(unfinished=True) if report.sends else ():
        since = max(issue.slot, issue.composed_at or issue.slot)  # the slot of a first issue may be long ago
        if context.clock() - since > _PATIENCE and not store.deliveries.has_begun(issue.id) and not issue.halt_reason:
            name = f"{issue.newsletter} {issue.number}"
            key = f"{name} was due at {issue.slot:%Y-%m-%d %H:%M} UTC and nothing of it was sent"
            due = f"was due at {format_time(issue.slot, zone)} and nothing of it was sent"
            yield _Alert(key, f"{name} {due}; `feeds publish` prints the reason")


def _halted(report: PublishReport, store: Store) -> Iterator[_Alert]:
    """Yield issues whose sending was halted."""
    for issue in store.issues.load_issues(unfinished=True) if report.sends else ():
        if issue.halt_reason:
            key = f"{issue.newsletter} {issue.number} is halted: {issue.halt_reason}"
            remedy = f"`feeds resume {issue.newsletter}` resumes it"
            yield _Alert(key, f"{key}; {remedy}", repeats=issue.halt_reason)


def _paused_domains(store: Store, context: Context, zone: tzinfo) -> Iterator[_Alert]:
    """Yield domains that get no letters for now."""
    for pause in store.bounces.paused_domains(context.clock()):
        key = f"{pause.domain} gets no letters until {pause.until:%Y-%m-%d %H:%M} UTC: {pause.reason}"
        line = f"{pause.domain} gets no letters until {format_time(pause.until, zone)}: {pause.reason}"
        held = f"Its bounces are held; `feeds bounces --believe {pause.domain}` applies them"
        yield _Alert(key, f"{line}. {held}; see also `feeds subscribers revive --help`", repeats=line)


def _rejecting_domains(report: PublishReport, store: Store) -> Iterator[_Alert]:
    """Yield domains that reject the sender of an issue, or accept nothing, while the letters to others go on."""
    for issue in store.issues.load_issues(unfinished=True) if report.sends else ():
        for delay in store.delays.load_domains(issue.id).values():
            if delay.cause is not ReplyAction.LIMIT:
                key = f"{delay.domain} takes no letters of {issue.newsletter} {issue.number}"
                remedy = f"once this is corrected, `feeds resume {issue.newsletter}` tries again at once"
                yield _Alert(key, f"{key}: {delay.answer}. The other domains get theirs; {remedy}")


def _slow_servers(report: PublishReport, store: Store, zone: tzinfo) -> Iterator[_Alert]:
    """Yield mail servers that have refused more mail again and again."""
    for issue in store.issues.load_issues(unfinished=True) if report.sends else ():
        for server, limit in store.delays.load_servers(issue.id).items():
            if limit.times >= _MANY_REFUSALS and limit.until:
                key = f"{server} takes no more letters of {issue.newsletter} {issue.number} for now"
                until = format_time(limit.until, zone)
                yield _Alert(key, f"{key}: {limit.answer}. The next try is due at {until}")


def _signups(store: Store, context: Context) -> Iterator[_Alert]:
    """Yield problems of sign-ups."""
    for problem in find_signup_problems(store, context.clock()):
        yield _Alert(problem.key, problem.line)
