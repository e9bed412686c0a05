"""Deliveries in a real store, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from feeds.edges.store.database import open_store
from feeds.edges.store.deliveries import DOMAIN_PAUSED, DeliveryResult, FirstBatchStats, RefusalCount
from feeds.edges.store.statements import load_file
from feeds.model import DeliveryOutcome, DeliveryState, IssueState, SubscriberPreferences
from tests.edges.store.issue_factory import NOW, new_issue, only_issue_id

LATER = NOW + timedelta(hours=1)
ON_POSTGRESQL = pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)


def frozen(store, *emails):
    """Store an issue for some addresses; return its id and the deliveries, which are leased."""
    store.issues.freeze(new_issue(copies=emails), NOW)
    issue_id = only_issue_id(store)
    return issue_id, store.deliveries.claim(issue_id, 10, NOW, resend=1)


def outcome(delivery, state, answer="x", **values):
    return DeliveryOutcome(id=delivery.id, state=state, answer=answer, **values)


def states(store, issue_id):
    return [(result.recipient[:3], str(result.state)) for result in store.deliveries.load_results(issue_id)]


def test_the_date_of_a_message_is_that_of_its_first_hand_over(store):
    """A delivery keeps the time of its first attempt."""
    store.issues.freeze(new_issue(), NOW)
    [claimed] = store.deliveries.claim(1, 10, NOW, resend=1)
    assert store.deliveries.commit_and_begin([], [claimed.id], NOW) == {claimed.id}
    later = NOW + timedelta(hours=1)
    deferred = DeliveryOutcome(id=claimed.id, state=DeliveryState.DEFERRED, answer="451 later", tries=1, next_at=later)
    store.deliveries.commit_and_begin([deferred], [], NOW)
    assert store.deliveries.claim(1, 10, NOW, resend=1) == []
    assert store.deliveries.pending(1, resend=1) == (1, later, 0)
    [again] = store.deliveries.claim(1, 10, later, resend=1)
    store.deliveries.commit_and_begin([], [again.id], later)
    store.deliveries.recover(1)
    [third] = store.deliveries.claim(1, 10, later, resend=1)
    assert [(d.tries, d.handed_over_at) for d in (again, third)] == [(1, NOW), (1, NOW)]


def test_what_was_sent_waits_no_longer(store):
    """A sent delivery is not claimed again; an issue is finished when that is recorded."""
    store.issues.freeze(new_issue(copies=("ada@example.org", "bob@example.org")), NOW)
    [first, _] = store.deliveries.claim(1, 10, NOW, resend=1)
    store.deliveries.commit_and_begin(
        [DeliveryOutcome(id=first.id, state=DeliveryState.SENT, answer="250 OK")], [], NOW
    )
    store.deliveries.release(1)
    assert [d.recipient for d in store.deliveries.claim(1, 10, NOW, resend=1)] == ["bob@example.org"]
    assert [i.state for i in store.issues.load_issues(unfinished=True)] == [IssueState.SENDING]
    store.issues.finish(1)
    assert store.issues.load_issues(unfinished=True) == ()
    assert [i.sent for i in store.issues.load_issues()] == [1]


def test_what_a_killed_sender_left_is_taken_up(store):
    """After a killed sender, a delivery being handed over is tried once more, then held; leased ones are ready."""
    store.issues.freeze(new_issue(copies=("ada@example.org", "bob@example.org")), NOW)
    for held in (0, 1):
        claimed = store.deliveries.claim(1, 10, NOW, resend=1)
        assert [d.recipient for d in claimed] == ["ada@example.org", "bob@example.org"]
        store.deliveries.commit_and_begin([], [claimed[0].id], NOW)
        store.deliveries.recover(1)
        assert store.deliveries.pending(1, resend=1) == (2 - held, None, held)
    assert [d.recipient for d in store.deliveries.claim(1, 10, NOW, resend=1)] == ["bob@example.org"]
    store.deliveries.retry_now(1)
    assert [d.recipient for d in store.deliveries.claim(1, 10, NOW, resend=0)] == ["ada@example.org"]


def test_people_join_more_newsletters_and_leave_all(store):
    """Subscribing adds newsletters; unsubscribing keeps the person and cancels pending deliveries."""
    subscribers = store.subscribers
    for newsletter, topics in (("weekly", None), ("daily", ["B", "A"]), ("weekly", None), ("daily", None)):
        wanted = {newsletter: topics}
        subscribers.subscribe("Ada@example.org", "ada@example.org", wanted, lang=None, consent="asked", at=NOW)
    [found] = subscribers.iterate()
    assert (found.newsletters, found.topics) == (("daily", "weekly"), {"daily": ("A", "B")})
    store.issues.freeze(new_issue(copies=(), letter_index={SubscriberPreferences(): 0}), NOW)
    [claimed] = store.deliveries.claim(1, 10, NOW, resend=1)
    subscribers.unsubscribe("ada@example.org", NOW)
    assert [s.status for s in subscribers.iterate()] == ["unsubscribed"]
    assert store.issues.load_preferences("weekly") == {}
    assert store.deliveries.commit_and_begin([], [claimed.id], NOW) == set()
    assert subscribers.find("nobody@example.org") is None


def test_a_delivery_that_was_put_back_can_begin_again(store):
    """A delivery that is being handed over begins again on another connection, with its first time."""
    _, [delivery] = frozen(store, "ada@example.org")
    for now in (NOW, LATER):
        assert store.deliveries.commit_and_begin([], [delivery.id], now) == {delivery.id}


def test_only_deliveries_that_were_not_cancelled_begin(store):
    """Of several deliveries, those begin that were not cancelled meanwhile; their leases are gone."""
    issue_id, claimed = frozen(store, "ada@example.org", "bob@example.org", "eve@example.org")
    ada, bob, eve = (delivery.id for delivery in claimed)
    store.deliveries.commit_and_begin([], [ada], NOW)
    assert store.deliveries.cancel_pending(issue_id, "retracted") == 3
    assert store.deliveries.leased_ids(issue_id) == frozenset()
    assert store.deliveries.commit_and_begin([], [bob, ada, eve], NOW) == set()
    assert store.deliveries.pending(issue_id, resend=1) == (0, None, 0)
    assert store.issues.reached_keys(issue_id, ["ada@example.org", "bob@example.org"]) == {"ada@example.org"}


def test_only_a_success_is_recorded_of_a_cancelled_delivery(store):
    """If a delivery is cancelled while it is handed over, a refusal changes nothing; a success is recorded."""
    issue_id, [ada, bob] = frozen(store, "ada@example.org", "bob@example.org")
    store.deliveries.commit_and_begin([], [ada.id, bob.id], NOW)
    store.deliveries.cancel_pending(issue_id, "retracted")
    outcomes = [outcome(bob, DeliveryState.DEFERRED, next_at=LATER), outcome(ada, DeliveryState.SENT, "250 OK")]
    store.deliveries.commit_and_begin(outcomes, [], LATER)
    assert list(store.deliveries.load_results(issue_id)) == [
        DeliveryResult("ada@example.org", "en", DeliveryState.SENT, LATER, "250 OK", 0),
        DeliveryResult("bob@example.org", "en", DeliveryState.CANCELLED, None, "retracted", 0),
    ]


def test_an_issue_is_due_when_its_first_delivery_is(store):
    """Pending deliveries are due at the earliest of their times; now, if one has none."""
    issue_id, [ada, bob, eve] = frozen(store, "ada@example.org", "bob@example.org", "eve@example.org")
    waiting = [
        outcome(ada, DeliveryState.DEFERRED, next_at=LATER + timedelta(hours=1)),
        outcome(bob, DeliveryState.DEFERRED, next_at=LATER),
    ]
    store.deliveries.commit_and_begin(waiting, [], NOW)
    assert store.deliveries.pending(issue_id, resend=1) == (3, None, 0)
    store.deliveries.commit_and_begin([outcome(eve, DeliveryState.FAILED)], [], NOW)
    assert store.deliveries.pending(issue_id, resend=1) == (2, LATER, 0)


def test_deliveries_with_an_answer_are_not_untried(store):
    """Deliveries that a server has answered are claimed only with the others."""
    issue_id, [ada, bob] = frozen(store, "ada@example.org", "bob@example.org")
    store.deliveries.commit_and_begin([outcome(ada, DeliveryState.READY, "451 later")], [], NOW)
    store.deliveries.release(issue_id)
    assert [d.id for d in store.deliveries.claim_untried(issue_id, 10)] == [bob.id]
    assert [d.id for d in store.deliveries.claim(issue_id, 10, NOW, resend=1)] == [ada.id]


def test_one_in_every_few_is_claimed_and_counted_first(store):
    """With *every*, the deliveries are claimed and counted whose ids are divisible by it."""
    issue_id, claimed = frozen(store, *(f"{number}@example.org" for number in range(6)))
    store.deliveries.release(issue_id)
    expected = [delivery.id for delivery in claimed if delivery.id % 3 == 0]
    sample = store.deliveries.claim(issue_id, 10, NOW, resend=1, every=3)
    assert [delivery.id for delivery in sample] == expected
    outcomes = [outcome(sample[0], DeliveryState.SENT), outcome(sample[1], DeliveryState.FAILED)]
    store.deliveries.commit_and_begin(outcomes, [], NOW)
    stats = FirstBatchStats(number=2, pending=0, sent=1, failed=1, last_sent_at=NOW)
    assert store.deliveries.first_batch_stats(issue_id, 3) == stats


def test_sent_messages_are_counted_by_time(store):
    """Messages count from their times; the n-th last has its time, or now if there are fewer."""
    issue_id, claimed = frozen(store, "ada@example.org", "bob@example.org")
    assert (store.deliveries.has_begun(issue_id), store.deliveries.has_sent(issue_id)) == (False, False)
    for delivery, at in zip(claimed, (NOW, LATER), strict=True):
        store.deliveries.commit_and_begin([outcome(delivery, DeliveryState.SENT)], [], at)
    assert [store.deliveries.count_sent(since) for since in (NOW - timedelta(1), NOW, LATER)] == [2, 1, 0]
    assert [store.deliveries.sent_before(n, LATER + timedelta(1)) for n in (1, 2, 3)] == [
        LATER,
        NOW,
        LATER + timedelta(1),
    ]
    assert store.deliveries.sent_per_minute(issue_id, LATER + timedelta(seconds=1)) == 1
    assert (store.deliveries.has_begun(issue_id), store.deliveries.has_sent(issue_id)) == (True, True)
    assert store.deliveries.count_states(issue_id)[DeliveryState.SENT] == 2


def test_refusals_are_counted_by_domain_and_code(store):
    """Answers with the same code at a domain are counted together, whatever their text; waiting is no answer."""
    emails = ["a@example.org", "b@example.org", "c@example.com", "d@example.com", '"x@y"@example.com']
    issue_id, claimed = frozen(store, *emails)
    answers = ["550 5.1.1 no", "550 5.1.1 who?", DOMAIN_PAUSED, "451 busy", "given up after 3 tries: 451 later"]
    outcomes = [
        outcome(delivery, DeliveryState.FAILED, answer) for delivery, answer in zip(claimed, answers, strict=True)
    ]
    store.deliveries.commit_and_begin(outcomes, [], NOW)
    counts = sorted(store.deliveries.count_refusals(issue_id), key=lambda count: count.domain)
    assert counts == [RefusalCount("example.com", "451", 2), RefusalCount("example.org", "550 5.1.1", 2)]


def test_an_issue_can_be_halted_and_released(store):
    """Why an issue is halted, and that it may be sent to all, are stored with it."""
    issue_id, _ = frozen(store, "ada@example.org")
    store.deliveries.halt(issue_id, "too many refusals")
    store.deliveries.release_to_all(issue_id)
    [issue] = store.issues.load_issues()
    assert (issue.halt_reason, issue.released_to_all) == ("too many refusals", True)


def test_what_was_committed_unsynced_is_synced_later(store):
    """In bulk mode, commits that nothing follows are synced when it is due; nothing is lost by leaving it."""
    issue_id, claimed = frozen(store, "ada@example.org", "bob@example.org")
    with store.deliveries.bulk_mode():
        for number, delivery in enumerate(claimed):
            now = NOW + timedelta(milliseconds=100 * number)
            store.deliveries.commit_and_begin([outcome(delivery, DeliveryState.SENT)], [], now)
        assert store.deliveries.commit_and_begin([], [], NOW + timedelta(seconds=1)) == set()
    assert states(store, issue_id) == [("ada", "sent"), ("bob", "sent")]


@ON_POSTGRESQL
def test_deliveries_that_another_process_is_changing_are_left_to_it(tmp_path, store_url):
    """On PostgreSQL, a sender does not wait for rows that are being cancelled, and does not send them."""
    with open_store(store_url, tmp_path) as store, open_store(store_url, tmp_path) as other:
        issue_id, [ada, bob, _] = frozen(store, "ada@example.org", "bob@example.org", "eve@example.org")
        store.deliveries.commit_and_begin([outcome(ada, DeliveryState.READY)], [], NOW)
        with other.database.transaction():
            other.database.connection.execute(
                "UPDATE deliveries SET state = 'cancelled' WHERE recipient != 'eve@example.org'"
            )
            assert store.deliveries.claim(issue_id, 10, NOW, resend=1) == []
            assert store.deliveries.claim_untried(issue_id, 10) == []
            assert store.deliveries.commit_and_begin([], [bob.id], NOW) == set()
        assert states(store, issue_id) == [("ada", "cancelled"), ("bob", "cancelled"), ("eve", "leased")]


@ON_POSTGRESQL
def test_an_outcome_that_waits_for_a_cancellation_changes_nothing(tmp_path, store_url):
    """On PostgreSQL, an outcome waits until a cancellation is committed; only a success is recorded after it."""
    with open_store(store_url, tmp_path) as store, open_store(store_url, tmp_path) as other:
        issue_id, [ada, bob] = frozen(store, "ada@example.org", "bob@example.org")
        store.deliveries.commit_and_begin([], [ada.id, bob.id], NOW)
        outcomes = [outcome(bob, DeliveryState.DEFERRED, next_at=LATER), outcome(ada, DeliveryState.SENT)]
        with ThreadPoolExecutor(1) as threads:
            with other.database.transaction():
                other.database.execute("deliveries.cancel", issue=issue_id, answer="retracted")
                waiting = threads.submit(store.deliveries.commit_and_begin, outcomes, [], NOW)
            waiting.result()
        assert states(store, issue_id) == [("ada", "sent"), ("bob", "cancelled")]


def wait_until_blocked(store, by):
    """Return when the connection of one store waits for a lock that another one holds."""
    pids = [found.database.connection.info.backend_pid for found in (store, by)]
    while not by.database.connection.execute("SELECT %s = ANY(pg_blocking_pids(%s))", pids[::-1]).fetchone()[0]:
        pass


@ON_POSTGRESQL
@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("deliveries.release", {"issue": 1}),
        ("deliveries.cancel", {"issue": 1, "answer": "x"}),
        ("bounces.defer_deliveries", {"domain": "example.org", "until": LATER, "answer": "x"}),
    ],
)
def test_deliveries_are_locked_in_the_order_of_their_ids(tmp_path, store_url, statement, values):
    """On PostgreSQL, what changes many deliveries locks the first ones first, so it and a sender never deadlock."""
    with open_store(store_url, tmp_path) as store, open_store(store_url, tmp_path) as other:
        _, [ada, bob] = frozen(store, "ada@example.org", "bob@example.org")
        other.database.connection.execute("UPDATE deliveries SET tries = 1 WHERE id = %s", (ada.id,))  # now behind bob
        store.database.connection.execute("SET enable_indexscan = off; SET enable_bitmapscan = off")
        with ThreadPoolExecutor(1) as threads:
            with other.database.transaction("shared"):
                other.database.connection.execute("SELECT 1 FROM deliveries WHERE id = %s FOR UPDATE", (bob.id,))
                waiting = threads.submit(store.database.execute, statement, **values)
                wait_until_blocked(store, other)
                rest = other.database.connection.execute("SELECT id FROM deliveries FOR UPDATE SKIP LOCKED").fetchall()
            assert waiting.result() == 2
        assert rest == [(bob.id,)]


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("claim", {"limit": 9, "now": NOW, "resend": 1, "every": 1}),
        ("claim_untried", {"limit": 9, "every": 1}),
        ("count_pending", {"resend": 1}),
        ("leased_ids", {}),
        ("release", {}),
        ("mark_unknown", {}),
        ("retry_now", {}),
        ("cancel", {"answer": "x"}),
    ],
)
def test_open_deliveries_are_found_by_their_index(store, statement, values):
    """The statements about deliveries that are not finished use the index of these."""
    explain = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}[store.database.dialect]
    connection = store.database.connection
    if store.database.dialect == "postgresql":
        connection.execute("SET enable_seqscan = off")  # an empty table is read faster without an index
    sql = load_file(store.database.dialect, "deliveries")[f"deliveries.{statement}"]
    plan = connection.execute(f"{explain} {sql}", {"issue": 1} | values).fetchall()
    assert "ix_deliveries_open" in str(plan)
