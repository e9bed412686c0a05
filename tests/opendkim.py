"""Verify signatures with OpenDKIM, with a file instead of DNS."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

_PROGRAM = shutil.which("opendkim", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
#: The reason why it cannot run; empty if it can.
MISSING = "" if _PROGRAM else "OpenDKIM is not installed"
_CONFIG = """TestPublicKeys {folder}/keys
StrictTestMode yes
"""


class OpenDkim:
    """Verifies messages by *records*, the texts in DNS by name."""

    def __init__(self, folder: Path, records: Mapping[str, str]) -> None:
        self._folder = folder
        self._config = folder / "opendkim.conf"
        self._config.write_text(_CONFIG.format(folder=folder), "utf-8")
        (folder / "keys").write_text("".join(f"{name} {text}\n" for name, text in records.items()), "utf-8")

    def verdicts(self, messages: Iterable[bytes]) -> list[bool]:
        """Return for each message whether it has a valid signature; raise ValueError if OpenDKIM cannot verify it."""
        files = []
        for number, message in enumerate(messages):
            files.append(self._folder / f"{number}.eml")
            files[-1].write_bytes(message)
        command = [_PROGRAM, "-x", self._config, "-t", ",".join(map(str, files))]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        results = re.findall(r"^opendkim: .*: verification \(.*\) (succeeded$|failed: )", done.stdout, re.MULTILINE)
        if len(results) != len(files):
            raise ValueError(done.stdout + done.stderr)
        return [result == "succeeded" for result in results]
