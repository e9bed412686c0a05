"""Commands of the site's owner."""

import subprocess
from pathlib import Path

from feeds.errors import CommandError


def run_command(command: str, folder: Path, said: str = "") -> None:
    """Run a command line in *folder*, as a shell reads it; *said* is what it reads on its standard input.

    Raises:
        CommandError: it ends with anything but 0; its last words are told.
    """
    try:
        done = subprocess.run(  # noqa: S602 - it is the owner's own line, and may be a pipe
            command, shell=True, cwd=folder, input=said.encode(), capture_output=True, check=False
        )
    except OSError as e:
        raise CommandError(command, e.strerror or str(e)) from e
    if done.returncode:
        words = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
        raise CommandError(command, f"ended with {done.returncode}{': ' + words[-1] if words else ''}")
