"""OpenDKIM as a judge of signatures, asking a file instead of DNS."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

_PROGRAM = shutil.which("opendkim", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
#: Why it cannot run here; empty where it can.
MISSING = "" if _PROGRAM else "OpenDKIM is not installed"
_CONFIG = """TestPublicKeys {folder}/keys
StrictTestMode yes
"""


class OpenDkim:
    """Verifies messages against *records*: names in DNS with the text that stands there."""

    def __init__(self, folder: Path, records: Mapping[str, str]) -> None:
        self._folder = folder
        self._config = folder / "opendkim.conf"
        self._config.write_text(_CONFIG.format(folder=folder), "utf-8")
        (folder / "keys").write_text("".join(f"{name} {text}\n" for name, text in records.items()), "utf-8")

    def verdicts(self, messages: Iterable[bytes]) -> list[bool]:
        """Return for each message whether a signature in it is good; ValueError where OpenDKIM did not come to that."""
        files = []
        for number, message in enumerate(messages):
            files.append(self._folder / f"{number}.eml")
            files[-1].write_bytes(message)
        words = [_PROGRAM, "-x", self._config, "-t", ",".join(map(str, files))]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
        found = re.findall(r"^opendkim: .*: verification \(.*\) (succeeded$|failed: )", done.stdout, re.MULTILINE)
        if len(found) != len(files):
            raise ValueError(done.stdout + done.stderr)
        return [word == "succeeded" for word in found]
