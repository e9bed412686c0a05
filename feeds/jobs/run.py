"""The scheduler: publish every few minutes, at each newsletter's slot, and when a future post becomes public."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from feeds import config as configuration
from feeds.config import Config
from feeds.core.schedule import next_slot
from feeds.edges import scheduler
from feeds.errors import FeedsError
from feeds.jobs.publish import publish
from feeds.jobs.report import Report, Wish, few
from feeds.model import IssueState

#: How long to wait when not even the config can be read.
_PAUSE = timedelta(minutes=1)


def run(path: Path, environ: dict[str, str], tell: Callable[[str], None]) -> None:
    """Publish until SIGTERM; each pass reads the config anew, so that an edit needs no restart.

    What goes wrong is told, and the next pass tries again.

    Raises:
        ConfigError: the config cannot be used at the start.
    """
    first = configuration.load(path, environ)
    for line in first.warnings:
        tell(f"warning: {line}")
    tell(f"running: {_rhythm(first)}")
    told: set[str] = set()

    def step(stopping: Callable[[], bool]) -> datetime:
        now = datetime.now(UTC)
        try:
            current = configuration.load(path, environ)
            back = came_back(current, now)
            for line in back:
                if line not in told:
                    tell(line)
            report = publish(current, Wish(now=now, clock=lambda: datetime.now(UTC), stopping=stopping))
            done, odd = lines(report), [f"warning: {line}" for line in report.warnings]
            for line in (
                *(line for line in done if line not in told),
                *few([line for line in odd if line not in told]),
            ):
                tell(line)
            told.clear()  # what has not changed since the last pass, an issue that waits too, is not told again
            told.update(odd, (line for line in back if line.startswith("error: ")))
            told.update(line for line in done if line.endswith(IssueState.COMPOSED))
            return wake(current, report, now)
        except FeedsError as e:
            tell(f"error: {e}")
            return now + _PAUSE
        except Exception as e:  # noqa: BLE001 - a service that dies of one bad pass sends no later letter either
            tell(f"error: {type(e).__name__}: {e}")
            return now + _PAUSE

    scheduler.repeat(step, datetime.now(UTC))
    tell("stopped")


def came_back(config: Config, now: datetime) -> list[str]:
    """Read the bounce mailbox, if there is one, and return what to tell; a fault there stops no letters."""
    if config.settings.mail.bounces is None:
        return []
    from feeds.jobs import bounces  # noqa: PLC0415 - IMAP and reports, for sites that have such a mailbox

    try:
        found = bounces.read(config, now)
    except FeedsError as e:
        return [f"error: mail that came back: {e}"]
    return [*bounces.lines(found), *(f"warning: {line}" for line in found.warnings)]


def wake(config: Config, report: Report, now: datetime) -> datetime:
    """Return when the next pass is due: the rhythm, the next slot, future post or ping, whichever is first."""
    zones = ((n, n.timezone or config.settings.site.timezone) for n in config.settings.newsletters)
    slots = [next_slot(n.schedule, zone, now) for n, zone in zones]
    soon = now + timedelta(seconds=1)
    changes = filter(None, [report.next_public_at, report.next_ping_at, report.next_try_at])
    return max(soon, min([now + config.settings.publish.every, *slots, *changes]))


def lines(report: Report) -> list[str]:
    """Return what a pass did, a line each; a pass that changed nothing has nothing to tell."""
    found = [
        f"{i.newsletter} {i.number}: {i.posts} posts to {i.recipients} recipients, {i.state}" for i in report.issues
    ]
    if report.written:
        found.insert(0, f"written: {len(report.written)}, unchanged: {report.unchanged}")
    return [*found, *(f"later: {line}" for line in report.later), *(f"error: {line}" for line in report.errors)]


def _rhythm(config: Config) -> str:
    names = ", ".join(f"{n.name} ({n.schedule})" for n in config.settings.newsletters) or "no newsletters"
    return f"publish every {config.settings.publish.every}; {names}; SIGTERM stops"
