"""Every page for readers, in each language, as the web server answers it to one who goes through all of them."""

import re
from urllib.parse import urlsplit

from feeds.core.newsletters import tokens
from feeds.edges.files.keys import load_keys
from feeds.edges.store.database import open_store
from feeds.jobs.subscribers import subscribe
from tests.conftest import CONFIG, NOW
from tests.signups import SignupSite
from tests.subscribed import TWO, mails, preferences_token
from tests.webserver import Answer, web_client

LANGUAGES = ("en", "ja", "ar")
#: The names of all pages.
PAGES = (
    *("sign-up", "sign-up, wrong", "done", "confirm", "confirmed", "confirmed before", "confirm, not valid"),
    *("letter's link", "link mailed", "leave", "left", "undo", "back"),
    *("preferences", "preferences, saved", "preferences, wrong", "link request", "link requested", "link expired"),
    *("address sent", "address change", "address changed", "erased", "error"),
)
#: A title without a space, as of a newsletter in German or Japanese.
_LONG = "Donaudampfschifffahrtsgesellschaftsnachrichten" * 2


def walk_pages(sample) -> dict[tuple[str, str], Answer]:
    """Return the answers by the name of the page and the language."""
    sample.configure(CONFIG + TWO.replace("The daily", _LONG))
    (sample.folder / "templates/texts").mkdir(parents=True)
    for lang in LANGUAGES:  # the pages have links to each other
        (sample.folder / f"templates/texts/{lang}.toml").write_text("", "utf-8")
    sample.post("first", categories="[Notes, 日本語の長い見出し, مقالات]")
    sample.publish()
    door = SignupSite(sample)
    with web_client(sample.config, clock=door.clock) as client:
        return {(name, lang): page for lang in LANGUAGES for name, page in _walk(door, client, lang)}


def _walk(door, client, lang):
    yield from _sign_up(door, client, lang, f"new-{lang}@example.org")
    email = f"1815.lovelace.{lang}@example.org"
    for newsletter in ("weekly", "daily"):
        subscribe.add_subscriber(door.sample.config, email, [newsletter], lang=lang, now=NOW, again=False)
    yield from _leave(door, client, email)
    yield from _choose(door, client, email, lang)
    yield "error", client.get("/nowhere", Accept_Language=lang)


def _sign_up(door, client, lang, email):
    form = client.get("/", Accept_Language=lang)
    yield "sign-up", form
    fields = {"token": re.search('name="token" value="([^"]+)"', form.text)[1], "lang": lang, "newsletter": "weekly"}
    yield "sign-up, wrong", client.post("/subscribe", fields | {"email": "ada@"})
    door.clock.advance(minutes=1)
    yield "done", client.post("/subscribe", fields | {"email": email})
    door.run_round()
    path = f"/confirm/{door.tokens('confirmation')[-1]}"
    yield "confirm", client.get(path)
    yield "confirmed", client.post(path, {})
    yield "confirmed before", client.get(path)
    yield "confirm, not valid", client.get("/confirm/x", Accept_Language=lang)


def _leave(door, client, email):
    key_id, key = load_keys(door.sample.config.keys_file).current_unsubscribe_key
    token = tokens.unsubscribe_token(key_id, key, _find(door, email).id, "weekly")
    yield "letter's link", client.get(f"/preferences/{token}")
    yield "link mailed", client.post(f"/preferences/{token}/link", {})
    yield "leave", client.get(f"/unsubscribe/{token}")
    left = client.post(f"/unsubscribe/{token}", {})
    yield "left", left
    undo = re.search(r'action="(/unsubscribe/undo/[^"]+)"', left.text)[1]
    yield "undo", client.get(undo)
    yield "back", client.post(undo, {})


def _choose(door, client, email, lang):
    config, now = door.sample.config, door.clock()
    path = f"/preferences/{preferences_token(config, email, now)}"
    yield "preferences", client.get(path)
    chosen = {"newsletter": "weekly", "topic:weekly": "Notes", "lang": lang, "pause": "2026-12-24"}
    yield "preferences, saved", client.post(path, chosen)
    yield "preferences, wrong", client.post(path, chosen | {"pause": "2040-01-01"})
    yield "link request", client.get("/preferences", Accept_Language=lang)
    yield "link requested", client.post("/preferences", {"email": email}, Accept_Language=lang)
    expired = preferences_token(config, email, now.replace(year=2025))
    yield "link expired", client.get(f"/preferences/{expired}", Accept_Language=lang)
    new = f"ada.king.{lang}@example.org"
    yield "address sent", client.post(f"{path}/address", {"email": new})
    [link] = [urlsplit(url).path for kind, recipient, _, url in mails(config) if (kind, recipient) == ("address", new)]
    yield "address change", client.get(link)
    yield "address changed", client.post(link, {})
    yield "erased", client.post(f"/preferences/{preferences_token(config, new, now)}/erase", {"sure": "yes"})


def _find(door, email):
    with open_store(door.sample.config.store_url, door.sample.folder) as store:
        return store.subscribers.find(email)
