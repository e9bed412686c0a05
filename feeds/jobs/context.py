"""The context of every job: clock, randomness and terminal; the job's own options are separate."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

#: Called with the name of a long task, the number of steps done, and the number of all steps (0 if unknown).
Progress = Callable[[str, int, int], None]


def ignore_progress(_work: str, _done: int, _total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """Clock, randomness and terminal of a job; tests set each of them."""

    #: Returns the current time; only `cli` and `web` read the real clock.
    clock: Callable[[], datetime]
    #: Returns as many random bytes as asked for, unpredictable ones.
    random_bytes: Callable[[int], bytes] = secrets.token_bytes
    progress: Progress = ignore_progress
    #: Asks the user a yes/no question; None if there is no terminal.
    confirm: Callable[[str], bool] | None = None
    #: Returns True once the job should end: it finishes what it has begun and starts nothing new.
    stopping: Callable[[], bool] = lambda: False
