"""Waking up at the right moments: APScheduler, told one date at a time.

Which moments those are is reckoned elsewhere (`feeds.core.schedule`). APScheduler's own crontab counts weekdays from
Monday, wants day *and* weekday, and fires twice when clocks go back.
"""

import signal
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from threading import Event, Lock

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger

#: One at work, one that waits for it, and such as find that out.
_CALLS = 9
_STOPS = (signal.SIGTERM, signal.SIGINT)

#: Something to do; it is given what tells whether it should end soon, and returns which steps are due next, and when.
Step = Callable[[Callable[[], bool]], Mapping[str, datetime]]


def repeat(steps: Mapping[str, Step], first: Mapping[str, datetime]) -> None:
    """Call steps at their *first* moments, then each at the moments that steps return, until SIGTERM or SIGINT.

    Different steps may be at work at once, and one step is once. Of two moments of a step the earlier one is kept; one
    that comes while it is at work is kept for when it has ended. What is at work when the signal comes is finished
    first. What a step raises ends it all and is raised here.
    """
    turns = _Turns(steps)
    before = {number: signal.signal(number, lambda *_: turns.stopped.set()) for number in _STOPS}
    try:
        turns.run(first)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if turns.failed:
        raise turns.failed[0]


class _Turns:
    """Steps and when they are due."""

    def __init__(self, steps: Mapping[str, Step]) -> None:
        self._steps = steps
        self._at_work = {name: Lock() for name in steps}
        self._waiting: set[str] = set()
        #: APScheduler's shutdown waits for running jobs while it holds the lock that `add_job` needs: the two must not
        #: meet.
        self._planning = Lock()
        self._scheduler = BackgroundScheduler(timezone=UTC)
        self.stopped = Event()
        self.failed: list[BaseException] = []

    def run(self, first: Mapping[str, datetime]) -> None:
        """Begin, and return when all is over."""
        self._plan(first)
        self._scheduler.start()
        self.stopped.wait()
        with ExitStack() as held:
            for lock in (*self._at_work.values(), self._planning):
                held.enter_context(lock)
            self._scheduler.pause()
        # Its own round may still be at work on the job that has just ended, and would not find it after `shutdown` has
        # said that all is over (APScheduler 3.11 says so before it takes the lock). Asking for jobs waits for it.
        self._scheduler.get_jobs()
        self._scheduler.shutdown()

    def _plan(self, due: Mapping[str, datetime]) -> None:
        with self._planning:
            for name, moment in due.items() if not self.stopped.is_set() else ():
                job = self._scheduler.get_job(name)
                known: Iterable[datetime] = [job.trigger.run_date] if job else []
                about = {"id": name, "replace_existing": True, "misfire_grace_time": None, "max_instances": _CALLS}
                self._scheduler.add_job(self._take, DateTrigger(min([moment, *known])), [name], **about)

    def _take(self, name: str) -> None:
        """Do a step, after whoever is at it; not if another call waits for that already."""
        if name in self._waiting:
            return
        self._waiting.add(name)
        with self._at_work[name]:
            self._waiting.discard(name)
            if self.stopped.is_set():
                return
            try:
                self._plan(self._steps[name](self.stopped.is_set))
            except BaseException as e:  # noqa: BLE001 - alive and never to wake again would be worse than dead
                self.failed.append(e)
                self.stopped.set()
