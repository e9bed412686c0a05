"""The fingerprint of the running build: the source of Feeds, the installed packages and Python.

A cache is used only by the build that wrote it, so that no version number has to be raised by hand.
"""

import os
import sys
from zlib import crc32

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


#: The fingerprint once it is known: the running build does not change.
_known: list[str] = []


def build_fingerprint() -> str:
    """Return a short text that differs between builds."""
    if not _known:
        _known.append(_compute())
    return _known[0]


def _compute() -> str:
    checksum = crc32(sys.version.encode())
    for path in sorted(_sources()):
        with open(path, "rb") as file:
            checksum = crc32(file.read(), checksum)
    for folder in sorted(filter(os.path.isdir, sys.path)):
        names = sorted(name for name in os.listdir(folder) if name.endswith(".dist-info"))
        checksum = crc32("\0".join(names).encode(), checksum)
    return f"{checksum:08x}"


def _sources() -> list[str]:
    """Return the source files of Feeds and the templates that come with it."""
    tops = [_PACKAGE, os.path.join(os.path.dirname(_PACKAGE), "templates")]
    walks = (walk for top in tops for walk in os.walk(top))
    return [f"{folder}/{name}" for folder, _, names in walks for name in names if not name.endswith(".pyc")]
