"""Words that several commands share, and what they mean."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.progress import Progress

    from feeds.config import Config

CONFIG = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=Path("config.toml"),
    show_default=True,
    envvar="FEEDS_CONFIG",
    help="The site's settings.",
)
NOW = click.option(
    "--now", metavar="TIME", help="Act as if it were this moment, such as 2026-11-23 or 2026-11-23T08:00+09:00."
)
YES = click.option("--yes", is_flag=True, help="Do not ask before mail leaves this machine.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")


def utc_now() -> datetime:
    """Return the real moment."""
    return datetime.now(UTC)


def read_config(path: Path) -> "Config":
    """Return the settings in *path*."""
    from feeds.config import load_config

    return load_config(path, os.environ)


def parse_now(config: "Config", text: str | None) -> datetime:
    """Return the moment that --now names, in the site's zone, or the real one."""
    from feeds.core.posts.dates import parse_date

    if text is None:
        return utc_now()
    try:
        return parse_date(text, config.settings.site.timezone)
    except ValueError as e:
        raise click.BadParameter(str(e), param_hint="--now") from e


@contextmanager
def show_progress(*, hidden: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Hold a progress bar open where a person watches; elsewhere nothing is shown.

    Where nobody knows of how many (0), it says how many there were.
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
    """Return what asks whoever sits at the terminal; None where nobody does."""
    return _ask if sys.stdin.isatty() and sys.stderr.isatty() else None


def _ask(question: str) -> bool:
    for bar in _shown:
        bar.stop()
    try:
        return click.confirm(question, err=True)
    finally:
        for bar in _shown:
            bar.start()
