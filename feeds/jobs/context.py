"""What a command gives to every job, beside the job's own options: the clock, randomness, the terminal."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

#: Called with the name of a long piece of work, how much of it is done, and of how much (0: unknown).
Progress = Callable[[str, int, int], None]


def ignore_progress(_work: str, _done: int, _total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """The surroundings of a job; a test sets each of them."""

    #: Returns the current time. Only doors read the real clock.
    clock: Callable[[], datetime]
    #: Returns that many bytes that cannot be guessed.
    random_bytes: Callable[[int], bytes] = secrets.token_bytes
    progress: Progress = ignore_progress
    #: Asks the person at the terminal a yes/no question; None if there is no terminal.
    confirm: Callable[[str], bool] | None = None
    #: Returns True once the job should end soon: it finishes what it has begun and takes nothing new.
    stopping: Callable[[], bool] = lambda: False
