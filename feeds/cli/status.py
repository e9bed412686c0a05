"""`feeds status`: the progress of issues that are being sent."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from feeds.cli import options, output, output_issues
from feeds.cli.clock import utc_now
from feeds.cli.newsletters import print_outlooks

if TYPE_CHECKING:
    from feeds.jobs.newsletters.status import IssueProgress

    Found = Sequence[IssueProgress]

_SECOND = 1.0


@click.command()
@options.CONFIG
@options.JSON
@click.option("--watch", is_flag=True, help="Print again every second until nothing is being sent.")
def status(path: Path, *, as_json: bool, watch: bool) -> None:
    """Print the progress of issues: sent, waiting, refused and why, how fast, how long it still takes."""
    from feeds.jobs.newsletters.status import load_progress

    config = options.read_config(path)
    with _printer(config.settings.site.timezone, as_json=as_json, live=watch) as show:
        found = load_progress(config, utc_now())
        show(found)
        while watch and any(progress.issue.state == "sending" for progress in found):
            time.sleep(_SECOND)
            found = load_progress(config, utc_now())
            show(found)
    if not as_json:
        print_outlooks(config)


@contextmanager
def _printer(zone: tzinfo, *, as_json: bool, live: bool) -> Iterator[Callable[["Found"], None]]:
    """Hold a function that prints progress: in one place of a terminal, line after line elsewhere."""
    if as_json or not (live and sys.stdout.isatty()):
        yield _print_json if as_json else partial(_print, zone=zone)
        return
    from rich.live import Live
    from rich.text import Text

    with Live() as place:
        yield lambda found: place.update(Text("\n".join(_lines(found, zone))), refresh=True)


def _print_json(found: "Found") -> None:
    for one in found:
        output.print_json(output_issues.progress_to_dict(one))


def _print(found: "Found", zone: tzinfo) -> None:
    for line in _lines(found, zone):
        click.echo(line)


def _lines(found: "Found", zone: tzinfo) -> Iterator[str]:
    for one in found:
        yield from output_issues.progress_lines(one, zone)
