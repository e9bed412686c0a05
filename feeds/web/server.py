"""The process that serves the pages: sockets, signals, uvicorn."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette

from feeds.config_types import ListenAddress
from feeds.edges.process.signals import handle_signal, on_hangup
from feeds.errors import FeedsError
from feeds.web.access_log import AccessLog
from feeds.web.app import make_app
from feeds.web.door import Door
from feeds.web.mail_worker import MailWorker
from feeds.web.protocol import BoundedConnection, RecentReplies, check_times
from feeds.web.public_files import PublicFiles

#: Seconds that requests which have begun get after SIGTERM.
_GRACE = 10
_BACKLOG = 2048
#: Permissions of a Unix socket: the proxy is another user. The folder decides who gets at it.
_ANYBODY = 0o666


def listen(address: ListenAddress, folder: Path) -> socket.socket:
    """Return a socket that listens at *address*; the path of a Unix socket starts at *folder*, the site's.

    Raises:
        FeedsError: another program uses the address, or it cannot be used here.
    """
    try:
        if address.path is not None:
            return _listen_unix(folder / address.path)
        host, port = address.host_and_port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as e:
        reason = os.strerror(e.errno) if e.errno and e.errno > 0 else str(e)
        raise FeedsError(f"web.listen: {address!s} cannot be used: {reason}; choose another address") from e


def _listen_unix(path: Path) -> socket.socket:
    """Return a socket at a path, in place of one that a dead process has left; a proxy of any user may connect."""
    if path.is_socket() and not _is_served(path):
        path.unlink()
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        server.bind(str(path))
        path.chmod(_ANYBODY)
        server.listen(_BACKLOG)
    except OSError:
        server.close()
        raise
    return server


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True


class WebServer:
    """Serves the pages and files of a site at one socket."""

    def __init__(self, door: Door, app: Starlette, log_access: Callable[[str], None] | None = None) -> None:
        files = PublicFiles(app, door)
        connection = partial(BoundedConnection, quick=None if log_access else files, recent=RecentReplies())
        self._server = uvicorn.Server(
            uvicorn.Config(
                AccessLog(files, log_access) if log_access else files,
                http=cast("type[asyncio.Protocol]", connection),
                log_config=None,
                log_level="critical",  # errors have a line of ours
                access_log=False,
                proxy_headers=False,
                server_header=False,
                ws="none",
                lifespan="off",
                timeout_graceful_shutdown=_GRACE,
            )
        )

    def serve(self, listener: socket.socket) -> None:
        """Serve until `stop` is called."""
        with listener, asyncio.Runner(loop_factory=self._server.config.get_loop_factory()) as runner:
            runner.run(self._serve(listener))

    async def _serve(self, listener: socket.socket) -> None:
        checks = asyncio.create_task(check_times(self._server.server_state))
        try:
            await self._server.serve(sockets=[listener])
        finally:
            checks.cancel()

    @property
    def connections(self) -> set[Any]:
        """The open connections."""
        return self._server.server_state.connections

    def stop(self) -> None:
        """End after the requests that have begun; call it from any thread or signal handler."""
        self._server.should_exit = True


def serve(
    door: Door,
    listener: socket.socket,
    *,
    reload: Callable[[], None],
    report_ready: Callable[[], None],
    log_access: Callable[[str], None] | None = None,
) -> None:
    """Serve the pages until SIGTERM or Ctrl-C; SIGHUP calls *reload*.

    *report_ready* is called once signals have their meaning: an earlier SIGHUP would end the process.
    """
    server = WebServer(door, make_app(door), log_access)
    with ExitStack() as stack:
        stack.enter_context(handle_signal(signal.SIGTERM, server.stop))
        stack.enter_context(handle_signal(signal.SIGINT, server.stop))
        stack.enter_context(on_hangup(reload))
        stack.enter_context(MailWorker(door))
        report_ready()
        server.serve(listener)


@contextmanager
def serving(door: Door, listener: socket.socket, log_access: Callable[[str], None] | None = None) -> Iterator[None]:
    """Serve the pages in a thread during the block; the requests that have begun are finished at its end."""
    server = WebServer(door, make_app(door), log_access)
    thread = Thread(target=server.serve, args=[listener], name="web")
    with MailWorker(door):
        thread.start()
        try:
            yield
        finally:
            server.stop()
            thread.join()
