"""What holds for every page of the web server."""

import pytest

from tests.conftest import CONFIG
from tests.webserver import FORM, web_client


@pytest.fixture
def client(site):
    site.configure(CONFIG + '[web]\nurl = "https://letters.example.com/"\n')
    with web_client(site.config) as client:
        yield client


@pytest.mark.parametrize(
    ("asked", "lang", "direction"),
    [
        ("ar-EG, de;q=0.5", "ar", "rtl"),
        ("xx, ja;q=0.1, de;q=0", "ja", "ltr"),
        ("", "en", "ltr"),
        ("de;q=x", "en", "ltr"),
    ],
)
def test_a_page_is_in_the_language_that_the_browser_asks_for(client, asked, lang, direction):
    """The language of a page is the one of the site's texts that the browser prefers, else the site's."""
    page = client.get("/nowhere", Accept_Language=asked)
    assert (page.status, page.headers["Content-Language"]) == (404, lang)
    assert f'<html lang="{lang}" dir="{direction}">' in page.text
    assert "Accept-Language" in page.headers["Vary"]


def test_a_page_allows_no_script_and_no_frame_and_sets_no_cookie(client):
    """A page has a strict Content-Security-Policy, is never cached, passes its URL to nobody, and sets no cookie."""
    page = client.get("/nowhere")
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self';")
    assert ("frame-ancestors 'none'" in policy, "script" in policy) == (True, False)
    assert (page.headers["Referrer-Policy"], page.headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Set-Cookie"] is None
    assert "<script" not in page.text


def test_the_style_sheet_has_an_address_that_changes_with_it(client, site):
    """A page links a style sheet that caches may keep for ever; another one has another address."""
    path = client.door.path(client.door.style[0])
    assert f'href="{path}"' in client.get("/nowhere").text
    style = client.get(path)
    assert (style.status, style.headers["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in style.headers["Cache-Control"]
    (site.folder / "templates/pages").mkdir(parents=True)
    (site.folder / "templates/pages/reader.css").write_text("body { color: red }", "utf-8")
    client.door.use_config(site.config, reread=True)
    assert client.get(path).status == 404
    assert client.get(client.door.path(client.door.style[0])).text == "body { color: red }"


def test_a_wrong_method_names_the_right_ones(client):
    """A method that no route of a path has is 405, with the methods of all of them."""
    answer = client.request("PUT", "/subscribe")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert client.request("POST", "/healthz").headers["Allow"] == "GET, HEAD"


_SLASHES = ["/unsubscribe/x/", "/unsubscribe/undo/x/", "/confirm/x/", "/subscribe/", "/preferences/", "/healthz/"]


@pytest.mark.parametrize("base", ["", "/letters"])
def test_a_path_with_another_slash_is_not_found_and_never_redirected(site, base):
    """A slash too many, or none after the base path, is HTTP 404 without a redirect, whatever the Host header."""
    site.configure(f'{CONFIG}[web]\nurl = "https://letters.example.com{base}/"\n')
    with web_client(site.config) as client:
        for path in [*(f"{base}{path}" for path in _SLASHES), *filter(None, [base])]:
            for method in ("GET", "POST"):
                answer = client.request(method, path, "List-Unsubscribe=One-Click", Content_Type=FORM, Host="x.test")
                assert (answer.status, answer.headers["Location"], "x.test" in answer.text) == (404, None, False)
