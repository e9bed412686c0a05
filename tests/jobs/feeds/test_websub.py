"""WebSub pings after a publish, with a real hub, a real web server and a real subscriber on this machine."""

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import timedelta

import feedparser
import pytest
from lxml import etree
from msgspec.structs import replace

from feeds.edges.net import web_check
from feeds.edges.store.database import open_store
from feeds.jobs.feeds import websub
from tests.conftest import CONFIG, NEWSLETTER, NOW
from tests.hub import Hub, Subscriber, Web

SOON = NOW + timedelta(minutes=5)
NAMES = ("atom.xml", "feed.json", "rss.xml")
ALL = 'formats = ["atom", "rss", "json"]'


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    """No proxy is used for requests to this machine."""
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def hub():
    with Hub() as found:
        yield found


@pytest.fixture
def web(site):
    """The website: serves `public/`, or the copy that `hold` makes."""
    with Web(site.folder / "public") as found:
        yield found


@pytest.fixture
def hubbed(site, hub, web):
    """A site with a hub, which is served from `public/`, and one post."""
    configure(site, hub, web)
    site.post("a", categories="[X]")
    return site


def configure(site, hub, web, more="", feeds=ALL):
    text = CONFIG.replace("https://example.com/", web.url).replace('formats = ["atom"]', f'{feeds}\nhub = "{hub.url}"')
    site.configure(text + more)


def urls(web, *folders):
    """The URLs of the documents in folders of feeds."""
    return sorted(f"{web.url}{folder}{name}" for folder in folders for name in NAMES)


def waiting(site):
    """The pings that the store still has to send."""
    with open_store(site.config.store_url, site.folder) as store:
        return store.feeds.load_pings()


def hold(site, web):
    """Serve the present `public/` from now on, whatever is published later."""
    web.folder = site.folder / "shown"
    shutil.rmtree(web.folder, ignore_errors=True)
    shutil.copytree(site.folder / "public", web.folder)


def release(site, web):
    """Serve `public/` again."""
    web.folder = site.folder / "public"


def postpone(site, until):
    """Move all waiting pings to *until*, as the command line reads the real clock."""
    with open_store(site.config.store_url, site.folder) as store:
        store.feeds.postpone_pings([replace(ping, next_at=until) for ping in store.feeds.load_pings()])


# Links in feeds ---------------------------------------------------------------------------------------------------


def test_every_format_names_the_hub_and_itself(hubbed, hub, web):
    """Every format names hub and self (WebSub section 4); archive pages do not change and name no hub."""
    for number in range(1, 9):
        hubbed.post(f"p{number}", f"Words of {number}.\n", date=f"2026-11-0{number}")
    configure(hubbed, hub, web, feeds=f"{ALL}\nentries = 3")
    hubbed.publish()
    for name in ("atom.xml", "rss.xml"):
        links = {link.rel: link.href for link in feedparser.parse(hubbed.read(f"public/feeds/{name}")).feed.links}
        assert (links["hub"], links["self"]) == (hub.url, f"{web.url}feeds/{name}")
    feed = json.loads(hubbed.read("public/feeds/feed.json"))
    assert (feed["hubs"], feed["feed_url"]) == ([{"type": "WebSub", "url": hub.url}], f"{web.url}feeds/feed.json")
    archived = etree.fromstring(hubbed.read("public/feeds/archive/1.xml").encode())
    assert {link.get("rel") for link in archived.findall("{*}link")} >= {"self", "current"}
    assert hub.url not in hubbed.read("public/feeds/archive/1.xml")


def test_the_topic_of_a_ping_is_the_self_link_of_the_feed(hubbed, hub, web):
    """The topic of a ping is the feed's `self`, by which hubs know subscribers, wherever the feeds are on the web."""
    with Web(hubbed.folder / "public" / "feeds") as elsewhere:
        for url in (f"{web.url}feeds/", elsewhere.url):
            hub.pings.clear()
            configure(hubbed, hub, web, feeds=f'{ALL}\nurl = "{url}"')
            hubbed.publish()
            named = feedparser.parse(hubbed.read("public/feeds/atom.xml")).feed.links
            assert [link.href for link in named if link.rel == "self"] == [f"{url}atom.xml"]
            assert f"{url}atom.xml" in hub.pings


# Pings ------------------------------------------------------------------------------------------------------------


def test_a_subscriber_receives_what_was_published(hubbed, hub, web):
    """A subscriber gets the bytes of the new feed at once, with hub and topic; one of another feed gets nothing."""
    hubbed.publish()
    with (
        Subscriber(f"{web.url}feeds/atom.xml") as subscriber,
        Subscriber(f"{web.url}feeds/category/y/atom.xml") as other,
    ):
        assert subscriber.subscribe(hub.url) == 202
        assert other.subscribe(hub.url) == 202
        hubbed.post("b", categories="[X]")
        hubbed.publish()
        (delivery,) = subscriber.received
        assert other.received == []
    assert delivery.content == hubbed.read("public/feeds/atom.xml").encode()
    assert sorted(entry.title for entry in feedparser.parse(delivery.content).entries) == ["a", "b"]
    assert delivery.link == f'<{hub.url}>; rel="hub", <{web.url}feeds/atom.xml>; rel="self"'
    assert delivery.kind == "application/xml"


@pytest.mark.usefixtures("databases")
def test_each_document_that_changed_is_pinged_once(hubbed, hub, web):
    """A run pings each changed document once; neither pages nor lists of feeds are pinged."""
    hubbed.post("b", categories="[Y]")
    hubbed.publish()
    assert sorted(hub.pings) == urls(web, "feeds/", "feeds/category/x/", "feeds/category/y/")
    hub.pings.clear()
    hubbed.post("c", categories="[Y]")
    report = hubbed.publish()
    assert sorted(hub.pings) == urls(web, "feeds/", "feeds/category/y/")
    assert (report.warnings, report.next_ping_at, waiting(hubbed)) == ([], None, ())


@pytest.mark.usefixtures("databases")
def test_nothing_is_pinged_if_nothing_changed(hubbed, hub):
    """Nothing is pinged if nothing changed, also if every file is rendered again to the same bytes."""
    hubbed.publish()
    hub.forms.clear()
    hubbed.publish(SOON)
    hubbed.publish(SOON, use_cache=False)
    shutil.rmtree(hubbed.folder / ".feeds/cache")
    hubbed.publish(SOON)
    hubbed.post("draft", draft="true")
    hubbed.publish(SOON)
    assert hub.forms == []
    assert waiting(hubbed) == ()


def test_a_dry_run_pings_nothing(hubbed, hub):
    """A dry run neither pings what is new or waiting, nor changes the store."""
    hubbed.publish(dry_run=True)
    assert hub.forms == []
    hubbed.publish()
    hub.forms.clear()
    hub.status = 503
    hubbed.post("b")
    hubbed.publish()
    hub.forms.clear()
    before = waiting(hubbed)
    hub.status = 202
    hubbed.publish(SOON, dry_run=True)
    hubbed.post("c")
    hubbed.publish(SOON, dry_run=True)
    assert hub.forms == []
    assert waiting(hubbed) == before


@pytest.mark.usefixtures("databases")
def test_a_newsletters_feed_is_pinged_too(hubbed, hub, web):
    """A newsletter's feed is pinged after each issue."""
    configure(hubbed, hub, web, NEWSLETTER)
    assert [issue.state for issue in hubbed.publish().issues] == ["sent"]
    assert sorted(hub.pings) == urls(web, "feeds/", "feeds/category/x/", "newsletters/weekly/")
    hub.pings.clear()
    hubbed.publish(NOW + timedelta(days=1))
    assert hub.pings == []


# Waiting for the website ------------------------------------------------------------------------------------------


def test_a_ping_waits_until_the_website_serves_the_document(hubbed, hub, web):
    """A ping waits until the website serves the new document; a later run with nothing else to do sends it."""
    hubbed.publish()
    hub.pings.clear()
    hub.forms.clear()
    hold(hubbed, web)
    hubbed.post("b", categories="[X]")
    report = hubbed.publish()
    assert hub.forms == []
    assert (report.errors, report.warnings) == ([], [])
    assert report.next_ping_at == NOW + timedelta(minutes=1)
    assert hubbed.publish(SOON).written == []
    assert hub.pings == []
    release(hubbed, web)
    report = hubbed.publish(SOON + timedelta(minutes=5))
    assert (report.written, report.next_ping_at) == ([], None)
    assert sorted(hub.pings) == urls(web, "feeds/", "feeds/category/x/")


def test_what_the_website_serves_already_is_pinged_while_the_rest_waits(hubbed, hub, web):
    """A document that the website serves already is pinged while the others wait."""
    hubbed.publish()
    hub.pings.clear()
    hold(hubbed, web)
    hubbed.post("b", categories="[X]")
    hubbed.publish()
    shutil.copy(hubbed.folder / "public/feeds/rss.xml", web.folder / "feeds/rss.xml")
    hubbed.publish(SOON)
    assert hub.pings == [f"{web.url}feeds/rss.xml"]
    assert len(waiting(hubbed)) == 5


def test_without_waiting_pings_are_sent_at_once(hubbed, hub, web):
    """With `wait_for_site = false`, pings are sent at once, even if this machine cannot see the website."""
    configure(hubbed, hub, web, "[publish]\nwait_for_site = false\n")
    (hubbed.folder / "nothing").mkdir()
    web.folder = hubbed.folder / "nothing"
    report = hubbed.publish()
    assert sorted(hub.pings) == urls(web, "feeds/", "feeds/category/x/")
    assert report.next_ping_at is None


@pytest.mark.usefixtures("databases")
def test_what_changed_again_while_it_waited_is_pinged_once(hubbed, hub, web):
    """A document that changed several times while its ping waited is pinged once."""
    hubbed.publish()
    hub.pings.clear()
    hold(hubbed, web)
    for number, name in enumerate("bcd"):
        hubbed.post(name, categories="[X]")
        hubbed.publish(NOW + timedelta(minutes=number))
    release(hubbed, web)
    hubbed.publish(SOON)
    assert sorted(hub.pings) == urls(web, "feeds/", "feeds/category/x/")


def test_the_fast_path_hides_no_ping_that_waits(hubbed, hub, web, feeds):
    """While a ping waits, the command line does not take the fast path; once it is sent, the fast path is back."""
    state = hubbed.folder / ".feeds/cache" / "last-run"
    time.sleep(0.05)
    feeds("publish", "--feeds-only")
    assert state.exists()
    hub.pings.clear()
    hold(hubbed, web)
    hubbed.post("b", categories="[X]")
    time.sleep(0.05)
    before = state.stat().st_mtime_ns
    assert feeds("publish", "--feeds-only").returncode == 0
    postpone(hubbed, NOW)
    release(hubbed, web)
    done = feeds("publish", "--feeds-only")
    assert (done.returncode, state.stat().st_mtime_ns > before) == (0, True)
    assert "0 written" in done.stdout
    assert sorted(hub.pings) == urls(web, "feeds/", "feeds/category/x/")
    after = state.stat().st_mtime_ns
    feeds("publish", "--feeds-only")
    assert state.stat().st_mtime_ns == after


def test_a_run_that_leaves_pings_waiting_leaves_no_state_for_the_fast_path(hubbed, hub, web, feeds):
    """A run that leaves pings waiting saves no state for the fast path."""
    (hubbed.folder / "nothing").mkdir()
    web.folder = hubbed.folder / "nothing"
    time.sleep(0.05)
    for _ in range(2):
        assert feeds("publish", "--feeds-only").returncode == 0
        assert not (hubbed.folder / ".feeds/cache" / "last-run").exists()
    assert hub.forms == []


# A hub that is down -----------------------------------------------------------------------------------------------


def test_a_hub_that_is_down_fails_no_publish(hubbed, web, feeds):
    """If the hub is down, publish ends with exit code 0 and a warning; the ping is sent once the hub is back."""
    with Hub() as gone:
        configure(hubbed, gone, web)
    done = feeds("publish", "--feeds-only")
    assert done.returncode == 0
    assert f"warning: {gone.url}: " in done.stderr
    assert "refused; the ping for " in done.stderr
    assert done.stderr.count("\n") == 1
    assert len(waiting(hubbed)) == 6
    with Hub(gone.port) as back:
        now = NOW
        hubbed.publish(now)
        assert back.pings == []
        report = hubbed.publish(now + timedelta(minutes=2))
        assert (report.written, report.warnings, report.next_ping_at) == ([], [], None)
        assert sorted(back.pings) == urls(web, "feeds/", "feeds/category/x/")


@pytest.mark.usefixtures("databases")
@pytest.mark.parametrize("status", [404, 429, 503])
def test_a_hub_that_refuses_is_pinged_again(hubbed, hub, web, status):
    """A hub that refuses a ping gets no more in this run, and all of them in a later one."""
    hub.status = status
    report = hubbed.publish()
    assert len(hub.forms) == 1
    assert len(report.warnings) == 1
    assert f"HTTP {status}" in report.warnings[0]
    assert report.errors == []
    hub.status = 202
    hubbed.publish(SOON)
    assert sorted(hub.pings) == urls(web, "feeds/", "feeds/category/x/")


def test_waits_grow_and_come_to_an_end(hubbed, hub):
    """Delays grow from a minute to an hour; after three days each ping is given up with a warning."""
    hub.status = 503
    now, waits, warned = NOW, [], []
    report = hubbed.publish(now)
    while report.next_ping_at is not None:
        assert now - NOW < timedelta(days=4)
        asked = len(hub.forms)
        hubbed.publish(report.next_ping_at - timedelta(seconds=1))
        assert len(hub.forms) == asked
        waits.append(report.next_ping_at - now)
        now = report.next_ping_at
        report = hubbed.publish(now)
        assert report.errors == []
        warned = report.warnings
    minutes = [wait / timedelta(minutes=1) for wait in waits]
    assert minutes[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert set(minutes[7:]) == {60}
    assert timedelta(days=3) < now - NOW < timedelta(days=3, hours=2)
    assert len([line for line in warned if "for 3 days; given up" in line]) == 6
    assert waiting(hubbed) == ()
    hub.forms.clear()
    hub.status = 202
    hubbed.publish(now + timedelta(days=1))
    assert hub.forms == []
    hubbed.post("b")
    hubbed.publish(now + timedelta(days=1))
    assert len(hub.pings) == 3


def test_a_hub_that_hangs_holds_no_publish_up(hubbed, hub, monkeypatch):
    """If the hub hangs, one ping times out and no more are sent; feeds are written, and the pings stay."""
    monkeypatch.setattr(web_check, "TIMEOUT", 0.3)
    hub.answers.clear()
    started = time.monotonic()
    report = hubbed.publish()
    assert time.monotonic() - started < 30  # the hub itself would never answer
    assert "feeds/atom.xml" in report.written
    assert report.errors == []
    assert len(report.warnings) == 1
    assert len(waiting(hubbed)) == 6


def test_a_run_spends_limited_time_on_pings(hubbed, hub, web, monkeypatch):
    """Pings for which a run has no time left are sent by the next run."""
    monkeypatch.setattr(websub, "_BUDGET", -1.0)
    report = hubbed.publish()
    assert hub.forms == []
    assert report.next_ping_at is not None
    monkeypatch.undo()
    monkeypatch.setenv("no_proxy", "*")
    hubbed.publish(SOON)
    assert sorted(hub.pings) == urls(web, "feeds/", "feeds/category/x/")


# Crashes and deletions --------------------------------------------------------------------------------------------


KILLED = """
import os, signal, sys

def hook(event, values):
    if event == "os.rename" and str(values[1]).endswith("/.feeds/cache/made"):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
sys.argv = ["feeds", "publish", "--feeds-only"]
from feeds.cli import main
main()
"""


def test_killed_between_writing_and_pinging_the_next_run_pings(hubbed, hub, web):
    """If a run is killed after it wrote the files, the next run sends the pings, as the store has them already."""
    hubbed.publish()
    hub.pings.clear()
    hubbed.post("b", categories="[X]")
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=hubbed.folder, env=os.environ, check=False)
    assert killed.returncode == -9
    assert hub.pings == []
    assert ">b<" in hubbed.read("public/feeds/atom.xml")
    assert "feeds/atom.xml" in [ping.path for ping in waiting(hubbed)]
    hubbed.publish(NOW + timedelta(minutes=5))
    assert sorted(hub.pings) == urls(web, "feeds/", "feeds/category/x/")


@pytest.mark.usefixtures("databases")
@pytest.mark.parametrize("lost", ["the cache", "not asked for"])
def test_what_waits_is_not_forgotten_with_the_cache(hubbed, hub, web, lost):
    """Waiting pings are sent even if the cache is lost or not used and every file is rendered again."""
    hubbed.publish()
    hub.pings.clear()
    hold(hubbed, web)
    hubbed.post("b", categories="[X]")
    hubbed.publish()
    release(hubbed, web)
    if lost == "the cache":
        shutil.rmtree(hubbed.folder / ".feeds/cache")
    hubbed.publish(SOON, use_cache=lost == "the cache")
    assert sorted(hub.pings) == urls(web, "feeds/", "feeds/category/x/")


@pytest.mark.usefixtures("databases")
def test_a_retired_feed_is_not_pinged(hubbed, hub, web, feeds):
    """The documents of a retired feed are not pinged."""
    (hubbed.folder / "nothing").mkdir()
    web.folder = hubbed.folder / "nothing"
    feeds("publish", "--feeds-only")
    assert len(waiting(hubbed)) == 6
    assert feeds("retire", "category/x").returncode == 0
    release(hubbed, web)
    hubbed.publish(NOW + timedelta(minutes=5))
    assert sorted(hub.pings) == urls(web, "feeds/")


def test_without_a_hub_nothing_waits(hubbed, hub, web):
    """If the hub is taken out of the config, its waiting pings are deleted."""
    hub.status = 503
    hubbed.publish()
    assert len(waiting(hubbed)) == 6
    hubbed.configure(CONFIG.replace("https://example.com/", web.url))
    report = hubbed.publish(SOON)
    assert (waiting(hubbed), report.next_ping_at) == ((), None)
