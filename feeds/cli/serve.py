"""The command `serve`: the web pages for readers, without publishing."""

import gc
import os
from pathlib import Path

import click

from feeds.cli import options, output
from feeds.cli.clock import utc_now
from feeds.errors import FeedsError


@click.command()
@options.CONFIG
def serve(path: Path) -> None:
    """Serve the pages for readers and the feeds over HTTP until SIGTERM; SIGHUP reads the config again."""
    from feeds.config import load_config
    from feeds.jobs.context import Context
    from feeds.web import server
    from feeds.web.door import Door

    gc.enable()  # this command does not end
    config = options.read_config(path)
    output.print_diagnostics([], config.warnings)
    door = Door(config, Context(clock=utc_now), lambda line: output.print_diagnostics([line], []))
    listener = server.listen(config.settings.web.listen)

    def reload() -> None:
        try:
            door.use_config(load_config(path, os.environ))
        except FeedsError as e:
            output.print_diagnostics([*e.lines, "the config is not used; the old one still is"], [])
        else:
            click.echo("read the config again")

    click.echo(f"serving {door.url()} at {config.settings.web.listen}  (stop with Ctrl-C)")
    server.serve(door, listener, reload)
    click.echo("stopped")
