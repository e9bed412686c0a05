"""Feeds and pages of `public/` over HTTP."""

import gzip
import http.client
import json
import os
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import brotli
import feedparser
import pytest

from feeds.jobs.context import Context
from feeds.jobs.feeds.retire import retire_feed
from feeds.settings import PAGE_PATHS
from feeds.web.app import make_app
from feeds.web.public_file import PublicFile
from tests.conftest import CONFIG, NOW
from tests.webserver import web_client

ATOM, RSS, JSON = "/feeds/atom.xml", "/feeds/rss.xml", "/feeds/feed.json"
CATEGORY = "/feeds/category/cats/atom.xml"


@pytest.fixture
def client(site):
    site.configure(CONFIG.replace('formats = ["atom"]', 'formats = ["atom", "rss", "json"]'))
    site.post("first", body="Words. " * 200, categories="[Cats]")
    site.post("second")
    site.publish()
    with web_client(site.config) as client:
        yield client


def titles(answer):
    return [entry.title for entry in feedparser.parse(answer.body).entries]


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        (ATOM, "application/atom+xml; charset=utf-8"),
        (RSS, "application/rss+xml; charset=utf-8"),
        (JSON, "application/feed+json; charset=utf-8"),
        ("/feeds/feeds.opml", "text/x-opml; charset=utf-8"),
        ("/feeds/", "text/html; charset=utf-8"),
        ("/feeds/category/cats/", "text/html; charset=utf-8"),
    ],
)
def test_a_file_has_its_type_and_its_bytes(client, site, path, media_type):
    """Each file of `public/` is served with its media type; a folder is its `index.html`."""
    answer = client.get(path)
    file = f"public{path}index.html" if path.endswith("/") else f"public{path}"
    assert (answer.status, answer.headers["Content-Type"]) == (200, media_type)
    assert answer.body == (site.folder / file).read_bytes()
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert int(answer.headers["Content-Length"]) == len(answer.body)


@pytest.mark.parametrize("path", [ATOM, "/feeds/"])
def test_a_file_that_has_not_changed_is_not_sent_again(client, path):
    """With the entity tag or the date of a file the answer is 304, without a body; the tag counts before the date."""
    first = client.get(path)
    for headers in (
        {"If_None_Match": first.headers["ETag"]},
        {"If_None_Match": f'"other", W/{first.headers["ETag"]}'},
        {"If_None_Match": "*"},
        {"If_Modified_Since": first.headers["Last-Modified"]},
        {"If_None_Match": first.headers["ETag"], "If_Modified_Since": "Mon, 01 Jan 2001 00:00:00 GMT"},
    ):
        again = client.get(path, **headers)
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    other = {"If_None_Match": '"other"', "If_Modified_Since": first.headers["Last-Modified"]}
    assert client.get(path, **other).status == 200


def test_the_entity_tag_is_one_of_the_content(client, site):
    """A file that is written again with the same bytes keeps its tag; one with other bytes has another tag."""
    first = client.get(ATOM).headers["ETag"]
    file = site.folder / "public/feeds/atom.xml"
    os.utime(file, (0, 0))
    assert client.get(ATOM).headers["ETag"] == first
    file.write_bytes(file.read_bytes().replace(b"Words", b"Other"))
    assert client.get(ATOM).headers["ETag"] != first


@pytest.mark.parametrize(("coding", "decompress"), [("br", brotli.decompress), ("gzip", gzip.decompress)])
def test_a_feed_is_sent_compressed(client, site, coding, decompress):
    """A compressed answer has the same content and a tag of its own; each of the tags is known in each coding."""
    plain, packed = client.get(ATOM), client.get(ATOM, Accept_Encoding=coding)
    assert packed.headers["Content-Encoding"] == coding
    assert decompress(packed.body) == plain.body == (site.folder / "public/feeds/atom.xml").read_bytes()
    assert len(packed.body) < len(plain.body) / 2
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert client.get(ATOM, If_None_Match=packed.headers["ETag"]).status == 304
    assert client.get(ATOM, If_None_Match=plain.headers["ETag"], Accept_Encoding=coding).status == 304


@pytest.mark.parametrize("path", [ATOM, "/feeds/", "/feeds/category/%E6%97%A5", "/nowhere", "/feeds"])
def test_head_is_get_without_a_body(client, path):
    """HEAD has the status and the headers of GET, and no body."""
    head, get = client.request("HEAD", path), client.get(path)
    assert head.body == b""
    assert head.status == get.status
    for name in ("ETag", "Content-Type", "Content-Length", "Cache-Control", "Vary", "Location"):
        assert head.headers[name] == get.headers[name]


def test_other_web_pages_may_read_a_feed(client):
    """Feeds allow any origin, also after a preflight request for a conditional GET; pages do not."""
    assert client.get(ATOM).headers["Access-Control-Allow-Origin"] == "*"
    preflight = client.request("OPTIONS", ATOM, Origin="https://reader.example", Access_Control_Request_Method="GET")
    assert (preflight.status, preflight.body) == (204, b"")
    assert "If-None-Match" in preflight.headers["Access-Control-Allow-Headers"]
    assert client.get("/feeds/").headers["Access-Control-Allow-Origin"] is None


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
def test_files_cannot_be_changed(client, site, method):
    """Any method but GET, HEAD and OPTIONS is refused with 405, and nothing changes."""
    before = site.files("public")
    answer = client.request(method, ATOM, b"x")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert site.files("public") == before


def test_a_feed_may_be_kept_until_the_next_publish(client):
    """`max-age` is the time to the next publish if it is known, else `publish.every`."""
    assert client.get(ATOM).headers["Cache-Control"] == "public, max-age=300"
    client.door.pulse.next_publish_at = NOW.replace(minute=NOW.minute + 1)
    client.door.use_config(client.door.config, reread=True)
    assert client.get(ATOM).headers["Cache-Control"] == "public, max-age=60"


@pytest.mark.parametrize("path", [ATOM, RSS, JSON])
def test_a_reader_gets_only_what_is_new(client, site, path):
    """With `A-IM: feed` and the tag of a former version the answer is 226 with the new and changed entries."""
    first = client.get(path)
    site.post("second", body="Changed.\n", title="second, changed")
    site.post("third")
    site.publish()
    delta = client.get(path, A_IM="feed", If_None_Match=first.headers["ETag"])
    full = client.get(path)
    assert (delta.status, delta.headers["IM"], delta.headers["ETag"]) == (226, "feed", full.headers["ETag"])
    assert delta.headers["Delta-Base"] == first.headers["ETag"]
    assert {"A-IM", "If-None-Match"} <= set(delta.headers["Vary"].split(", "))
    assert "no-store" in delta.headers["Cache-Control"]
    if path == JSON:
        assert sorted(item["title"] for item in json.loads(delta.body)["items"]) == ["second, changed", "third"]
    else:
        assert sorted(titles(delta)) == ["second, changed", "third"]
    assert client.request("HEAD", path, A_IM="feed", If_None_Match=first.headers["ETag"]).status == 226


@pytest.mark.parametrize("path", [ATOM, RSS, JSON])
@pytest.mark.parametrize(("coding", "decompress"), [("br", brotli.decompress), ("gzip", gzip.decompress)])
def test_what_is_new_is_sent_compressed(client, site, path, coding, decompress):
    """A 226 has the coding that the reader takes, the tag of the feed in this coding, and the reader's tag as base."""
    old = client.get(path, Accept_Encoding=coding).headers["ETag"]
    site.post("third", body="More words. " * 200)
    site.publish()
    plain = client.get(path, A_IM="feed", If_None_Match=old)
    packed = client.get(path, A_IM="feed", If_None_Match=old, Accept_Encoding=coding)
    assert (plain.status, plain.headers["Content-Encoding"], packed.status) == (226, None, 226)
    assert packed.headers["Content-Encoding"] == coding
    assert decompress(packed.body) == plain.body
    assert int(packed.headers["Content-Length"]) == len(packed.body) < len(plain.body) / 2
    assert packed.headers["ETag"] == client.get(path, Accept_Encoding=coding).headers["ETag"]
    assert {packed.headers["Delta-Base"], plain.headers["Delta-Base"]} == {old}
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert client.get(path, A_IM="feed", If_None_Match=packed.headers["ETag"]).status == 304


def test_a_small_delta_is_not_compressed(client, site):
    """A delta is sent as it is if compressing would make it larger, with the tag of the plain feed."""
    old = client.get(JSON).headers["ETag"]
    feed = json.loads((site.folder / "public/feeds/feed.json").read_bytes())
    (site.folder / "public/feeds/feed.json").write_text(json.dumps({"items": feed["items"][:1]}), "utf-8")
    delta = client.get(JSON, A_IM="feed", If_None_Match=old, Accept_Encoding="br, gzip")
    assert (delta.status, delta.headers["Content-Encoding"], json.loads(delta.body)) == (226, None, {"items": []})
    assert delta.headers["ETag"] == client.get(JSON).headers["ETag"]


def test_what_is_new_is_made_once(client, site, monkeypatch):
    """Readers with the same version get the same delta, which is made once, also if they ask at once."""
    made = []
    make = PublicFile.make_delta
    monkeypatch.setattr(PublicFile, "make_delta", lambda file, base: made.append(base) or make(file, base))
    tags = [client.get(ATOM).headers["ETag"]]
    for number in range(2):
        site.post(f"new-{number}")
        site.publish()
        tags.append(client.get(ATOM).headers["ETag"])
    with ThreadPoolExecutor() as pool:
        ask = [(tag, coding) for tag in tags[:2] for coding in ("", "br", "gzip") for _ in range(3)]
        answers = list(
            pool.map(lambda one: client.get(ATOM, A_IM="feed", If_None_Match=one[0], Accept_Encoding=one[1]), ask)
        )
    assert {answer.status for answer in answers} == {226}
    assert sorted(made) == sorted(tag.strip('"') for tag in tags[:2])


def test_a_reader_with_an_unknown_version_gets_everything(client, site):
    """Without a tag that we know, or without `A-IM: feed`, the whole feed is sent; the newest version is still 304."""
    old = client.get(ATOM).headers["ETag"]
    site.post("third")
    site.publish()
    new = client.get(ATOM)
    assert "A-IM" in new.headers["Vary"]
    for headers in (
        {"A_IM": "feed"},
        {"A_IM": "feed", "If_None_Match": '"x"'},
        {"A_IM": "vcdiff", "If_None_Match": old},
        {"A_IM": "feed;q=0", "If_None_Match": old},
        {"A_IM": "gzip, Feed ; Q=0.000", "If_None_Match": old},
        {"A_IM": "feed;q=x", "If_None_Match": old},
    ):
        answer = client.get(ATOM, **headers)
        assert (answer.status, answer.headers["IM"], answer.body) == (200, None, new.body)
    assert client.get(ATOM, A_IM="feed", If_None_Match=new.headers["ETag"]).status == 304
    for accepted in ("gzip, feed;q=1", "feed; q=0.1"):
        assert client.get(ATOM, A_IM=accepted, If_None_Match=old).status == 226


def test_a_feed_that_moved_leads_to_its_new_address(site):
    """The former address of a feed leads to the new one with 301, also for each of its files."""
    site.post("first", categories="[Cats]")
    moved = '[feeds.moved]\n"feeds/old.xml" = "feeds/atom.xml"\n"feeds/tag/猫/" = "feeds/category/cats/"\n'
    site.configure(CONFIG + moved + '[web]\nurl = "https://letters.example.com/at/"\n')
    site.publish()
    with web_client(site.config) as client:
        for old, new in {
            "/feeds/old.xml": "/at/feeds/atom.xml",
            "/at/feeds/old.xml": "/at/feeds/atom.xml",
            "/feeds/tag/%E7%8C%AB/": "/at/feeds/category/cats/",
            "/feeds/tag/%E7%8C%AB/atom.xml": "/at/feeds/category/cats/atom.xml",
        }.items():
            answer = client.get(old)
            assert (answer.status, answer.headers["Location"]) == (301, new)
            assert client.get(new).status == 200


@pytest.mark.parametrize("base", ["", "/letters"])
def test_a_feed_that_moved_from_outside_leads_to_its_new_address(site, base):
    """The former address of a feed outside of `feeds/`, a file or a folder, is 301; other paths stay what they are."""
    site.post("first", categories="[Cats]")
    moved = '[feeds.moved]\n"/feed.xml" = "feeds/atom.xml"\n"/blog/é/rss.xml" = "feeds/atom.xml"\n'
    moved += '"/tag/cats/" = "feeds/category/cats/"\n'
    site.configure(f'{CONFIG}{moved}[web]\nurl = "https://letters.example.com{base}/"\n')
    site.publish()
    with web_client(site.config) as client:
        for old, new in {
            "/feed.xml": "/feeds/atom.xml",
            "/blog/%C3%A9/rss.xml": "/feeds/atom.xml",
            "/tag/cats/atom.xml": "/feeds/category/cats/atom.xml",
        }.items():
            for method in ("GET", "HEAD"):
                answer = client.request(method, f"{base}{old}", Host="x.test")
                assert (answer.status, answer.headers["Location"]) == (301, f"{base}{new}")
            assert client.get(f"{base}{new}").status == 200
        for path, status in {"/subscribe": 200, "/other.xml": 404, "/tag/dogs/atom.xml": 404}.items():
            assert client.get(f"{base}{path}").status == status


def test_a_retired_feed_is_gone(site):
    """The address of a retired feed is 410, also if it was asked for before; the other feeds stay."""
    post = site.post("first", categories="[Cats]")
    site.post("second")
    site.publish()
    with web_client(site.config) as client:
        assert client.get(CATEGORY).status == 200
        post.unlink()
        retire_feed(site.config, "feeds/category/cats/", Context(clock=lambda: NOW))
        client.door.use_config(site.config, reread=True)
        assert (client.get(CATEGORY).status, client.get("/feeds/category/cats/").status) == (410, 410)
        assert client.get(ATOM).status == 200


@pytest.mark.parametrize("path", [ATOM, "/feeds/feeds.opml"])
@pytest.mark.parametrize(
    "headers",
    [{}, {"Accept_Encoding": "br"}, {"If_None_Match": "*"}, {"If_None_Match": '"x"'}, {"User_Agent": "x (3 readers)"}],
)
def test_each_way_to_a_file_gives_the_same_answer(client, path, headers):
    """The answer by the application, the one from memory and the one to an equal request are the same."""
    answers = [client.get(path, **headers), client.get(path, **headers), client.get(path, **headers)]
    answers.append(client.get(path, Connection="close", **headers))
    found = {
        (answer.status, answer.body, *sorted(h for h in answer.headers.items() if h[0] not in {"date", "connection"}))
        for answer in answers
    }
    assert len(found) == 1
    assert client.door.reader_counts.requests[path[1:]] in {0, 4}


@pytest.mark.parametrize("folder", ["/feeds", "/feeds/category/cats", "/newsletters/weekly"])
def test_a_folder_without_its_slash_leads_to_it(client, site, folder):
    """The address of a folder without a slash at its end is redirected, so that relative links work."""
    page = site.folder / f"public{folder}/index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("<p>page", "utf-8")
    for method in ("GET", "HEAD"):
        answer = client.request(method, folder, Host="x.test")
        assert (answer.status, answer.headers["Location"]) == (301, f"{folder}/")
    assert client.get(f"{folder}/").text == "<p>page"


def test_a_folder_without_a_page_is_not_found_with_and_without_its_slash(client, site):
    """A folder that has no page, or does not exist, is 404 and no redirect to a 404."""
    for folder in ("/feeds/category", "/newsletters", "/newsletters/nothing", "/feeds/atom.xml/x"):
        for path in (folder, f"{folder}/"):
            assert client.get(path).status == 404
    (site.folder / "public/newsletters/weekly").mkdir(parents=True)
    assert (client.get("/newsletters").status, client.get("/newsletters/weekly").status) == (404, 404)


def test_a_former_folder_without_its_slash_is_like_the_folder(site):
    """A folder that moved is 301 to the new one, and one of a retired feed 410, also without the slash at the end."""
    site.post("first", categories="[Cats, Dogs]")
    site.configure(CONFIG + '[feeds.moved]\n"feeds/old" = "category/dogs"\n"/blog/tag/" = "category/dogs"\n')
    site.publish()
    site.post("first", categories="[Dogs]")
    retire_feed(site.config, "feeds/category/cats/", Context(clock=lambda: NOW))
    with web_client(site.config) as client:
        for path in ("/feeds/old", "/feeds/old/", "/blog/tag", "/blog/tag/"):
            answer = client.get(path)
            assert (path, answer.status, answer.headers["Location"]) == (path, 301, "/feeds/category/dogs/")
        assert [client.get(f"/feeds/category/cats{end}").status for end in ("", "/", "/atom.xml")] == [410, 410, 410]
        assert [client.get(path).status for path in ("/blog", "/blog/tags", "/feeds/category/catsup")] == [404] * 3


@pytest.mark.parametrize("page", ["/subscribe", "/preferences", "/healthz"])
def test_a_page_counts_before_a_former_feed(site, page):
    """A folder that moved does not hide the page of the same name, with `web.url` or without."""
    site.post("first")
    site.configure(f'{CONFIG}[feeds.moved]\n"{page}/" = "/feeds/"\n"/confirm/" = "/feeds/"\n"/tag/" = "/feeds/"\n')
    site.publish()
    with web_client(site.config) as client:
        assert client.get(page).status == 200
        assert client.get("/confirm/x").status == 404
        assert client.get("/tag").status == 301


def test_every_page_is_kept_free(client):
    """The paths that no former feed may have are those of all pages."""
    paths = (route.path.split("/")[1] for route in make_app(client.door).routes)
    assert {path for path in paths if path and "{" not in path} == PAGE_PATHS


def test_a_prefix_of_the_pages_is_one_of_the_feeds(site):
    """With a path in `web.url` files are found below it; a proxy may also have removed it."""
    site.post("first")
    site.configure(CONFIG + '[web]\nurl = "https://example.org/letters"\n')
    site.publish()
    with web_client(site.config) as client:
        assert client.get("/letters/feeds/atom.xml").status == 200
        assert client.get("/feeds/atom.xml").status == 200
        assert client.get("/letters/feeds/category").headers["Location"] is None
        assert 'href="/letters/style-' in client.get("/letters/nowhere").text
        assert client.get(client.door.path(client.door.style[0])).status == 200


def test_no_path_leads_out_of_the_folder(client, site):
    """Every way to write a path outside, and every file that is not one of ours, is 404 and no error."""
    public = site.folder / "public/feeds"
    (public / ".hidden").write_text("hidden")
    (public / ".feeds-unfinished-0123456789ab").write_text("half")
    (public / "link.xml").symlink_to(site.folder / "config.toml")
    (public / "loop.xml").symlink_to("loop.xml")
    os.mkfifo(public / "pipe.xml")
    answers = {path: client.get(path) for path in _OUTSIDE}
    assert {path: answer.status for path, answer in answers.items() if answer.status != 404} == {}
    assert [path for path, answer in answers.items() if b"[site]" in answer.body] == []
    assert client.logged == []


_OUTSIDE = [
    "/feeds/../../config.toml",
    "/feeds/..%2f..%2fconfig.toml",
    "/feeds/%2e%2e/%2e%2e/config.toml",
    "/feeds/%252e%252e/config.toml",
    "/feeds/..%c0%af..%c0%afconfig.toml",
    "/feeds/%c0%ae%c0%ae/%c0%ae%c0%ae/config.toml",
    "/feeds/..%5c..%5cconfig.toml",
    "/feeds//etc/passwd",
    "/feeds/%2Fetc%2Fpasswd",
    "/feeds/atom.xml%00",
    "/feeds/atom.xml%00.html",
    "/feeds/atom.xml/",
    "/feeds/.hidden",
    "/feeds/.feeds-unfinished-0123456789ab",
    "/feeds/link.xml",
    "/feeds/pipe.xml",
    "/feeds/loop.xml",
    "/feeds/" + "a" * 5000,
    "/feeds/" + "a/" * 3000,
    "/feeds/%ff%fe",
    "/feeds/%",
    "/newsletters/",
    "/config.toml",
    "/.feeds/feeds.key",
    "//feeds/atom.xml",
    "/FEEDS/atom.xml",
]


def test_nobody_gets_half_a_file_or_an_old_one(client, site):
    """While a publish runs, every answer is a whole version; after it, it is the new one."""
    done, odd = Event(), []

    def poll():
        connection = http.client.HTTPConnection(client.host, client.port, timeout=20)
        while not done.is_set():
            connection.request("GET", JSON)
            answer = connection.getresponse()
            try:
                json.loads(answer.read())
            except ValueError as e:
                odd.append(e)
        connection.close()

    thread = Thread(target=poll)
    thread.start()
    for number in range(15):
        site.post("first", body=f"Version {number}. " * 500)
        site.publish()
        assert f"Version {number}." in client.get(JSON).text
    done.set()
    thread.join()
    assert odd == []


def test_readers_are_counted_from_what_services_say(client):
    """Requests for a feed are counted, and the subscribers that a service names, but no page and no address."""
    for _ in range(2):
        client.get(ATOM, User_Agent="Feedly/1.0 (+https://feedly.example; 16 subscribers)")
    client.get(ATOM, User_Agent="Feedbin feed-id:1 - 3 subscribers")
    client.get(ATOM, User_Agent="curl/8")
    client.get("/feeds/", User_Agent="Feedly/1.0 (16 subscribers)")
    counts = client.door.reader_counts
    assert dict(counts.requests) == {"feeds/atom.xml": 4}
    assert counts.subscribers == {("feeds/atom.xml", "Feedly"): 16, ("feeds/atom.xml", "Feedbin"): 3}


def test_a_link_to_another_folder_of_public_is_followed(client, site):
    """A symbolic link to a file inside of `public/` is served."""
    public = site.folder / "public/feeds"
    (public / "copy.xml").symlink_to("atom.xml")
    assert client.get("/feeds/copy.xml").body == client.get(ATOM).body
