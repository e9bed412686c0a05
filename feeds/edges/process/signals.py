"""Lets work end at a good point after SIGTERM or Ctrl-C, and calls functions at signals."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

_STOPS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_requested() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether a stop was requested; a second request is a KeyboardInterrupt.

    Only the main thread receives signals; in another thread the function always returns False.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    requested = threading.Event()

    def request_stop(_number: int, _frame: FrameType | None) -> None:
        if requested.is_set():
            raise KeyboardInterrupt
        requested.set()

    before = {number: signal.signal(number, request_stop) for number in _STOPS}
    try:
        yield requested.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def handle_signal(number: signal.Signals, call: Callable[[], None]) -> Iterator[None]:
    """Call a function at a signal during the block; it interrupts what the main thread does."""
    before = signal.signal(number, lambda *_: call())
    try:
        yield
    finally:
        signal.signal(number, before)


def on_hangup(call: Callable[[], None]) -> AbstractContextManager[None]:
    """Call a function at each SIGHUP during the block, in a thread: what it prints must not interrupt a print."""
    return handle_signal(signal.SIGHUP, lambda: threading.Thread(target=call, daemon=True).start())
