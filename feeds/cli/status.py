"""`feeds status`: how far issues have come."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from feeds.cli import options, output

if TYPE_CHECKING:
    from feeds.jobs.newsletters.status import IssueProgress

    Found = Sequence[IssueProgress]

_SECOND = 1.0


@click.command()
@options.CONFIG
@options.JSON
@click.option("--watch", is_flag=True, help="Look again every second, until nothing is on its way any more.")
def status(path: Path, *, as_json: bool, watch: bool) -> None:
    """Say how far issues have come: sent, waiting, refused and why, how fast, how long still."""
    from feeds.jobs.newsletters.status import load_progress as look

    config = options.read_config(path)
    with _shown(as_json=as_json, live=watch) as show:
        found = look(config, options.utc_now())
        show(found)
        while watch and any(progress.issue.state == "sending" for progress in found):
            time.sleep(_SECOND)
            found = look(config, options.utc_now())
            show(found)


@contextmanager
def _shown(*, as_json: bool, live: bool) -> Iterator[Callable[["Found"], None]]:
    """Hold what shows progress: at a terminal in one place, elsewhere line after line."""
    if as_json or not (live and sys.stdout.isatty()):
        yield _print_json if as_json else _print
        return
    from rich.live import Live
    from rich.text import Text

    with Live() as place:
        yield lambda found: place.update(Text("\n".join(_lines(found))), refresh=True)


def _print_json(found: "Found") -> None:
    for one in found:
        output.print_json(output.progress_to_dict(one))


def _print(found: "Found") -> None:
    for line in _lines(found):
        click.echo(line)


def _lines(found: "Found") -> Iterator[str]:
    for one in found:
        yield from output.progress_lines(one)
