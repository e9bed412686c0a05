"""Commands that change the store and then publish: no other process gets in between."""

import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from feeds.edges.store.database import open_store
from feeds.jobs.context import Context
from feeds.jobs.newsletters.approve import approve_issue
from feeds.jobs.newsletters.resume import resume_sending
from tests.conftest import NOW, asked

#: Queues for the site's lock, and keeps it once it has it.
RIVAL = """
import fcntl, os, sys
folder = os.open(".", os.O_RDONLY)
fcntl.flock(folder, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""


def wait_for(condition):
    """Return when *condition* is true."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


class Rival(threading.Thread):
    """Locks the store, so that the change waits with the site's lock held; queues for that lock; unlocks the store."""

    def __init__(self, site):
        super().__init__(daemon=True)
        self.folder, self.url, self.holds_store = site.folder, site.config.store_url, threading.Event()
        self.inode = f":{site.folder.stat().st_ino} "

    def run(self):
        with open_store(self.url, self.folder) as store, store.database.transaction():
            self.holds_store.set()
            wait_for(lambda: self.listed("FLOCK"))
            command = [sys.executable, "-c", RIVAL]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            self.process = subprocess.Popen(command, cwd=self.folder, **pipes)
            wait_for(lambda: self.listed("-> FLOCK"))

    def listed(self, what):
        """Return whether the kernel lists a lock of the site's folder, or a process that waits for it."""
        lines = Path("/proc/locks").read_text().splitlines()
        return any(self.inode in line and f": {what} " in line for line in lines)

    def finish(self):
        """Return the first line of the process that queued, which then ends."""
        self.join(timeout=60)
        return self.process.communicate(timeout=60)[0]


@contextmanager
def rival(site):
    """Hold a rival for the site's lock; it gets the lock only after the block."""
    made = Rival(site)
    made.start()
    assert made.holds_store.wait(60)
    try:
        yield
    finally:
        assert made.finish() == "locked\n"


def approving(site):
    approve_issue(site.config, "weekly", Context(clock=lambda: NOW, random_bytes=bytes))


def resuming(site):
    resume_sending(site.config, None, Context(clock=lambda: NOW, random_bytes=bytes))


def retiring(site):
    from feeds.jobs.feeds.retire import retire_feed

    retire_feed(site.config, "category/x", Context(clock=lambda: NOW))


def correcting(site):
    from feeds.jobs.newsletters.correct import send_correction

    file = site.folder / "correction.md"
    file.write_text("The second paragraph was wrong.\n", "utf-8")
    send_correction(site.config, "weekly", 1, file, *asked(NOW))


def unretracting(site):
    from feeds.jobs.newsletters.retract import retract_issue, undo_retraction

    context = Context(clock=lambda: NOW, random_bytes=bytes)
    retract_issue(site.config, "weekly", 1, "", context)
    with rival(site):
        undo_retraction(site.config, "weekly", 1, context)


pytestmark = pytest.mark.skipif(not Path("/proc/locks").exists(), reason="the kernel does not list locks here")
CHANGES = {"approve": approving, "resume": resuming, "retire": retiring, "correct": correcting}


@pytest.mark.usefixtures("databases")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_process_that_waits_for_the_lock_gets_it_only_after_the_publish_run(letter_site, change):
    """The command succeeds although another process queues for the lock: it holds the lock until it has published."""
    letter_site.post("first", categories="[x]")
    if change is approving:
        config = letter_site.read("config.toml")
        letter_site.configure(config.replace('name = "weekly"', 'name = "weekly"\napprove = true'))
    letter_site.publish()
    if change is resuming:  # it changes only what is not finished
        letter_site.run_sql("UPDATE issues SET state = 'sending'")
    with rival(letter_site):
        change(letter_site)


@pytest.mark.usefixtures("databases")
def test_a_process_that_waits_for_the_lock_gets_it_only_after_a_retraction_is_undone(letter_site):
    """The same holds for `feeds retract --undo`."""
    letter_site.publish()
    unretracting(letter_site)


@pytest.mark.usefixtures("databases")
def test_a_change_that_is_refused_publishes_nothing(letter_site):
    """An approval without a waiting issue fails before anything is written."""
    from feeds.errors import FeedsError

    letter_site.publish(feeds_only=True)
    before = letter_site.files("public")
    letter_site.post("second")
    with pytest.raises(FeedsError, match="no issue of weekly waits for approval"):
        approving(letter_site)
    assert letter_site.files("public") == before
    with open_store(letter_site.config.store_url, letter_site.folder) as store:
        assert store.issues.load_issues() == ()
