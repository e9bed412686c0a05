"""`feeds preview`: a real server, with requests as a browser sends them."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from feeds.jobs.subscribers import subscribe
from tests.conftest import CONFIG, NEWSLETTER, NOW
from tests.test_pages import CHROMIUM, browser  # noqa: F401 - a fixture is found by its name


@contextmanager
def served(site):
    """Start the command on a free port; yield its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "feeds", "preview", "--port", str(port), "--now", "2026-11-23T12:00Z"],
        cwd=site.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        address = f"http://127.0.0.1:{port}/"
        _wait_for(address, process)
        yield address
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _wait_for(address, process):
    for _ in range(200):
        assert process.poll() is None
        try:
            get(f"{address}state")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(address)


def get(url, **headers):
    """Return the headers and the text of a GET request."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as response:
        return response.headers, response.read().decode()


@pytest.fixture
def preview(letter_site):
    with served(letter_site) as address:
        yield letter_site, address


def test_it_shows_the_next_issue_in_all_its_forms(preview):
    """The page has frames in two sizes, two schemes and without images; text part and source have their own URLs."""
    site, address = preview
    _, page = get(address)
    assert page.count("<iframe") == 5
    assert "The weekly" in page
    assert "first" in get(f"{address}letter/weekly/text")[1]
    headers, html = get(f"{address}letter/weekly/html")
    assert "<!doctype html>" in html
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "img-src 'none'" in get(f"{address}letter/weekly/html?pictures=off")[0]["Content-Security-Policy"]
    headers, source = get(f"{address}letter/weekly/source")
    assert (headers["Content-Type"].partition(";")[0], source) == ("text/plain", html)
    assert not (site.folder / ".feeds/feeds.db").exists()


def test_it_shows_the_letter_for_each_choice(letter_site):
    """The page offers each language with texts, each topic of the issue, and each subscriber's preferences."""
    letter_site.post("cats", categories="[Cats]")
    subscribe.add_subscriber(letter_site.config, "a@example.org", [], topics=["Birds"], lang="de", now=NOW, again=False)
    with served(letter_site) as address:
        page = get(address)[1]
        choices = dict(re.findall(r'<a href="/\?weekly=(\d+)[^"]*">([^<]*)</a>', page))
        assert sorted(choices.values()) == ["Cats", "ar", "de", "de: Birds", "ja"]
        place = {choice: number for number, choice in choices.items()}
        assert "購読" in get(f"{address}letter/weekly/text?choice={place['ja']}")[1]
        cats = get(f"{address}letter/weekly/text?choice={place['Cats']}")[1]
        assert ("/cats/" in cats, "/first/" in cats) == (True, False)
        chosen = get(f"{address}?weekly={place['de: Birds']}")[1]
        assert "subscribers with these preferences get no letter" in chosen
        assert "<strong>de: Birds</strong>" in chosen
        assert f"choice={place['ar']}&amp;scheme=dark" in get(f"{address}?weekly={place['ar']}")[1].replace(
            "&scheme", "&amp;scheme"
        )
        for odd in ("99", "x", "-1"):
            assert get(f"{address}?weekly={odd}")[1].count("<section") == 1


def test_it_changes_with_the_files(preview):
    """A new post, note, config or template changes the state that the page polls, and the page."""
    site, address = preview
    seen = [get(f"{address}state")[1]]
    assert get(f"{address}state")[1] == seen[0]

    def changed():
        seen.append(get(f"{address}state")[1])
        return len(set(seen)) == len(seen)

    site.post("second", date="2026-11-22")
    assert changed()
    assert "second" in get(address)[1]
    (site.folder / "letters" / "weekly").mkdir(parents=True)
    (site.folder / "letters" / "weekly" / "next.md").write_text("---\nsubject: Noted\n---\n", "utf-8")
    assert changed()
    assert "Noted" in get(address)[1]
    site.configure((CONFIG + NEWSLETTER).replace("The weekly", "Renamed"))
    assert changed()
    assert "Renamed" in get(address)[1]
    site.configure("[site")
    assert changed()
    assert "config.toml:1: is not TOML" in get(address)[1]


def test_errors_are_shown_in_place_of_letters(preview):
    """A fault in a template is shown on the page; a letter that does not exist is HTTP 404."""
    site, address = preview
    (site.folder / "templates" / "letter").mkdir(parents=True)
    (site.folder / "templates" / "letter" / "foot.mjml").write_text("<mj-secton />", "utf-8")
    assert "MJML has no element &lt;mj-secton&gt;" in get(address)[1]
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(f"{address}letter/weekly/html")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(f"{address}letter/daily/html")


def test_other_host_names_are_refused(preview):
    """A request with another host name, as from a foreign web page, is refused with HTTP 400."""
    _, address = preview
    with pytest.raises(urllib.error.HTTPError, match="400"):
        get(address, Host="evil.example")


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_frame_has_the_scheme_that_it_says(preview, browser):  # noqa: F811 - the fixture
    """Dark frames are dark on a light page; the page reloads when a post is written."""
    site, address = preview
    page = browser.new_page(viewport={"width": 1400, "height": 900}, color_scheme="light")
    page.goto(address)
    dark = page.frame_locator("iframe.phone.dark").locator("body")
    assert (
        dark.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(23, 22, 20)"
    )  # the style sheet's colour, not the body's attribute
    light = page.frame_locator("iframe.desktop.light").locator("body")
    assert light.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 253, 248)"
    site.post("second", date="2026-11-22")
    page.wait_for_selector("text=second", timeout=10_000)
    page.close()
