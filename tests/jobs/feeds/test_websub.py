"""A publish tells a hub what has changed: a real hub, a real web server and a real subscriber, on this machine."""

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
    """No proxy stands between this machine and itself."""
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def hub():
    with Hub() as found:
        yield found


@pytest.fixture
def web(site):
    """What the web shows: `public/`, or what stood there before."""
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


def addresses(web, *folders):
    """The addresses of the documents in folders of feeds."""
    return sorted(f"{web.url}{folder}{name}" for folder in folders for name in NAMES)


def waiting(site):
    """What the hub has still to hear of."""
    with open_store("sqlite:///feeds.db", site.folder) as store:
        return store.feeds.load_pings()


def hold(site, web):
    """Let the web show what stands in `public/` now, whatever is published from now on."""
    web.folder = site.folder / "shown"
    shutil.rmtree(web.folder, ignore_errors=True)
    shutil.copytree(site.folder / "public", web.folder)


def release(site, web):
    """Let the web show what was published."""
    web.folder = site.folder / "public"


def put_off(site, until):
    """Let time pass for what waits, as the command line reads the real clock."""
    with open_store("sqlite:///feeds.db", site.folder) as store:
        store.feeds.postpone_pings([replace(ping, next_at=until) for ping in store.feeds.load_pings()])


# What feeds say ---------------------------------------------------------------------------------------------------


def test_every_format_names_the_hub_and_itself(hubbed, hub, web):
    """WebSub section 4; a subscriber may start from any of them. What is archived does not change and names none."""
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


def test_the_topic_that_is_told_is_the_address_that_the_feed_names(hubbed, hub, web):
    """Wherever the feeds are on the web: a hub knows subscribers by `self`."""
    with Web(hubbed.folder / "public" / "feeds") as elsewhere:
        for url in (f"{web.url}feeds/", elsewhere.url):
            hub.pings.clear()
            configure(hubbed, hub, web, feeds=f'{ALL}\nurl = "{url}"')
            hubbed.publish()
            named = feedparser.parse(hubbed.read("public/feeds/atom.xml")).feed.links
            assert [link.href for link in named if link.rel == "self"] == [f"{url}atom.xml"]
            assert f"{url}atom.xml" in hub.pings


# Telling ----------------------------------------------------------------------------------------------------------


def test_a_subscriber_receives_what_was_published(hubbed, hub, web):
    """The bytes of the new feed, signed, with hub and topic; from one publish to the reader, at once."""
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


def test_each_document_that_changed_is_told_once(hubbed, hub, web):
    """All of them the first time, then those of the feeds that changed; neither pages nor lists."""
    hubbed.post("b", categories="[Y]")
    hubbed.publish()
    assert sorted(hub.pings) == addresses(web, "feeds/", "feeds/category/x/", "feeds/category/y/")
    hub.pings.clear()
    hubbed.post("c", categories="[Y]")
    report = hubbed.publish()
    assert sorted(hub.pings) == addresses(web, "feeds/", "feeds/category/y/")
    assert (report.warnings, report.next_ping_at, waiting(hubbed)) == ([], None, ())


def test_nothing_is_told_when_nothing_changed(hubbed, hub):
    """Neither in the next pass, nor when everything is made anew and comes out the same."""
    hubbed.publish()
    hub.forms.clear()
    hubbed.publish(SOON)
    hubbed.publish(SOON, use_cache=False)
    shutil.rmtree(hubbed.folder / ".feeds-cache")
    hubbed.publish(SOON)
    hubbed.post("draft", draft="true")
    hubbed.publish(SOON)
    assert hub.forms == []
    assert waiting(hubbed) == ()


def test_a_dry_run_tells_nobody(hubbed, hub):
    """Neither what is new nor what waits; and notes nothing."""
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


def test_a_newsletters_feed_is_told_too(hubbed, hub, web):
    """It changes with each issue."""
    configure(hubbed, hub, web, NEWSLETTER)
    assert [issue.state for issue in hubbed.publish().issues] == ["sent"]
    assert sorted(hub.pings) == addresses(web, "feeds/", "feeds/category/x/", "newsletters/weekly/")
    hub.pings.clear()
    hubbed.publish(NOW + timedelta(days=1))
    assert hub.pings == []


# Waiting for the web ----------------------------------------------------------------------------------------------


def test_the_hub_is_told_only_what_the_web_shows(hubbed, hub, web):
    """Else it would fetch the old document and send that; a later pass tells it, also if it has nothing else to do."""
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
    assert sorted(hub.pings) == addresses(web, "feeds/", "feeds/category/x/")


def test_what_the_web_shows_already_is_told_while_the_rest_waits(hubbed, hub, web):
    """Each document is looked at for itself."""
    hubbed.publish()
    hub.pings.clear()
    hold(hubbed, web)
    hubbed.post("b", categories="[X]")
    hubbed.publish()
    shutil.copy(hubbed.folder / "public/feeds/rss.xml", web.folder / "feeds/rss.xml")
    hubbed.publish(SOON)
    assert hub.pings == [f"{web.url}feeds/rss.xml"]
    assert len(waiting(hubbed)) == 5


def test_without_waiting_the_hub_is_told_at_once(hubbed, hub, web):
    """`wait_for_site = false` is for a site that this machine cannot see."""
    configure(hubbed, hub, web, "[publish]\nwait_for_site = false\n")
    (hubbed.folder / "nothing").mkdir()
    web.folder = hubbed.folder / "nothing"
    report = hubbed.publish()
    assert sorted(hub.pings) == addresses(web, "feeds/", "feeds/category/x/")
    assert report.next_ping_at is None


def test_what_changed_again_while_it_waited_is_told_once(hubbed, hub, web):
    """With what the web shows in the end."""
    hubbed.publish()
    hub.pings.clear()
    hold(hubbed, web)
    for number, name in enumerate("bcd"):
        hubbed.post(name, categories="[X]")
        hubbed.publish(NOW + timedelta(minutes=number))
    release(hubbed, web)
    hubbed.publish(SOON)
    assert sorted(hub.pings) == addresses(web, "feeds/", "feeds/category/x/")


def test_no_seal_hides_a_ping_that_waits(hubbed, hub, web, feeds):
    """Through the command line: as long as something waits, every publish is done; then it comes to rest."""
    seal = hubbed.folder / ".feeds-cache" / "last-run"
    time.sleep(0.05)
    feeds("publish", "--feeds-only")
    assert seal.exists()
    hub.pings.clear()
    hold(hubbed, web)
    hubbed.post("b", categories="[X]")
    time.sleep(0.05)
    before = seal.stat().st_mtime_ns
    assert feeds("publish", "--feeds-only").returncode == 0
    put_off(hubbed, NOW)
    release(hubbed, web)
    done = feeds("publish", "--feeds-only")
    assert (done.returncode, seal.stat().st_mtime_ns > before) == (0, True)
    assert "0 written" in done.stdout
    assert sorted(hub.pings) == addresses(web, "feeds/", "feeds/category/x/")
    left = seal.stat().st_mtime_ns
    feeds("publish", "--feeds-only")
    assert seal.stat().st_mtime_ns == left


def test_a_pass_that_leaves_something_waiting_leaves_no_seal(hubbed, hub, web, feeds):
    """The next one might have something to do without anything having changed here."""
    (hubbed.folder / "nothing").mkdir()
    web.folder = hubbed.folder / "nothing"
    time.sleep(0.05)
    for _ in range(2):
        assert feeds("publish", "--feeds-only").returncode == 0
        assert not (hubbed.folder / ".feeds-cache" / "last-run").exists()
    assert hub.forms == []


# A hub that is away -----------------------------------------------------------------------------------------------


def test_a_hub_that_is_away_fails_no_publish(hubbed, web, feeds):
    """Exit code 0 and a warning; the ping is kept and goes out when the hub is back and the wait is over."""
    with Hub() as gone:
        configure(hubbed, gone, web)
    done = feeds("publish", "--feeds-only")
    assert done.returncode == 0
    assert f"warning: {gone.url}: " in done.stderr
    assert "refused; it will be told later that" in done.stderr
    assert done.stderr.count("\n") == 1
    assert len(waiting(hubbed)) == 6
    with Hub(gone.port) as back:
        now = NOW
        hubbed.publish(now)
        assert back.pings == []
        report = hubbed.publish(now + timedelta(minutes=2))
        assert (report.written, report.warnings, report.next_ping_at) == ([], [], None)
        assert sorted(back.pings) == addresses(web, "feeds/", "feeds/category/x/")


@pytest.mark.parametrize("status", [404, 429, 503])
def test_a_hub_that_refuses_is_asked_again(hubbed, hub, web, status):
    """One question a pass: what it says of one document it would say of all."""
    hub.status = status
    report = hubbed.publish()
    assert len(hub.forms) == 1
    assert len(report.warnings) == 1
    assert f"HTTP {status}" in report.warnings[0]
    assert report.errors == []
    hub.status = 202
    hubbed.publish(SOON)
    assert sorted(hub.pings) == addresses(web, "feeds/", "feeds/category/x/")


def test_waits_grow_and_come_to_an_end(hubbed, hub):
    """From a minute to an hour, and after three days the hub is given up on, with a warning for each document."""
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
    """One question is given up after our patience, and no more are asked; feeds are written, and the pings kept."""
    monkeypatch.setattr(web_check, "TIMEOUT", 0.3)
    hub.answers.clear()
    started = time.monotonic()
    report = hubbed.publish()
    assert time.monotonic() - started < 30  # the hub itself would never answer
    assert "feeds/atom.xml" in report.written
    assert report.errors == []
    assert len(report.warnings) == 1
    assert len(waiting(hubbed)) == 6


def test_a_pass_spends_so_much_time_and_no_more(hubbed, hub, web, monkeypatch):
    """What there was no time for has its turn in the next pass."""
    monkeypatch.setattr(websub, "_BUDGET", -1.0)
    report = hubbed.publish()
    assert hub.forms == []
    assert report.next_ping_at is not None
    monkeypatch.undo()
    monkeypatch.setenv("no_proxy", "*")
    hubbed.publish(SOON)
    assert sorted(hub.pings) == addresses(web, "feeds/", "feeds/category/x/")


# What is not forgotten, and what is -------------------------------------------------------------------------------


KILLED = """
import os, signal, sys

def hook(event, values):
    if event == "os.rename" and str(values[1]).endswith("/.feeds-cache/made"):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
sys.argv = ["feeds", "publish", "--feeds-only"]
from feeds.cli import main
main()
"""


def test_killed_between_writing_and_telling_the_hub_still_hears(hubbed, hub, web):
    """The store knew before the files were written; the next pass finds them as they should be, and tells."""
    hubbed.publish()
    hub.pings.clear()
    hubbed.post("b", categories="[X]")
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=hubbed.folder, env=os.environ, check=False)
    assert killed.returncode == -9
    assert hub.pings == []
    assert ">b<" in hubbed.read("public/feeds/atom.xml")
    assert "feeds/atom.xml" in [ping.path for ping in waiting(hubbed)]
    hubbed.publish(NOW + timedelta(minutes=5))
    assert sorted(hub.pings) == addresses(web, "feeds/", "feeds/category/x/")


@pytest.mark.parametrize("lost", ["the cache", "not asked for"])
def test_what_waits_is_not_forgotten_with_the_cache(hubbed, hub, web, lost):
    """A machine that keeps no cache makes everything anew, to the same bytes; the hub has not heard of them yet."""
    hubbed.publish()
    hub.pings.clear()
    hold(hubbed, web)
    hubbed.post("b", categories="[X]")
    hubbed.publish()
    release(hubbed, web)
    if lost == "the cache":
        shutil.rmtree(hubbed.folder / ".feeds-cache")
    hubbed.publish(SOON, use_cache=lost == "the cache")
    assert sorted(hub.pings) == addresses(web, "feeds/", "feeds/category/x/")


def test_what_was_ended_is_not_told(hubbed, hub, web, feeds):
    """Nothing is there to be fetched any more."""
    (hubbed.folder / "nothing").mkdir()
    web.folder = hubbed.folder / "nothing"
    feeds("publish", "--feeds-only")
    assert len(waiting(hubbed)) == 6
    assert feeds("retire", "category/x").returncode == 0
    release(hubbed, web)
    hubbed.publish(NOW + timedelta(minutes=5))
    assert sorted(hub.pings) == addresses(web, "feeds/")


def test_without_a_hub_nothing_waits(hubbed, hub, web):
    """Whoever takes the hub out of the config does not mean to tell it later."""
    hub.status = 503
    hubbed.publish()
    assert len(waiting(hubbed)) == 6
    hubbed.configure(CONFIG.replace("https://example.com/", web.url))
    report = hubbed.publish(SOON)
    assert (waiting(hubbed), report.next_ping_at) == ((), None)
