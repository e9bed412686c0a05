"""Commands that change the store and then publish: no other process gets in between."""

import subprocess
import sys
from contextlib import contextmanager

import pytest

from feeds.edges.store.database import open_store
from feeds.jobs.context import Context
from feeds.jobs.newsletters.approve import approve_issue
from feeds.jobs.newsletters.resume import resume_sending
from tests.conftest import NOW, asked
from tests.mailing import URL

#: Waits until the site's lock is taken, which the kernel lists, then queues for it, and keeps it once it has it.
RIVAL = """
import fcntl, os, sys
folder = os.open(".", os.O_RDONLY)
entry = f":{os.fstat(folder).st_ino} "
print("ready", flush=True)
while entry not in open("/proc/locks").read():
    pass
fcntl.flock(folder, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def rival(folder):
    """Hold a process that takes the site's lock at the first moment at which it is free after it was taken."""
    command = [sys.executable, "-c", RIVAL]
    process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    try:
        yield process
    finally:
        process.communicate(timeout=60)


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
    with rival(site.folder) as process:
        undo_retraction(site.config, "weekly", 1, context)
        assert process.stdout.readline() == "locked\n"


CHANGES = {"approve": approving, "resume": resuming, "retire": retiring, "correct": correcting}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_process_that_waits_for_the_lock_gets_it_only_after_the_publish_run(letter_site, change):
    """The command succeeds although another process queues for the lock: it holds the lock until it has published."""
    letter_site.post("first", categories="[x]")
    if change is approving:
        config = letter_site.read("config.toml")
        letter_site.configure(config.replace('name = "weekly"', 'name = "weekly"\napprove = true'))
    letter_site.publish()
    with rival(letter_site.folder) as process:
        change(letter_site)
        assert process.stdout.readline() == "locked\n"


def test_a_process_that_waits_for_the_lock_gets_it_only_after_a_retraction_is_undone(letter_site):
    """The same holds for `feeds retract --undo`."""
    letter_site.publish()
    unretracting(letter_site)


def test_a_change_that_is_refused_publishes_nothing(letter_site):
    """An approval without a waiting issue fails before anything is written."""
    from feeds.errors import FeedsError

    letter_site.publish(feeds_only=True)
    before = letter_site.files("public")
    letter_site.post("second")
    with pytest.raises(FeedsError, match="no issue of weekly waits for approval"):
        approving(letter_site)
    assert letter_site.files("public") == before
    with open_store(URL, letter_site.folder) as store:
        assert store.issues.load_issues() == ()
