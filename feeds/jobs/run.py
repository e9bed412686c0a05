"""The scheduler: publish every few minutes, at each newsletter's slot, and when a future post becomes public.

Publishing and sending are two steps: letters may take hours to go out, and feeds do not wait for them.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, Self

from feeds import config as configuration
from feeds.config import Config
from feeds.core.schedule import next_slot
from feeds.edges.process import scheduler
from feeds.errors import FeedsError
from feeds.jobs.newsletters import alert
from feeds.jobs.publish import prepare
from feeds.jobs.report import PublishOptions, PublishReport, truncate_warnings
from feeds.jobs.site import Site
from feeds.model import IssueState

#: How long to wait when not even the config can be read.
_PAUSE = timedelta(minutes=1)
#: Seconds between two words on how far something long is.
_PACE = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happened, for people and for programs."""

    #: `started`, `written`, `issue`, `progress`, `returned`, `later`, `fault`, `alert`, `stopped`.
    what: str
    #: In one line.
    text: str
    level: Literal["info", "warning", "error"] = "info"
    #: What programs ask for; keys are documented in docs/commands.md.
    facts: Mapping[str, object] = field(default_factory=dict)


Log = Callable[[Event], None]


def run_service(path: Path, environ: dict[str, str], tell: Log) -> None:
    """Publish and send until SIGTERM; each pass reads the config anew, so that an edit needs no restart.

    What goes wrong is told, and the next pass tries again.

    Raises:
        ConfigError: the config cannot be used at the start.
    """
    first = configuration.load_config(path, environ)
    for line in first.warnings:
        tell(_warning(line))
    tell(Event(what="started", text=f"running: {_rhythm(first)}"))
    service = _Service(path, environ, tell)
    now = datetime.now(UTC)
    scheduler.repeat({"publish": service.publish, "send": service.send}, {"publish": now})
    tell(Event(what="stopped", text="stopped"))


class _Service:
    """The steps, and what was told of them last."""

    def __init__(self, path: Path, environ: dict[str, str], tell: Log) -> None:
        self._path, self._environ, self._tell = path, environ, tell
        self._told: dict[str, set[str]] = {}
        self._progress_at = 0.0

    def publish(self, stopping: Callable[[], bool]) -> Mapping[str, datetime]:
        """Read what came back, and publish; whatever is on its way is sent next."""
        now = datetime.now(UTC)
        with _Attempt() as attempt:
            config = configuration.load_config(self._path, self._environ)
            attempt.events += process_bounces(config, now)
            report = prepare(config, self._options(stopping))
            if not report.sends:
                alert.report_alerts(config, report, self._options(stopping))
            attempt.events += report_events(report)
            attempt.due = {"publish": next_run_at(config, report, now)} | ({"send": now} if report.sends else {})
        self._log_news("publish", attempt.events)
        return attempt.due or {"publish": now + _PAUSE}

    def send(self, stopping: Callable[[], bool]) -> Mapping[str, datetime]:
        """Send what is on its way; come back when a server wants to be asked again."""
        from feeds.jobs.newsletters.deliver import deliver_issues  # noqa: PLC0415 - for sites that send

        self._progress_at = time.monotonic()
        with _Attempt() as attempt:
            config, report = configuration.load_config(self._path, self._environ), PublishReport(sends=True)
            deliver_issues(Site(config), self._options(stopping), report)
            alert.report_alerts(config, report, self._options(stopping))
            attempt.events += report_events(report)
            attempt.due = {"send": report.next_try_at} if report.next_try_at else {}
        self._log_news("send", attempt.events)
        return attempt.due

    def _options(self, stopping: Callable[[], bool]) -> PublishOptions:
        def clock() -> datetime:
            return datetime.now(UTC)

        return PublishOptions(now=clock(), clock=clock, stopping=stopping, progress=self._note_progress)

    def _note_progress(self, what: str, done: int, of: int) -> None:
        """Say now and then how far letters are."""
        if what.startswith("Sending") and time.monotonic() - self._progress_at >= _PACE:
            self._progress_at = time.monotonic()
            facts = {"done": done, "of": of}
            self._tell(Event(what="progress", text=f"{what}: {done:,} of {of:,} in this run", facts=facts))

    def _log_news(self, step: str, found: Iterable[Event]) -> None:
        """Tell what a step has to tell, but for what has not changed since the last time: an issue that waits too."""
        lasting = set()
        for event in found:
            text = _lasting(event)
            if text not in self._told.get(step, ()):
                self._tell(event)
            if text:
                lasting.add(text)
        self._told[step] = lasting


class _Attempt:
    """One step's doing: what goes wrong in it is told like everything else."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.due: Mapping[str, datetime] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, failure: BaseException | None, _trace: object) -> bool:
        """Keep a service alive: one that dies of one bad pass sends no later letter either."""
        if isinstance(failure, FeedsError):
            self.events.append(_error(str(failure)))
        elif isinstance(failure, Exception):
            self.events.append(_error(f"{type(failure).__name__}: {failure}"))
        return isinstance(failure, Exception)


def process_bounces(config: Config, now: datetime) -> list[Event]:
    """Read the bounce mailbox, if there is one, and return what to tell; a fault there stops no letters."""
    if config.settings.mail.bounces is None:
        return []
    from feeds.jobs.subscribers import bounces  # noqa: PLC0415 - IMAP and reports, for sites that have such a mailbox

    try:
        found = bounces.process_mailbox(config, now)
    except FeedsError as e:
        return [_error(f"mail that came back: {e}")]
    back = [Event(what="returned", text=line) for line in bounces.summarize_report(found)]
    return [*back, *map(_warning, found.warnings)]


def next_run_at(config: Config, report: PublishReport, now: datetime) -> datetime:
    """Return when the next pass is due: the rhythm, the next slot, future post or ping, whichever is first."""
    zones = ((n, n.timezone or config.settings.site.timezone) for n in config.settings.newsletters)
    slots = [next_slot(n.schedule, zone, now) for n, zone in zones]
    soon = now + timedelta(seconds=1)
    changes = filter(None, [report.next_public_at, report.next_ping_at])
    return max(soon, min([now + config.settings.publish.every, *slots, *changes]))


def report_events(report: PublishReport) -> Iterator[Event]:
    """Yield what a pass did; one that changed nothing has nothing to tell."""
    if report.written:
        facts: dict[str, object] = {"written": len(report.written), "unchanged": report.unchanged}
        yield Event(what="written", text=f"written: {facts['written']}, unchanged: {report.unchanged}", facts=facts)
    for issue in report.issues:
        text = f"{issue.newsletter} {issue.number}: {issue.posts} posts to {issue.recipients} recipients, {issue.state}"
        yield Event(what="issue", text=text, facts=issue.facts)
    yield from (Event(what="later", text=f"later: {line}", level="warning") for line in report.later)
    yield from map(_error, report.errors)
    yield from (Event(what="alert", text=f"alert: {line}", level="error") for line in report.alerts)
    yield from map(_warning, truncate_warnings(report.warnings))


def _lasting(event: Event) -> str:
    """Return what makes an event the same as one of the last pass; empty for what is news each time."""
    is_lasting = event.level != "info" or event.facts.get("state") == IssueState.COMPOSED
    return event.text if is_lasting else ""


def _error(line: str) -> Event:
    return Event(what="fault", text=f"error: {line}", level="error")


def _warning(line: str) -> Event:
    return Event(what="fault", text=f"warning: {line}", level="warning")


def _rhythm(config: Config) -> str:
    names = ", ".join(f"{n.name} ({n.schedule})" for n in config.settings.newsletters) or "no newsletters"
    return f"publish every {config.settings.publish.every}; {names}; SIGTERM stops"
