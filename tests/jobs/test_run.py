"""The scheduler."""

import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from feeds.edges import scheduler
from feeds.jobs.report import Report
from feeds.jobs.run import wake
from tests.conftest import CONFIG, NEWSLETTER, NOW


def test_the_next_pass_is_at_the_rhythm_the_slot_or_the_next_future_post(letter_site):
    """Whichever comes first, and never at once."""
    config = letter_site.config
    assert wake(config, Report(), NOW) == NOW + timedelta(minutes=5)
    before_slot = datetime(2026, 11, 30, 7, 58, tzinfo=UTC)
    assert wake(config, Report(), before_slot) == before_slot + timedelta(minutes=2)
    soon = NOW + timedelta(seconds=90)
    assert wake(config, Report(next_public_at=soon), NOW) == soon
    assert wake(config, Report(next_public_at=NOW), NOW) == NOW + timedelta(seconds=1)


def test_it_publishes_what_becomes_public_and_ends_cleanly(letter_site):
    """The first pass at once, the future post at its moment, a broken config told and survived; SIGTERM: exit 0."""
    letter_site.configure(CONFIG.replace("[feeds]", '[publish]\nevery = "1 s"\n[feeds]') + NEWSLETTER)
    (letter_site.folder / "posts" / "first.md").unlink()
    moment = datetime.now(UTC) + timedelta(seconds=4)
    letter_site.post("soon", date=moment.isoformat())
    command = [sys.executable, "-W", "error", "-u", "-m", "feeds", "run"]
    process = subprocess.Popen(
        command, cwd=letter_site.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    log = []
    try:
        for line in process.stdout:
            log.append(line.rstrip())
            if "weekly 1" in line:
                break
        good = (letter_site.folder / "config.toml").read_text("utf-8")
        letter_site.configure("[sit]\n")
        log.append(process.stdout.readline().rstrip())
        letter_site.configure(good)
    finally:
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert rest.splitlines()[-1].endswith(" stopped")
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d ", line) for line in log)
    assert "running: publish every 0:00:01; weekly (0 8 * * mon); SIGTERM stops" in log[0]
    assert [line.split(" ", 1)[1] for line in log[1:4]] == [
        "written: 4, unchanged: 0",
        "written: 6, unchanged: 0",
        "weekly 1: 1 posts to 1 recipients, sent",
    ]
    assert "error: config.toml:1: sit: is not a known key" in log[-1]
    assert "soon" in letter_site.read("public/feeds/atom.xml")
    assert letter_site.letters() == ["weekly/1/desk@example.com.eml"]


def test_a_service_that_cannot_go_on_ends_with_its_fault():
    """Alive and never to wake again would be worse than dead."""

    def step(_stopping):
        raise OverflowError("no such moment")

    with pytest.raises(OverflowError, match="no such moment"):
        scheduler.repeat(step, datetime.now(UTC))


def test_a_config_that_cannot_be_used_is_told_at_the_start(tmp_path):
    """A service that could never work does not pretend to."""
    command = [sys.executable, "-m", "feeds", "run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "there is no such file" in done.stderr


def test_cron_and_the_scheduler_double_nothing(letter_site):
    """Several publishes at once: one does the work, the others say so and leave."""
    command = [sys.executable, "-m", "feeds", "publish"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [subprocess.Popen(command, cwd=letter_site.folder, env=os.environ, **quiet) for _ in range(4)]
    codes = [process.wait(timeout=60) for process in processes]
    assert set(codes) <= {0, 3}
    assert 0 in codes
    assert letter_site.letters() == ["weekly/1/desk@example.com.eml"]
