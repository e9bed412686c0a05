"""Waking up at the right moment: APScheduler, told one date at a time.

Which moments those are is reckoned elsewhere (`feeds.core.schedule`). APScheduler's own crontab counts weekdays from
Monday, wants day *and* weekday, and fires twice when clocks go back.
"""

import signal
from collections.abc import Callable
from datetime import datetime
from threading import Event, Lock

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger

_STOPS = (signal.SIGTERM, signal.SIGINT)


def repeat(step: Callable[[Callable[[], bool]], datetime], first: datetime) -> None:
    """Call *step* at *first*, then each time at the moment it returned, until SIGTERM or SIGINT.

    A step that is at work when the signal comes is finished first; what it is given tells whether one has come. What a
    step raises ends it all and is raised here.
    """
    scheduler = BackgroundScheduler(timezone=first.tzinfo)
    stopped = Event()
    failed: list[BaseException] = []
    # APScheduler's shutdown waits for running jobs while it holds the lock that `add_job` needs: the two must not meet.
    at_work = Lock()

    def again() -> None:
        with at_work:
            try:
                if not stopped.is_set():
                    scheduler.add_job(again, DateTrigger(step(stopped.is_set)), misfire_grace_time=None)
            except BaseException as e:  # noqa: BLE001 - alive and never to wake again would be worse than dead
                failed.append(e)
                stopped.set()

    before = {number: signal.signal(number, lambda *_: stopped.set()) for number in _STOPS}
    try:
        scheduler.add_job(again, DateTrigger(first), misfire_grace_time=None)
        scheduler.start()
        stopped.wait()
        with at_work:
            scheduler.pause()
        # Its own round may still be at work on the job that has just ended, and would not find it after `shutdown` has
        # said that all is over (APScheduler 3.11 says so before it takes the lock). Asking for jobs waits for it.
        scheduler.get_jobs()
        scheduler.shutdown()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if failed:
        raise failed[0]
