"""Work in worker processes."""

import os
import signal
import threading
from functools import partial

from feeds.edges.process.workers import workers


def _double(number):
    return number * 2, os.getpid()


def _die(parent, number):
    if number == 3 and os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * 2, os.getpid()


def test_short_work_starts_no_process():
    """A site of fifty posts is read in this process."""
    with workers() as pool:
        assert list(pool.map(_double, [1, 2], long=False)) == [(2, os.getpid()), (4, os.getpid())]


def test_long_work_is_done_in_workers_and_keeps_its_order():
    """None of it is done in this process."""
    with workers(2) as pool:
        results = list(pool.map(_double, list(range(50)), long=True))
    assert [number for number, _ in results] == list(range(0, 100, 2))
    assert os.getpid() not in {pid for _, pid in results}


def test_the_work_of_a_killed_worker_is_done_in_this_process():
    """A machine short of memory kills processes."""
    with workers(2) as pool:
        results = list(pool.map(partial(_die, os.getpid()), list(range(8)), long=True))
    assert [number for number, _ in results] == list(range(0, 16, 2))


def test_a_process_with_threads_is_not_forked():
    """A lock that another thread holds would never be released in the child."""
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        with workers(2) as pool:
            assert {pid for _, pid in pool.map(_double, [1, 2, 3], long=True)} == {os.getpid()}
    finally:
        stop.set()
        thread.join()
