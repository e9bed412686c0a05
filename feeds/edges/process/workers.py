"""Worker processes for work that takes long enough.

They are forked, so they start in a millisecond and share what is already loaded. A process with several threads must
not be forked (the child would inherit locks of threads that it does not have), nor a process of macOS (its frameworks
do not support it): there the work is done in this process.
"""

import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")


class Workers:
    """A pool of processes, which is started with the first long work."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._pool: Any = None

    def map(self, work: Callable[[Part], Result], parts: Sequence[Part], *, long: bool) -> Iterator[Result]:
        """Return the results of *work* for *parts*, in their order; *long* work is shared among processes.

        Shared work starts at once, not when its results are read. If a worker dies (a machine short of memory kills
        processes), its work is done in this process.
        """
        if not (long and len(parts) > 1 and self._can_share()):
            return map(work, parts)
        return self._collect(self._start().map(work, parts), work, parts)

    def _collect(
        self, results: Iterator[Result], work: Callable[[Part], Result], parts: Sequence[Part]
    ) -> Iterator[Result]:
        from concurrent.futures.process import BrokenProcessPool

        done = 0
        try:
            for result in results:
                yield result
                done += 1
        except BrokenProcessPool:
            self._pool = None
            yield from map(work, parts[done:])

    def preload(self, work: Callable[[], None]) -> None:
        """Let every process that is started do *work*, such as loading modules, while it has nothing else to do."""
        for _ in range(self._processes if self._pool is not None else 0):
            self._pool.submit(work)

    def _can_share(self) -> bool:
        return self._pool is not None or (
            self._processes > 1 and sys.platform == "linux" and threading.active_count() == 1
        )

    def _start(self) -> Any:
        if self._pool is None:
            from concurrent.futures import ProcessPoolExecutor
            from multiprocessing import get_context

            self._pool = ProcessPoolExecutor(self._processes, get_context("fork"), initializer=_set_up)
        return self._pool

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None


@contextmanager
def workers(processes: int | None = None) -> Iterator[Workers]:
    """Yield workers, by default one for each core; no process is started before there is work for it."""
    with closing(Workers(processes or cores())) as pool:
        yield pool


def cores() -> int:
    """Return how many processes can run at the same time."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _set_up() -> None:
    """Switch off garbage collection: a worker's objects are short-lived, and collecting takes a tenth of its time."""
    gc.freeze()
    gc.disable()
