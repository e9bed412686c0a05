"""The pages for readers in a real browser: legible, accessible, without anything from elsewhere."""

import pytest

from tests.conftest import SampleSite
from tests.gallery.checks import ask_html_validate, ask_vnu
from tests.reader_pages import LANGUAGES, PAGES, walk_pages
from tests.test_pages import AXE, CHROMIUM, CONTRAST, SMALLEST_FONT, browser  # noqa: F401 - found by its name
from tests.webserver import web_client

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = SampleSite(tmp_path_factory.mktemp("site"))
    (site.folder / "posts").mkdir()
    return site


@pytest.fixture(scope="module")
def answers(site):
    """The server's answers, by page and language."""
    return walk_pages(site)


@pytest.fixture(scope="module")
def origin(site, answers):  # after the site is configured
    """The URL of a server with the style sheet."""
    with web_client(site.config) as client:
        yield f"http://{client.host}:{client.port}"


@pytest.fixture(scope="module", params=["light", "dark"])
def screen(request, browser):  # noqa: F811 - the fixture
    context = browser.new_context(color_scheme=request.param)
    yield context.new_page()
    context.close()


@pytest.fixture
def show(screen, answers, origin):
    """Return a function that shows an answer on the screen, as the server would."""

    def show_answer(name, lang):
        answer = answers[name, lang]
        headers = {key: value for key, value in answer.headers.items() if key.lower() != "content-length"}
        url = f"{origin}/shown"
        screen.unroute_all()
        screen.route(url, lambda route: route.fulfill(status=answer.status, headers=headers, body=answer.body))
        screen.goto(url)
        return screen

    return show_answer


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_legible_on_any_screen(screen, show, origin, name):
    """In each language and scheme a page has its style, contrast AA, text of 14 px and more, and no sideways scroll."""
    loaded = []
    screen.on("request", lambda sent: loaded.append(sent.url))
    for lang in LANGUAGES:
        page = show(name, lang)
        for width in (320, 375, 1200):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(SMALLEST_FONT) >= 14
        ratio, where = page.evaluate(CONTRAST)
        assert ratio >= 4.5, where
        assert page.evaluate("getComputedStyle(document.querySelector('header')).backgroundColor") in {
            *("rgb(245, 241, 232)", "rgb(33, 31, 28)"),
        }
        assert page.evaluate("document.documentElement.lang") == lang
        assert page.evaluate("getComputedStyle(document.body).direction") == ("rtl" if lang == "ar" else "ltr")
    assert [url for url in loaded if not url.startswith(f"{origin}/")] == []


@pytest.mark.parametrize("ask", [ask_vnu, ask_html_validate])
def test_checkers_of_html_find_no_fault(answers, tmp_path, ask):
    """The Nu Html Checker and html-validate find nothing on any page in any language."""
    folders = []
    for (name, lang), answer in answers.items():
        folders.append(tmp_path / f"{name} {lang}")
        folders[-1].mkdir()
        (folders[-1] / "letter.html").write_bytes(answer.body)
    found = ask(folders)
    if None in found.values():
        pytest.skip("the program is not installed (npm, in the folder FEEDS_NODE_MODULES names)")
    assert {name: faults for name, faults in found.items() if faults} == {}


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed (npm, in the folder FEEDS_NODE_MODULES names)")
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_fault(show, name):
    """No page for readers violates WCAG 2.2 at level A or AA in a way that axe can find."""
    page = show(name, "en")
    page.set_viewport_size({"width": 375, "height": 800})
    page.evaluate(AXE.read_text("utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = page.evaluate("tags => axe.run({runOnly: {type: 'tag', values: tags}})", tags)
    assert [(fault["id"], fault["nodes"][0]["html"]) for fault in found["violations"]] == []
