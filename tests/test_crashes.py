"""Sends that end in the middle, as processes: nobody is lost, and no more is sent twice than was on the wire."""

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
from tests.smtpserver import SmtpServer

#: How often a sender is killed; `FEEDS_KILLS` for more.
KILLS = int(os.environ.get("FEEDS_KILLS", "50"))
CONNECTIONS = 8
READERS = max(5000, KILLS * 100)


def started(folder, *words):
    """The command, at work."""
    command = [sys.executable, "-m", "feeds", *(words or ("publish", "--yes", "--now", "2026-11-23T12:00Z"))]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process):
    """What it says and how it ends."""
    said, complained = process.communicate(timeout=120)
    return process.returncode, said, complained


def until_taken(server, number, process):
    """Wait until the server has so many, or the sender has ended."""
    while len(server.accepted) < number and process.poll() is None:
        time.sleep(0.001)


@contextmanager
def under_way(site, readers, **settings):
    """A server, and a site with so many readers whose letter goes through it."""
    pace = settings.pop("pace")
    with SmtpServer(pace=pace, forgets=True) as server:
        site.configure(configured(server, **settings))
        subscribe(site.folder, addresses(readers), url=settings.get("store", "sqlite:///feeds.db"))
        yield Mailing(site, server)


def killed(mailing, times):
    """Start a sender again and again, kill it at random moments; let the last one come to its end."""
    server, kills = mailing.server, 0
    while kills < times:
        before, process = len(server.accepted), started(mailing.site.folder)
        if kills % 5 == 0:  # at any moment, also while it starts
            time.sleep(random.uniform(0, 0.8))
        else:
            until_taken(server, before + 1, process)
            time.sleep(random.uniform(0, 0.2))
        assert process.poll() is None, f"after {kills} kills: {ended(process)}"
        process.kill()
        process.communicate()
        kills += 1
    return ended(started(mailing.site.folder))


def test_kill_minus_9_at_random_moments_loses_nobody(letter_site):
    """At most one message per open connection doubles, with the same bytes, whatever was killed when."""
    with under_way(letter_site, READERS, pace=0.012, connections=CONNECTIONS) as mailing:
        code, _, complained = killed(mailing, KILLS)
        assert code == 0, complained
        assert max(mailing.server.counts().values()) <= 2
        held = mailing.states()["unknown"]
        if held:  # those that were on the wire twice
            assert f"{held:,} may have arrived and are held" in complained
            assert ended(started(mailing.site.folder, "resume"))[0] == 0
        assert set(mailing.server.counts()) == set(addresses(READERS))
        assert mailing.server.duplicates() <= KILLS * CONNECTIONS
        assert mailing.states() == {"sent": READERS}
        assert mailing.state() == "sent"
        mailing.check()


def test_killed_senders_double_nothing_that_is_to_be_held(letter_site):
    """`on_unknown = "hold"`: what was on the wire waits for a person, and no other copy leaves."""
    kills = max(5, KILLS // 10)
    settings = {"pace": 0.02, "connections": CONNECTIONS, "mail": 'on_unknown = "hold"\n'}
    with under_way(letter_site, kills * 100, **settings) as mailing:
        code, _, complained = killed(mailing, kills)
        assert code == 0, complained
        counts, fared = mailing.server.counts(), mailing.deliveries()
        held = {one.recipient for one in fared if one.state == "unknown"}
        assert len(held) <= kills * CONNECTIONS
        assert set(counts.values()) == {1}
        assert {one.recipient for one in fared if one.state == "sent"} == set(counts) - held
        assert set(counts) | held == set(addresses(kills * 100))


def test_a_correction_that_is_killed_is_an_issue_like_any_other(letter_site):
    """A publish goes on with it: to all who got the issue and nobody else, and the same words are not sent again."""
    folder = letter_site.folder
    with under_way(letter_site, 300, pace=0.01, connections=2) as mailing:
        assert ended(started(folder))[0] == 0
        before = len(mailing.server.accepted)
        (folder / "sorry.md").write_text("It was wrong.\n", "utf-8")
        words = ("correct", "weekly", "1", "sorry.md", "--yes")
        process = started(folder, *words)
        until_taken(mailing.server, before + 50, process)
        process.kill()
        process.communicate()
        assert before + 50 <= len(mailing.server.accepted) < before + 300
        subscribe(folder, ["new@example.org"])
        assert ended(started(folder))[0] == 0
        counts = mailing.server.counts()
        assert set(counts) == set(addresses(300))
        assert (min(counts.values()), sum(counts.values()) - 600 <= 2) == (2, True)
        code, _, complained = ended(started(folder, *words))
        assert (code, "was sent already as a correction of weekly 1" in complained) == (1, True)


@pytest.fixture
def losing(letter_site, tmp_path):
    """A site whose store lies on a disk that can lose power."""
    with disk(tmp_path) as found:
        yield letter_site, found


def test_a_power_loss_doubles_a_quarter_of_a_second_at_most(losing):
    """What was sent before is on the disk; nobody is lost."""
    (site, found), readers, connections = losing, 4000, 4
    url = f"sqlite:///{found.path}/feeds.db"
    may_double = losses = 0
    with under_way(site, readers, pace=0.004, connections=connections, store=url) as mailing:
        while losses < 4:
            process = started(site.folder)
            until_taken(mailing.server, len(mailing.server.accepted) + 1, process)
            time.sleep(random.uniform(0.2, 0.8))
            assert process.poll() is None, ended(process)
            since = found.lose_power(process)
            may_double += sum(message.at >= since for message in mailing.server.accepted) + connections
            losses += 1
        code, _, complained = ended(started(site.folder))
        assert code == 0, complained
        if mailing.states()["unknown"]:
            assert ended(started(site.folder, "resume"))[0] == 0
        assert set(mailing.server.counts()) == set(addresses(readers))
        assert mailing.server.duplicates() <= may_double
        for copies in mailing.server.copies():
            assert len({copy.message_id for copy in copies}) == 1


def test_a_power_loss_while_a_server_thinks_doubles_what_is_on_the_wire(losing):
    """All that was answered is on the disk after a quarter of a second, though nothing else happens."""
    site, found = losing
    url = f"sqlite:///{found.path}/feeds.db"
    with under_way(site, 400, pace=0.001, connections=4, store=url) as mailing:
        thinks = threading.Event()

        def rule(step):
            if step.stage == "content" and step.before >= 250:
                thinks.wait(60)

        mailing.server.rule = rule
        process = started(site.folder)
        until_taken(mailing.server, 250, process)
        time.sleep(1)
        found.lose_power(process)
        thinks.set()
        assert ended(started(site.folder))[0] == 0
        assert set(mailing.server.counts()) == set(addresses(400))
        assert mailing.server.duplicates() <= 4
        mailing.check()


def test_a_full_disk_ends_a_send_and_loses_nobody(letter_site, tmp_path):
    """It says so; when there is room again, the next one goes on."""
    with (
        small_disk(tmp_path) as place,
        under_way(letter_site, 600, pace=0.002, connections=4, store=f"sqlite:///{place}/feeds.db") as mailing,
    ):
        process = started(letter_site.folder)
        until_taken(mailing.server, 50, process)
        with without_space(place, process.pid):
            code, _, complained = ended(process)
        assert code == 1
        assert re.search(r"the store cannot be used: (database or disk is full|disk I/O error)", complained)
        assert "Traceback" not in complained
        assert 50 <= len(mailing.server.accepted) < 600
        assert ended(started(letter_site.folder))[0] == 0
        assert set(mailing.server.counts()) == set(addresses(600))
        assert mailing.server.duplicates() <= 4
        mailing.check()
