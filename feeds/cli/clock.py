"""The clock of the program: every command reads the time here, and nowhere else.

The variable `FEEDS_CLOCK` starts a process at another moment, such as 2026-11-23T12:00+00:00; from there its time goes
on as usual. It is for tests: a command that a test starts agrees with the test about the date.

Imports little, since a publish run that changes nothing reads the time too.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

_VARIABLE = "FEEDS_CLOCK"


def _offset() -> float:
    """Return how many seconds this process is ahead of the system's clock."""
    start = os.environ.get(_VARIABLE)
    if not start:
        return 0.0
    from datetime import datetime

    try:
        return datetime.fromisoformat(start).timestamp() - time.time()
    except ValueError:
        raise SystemExit(f"error: {_VARIABLE}: {start!r} is not a time; write such as 2026-11-23T12:00+00:00") from None


_OFFSET = _offset()


def now_seconds() -> float:
    """Return the current time in seconds since 1970."""
    return time.time() + _OFFSET


def utc_now() -> datetime:
    """Return the current time."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(now_seconds(), UTC)
