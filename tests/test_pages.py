"""Pages of the sample site and letters in four languages, in a real browser."""

import shutil
from email import message_from_bytes, policy
from itertools import pairwise
from pathlib import Path

import pytest

from feeds.config import load_config
from feeds.core.posts.dates import parse_date
from feeds.jobs.publish import publish
from tests.browser import AXE, CHROMIUM, CONTRAST, SMALLEST_FONT, axe_faults, launch
from tests.conftest import NOW, ROOT, asked
from tests.letters import LANGUAGES, NAMES, publish_letters, retract_digests

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

SCREENS = {
    "phone, light": (375, "light"),
    "phone, dark": (375, "dark"),
    "small phone": (320, "light"),
    "desktop, light": (800, "light"),
    "desktop, dark": (1280, "dark"),
}
PAGES = (
    "public/feeds/index.html",
    "public/newsletters/weekly/1/index.html",
    "public/feeds/all/index.html",
    "public/feeds/category/日本語/index.html",
    "public/newsletters/weekly/index.html",
)


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> Path:
    """Return the folder of the published sample site, with very long titles added."""
    folder = tmp_path_factory.mktemp("sample")
    shutil.copytree(ROOT / "posts", folder / "posts")
    shutil.copy(ROOT / "config.toml", folder)
    for name, title in {
        "long": "長い見出しがどこまでも続いていく" * 6,
        "unbroken": "Donaudampfschifffahrt" * 8,
    }.items():
        text = f"---\ntitle: {title}\ndate: 2026-11-21\ncategory: 日本語\n---\n{'x' * 300} text.\n"
        (folder / "posts" / f"{name}.md").write_text(text, "utf-8")
    config = load_config(folder / "config.toml", {})
    now = parse_date("2026-11-23T12:00", config.settings.site.timezone)
    publish(config, *asked(now, clock=lambda: NOW))
    return folder


@pytest.fixture(scope="module")
def browser():
    with launch() as started:
        yield started


@pytest.fixture(scope="module")
def tab(browser):
    """A tab, and the list of the requests to the web that it refused since a page was opened: one for all tests."""
    context = browser.new_context()
    requested = []
    context.route("http*://**/*", lambda route: (requested.append(route.request.url), route.abort()))
    yield context.new_page(), requested
    context.close()


@pytest.fixture(params=SCREENS.values(), ids=SCREENS)
def opened(request, tab, sample):
    """Return a function that opens a file on one screen; it also returns the list of refused requests to the web."""
    width, scheme = request.param
    page, requested = tab

    def open_(path):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        requested.clear()
        page.goto((sample / path).as_uri())
        return page, width, requested

    return open_


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_legible_on_any_screen_and_in_both_schemes(opened, path):
    """Without images, a page never scrolls sideways, has text of at least 14 px and at least contrast AA."""
    page, width, requested = opened(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(SMALLEST_FONT) >= 14
    ratio, where = page.evaluate(CONTRAST)
    assert ratio >= 4.5, where
    assert [url for url in requested if not url.startswith("https://example.com/images/")] == []


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_accessible_to_screen_readers(opened, path):
    """A page has a language, a title, one h1, headings without gaps, alt texts, and no scripts."""
    page, _, _ = opened(path)
    assert page.evaluate("document.documentElement.lang") == "en"
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.evaluate("[...document.images].every(i => i.hasAttribute('alt'))")
    assert page.evaluate("document.scripts.length") == 0
    assert page.title()


def test_a_feed_reader_discovers_every_feed(opened):
    """The list of feeds links each format of each feed in its head and in its table, with the feed's page."""
    page, _, _ = opened(PAGES[0])
    heads = page.evaluate("[...document.querySelectorAll('link[rel=alternate]')].map(l => l.href)")
    assert heads == page.evaluate("[...document.querySelectorAll('table .formats a')].map(a => a.href)")
    assert heads[:3] == [f"https://example.com/feeds/{name}" for name in ("atom.xml", "rss.xml", "feed.json")]
    assert len(heads) == 3 * 7
    pages = page.evaluate("[...document.querySelectorAll('table .name')].map(a => a.href)")
    assert len(pages) == 7
    assert pages[0] == "https://example.com/feeds/all/"


def test_the_address_of_a_feed_selects_itself(opened):
    """One click selects the whole URL of a feed, and Tab reaches it, without a script."""
    page, _, _ = opened("public/feeds/all/index.html")
    address = page.locator(".address code")
    address.click()
    assert page.evaluate("getSelection().toString()") == "https://example.com/feeds/atom.xml"
    assert address.get_attribute("tabindex") == "0"


# Letters -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def letters(tmp_path_factory) -> Path:
    """Return a folder with the HTML of each letter and each page with a notice, such as `digest-ja.html`."""
    folder = tmp_path_factory.mktemp("letters")
    for name, raw in publish_letters(folder).items():
        html = list(message_from_bytes(raw, policy=policy.default).iter_parts())[1]
        (folder / f"{name}.html").write_text(html.get_content(), "utf-8")
    for lang, page in retract_digests(folder).items():
        shutil.copy(page, folder / f"retracted-{lang}.html")
    return folder


@pytest.fixture
def shown(opened, letters):
    """Return a function that opens a letter on the screen of `opened`."""
    return lambda name: opened(letters / f"{name}.html")


LETTERS = [*NAMES, *(f"retracted-{lang}" for lang in LANGUAGES)]


@pytest.mark.parametrize("name", LETTERS)
def test_letters_are_legible_on_any_screen_and_in_both_schemes(shown, name):
    """Without images, a page never scrolls sideways, has text of at least 14 px and at least contrast AA."""
    page, width, requested = shown(name)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(SMALLEST_FONT) >= 14
    ratio, where = page.evaluate(CONTRAST)
    assert ratio >= 4.5, where
    assert set(requested) == {"https://example.com/a.png"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_notice_is_the_first_thing_on_a_page(shown, lang):
    """A notice is at the top of a page, visible without scrolling, as a note with a label in its language."""
    page, width, _ = shown(f"retracted-{lang}")
    note = page.get_by_role("note")
    box = note.bounding_box()
    assert (box["y"], box["width"]) == (0, width)
    assert page.evaluate("document.body.innerText.trim()").startswith(note.inner_text().strip())
    assert (note.get_attribute("lang"), bool(note.get_attribute("aria-label"))) == (lang, True)
    assert note.evaluate("e => getComputedStyle(e).direction") == ("rtl" if lang == "ar" else "ltr")
    assert note.get_by_role("link").count() == 1


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed (npm, in the folder FEEDS_NODE_MODULES names)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [*PAGES, *LETTERS])
def test_axe_finds_no_fault(tab, sample, letters, name, scheme):
    """No page and no letter violates WCAG 2.2 at level A or AA in a way that axe can find."""
    page, _ = tab
    page.set_viewport_size({"width": 375, "height": 800})
    page.emulate_media(color_scheme=scheme)
    page.goto((sample / name if name.endswith(".html") else letters / f"{name}.html").as_uri())
    assert axe_faults(page) == []
