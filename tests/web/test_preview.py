"""`feeds preview`: a real server, with requests as a browser sends them."""

import re
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager

import pytest

from feeds.core.posts.locales import language_name
from feeds.jobs.subscribers import subscribe
from tests.command import running_command
from tests.conftest import CONFIG, NEWSLETTER, NOW, ROOT
from tests.test_pages import CHROMIUM, browser  # noqa: F401 - a fixture is found by its name


@contextmanager
def served(site):
    """Start the command on a free port; yield its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["preview", "--port", str(port), "--now", "2026-11-23T12:00Z"]
    with running_command(words, site.folder) as process:
        address = f"http://127.0.0.1:{port}/"
        _wait_for(address, process)
        yield address


def _wait_for(address, process):
    for _ in range(1200):
        assert process.exitcode is None
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
    """The page has frames for phone, desktop and other mail programs, number, slot and readers, and the text part."""
    site, address = preview
    _, page = get(address)
    assert page.count("<iframe") == 7
    assert all(words in page for words in ("The weekly", "No. 1", "due now", "1 reader", 'class="letter-text"'))
    assert '<p class="sender"><bdi>Test</bdi></p><p class="subject"><bdi>first</bdi></p>' in page
    assert "<style" not in get(f"{address}letter/weekly/html?view=plain")[1]
    assert "max-width" not in get(f"{address}letter/weekly/html?view=word")[1]
    assert "first" in get(f"{address}letter/weekly/text")[1]
    headers, html = get(f"{address}letter/weekly/html")
    assert "<!doctype html>" in html
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "img-src 'none'" in get(f"{address}letter/weekly/html?pictures=off")[0]["Content-Security-Policy"]
    headers, source = get(f"{address}letter/weekly/source")
    assert (headers["Content-Type"].partition(";")[0], source) == ("text/plain", html)
    assert not (site.folder / ".feeds/feeds.db").exists()


_CHOICE = r'<a href="/\?weekly=(\d+)[^"]*"[^>]*>([^<]*)</a>'


@pytest.mark.parametrize(
    ("lang", "offered"),
    [("en", []), ("xx", []), ("pt-BR", ["português"]), ("en-GB", ["English"])],
)
def test_preferences_that_give_the_same_letter_are_one_choice(letter_site, lang, offered):
    """A language without texts, or with those of the newsletter, and a topic of all posts are not offered."""
    letter_site.post("first", categories="[Cats]")
    subscribe.add_subscriber(letter_site.config, "a@example.org", [], topics=["Cats"], lang=lang, now=NOW, again=False)
    with served(letter_site) as address:
        first = get(address)[1].partition("<details")[0]
    assert [name.partition(" ")[0] for _, name in re.findall(_CHOICE, first)] == offered


def test_it_shows_the_letter_for_each_choice(letter_site):
    """The site's languages, topics and subscribers' preferences come first, other languages are in a fold."""
    letter_site.post("cats", categories="[Cats]", lang="ja")
    subscribe.add_subscriber(letter_site.config, "a@example.org", [], topics=["Birds"], lang="de", now=NOW, again=False)
    with served(letter_site) as address:
        page = get(address)[1]
        first, _, folded = page.partition("<details")
        assert re.findall(_CHOICE, first) == [("1", "日本語"), ("2", "Deutsch"), ("3", "Deutsch: Birds"), ("4", "Cats")]
        languages = {file.stem for file in (ROOT / "templates" / "texts").glob("*.toml")} - {"en", "ja", "de"}
        assert {name for _, name in re.findall(_CHOICE, folded)} == {language_name(lang) for lang in languages}
        place = {name: number for number, name in re.findall(_CHOICE, page)}
        assert "購読" in get(f"{address}letter/weekly/text?choice={place['日本語']}")[1]
        cats = get(f"{address}letter/weekly/text?choice={place['Cats']}")[1]
        assert ("/cats/" in cats, "/first/" in cats) == (True, False)
        chosen = get(f"{address}?weekly={place['Deutsch: Birds']}")[1]
        assert "subscribers with these preferences get no letter" in chosen
        assert "<strong>Deutsch: Birds</strong>" in chosen
        arabic = place["العربية"]
        page = get(f"{address}?weekly={arabic}")[1]
        assert f"choice={arabic}&amp;scheme=dark" in page
        assert "<details open><summary>Other languages (21)" in page
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


def post(url, values, **headers):
    """Return the page to which a POST request leads."""
    content = urllib.parse.urlencode(values).encode()
    with urllib.request.urlopen(urllib.request.Request(url, content, headers), timeout=60) as response:
        return response.read().decode()


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
def test_a_form_of_another_site_sends_nothing(preview, headers):
    """A test message that another site's form asks for is refused with HTTP 403, and nothing is sent."""
    site, address = preview
    with pytest.raises(urllib.error.HTTPError, match="403"):
        post(f"{address}test/weekly", {"to": "a@example.org"}, **headers)
    assert not (site.folder / ".feeds/outbox").exists()


@pytest.mark.parametrize("by", ["Sec-Fetch-Site", "Origin"])
def test_a_test_letter_is_sent_from_the_page(preview, by):
    """The button sends the letter to the address in its field, says so once, and records nothing as announced."""
    site, address = preview
    assert 'name="to" value="desk@example.com"' in get(address)[1]
    headers = {by: {"Sec-Fetch-Site": "same-origin", "Origin": address.rstrip("/")}[by]}
    page = post(f"{address}test/weekly", {"to": "me@example.com"}, **headers)
    assert "was sent to me@example.com" in page
    assert "was sent to" not in get(address)[1]
    assert site.letters() == ["test/weekly/1/me@example.com.eml"]
    assert "not sent: " in post(f"{address}test/weekly", {"to": "no address"}, **headers)
    assert [i.number for i in site.publish().issues] == [1]


def test_without_a_sender_there_is_no_test_letter(letter_site):
    """Without `mail.from` the page has no button for a test letter."""
    letter_site.configure(CONFIG + NEWSLETTER.partition("[mail]")[0])
    with served(letter_site) as address:
        assert "<form" not in get(address)[1]


def test_after_an_issue_the_page_shows_a_sample(letter_site):
    """After an issue was sent, the page shows one made of the newest posts, marked as a sample, and records nothing."""
    letter_site.publish()
    before = letter_site.files(".feeds/outbox")
    with served(letter_site) as address:
        page = get(address)[1]
        assert "<strong>Sample.</strong> There is nothing to send" in page
        assert ("No. 2" in page, "<form" in page, page.count("<iframe")) == (True, False, 7)
        assert "/first/" in get(f"{address}letter/weekly/text")[1]
    assert letter_site.files(".feeds/outbox") == before
    letter_site.post("second", date="2026-11-22")
    with served(letter_site) as address:
        assert "Sample" not in get(address)[1]


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100c9fe92ef"
    "0000000049454e44ae426082"
)


@pytest.mark.parametrize(
    ("file", "url", "is_shown"),
    [
        ("images/a.png", "/images/a.png", True),
        ("static/b.png", "/b.png", True),
        ("posts/c.png", "/2026/11/20/first/c.png", True),
        ("images/fake.png", "/images/fake.png", False),
        (".feeds/hidden.png", "/.feeds/hidden.png", False),
        ("../outside.png", "/../outside.png", False),
        ("../outside.png", "/%2e%2e/outside.png", False),
    ],
)
def test_pictures_come_from_this_machine(letter_site, file, url, is_shown):
    """A picture of a post that is on this machine is served; other files, and files outside of the site, are not."""
    path = letter_site.folder / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"secret" if "fake" in file else PNG)
    letter_site.post("first", image=url, image_alt="A")
    with served(letter_site) as address:
        found = re.search(r'src="/picture/(\w+)"', get(f"{address}letter/weekly/html")[1])
        assert (found is not None) is is_shown
        if found:
            with urllib.request.urlopen(f"{address}picture/{found[1]}", timeout=20) as response:
                assert (response.read(), response.headers["Content-Type"]) == (PNG, "image/png")


@pytest.mark.parametrize("name", ["x", "..%2f..%2fconfig.toml", "config.toml", "%00"])
def test_a_picture_is_not_found_by_a_path(preview, name):
    """A picture is found only by the name that a letter has for it, never by a path."""
    _, address = preview
    get(f"{address}letter/weekly/html")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(f"{address}picture/{name}")


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
    light = page.frame_locator("iframe.desktop.light").first.locator("body")
    assert light.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 253, 248)"
    site.post("second", date="2026-11-22")
    page.wait_for_selector("text=second", timeout=10_000)
    page.close()
