"""Bounces in a real store."""

from datetime import UTC, datetime, timedelta

import pytest

from feeds.edges.store.database import open_store
from feeds.edges.store.interface import encode_time
from feeds.edges.store.statements import load_file
from feeds.model import (
    DeliveryOutcome,
    DeliveryState,
    IssueContent,
    IssuePage,
    Letter,
    NewIssue,
    NewServiceMail,
    Recipient,
    RenderedIssue,
    Selection,
    ServiceMailKind,
    SubscriberPreferences,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
NEWSLETTERS = {"weekly": None, "daily": None}


@pytest.fixture
def store(tmp_path, store_url):
    """Ada and Bob read two newsletters; an issue of each is being sent to both."""
    with open_store(store_url, tmp_path) as found:
        for name in ("ada", "bob"):
            email = f"{name}@readers.example"
            found.subscribers.subscribe(email, email, NEWSLETTERS, lang=None, consent="asked", at=NOW - 90 * DAY)
        for newsletter in NEWSLETTERS:
            freeze(found, newsletter, 1)
        yield found


def freeze(store, newsletter, number):
    selection = Selection(stories=())
    issue = NewIssue(
        newsletter=newsletter,
        number=number,
        slot=NOW + number * DAY,
        subject="S",
        selection=selection,
        page=IssuePage(html="P"),
        content=IssueContent(selection=selection, texts={}),
        seed=b"seed",
        rendered=RenderedIssue(
            letters=[Letter(lang="en", subject="S", html="<p>", text="T")], letter_index={SubscriberPreferences(): 0}
        ),
    )
    assert store.issues.freeze(issue, NOW)


@pytest.fixture
def bounces(store):
    return store.bounces


def status(store, name="ada"):
    return store.subscribers.find(f"{name}@readers.example").status


def record(bounces, delivery=1, kind="hard", at=NOW):
    with bounces.transaction():
        return bounces.record_bounce(bounces.find_delivery(delivery), kind, "5.1.1", "550 5.1.1 no", at)


def apply(bounces, decision, until=None):
    with bounces.transaction():
        [bounce] = bounces.load_undecided()
        bounces.apply_decision(bounce, decision, until)


def test_a_delivery_says_whom_it_is_for(bounces):
    """A delivery gives its recipient, and the seed with which its token is verified."""
    found = bounces.find_delivery(1)
    assert (found.email, found.domain, found.seed) == ("ada@readers.example", "readers.example", b"seed")
    assert (found.newsletter, found.number, found.subscriber_id) == ("weekly", 1, 1)
    assert bounces.find_delivery(99) is None
    assert bounces.find_subscriber(1) == Recipient(
        subscriber_id=1, email="ada@readers.example", domain="readers.example"
    )
    assert bounces.find_subscriber(99) is None


def test_a_delivery_bounces_once_in_each_way(bounces):
    """A delivery has at most one bounce of each kind; `copy_to` addresses and erased people have none."""
    assert record(bounces)
    assert not record(bounces)
    assert record(bounces, kind="complaint")
    with bounces.transaction():
        assert not bounces.record_bounce(Recipient(subscriber_id=None, email="", domain="x"), "hard", "5.1.1", "", NOW)
        assert not bounces.record_bounce(Recipient(subscriber_id=99, email="", domain="x"), "hard", "5.1.1", "", NOW)
    assert [bounce.kind for bounce in bounces.load_undecided()] == ["hard", "complaint"]


def test_a_message_is_handled_once_and_forgotten_after_a_year(bounces):
    """A message can be claimed once; its digest is deleted after a year."""
    for now, is_new in ((NOW, True), (NOW + DAY, False), (NOW + 366 * DAY, True)):
        with bounces.transaction():
            bounces.delete_old_messages(now)
            assert bounces.claim_message("digest", now) is is_new


def test_all_of_it_is_kept_or_nothing(bounces):
    """An exception or a dry run rolls the transaction back."""

    def interrupt():
        with bounces.transaction():
            bounces.claim_message("digest", NOW)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    with bounces.transaction(dry_run=True):
        assert bounces.claim_message("digest", NOW)
    with bounces.transaction():
        assert bounces.claim_message("digest", NOW)


def test_who_is_paused_gets_nothing_until_it_is_over(store, bounces):
    """A paused subscriber gets no issues until the pause ends, and stays active."""
    record(bounces)
    apply(bounces, "paused", NOW + 7 * DAY)
    assert (status(store), store.issues.load_preferences("weekly")) == ("active", {SubscriberPreferences(): 1})
    bounces.end_pauses(NOW + 6.9 * DAY)
    assert store.issues.load_preferences("weekly") == {SubscriberPreferences(): 1}
    freeze(store, "weekly", 2)
    assert [d.recipient for d in store.deliveries.claim(3, 10, NOW, resend=1)] == ["bob@readers.example"]
    bounces.end_pauses(NOW + 7 * DAY)
    assert store.issues.load_preferences("weekly") == {SubscriberPreferences(): 2}


@pytest.mark.parametrize("decision", ["bounced", "complained"])
def test_who_is_given_up_gets_nothing_more(store, bounces, decision):
    """A bounced or complained subscriber gets no issues, and pending deliveries are cancelled."""
    record(bounces)
    apply(bounces, decision)
    assert (status(store), store.issues.load_preferences("weekly")) == (decision, {SubscriberPreferences(): 1})
    assert [d.recipient for d in store.deliveries.claim(1, 10, NOW, resend=1)] == ["bob@readers.example"]


def test_a_domain_that_is_paused_gets_nothing(store, bounces):
    """Subscribers of a paused domain get no issues; subdomains and similar names are not paused."""
    store.subscribers.subscribe(
        "eve@sub.readers.example", "eve@sub.readers.example", NEWSLETTERS, lang=None, consent="", at=NOW
    )
    store.subscribers.subscribe(
        "joe@myreaders.example", "joe@myreaders.example", NEWSLETTERS, lang=None, consent="", at=NOW
    )
    for day in (1, 3):
        with bounces.transaction():
            bounces.pause_domain("readers.example", 1, NOW + day * DAY, "why", NOW)
    assert store.issues.load_preferences("weekly") == {SubscriberPreferences(): 2}
    [paused] = bounces.paused_domains(NOW + 2 * DAY)
    assert (paused.domain, paused.reason) == ("readers.example", "why")
    assert bounces.paused_domains(NOW + 3 * DAY) == ()
    bounces.end_pauses(NOW + 3 * DAY)
    assert store.issues.load_preferences("weekly") == {SubscriberPreferences(): 4}


def test_what_a_paused_domain_had_decided_is_taken_back(store, bounces):
    """Pausing a domain undoes the decisions on bounces of the issue there, except on complaints."""
    record(bounces, 1)
    apply(bounces, "bounced")
    record(bounces, 2)
    apply(bounces, "paused", NOW + 7 * DAY)
    record(bounces, 3, kind="complaint", at=NOW)
    with bounces.transaction():
        bounces.pause_domain("readers.example", 1, NOW + DAY, "why", NOW)
    assert bounces.is_domain_held("readers.example", 1)
    assert not bounces.is_domain_held("readers.example", 2)
    assert [bounce.kind for bounce in bounces.load_undecided()] == ["complaint"]
    bounces.end_pauses(NOW + DAY)
    assert store.issues.load_preferences("weekly") == {SubscriberPreferences(): 2}
    assert bounces.earlier_bounces(1, 0) == []


def test_revive_undoes_what_was_decided_in_a_time(store, bounces):
    """A revival undoes the decisions of a period, and not those before or after it."""
    record(bounces, 1, at=NOW)
    apply(bounces, "bounced")
    record(bounces, 2, at=NOW + DAY)
    apply(bounces, "paused", NOW + 8 * DAY)
    assert bounces.revive_domain("other.example", NOW, NOW + DAY, NOW).undone == 0
    counts = bounces.revive_domain("readers.example", NOW, NOW + DAY, NOW + DAY)
    assert (counts.reactivated, counts.unpaused, counts.undone, counts.domain_unpaused) == (1, 0, 1, False)
    assert (status(store), store.issues.load_preferences("weekly")) == ("active", {SubscriberPreferences(): 1})
    again = bounces.revive_domain("readers.example", NOW, NOW + 2 * DAY, NOW + 2 * DAY)
    assert (again.reactivated, again.unpaused, again.undone) == (0, 1, 1)
    assert store.issues.load_preferences("weekly") == {SubscriberPreferences(): 2}


@pytest.mark.parametrize("later", ["unsubscribed", "complained"])
def test_revive_brings_nobody_back_who_has_left_or_complained(store, bounces, later):
    """A revival does not reactivate a subscriber who has unsubscribed or complained since."""
    record(bounces, 1)
    apply(bounces, "bounced")
    if later == "unsubscribed":
        store.subscribers.unsubscribe("ada@readers.example", NOW)
    else:
        record(bounces, 1, kind="complaint")
        apply(bounces, "complained")
    assert bounces.revive_domain("readers.example", NOW - DAY, NOW + DAY, NOW).reactivated == 0
    assert status(store) == later


def test_what_counts_is_since_a_reader_stands_as_they_do(store, bounces):
    """Bounces before the last change of status do not count, nor undone or held ones."""
    record(bounces, 1)
    apply(bounces, "bounced")
    assert bounces.earlier_bounces(1, 0) == [("hard", NOW)]
    bounces.revive_domain("readers.example", NOW, NOW + DAY, NOW + DAY)
    assert bounces.earlier_bounces(1, 0) == []


def test_a_letter_has_arrived_if_it_went_out_and_did_not_come_back(store, bounces):
    """The last arrival is the last sent delivery without a bounce."""
    claimed = store.deliveries.claim(1, 10, NOW, resend=1)
    sent = [DeliveryOutcome(id=one.id, state=DeliveryState.SENT, answer="250 OK") for one in claimed]
    store.deliveries.commit_and_begin(sent, [], NOW)
    assert (bounces.last_arrival(1, NOW), bounces.last_arrival(1, NOW - DAY)) == (NOW, None)
    record(bounces)
    assert (bounces.last_arrival(1, NOW), bounces.last_arrival(2, NOW)) == (None, NOW)


def test_leaving_ends_one_subscription_and_the_last_one_all(store, bounces):
    """Unsubscribing from one newsletter cancels its pending deliveries; from the last one, it sets the status."""
    ada = bounces.find_subscriber(1)
    for left in (["weekly"], []):
        with bounces.transaction():
            assert bounces.unsubscribe_from(ada, "weekly", NOW) == left
    assert (status(store), store.subscribers.find("ada@readers.example").newsletters) == ("active", ("daily",))
    assert bounces.newsletters_of(1) == ["daily", "weekly"]
    assert [d.recipient for d in store.deliveries.claim(1, 10, NOW, resend=1)] == ["bob@readers.example"]
    assert len(store.deliveries.claim(2, 10, NOW, resend=1)) == 2
    with bounces.transaction():
        bounces.unsubscribe_from(ada, "daily", NOW)
    assert status(store) == "unsubscribed"
    assert status(store, "bob") == "active"


def test_refusals_are_found_a_portion_at_a_time_and_once(store, bounces):
    """Refused deliveries of an issue are returned in batches, and only those without a bounce."""
    claimed = store.deliveries.claim(1, 10, NOW, resend=1)
    refused = [DeliveryOutcome(id=one.id, state=DeliveryState.FAILED, answer="550 5.1.1 no") for one in claimed]
    store.deliveries.commit_and_begin(refused, [], NOW)
    [first] = bounces.refused_deliveries(1, 0, 1)
    assert (first.delivery_id, first.domain, first.answer) == (1, "readers.example", "550 5.1.1 no")
    assert [one.delivery_id for one in bounces.refused_deliveries(1, first.delivery_id, 1)] == [2]
    assert bounces.refused_deliveries(2, 0, 10) == []
    assert bounces.refused_deliveries(99, 0, 10) == []
    record(bounces)
    assert [one.delivery_id for one in bounces.refused_deliveries(1, 0, 10)] == [2]
    assert (bounces.count_bounces("readers.example", 1), bounces.count_recipients("readers.example", 1)) == ((1, 0), 2)


def test_with_a_person_goes_what_bounced(store, bounces):
    """Erasing a subscriber deletes their bounces and pauses."""
    record(bounces)
    apply(bounces, "paused", NOW + DAY)
    with bounces.transaction():
        bounces.unsubscribe_from(bounces.find_subscriber(1), "weekly", NOW)
    store.suppressions.erase("ada@readers.example", ["ada@readers.example"], "1-x:digest", NOW)
    assert bounces.revive_domain("readers.example", NOW - DAY, NOW + DAY, NOW).undone == 0
    assert bounces.newsletters_of(1) == []
    assert bounces.find_delivery(1).subscriber_id is None


def test_what_a_paused_domain_waits_for_is_sent_when_it_is_released(store, bounces):
    """Deliveries at a paused domain wait, and no others; when it is released, they and its bounces are due again."""
    store.subscribers.subscribe("joe@x.example", "joe@x.example", NEWSLETTERS, lang=None, consent="", at=NOW)
    freeze(store, "weekly", 2)
    record(bounces)
    with bounces.transaction():
        bounces.pause_domain("readers.example", 1, NOW + 3 * DAY, "why", NOW)
    assert [d.recipient for d in store.deliveries.claim(3, 10, NOW, resend=1)] == ["joe@x.example"]
    with bounces.transaction():
        assert bounces.release_domain("readers.example") == 1
    assert len(store.deliveries.claim(3, 10, NOW, resend=1)) == 2
    assert [bounce.kind for bounce in bounces.load_undecided()] == ["hard"]
    with bounces.transaction():
        assert bounces.release_domain("readers.example") == 0


def test_decided_bounces_at_a_domain_are_counted_apart(store, bounces):
    """Bounces of an issue at a domain are counted by kind: all that were not undone, or those that were applied."""
    record(bounces, 1)
    apply(bounces, "bounced")
    record(bounces, 2, kind="policy")
    record(bounces, 3)
    domain = "readers.example"
    assert (bounces.count_bounces(domain, 1), bounces.count_bounces(domain, 1, decided=True)) == ((1, 1), (1, 0))
    assert (bounces.count_bounces(domain, 2), bounces.count_bounces("x.example", 1)) == ((1, 0), (0, 0))
    bounces.revive_domain(domain, NOW, NOW + DAY, NOW + DAY)
    assert (bounces.count_bounces(domain, 1), bounces.load_undecided()) == ((0, 0), [])


def test_a_bounce_of_a_known_subscriber_needs_no_delivery(bounces):
    """Bounces for which only the subscriber is known are all stored."""
    for _ in range(2):
        with bounces.transaction():
            assert bounces.record_bounce(bounces.find_subscriber(1), "hard", "5.1.1", "550 雨", NOW)
    found = [(one.email, one.issue_id, one.said, one.at, one.subscriber_status) for one in bounces.load_undecided()]
    assert found == [("ada@readers.example", None, "550 雨", NOW, "active")] * 2


def test_a_domain_is_what_follows_the_last_at_sign(store, bounces):
    """A quoted name may have an at sign as well."""
    email = '"a@b"@x.example'
    store.subscribers.subscribe(email, email, NEWSLETTERS, lang=None, consent="", at=NOW)
    freeze(store, "weekly", 2)
    assert bounces.find_subscriber(3).domain == "x.example"
    domains = {one.email: one.domain for one in (bounces.find_delivery(number) for number in range(5, 8))}
    assert domains == dict.fromkeys(("ada@readers.example", "bob@readers.example"), "readers.example") | {
        email: "x.example"
    }


def service_mail(store, email="ada@readers.example", kind=ServiceMailKind.WELCOME):
    """Queue a mail to one person; return its id."""
    mail = NewServiceMail(kind=kind, recipient=email, recipient_key=email, seed=b"s", expires_at=NOW + DAY)
    store.service_mails.add(mail, NOW)
    return store.service_mails.load_due(0, 100, NOW, resend=1)[-1].id


def test_a_mail_outside_of_issues_says_whom_it_is_for(store, bounces):
    """A mail to one person gives its recipient, with the subscriber if there is one."""
    known, unknown = service_mail(store), service_mail(store, "eve@x.example")
    assert bounces.find_service_mail(known) == Recipient(
        subscriber_id=1, email="ada@readers.example", domain="readers.example", seed=b"s", mail_id=known
    )
    assert bounces.find_service_mail(unknown) == Recipient(
        subscriber_id=None, email="eve@x.example", domain="x.example", seed=b"s", mail_id=unknown
    )
    assert bounces.find_service_mail(unknown + 1) is None
    with bounces.transaction():
        bounces.apply_service_bounce(unknown, "550 5.1.1 no")
    assert [record.state for record in store.service_mails.iterate_records("eve@x.example")] == ["failed"]


def test_who_reports_a_mail_outside_of_issues_as_spam_gets_nothing_more(store, bounces):
    """The address is suppressed, its subscriber has complained and is sent nothing more, as of the first report."""
    number = service_mail(store)
    service_mail(store, kind=ServiceMailKind.CONFIRMATION)
    for at in (NOW + DAY, NOW + 2 * DAY):
        with bounces.transaction():
            bounces.apply_service_complaint(bounces.find_service_mail(number), "1-x:digest", at)
    found = store.subscribers.find("ada@readers.example")
    assert (found.status, found.status_at) == ("complained", NOW + DAY)
    assert store.suppressions.find(["1-x:digest"]).at == NOW + DAY
    assert [d.recipient for d in store.deliveries.claim(1, 10, NOW, resend=1)] == ["bob@readers.example"]
    states = [record.state for record in store.service_mails.iterate_records("ada@readers.example")]
    assert states == ["ready", "cancelled"]


def test_an_unknown_address_that_reports_spam_is_suppressed_too(store, bounces):
    """A complaint of who is no subscriber suppresses the address."""
    number = service_mail(store, "eve@x.example")
    with bounces.transaction():
        bounces.apply_service_complaint(bounces.find_service_mail(number), "1-x:digest", NOW)
    assert store.suppressions.find(["1-x:digest"]).reason == "suppressed"
    assert store.subscribers.find("eve@x.example") is None


def test_expired_pauses_end_each_on_its_own(store, bounces):
    """Without an expired pause, nothing is written; otherwise only what has expired ends."""
    assert not bounces.has_handled()
    record(bounces)
    apply(bounces, "paused", NOW + DAY)
    with bounces.transaction():
        bounces.pause_domain("x.example", 1, NOW + 2 * DAY, "why", NOW)
    bounces.end_pauses(NOW + DAY - timedelta(microseconds=1))
    assert store.issues.load_preferences("weekly") == {SubscriberPreferences(): 1}
    bounces.end_pauses(NOW + DAY)
    assert store.issues.load_preferences("weekly") == {SubscriberPreferences(): 2}
    assert [one.domain for one in bounces.paused_domains(NOW + DAY)] == ["x.example"]


@pytest.mark.parametrize("store_url", ["sqlite:///feeds.db"])
def test_each_change_of_a_status_is_in_the_journal(store, bounces):
    """Who bounces, complains or becomes active again is in the journal once for each change, with its time."""
    record(bounces, 1)
    apply(bounces, "bounced")
    bounces.revive_domain("readers.example", NOW, NOW + DAY, NOW + DAY)
    record(bounces, 2, at=NOW + 2 * DAY)
    apply(bounces, "bounced")
    with bounces.transaction():
        bounces.pause_domain("readers.example", 1, NOW + 9 * DAY, "why", NOW + 3 * DAY)
    number = service_mail(store)
    for at in (NOW + 4 * DAY, NOW + 5 * DAY):
        with bounces.transaction():
            bounces.apply_service_complaint(bounces.find_service_mail(number), "1-x:digest", at)
    query = "SELECT what, who, at FROM journal WHERE what IN ('active', 'bounced', 'complained') ORDER BY id"
    ada, bob = "ada@readers.example", "bob@readers.example"
    assert store.database.connection.execute(query).fetchall() == [
        ("bounced", ada, encode_time(NOW)),
        ("active", ada, encode_time(NOW + DAY)),
        ("bounced", bob, encode_time(NOW + 2 * DAY)),
        ("active", bob, encode_time(NOW + 3 * DAY)),
        ("complained", ada, encode_time(NOW + 4 * DAY)),
    ]


@pytest.mark.parametrize("store_url", ["sqlite:///feeds.db"])
def test_refusals_are_found_without_reading_the_other_deliveries(store):
    """Refused deliveries are found by an index of their own, among millions of others."""
    statement = load_file("sqlite", "bounces")["bounces.load_refused"]
    plan = store.database.connection.execute(
        f"EXPLAIN QUERY PLAN {statement}", {"issue_id": 1, "last": 0, "limit": 1}
    ).fetchall()
    assert "ix_deliveries_failed (issue_id=? AND id>?)" in plan[0][3]


def test_who_is_active_again_has_not_moved(store, bounces):
    """A subscriber who bounced after moving to another address is not one who has moved, once they are revived."""
    record(bounces, 1)
    apply(bounces, "bounced")
    store.database.connection.execute("INSERT INTO moved_subscribers (subscriber_id, successor_id) VALUES (1, 2)")
    assert store.subscribers.former_addresses("bob@readers.example") == ["ada@readers.example"]
    assert bounces.revive_domain("readers.example", NOW, NOW + DAY, NOW + DAY).reactivated == 1
    assert store.subscribers.former_addresses("bob@readers.example") == []
