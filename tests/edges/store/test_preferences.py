"""What subscribers change themselves, in a real store of both databases."""

from datetime import UTC, datetime, timedelta

import pytest

from feeds.edges.store.networks import RequestLimits
from feeds.edges.store.subscription_changes import MOST_RECORDS
from feeds.model import ALL_NEWSLETTERS, ChangeSource, NewServiceMail, ServiceMailKind

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
LATER, LAST = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
ADA, BOB = "ada@example.org", "bob@example.org"
SOURCE = ChangeSource(how="link")


def _subscribe(store, email, wanted, at=NOW):
    store.subscribers.subscribe(email, email, wanted, lang="ja", consent="asked", source="web", at=at)
    return store.subscribers.find(email)


def _changes(store, key):
    return [(change.newsletter, change.what, change.topics) for change in store.preferences.changes(key)]


def _events(store):
    """The pending events of the journal, which only SQLite has."""
    return [(record.what, record.who, record.newsletter) for record in store.journal.load_pending().values()]


def test_leaving_the_last_newsletter_can_be_undone(store):
    """Who undoes leaving everything has the subscriptions and topics again, and is active."""
    ada = _subscribe(store, ADA, {"weekly": ["B", "A"], "daily": None})
    assert store.preferences.is_subscribed(ada.id, ALL_NEWSLETTERS)
    assert store.preferences.leave(ada.id, ALL_NEWSLETTERS, SOURCE, LATER)
    assert not store.preferences.leave(ada.id, "weekly", SOURCE, LATER)
    assert (store.subscribers.find(ADA).status, store.preferences.left_at(ada.id, "weekly")) == ("unsubscribed", LATER)
    assert not store.preferences.undo_leave(ada.id, ALL_NEWSLETTERS, NOW, SOURCE, LAST)
    assert store.preferences.undo_leave(ada.id, ALL_NEWSLETTERS, LATER, SOURCE, LAST)
    found = store.subscribers.find(ADA)
    assert (found.status, found.status_at, found.newsletters, found.topics) == (
        "active",
        LAST,
        ("daily", "weekly"),
        {"weekly": ("A", "B")},
    )
    assert store.preferences.left_at(ada.id, ALL_NEWSLETTERS) is None
    assert _changes(store, ADA) == [
        ("daily", "unsubscribed", ()),
        ("weekly", "unsubscribed", ()),
        ("daily", "subscribed", ()),
        ("weekly", "subscribed", ("A", "B")),
    ]


def test_undoing_a_leave_reactivates_only_whom_it_has_unsubscribed(store):
    """Who was suppressed after leaving stays unsubscribed when the leave is undone."""
    ada = _subscribe(store, ADA, {"weekly": None, "daily": None})
    store.preferences.leave(ada.id, "weekly", SOURCE, NOW)
    store.suppressions.suppress(ADA, "1:a", LATER)
    assert store.preferences.undo_leave(ada.id, "weekly", NOW, SOURCE, LAST)
    assert store.subscribers.find(ADA).status == "unsubscribed"


def test_preferences_are_saved_as_a_whole(store):
    """Newsletters, topics, language and pause are stored; newsletters that were not on the page stay."""
    ada = _subscribe(store, ADA, {"weekly": ["A"], "daily": None, "old": None})
    values = {"lang": None, "paused_until": LAST, "source": SOURCE, "now": LATER}
    store.preferences.save(ada.id, {"weekly": ["C", "B"]}, ["daily", "none"], **values)
    found = store.subscribers.find_by_id(ada.id)
    assert (found.newsletters, found.topics, found.lang) == (("old", "weekly"), {"weekly": ("B", "C")}, None)
    assert (store.preferences.paused_until(ada.id), store.preferences.paused_until_of(ADA)) == (LAST, LAST)
    store.preferences.save(ada.id, {}, ["weekly", "old"], **values | {"paused_until": None})
    assert (store.subscribers.find(ADA).status, store.preferences.paused_until(ada.id)) == ("unsubscribed", None)
    store.preferences.save(ada.id, {"daily": []}, [], **values)
    assert (store.subscribers.find(ADA).status, store.subscribers.find(ADA).newsletters) == ("active", ("daily",))
    assert store.subscribers.unsubscribed_newsletters(ADA) == {"old": LATER, "weekly": LATER}


def test_only_the_newest_changes_are_kept(store):
    """Who switches back and forth has a bounded number of records of each newsletter."""
    ada = _subscribe(store, ADA, {"weekly": None, "daily": None})
    store.preferences.leave(ada.id, "daily", SOURCE, NOW)
    for number in range(MOST_RECORDS):
        at = NOW + timedelta(minutes=number)
        store.preferences.save(
            ada.id, {"weekly": [str(number)]}, [], lang=None, paused_until=None, source=SOURCE, now=at
        )
        store.preferences.leave(ada.id, "weekly", SOURCE, at)
    assert len(_changes(store, ADA)) == MOST_RECORDS + 1
    assert _changes(store, ADA)[0] == ("daily", "unsubscribed", ())


def _move(store, old, email, at):
    """Move a subscriber to an address that they have asked for; return the number of the request."""
    numbers = []

    def make_mail(number):
        numbers.append(number)
        values = {"recipient": email, "recipient_key": email.lower(), "seed": b"seed", "expires_at": at}
        return NewServiceMail(kind=ServiceMailKind.ADDRESS, **values)

    store.preferences.record_address_change(old.id, None, make_mail, at)
    store.preferences.record_address_change(old.id, (email, email.lower()), make_mail, at)
    store.preferences.move(old, numbers[0], (email, email.lower()), SOURCE, at)
    return numbers[0]


def test_a_new_address_takes_everything_over(store):
    """A new address gets the subscriptions, language and pause; the old one leads to it, and is unsubscribed."""
    ada = _subscribe(store, ADA, {"weekly": ["A"]})
    values = {"lang": "ja", "source": SOURCE, "now": NOW}
    store.preferences.save(ada.id, {"weekly": ["A"]}, [], paused_until=LAST, **values)
    number = _move(store, ada, "Ada@Example.com", LATER)
    new = store.subscribers.find("ada@example.com")
    assert (new.email, new.status, new.lang, new.topics, new.created_at, new.status_at) == (
        "Ada@Example.com",
        "active",
        "ja",
        {"weekly": ("A",)},
        NOW,
        LATER,
    )
    assert store.preferences.paused_until(new.id) == LAST
    assert store.subscribers.find(ADA).status == "unsubscribed"
    assert store.subscribers.former_addresses("ada@example.com") == [ADA]
    assert store.preferences.has_moved(ada.id, "ada@example.com")
    assert store.preferences.find_address_change(number, ada.id).is_confirmed
    assert store.preferences.count_address_changes(ada.id, NOW) == 2
    assert store.preferences.wanted_addresses(ADA) == ["Ada@Example.com"]
    store.preferences.move(ada, number, ("Ada@Example.com", "ada@example.com"), SOURCE, LAST)
    assert store.subscribers.find("ada@example.com").status_at == LATER
    store.preferences.delete_address_changes(LATER)
    assert not store.preferences.has_address_changes(LAST)


def test_a_known_address_keeps_its_own_and_becomes_active(store):
    """A known address keeps its topics, gets what it had left, and who returns to the old address has not moved."""
    ada = _subscribe(store, ADA, {"weekly": ["A"], "daily": None})
    bob = _subscribe(store, BOB, {"weekly": ["B"], "daily": None})
    store.preferences.leave(bob.id, "daily", SOURCE, NOW)
    store.subscribers.unsubscribe(BOB, NOW)
    _move(store, ada, BOB, LATER)
    found = store.subscribers.find(BOB)
    assert (found.status, found.newsletters, found.topics) == ("active", ("daily", "weekly"), {"weekly": ("B",)})
    assert store.subscribers.unsubscribed_newsletters(BOB) == {}
    assert store.subscribers.former_addresses(BOB) == [ADA]
    _subscribe(store, ADA, {"weekly": None}, LAST)
    assert store.subscribers.former_addresses(BOB) == []


def test_what_subscribers_change_is_recorded_in_the_journal(sqlite_store):
    """Leaving, returning and each change of a status are recorded once, and nothing else."""
    store = sqlite_store
    ada = _subscribe(store, ADA, {"weekly": None, "daily": None})
    bob = _subscribe(store, BOB, {"daily": None})
    store.preferences.leave(bob.id, "daily", SOURCE, NOW)
    store.preferences.leave(ada.id, "daily", SOURCE, NOW)
    store.preferences.undo_leave(ada.id, "daily", NOW, SOURCE, NOW)
    _move(store, ada, BOB, LATER)
    store.preferences.save(bob.id, {"weekly": []}, [], lang=None, paused_until=None, source=SOURCE, now=LAST)
    assert _events(store) == [
        ("left", BOB, "daily"),
        ("unsubscribed", BOB, ""),
        ("left", ADA, "daily"),
        ("returned", ADA, "daily"),
        ("active", BOB, ""),
        ("returned", BOB, "daily"),
        ("unsubscribed", ADA, ""),
    ]


def test_a_suppression_is_recorded_in_the_journal(sqlite_store):
    """That a digest is added, gets another reason, or is removed is recorded once each."""
    suppressions = sqlite_store.suppressions
    suppressions.suppress(ADA, "1:a", NOW)
    suppressions.suppress(ADA, "1:a", NOW)
    suppressions.erase(ADA, {ADA}, "1:a", LATER)
    suppressions.erase(ADA, {ADA}, "1:a", LATER)
    suppressions.allow(("2:a", "1:a"), LAST)
    suppressions.allow(("2:a", "1:a"), LAST)
    assert _events(sqlite_store) == [("suppressed", "1:a", ""), ("erased", "1:a", ""), ("allowed", "1:a", "")]


@pytest.mark.parametrize("networks", [10, 0], ids=["counted", "not counted"])
def test_requests_wait_until_they_are_answered(store, networks):
    """Requests for links are stored once for each address, as many as a network may send, and in their order."""
    limits = RequestLimits(of_network=2, requests=10, networks=networks)
    accepted = [
        store.preferences.request_link(key, "net", NOW + timedelta(seconds=number), NOW - timedelta(hours=1), limits)
        for number, key in enumerate((BOB, BOB, ADA))
    ]
    assert accepted == [True, True, networks == 0]
    assert store.preferences.link_requests() == [BOB, ADA][: 2 if networks == 0 else 1]
    store.preferences.delete_link_requests([ADA, BOB])
    assert not store.preferences.has_requests()


def test_who_wants_to_be_erased_is_unsubscribed_at_once(store):
    """A request for erasure waits, its subscriber gets nothing more, and the request is deleted when it is done."""
    _subscribe(store, ADA, {"weekly": None})
    store.preferences.request_erasure(ADA, LATER)
    store.preferences.request_erasure(ADA, LAST)
    assert (store.subscribers.find(ADA).status, store.preferences.erasure_requests()) == ("unsubscribed", [ADA])
    assert store.preferences.has_requests()
    store.preferences.delete_erasure_request(ADA)
    assert store.preferences.erasure_requests() == []
