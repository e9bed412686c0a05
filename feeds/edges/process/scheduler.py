"""Run steps at given times with APScheduler, which is given one date at a time.

The times are computed elsewhere (`feeds.core.schedule`): APScheduler's crontab counts weekdays from Monday, wants day
*and* weekday to match, and fires twice when clocks go back.
"""

import signal
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from threading import Event, Lock

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger

#: How many calls of a step may be in APScheduler's pool: one that runs, one that waits for it, some that find both.
_CALLS = 9
_STOPS = (signal.SIGTERM, signal.SIGINT)

#: A step is called with a function that returns True once it should end soon; it returns the next times of steps.
Step = Callable[[Callable[[], bool]], Mapping[str, datetime]]


def repeat(steps: Mapping[str, Step], first: Mapping[str, datetime], clock: Callable[[], datetime]) -> None:
    """Call steps at their *first* times, then at the times that steps return, until SIGTERM or SIGINT.

    All times are times of *clock*. Different steps may run at once; one step never runs twice at once. Of two times of
    a step the earlier one is kept; one that comes while the step runs is kept until it has ended. A step that runs when
    the signal comes is finished first. An exception in a step ends the loop and is raised here.
    """
    runner = _StepRunner(steps, clock)
    before = {number: signal.signal(number, lambda *_: runner.stopped.set()) for number in _STOPS}
    try:
        runner.run(first)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if runner.errors:
        raise runner.errors[0]


class _StepRunner:
    """Runs steps when they are due."""

    def __init__(self, steps: Mapping[str, Step], clock: Callable[[], datetime]) -> None:
        self._steps, self._clock = steps, clock
        self._running = {name: Lock() for name in steps}
        self._waiting: set[str] = set()
        #: `shutdown` waits for running jobs while it holds the lock that `add_job` needs, so the two must not overlap.
        self._scheduling = Lock()
        self._scheduler = BackgroundScheduler(timezone=UTC)
        self.stopped = Event()
        self.errors: list[BaseException] = []

    def run(self, first: Mapping[str, datetime]) -> None:
        """Start the scheduler; return when it has stopped."""
        self._schedule(first)
        self._scheduler.start()
        self.stopped.wait()
        with ExitStack() as held:
            for lock in (*self._running.values(), self._scheduling):
                held.enter_context(lock)
            self._scheduler.pause()
        # APScheduler's own thread may still handle the job that has just ended, and would not find it after `shutdown`,
        # which clears its jobs before it takes the lock (APScheduler 3.11). Asking for jobs waits for that thread.
        self._scheduler.get_jobs()
        self._scheduler.shutdown()

    def _schedule(self, due: Mapping[str, datetime]) -> None:
        with self._scheduling:
            for name, time in due.items() if not self.stopped.is_set() else ():
                run_at = self._system_time(time)
                job = self._scheduler.get_job(name)
                scheduled: Iterable[datetime] = [job.trigger.run_date] if job else []
                options = {"id": name, "replace_existing": True, "misfire_grace_time": None, "max_instances": _CALLS}
                self._scheduler.add_job(self._run_step, DateTrigger(min([run_at, *scheduled])), [name], **options)

    def _system_time(self, time: datetime) -> datetime:
        """Return the system's time at *time* of our clock: APScheduler waits on the system's clock."""
        return datetime.now(UTC) + (time - self._clock())

    def _run_step(self, name: str) -> None:
        """Run a step after the call that runs already; do nothing if another call waits for that."""
        if name in self._waiting:
            return
        self._waiting.add(name)
        with self._running[name]:
            self._waiting.discard(name)
            if self.stopped.is_set():
                return
            try:
                self._schedule(self._steps[name](self.stopped.is_set))
            except BaseException as e:  # noqa: BLE001 - a service that never wakes again is worse than one that ends
                self.errors.append(e)
                self.stopped.set()
