"""The pages for readers in a real browser: legible, accessible, without anything from elsewhere."""

import pytest

from tests.conftest import CONFIG, NEWSLETTER, SampleSite
from tests.test_pages import AXE, CHROMIUM, CONTRAST, SMALLEST_FONT, browser  # noqa: F401 - found by its name
from tests.webserver import web_client

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

PATHS = ("/", "/nowhere")


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    site = SampleSite(tmp_path_factory.mktemp("site"))
    (site.folder / "posts").mkdir()
    site.configure(CONFIG + NEWSLETTER + '[web]\nurl = "https://letters.example.com/"\n')
    with web_client(site.config) as client:
        yield client


@pytest.fixture(params=["light", "dark"])
def pages(request, browser, client):  # noqa: F811 - the fixture
    """Return a function that opens a page of the server on a screen, and the list of all URLs that were loaded."""
    loaded, contexts = [], []

    def open_(path, lang, width):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=request.param, locale=lang, bypass_csp=False
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda sent: loaded.append(sent.url))
        page.goto(f"http://{client.host}:{client.port}{path}")
        return page

    yield open_, loaded
    for context in contexts:
        context.close()


@pytest.mark.parametrize("lang", ["en", "ja", "ar"])
@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_legible_on_any_screen(pages, client, path, lang):
    """In each language and scheme a page has its style, contrast AA, text of 14 px and more, and no sideways scroll."""
    open_, loaded = pages
    for width in (320, 375, 1200):
        page = open_(path, lang, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(SMALLEST_FONT) >= 14
        ratio, where = page.evaluate(CONTRAST)
        assert ratio >= 4.5, where
        assert page.evaluate("getComputedStyle(document.querySelector('header')).backgroundColor") in {
            *("rgb(245, 241, 232)", "rgb(33, 31, 28)"),
        }
        assert page.evaluate("document.documentElement.lang") == lang
        assert page.evaluate("getComputedStyle(document.body).direction") == ("rtl" if lang == "ar" else "ltr")
    ours = f"http://{client.host}:{client.port}/"
    assert [url for url in loaded if not url.startswith(ours)] == []


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed (npm, in the folder FEEDS_NODE_MODULES names)")
@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_no_fault(pages, path):
    """No page for readers violates WCAG 2.2 at level A or AA in a way that axe can find."""
    page = pages[0](path, "en", 375)
    page.evaluate(AXE.read_text("utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = page.evaluate("tags => axe.run({runOnly: {type: 'tag', values: tags}})", tags)
    assert [(fault["id"], fault["nodes"][0]["html"]) for fault in found["violations"]] == []
