"""Sign-ups in a real store."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from feeds.edges.store.networks import RequestLimits
from feeds.edges.store.signups import RequestOutcome, SignupCounts
from feeds.model import (
    BY_MAIL,
    ChangeSource,
    DeliveryOutcome,
    DeliveryState,
    NewServiceMail,
    ServiceMailKind,
    SignupRequest,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LIMITS = RequestLimits(of_network=3, requests=5, networks=100)
WEB = ChangeSource(how="web", wording="w1", client="c1")


def asked(name="Ada", **values):
    request = SignupRequest(
        email=f"{name}@readers.example",
        key=f"{name}@readers.example".lower(),
        newsletters=("weekly",),
        lang="de",
        client="c1",
        network="n1",
        wording="w1",
        signals=("fast", "雨"),
        at=NOW,
    )
    return replace(request, **values)


def make_mail(signup, kind=ServiceMailKind.CONFIRMATION):
    return NewServiceMail(
        kind=kind,
        recipient=signup.email,
        recipient_key=signup.key,
        values={"url": f"https://example.com/{signup.id}"},
        seed=b"seed",
        expires_at=NOW + 7 * DAY,
    )


@pytest.fixture
def signups(store):
    return store.signups


def enter(signups, name="Ada", **values):
    """Record a request; return it as it is stored."""
    request = asked(name, **values)
    assert signups.record_request(request, NOW - HOUR, LIMITS) is RequestOutcome.ACCEPTED
    return next(one for one in signups.load_requests(100) if one.key == request.key)


def wait_for_click(signups, name="Ada", now=NOW, **values):
    """Make a sign-up that waits for its click."""
    request = enter(signups, name, at=now, **values)
    assert signups.confirm_request(request, make_mail, now)
    return signups.find_by_key(request.key)


def queued(store, name="ada"):
    return [(record.kind, record.state) for record in store.service_mails.iterate_records(f"{name}@readers.example")]


def send_all(store, now=NOW):
    """Record all mail that is due as sent; return the ids."""
    numbers = [mail.id for mail in store.service_mails.load_due(0, 100, now, resend=1)]
    outcomes = [DeliveryOutcome(id=number, state=DeliveryState.SENT, answer="250 OK") for number in numbers]
    store.service_mails.commit_and_begin(outcomes, [], now)
    return numbers


def test_a_request_is_loaded_as_it_was_entered(signups):
    """A request has all that was entered, in any script; the last one of an address counts, the oldest comes first."""
    enter(signups, at=NOW)
    bob = enter(signups, "bob", at=NOW + MINUTE, newsletters=("weekly", "daily"), signals=())
    again = enter(signups, at=NOW + 2 * MINUTE, lang="en", client="c2", network="n2", wording="w2")
    assert again == asked(id=again.id, at=NOW + 2 * MINUTE, lang="en", client="c2", network="n2", wording="w2")
    assert (bob.newsletters, bob.signals) == (("daily", "weekly"), ())
    assert signups.load_requests(2) == [bob, again]
    assert signups.load_requests(1) == [bob]


def test_requests_are_limited(signups):
    """A network has a number of requests in a period, and only so many requests wait."""
    at = [NOW, NOW, NOW, NOW, NOW + HOUR]
    outcomes = [signups.record_request(asked(f"a{n}", at=t), t - HOUR, LIMITS) for n, t in enumerate(at)]
    assert outcomes == [*["accepted"] * 3, "too many", "accepted"]
    outcomes = [signups.record_request(asked(f"b{n}", network=f"b{n}"), NOW - HOUR, LIMITS) for n in range(3)]
    assert outcomes == ["accepted", "busy", "busy"]
    assert len(signups.load_requests(100)) == 5


def test_words_of_consent_are_stored_once(store, signups):
    """The words of a version stay as they were first."""
    assert not signups.has_wording("w1")
    signups.record_wording("w1", "de", "Ja, 雨", NOW)
    signups.record_wording("w1", "en", "Yes", NOW + DAY)
    assert (signups.has_wording("w1"), signups.has_wording("w2")) == (True, False)
    rows = store.database.connection.execute("SELECT lang, text FROM consent_wordings").fetchall()
    assert rows == [("de", "Ja, 雨")]


def test_a_request_becomes_a_signup_that_waits_with_a_confirmation(store, signups):
    """A confirmed request is a sign-up that waits for its click; its confirmation has its id."""
    request = enter(signups)
    assert signups.confirm_request(request, make_mail, NOW + MINUTE)
    found = signups.find_by_key("ada@readers.example")
    assert (found.email, found.newsletters, found.lang) == ("Ada@readers.example", ("weekly",), "de")
    assert (found.client, found.wording, found.state, found.held) == ("c1", "w1", "waiting", "")
    assert (found.created_at, found.confirmation_at) == (NOW + MINUTE, NOW + MINUTE)
    assert signups.find(found.id) == found
    assert (signups.find(found.id + 1), signups.find_by_key("bob@readers.example")) == (None, None)
    [mail] = store.service_mails.load_due(0, 10, NOW + DAY, resend=1)
    assert mail.values == {"url": f"https://example.com/{found.id}"}
    assert signups.load_requests(10) == []


def test_a_request_that_is_gone_or_was_entered_again_is_not_taken(store, signups):
    """Of two processes, one takes a request; one that was entered again meanwhile waits for the next run."""
    first = enter(signups)
    enter(signups, at=NOW + MINUTE)
    assert not signups.confirm_request(first, make_mail, NOW)
    assert not signups.hold(first, "why", NOW)
    [again] = signups.load_requests(10)
    assert signups.hold(again, "why", NOW)
    assert not signups.hold(again, "why", NOW)
    assert queued(store) == []


def test_a_held_signup_waits_for_the_editor(store, signups):
    """A held sign-up has a reason and no confirmation until it is released, once."""
    assert signups.hold(enter(signups), "many requests", NOW)
    [held] = signups.iterate("held")
    assert (held.held, held.confirmation_at, signups.count()) == (
        "many requests",
        None,
        SignupCounts(held=1, waiting=0),
    )
    assert signups.release(held, make_mail(held), NOW + HOUR)
    assert not signups.release(held, make_mail(held), NOW + HOUR)
    [waiting] = signups.iterate("waiting")
    assert (waiting.held, waiting.created_at, waiting.confirmation_at) == ("", NOW, NOW + HOUR)
    assert (signups.count(), queued(store)) == (SignupCounts(held=0, waiting=1), [("confirmation", "ready")])


def test_signups_of_a_state_are_in_the_order_of_their_times(signups):
    """The oldest sign-up comes first."""
    for name, at in (("eve", NOW + MINUTE), ("ada", NOW), ("bob", NOW + 2 * MINUTE)):
        signups.hold(enter(signups, name, network=name), "why", at)
    assert [one.key[:3] for one in signups.iterate("held")] == ["ada", "eve", "bob"]


def test_a_second_signup_keeps_the_time_of_the_first(signups):
    """Who signs up again before the click keeps the first time; a held one keeps the time of the confirmation."""
    first = wait_for_click(signups)
    again = wait_for_click(signups, now=NOW + HOUR, lang="en", newsletters=("daily",))
    assert (again.id, again.created_at, again.confirmation_at) == (first.id, NOW, NOW + HOUR)
    assert (again.lang, again.newsletters) == ("en", ("daily",))
    assert signups.hold(enter(signups, at=NOW + 2 * HOUR), "why", NOW + 2 * HOUR)
    held = signups.find(first.id)
    assert (held.state, held.created_at, held.confirmation_at) == ("held", NOW, NOW + HOUR)


def test_who_was_confirmed_and_signs_up_again_begins_anew(store, signups):
    """A sign-up after a confirmed one has a new time, and can be reminded again."""
    first = wait_for_click(signups)
    assert signups.remind(first, make_mail(first, ServiceMailKind.REMINDER), NOW)
    assert confirm(signups, first, NOW + MINUTE)
    again = wait_for_click(signups, now=NOW + HOUR)
    assert (again.id, again.state, again.created_at) == (first.id, "waiting", NOW + HOUR)
    send_all(store, NOW + HOUR)
    assert signups.load_for_reminder(NOW + HOUR, 10) == [again]
    assert not signups.has_work(None, NOW + MINUTE)


def confirm(signups, signup, now, welcome=lambda: None):
    return signups.confirm(signup, consent="clicked", source=WEB, welcome=welcome, now=now)


def test_the_click_subscribes_once(store, signups):
    """A click subscribes the address with its consent, cancels what waits for it, and queues the welcome, once."""
    signup = wait_for_click(signups, newsletters=("weekly", "daily"))

    def welcome():
        assert store.subscribers.find(signup.key) is not None
        return make_mail(signup, ServiceMailKind.WELCOME)

    assert confirm(signups, signup, NOW + HOUR, welcome)
    assert not confirm(signups, signup, NOW + 2 * HOUR, welcome)
    subscriber = store.subscribers.find("ada@readers.example")
    assert (subscriber.status, subscriber.newsletters, subscriber.lang) == ("active", ("daily", "weekly"), "de")
    assert (subscriber.consent, subscriber.source, subscriber.created_at) == ("clicked", "web", NOW + HOUR)
    assert queued(store) == [("confirmation", "cancelled"), ("welcome", "ready")]
    assert signups.find(signup.id).state == "confirmed"


def test_a_reply_by_mail_subscribes_too(store, signups):
    """A sign-up by mail has mail as its source, and needs no welcome."""
    signup = wait_for_click(signups, wording=BY_MAIL)
    assert confirm(signups, signup, NOW)
    assert store.subscribers.find("ada@readers.example").source == "mail"
    assert queued(store) == [("confirmation", "cancelled")]


def test_newsletters_are_added_to_a_signup_that_waits(signups):
    """A request for more is merged into the sign-up that waits, without another confirmation."""
    wait_for_click(signups)
    signups.merge(enter(signups, newsletters=("daily", "weekly"), at=NOW + MINUTE))
    assert signups.find_by_key("ada@readers.example").newsletters == ("daily", "weekly")
    signups.merge(enter(signups, "bob"))
    assert signups.find_by_key("bob@readers.example") is None
    assert signups.load_requests(10) == []


def test_a_request_can_be_dropped(signups):
    """A dropped request leaves nothing."""
    signups.drop(enter(signups))
    assert (signups.load_requests(10), signups.find_by_key("ada@readers.example")) == ([], None)


def test_signups_near_are_those_of_the_client_and_its_network(signups):
    """Other addresses that a client, or its network, has signed up after a time are counted."""
    for n, (name, client, network) in enumerate([("a", "c1", "n1"), ("b", "c2", "n1"), ("c", "c1", "n2")]):
        signups.hold(enter(signups, name, client=client, network=network), "why", NOW + n * MINUTE)
    request = asked("new")
    assert signups.count_near(request, NOW - MINUTE) == (1, 2)
    assert signups.count_near(request, NOW) == (0, 1)
    assert signups.count_near(asked("a"), NOW - MINUTE) == (0, 1)
    assert signups.count_near(asked("new", network="other"), NOW - MINUTE) == (0, 0)


def test_a_reminder_follows_a_confirmation_that_was_sent(store, signups):
    """A sign-up is reminded once, if its confirmation was sent long enough ago."""
    ada, bob = wait_for_click(signups), wait_for_click(signups, "bob", NOW + HOUR)
    assert signups.load_for_reminder(NOW + DAY, 10) == []
    send_all(store, NOW + HOUR)
    assert signups.load_for_reminder(NOW + DAY, 10) == [ada, bob]
    assert (signups.load_for_reminder(NOW + DAY, 1), signups.load_for_reminder(NOW, 10)) == ([ada], [ada])
    assert (signups.has_work(NOW, NOW - DAY), signups.has_work(None, NOW - DAY)) == (True, False)
    assert signups.remind(ada, make_mail(ada, ServiceMailKind.REMINDER), NOW + DAY)
    assert not signups.remind(ada, make_mail(ada, ServiceMailKind.REMINDER), NOW + DAY)
    assert signups.load_for_reminder(NOW + DAY, 10) == [bob]
    assert queued(store) == [("confirmation", "sent"), ("reminder", "ready")]


def test_there_is_work_if_something_waits(signups):
    """A request is work, and so is a sign-up that has expired."""
    assert not signups.has_work(None, NOW)
    request = enter(signups)
    assert signups.has_work(None, NOW - DAY)
    signups.hold(request, "why", NOW)
    assert [signups.has_work(None, NOW - MINUTE), signups.has_work(None, NOW)] == [False, True]


def test_old_signups_are_deleted(signups):
    """Sign-ups expire without a click, records of confirmed ones later; counts of networks are deleted on their own."""
    ada, bob = wait_for_click(signups), wait_for_click(signups, "bob", NOW + HOUR)
    confirm(signups, ada, NOW + 2 * HOUR)
    signups.hold(enter(signups, "eve"), "why", NOW)
    assert signups.delete_old(NOW, NOW - HOUR) == 1
    assert signups.record_request(asked("joe"), NOW - HOUR, LIMITS) is RequestOutcome.TOO_MANY
    assert signups.delete_old(NOW + HOUR, NOW) == 1
    assert (signups.find(bob.id), signups.find(ada.id).state) == (None, "confirmed")
    assert signups.record_request(asked("joe"), NOW - HOUR, LIMITS) is RequestOutcome.ACCEPTED
    assert signups.delete_old(NOW + 2 * HOUR, NOW) == 0
    assert signups.find(ada.id) is None


def test_deleting_a_signup_deletes_what_belongs_to_it(store, signups):
    """The request of the address is deleted too, and the mail that waits is cancelled."""
    wait_for_click(signups)
    enter(signups, at=NOW + MINUTE)
    wait_for_click(signups, "bob")
    assert signups.delete(["ada@readers.example", "never@readers.example"]) == 1
    assert (signups.find_by_key("ada@readers.example"), signups.load_requests(10)) == (None, [])
    assert (queued(store), queued(store, "bob")) == ([("confirmation", "cancelled")], [("confirmation", "ready")])


def test_complaints_are_counted_until_they_are_forgotten(store, signups):
    """Complaints about confirmations are counted by the time of the mail, until the editor forgets them."""
    wait_for_click(signups)
    wait_for_click(signups, "bob", NOW + HOUR)
    _, second = send_all(store, NOW + HOUR)
    assert (signups.count_complaints(NOW - DAY), signups.first_complaint()) == ((2, 0), 0)
    with store.bounces.transaction():
        store.bounces.apply_service_complaint(store.bounces.find_service_mail(second), "1-x:digest", NOW + DAY)
    assert (signups.count_complaints(NOW - DAY), signups.count_complaints(NOW + HOUR)) == ((2, 1), (0, 0))
    assert signups.first_complaint() == second
    assert (signups.forget_complaints(), signups.forget_complaints()) == (1, 0)
    assert signups.count_complaints(NOW - DAY) == (2, 0)
    assert store.suppressions.find(["1-x:digest"]) is not None
