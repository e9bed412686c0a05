"""Preferences, another address and erasure by the links that a subscriber has."""

import re
import sqlite3
from base64 import urlsafe_b64decode
from contextlib import closing, suppress
from datetime import date, timedelta
from urllib.parse import unquote_to_bytes

import pytest
import sqlalchemy as sa

from feeds.core.subscribers.link_tokens import Link, LinkPurpose
from feeds.edges.store.database import open_store
from feeds.errors import AddressError, FeedsError, LinkError
from feeds.jobs.site import Site
from feeds.jobs.subscribers import change_address, erase, leave, preferences, subscribe
from feeds.jobs.subscribers.links import make_link
from feeds.jobs.subscribers.preferences import InvalidPreferencesError, PreferencesInput
from feeds.jobs.subscribers.signup_due import is_round_due
from feeds.jobs.subscribers.signup_round import run_signup_round
from feeds.jobs.subscribers.subscriber_document import subscriber_data_to_dict
from tests.conftest import NOW
from tests.edges.store.fresh_schema import migrate
from tests.subscribed import (
    ADA,
    WEB,
    answer_requests,
    context,
    letter_token,
    mails,
    preferences_token,
    stored,
    subscribe_ada,
)

BOB, CARL = "bob@example.net", "carl@example.net"
PAGE, CHANGE = "https://letters.example.com/preferences/", "https://letters.example.com/address/"


@pytest.fixture
def config(site):
    return subscribe_ada(site)


def save(config, newsletters, *, now=NOW, lang=None, until=None):
    chosen = PreferencesInput(newsletters=newsletters, lang=lang, pause=str(until or ""))
    return preferences.save_preferences(config, preferences_token(config, now=now), chosen, context(now))


def recipients(config):
    """Return how many subscribers of the weekly newsletter would get an issue."""
    with open_store(config.store_url, config.folder) as store:
        return sum(store.issues.load_preferences("weekly").values())


@pytest.mark.usefixtures("databases")
def test_a_subscriber_sees_their_newsletters_and_the_categories_of_posts(site, config):
    """The page has every newsletter, its published categories and chosen ones that no post has, and the language."""
    site.post("a", categories="[Essays, Code]")
    site.publish()
    view = preferences.load_preferences(config, preferences_token(config), context())
    assert (view.email, view.lang, view.paused_until) == (ADA, "de", None)
    weekly, daily = view.subscriptions
    assert [(topic.name, topic.is_chosen) for topic in weekly.topics] == [
        ("Code", False),
        ("Essays", False),
        ("Notes", True),
    ]
    assert (daily.is_subscribed, [topic.name for topic in daily.topics]) == (True, ["Code", "Essays"])


@pytest.mark.usefixtures("databases")
def test_what_is_chosen_is_stored_and_what_is_not_offered_is_ignored(site, config):
    """Newsletters, topics and language are stored; an unknown newsletter or topic is not."""
    site.post("a", categories="[Essays, Code]")
    site.publish()
    save(config, {"weekly": ["Essays", "Nothing"], "other": []}, lang="ja")
    assert stored(config) == ("active", {"weekly": ("Essays",)})
    assert save(config, {"weekly": []}).lang is None
    assert stored(config) == ("active", {"weekly": ()})


@pytest.mark.usefixtures("databases")
def test_who_leaves_everything_and_returns_has_given_consent_anew(config):
    """Without any newsletter a subscriber is unsubscribed; who returns is active, with the new consent recorded."""
    assert not save(config, {}).is_subscribed
    assert stored(config) == ("unsubscribed", {})
    save(config, {"daily": []}, now=NOW + timedelta(hours=1))
    assert stored(config) == ("active", {"daily": ()})
    assert [(one.newsletter, one.what, one.at) for one in changes(config)] == [
        ("daily", "unsubscribed", NOW),
        ("weekly", "unsubscribed", NOW),
        ("daily", "subscribed", NOW + timedelta(hours=1)),
    ]


@pytest.mark.usefixtures("databases")
def test_saving_the_same_again_changes_no_consent_and_no_status(config):
    """Saving what is stored already changes neither the consent nor the time of the status."""
    with open_store(config.store_url, config.folder) as store:
        before = store.subscribers.find(ADA)
    save(config, {"weekly": ["Notes"], "daily": []}, now=NOW + timedelta(hours=1), lang="de")
    with open_store(config.store_url, config.folder) as store:
        assert store.subscribers.find(ADA) == before
    save(config, {"weekly": ["Notes"], "daily": []}, lang="ja", until=date(2026, 12, 24))
    assert changes(config) == []


def changes(config, email=ADA):
    """Return the record of what a subscriber has changed."""
    with open_store(config.store_url, config.folder) as store:
        return store.preferences.changes(email)


def test_each_change_is_one_record(config):
    """A change of the preferences, by a letter's link, or its undo, is one record; a second time it is none."""
    save(config, {"weekly": ["Notes"]})
    save(config, {"weekly": []})
    left = leave.leave(config, letter_token(config), context())
    leave.leave(config, letter_token(config), context())
    for _ in range(2):
        leave.undo_leave(config, left.undo_token, context(), client="192.0.2.1")
    assert [(one.newsletter, one.what, one.topics, one.source.how) for one in changes(config)] == [
        ("daily", "unsubscribed", (), "preferences"),
        ("weekly", "topics", (), "preferences"),
        ("weekly", "unsubscribed", (), "letter"),
        ("weekly", "subscribed", (), "undo"),
    ]
    assert [bool(one.source.client) for one in changes(config)] == [False, False, False, True]
    assert "192.0.2" not in dump(config, "subscription_changes")


def test_the_record_is_bounded(config):
    """Who switches a hundred times has the newest 20 records of each newsletter, and the same text of consent."""
    with open_store(config.store_url, config.folder) as store:
        before = store.subscribers.find(ADA).consent
    for at in range(50):
        save(config, {"weekly": ["Notes"]}, now=NOW + timedelta(minutes=2 * at))
        save(config, {"weekly": ["Notes"], "daily": []}, now=NOW + timedelta(minutes=2 * at + 1))
    found = changes(config)
    assert [one.newsletter for one in found] == ["daily"] * 20
    assert found[-1].at == NOW + timedelta(minutes=99)
    with open_store(config.store_url, config.folder) as store:
        assert store.subscribers.find(ADA).consent == before


def test_the_record_moves_to_the_new_address_and_is_erased(config):
    """The new address has the record and its own new subscriptions; erasing it leaves nothing."""
    save(config, {"weekly": ["Notes"]})
    change(config)
    change_address.confirm_change(config, mails(config)[0][3].removeprefix(CHANGE), context(), client="192.0.2.1")
    assert [(one.newsletter, one.what, one.source.how) for one in changes(config, BOB)] == [
        ("daily", "unsubscribed", "preferences"),
        ("weekly", "subscribed", "address"),
    ]
    assert [(one.newsletter, one.what, one.source.how) for one in changes(config)] == [
        ("weekly", "unsubscribed", "address")
    ]
    for email in (ADA, BOB):
        erase.erase_subscriber(config, email, NOW)
    assert dump(config, "subscription_changes") == ""


@pytest.mark.usefixtures("databases")
def test_a_pause_keeps_letters_back_until_its_day(site, config):
    """A paused subscriber gets no letters before the day that they chose, in their time zone, and then gets them."""
    save(config, {"weekly": []}, until=date(2026, 11, 30))
    assert recipients(config) == 0
    for at, expected in ((timedelta(days=6, hours=11), 0), (timedelta(days=6, hours=12), 1)):
        site.publish(NOW + at)
        assert recipients(config) == expected


@pytest.mark.usefixtures("databases")
def test_a_pause_can_be_ended_and_has_bounds(config):
    """A pause ends when its day is removed or is today; a day in the past, or after more than a year, is refused."""
    for until in (None, date(2026, 11, 23)):
        save(config, {"weekly": []}, until=date(2027, 11, 24))
        assert save(config, {"weekly": []}, until=until).paused_until is None
        assert recipients(config) == 1
    save(config, {"weekly": []}, until=date(2026, 12, 24))
    for until in (date(2027, 11, 25), date(2026, 11, 22), date(2026, 1, 1), "soon"):
        with pytest.raises(InvalidPreferencesError, match=r"^not valid: pause$"):
            save(config, {}, until=until)
        assert recipients(config) == 0
        assert stored(config)[0] == "active"


@pytest.mark.parametrize("lang", ["xx", "DE", "de-CH", " "])
def test_a_language_that_is_not_offered_is_refused(config, lang):
    """With an unknown language nothing is saved, and a wrong day beside it is named too."""
    save(config, {"weekly": []}, lang="ja")
    with pytest.raises(InvalidPreferencesError) as error:
        save(config, {}, lang=lang, until="soon")
    assert error.value.fields == ["lang", "pause"]
    assert stored(config) == ("active", {"weekly": ()})
    assert preferences.load_preferences(config, preferences_token(config), context()).lang == "ja"


@pytest.mark.usefixtures("databases")
def test_a_bounce_pause_does_not_shorten_a_chosen_one(config):
    """The pause that a subscriber chose stays when a pause for a bounce ends, and the other way round."""
    save(config, {"weekly": []}, until=date(2026, 12, 30))
    with open_store(config.store_url, config.folder) as store:
        store.database.connection.execute("INSERT INTO pauses VALUES (1, '2026-11-25 00:00:00.000000')")
        store.bounces.end_pauses(NOW + timedelta(days=3))
    assert recipients(config) == 0


# Links ------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("databases")
def test_a_mailed_link_opens_the_preferences_for_a_day(config):
    """The link that is mailed to who holds a letter works until a day has passed, and not in another page."""
    preferences.mail_link(config, letter_token(config), context())
    [(kind, recipient, lang, url)] = mails(config)
    assert (kind, recipient, lang) == ("preferences", ADA, "de")
    token = url.removeprefix(PAGE)
    assert preferences.load_preferences(config, token, context(NOW + timedelta(hours=23, minutes=59))).email == ADA
    with pytest.raises(LinkError) as error:
        preferences.load_preferences(config, token, context(NOW + timedelta(hours=24)))
    assert error.value.is_expired
    with pytest.raises(LinkError):
        change_address.find_change(config, token, context())


def test_a_letters_link_opens_no_preferences(config):
    """The token of a letter opens, changes, moves and erases nothing."""
    token = letter_token(config)
    chosen = PreferencesInput(newsletters={}, lang=None, pause="")
    for use in (
        lambda: preferences.load_preferences(config, token, context()),
        lambda: preferences.save_preferences(config, token, chosen, context()),
        lambda: change_address.request_change(config, token, BOB, context()),
        lambda: erase.request_erasure(config, token, context()),
    ):
        with pytest.raises(LinkError):
            use()
    assert (len(stored(config)[1]), mails(config)) == (2, [])


@pytest.mark.usefixtures("databases")
def test_a_letters_link_mails_one_link_an_hour(config):
    """However often somebody asks with a letter's link, one mail an hour is queued, to the subscriber alone."""
    for minutes in (0, 1, 59, 60):
        preferences.mail_link(config, letter_token(config), context(NOW + timedelta(minutes=minutes)))
    assert [mail[:2] for mail in mails(config)] == [("preferences", ADA)] * 2


@pytest.mark.usefixtures("databases")
def test_a_typed_address_gets_a_link_a_day_if_it_is_known(config):
    """Of the addresses that were typed, known ones get a link a day; unknown, suppressed and complaining ones none."""
    for email in ("eve@example.org", "sue@example.org"):
        subscribe.add_subscriber(config, email, [], lang=None, now=NOW, again=False)
    subscribe.suppress_address(config, "sue@example.org", NOW)
    with open_store(config.store_url, config.folder) as store:
        store.database.connection.execute("UPDATE subscribers SET status = 'complained' WHERE email LIKE 'eve%'")
    for hours in (0, 1, 23):
        at = context(NOW + timedelta(hours=hours))
        for key in (ADA, ADA, "eve@example.org", "sue@example.org", "nobody@example.org"):
            preferences.request_link(config, key, "192.0.2.1", at)
        assert answer_requests(config, at.clock()) == (hours == 0)
        assert answer_requests(config, at.clock()) == 0
    assert [mail[:2] for mail in mails(config)] == [("preferences", ADA)]


def test_without_a_public_address_no_link_is_mailed(site, config):
    """A site that sends to people without `web.url` mails no link: it would lead to the reader's own machine."""
    text = site.read("config.toml").replace(WEB, "").replace("https://example.com/", "https://blog.example.museum/")
    site.configure(text.replace("[mail]\n", '[mail]\ntransport = "sendmail"\n'))
    preferences.mail_link(site.config, letter_token(config), context())
    assert mails(config) == []


@pytest.mark.usefixtures("databases")
def test_a_request_makes_a_round_due(config):
    """A round is due while somebody waits for a link or for erasure, and no longer once that is done."""
    assert not is_round_due(config, NOW)
    for ask in (
        lambda: preferences.request_link(config, "nobody@example.org", "192.0.2.1", context()),
        lambda: erase.request_erasure(config, preferences_token(config), context()),
    ):
        ask()
        assert is_round_due(config, NOW)
        run_signup_round(Site(config), context())
        assert not is_round_due(config, NOW)


def test_requests_for_links_have_a_bound(config):
    """More than 500 waiting requests are not stored."""
    for number in range(510):
        client = f"2001:db8:{number:x}::1"
        assert preferences.request_link(config, f"{number}@example.org", client, context())
    with open_store(config.store_url, config.folder) as store:
        assert len(store.preferences.link_requests()) == 500


def test_requests_for_links_have_a_bound_for_each_network(config):
    """After 20 requests within an hour, of any address, a network is refused; others are not, nor is it afterwards."""
    clients = [f"198.51.100.{number}" for number in range(20)]
    assert all(preferences.request_link(config, f"{client}@example.org", client, context()) for client in clients)
    for key in (ADA, BOB, "sue@example.org"):
        assert not preferences.request_link(config, key, "198.51.100.77", context(NOW + timedelta(minutes=59)))
    with open_store(config.store_url, config.folder) as store:
        assert len(store.preferences.link_requests()) == 20
    assert preferences.request_link(config, ADA, "203.0.113.7", context())
    assert preferences.request_link(config, ADA, "198.51.100.77", context(NOW + timedelta(hours=1)))


@pytest.mark.usefixtures("databases")
def test_no_one_gets_the_id_of_an_erased_subscriber(config):
    """Who comes after an erased subscriber has another id, so old links neither show nor change anything of theirs."""
    token = preferences_token(config)
    erase.erase_subscriber(config, ADA, NOW)
    subscribe.add_subscriber(config, BOB, [], lang=None, now=NOW, again=False)
    with open_store(config.store_url, config.folder) as store:
        assert store.subscribers.find(BOB).id == 2
    with pytest.raises(LinkError):
        preferences.load_preferences(config, token, context())
    assert not leave.leave(config, letter_token(config), context()).address
    assert stored(config, BOB)[0] == "active"


# Another address --------------------------------------------------------------------------------------------------


def dump(config, table):
    """Return the rows of a table as text."""
    with closing(sqlite3.connect(config.folder / ".feeds/feeds.db")) as db:
        return "\n".join(map(str, db.execute(f"SELECT * FROM {table}").fetchall()))


def change(config, email=BOB, now=NOW):
    """Ask for another address; return whether it was accepted."""
    return change_address.request_change(config, preferences_token(config, now=now), email, context(now))


@pytest.mark.usefixtures("databases")
def test_a_new_address_takes_over_once_it_has_confirmed(config):
    """Nothing changes until the link that the new address got is confirmed; then it has everything, the old none."""
    save(config, {"weekly": ["Notes"], "daily": []}, lang="de", until=date(2026, 12, 24))
    assert change(config)
    [(kind, recipient, lang, url)] = mails(config)
    assert (kind, recipient, lang) == ("address", BOB, "de")
    token = url.removeprefix(CHANGE)
    assert change_address.find_change(config, token, context()).is_done is False
    assert (stored(config)[0], stored(config, BOB)) == ("active", None)
    for _ in range(2):
        assert change_address.confirm_change(config, token, context()).email == BOB
        assert stored(config, BOB) == ("active", {"daily": (), "weekly": ("Notes",)})
        assert stored(config)[0] == "unsubscribed"
    view = preferences.load_preferences(config, preferences_token(config, BOB), context())
    assert (view.lang, view.paused_until) == ("de", date(2026, 12, 24))


def _decodings(url):
    """Yield the parts of a URL as they are, and what base64, hexadecimal digits and percent signs in them say."""
    for part in re.split("[/?&=]", url):
        yield part.encode()
        yield unquote_to_bytes(part)
        for start in range(4):
            with suppress(ValueError):
                yield urlsafe_b64decode(part[start:] + "=" * (-len(part[start:]) % 4))
            with suppress(ValueError):
                yield bytes.fromhex(part[start:])


@pytest.mark.parametrize(
    "email", [BOB, "b+x@exämple.net", f"{'long' * 15}@{'d' * 60}.example.net", "O'Bob@EXAMPLE.net"]
)
def test_a_link_shows_no_address(config, email):
    """No link of a mail or page has an address in it, in any encoding, and the one for a new address works."""
    change(config, email)
    preferences.mail_link(config, letter_token(config), context())
    links = [mail[3] for mail in mails(config)]
    undo = leave.leave(config, letter_token(config), context()).undo_token
    for link in (*links, undo, letter_token(config)):
        texts = [text.lower() for text in _decodings(link)]
        parts = [part.encode() for part in (*email.lower().split("@"), *ADA.split("@"), "example.net") if len(part) > 2]
        assert not [text for text in texts for part in parts if part in text and b"letters.example.com" not in text]
    found = change_address.find_change(config, links[0].removeprefix(CHANGE), context())
    assert found.email.casefold() == email.casefold()


@pytest.mark.usefixtures("databases")
def test_a_link_with_the_address_in_it_has_expired(config):
    """A link of an older version, which has the new address in it, is not valid any more and changes nothing."""
    with open_store(config.store_url, config.folder) as store:
        ada = store.subscribers.find(ADA)
    for value in (BOB, "", "f" * 40, "-1"):
        link = Link(purpose=LinkPurpose.ADDRESS, subscriber_id=1, expires_at=NOW + timedelta(days=1), value=value)
        with pytest.raises(LinkError) as error:
            change_address.confirm_change(config, make_link(config, link, ada), context())
        assert error.value.is_expired
    assert (stored(config)[0], stored(config, BOB)) == ("active", None)


def test_a_wanted_address_is_stored_until_its_link_expires(config):
    """The round after three days deletes the address; before, a round keeps it and the link works."""
    change(config)
    token = mails(config)[0][3].removeprefix(CHANGE)
    for hours, kept in ((71, True), (72, False)):
        at = NOW + timedelta(hours=hours)
        assert is_round_due(config, at) or kept
        run_signup_round(Site(config), context(at))
        assert (BOB in dump(config, "address_changes")) is kept
    assert not is_round_due(config, NOW + timedelta(hours=73))
    with pytest.raises(LinkError):
        change_address.find_change(config, token, context(NOW + timedelta(hours=73)))


@pytest.mark.parametrize("erased", [ADA, BOB])
def test_a_wanted_address_is_erased_with_its_subscriber_and_with_its_owner(config, erased):
    """Erasing the subscriber or the owner of the new address erases the request, and its mail is not sent."""
    change(config)
    erase.erase_subscriber(config, erased, NOW)
    assert (dump(config, "address_changes"), mails(config)) == ("", [])


def test_a_number_of_another_request_is_not_a_link(config):
    """A link is valid for the request of its subscriber alone."""
    subscribe.add_subscriber(config, "eve@example.org", ["weekly"], lang=None, now=NOW, again=False)
    change(config)
    with open_store(config.store_url, config.folder) as store:
        eve = store.subscribers.find("eve@example.org")
    link = Link(purpose=LinkPurpose.ADDRESS, subscriber_id=eve.id, expires_at=NOW + timedelta(days=1), value="1")
    with pytest.raises(LinkError):
        change_address.confirm_change(config, make_link(config, link, eve), context())


@pytest.mark.usefixtures("databases")
def test_a_new_address_that_is_known_keeps_what_it_has(config):
    """An address that has subscriptions keeps them and their topics, and gets the others."""
    subscribe.add_subscriber(config, BOB, ["weekly"], topics=["Code"], lang="ja", now=NOW, again=False)
    change(config)
    change_address.confirm_change(config, mails(config)[0][3].removeprefix(CHANGE), context())
    assert stored(config, BOB) == ("active", {"daily": (), "weekly": ("Code",)})


@pytest.mark.usefixtures("databases")
def test_who_has_left_meanwhile_is_not_brought_back_by_a_new_address(config):
    """A link for a new address is not valid any more once the subscriber has left, or the address is suppressed."""
    change(config)
    token = mails(config)[0][3].removeprefix(CHANGE)
    subscribe.suppress_address(config, BOB, NOW)
    with pytest.raises(LinkError):
        change_address.confirm_change(config, token, context())
    subscribe.allow_address(config, BOB, NOW)
    subscribe.remove_subscriber(config, ADA, NOW)
    with pytest.raises(LinkError):
        change_address.confirm_change(config, token, context())


@pytest.mark.usefixtures("databases")
def test_mails_to_new_addresses_have_bounds(config):
    """A subscriber can ask for three a day, one address gets one a day, and a suppressed one or their own gets none."""
    subscribe.suppress_address(config, "sue@example.org", NOW)
    assert [change(config, email) for email in ("sue@example.org", ADA, BOB)] == [True] * 3
    assert not change(config, "carl@example.net")
    assert change(config, BOB, NOW + timedelta(hours=23, minutes=59, seconds=59)) is False
    assert [mail[1] for mail in mails(config)] == [BOB]


@pytest.mark.parametrize("email", ["", "bob", "bob@", "bob@example.net\r\nBcc: eve@example.org", "'bob@example.net"])
def test_what_is_no_address_is_refused(config, email):
    """A new address that mail cannot be sent to is an error, and no mail is queued."""
    with pytest.raises(AddressError):
        change(config, email)
    assert mails(config) == []


def link_token(config, email):
    """Return the token of the link that an address got."""
    [token] = [mail[3].removeprefix(CHANGE) for mail in mails(config) if mail[1] == email]
    return token


def uses(config, token):
    """Return the result of looking at a link for a new address, and of confirming it: None if it has expired."""
    found = []
    for use in (change_address.find_change, change_address.confirm_change):
        try:
            found.append(use(config, token, context()).is_done)
        except LinkError as e:
            assert e.is_expired
            found.append(None)
    return found


@pytest.mark.usefixtures("databases")
@pytest.mark.parametrize("known", ["unknown", "subscribed", "subscribed before"])
def test_only_the_link_that_moved_a_subscriber_says_so(config, known):
    """After a move to one address, the link for another one has expired, whether that is known or not."""
    if known != "unknown":
        subscribe.add_subscriber(config, BOB, ["weekly"], lang=None, now=NOW, again=False)
    if known == "subscribed before":
        subscribe.remove_subscriber(config, BOB, NOW)
    before = stored(config, BOB)
    for email in (BOB, CARL):
        change(config, email)
    assert uses(config, link_token(config, CARL)) == [False, True]
    assert uses(config, link_token(config, BOB)) == [None, None]
    assert stored(config, BOB) == before
    assert uses(config, link_token(config, CARL)) == [True, True]


@pytest.mark.usefixtures("databases")
def test_a_second_link_for_the_same_address_has_expired(config):
    """Of two links for one address, the one that was not used has expired after the other was."""
    change(config)
    first = link_token(config, BOB)
    change(config, now=NOW + timedelta(days=1, hours=1))
    [second] = {mail[3].removeprefix(CHANGE) for mail in mails(config)} - {first}
    assert uses(config, second) == [False, True]
    assert uses(config, first) == [None, None]


@pytest.mark.usefixtures("databases")
def test_a_link_has_expired_once_its_subscriber_has_moved_on_or_returned(config):
    """The used link of a subscriber who moves to a third address, or subscribes the old one again, has expired."""
    change(config)
    token = link_token(config, BOB)
    assert uses(config, token) == [False, True]
    change_address.request_change(config, preferences_token(config, BOB), CARL, context())
    assert uses(config, link_token(config, CARL)) == [False, True]
    assert uses(config, token) == [None, None]
    subscribe.add_subscriber(config, ADA, ["weekly"], lang=None, now=NOW, again=True)
    assert uses(config, token) == [None, None]
    assert stored(config)[0] == "active"


# Erasure ----------------------------------------------------------------------------------------------------------


def test_who_wants_to_be_erased_gets_no_letters_at_once_and_is_erased_when_nothing_is_sent(config):
    """While letters are sent, the subscriber is unsubscribed; afterwards nothing of the address is in the database."""
    preferences.mail_link(config, letter_token(config), context())
    with open_store(config.store_url, config.folder) as store, store.lock("sending"):
        erase.request_erasure(config, preferences_token(config), context())
        answer_requests(config)
        assert stored(config)[0] == "unsubscribed"
    answer_requests(config)
    assert b"ada@" not in (config.folder / ".feeds/feeds.db").read_bytes()
    with pytest.raises(FeedsError, match="erased"):
        subscribe.add_subscriber(config, ADA, [], lang=None, now=NOW, again=False)


def test_an_erasure_that_was_killed_at_its_end_is_finished(config):
    """A request whose erasure was done before the process was killed is deleted by the next run."""
    erase.request_erasure(config, preferences_token(config), context())
    erase.erase_subscriber(config, ADA, NOW)
    answer_requests(config)
    with open_store(config.store_url, config.folder) as store:
        assert store.preferences.erasure_requests() == []
    assert b"ada@" not in (config.folder / ".feeds/feeds.db").read_bytes()


def move_to(config, old, new):
    """Move a subscriber to a new address by its link."""
    change_address.request_change(config, preferences_token(config, old), new, context())
    change_address.confirm_change(config, link_token(config, new), context(), client="192.0.2.1")


def statuses(config):
    """Return the status of each stored address."""
    with open_store(config.store_url, config.folder) as store:
        return {one.email: one.status for one in store.subscribers.iterate()}


def test_who_is_erased_is_erased_with_all_former_addresses(site, config):
    """After two moves, erasing by the page leaves nothing of any of the three addresses but their keyed hashes."""
    site.post("a")
    site.publish()
    save(config, {"weekly": []}, until=date(2026, 12, 24))
    move_to(config, ADA, BOB)
    move_to(config, BOB, CARL)
    subscribe.add_subscriber(config, "eve@example.org", ["weekly"], lang=None, now=NOW, again=False)
    erase.request_erasure(config, preferences_token(config, CARL), context())
    answer_requests(config)
    assert statuses(config) == {"eve@example.org": "active"}
    content = (config.folder / ".feeds/feeds.db").read_bytes()
    assert not [email for email in (ADA, BOB, CARL) if email.encode() in content]
    for table in ("subscription_changes", "chosen_pauses", "address_changes", "moved_subscribers"):
        assert dump(config, table) == ""
    assert dump(config, "suppressions").count("'erased'") == 3
    for email in (ADA, BOB, CARL):
        with pytest.raises(FeedsError, match="erased"):
            subscribe.add_subscriber(config, email, [], lang=None, now=NOW, again=False)


@pytest.mark.usefixtures("databases")
def test_an_interrupted_erasure_of_former_addresses_is_finished(config):
    """A second erasure erases the former addresses that the first one did not reach, and a third finds none."""
    move_to(config, ADA, BOB)
    move_to(config, BOB, CARL)
    erase.erase_subscriber(config, ADA, NOW)
    assert erase.erase_subscriber(config, CARL, NOW).former_addresses == (BOB,)
    assert statuses(config) == {}
    assert erase.erase_subscriber(config, CARL, NOW).former_addresses == ()


@pytest.mark.usefixtures("databases")
def test_a_former_address_that_subscribes_again_is_another_subscriber(config):
    """An old address that is subscribed again stays when the new one is erased."""
    move_to(config, ADA, BOB)
    subscribe.add_subscriber(config, ADA, ["weekly"], lang=None, now=NOW, again=True)
    assert subscribe.load_subscriber_data(config, BOB).former_addresses == ()
    assert erase.erase_subscriber(config, BOB, NOW).former_addresses == ()
    assert statuses(config) == {ADA: "active"}


@pytest.mark.usefixtures("databases")
def test_who_moves_back_has_one_former_address(config):
    """After a move to another address and back, the address between is the former one, and both are erased."""
    move_to(config, ADA, BOB)
    move_to(config, BOB, ADA)
    assert [one.email for one in subscribe.load_subscriber_data(config, ADA).former_addresses] == [BOB]
    assert erase.erase_subscriber(config, ADA, NOW).former_addresses == (BOB,)
    assert statuses(config) == {}


@pytest.mark.usefixtures("databases")
def test_the_download_has_the_former_addresses(site, config):
    """After two moves, the document has what is stored of both former addresses, letters included, the oldest first."""
    site.post("a")
    site.publish(NOW)
    move_to(config, ADA, BOB)
    move_to(config, BOB, CARL)
    found = subscriber_data_to_dict(subscribe.load_subscriber_data(config, CARL))
    ada, bob = found["former_addresses"]
    assert (found["email"], ada["email"], bob["email"]) == (CARL, ADA, BOB)
    assert (ada["status"], ada["former_addresses"], bob["former_addresses"]) == ("unsubscribed", [], [])
    assert {one["newsletter"] for one in ada["letters"]} == {"daily"}
    assert [one["how"] for one in bob["changes"]] == ["address", "address"]


def make_older(file, version):
    """Replace a store by one of an older version with the same rows."""
    older = file.with_name("older.db")
    with sa.create_engine(f"sqlite:///{older}", poolclass=sa.NullPool).begin() as connection:
        migrate(connection, version)
    with closing(sqlite3.connect(older, isolation_level=None)) as db:
        db.execute("ATTACH ? AS present", (str(file),))
        query = "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name != 'alembic_version'"
        for (table,) in db.execute(query).fetchall():
            columns = ", ".join(row[1] for row in db.execute(f"PRAGMA main.table_info({table})"))
            db.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM present.{table}")
    older.replace(file)


def test_a_move_of_an_older_version_is_linked_by_its_records(config):
    """A store of version 0013 with a recorded move has the old address as a former one of the new."""
    move_to(config, ADA, BOB)
    make_older(config.folder / ".feeds/feeds.db", "0013")
    assert [one.email for one in subscribe.load_subscriber_data(config, BOB).former_addresses] == [ADA]
