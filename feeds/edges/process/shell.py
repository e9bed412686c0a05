"""Runs the commands of the site's owner."""

import subprocess
from pathlib import Path

from feeds.errors import CommandError


def run_command(command: str, folder: Path, text: str = "") -> None:
    """Run a shell command line in *folder* with *text* on its standard input.

    Raises:
        CommandError: its exit code is not 0; the error has the last line of its output.
    """
    try:
        done = subprocess.run(  # noqa: S602 - the owner's own command line, which may be a pipe
            command, shell=True, cwd=folder, input=text.encode(), capture_output=True, check=False
        )
    except OSError as e:
        raise CommandError(command, e.strerror or str(e)) from e
    if done.returncode:
        output = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
        raise CommandError(command, f"ended with exit code {done.returncode}{': ' + output[-1] if output else ''}")
