"""The pages of preferences over HTTP."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest

from feeds.edges.store.database import open_store
from feeds.jobs.subscribers import erase, subscribe
from tests.conftest import NOW
from tests.subscribed import (
    ADA,
    answer_requests,
    contents,
    letter_token,
    mails,
    preferences_token,
    stored,
    subscribe_ada,
)
from tests.webserver import web_client

BOB = "bob@example.net"
URL = "https://letters.example.com/"


@pytest.fixture
def config(site):
    site.post("a", categories="[Essays, Notes]")
    config = subscribe_ada(site)
    site.publish()
    return config


@pytest.fixture
def client(config):
    with web_client(config) as client:
        yield client


def path(config):
    return f"/preferences/{preferences_token(config)}"


def checked(text):
    """Return the values of the boxes that are ticked."""
    return re.findall(r'name="[^"]+" value="([^"]+)" checked', text)


@pytest.mark.usefixtures("databases")
def test_a_letters_link_shows_a_masked_address_and_mails_a_link(client, config):
    """The page of a letter's link has the masked address, and two buttons: to unsubscribe, and for a mailed link."""
    url = f"/preferences/{letter_token(config)}"
    page = client.get(url)
    assert (page.status, "a•••@e•••.org" in page.text, ADA in page.text) == (200, True, False)
    assert re.findall(r'action="([^"]+)"', page.text) == [
        f"/unsubscribe/{letter_token(config)}",
        f"{url}/link",
    ]
    sent = client.post(f"{url}/link", {"mail": "1"})
    assert (sent.status, "a•••@e•••.org" in sent.text) == (200, True)
    [(kind, recipient, _, link)] = mails(config)
    assert (kind, recipient) == ("preferences", ADA)
    assert link.startswith(f"{URL}preferences/")
    assert client.get(link.removeprefix(URL[:-1])).status == 200


def test_the_url_chooses_the_language_before_the_reader(client, config):
    """With `?lang=ja` all pages for one reader are in Japanese, and so are the answers to their forms."""
    letter = letter_token(config)
    for url in (path(config), f"/preferences/{letter}", f"/unsubscribe/{letter}", "/preferences", "/preferences/x"):
        page = client.get(f"{url}?lang=ja")
        assert page.headers["Content-Language"] == "ja"
        for action in re.findall(r'action="([^"]+)"', page.text):
            assert action.endswith("?lang=ja")
    saved = client.post(f"{path(config)}?lang=ja", {"newsletter": "weekly", "lang": "de"})
    assert (saved.status, saved.headers["Content-Language"]) == (200, "ja")
    left = client.post(f"/unsubscribe/{letter}?lang=ja", {})
    assert (left.status, left.headers["Content-Language"]) == (200, "ja")


def _no_address_in_words(text):
    """Return whether no sentence of a page has an empty place for an address."""
    words = re.sub(r"<[^>]*>|[\u2066-\u2069]", "", text)
    return not re.search(r"(to|An|an) +(\.|,|gehen)|\n\s+(gets|bekommt) ", words)


@pytest.mark.parametrize("how", ["erased", "unknown", "suppressed", "complained", "left"])
def test_a_page_of_a_letters_link_never_names_an_empty_address(client, config, how):
    """For a reader who is erased, unknown, suppressed, has complained or left, each page says what is so."""
    token = letter_token(config, subscriber_id=99 if how == "unknown" else 1)
    match how:
        case "erased":
            erase.erase_subscriber(config, ADA, NOW)
        case "suppressed":
            subscribe.suppress_address(config, ADA, NOW)
        case "complained":
            with open_store(config.store_url, config.folder) as store:
                store.database.connection.execute("UPDATE subscribers SET status = 'complained'")
        case "left":
            client.post(f"/unsubscribe/{token}", {})
    pages = [client.get(f"/preferences/{token}"), client.get(f"/preferences/{token}/link")]
    pages += [client.get(f"/unsubscribe/{token}"), client.post(f"/unsubscribe/{token}", {})]
    sent = client.post(f"/preferences/{token}/link", {})
    assert [(page.status, _no_address_in_words(page.text)) for page in (*pages, sent)] == [(200, True)] * 5
    is_known = how not in ("erased", "unknown")
    assert ("a•••@e•••.org" in sent.text) is is_known
    assert ("Nothing is stored about you here" in sent.text) is not is_known
    assert ("unterwegs an" in sent.text, len(mails(config))) == ((True, 1) if how == "left" else (False, 0))
    assert not any("Briefe gehen an" in page.text for page in pages)


def test_preferences_without_a_newsletter_do_not_say_that_letters_come(client, config):
    """The page of preferences of who gets nothing says so, and not that letters go to the address."""
    assert "Briefe gehen an" in client.get(path(config)).text
    answer = client.post(path(config), {"lang": "de"})
    assert ("Briefe gehen an" in answer.text, "gehen keine Briefe" in answer.text) == (False, True)


def test_an_expired_link_offers_a_fresh_one(config):
    """A mailed link that has expired, or a form on its page, is HTTP 410 with the form that mails a fresh link."""
    with web_client(config, clock=lambda: NOW + timedelta(hours=25)) as client:
        for answer in (
            client.get(path(config)),
            client.post(path(config), {}),
            client.get(f"{path(config)}/data.json"),
        ):
            assert (answer.status, re.findall(r'action="([^"]+)"', answer.text)) == (410, ["/preferences"])
            assert "This link has expired" in answer.text


@pytest.mark.parametrize("action", ["", "/address", "/erase"])
def test_a_letters_link_changes_nothing_else(client, config, action):
    """With the token of a letter, forms of the preferences are HTTP 404 and change nothing, and so is the download."""
    before = contents(config)
    url = f"/preferences/{letter_token(config)}"
    assert client.post(url + action, {"email": BOB, "sure": "yes"}).status == 404
    assert client.get(f"{url}/data.json").status == 404
    assert contents(config) == before


@pytest.mark.usefixtures("databases")
def test_looking_at_preferences_changes_nothing(client, config):
    """GET and HEAD of every page of preferences leave the database as it is."""
    link, before = path(config), contents(config)
    for method in ("GET", "HEAD"):
        for url in ("/preferences", link, f"{link}/link", f"{link}/address", f"{link}/erase", f"{link}/data.json"):
            assert client.request(method, url).status == 200
    assert contents(config) == before


@pytest.mark.usefixtures("databases")
def test_preferences_are_shown_and_saved(client, config):
    """The page shows what is stored, in the reader's language; what is ticked is stored and shown."""
    page = client.get(path(config), Accept_Language="ja")
    assert (page.headers["Content-Language"], page.headers["Cache-Control"]) == ("de", "no-store")
    assert checked(page.text) == ["weekly", "Notes", "daily"]
    form = [("newsletter", "weekly"), ("topic:weekly", "Essays"), ("lang", "ar"), ("pause", "2026-12-24")]
    saved = client.post(path(config), form)
    assert (saved.status, saved.headers["Content-Language"]) == (200, "ar")
    assert 'dir="rtl"' in saved.text
    assert checked(saved.text) == ["weekly", "Essays"]
    assert 'value="2026-12-24"' in saved.text
    assert stored(config) == ("active", {"weekly": ("Essays",)})


@pytest.mark.parametrize(
    "day", ["2026-13-01", "soon", "2030-01-01", "0001-01-01x", "9999-12-31", "2026-11-22", "2020-02-29"]
)
def test_a_day_that_cannot_be_is_explained_and_nothing_is_saved(client, config, day):
    """A pause until an impossible day, one in the past or one too far away is HTTP 422, and nothing is saved."""
    before = contents(config)
    answer = client.post(path(config), {"pause": day})
    assert (answer.status, 'role="alert"' in answer.text) == (422, True)
    assert contents(config) == before


@pytest.mark.parametrize("day", ["2030-01-01", "soon", '2030-01-01"><script>', "9" * 5000])
def test_a_form_with_a_wrong_day_keeps_everything_that_was_entered(client, config, day):
    """The page that explains a wrong day has all that was entered, and the reason belongs to the field of the day."""
    form = [("newsletter", "daily"), ("topic:weekly", "Essays"), ("topic:weekly", "Notes"), ("lang", "ar")]
    answer = client.post(path(config), [*form, ("pause", day)])
    assert (answer.status, answer.headers["Content-Language"]) == (422, "de")
    assert checked(answer.text) == ["Essays", "Notes", "daily"]
    assert '<option value="ar" lang="ar" selected>' in answer.text
    [entered] = re.findall(r'name="pause" min="2026-11-23" value="([^"]*)" aria-describedby="wrong ', answer.text)
    assert (unescape(entered), answer.text.count('<p class="wrong" id="wrong" role="alert">')) == (day[:320], 1)
    fixed = client.post(path(config), [*form, ("pause", "2026-12-24")])
    assert (fixed.status, stored(config)) == (200, ("active", {"daily": ()}))


@pytest.mark.parametrize("lang", ["xx", "de-CH", '"><script>'])
def test_a_language_that_is_not_offered_is_kept_and_explained_at_its_field(client, config, lang):
    """An unknown language is HTTP 422 with the reason at its field and all that was entered; nothing is saved."""
    before = contents(config)
    form = [("newsletter", "daily"), ("topic:weekly", "Essays"), ("pause", "2026-12-24")]
    answer = client.post(path(config), [*form, ("lang", lang)])
    assert (answer.status, checked(answer.text)) == (422, ["Essays", "daily"])
    assert unescape(re.search('<option value="([^"]*)" selected>', answer.text)[1]) == lang
    assert answer.text.count('<p class="wrong" id="wrong-lang" role="alert">') == 1
    assert 'name="pause" min="2026-11-23" value="2026-12-24"' in answer.text
    assert 'aria-describedby="wrong-lang"' in answer.text
    assert contents(config) == before
    both = client.post(path(config), [("lang", lang), ("pause", "2026-11-22")])
    assert both.text.count('role="alert"') == 2
    assert client.post(path(config), [*form, ("lang", "")]).status == 200


@pytest.mark.parametrize("email", ["bob", "bob@", '"><script>@', "a@b@example.org"])
@pytest.mark.parametrize("form", ["", "/address"])
def test_a_wrong_address_is_kept_and_explained_beside_its_field(client, config, form, email):
    """A form with an address that is none shows it again, escaped, with the reason at the field; nothing is stored."""
    before = contents(config)
    answer = client.post(f"{path(config)}{form}" if form else "/preferences", {"email": email})
    assert answer.status == 422
    [entered] = re.findall(r'name="email" value="([^"]*)"[^>]* aria-describedby="wrong"', answer.text)
    assert unescape(entered) == email
    assert answer.text.count('id="wrong"') == 1
    assert contents(config) == before


@pytest.mark.usefixtures("databases")
def test_consent_on_the_pages_is_recorded_with_its_words(client, config):
    """A new tick, and an undo, record the words that the page has shown, from where, and when; the download has it."""
    client.post(path(config), {"newsletter": "weekly"})
    page = client.get(path(config))
    wording = re.search('name="wording" value="([0-9a-f]{16})"', page.text)[1]
    client.post(path(config), [("newsletter", "weekly"), ("newsletter", "daily"), ("wording", wording)])
    left = client.post(f"/unsubscribe/{letter_token(config)}", {})
    undo = re.search(r'action="(/unsubscribe/undo/[^"]+)"', left.text)[1]
    client.post(undo, {"wording": re.search('name="wording" value="([^"]+)"', left.text)[1]})
    client.post(path(config), [("newsletter", "weekly"), ("wording", "0" * 16)])
    found = json.loads(client.get(f"{path(config)}/data.json").body)["changes"]
    assert [(one["newsletter"], one["what"], one["how"], one["wording"]) for one in found] == [
        ("daily", "unsubscribed", "preferences", None),
        ("weekly", "topics", "preferences", None),
        ("daily", "subscribed", "preferences", wording),
        ("weekly", "unsubscribed", "letter", None),
        ("weekly", "subscribed", "undo", wording),
        ("daily", "unsubscribed", "preferences", None),
    ]
    assert {one["at"] for one in found} == {"2026-11-23T12:00:00+00:00"}
    assert [len(one["client"] or "") for one in found] == [24, 24, 24, 0, 24, 24]
    with open_store(config.store_url, config.folder) as store:
        wordings = dict(store.database.query("SELECT version, text FROM consent_wordings WHERE lang = 'en'"))
    assert wordings[wording] in page.text


def test_a_form_may_have_hundreds_of_topics(client, config):
    """Preferences with 500 topics are saved: those that are offered."""
    form = [("newsletter", "weekly"), *(("topic:weekly", f"topic {n}") for n in range(500)), ("topic:weekly", "Notes")]
    assert client.post(path(config), form).status == 200
    assert stored(config) == ("active", {"weekly": ("Notes",)})


@pytest.mark.usefixtures("databases")
def test_a_new_address_confirms_by_the_link_that_it_gets(client, config):
    """The new address gets a link whose page moves the subscriber; a fourth request is HTTP 429."""
    assert client.post(f"{path(config)}/address", {"email": "bob"}).status == 422
    asked = client.post(f"{path(config)}/address", {"email": f" {BOB} "})
    assert (asked.status, BOB in asked.text) == (200, False)
    [(_, recipient, _, link)] = mails(config)
    assert recipient == BOB
    page = link.removeprefix(URL[:-1])
    assert (client.get(page).status, stored(config, BOB)) == (200, None)
    assert client.post(page, {}).status == 200
    assert (stored(config, BOB)[0], stored(config)[0]) == ("active", "unsubscribed")
    for _ in range(2):
        client.post(f"{path(config)}/address", {"email": BOB})
    assert client.post(f"{path(config)}/address", {"email": BOB}).status == 429


@pytest.mark.usefixtures("databases")
def test_everything_stored_can_be_downloaded(client, config):
    """The download is a JSON file with the address, subscriptions, consent and mails, which no cache keeps."""
    client.post(f"/preferences/{letter_token(config)}/link", {})
    answer = client.get(f"{path(config)}/data.json")
    found = json.loads(answer.body)
    assert (found["email"], found["newsletters"], found["topics"]) == (ADA, ["daily", "weekly"], {"weekly": ["Notes"]})
    assert [mail["kind"] for mail in found["mails"]] == ["preferences"]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="subscriber.json"'
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("databases")
def test_an_erasure_needs_a_tick_and_erases(client, config):
    """Without the tick nothing is erased; with it the subscriber is unsubscribed, and erased by the next run."""
    link = path(config)
    assert (client.post(f"{link}/erase", {}).status, stored(config)[0]) == (422, "active")
    assert (client.post(f"{link}/erase", {"sure": "yes"}).status, stored(config)[0]) == (200, "unsubscribed")
    answer_requests(config)
    assert (stored(config), client.get(link).status) == (None, 404)


def test_a_typed_address_is_answered_the_same_whether_it_is_known_or_not(client, config):
    """A known, an unknown and a suppressed address get the same answer, and only the known one a mail."""
    answers = {client.post("/preferences", {"email": email}).body for email in (ADA, BOB, ADA.upper())}
    assert len(answers) == 1
    assert client.post("/preferences", {"email": "x"}).status == 422
    assert mails(config) == []
    answer_requests(config)
    assert [mail[:2] for mail in mails(config)] == [("preferences", ADA)]


def test_a_network_that_asks_for_too_many_links_has_to_wait(client, config):
    """The request of a network after 20 in an hour is HTTP 429 with Retry-After, the same for every address."""
    assert [client.post("/preferences", {"email": f"{n}@example.org"}).status for n in range(20)] == [200] * 20
    answers = [client.post("/preferences", {"email": email}) for email in (ADA, BOB)]
    assert [(one.status, one.headers["Retry-After"]) for one in answers] == [(429, "3600")] * 2
    assert answers[0].body == answers[1].body
    answer_requests(config)
    assert mails(config) == []
    assert client.post("/preferences", {"email": ADA}, X_Forwarded_For="203.0.113.7").status == 200


@pytest.mark.usefixtures("impatient")
def test_a_locked_database_is_tried_again(client, config):
    """While another process keeps the database locked, a page is HTTP 503 with the time to try again."""
    with open_store(config.store_url, config.folder) as store, store.bounces.transaction():
        answer = client.post(f"/unsubscribe/{letter_token(config)}", {})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert client.post(f"/unsubscribe/{letter_token(config)}", {}).status == 200


def test_the_name_of_a_category_is_text(site, config):
    """A category with markup in its name is shown as text."""
    site.post("b", categories="['<b>&\"x']")
    site.publish(NOW)
    with web_client(config) as client:
        text = client.get(path(config)).text
    assert "<b>" not in text
    assert "&lt;b&gt;&amp;" in text
