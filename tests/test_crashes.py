"""Senders that are killed, as processes: no letter is lost, and only messages in flight are sent twice."""

import os
import random
import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from tests.disk import disk, small_disk, without_space
from tests.mailing import Mailing, addresses, configured, subscribe
from tests.postgresql import crash_server, own_server
from tests.smtpserver import SmtpServer

#: How often a sender is killed; set `FEEDS_KILLS` for more.
KILLS = int(os.environ.get("FEEDS_KILLS", "25"))
CONNECTIONS = 8
READERS = KILLS * 100


def start(folder, *words):
    """Return a process that runs a command, by default a publish."""
    command = [sys.executable, "-m", "feeds", *(words or ("publish", "--yes", "--now", "2026-11-23T12:00Z"))]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    """Wait for a process; return its exit code, output and errors."""
    stdout, stderr = process.communicate(timeout=120)
    return process.returncode, stdout, stderr


def wait_for_messages(server, number, process):
    """Wait until the server has accepted so many messages, or the process has ended."""
    while len(server.accepted) < number and process.poll() is None:
        time.sleep(0.001)


@contextmanager
def sending(site, readers, **settings):
    """Run a server, and yield a site with so many subscribers whose newsletter is sent through it."""
    pace = settings.pop("pace")
    with SmtpServer(pace=pace, forgets=True) as server:
        site.configure(configured(server, **settings))
        subscribe(site.folder, addresses(readers), url=settings.get("store", "sqlite:///.feeds/feeds.db"))
        yield Mailing(site, server)


def kill_senders(mailing, times):
    """Kill a sender at random moments, so many times; let the last one end, and return its exit code and output."""
    server, kills = mailing.server, 0
    while kills < times:
        before, process = len(server.accepted), start(mailing.site.folder)
        if kills % 5 == 0:  # at any time, also while it starts
            time.sleep(random.uniform(0, 0.8))
        else:
            wait_for_messages(server, before + 1, process)
            time.sleep(random.uniform(0, 0.2))
        assert process.poll() is None, f"after {kills} kills: {finish(process)}"
        process.kill()
        process.communicate()
        kills += 1
    return finish(start(mailing.site.folder))


def test_kill_minus_9_at_random_moments_loses_no_letter(letter_site):
    """After `kill -9` at random moments, every letter arrives, at most one per connection and kill twice."""
    with sending(letter_site, READERS, pace=0.012, connections=CONNECTIONS) as mailing:
        code, _, stderr = kill_senders(mailing, KILLS)
        assert code == 0, stderr
        assert max(mailing.server.counts().values()) <= 2
        held = mailing.states()["unknown"]
        if held:  # those that were in flight at two kills
            assert f"{held:,} deliveries may have arrived and are held" in stderr
            assert finish(start(mailing.site.folder, "resume"))[0] == 0
        assert set(mailing.server.counts()) == set(addresses(READERS))
        assert mailing.server.duplicates() <= KILLS * CONNECTIONS
        assert mailing.states() == {"sent": READERS}
        assert mailing.state() == "sent"
        mailing.check()


@pytest.mark.usefixtures("databases")
def test_killed_senders_double_no_held_message(letter_site):
    """With `on_unknown = "hold"`, messages in flight at a kill are held, and no letter arrives twice."""
    kills = max(5, KILLS // 10)
    settings = {"pace": 0.02, "connections": CONNECTIONS, "mail": 'on_unknown = "hold"\n'}
    with sending(letter_site, kills * 100, **settings) as mailing:
        code, _, stderr = kill_senders(mailing, kills)
        assert code == 0, stderr
        counts, fared = mailing.server.counts(), mailing.deliveries()
        held = {one.recipient for one in fared if one.state == "unknown"}
        assert len(held) <= kills * CONNECTIONS
        assert set(counts.values()) == {1}
        assert {one.recipient for one in fared if one.state == "sent"} == set(counts) - held
        assert set(counts) | held == set(addresses(kills * 100))


def test_a_database_server_that_crashes_doubles_no_letter(letter_site):
    """The sender goes on: it records again the answers that the server has lost."""
    with (
        own_server() as url,
        sending(letter_site, 2000, pace=0.002, connections=CONNECTIONS, store=url) as mailing,
    ):
        process = start(letter_site.folder)
        for messages in (200, 700, 1200):
            wait_for_messages(mailing.server, messages, process)
            crash_server(url)
        code, _, stderr = finish(process)
        assert (code, stderr) == (0, "")
        assert set(mailing.server.counts()) == set(addresses(2000))
        assert mailing.server.duplicates() == 0
        assert mailing.states() == {"sent": 2000}


def test_a_killed_correction_is_finished_by_a_publish(letter_site):
    """A publish finishes a killed correction for the recipients of the issue; the same text is not sent again."""
    folder = letter_site.folder
    with sending(letter_site, 300, pace=0.01, connections=2) as mailing:
        assert finish(start(folder))[0] == 0
        before = len(mailing.server.accepted)
        (folder / "sorry.md").write_text("It was wrong.\n", "utf-8")
        words = ("correct", "weekly", "1", "sorry.md", "--yes")
        process = start(folder, *words)
        wait_for_messages(mailing.server, before + 50, process)
        process.kill()
        process.communicate()
        assert before + 50 <= len(mailing.server.accepted) < before + 300
        subscribe(folder, ["new@example.org"])
        assert finish(start(folder))[0] == 0
        counts = mailing.server.counts()
        assert set(counts) == set(addresses(300))
        assert (min(counts.values()), sum(counts.values()) - 600 <= 2) == (2, True)
        code, _, stderr = finish(start(folder, *words))
        assert (code, "was already sent as a correction of weekly 1" in stderr) == (1, True)


@pytest.fixture
def power_loss_site(letter_site, tmp_path):
    """A site whose database is on a disk that can lose power."""
    with disk(tmp_path) as found:
        yield letter_site, found


def test_a_power_loss_doubles_the_letters_of_a_quarter_of_a_second(power_loss_site):
    """After a power loss, only letters of the last quarter of a second arrive twice, and none is lost."""
    (site, found), readers, connections = power_loss_site, 4000, 4
    url = f"sqlite:///{found.path}/feeds.db"
    may_double = losses = 0
    with sending(site, readers, pace=0.004, connections=connections, store=url) as mailing:
        while losses < 4:
            process = start(site.folder)
            wait_for_messages(mailing.server, len(mailing.server.accepted) + 1, process)
            time.sleep(random.uniform(0.2, 0.8))
            assert process.poll() is None, finish(process)
            since = found.lose_power(process)
            may_double += sum(message.at >= since for message in mailing.server.accepted) + connections
            losses += 1
        code, _, stderr = finish(start(site.folder))
        assert code == 0, stderr
        if mailing.states()["unknown"]:
            assert finish(start(site.folder, "resume"))[0] == 0
        assert set(mailing.server.counts()) == set(addresses(readers))
        assert mailing.server.duplicates() <= may_double
        for copies in mailing.server.copies():
            assert len({copy.message_id for copy in copies}) == 1


def test_a_power_loss_during_a_slow_reply_doubles_messages_in_flight(power_loss_site):
    """While a server delays its reply, earlier replies reach the disk: a power loss repeats only messages in flight."""
    site, found = power_loss_site
    url = f"sqlite:///{found.path}/feeds.db"
    with sending(site, 400, pace=0.001, connections=4, store=url) as mailing:
        may_reply = threading.Event()

        def rule(step):
            if step.stage == "content" and step.before >= 250:
                may_reply.wait(60)

        mailing.server.rule = rule
        process = start(site.folder)
        wait_for_messages(mailing.server, 250, process)
        time.sleep(1)
        found.lose_power(process)
        may_reply.set()
        assert finish(start(site.folder))[0] == 0
        assert set(mailing.server.counts()) == set(addresses(400))
        assert mailing.server.duplicates() <= 4
        mailing.check()


def test_a_full_disk_ends_a_send_and_loses_no_letter(letter_site, tmp_path):
    """A full disk ends a send with an error that names it; once there is space, the rest is sent."""
    with (
        small_disk(tmp_path) as place,
        sending(letter_site, 600, pace=0.002, connections=4, store=f"sqlite:///{place}/feeds.db") as mailing,
    ):
        process = start(letter_site.folder)
        wait_for_messages(mailing.server, 50, process)
        with without_space(place, process.pid):
            code, _, stderr = finish(process)
        assert code == 1
        assert re.search(r"the store cannot be used: (database or disk is full|disk I/O error)", stderr)
        assert "Traceback" not in stderr
        assert 50 <= len(mailing.server.accepted) < 600
        assert finish(start(letter_site.folder))[0] == 0
        assert set(mailing.server.counts()) == set(addresses(600))
        assert mailing.server.duplicates() <= 4
        mailing.check()
