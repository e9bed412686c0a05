"""The pages of sign-up, as browsers, mail scanners and programs ask for them."""

import re

import pytest

from tests.conftest import CONFIG
from tests.signups import SignupSite
from tests.webserver import web_client

SECOND = '[[newsletters]]\nname = "daily"\ntitle = "Every <day>"\nschedule = "0 8 * * *"\n'


@pytest.fixture
def door(site):
    return SignupSite.create(site)


@pytest.fixture
def client(door):
    with web_client(door.sample.config, door.clock) as client:
        yield client


def token_of(page):
    return re.search(r'name="token" value="([^"]+)"', page.text)[1]


def send(client, door, email="ada@example.org", *, more=(), seconds=60, lang="en", **headers):
    token = token_of(client.get("/subscribe", Accept_Language=lang))
    door.clock.advance(seconds=seconds)
    fields = [("email", email), ("newsletter", "weekly"), ("token", token), ("lang", lang), ("website", ""), *more]
    return client.post("/subscribe", fields, **headers)


@pytest.mark.parametrize("path", ["/", "/subscribe", "/subscribe?email=ada%40example.org&newsletter=weekly"])
def test_the_form_is_fresh_and_has_no_script(client, path):
    """The form is rendered with a token of its own, and a link may fill in the address."""
    page = client.get(path)
    assert page.status == 200
    assert token_of(page)
    assert "<script" not in page.text
    assert ('value="ada@example.org"' in page.text) == ("email" in path)


@pytest.mark.parametrize("lang", ["en", "de", "ja", "ar"])
def test_the_whole_way_is_in_the_language_of_the_reader(client, door, lang):
    """Form, answer, mail, confirmation and subscription are in the language of the form, whatever browser follows."""
    answer = send(client, door, lang=lang)
    assert (answer.status, answer.headers["Content-Language"]) == (200, lang)
    door.run_round()
    [token] = door.tokens()
    page = client.get(f"/confirm/{token}", Accept_Language="en")
    assert (page.status, page.headers["Content-Language"]) == (200, lang)
    assert client.post(f"/confirm/{token}", {}).headers["Content-Language"] == lang
    assert door.subscriber("ada@example.org").lang == lang


@pytest.mark.parametrize(("chosen", "lang"), [("ja", "ja"), ("AR", "ar"), ("de-AT", "de")])
def test_the_url_of_a_page_chooses_its_language(client, door, chosen, lang):
    """With `?lang=` form, answer and confirmation are in this language, and forms and links keep it."""
    page = client.get(f"/subscribe?lang={chosen}", Accept_Language="en")
    assert (page.status, page.headers["Content-Language"]) == (200, lang)
    [action] = re.findall(r'action="([^"]+)"', page.text)
    assert action == f"/subscribe?lang={lang}"
    door.clock.advance(seconds=60)
    fields = {"email": "no address", "newsletter": "weekly", "token": token_of(page), "lang": lang}
    assert client.post(action, fields, Accept_Language="en").headers["Content-Language"] == lang
    done = client.post(action, fields | {"email": "ada@example.org"}, Accept_Language="en")
    assert (done.status, done.headers["Content-Language"]) == (200, lang)
    door.run_round()
    [token] = door.tokens()
    assert client.get(f"/confirm/{token}").headers["Content-Language"] == lang
    assert client.get(f"/confirm/{token}?lang=en").headers["Content-Language"] == "en"
    assert client.post(f"/confirm/{token}?lang=en", {}).headers["Content-Language"] == "en"
    assert door.subscriber("ada@example.org").lang == lang


@pytest.mark.parametrize("chosen", ["xx", "", "..%2Fen", "%00", "de%22%3E", "%FF", "e" * 500])
def test_a_language_without_texts_is_ignored(client, chosen):
    """A page is in the browser's language if its URL names one that has no texts, and shows nothing of the URL."""
    page = client.get(f"/subscribe?lang={chosen}", Accept_Language="de")
    assert (page.status, page.headers["Content-Language"]) == (200, "de")
    assert 'action="/subscribe"' in page.text


@pytest.mark.usefixtures("databases")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_scanner_that_follows_the_link_confirms_nothing(client, door, method):
    """GET and HEAD of the link show a button and change nothing; POST confirms, and once more changes nothing."""
    send(client, door)
    door.run_round()
    [token] = door.tokens()
    for _ in range(3):
        assert client.request(method, f"/confirm/{token}").status == 200
    assert door.subscriber("ada@example.org") is None
    for _ in range(2):
        assert client.post(f"/confirm/{token}", {}).status == 200
    assert door.subscriber("ada@example.org").status == "active"


@pytest.mark.parametrize("token", ["x", "A" * 5000, "%00", "..%2f..%2fetc", "%ff%fe", "%C3%A9", "AQAAAAABAAAAAAAAAAA"])
def test_a_link_that_is_none_is_not_found(client, token):
    """A forged, overlong or broken link gives 404, and no fault is logged."""
    for answer in (client.get(f"/confirm/{token}"), client.post(f"/confirm/{token}", {})):
        assert answer.status in (400, 404)
    assert client.logged == []


@pytest.mark.usefixtures("databases")
def test_the_answer_is_the_same_for_every_address(client, door):
    """Known, unknown and suppressed addresses get the same bytes."""
    from feeds.jobs.subscribers.subscribe import add_subscriber, suppress_address

    add_subscriber(door.sample.config, "known@example.org", [], lang=None, now=door.clock(), again=False)
    suppress_address(door.sample.config, "gone@example.org", door.clock())
    answers = [send(client, door, f"{name}@example.org") for name in ("known", "gone", "new", "new")]
    assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}
    assert client.logged == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 400),
        ({"email": "ada"}, 400),
        ({"email": "<script>alert(1)</script>@example.org"}, 400),
        ({"email": "ada@example.org", "newsletter": "weekly"}, 400),
        ({"email": "ada@example.org", "newsletter": "weekly", "token": "forged"}, 400),
        ({"email": "ada@example.org\r\nBcc: eve@example.org", "newsletter": "weekly"}, 400),
    ],
)
def test_a_wrong_form_is_shown_again_with_a_fresh_token(client, door, fields, status):
    """What is wrong is said on the page; nothing is stored, and what was typed is escaped."""
    answer = client.post("/subscribe", fields)
    assert answer.status == status
    assert token_of(answer)
    assert 'role="alert"' in answer.text
    assert "<script" not in answer.text
    assert door.rows("SELECT * FROM signup_requests") == []
    assert client.logged == []


def test_the_form_with_an_expired_token_is_sent_again_at_once(client, door):
    """The page that says that the form was open too long has what was typed and a token that works."""
    stale = send(client, door, seconds=13 * 3600)
    assert stale.status == 400
    assert 'value="ada@example.org"' in stale.text
    fields = {"email": "ada@example.org", "newsletter": "weekly", "token": token_of(stale), "lang": "en"}
    assert client.post("/subscribe", fields).status == 200


@pytest.fixture
def two(site):
    """A client of a site with two newsletters, and the site."""
    SignupSite.create(site)
    site.configure((site.folder / "config.toml").read_text("utf-8") + SECOND)
    door = SignupSite(site)
    with web_client(site.config, door.clock) as client:
        yield client, door


@pytest.mark.parametrize(
    ("query", "ticked"),
    [
        ("", []),
        ("?email=ada%40example.org", []),
        ("?newsletter=", []),
        ("?newsletter=unknown", []),
        ("?newsletter=daily", ["daily"]),
        ("?newsletter=daily&newsletter=weekly&newsletter=x", ["weekly", "daily"]),
    ],
)
def test_of_several_newsletters_those_that_were_asked_for_are_ticked(two, query, ticked):
    """Of several newsletters the form ticks those that the link names, and none otherwise."""
    page = two[0].get(f"/subscribe{query}")
    assert re.findall(r'value="(\w+)" checked', page.text) == ticked
    assert "Every &lt;day&gt;" in page.text


@pytest.mark.parametrize("fields", [{}, {"newsletter": ""}, {"newsletter": "unknown"}])
def test_a_form_without_a_newsletter_is_shown_again(two, fields):
    """A form with no newsletter that is offered is HTTP 400 with a sentence below the boxes; the address is kept."""
    client, door = two
    token = token_of(client.get("/subscribe"))
    answer = client.post("/subscribe", {"email": "ada@example.org", "token": token, "lang": "en", **fields})
    assert (answer.status, re.findall(r'value="(\w+)" checked', answer.text)) == (400, [])
    assert re.search(r'</fieldset>\s*<p class="wrong" role="alert" id="wrong">Please choose', answer.text)
    assert 'value="ada@example.org"' in answer.text
    assert door.rows("SELECT * FROM signup_requests") == []


def test_the_only_newsletter_is_implied(client, door):
    """With one newsletter the form has no box, and one without its name subscribes to it."""
    page = client.get("/subscribe")
    assert "checkbox" not in page.text
    fields = {"email": "ada@example.org", "token": token_of(page), "lang": "en"}
    assert client.post("/subscribe", fields).status == 200
    assert door.rows("SELECT newsletters FROM signup_requests") == [('["weekly"]',)]


def test_a_wrong_address_keeps_the_newsletters(two):
    """A wrong address is explained below its field, and the boxes stay as they were ticked."""
    client, _ = two
    fields = {"email": "ada@", "newsletter": "daily", "token": token_of(client.get("/subscribe")), "lang": "en"}
    answer = client.post("/subscribe", fields)
    assert re.findall(r'value="(\w+)" checked', answer.text) == ["daily"]
    assert re.search(r'value="ada@"[^>]*aria-describedby="wrong"></p>\s*<p class="wrong" role="alert"', answer.text)


@pytest.mark.usefixtures("databases")
def test_a_network_that_signs_up_too_often_is_asked_to_wait(client, door):
    """After many sign-ups from one network the answer is HTTP 429 with Retry-After."""
    answers = [send(client, door, f"reader{n}@example.org", seconds=5) for n in range(21)]
    assert [answer.status for answer in answers] == [200] * 20 + [429]
    assert answers[-1].headers["Retry-After"] == "3600"
    proxied = send(client, door, "other@example.org", X_Forwarded_For="198.51.100.7")
    assert proxied.status == 200


def test_without_newsletters_or_with_a_closed_form_the_page_says_so(site):
    """A site that takes no sign-ups shows no form, and refuses one that is sent all the same."""
    door = SignupSite.create(site, "open = false")
    with web_client(site.config, door.clock) as client:
        page = client.get("/subscribe")
        assert (page.status, "<form" in page.text) == (200, False)
    site.configure(CONFIG + '[web]\nurl = "https://letters.example.com/"\n')
    with web_client(site.config, door.clock) as client:
        assert "<form" not in client.get("/").text
