"""Waking up at the right moment: APScheduler, told one date at a time.

Which moments those are is reckoned elsewhere (`feeds.core.schedule`). APScheduler's own crontab counts weekdays from
Monday, wants day *and* weekday, and fires twice when clocks go back.
"""

import signal
from collections.abc import Callable
from datetime import datetime
from types import FrameType

from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.date import DateTrigger

_STOPS = (signal.SIGTERM, signal.SIGINT)


def repeat(step: Callable[[], datetime], first: datetime) -> None:
    """Call *step* at *first*, then each time at the moment it returned, until SIGTERM or SIGINT.

    A step that is at work when the signal comes is finished first.
    """
    scheduler = BlockingScheduler(timezone=first.tzinfo)

    def again() -> None:
        scheduler.add_job(again, DateTrigger(step()), misfire_grace_time=None)

    def stop(_number: int, _frame: FrameType | None) -> None:
        scheduler.shutdown(wait=True)

    before = {number: signal.signal(number, stop) for number in _STOPS}
    try:
        scheduler.add_job(again, DateTrigger(first), misfire_grace_time=None)
        scheduler.start()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
