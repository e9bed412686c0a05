"""`feeds run`: publishing and sending on a schedule."""

import fcntl
import gc
import json
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import chain, count, repeat

import pytest

from feeds.cli.clock import utc_now
from feeds.edges.process import scheduler
from feeds.edges.process.lock import lock_site
from feeds.edges.store.database import open_store
from feeds.jobs import run
from feeds.jobs.context import Context
from feeds.jobs.health import Pulse
from feeds.jobs.report import PublishReport
from feeds.jobs.run import next_run_at
from tests.conftest import CONFIG, NEWSLETTER, NOW, store_variable
from tests.mailing import addresses, configured
from tests.mailing import subscribe as join
from tests.postgresql import empty_schema_url
from tests.smtpserver import SmtpServer


def test_the_next_pass_is_at_the_rhythm_the_slot_or_the_next_future_post(letter_site):
    """The next run is after `publish.every`, at the slot or at the next future post, and at least a second later."""
    config = letter_site.config
    assert next_run_at(config, PublishReport(), NOW) == NOW + timedelta(minutes=5)
    before_slot = datetime(2026, 11, 30, 7, 58, tzinfo=UTC)
    assert next_run_at(config, PublishReport(), before_slot) == before_slot + timedelta(minutes=2)
    soon = NOW + timedelta(seconds=90)
    assert next_run_at(config, PublishReport(next_public_at=soon), NOW) == soon
    assert next_run_at(config, PublishReport(next_public_at=NOW), NOW) == NOW + timedelta(seconds=1)


def test_it_publishes_what_becomes_public_and_ends_cleanly(letter_site):
    """It publishes at once and when a future post is due, survives a broken config, and ends with exit code 0."""
    letter_site.configure(CONFIG.replace("[feeds]", '[publish]\nevery = "1 s"\n[feeds]') + NEWSLETTER)
    (letter_site.folder / "posts" / "first.md").unlink()
    command = [sys.executable, "-W", "error", "-u", "-m", "feeds", "run"]
    process = subprocess.Popen(
        command, cwd=letter_site.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    log = []
    try:
        for line in process.stdout:
            log.append(line.rstrip())
            if "written: 4" in line:  # its first word is the time of the service
                due = datetime.fromisoformat(line.split()[0]) + timedelta(seconds=3)
                letter_site.post("soon", date=due.isoformat())
            if "weekly 1" in line:
                break
        good = (letter_site.folder / "config.toml").read_text("utf-8")
        letter_site.configure("[sit]\n")
        log.append(next(line.rstrip() for line in process.stdout if " error: " in line))
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
        "weekly 1: 1 post to 1 recipient, sent",
    ]
    assert "error: config.toml:1: sit: is not a known key" in log[-1]
    assert "soon" in letter_site.read("public/feeds/atom.xml")
    assert letter_site.letters() == ["weekly/1/desk@example.com.eml"]


def test_a_config_that_is_being_written_is_waited_for(letter_site):
    """A config that an editor has emptied is read when it is written to the end: no feed goes out without settings."""
    config = letter_site.folder / "config.toml"
    letter_site.configure(CONFIG.replace("[feeds]", '[publish]\nevery = "1 s"\n[feeds]'))
    process = _running(letter_site, "--json")
    try:
        assert "started" in process.stdout.readline()
        assert "written" in process.stdout.readline()
        whole = config.read_text("utf-8").encode()
        with config.open("wb", buffering=0) as written:
            for at in range(0, len(whole), 2):
                written.write(whole[at : at + 2])
                time.sleep(0.02)
        config.write_bytes(whole.replace(b"every = ", b"evry = "))
        assert "evry" in process.stdout.readline()
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _running(site, *words):
    command = [sys.executable, "-W", "error", "-u", "-m", "feeds", "run", *words]
    return subprocess.Popen(command, cwd=site.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_feeds_do_not_wait_for_letters(letter_site):
    """While a server takes a letter slowly, a new post is published; then the issue is sent to its end."""
    with SmtpServer() as server:
        every = configured(server).replace("[feeds]", '[publish]\nevery = "1 s"\n[feeds]')
        letter_site.configure(every)
        join(letter_site.folder, addresses(30))
        published = threading.Event()
        server.rule = lambda step: published.wait(60) and None if step.stage == "content" and step.before == 5 else None
        process = _running(letter_site, "--json")
        try:
            log = map(json.loads, process.stdout)
            assert next(event for event in log if event["event"] == "written")
            while not server.accepted:
                time.sleep(0.01)
            letter_site.post("news", date=NOW.isoformat())
            written = next(event for event in log if event["event"] == "written")
            assert (written["level"], written["written"] > 0, 0 < len(server.accepted) < 30) == ("info", True, True)
            assert "news" in letter_site.read("public/feeds/atom.xml")
            published.set()
            issue = next(event for event in log if event["event"] == "issue")
            assert [issue[key] for key in ("newsletter", "number", "recipients", "state")] == ["weekly", 1, 30, "sent"]
        finally:
            published.set()
            process.send_signal(signal.SIGTERM)
            rest, _ = process.communicate(timeout=30)
        assert (process.returncode, json.loads(rest.splitlines()[-1])["event"]) == (0, "stopped"), rest
        assert len(server.accepted) == 30


@pytest.mark.usefixtures("databases")
def test_it_stops_in_the_middle_of_a_send(letter_site):
    """At SIGTERM, messages that were begun are finished, the others wait, and no delivery is lost."""
    with SmtpServer() as server:
        letter_site.configure(configured(server))
        join(letter_site.folder, addresses(500))
        server.pace = 0.02
        process = _running(letter_site)
        while len(server.accepted) < 5:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=30)
        assert (process.returncode, rest.splitlines()[-1].endswith("stopped")) == (0, True), rest
        sent = len(server.accepted)
        with open_store(letter_site.config.store_url, letter_site.folder) as store:
            counts = store.deliveries.count_states(1)
        assert sent < 500
        assert (counts["sent"], counts["ready"]) == (sent, 500 - sent)


def test_what_has_not_changed_is_told_once(letter_site):
    """An error that lasts is logged once, and again if it was gone in between."""
    letter_site.configure(CONFIG.replace("[feeds]", '[publish]\nevery = "1 s"\n[feeds]'))
    letter_site.post("bad", date="never")
    process = _running(letter_site)
    log = []
    try:
        while not any("written" in line for line in log):
            log.append(process.stdout.readline())
        (letter_site.folder / "posts" / "bad.md").unlink()
        letter_site.post("good")
        while sum("written" in line for line in log) < 2:
            log.append(process.stdout.readline())
        letter_site.post("bad", date="never")
        while sum("error: " in line for line in log) < 2:
            log.append(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=30)
    assert sum("error: " in line for line in [*log, *rest.splitlines()]) == 2


def test_a_run_that_would_change_nothing_is_skipped(letter_site):
    """Without a change, a run needs no lock; after a change it waits for the other process and logs nothing."""
    letter_site.configure(CONFIG.replace("[feeds]", '[publish]\nevery = "1 s"\n[feeds]') + NEWSLETTER)
    process = _running(letter_site, "--json")
    folder = os.open(letter_site.folder, os.O_RDONLY)
    try:
        log = map(json.loads, process.stdout)
        assert next(event for event in log if event["event"] == "issue")
        time.sleep(3)  # until a run has found nothing to do
        fcntl.flock(folder, fcntl.LOCK_EX)
        assert select.select([process.stdout], [], [], 3)[0] == []  # runs in which nothing has changed log nothing
        letter_site.post("second", date=NOW.isoformat())
        assert select.select([process.stdout], [], [], 5)[0] == []
        fcntl.flock(folder, fcntl.LOCK_UN)
        assert next(log)["event"] == "written"
    finally:
        os.close(folder)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def test_what_another_machine_has_changed_on_postgresql_is_published(letter_site, monkeypatch):
    """On PostgreSQL no run is skipped: a feed that another machine has retired is removed by the next run."""
    monkeypatch.setenv("FEEDS_STORE_URL", empty_schema_url())
    letter_site.configure(CONFIG)
    letter_site.post("first", categories="[x]")
    service = make_service(letter_site, [])
    service.publish(lambda: False)
    assert (letter_site.folder / "public/feeds/category/x/atom.xml").exists()
    letter_site.run_sql(f"INSERT INTO retired (path, at) VALUES ('feeds/category/x/', '{NOW}')")
    service.publish(lambda: False)
    assert not (letter_site.folder / "public/feeds/category/x/atom.xml").exists()


def make_service(site, events, context=None, use_config=lambda _: None):
    """Return the steps of a service, to be called at a time of our choice."""
    context = context or Context(clock=lambda: NOW)
    return run._Service(site.config, store_variable(), context, events.append, Pulse(), use_config)  # noqa: SLF001


def change_while_waiting(monkeypatch, site, texts):
    """Write the next text into the config each time that the service waits."""

    def sleep(_):
        if (text := next(texts, None)) is not None:
            site.configure(text)

    monkeypatch.setattr(run.time, "sleep", sleep)


@pytest.mark.parametrize("step", ["publish", "send", "mail"])
def test_a_config_that_never_stops_changing_holds_no_step_up(letter_site, monkeypatch, step):
    """A step uses the config that was read before and logs that once; the new one is used when it has been written."""
    events, good = [], CONFIG + NEWSLETTER
    service = make_service(letter_site, events)
    letter_site.configure("[site")
    change_while_waiting(monkeypatch, letter_site, (f"[site # {number}" for number in count()))
    for _ in range(2):
        getattr(service, step)(lambda: False)
    [warning] = [event.text for event in events if event.what == "fault"]
    assert warning.startswith(f"warning: {letter_site.folder}/config.toml: is changed again and again; ")
    events.clear()
    change_while_waiting(monkeypatch, letter_site, iter([good]))
    getattr(service, step)(lambda: False)
    assert [event for event in events if event.what == "fault"] == []


def test_a_config_is_used_once_it_is_written_even_if_a_step_gave_up_before(letter_site, monkeypatch):
    """A change that came while the old config was used is published by the next run, although nothing else changed."""
    used, good = [], CONFIG.replace("Test", "Renamed")
    service = make_service(letter_site, [], use_config=lambda config: used.append(config.settings.site.title))
    letter_site.configure("[site")
    change_while_waiting(monkeypatch, letter_site, chain((f"[site # {n}" for n in range(99)), [good], repeat(None)))
    monkeypatch.setattr(run, "_SETTLE_TRIES", 100)
    service.publish(lambda: False)
    change_while_waiting(monkeypatch, letter_site, iter([]))
    service.publish(lambda: False)
    assert used == ["Test", "Renamed"]
    assert "Renamed" in letter_site.read("public/feeds/atom.xml")


def test_a_stop_ends_the_wait_for_a_config(letter_site, monkeypatch):
    """After SIGTERM a step does not wait for the config any more, and says nothing about it."""
    events, stops = [], [False, False]
    service = make_service(letter_site, events)
    letter_site.configure("[site")
    change_while_waiting(monkeypatch, letter_site, (f"[site # {number}" for number in count()))
    service.send(lambda: not stops or stops.pop())
    assert (events, stops) == ([], [])
    assert letter_site.read("config.toml") == "[site # 1"


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("locked", ["site", "database"])
def test_it_waits_for_another_process_and_says_so_after_ten_minutes(letter_site, locked):
    """While another process holds the site or the database, the run is tried again soon; a long wait is logged once."""
    events, clock = [], [NOW]
    context = Context(clock=lambda: clock[0])
    service = make_service(letter_site, events, context)
    with open_store(letter_site.config.store_url, letter_site.folder) as store, ExitStack() as held:
        if locked == "site":
            held.enter_context(lock_site(letter_site.folder))
        else:
            held.enter_context(store.database.transaction())
        for minutes in (0, 1, 11, 12):
            clock[0] = NOW + timedelta(minutes=minutes)
            assert service.publish(lambda: False) == {"publish": clock[0] + timedelta(seconds=2)}
            assert len(events) == (minutes > 10)
    assert (events[0].what, events[0].level) == ("later", "warning")
    assert re.search(r"another (publish is running|process has kept the database locked).*; waiting$", events[0].text)
    assert service.publish(lambda: False)["publish"] > clock[0] + timedelta(seconds=2)
    assert [event.what for event in events] == ["later", "written"]


def test_a_service_does_not_grow_while_a_post_is_edited(letter_site):
    """Of a long post that is edited again and again, a process keeps the last version only."""

    def publish(version):
        letter_site.post("edited", f"Version {version}, *as* written.\n\n" + "Some more words. " * 6000)
        assert letter_site.publish().written

    tracemalloc.start()
    try:
        publish(0)
        publish(1)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for version in range(2, 12):
            publish(version)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 300_000


def test_of_two_moments_the_earlier_is_kept_and_no_step_is_at_work_twice():
    """A step that is asked for several times while it runs is run once more."""
    done = []
    begun, go_on = threading.Event(), threading.Event()

    def slow(_stopping):
        done.append("slow")
        begun.set()
        go_on.wait(30)
        return {}

    def quick(_stopping):
        now = utc_now()
        done.append("quick")
        if done.count("quick") <= 5:
            begun.wait(30)
            return {"slow": now, "quick": now}
        go_on.set()
        if done.count("slow") == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return {"quick": now + timedelta(milliseconds=50), "slow": now + timedelta(hours=1)}

    now = utc_now()
    scheduler.repeat({"quick": quick, "slow": slow}, {"quick": now, "slow": now}, utc_now)
    assert done.count("slow") == 2


def test_a_service_that_cannot_go_on_ends_with_its_fault():
    """An exception in a step ends the service and is raised."""

    def step(_stopping):
        raise OverflowError("no such moment")

    with pytest.raises(OverflowError, match="no such moment"):
        scheduler.repeat({"step": step}, {"step": utc_now()}, utc_now)


def test_a_config_that_cannot_be_used_is_told_at_the_start(tmp_path):
    """With a config that does not exist the service ends with exit code 1."""
    command = [sys.executable, "-m", "feeds", "run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "does not exist" in done.stderr


def test_cron_and_the_scheduler_double_nothing(letter_site):
    """Of several publishes at once one does the work, the others end with exit code 3, and each letter is sent once."""
    command = [sys.executable, "-m", "feeds", "publish"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [subprocess.Popen(command, cwd=letter_site.folder, env=os.environ, **quiet) for _ in range(4)]
    codes = [process.wait(timeout=60) for process in processes]
    assert set(codes) <= {0, 3}
    assert 0 in codes
    assert letter_site.letters() == ["weekly/1/desk@example.com.eml"]
