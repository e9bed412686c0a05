"""Being asked to stop, by SIGTERM or Ctrl-C, while something is under way that should come to a good end."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_STOPS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_requested() -> Iterator[Callable[[], bool]]:
    """Yield what tells whether somebody has asked to stop; a second time, it stops at once.

    Signals come to the main thread only; in others nothing is ever asked here.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    asked = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    before = {number: signal.signal(number, ask) for number in _STOPS}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
