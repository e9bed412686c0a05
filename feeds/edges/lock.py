"""One publish at a time for each site.

The lock is the site's folder itself (flock on the directory): nothing is left lying about, and the lock dies with its
process, however that dies.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from feeds.errors import Busy


@contextmanager
def site(folder: Path) -> Iterator[None]:
    """Hold the site's lock.

    Raises:
        Busy: another process holds it.
    """
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"another publish is at work on {folder}; nothing was done here") from None
        yield
    finally:
        os.close(number)
