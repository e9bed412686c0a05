"""Other processes, for work that is long enough to share.

They are forked, so that they start in a millisecond and share what is loaded already. A process with several threads
must not be forked (a lock may be held by a thread that the child does not have), nor one of macOS (its frameworks do
not bear it): there the work is done in place.
"""

import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")


class Workers:
    """Processes, as many as there are cores, from the first work that is worth it."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._pool: Any = None

    def map(self, work: Callable[[Part], Result], parts: Sequence[Part], *, long: bool) -> Iterator[Result]:
        """Return what *work* gives for each of *parts*, in their order; *long* says that other cores may help.

        Those begin at once, whenever their results are asked for. Workers that die (a machine short of memory kills
        them) are not missed: what they have not done is done here.
        """
        if not (long and len(parts) > 1 and self._may_help()):
            return map(work, parts)
        return self._collected(self._started().map(work, parts), work, parts)

    def _collected(
        self, results: Iterator[Result], work: Callable[[Part], Result], parts: Sequence[Part]
    ) -> Iterator[Result]:
        from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415 - slow to load, seldom needed

        done = 0
        try:
            for result in results:
                yield result
                done += 1
        except BrokenProcessPool:
            self._pool = None
            yield from map(work, parts[done:])

    def meanwhile(self, work: Callable[[], None]) -> None:
        """Let each process that has been started do something that it will need, while there is nothing else for it."""
        for _ in range(self._processes if self._pool is not None else 0):
            self._pool.submit(work)

    def _may_help(self) -> bool:
        return self._pool is not None or (
            self._processes > 1 and sys.platform == "linux" and threading.active_count() == 1
        )

    def _started(self) -> Any:
        if self._pool is None:
            from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - slow to load
            from multiprocessing import get_context  # noqa: PLC0415 - as above

            self._pool = ProcessPoolExecutor(self._processes, get_context("fork"), initializer=_begin)
        return self._pool

    def close(self) -> None:
        """Let them go."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None


@contextmanager
def workers(processes: int | None = None) -> Iterator[Workers]:
    """Hold workers, one a core unless told otherwise; none is started before there is work for it."""
    found = Workers(processes or cores())
    try:
        yield found
    finally:
        found.close()


def cores() -> int:
    """Return how many processes can run at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _begin() -> None:
    """Set a worker up: what it makes is short-lived, and looking for rings in it would take a tenth of its time."""
    gc.freeze()
    gc.disable()
