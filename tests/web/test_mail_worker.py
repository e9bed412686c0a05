"""The processes that serve the sign-up page send its confirmations themselves."""

import http.client
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from urllib.parse import urlencode

import pytest

from tests.signups import SignupSite
from tests.webserver import FORM

_LONGEST = 60


class UnixConnection(http.client.HTTPConnection):
    """A connection to a server at a Unix socket."""

    def __init__(self, path):
        super().__init__("letters.example.com", timeout=_LONGEST)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


@contextmanager
def started(site, command):
    """Run a command that serves at the socket `s`; yield once it does, and end it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "feeds", command],
        cwd=site.folder,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_until(partial(is_listening, str(site.folder / "s")))
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=_LONGEST)


def is_listening(path):
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(path) == 0


def wait_until(condition):
    """Return when a condition holds; fail after a minute."""
    for _ in range(_LONGEST * 20):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("it did not happen")


def request(site, method, path, fields=None):
    connection = UnixConnection(str(site.folder / "s"))
    try:
        connection.request(method, path, urlencode(fields) if fields is not None else None, {"Content-Type": FORM})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("command", ["serve", "run"])
def test_the_whole_way_works_with_one_process(site, command):
    """`feeds serve` alone, and `feeds run`, send confirmation and welcome of a sign-up, and end cleanly."""
    door = SignupSite.create(site, 'welcome = "latest"')
    config = (site.folder / "config.toml").read_text("utf-8")
    site.configure(config.replace("[web]\n", f'[web]\nlisten = "unix:{site.folder}/s"\n'))
    with started(site, command) as process:
        token = re.search(r'name="token" value="([^"]+)"', request(site, "GET", "/subscribe")[1])[1]
        fields = {"email": "ada@example.org", "newsletter": "weekly", "token": token, "lang": "en"}
        assert request(site, "POST", "/subscribe", fields)[0] == 200
        wait_until(lambda: door.mails("confirmation"))
        assert request(site, "POST", f"/confirm/{door.tokens('confirmation')[0]}", {})[0] == 200
        wait_until(lambda: door.mails("welcome"))
    assert door.subscriber("ada@example.org").status == "active"
    assert process.returncode == 0
