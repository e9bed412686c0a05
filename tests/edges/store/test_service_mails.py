"""Mail to single persons in a real store."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from feeds.edges.store.networks import RequestLimits, count_request
from feeds.edges.store.service_mails import KEEP_FOR, cancel_address_mails, cancel_confirmations
from feeds.model import DeliveryOutcome, DeliveryState, NewServiceMail, ServiceMailKind

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CONFIRMATION, REMINDER = ServiceMailKind.CONFIRMATION, ServiceMailKind.REMINDER


def new_mail(name="Ada", kind=CONFIRMATION, at="readers.example", **values):
    mail = NewServiceMail(
        kind=kind,
        recipient=f"{name}@{at}",
        recipient_key=f"{name}@{at}".lower(),
        lang="de",
        values={"url": "https://example.com/雨"},
        seed=b"\0seed\xff",
        expires_at=NOW + DAY,
    )
    return replace(mail, **values)


@pytest.fixture
def mails(store):
    return store.service_mails


def due(mails, now=NOW, last=0, limit=10, resend=1):
    return [mail.id for mail in mails.load_due(last, limit, now, resend=resend)]


def finish(mails, number, state, now=NOW, **values):
    mails.commit_and_begin([DeliveryOutcome(id=number, state=state, answer="said", **values)], [], now)


def states(mails, name="ada"):
    return [record.state for record in mails.iterate_records(f"{name}@readers.example")]


def test_a_mail_is_loaded_as_it_was_queued(mails):
    """A mail that is due has all that is needed to send it, in any script; without a language, it has none."""
    mails.add(new_mail(), NOW)
    mails.add(new_mail("bob", lang=None, values={}), NOW)
    first, second = mails.load_due(0, 10, NOW, resend=1)
    assert (first.kind, first.recipient, first.lang) == (CONFIRMATION, "Ada@readers.example", "de")
    assert (first.values, first.seed) == ({"url": "https://example.com/雨"}, b"\0seed\xff")
    assert (first.tries, first.handed_over_at) == (0, None)
    assert (second.recipient, second.lang, second.values) == ("bob@readers.example", None, {})


def test_mail_is_due_in_portions_in_the_order_of_its_ids(mails):
    """A portion begins after the last id of the one before, and has at most as many as asked for."""
    for name in ("ada", "bob", "eve"):
        mails.add(new_mail(name), NOW)
    first = due(mails, limit=2)
    assert first == due(mails)[:2]
    assert due(mails, last=first[-1]) == due(mails)[2:]


def test_a_mail_is_recorded_before_it_is_handed_over_and_after_it(mails):
    """A mail that is handed over has the time of its first try; one that was sent has no values any more."""
    mails.add(new_mail(), NOW)
    [number] = due(mails)
    assert mails.commit_and_begin([], [number, number + 1], NOW) == {number: NOW}
    assert (states(mails), due(mails)) == (["handing_over"], [])
    finish(mails, number, DeliveryState.DEFERRED, tries=1, next_at=NOW + HOUR)
    assert (due(mails), due(mails, NOW + HOUR), states(mails)) == ([], [number], ["ready"])
    [again] = mails.load_due(0, 10, NOW + HOUR, resend=1)
    assert (again.tries, again.handed_over_at) == (1, NOW)
    assert mails.commit_and_begin([], [number], NOW + HOUR) == {number: NOW}
    finish(mails, number, DeliveryState.SENT, NOW + 2 * HOUR)
    [record] = mails.iterate_records("ada@readers.example")
    assert (record.kind, record.state, record.created_at, record.sent_at) == (
        CONFIRMATION,
        "sent",
        NOW,
        NOW + 2 * HOUR,
    )
    assert stored_values(mails) == ["{}"]


def stored_values(mails):
    query = "SELECT template_values FROM service_mails ORDER BY id"
    return [row[0] for row in mails._db.connection.execute(query).fetchall()]  # noqa: SLF001 - to see what is left


@pytest.mark.parametrize(
    ("state", "values"),
    [(DeliveryState.FAILED, "{}"), (DeliveryState.UNKNOWN, '{"url": "https://example.com/雨"}')],
)
def test_a_mail_that_may_be_sent_again_keeps_its_values(mails, state, values):
    """A mail that was refused has no values any more; one that may have arrived has them."""
    mails.add(new_mail(), NOW)
    finish(mails, due(mails)[0], state, next_at=NOW + HOUR)
    assert (states(mails), stored_values(mails)) == ([state], [values])
    assert [record.sent_at for record in mails.iterate_records("ada@readers.example")] == [None]


def test_mail_that_may_have_arrived_is_sent_again_a_number_of_times(mails):
    """Each unknown outcome counts, and so does each sender that was killed."""
    mails.add(new_mail(), NOW)
    [number] = due(mails)
    finish(mails, number, DeliveryState.UNKNOWN)
    assert (due(mails, resend=0), due(mails, resend=1)) == ([], [number])
    mails.commit_and_begin([], [number], NOW)
    mails.recover(NOW, NOW + HOUR)
    assert (states(mails), due(mails, resend=2)) == (["unknown"], [])
    assert (due(mails, NOW + HOUR, resend=1), due(mails, NOW + HOUR, resend=2)) == ([], [number])


def test_mail_that_has_expired_is_cancelled(mails):
    """Mail that has expired is cancelled, without its values; mail that was sent stays as it is."""
    for name in ("ada", "bob", "eve"):
        mails.add(new_mail(name, expires_at=NOW + (2 * DAY if name == "bob" else DAY)), NOW)
    finish(mails, due(mails)[2], DeliveryState.SENT)
    mails.recover(NOW + DAY, NOW + DAY)
    assert [states(mails, name) for name in ("ada", "bob", "eve")] == [["cancelled"], ["ready"], ["sent"]]
    assert stored_values(mails)[0] == "{}"


def test_what_was_cancelled_meanwhile_is_not_sent(store, mails):
    """A confirmation that was cancelled is not begun, and stays cancelled, unless it was sent just then."""
    for kind in (CONFIRMATION, REMINDER, ServiceMailKind.WELCOME, CONFIRMATION):
        mails.add(new_mail(kind=kind), NOW)
    mails.add(new_mail("bob"), NOW)
    numbers = due(mails)
    finish(mails, numbers[3], DeliveryState.FAILED)
    mails.commit_and_begin([], numbers[:1], NOW)
    with store.database.transaction():
        cancel_confirmations(store.database, "ada@readers.example", "the sign-up was deleted")
    assert states(mails) == ["cancelled", "cancelled", "ready", "failed"]
    assert states(mails, "bob") == ["ready"]
    assert mails.commit_and_begin([], numbers[:3], NOW) == {numbers[2]: NOW}
    finish(mails, numbers[1], DeliveryState.FAILED)
    finish(mails, numbers[0], DeliveryState.SENT)
    assert states(mails)[:2] == ["sent", "cancelled"]


def test_the_mail_to_a_wanted_address_is_cancelled(store, mails):
    """Mail to an address that somebody wants to move to is cancelled, and no other mail."""
    mails.add(new_mail("new", ServiceMailKind.ADDRESS), NOW)
    mails.add(new_mail("other", ServiceMailKind.ADDRESS), NOW)
    mails.add(new_mail("new", ServiceMailKind.WELCOME), NOW)
    connection = store.database.connection
    connection.execute(
        "INSERT INTO subscribers (id, email, email_key, status, consent, created_at, status_at) VALUES"
        " (7, 'ada@x.example', 'ada@x.example', 'active', '', '2026-11-23', '2026-11-23')"
    )
    connection.execute(
        "INSERT INTO address_changes (subscriber_id, at, email, email_key) VALUES"
        " (7, '2026-11-23', 'new@readers.example', 'new@readers.example')"
    )
    with store.database.transaction():
        cancel_address_mails(store.database, "ada@x.example")
    assert (states(mails, "new"), states(mails, "other")) == (["cancelled", "ready"], ["ready"])


def test_the_next_mail_is_known(mails):
    """The next mail is due when its wait ends, or since it was queued; mail that was being handed over is due too."""
    assert mails.next_at(resend=1) is None
    mails.add(new_mail(), NOW)
    mails.add(new_mail("bob"), NOW + HOUR)
    first, second = due(mails)
    assert mails.next_at(resend=1) == NOW
    finish(mails, first, DeliveryState.DEFERRED, next_at=NOW + DAY)
    assert mails.next_at(resend=1) == NOW + HOUR
    finish(mails, second, DeliveryState.SENT)
    assert mails.next_at(resend=1) == NOW + DAY
    finish(mails, first, DeliveryState.UNKNOWN, next_at=NOW + 2 * DAY)
    assert (mails.next_at(resend=0), mails.next_at(resend=1)) == (None, NOW + 2 * DAY)
    mails.commit_and_begin([], [first], NOW)
    assert mails.next_at(resend=0) == NOW


def test_mail_is_counted_by_its_kind_and_time(mails):
    """Only mail of a kind that was queued after a time counts."""
    mails.add(new_mail(), NOW)
    mails.add(new_mail(), NOW + HOUR)
    mails.add(new_mail("bob"), NOW + HOUR)
    mails.add(new_mail(kind=REMINDER), NOW + 2 * HOUR)
    key = "ada@readers.example"
    assert [mails.count_queued(CONFIRMATION, since) for since in (NOW - MINUTE, NOW, NOW + HOUR)] == [3, 2, 0]
    assert [mails.count_queued_for(key, CONFIRMATION, since) for since in (NOW - MINUTE, NOW)] == [2, 1]
    assert mails.last_queued_at(key, CONFIRMATION) == NOW + HOUR
    assert mails.last_queued_at(key, REMINDER) == NOW + 2 * HOUR
    assert mails.last_queued_at("eve@readers.example", REMINDER) is None


def test_recipients_are_found_by_their_domains(mails):
    """Recipients at a list of domains are found, but not those at a subdomain or at a name with the same end."""
    for at in ("readers.example", "sub.readers.example", "myreaders.example", "other.example", "readers.example"):
        mails.add(new_mail(at=at), NOW)
    mails.add(new_mail('"a@b"'), NOW)
    mails.add(new_mail(kind=REMINDER), NOW)
    found = mails.recipients_at(["readers.example", "other.example"], CONFIRMATION, NOW - MINUTE)
    assert sorted(found) == ['"a@b"@readers.example', "ada@other.example", *["ada@readers.example"] * 2]
    assert mails.recipients_at(iter(["readers.example"]), CONFIRMATION, NOW) == []
    assert mails.recipients_at([], CONFIRMATION, NOW - MINUTE) == []


def test_finished_mail_is_deleted_after_a_while(mails):
    """Mail that is finished is deleted when it is old; mail that waits is not."""
    for name in ("ada", "bob"):
        mails.add(new_mail(name), NOW)
    finish(mails, due(mails)[0], DeliveryState.SENT)
    mails.delete_old(NOW + KEEP_FOR)
    assert (states(mails), states(mails, "bob")) == (["sent"], ["ready"])
    mails.delete_old(NOW + KEEP_FOR + MINUTE)
    assert (states(mails), states(mails, "bob")) == ([], ["ready"])


def test_the_requests_of_a_network_are_counted_from_the_first_one_on(store):
    """A network may make so many requests until its period ends; networks beyond the last place are not counted."""
    limits = RequestLimits(of_network=2, requests=100, networks=2)

    def count(network, at):
        with store.database.transaction():
            return count_request(store.database, network, at, at - HOUR, limits)

    assert [count("a", NOW + n * MINUTE) for n in (0, 1, 59)] == [True, True, False]
    assert [count("a", NOW + HOUR + n * MINUTE) for n in (0, 1, 2)] == [True, True, False]
    assert [count("b", NOW + 2 * HOUR) for _ in range(3)] == [True, True, False]
    assert [count("c", NOW + 2 * HOUR) for _ in range(3)] == [True, True, True]
