"""The unsubscribe links of letters over HTTP, as mail providers and people use them."""

import re
from datetime import timedelta
from email import message_from_bytes, policy
from urllib.parse import urlsplit

import pytest

from feeds.core.newsletters import tokens
from feeds.jobs.newsletters.send_test import send_test
from feeds.jobs.subscribers.erase import erase_subscriber
from feeds.model import ALL_NEWSLETTERS
from tests.conftest import NOW
from tests.subscribed import ADA, contents, context, letter_token, stored, subscribe_ada
from tests.webserver import FORM, web_client

ONE_CLICK = "List-Unsubscribe=One-Click"
BOUNDARY = "----=_b0undary"
MULTIPART = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--{BOUNDARY}--\r\n'
)
NONE_OF_DAILY = ("active", {"daily": ()})


@pytest.fixture
def config(site):
    return subscribe_ada(site)


@pytest.fixture
def client(config):
    with web_client(config) as client:
        yield client


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, ONE_CLICK),
        (f'multipart/form-data; boundary="{BOUNDARY}"', MULTIPART),
        (f"{FORM}; charset=utf-8", ONE_CLICK),
    ],
)
def test_a_one_click_request_leaves_without_page_cookie_or_redirect(client, config, kind, body):
    """The POST of a mail provider, of either type, unsubscribes and gets 200 without a page; again it is the same."""
    path = f"/unsubscribe/{letter_token(config)}"
    for _ in range(2):
        answer = client.request("POST", path, body, Content_Type=kind)
        assert (answer.status, answer.body, answer.headers["Set-Cookie"]) == (200, b"", None)
        assert stored(config) == NONE_OF_DAILY


@pytest.mark.usefixtures("databases")
@pytest.mark.parametrize("newsletters", [["weekly"], ["weekly", "daily"], [ALL_NEWSLETTERS]])
@pytest.mark.parametrize("minutes", [0, 59, 60])
def test_the_page_offers_to_undo_a_one_click_request_for_an_hour(config, newsletters, minutes):
    """After a mail program's POST, the link's page has for an hour the button that undoes it, and then no form."""
    now = [NOW]
    with web_client(config, clock=lambda: now[0]) as client:
        paths = [f"/unsubscribe/{letter_token(config, name)}" for name in newsletters]
        for path in paths:
            client.request("POST", path, ONE_CLICK, Content_Type=FORM)
        now[0] += timedelta(minutes=minutes)
        pages = [client.get(path).text for path in paths]
        assert ["<form" in page for page in pages] == [minutes < 60] * len(paths)
        for page in pages:
            for action in re.findall(r'action="(/unsubscribe/undo/[^"]+)"', page):
                assert client.post(action, {}).status == 200
        assert (len(stored(config)[1]) == 2) is (minutes < 60)


@pytest.mark.parametrize("lang", ["de", "ja", None])
def test_the_page_of_a_test_letter_is_in_the_language_of_its_newsletter(site, lang):
    """Whatever the browser asks for, the pages of a test letter's link are in the language of the newsletter."""
    config = subscribe_ada(site)
    if lang:
        site.configure(site.read("config.toml").replace('name = "weekly"\n', f'name = "weekly"\nlanguage = "{lang}"\n'))
        config = site.config
    token = letter_token(config, subscriber_id=tokens.TEST_SUBSCRIBER)
    with web_client(config) as client:
        pages = [client.get(f"/{kind}/{token}", Accept_Language="fr") for kind in ("unsubscribe", "preferences")]
        pages.append(client.post(f"/unsubscribe/{token}", {}, Accept_Language="fr"))
        assert [page.headers["Content-Language"] for page in pages] == [lang or "en"] * 3
        assert client.get(f"/unsubscribe/{token}?lang=ar").headers["Content-Language"] == "ar"


@pytest.fixture
def sent_test(site, config):
    """A letter that was sent as a test."""
    site.post("first", categories="[Notes]")
    send_test(config, "weekly", "me@example.org", NOW, context())
    [path] = site.letters()
    return message_from_bytes((site.folder / ".feeds/outbox" / path).read_bytes(), policy=policy.default)


def test_the_links_of_a_test_letter_say_so_and_change_nothing(client, config, sent_test):
    """Every link of a test letter to this site opens a page which says so; no request changes anything."""
    html, text = (sent_test.get_body((kind,)).get_content() for kind in ("html", "plain"))
    found = {*re.findall(r'href="(https://letters\.[^"]+)"', html), *re.findall(r"https://letters\.\S+", text)}
    found = {url for url in found if urlsplit(url).path != "/subscribe"}  # for those to whom a letter is forwarded
    assert {urlsplit(url).path.split("/")[1] for url in found} == {"unsubscribe", "preferences"}
    assert "/newsletters/weekly/1/" not in html + text
    before = contents(config)
    for url in found:
        path = urlsplit(url).path
        page = client.get(path)
        assert (page.status, "This is the link of a test letter" in page.text, "<form" in page.text) == (
            200,
            True,
            False,
        )
        assert client.request("HEAD", path).status == 200
    token = path.rpartition("/")[2]
    for path in (f"/unsubscribe/{token}", f"/preferences/{token}/link"):
        assert "This is the link of a test letter" in client.post(path, {}).text
    assert client.post(f"/preferences/{token}", {"newsletter": "weekly"}).status == 404
    assert contents(config) == before


@pytest.mark.parametrize(
    ("kind", "body"), [(FORM, ONE_CLICK), (f"multipart/form-data; boundary={BOUNDARY}", MULTIPART)]
)
def test_a_one_click_request_for_a_test_letter_is_accepted(client, config, sent_test, kind, body):
    """The one-click request of a test letter gets 200 without a page, and changes nothing."""
    url = sent_test["List-Unsubscribe"].split(",")[0].strip("<> ")
    before = contents(config)
    answer = client.request("POST", urlsplit(url).path, body, Content_Type=kind)
    assert (answer.status, answer.body, contents(config)) == (200, b"", before)


@pytest.mark.parametrize("token", ["0" * 40, "01" + "0" * 38, "f" * 40])
def test_a_token_that_is_not_signed_is_not_that_of_a_test_letter(client, token):
    """A token with the number of test letters and without a signature is HTTP 404."""
    assert [client.get(f"/{page}/{token}").status for page in ("unsubscribe", "preferences")] == [404, 404]


@pytest.mark.usefixtures("databases")
def test_the_links_of_a_letter_work_and_the_next_issue_does_not_come(site, config):
    """The URL of List-Unsubscribe in a letter unsubscribes by one click, and the next issue is not sent to them."""
    site.post("first", categories="[Notes]")
    site.publish()
    [path] = [name for name in site.letters() if name.startswith("weekly/1/") and ADA in name]
    letter = message_from_bytes((site.folder / ".feeds/outbox" / path).read_bytes(), policy=policy.default)
    assert letter["List-Unsubscribe-Post"] == ONE_CLICK
    url = letter["List-Unsubscribe"].partition(">")[0].strip("<")
    preferences = url.replace("/unsubscribe/", "/preferences/")
    for part in letter.iter_parts():
        assert (url in part.get_content(), preferences in part.get_content()) == (True, True)
    with web_client(config, clock=lambda: NOW) as client:
        for link in (url, preferences):
            assert "a•••@e•••.org" in client.get(urlsplit(link).path).text
        assert client.request("POST", urlsplit(url).path, ONE_CLICK, Content_Type=FORM).status == 200
    site.post("second", date="2026-11-25", categories="[Notes]")
    site.publish(NOW + timedelta(days=7))
    assert not [name for name in site.letters() if name.startswith("weekly/2/") and ADA in name]
    assert [name for name in site.letters() if name.startswith("weekly/2/")]


@pytest.mark.usefixtures("databases")
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
def test_no_other_method_changes_anything(client, config, method):
    """Only POST unsubscribes: GET and HEAD are 200 and others 405, and none of them changes the database."""
    before = contents(config)
    answer = client.request(method, f"/unsubscribe/{letter_token(config)}", ONE_CLICK, Content_Type=FORM)
    assert answer.status == (200 if method in ("GET", "HEAD") else 405)
    assert contents(config) == before


@pytest.mark.parametrize(
    ("kind", "body"),
    [("text/plain", "x"), (None, ""), ("multipart/form-data", "no boundary"), ("application/json", "{"), (FORM, "%ff")],
)
def test_any_post_leaves_whatever_its_body(client, config, kind, body):
    """A POST with another body, a broken one or none unsubscribes too, and shows what happened."""
    headers = {"Content_Type": kind} if kind else {}
    answer = client.request("POST", f"/unsubscribe/{letter_token(config)}", body, **headers)
    assert (answer.status, stored(config)) == (200, NONE_OF_DAILY)
    assert "a•••@e•••.org" in answer.text


@pytest.mark.usefixtures("databases")
def test_the_page_shows_a_button_then_what_happened_and_offers_only_to_undo(client, config):
    """A person sees a button, then that they are unsubscribed with one button to undo it, in their language."""
    path = f"/unsubscribe/{letter_token(config)}"
    page = client.get(path, Accept_Language="ja")
    assert page.headers["Content-Language"] == "de"
    assert (page.text.count("<form"), f'action="{path}"' in page.text, ADA in page.text) == (1, True, False)
    left = client.post(path, {"leave": "1"})
    assert (left.status, "Sie sind abgemeldet" in left.text) == (200, True)
    [undo] = [part.split('"')[0] for part in left.text.split('action="')[1:]]
    assert undo.startswith("/unsubscribe/undo/")
    asked = client.get(undo)
    assert (asked.status, stored(config)) == (200, NONE_OF_DAILY)
    back = client.post(undo, {"undo": "1"})
    assert (back.status, "<form" in back.text) == (200, False)
    assert stored(config) == ("active", {"daily": (), "weekly": ("Notes",)})


def test_an_undo_that_has_expired_is_gone(config):
    """After an hour the link to undo is HTTP 410, and the page of the letter's link offers none."""
    times = [NOW]
    with web_client(config, clock=lambda: times[0]) as client:
        path = f"/unsubscribe/{letter_token(config)}"
        undo = client.post(path, {}).text.partition('action="')[2].partition('"')[0]
        times[0] += timedelta(hours=1)
        assert client.post(undo, {}).status == 410
        assert "<form" not in client.post(path, {}).text
    assert stored(config) == NONE_OF_DAILY


@pytest.mark.parametrize(
    "token", ["0" * 40, "x", "%c3%a4", "%00", "..%2f..%2fetc%2fpasswd", "0" * 5000, "{short}", "{other}"]
)
def test_a_link_that_is_not_ours_is_not_found(client, config, token):
    """A forged, foreign, truncated or odd token is HTTP 404 with GET and POST, without a line in the log."""
    good = letter_token(config)
    other = "0" if good[-1] != "0" else "1"
    path = token.replace("{short}", good[:-1]).replace("{other}", good[:-1] + other)
    for prefix in ("/unsubscribe/", "/unsubscribe/undo/", "/preferences/", "/address/"):
        answers = [client.request(method, f"{prefix}{path}", "", Content_Type=FORM) for method in ("GET", "POST")]
        assert [answer.status for answer in answers] == [404, 404]
    assert client.logged == []
    assert len(stored(config)[1]) == 2


@pytest.mark.usefixtures("databases")
def test_the_link_of_an_erased_subscriber_is_no_error(client, config):
    """The link of somebody who was erased is 200, with GET and POST, without an address and without a button."""
    path = f"/unsubscribe/{letter_token(config)}"
    erase_subscriber(config, ADA, NOW)
    for answer in (client.get(path), client.post(path, {})):
        assert (answer.status, "<form" in answer.text, "•••" in answer.text) == (200, False, False)
