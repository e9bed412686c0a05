"""`feeds run`: publish every few minutes, at each newsletter's slot, and when a future post becomes public.

Publishing and sending are two steps: sending may take hours, and feeds do not wait for it.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Literal, NamedTuple, Self

from feeds.config import Config, load_config
from feeds.core.newsletters.outlook import format_outlook
from feeds.core.schedule import next_slot
from feeds.display import format_count
from feeds.edges.fast_path.check import environment_fingerprint, is_unchanged, scan_posts
from feeds.edges.files.scan import Stamp, file_stamp
from feeds.edges.process import scheduler
from feeds.errors import FeedsError, LockedError, PostChangedDuringRead
from feeds.jobs.context import Context
from feeds.jobs.health import Pulse
from feeds.jobs.newsletters import alert
from feeds.jobs.options import PublishOptions
from feeds.jobs.publish import prepare
from feeds.jobs.report import PublishReport, truncate_warnings
from feeds.jobs.site import Site
from feeds.model import IssueState

#: How long to wait if the config cannot be read.
_PAUSE = timedelta(minutes=1)
#: How long to wait for another process, and how long until that is logged.
_WAIT, _PATIENCE = timedelta(seconds=2), timedelta(minutes=10)
#: How often sign-ups and the mail outside of issues are looked at.
_MAIL_EVERY = timedelta(minutes=1)
#: Seconds between two log lines about the progress of sending.
_PACE = 60
#: For how many seconds a changed config must stay as it is before it is read, and how often that is waited for.
_SETTLED, _SETTLE_TRIES = 0.3, 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One line of the log, for people and for programs."""

    #: `started`, `written`, `issue`, `progress`, `returned`, `later`, `waiting`, `fault`, `alert`, `stopped`.
    what: str
    #: One line for people.
    text: str
    level: Literal["info", "warning", "error"] = "info"
    #: For programs; the keys are documented in docs/commands.md.
    facts: Mapping[str, object] = field(default_factory=dict)


Log = Callable[[Event], None]


def _ignore_config(_: Config) -> None:
    """Do nothing."""


def run_service(
    path: Path,
    environ: dict[str, str],
    context: Context,
    log: Log,
    *,
    pulse: Pulse | None = None,
    use_config: Callable[[Config], None] = _ignore_config,
) -> None:
    """Publish and send until SIGTERM; each publish reads the config again, so that a change needs no restart.

    Each publish is noted in *pulse*, and *use_config* gets the config that it has read.

    An error is logged, and the next run tries again.

    Raises:
        ConfigError: the config is not valid at the start.
    """
    first = load_config(path, environ)
    for line in first.warnings:
        log(_warning(line))
    log(Event(what="started", text=f"running: {_describe_schedule(first)}"))
    service = _Service(first, environ, context, log, pulse or Pulse(), use_config)
    steps = {"publish": service.publish, "send": service.send, "mail": service.mail}
    now = context.clock()
    scheduler.repeat(steps, {"publish": now, "mail": now + _MAIL_EVERY}, context.clock)
    log(Event(what="stopped", text="stopped"))


class _LoadedConfig(NamedTuple):
    """A config, and the fingerprint of build, file and variables from just before it was read."""

    config: Config
    environment: bytes


class _Service:
    """The steps of the service, and what each has logged last."""

    def __init__(
        self,
        config: Config,
        environ: dict[str, str],
        context: Context,
        log: Log,
        pulse: Pulse,
        use_config: Callable[[Config], None],
    ) -> None:
        self._path, self._environ, self._context, self._log = config.path, environ, context, log
        self._pulse, self._use_config = pulse, use_config
        self._logged: dict[str, set[str]] = {}
        #: Since when a step has been waiting for another process.
        self._waiting_since: dict[str, datetime] = {}
        self._progress_at = 0.0
        #: The config as it was read last, and the stamp of its file; None if the file has changed since.
        self._loaded, self._config_stamp = _LoadedConfig(config, b""), _stamp(config.path)
        #: The last publish run, and the environment of its config.
        self._last: tuple[bytes, PublishReport] | None = None

    def publish(self, stopping: Callable[[], bool]) -> Mapping[str, datetime]:
        """Process bounces and publish; return when to publish again, and to send now if an issue is ready."""
        now = self._context.clock()
        with _Attempt() as attempt:
            config, environment = self._load_config(stopping, attempt)
            self._use_config(config)
            attempt.events += process_bounces(config, now)
            report = self._publish(config, environment, now, stopping)
            attempt.events += report_events(report, config.settings.site.timezone)
            attempt.due = {"publish": next_run_at(config, report, now)} | ({"send": now} if report.sends else {})
        if waits := self._wait_or_log("publish", attempt, now):
            return waits  # it has not published: with time that is late
        due = attempt.due or {"publish": now + _PAUSE}
        self._pulse.last_publish_at, self._pulse.next_publish_at = self._context.clock(), due["publish"]
        return due

    def _load_config(self, stopping: Callable[[], bool], attempt: "_Attempt") -> _LoadedConfig:
        """Return the config; the one that was read last if its file does not stop changing, and log that."""
        if self._is_config_written(stopping):
            environment = environment_fingerprint(str(self._path), self._environ)
            self._loaded = _LoadedConfig(load_config(self._path, self._environ), environment)
        elif not stopping():
            reason = "is changed again and again; the config that was read before is used until it stays as it is"
            attempt.events.append(_warning(f"{self._path}: {reason}"))
        return self._loaded

    def _is_config_written(self, stopping: Callable[[], bool]) -> bool:
        """Wait until the config is written to its end: editors empty a file first, and an empty one is valid."""
        for _ in range(_SETTLE_TRIES):
            stamp = _stamp(self._path)
            if stamp == self._config_stamp:
                return True
            if stopping():
                break
            time.sleep(_SETTLED)
            if _stamp(self._path) == stamp:
                self._config_stamp = stamp
        self._config_stamp = None
        return False

    def _publish(
        self, config: Config, environment: bytes, now: datetime, stopping: Callable[[], bool]
    ) -> PublishReport:
        """Publish, unless nothing has changed since the last run; return the report of the run, or of the last one."""
        if self._last is not None and self._last[0] == environment and _holds(config, self._last[1], now):
            return self._last[1].as_unchanged()
        context = self._with(stopping)
        report = prepare(config, PublishOptions(now=now), context)
        self._last = (environment, report)
        if not report.sends:
            alert.report_alerts(config, report, context, now=now)
        return report

    def send(self, stopping: Callable[[], bool]) -> Mapping[str, datetime]:
        """Send the issues that are ready; return when a server wants to be tried again."""
        from feeds.jobs.newsletters.deliver import deliver_issues

        self._progress_at = time.monotonic()
        now = self._context.clock()
        with _Attempt() as attempt:
            config, report = self._load_config(stopping, attempt).config, PublishReport(sends=True)
            context = self._with(stopping)
            deliver_issues(Site(config), context, report)
            alert.report_alerts(config, report, context, now=context.clock())
            attempt.events += report_events(report, config.settings.site.timezone)
            attempt.due = {"send": report.next_try_at} if report.next_try_at else {}
        return self._wait_or_log("send", attempt, now) or attempt.due

    def mail(self, stopping: Callable[[], bool]) -> Mapping[str, datetime]:
        """Decide about sign-ups and send confirmations; return when to look again."""
        from feeds.jobs.subscribers.signup_due import is_round_due

        now = self._context.clock()
        with _Attempt() as attempt:
            config = self._load_config(stopping, attempt).config
            if is_round_due(config, now):
                from feeds.jobs.subscribers.signup_round import run_signup_round

                done = run_signup_round(Site(config), self._with(stopping))
                attempt.events += map(_error, done.mail.errors)
                attempt.events += (Event(what="alert", text=f"alert: {line}", level="error") for line in done.alerts)
        self._wait_or_log("mail", attempt, now)
        return {"mail": now + _MAIL_EVERY}

    def _with(self, stopping: Callable[[], bool]) -> Context:
        return replace(self._context, stopping=stopping, progress=self._log_progress)

    def _log_progress(self, what: str, done: int, of: int) -> None:
        """Log once a minute how many letters are sent."""
        if what.startswith("Sending") and time.monotonic() - self._progress_at >= _PACE:
            self._progress_at = time.monotonic()
            facts = {"done": done, "of": of}
            self._log(Event(what="progress", text=f"{what}: {done:,} of {of:,} in this run", facts=facts))

    def _wait_or_log(self, step: str, attempt: "_Attempt", now: datetime) -> Mapping[str, datetime]:
        """Log the events of a step, but not that it has to wait for another process; return when to try again then."""
        if attempt.waits_for is None:
            self._waiting_since.pop(step, None)
            self._log_news(step, attempt.events)
            return {}
        if now - self._waiting_since.setdefault(step, now) >= _PATIENCE:
            attempt.events.append(_later(f"{attempt.waits_for}; waiting"))
        self._log_news(step, attempt.events)
        return {step: now + _WAIT}

    def _log_news(self, step: str, events: Iterable[Event]) -> None:
        """Log the events of a step, except a lasting one (an error, an issue that waits) that was logged last time."""
        lasting = set()
        for event in events:
            text = _lasting_text(event)
            if text not in self._logged.get(step, ()):
                self._log(event)
            if text:
                lasting.add(text)
        self._logged[step] = lasting


def _stamp(file: Path) -> Stamp | None:
    """Return what differs if a file has changed; None without one."""
    try:
        return file_stamp(file.stat())
    except OSError:
        return None


def _holds(config: Config, report: PublishReport, now: datetime) -> bool:
    """Return whether every file is as a run left it, and the time has not come at which another would do something."""
    footprint = report.footprint
    if footprint is None or now.timestamp() >= footprint.until:
        return False
    folder = str(config.folder)
    return is_unchanged(footprint, folder, scan_posts(footprint, folder))


class _Attempt:
    """One run of a step: an error in it becomes an event, or a reason to wait."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.due: Mapping[str, datetime] = {}
        #: Why it has to be tried again; None if it has not.
        self.waits_for: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, failure: BaseException | None, _trace: object) -> bool:
        """Turn an error into an event: a service that ends after one bad run sends no later letter either."""
        if isinstance(failure, LockedError | PostChangedDuringRead):
            self.waits_for = str(failure)
        elif isinstance(failure, FeedsError):
            self.events += map(_error, failure.lines)
        elif isinstance(failure, Exception):
            self.events.append(_error(f"{type(failure).__name__}: {failure}"))
        return isinstance(failure, Exception)


def process_bounces(config: Config, now: datetime) -> list[Event]:
    """Process the bounce mailbox, if there is one, and return events; an error there stops no letters.

    Raises:
        LockedError: another process keeps the database locked.
    """
    if config.settings.mail.bounces is None:
        return []
    from feeds.jobs.subscribers import bounces

    try:
        found = bounces.process_mailbox(config, now)
    except LockedError:
        raise
    except FeedsError as e:
        return [_error(f"bounce mailbox: {e}")]
    back = [Event(what="returned", text=line) for line in bounces.summarize_report(found)]
    return [*back, *map(_warning, found.warnings)]


def next_run_at(config: Config, report: PublishReport, now: datetime) -> datetime:
    """Return when to publish next: after `publish.every`, or earlier at the next slot, future post or ping."""
    zones = ((n, n.timezone or config.settings.site.timezone) for n in config.settings.newsletters)
    slots = [next_slot(n.schedule, zone, now) for n, zone in zones]
    soon = now + timedelta(seconds=1)
    changes = filter(None, [report.next_public_at, report.next_ping_at])
    return max(soon, min([now + config.settings.publish.every, *slots, *changes]))


def report_events(report: PublishReport, zone: tzinfo) -> Iterator[Event]:
    """Yield the events of a run, with times in *zone*; a run that changed nothing has none but those that last."""
    if report.written:
        facts: dict[str, object] = {"written": len(report.written), "unchanged": report.unchanged}
        yield Event(what="written", text=f"written: {facts['written']}, unchanged: {report.unchanged}", facts=facts)
    for issue in report.issues:
        to = f"{format_count(issue.posts, 'post')} to {format_count(issue.recipients, 'recipient')}"
        text = f"{issue.newsletter} {issue.number}: {to}, {issue.outcome()}"
        yield Event(what="issue", text=text, facts=issue.facts)
    for outlook in report.outlooks:
        if outlook.is_stuck:
            yield Event(what="waiting", text=format_outlook(outlook, zone), level="warning")
    yield from map(_later, report.later)
    yield from map(_error, report.errors)
    yield from (Event(what="alert", text=f"alert: {line}", level="error") for line in report.alerts)
    yield from map(_warning, truncate_warnings(report.warnings))


def _lasting_text(event: Event) -> str:
    """Return the text by which an event is the same as one of the last run; empty for an event that is always new."""
    is_lasting = event.level != "info" or event.facts.get("state") == IssueState.COMPOSED
    return event.text if is_lasting else ""


def _error(line: str) -> Event:
    return Event(what="fault", text=f"error: {line}", level="error")


def _later(line: str) -> Event:
    return Event(what="later", text=f"later: {line}", level="warning")


def _warning(line: str) -> Event:
    return Event(what="fault", text=f"warning: {line}", level="warning")


def _describe_schedule(config: Config) -> str:
    names = ", ".join(f"{n.name} ({n.schedule})" for n in config.settings.newsletters) or "no newsletters"
    return f"publish every {config.settings.publish.every}; {names}; SIGTERM stops"
