"""Which build of this program is at work.

What a cache holds was made by some version of this program and of the libraries it stands on. The same names of
installed packages and the same source give the same bytes; anything else is another build, whose cache is not trusted.
"""

import os
import sys
from zlib import crc32

#: Where everything lies that may be deleted at any time, beside the config.
CACHE = ".feeds-cache"
_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def build_fingerprint() -> str:
    """Return a short text that is another one for every other build."""
    found = crc32(sys.version.encode())
    for path in sorted(_sources()):
        with open(path, "rb") as file:
            found = crc32(file.read(), found)
    for folder in sorted(filter(os.path.isdir, sys.path)):
        names = sorted(name for name in os.listdir(folder) if name.endswith(".dist-info"))
        found = crc32("\0".join(names).encode(), found)
    return f"{found:08x}"


def _sources() -> list[str]:
    """Return this program's own source files, and the templates that come with it."""
    tops = [_PACKAGE, os.path.join(os.path.dirname(_PACKAGE), "templates")]
    walks = (walk for top in tops for walk in os.walk(top))
    return [f"{place}/{name}" for place, _, names in walks for name in names if not name.endswith(".pyc")]
