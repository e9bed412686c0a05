"""The command `feeds` in a process of its own, which begins where Python and all modules are loaded.

Loading them takes most of the time of a command. So a server does it once, and forks a process for each command.
"""

import importlib
import os
import runpy
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

from feeds.cli import clock

_FORKSERVER = get_context("forkserver")
_FORKSERVER.set_forkserver_preload(["tests.loaded"])
#: Seconds.
_TIMEOUT = 120
#: Variables that are read when Python starts.
_OF_PYTHON = ("PYTHON", "LC_", "LANG")


def run_command(words: Sequence[str], folder: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `feeds` in a folder, with these variables beside those of the test; a warning is an error.

    Python is started for it if a variable is for Python itself, or if coverage is measured.
    """
    given = os.environ | environ
    if any(name.startswith(_OF_PYTHON) for name in environ) or any(name.startswith("COV") for name in given):
        command = [sys.executable, "-W", "error", "-m", "feeds", *words]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=folder, env=given, timeout=_TIMEOUT
        )
    with tempfile.TemporaryDirectory() as output:
        process = _start(words, folder, given, output)
        process.join(_TIMEOUT)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired([*words], _TIMEOUT)
        texts = [Path(output, name).read_text("utf-8") for name in ("stdout", "stderr")]
        return subprocess.CompletedProcess([*words], process.exitcode, *texts)


@contextmanager
def running_command(words: Sequence[str], folder: Path) -> Iterator[BaseProcess]:
    """Start `feeds` in a folder with the variables of the test, and terminate it in the end."""
    with tempfile.TemporaryDirectory() as output:
        process = _start(words, folder, os.environ, output)
        try:
            yield process
        finally:
            process.terminate()
            process.join(_TIMEOUT)


def _start(words: Sequence[str], folder: Path, environ: Mapping[str, str], output: str) -> BaseProcess:
    process = _FORKSERVER.Process(target=_become_command, args=(words, str(folder), dict(environ), output))
    process.start()
    return process


def _become_command(words: Sequence[str], folder: str, environ: Mapping[str, str], output: str) -> None:
    """Do what `python -W error -m feeds` does, in this process."""
    for name, number in (("stdout", 1), ("stderr", 2)):
        with Path(output, name).open("wb") as file:
            os.dup2(file.fileno(), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    tempfile.tempdir = None
    warnings.simplefilter("error")
    sys.argv[1:] = words
    importlib.reload(clock)  # it looks at its variable when it is loaded
    runpy.run_module("feeds", run_name="__main__", alter_sys=True)
