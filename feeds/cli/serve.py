"""The command `serve`, and the web server of `feeds run`."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

import click

from feeds.cli import options, output
from feeds.cli.clock import utc_now
from feeds.errors import FeedsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from pathlib import Path

    from feeds.config import Config
    from feeds.jobs.context import Context
    from feeds.jobs.health import Pulse
    from feeds.jobs.run import Log
    from feeds.web.door import Door

ACCESS_LOG = click.option("--access-log", is_flag=True, help="Print a line for each request, without addresses.")


@click.command()
@options.CONFIG
@ACCESS_LOG
def serve(path: Path, *, access_log: bool) -> None:
    """Serve the pages for readers and the feeds over HTTP until SIGTERM; SIGHUP reads the config again."""
    from feeds.jobs.context import Context
    from feeds.jobs.store.site_store import refuse_other_site
    from feeds.web import server
    from feeds.web.door import Door

    gc.enable()  # this command does not end
    config = options.read_config(path)
    refuse_other_site(config)
    output.print_diagnostics([], config.warnings)
    door = Door(config, Context(clock=utc_now), lambda line: output.print_diagnostics([line], []))
    listener = server.listen(config.settings.web.listen, config.folder)

    def report_ready() -> None:
        click.echo(f"serving {door.url()} at {config.settings.web.listen}  (stop with Ctrl-C)")

    address = ServedAddress(str(config.settings.web.listen), lambda line: output.print_diagnostics([], [line]))

    def use_config(config: Config, *, reread: bool) -> None:
        door.use_config(keep_address(config, door.config), reread=reread)
        address.check(config, str(config.settings.web.listen))

    def report(lines: list[str]) -> None:
        output.print_diagnostics(lines, [])
        if not lines:
            click.echo(_READ_AGAIN)

    def log(line: str) -> None:
        click.echo(output.escape_controls(line))

    server.serve(
        door,
        listener,
        reload=make_reload(path, use_config, report),
        report_ready=report_ready,
        log_access=log if access_log else None,
    )
    click.echo("stopped")


_READ_AGAIN = "read the config again"
_STILL_USED = "the old config is still used"


def make_reload(path: Path, use: Callable[..., None], report: Callable[[list[str]], None]) -> Callable[[], None]:
    """Return a function that reads the config again and passes it on; of one that is not valid it reports the errors.

    *report* gets no lines if the config is valid.
    """
    from feeds.config import load_config

    def reload() -> None:
        try:
            use(load_config(path, os.environ), reread=True)
        except FeedsError as e:
            report([*e.lines, _STILL_USED])
        else:
            report([])

    return reload


class ServedAddress:
    """Warns of a config whose address needs a restart: the server stays where it is."""

    def __init__(self, served: str, warn: Callable[[str], None]) -> None:
        #: Where the server is, and where the config wants it; empty: nowhere.
        self._served = self._wanted = served
        self._warn = warn

    def check(self, config: Config, wanted: str) -> None:
        """Warn if a new config wants another address, but once only."""
        if wanted not in (self._served, self._wanted):
            self._warn(f"{config.path}: {self._describe(wanted)}")
        self._wanted = wanted

    def _describe(self, wanted: str) -> str:
        if not self._served:
            return "web.url: needs a restart; until then the web server does not run"
        if not wanted:
            return f"web.url: that it is not set needs a restart; until then the web server stays at {self._served}"
        return f"web.listen: {wanted} needs a restart; until then the web server stays at {self._served}"


def keep_address(config: Config, before: Config) -> Config:
    """Return a new config with the address of the one before, which is served until a restart."""
    from dataclasses import replace

    import msgspec

    web = msgspec.structs.replace(config.settings.web, listen=before.settings.web.listen)
    return replace(config, settings=msgspec.structs.replace(config.settings, web=web))


class RunServer:
    """The web server beside `feeds run`: there is one if `web.url` is set, so that an upgrade opens no port."""

    def __init__(self, config: Config, context: Context, log: Log, pulse: Pulse, *, no_web: bool = False) -> None:
        self._no_web = no_web
        self._config, self._context, self._log, self._pulse = config, context, log, pulse
        self._door: Door | None = None
        self._address = ServedAddress(self._wanted_address(config), self._warn)

    def start(self, stack: ExitStack, *, access_log: bool) -> None:
        """Serve until *stack* is closed, if the config wants it.

        Raises:
            FeedsError: the address cannot be used, or a template of the pages has a fault.
        """
        if not self._wanted_address(self._config):
            return
        from feeds.jobs.run import Event
        from feeds.web import server
        from feeds.web.door import Door

        def log_fault(line: str) -> None:
            self._log(Event(what="fault", text=f"error: {line}", level="error"))

        def log_access(line: str) -> None:
            self._log(Event(what="access", text=output.escape_controls(line)))

        self._door = Door(self._config, self._context, log_fault, self._pulse)
        listener = server.listen(self._config.settings.web.listen, self._config.folder)
        stack.enter_context(server.serving(self._door, listener, log_access if access_log else None))
        self._log(Event(what="serving", text=f"serving {self._door.url()} at {self._config.settings.web.listen}"))

    def use_config(self, config: Config, *, reread: bool = False) -> None:
        """Use a config that was read again."""
        if self._door is not None:
            self._door.use_config(keep_address(config, self._door.config), reread=reread)
        self._address.check(config, self._wanted_address(config))

    def follow_config(self, config: Config) -> None:
        """Use a config that a publish has read; log why it is not used, since that does not concern the publish."""
        try:
            self.use_config(config)
        except FeedsError as e:
            self.report_reload([*e.lines, f"web: {_STILL_USED}"])

    def _warn(self, line: str) -> None:
        from feeds.jobs.run import Event

        self._log(Event(what="fault", text=f"warning: {line}", level="warning"))

    def report_reload(self, lines: list[str]) -> None:
        """Log that the config was read again, or why it is not used."""
        from feeds.jobs.run import Event

        for line in lines:
            self._log(Event(what="fault", text=f"error: {line}", level="error"))
        if not lines:
            self._log(Event(what="config", text=_READ_AGAIN))

    def _wanted_address(self, config: Config) -> str:
        """Return where a config wants the pages to be served; empty: nowhere."""
        web = config.settings.web
        return "" if self._no_web or web.url is None else str(web.listen)
