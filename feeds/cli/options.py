"""Options that several commands share, and what they mean."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feeds.cli.clock import utc_now
from feeds.cli.find_config import find_config
from feeds.cli.output import escape_controls

if TYPE_CHECKING:
    from rich.progress import Progress

    from feeds.config import Config
    from feeds.jobs.context import Context

CONFIG = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=lambda: find_config(os.environ),
    show_default="$FEEDS_CONFIG, feeds.toml or config.toml",
    help="The config file of the site.",
)
NOW = click.option(
    "--now", metavar="TIME", help="Use this time instead of the clock's: 2026-11-23 or 2026-11-23T08:00+09:00."
)
YES = click.option("--yes", is_flag=True, help="Send mail without asking for confirmation.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
NO_CACHE = click.option("--no-cache", is_flag=True, help="Read every post again, and write no cache.")


def read_config(path: Path) -> "Config":
    """Return the settings in *path*; move what earlier versions kept beside it.

    Raises:
        ConfigError: the file is missing or not valid.
        LockedError, FeedsError: there is something to move, and it cannot be moved now.
    """
    from feeds.config import load_config
    from feeds.jobs.move_state import move_state

    config = load_config(path, os.environ)
    for line in move_state(config):
        click.echo(line, err=True)
    return config


def parse_now(config: "Config", text: str | None) -> datetime:
    """Return the time that `--now` names, in the site's time zone if it names none; the current time if it is None.

    Raises:
        click.BadParameter: *text* is not a time.
    """
    from feeds.core.posts.dates import parse_date

    if text is None:
        return utc_now()
    try:
        return parse_date(text, config.settings.site.timezone)
    except ValueError as e:
        raise click.BadParameter(str(e), param_hint="--now") from e


@contextmanager
def job_context(*, quiet: bool) -> Iterator["Context"]:
    """Hold the context of a job: the clock, a progress bar unless *quiet*, and questions on the terminal."""
    from feeds.jobs.context import Context

    with show_progress(hidden=quiet) as progress:
        yield Context(clock=utc_now, progress=progress, confirm=confirm_prompt())


@contextmanager
def show_progress(*, hidden: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show a progress bar on a terminal; nothing elsewhere.

    If the total is not known (0), it shows how much is done.
    """
    if hidden or not sys.stderr.isatty():
        yield lambda _what, _done, _of: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        _shown.append(bar)
        tasks: dict[str, Any] = {}

        def progress(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=of or None)
            bar.update(tasks[what], completed=done, description=what if of else f"{what}: {done:,}")

        try:
            yield progress
        finally:
            _shown.remove(bar)


#: The progress bar that is on the screen.
_shown: "list[Progress]" = []


def confirm_prompt() -> Callable[[str], bool] | None:
    """Return a function that asks the person at the terminal a yes/no question; None if there is no terminal."""
    return _confirm if sys.stdin.isatty() and sys.stderr.isatty() else None


def _confirm(question: str) -> bool:
    for bar in _shown:
        bar.stop()
    try:
        return click.confirm("\n".join(map(escape_controls, question.splitlines())), err=True)
    finally:
        for bar in _shown:
            bar.start()
