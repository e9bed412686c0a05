"""What holds for every page of the web server."""

import html
import re

import pytest

from feeds.core.posts.locales import language_name
from feeds.edges.files import file_cache
from feeds.edges.files.resources import resource_folder
from feeds.edges.render.templates import Templates
from feeds.errors import TemplateError
from feeds.jobs.reader_pages import READER_PAGES
from feeds.web.door import PAGE_HEADERS, Door
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


LANGUAGES = {
    "of a newsletter": ('[[newsletters]]\nname = "weekly"\nschedule = "0 8 * * 1"\nlanguage = "ja"\n', (), "en ja"),
    "of own texts": ("", ("ar",), "en ar"),
    "of a region, without texts, and twice": (
        "".join(
            f'[[newsletters]]\nname = "{tag.lower()}"\nschedule = "0 8 * * 1"\nlanguage = "{tag}"\n'
            for tag in ("pt-BR", "en-GB", "ga", "pt")
        ),
        ("pt",),
        "en pt",
    ),
    "only one": ("", (), ""),
}


@pytest.mark.parametrize(("config", "texts", "languages"), LANGUAGES.values(), ids=LANGUAGES)
def test_a_page_links_itself_in_the_other_languages_of_the_site(client, site, config, texts, languages):
    """The foot of a page has a link for each language that the site uses, which keeps the rest of the address."""
    site.configure(CONFIG + config)
    for lang in texts:
        (site.folder / "templates/texts").mkdir(parents=True)
        (site.folder / f"templates/texts/{lang}.toml").write_text("", "utf-8")
    client.door.use_config(site.config)
    page = client.get("/subscribe?email=a%40example.org&lang=en")
    links = re.findall(r'href="([^"]*)" lang="([\w-]+)" hreflang="([\w-]+)"', page.text)
    assert " ".join(lang for _, lang, _ in links) == languages
    for url, lang, of_target in links:
        other = client.get(f"/subscribe{html.unescape(url)}")
        assert (other.headers["Content-Language"], of_target) == (lang, lang)
        assert 'value="a@example.org"' in other.text or "form" not in other.text
        assert f'aria-current="true">{language_name(lang)}<' in other.text


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


_FRAME = '{% extends "pages/reader.html" %}'
_BROKEN = [
    ("pages/error.html", "a\n{% if %}\n", 2, "Expected an expression"),
    (
        "pages/leave.html",
        "{% extends 'pages/reader.html' %}\n{% block main %}{{ x | nothing }}{% endblock %}",
        2,
        "nothing",
    ),
    ("pages/address.html", '{% extends "pages/nowhere.html" %}', 1, "pages/nowhere.html does not exist"),
    ("pages/reader.html", "\n\n{% endblock %}", 3, "unknown tag"),
    ("pages/reader.css", "body { color: {{ nothing }} }", 1, "'nothing' is undefined"),
    ("pages/link.html", "\udcff", None, "decode"),
    ("texts/ja.toml", "x = ", None, "is not TOML"),
]


@pytest.mark.parametrize(("name", "text", "line", "reason"), _BROKEN)
def test_a_broken_template_is_not_used(client, site, name, text, line, reason):
    """A reload with a fault in a page, its frame, its style or its texts names file and line; the old pages stay."""
    before = client.get("/subscribe", Accept_Language="ja").text
    file = site.folder / "templates" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    for use in (lambda: client.door.use_config(site.config, reread=True), lambda: Door(site.config, None, None)):
        with pytest.raises(TemplateError, match=f"templates/{name}{f':{line}' if line else ''}: .*{reason}"):
            use()
    assert client.get("/subscribe", Accept_Language="ja").text == before
    assert [client.get(path).status for path in ("/nowhere", "/preferences")] == [404, 200]
    assert client.logged == []


def test_every_page_for_readers_is_checked():
    """The templates that are checked are all that extend the frame of the pages for readers."""
    folder = resource_folder() / "templates"
    pages = {f"pages/{file.name}" for file in (folder / "pages").glob("*.html") if _FRAME in file.read_text("utf-8")}
    assert set(READER_PAGES) == pages


@pytest.mark.parametrize("path", ["/subscribe", "/feeds/atom.xml"])
def test_a_fault_has_the_headers_of_every_page(client, site, monkeypatch, path):
    """A fault of ours, even one that breaks the error page too, is 500 with the headers of a page and a line each."""
    write = site.folder / "public/feeds/atom.xml"
    write.parent.mkdir(parents=True)
    write.write_text("<feed/>", "utf-8")

    def fail(*_arguments, **_options):
        raise RuntimeError("broken")

    monkeypatch.setattr(file_cache.FileCache, "load", fail)
    monkeypatch.setattr(Templates, "render", fail)
    answer = client.get(path)
    assert (answer.status, answer.text) == (500, "500 Internal Server Error")
    assert {name: answer.headers[name] for name in PAGE_HEADERS} == PAGE_HEADERS
    assert client.logged == [f"GET {path}: RuntimeError: broken", "RuntimeError: broken"]
