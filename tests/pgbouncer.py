"""PgBouncer in front of the PostgreSQL server of the tests."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

_PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
_CONFIG = """\
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
{more}
"""


@contextmanager
def pgbouncer(url: str, folder: Path, mode: str, **more: object) -> Iterator[str]:
    """Run PgBouncer in a pool mode; return the URL of the same database through it. *more* are settings."""
    if _PROGRAM is None:
        pytest.skip("PgBouncer is not installed")
    server, own = urlsplit(url), _free_port()
    config = folder / "pgbouncer.ini"
    values = {"host": server.hostname, "port": server.port, "user": server.username, "own": own, "mode": mode}
    values["more"] = "\n".join(f"{key} = {value}" for key, value in more.items())
    config.write_text(_CONFIG.format(**values), "utf-8")
    place = f"{server.username}@127.0.0.1:{own}"
    as_other = {"user": "nobody", "group": "nogroup"} if os.getuid() == 0 else {}  # it refuses to run as root
    with config.open() as opened:  # whose folder the other user may not enter
        process = subprocess.Popen([_PROGRAM, "-q", "/dev/stdin"], stdin=opened, stderr=subprocess.DEVNULL, **as_other)  # type: ignore[call-overload]
    try:
        _wait_for(own)
        yield server._replace(netloc=place).geturl()
    finally:
        process.terminate()
        process.wait(10)


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port: int = listening.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    for _ in range(200):
        with suppress(ConnectionRefusedError), closing(socket.create_connection(("127.0.0.1", port))):
            return
        time.sleep(0.05)
    raise AssertionError("PgBouncer does not listen")
