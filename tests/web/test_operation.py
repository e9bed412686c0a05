"""`/healthz` and `/metrics`, and the web server beside `feeds run`."""

import fcntl
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta

import pytest

from feeds.jobs.subscribers import subscribe
from tests.conftest import CONFIG, NOW
from tests.webserver import web_client


@pytest.fixture
def client(letter_site):
    letter_site.publish()
    with web_client(letter_site.config) as client:
        yield client


def test_health_names_each_part(client):
    """A server that does not publish is well if it can read the store; in `feeds run` the last publish has an age."""
    answer = client.get("/healthz")
    assert (answer.status, json.loads(answer.text)) == (
        200,
        {"status": "ok", "store": "ok", "scheduler": "off", "seconds_since_publish": None},
    )
    client.door.pulse.next_publish_at = NOW - timedelta(minutes=29)
    health = json.loads(client.get("/healthz").text)
    assert (health["status"], health["scheduler"]) == ("ok", "starting")
    client.door.pulse.last_publish_at = NOW - timedelta(seconds=90)
    client.door.pulse.next_publish_at = NOW + timedelta(seconds=210)
    health = json.loads(client.get("/healthz").text)
    assert (health["scheduler"], health["seconds_since_publish"]) == ("ok", 90)


def test_a_publish_that_does_not_end_and_a_damaged_store_are_not_well(client, letter_site):
    """A publish run that is half an hour late, and a store that cannot be read, are HTTP 503."""
    client.door.pulse.next_publish_at = NOW - timedelta(minutes=31)
    answer = client.get("/healthz")
    assert (answer.status, json.loads(answer.text)["scheduler"]) == (503, "late")
    client.door.pulse.next_publish_at = None
    (letter_site.folder / ".feeds/feeds.db").write_bytes(b"damaged")
    answer = client.get("/healthz")
    assert (answer.status, json.loads(answer.text)["store"]) == (503, "failed")
    assert client.get("/metrics").status == 200
    assert "/metrics: " in client.logged[0]


def damage(site, how):
    """Move the database of a site away, or put another file in its place."""
    file = site.folder / ".feeds/feeds.db"
    moved = file.rename(file.with_name("moved"))
    if how == "empty":
        file.write_bytes(b"")
    elif how == "folder":
        file.mkdir()
    elif how == "copy":
        shutil.copy(moved, file)
    elif how == "other tables":
        with closing(sqlite3.connect(file)) as other:
            other.execute("CREATE TABLE x (y)")


@pytest.mark.parametrize("how", ["moved", "empty", "folder", "copy", "other tables"])
def test_a_database_that_was_moved_away_or_replaced_is_not_well(client, letter_site, how):
    """A database that is another file than before is HTTP 503, and looking at it neither creates nor changes it."""
    assert client.get("/healthz").status == 200
    damage(letter_site, how)
    before = letter_site.files(".feeds")
    for _ in range(2):
        answer = client.get("/healthz")
        assert (answer.status, json.loads(answer.text)["store"]) == (503, "failed")
    assert letter_site.files(".feeds") == before


@pytest.mark.parametrize("how", ["moved", "empty", "other tables"])
def test_a_database_that_was_missing_from_the_start_is_not_well(client, letter_site, how):
    """A server that never saw the database notices by the journal that there was one."""
    damage(letter_site, how)
    assert client.get("/healthz").status == 503


def test_a_new_site_is_well(site):
    """A site without a database is well; it has to stay once it was created, for each `store.url`."""
    with web_client(site.config) as client:
        assert client.get("/healthz").status == 200
        site.post("first")
        site.publish()
        assert client.get("/healthz").status == 200
        site.configure(f'{CONFIG}[store]\nurl = "sqlite:///other.db"\n')
        site.publish()
        client.door.use_config(site.config)
        assert client.get("/healthz").status == 200
        site.configure(CONFIG)
        client.door.use_config(site.config)
        assert client.get("/healthz").status == 200
        (site.folder / ".feeds/feeds.db").unlink()
        (site.folder / ".feeds/feeds.db.journal").unlink()
        assert client.get("/healthz").status == 503


def test_metrics_have_numbers_and_no_addresses(client, letter_site):
    """The numbers of requests, readers and subscribers are there in the format of Prometheus, and no address."""
    subscribe.add_subscriber(letter_site.config, "ann@example.org", ["weekly"], lang=None, now=NOW, again=False)
    client.get("/feeds/atom.xml", User_Agent="Feedly/1.0 (https://feedly.example; 16 subscribers)")
    client.door.pulse.next_publish_at = NOW
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    for line in (
        'feeds_requests_total{feed="feeds/atom.xml"} 1.0',
        'feeds_readers{feed="feeds/atom.xml",service="Feedly"} 16.0',
        'feeds_subscribers{status="active"} 1.0',
        "feeds_signups_held 0.0",
        "feeds_next_publish_timestamp_seconds 1.7",
    ):
        assert line in answer.text
    assert "ann@" not in answer.text


@pytest.mark.parametrize("forwarded", ["198.51.100.1", "2001:db8::1"])
def test_metrics_are_not_for_readers(client, forwarded):
    """A client that a proxy names gets 404, as numbers of subscribers are private; `/healthz` answers it."""
    assert client.get("/metrics", X_Forwarded_For=forwarded).status == 404
    assert client.get("/healthz", X_Forwarded_For=forwarded).status == 200


def run(site, *options, command="run"):
    return subprocess.Popen(
        [sys.executable, "-m", "feeds", command, "--json", *options]
        if command == "run"
        else [sys.executable, "-m", "feeds", command, *options],
        cwd=site.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "FEEDS_CLOCK": NOW.isoformat()},
    )


def ask(site, path):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(site.folder / "s"))
        request = f"GET {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: test/1\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def events(process):
    for line in process.stdout:
        event = json.loads(line)
        yield event["event"], event["text"]


def wait_for(log, wanted):
    for event, text in log:
        if event == wanted:
            return text
    raise AssertionError(wanted)


@pytest.fixture
def web_site(site):
    """A site with `web.url`, at a Unix socket."""
    site.post("first")
    site.configure(f'{CONFIG}[web]\nlisten = "unix:{site.folder}/s"\nurl = "https://letters.example.com/"\n')
    return site


def test_feeds_run_serves_what_it_publishes(web_site):
    """`feeds run` serves feeds, knows when it publishes next, reads the config at SIGHUP, and ends cleanly."""
    process = run(web_site, "--access-log")
    try:
        log = events(process)
        assert "https://letters.example.com/" in wait_for(log, "serving")
        wait_for(log, "written")
        answer = ask(web_site, "/feeds/atom.xml")
        assert answer.startswith("HTTP/1.1 200 OK")
        assert wait_for(log, "access").startswith("GET /feeds/atom.xml 200 ")
        ask(web_site, "/confirm/secret-token")
        assert "secret" not in wait_for(log, "access")
        process.send_signal(signal.SIGHUP)
        assert wait_for(log, "config") == "read the config again"
        (web_site.folder / "config.toml").write_text("[site", "utf-8")
        process.send_signal(signal.SIGHUP)
        assert "is not TOML" in wait_for(log, "fault")
        assert ask(web_site, "/feeds/atom.xml").startswith("HTTP/1.1 200 OK")
        process.terminate()
        output = process.communicate(timeout=30)[0]
        assert (process.returncode, "Traceback" in output) == (0, False)
    finally:
        process.kill()
        process.communicate()


def test_feeds_run_is_starting_until_its_first_publish_has_ended(web_site):
    """While the first publish waits for another process `scheduler` is `starting`; it is `ok` when it has ended."""
    folder = os.open(web_site.folder, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    process = run(web_site)
    try:
        log = events(process)
        wait_for(log, "serving")
        assert '"scheduler":"starting","seconds_since_publish":null' in ask(web_site, "/healthz")
        fcntl.flock(folder, fcntl.LOCK_UN)
        wait_for(log, "written")
        while '"starting"' in ask(web_site, "/healthz"):
            time.sleep(0.05)
        assert '"scheduler":"ok","seconds_since_publish":0' in ask(web_site, "/healthz")
    finally:
        os.close(folder)
        process.kill()
        process.communicate()


@pytest.mark.parametrize("options", [["--no-web"], []])
def test_feeds_run_opens_no_port_that_nobody_asked_for(web_site, options):
    """With `--no-web`, or without `web.url`, `feeds run` serves nothing."""
    if not options:
        web_site.configure(f'{CONFIG}[web]\nlisten = "unix:{web_site.folder}/s"\n')
    process = run(web_site, *options)
    try:
        wait_for(events(process), "written")
        assert not (web_site.folder / "s").exists()
        process.terminate()
        process.communicate(timeout=30)
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


def test_an_address_that_is_used_stops_both_commands(web_site):
    """If another program uses `web.listen`, `feeds serve` and `feeds run` end with one line and exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as used:
        port = used.getsockname()[1]
        web_site.configure(f'{CONFIG}[web]\nlisten = "127.0.0.1:{port}"\nurl = "https://letters.example.com/"\n')
        for command in ("run", "serve"):
            process = run(web_site, command=command)
            output = process.communicate(timeout=30)[0]
            assert process.returncode == 1
            assert f"error: web.listen: 127.0.0.1:{port} cannot be used: Address already in use" in output
            assert "Traceback" not in output
