"""Classifying bounces, and the decisions on them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.subscribers.bounces import (
    MIN_BOUNCES,
    PAUSE,
    Bounce,
    BounceDecision,
    BounceKind,
    classify_failure,
    classify_refusal,
    decide_bounce,
    decide_without_history,
    domain_fault,
    domains_to_check,
    may_be_outage,
    mildest_kind,
    outage_reason,
    status_after,
)
from feeds.model import BounceRecord

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def bounce(kind, days=0.0):
    return Bounce(kind=kind, at=NOW + days * DAY)


def record(number, domain, issue_id, kind):
    return BounceRecord(
        id=number,
        subscriber_id=number,
        issue_id=issue_id,
        domain=domain,
        kind=kind,
        status="5.1.1",
        said="",
        at=NOW,
        email=f"r{number}@{domain}",
        subscriber_status="active",
    )


@pytest.mark.parametrize("status", ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4"])
def test_these_say_that_there_is_no_such_mailbox(status):
    """A status code on the list of the design is a hard bounce."""
    assert classify_failure(status, "") is BounceKind.HARD


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("5.2.2", BounceKind.SOFT),
        ("5.3.4", BounceKind.OTHER),
        ("5.0.0", BounceKind.OTHER),
        ("5.1.7", BounceKind.POLICY),
        ("5.1.11", BounceKind.OTHER),
        ("5.7.1", BounceKind.POLICY),
        ("5.7.515", BounceKind.POLICY),
        ("4.7.0", BounceKind.POLICY),
        ("4.2.2", BounceKind.SOFT),
        ("4.4.7", BounceKind.SOFT),
        ("4.4.4", BounceKind.SOFT),
        ("", BounceKind.SOFT),
    ],
)
def test_everything_else_is_milder(status, kind):
    """Any other status code is milder, also one that begins like a hard one; a report without a code is soft."""
    assert classify_failure(status, "") is kind


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        ("5.1.1", "smtp; 550 5.7.1 IP address blacklisted by recipient", BounceKind.POLICY),
        ("5.1.1", "smtp; 550 5.7.1 go away", BounceKind.POLICY),
        ("5.7.1", "smtp; 550 5.1.1 go away", BounceKind.POLICY),
        ("5.1.1", "smtp; 552 5.2.2 go away", BounceKind.SOFT),
        ("5.1.1", "smtp; 550 5.0.0 go away", BounceKind.HARD),
        ("5.0.0", "smtp; 550 5.1.1 go away", BounceKind.HARD),
        ("5.7.1", "smtp; 550 5.7.1 No such user!", BounceKind.HARD),
        ("5.0.0", "smtp; 550 Unknown user ada@readers.example", BounceKind.HARD),
        ("5.0.0", "smtp; 550 no", BounceKind.OTHER),
        ("4.4.7", "smtp; 451 4.7.1 try again later", BounceKind.POLICY),
    ],
)
def test_a_status_that_contradicts_the_answer_counts_only_if_it_is_milder(status, said, kind):
    """Words decide before codes; of two codes the milder counts, and one without detail does not count."""
    assert classify_failure(status, said) is kind


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("550 5.1.1 The email account that you tried to reach does not exist", (BounceKind.HARD, "5.1.1")),
        ("550-5.1.1 no", (BounceKind.HARD, "5.1.1")),
        ("550-'5.1.1 no'", (BounceKind.HARD, "5.1.1")),
        ("550 5.1.1", (BounceKind.HARD, "5.1.1")),
        ("550 5.7.1 refused", (BounceKind.POLICY, "5.7.1")),
        ("550 5.7.1 No such user", (BounceKind.HARD, "5.7.1")),
        ("550 no such user", (BounceKind.HARD, "5.0.0")),
        ("550 no", (BounceKind.OTHER, "5.0.0")),
        ("552 5.2.2 full", (BounceKind.SOFT, "5.2.2")),
        ("550 5.1.1 too many recipients this hour", (BounceKind.OTHER, "5.1.1")),
        ("550 5.1.1.9 is no code", (BounceKind.OTHER, "5.0.0")),
        ("given up after 9 tries: 452 4.2.2 full", (BounceKind.SOFT, "4.2.2")),
        ("given up after 9 tries: 450 4.1.1 User unknown", (BounceKind.SOFT, "4.1.1")),
        ("given up after 9 tries: 451 later", (BounceKind.SOFT, "4.0.0")),
        ("451 4.3.0 later", None),
        ("250 2.0.0 OK", None),
        ("cancelled", None),
        ("cancelled: no longer subscribed", None),
        ("", None),
    ],
)
def test_what_ended_a_delivery_is_read_from_the_answer(answer, expected):
    """An answer is a bounce if a server refused for good, or for as long as the delivery was retried."""
    assert classify_refusal(answer) == expected


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize(
    ("kind", "status", "decision"),
    [
        (BounceKind.COMPLAINT, "active", BounceDecision.COMPLAINED),
        (BounceKind.COMPLAINT, "bounced", BounceDecision.COMPLAINED),
        (BounceKind.COMPLAINT, "unsubscribed", BounceDecision.COMPLAINED),
        (BounceKind.COMPLAINT, "complained", BounceDecision.NOTHING),
    ],
)
def test_a_complaint_counts_once_and_whatever_is_wrong_with_the_domain(kind, status, decision, held):
    """A complaint is applied unless the subscriber has complained before, also during a suspected outage."""
    assert decide_without_history(kind, status, held=held) is decision


@pytest.mark.parametrize("kind", [kind for kind in BounceKind if kind is not BounceKind.COMPLAINT])
@pytest.mark.parametrize("status", ["active", "pending", "unsubscribed", "bounced", "complained"])
def test_during_a_suspected_outage_bounces_are_held(kind, status):
    """Any bounce other than a complaint is held while an outage is suspected."""
    assert decide_without_history(kind, status, held=True) is BounceDecision.HELD


@pytest.mark.parametrize(
    ("kind", "status", "decision"),
    [
        (BounceKind.HARD, "active", None),
        (BounceKind.HARD, "pending", None),
        (BounceKind.SOFT, "active", None),
        (BounceKind.HARD, "unsubscribed", BounceDecision.NOTHING),
        (BounceKind.SOFT, "bounced", BounceDecision.NOTHING),
        (BounceKind.HARD, "complained", BounceDecision.NOTHING),
        (BounceKind.POLICY, "active", BounceDecision.NOTHING),
        (BounceKind.OTHER, "active", BounceDecision.NOTHING),
    ],
)
def test_earlier_bounces_matter_only_for_hard_and_soft_ones_of_subscribers(kind, status, decision):
    """Only hard and soft bounces of active or pending subscribers need the history; others have no consequence."""
    assert decide_without_history(kind, status, held=False) is decision


@pytest.mark.parametrize("decision", list(BounceDecision))
def test_a_decision_that_is_a_status_becomes_the_status(decision):
    """After `bounced` or `complained` the subscriber has that status; any other decision leaves the status as it is."""
    expected = decision if decision in ("bounced", "complained") else "pending"
    assert status_after(decision, "pending") == expected


def test_the_first_hard_bounce_pauses_and_a_second_a_week_later_ends():
    """A second hard bounce ends a subscription only a week after the first, however many come in between."""
    first = bounce(BounceKind.HARD)
    assert decide_bounce(first, []) is BounceDecision.PAUSED
    between = [bounce(BounceKind.HARD, days) for days in (0.1, 3, 6.99)]
    assert [decide_bounce(new, [first, *between[:at]]) for at, new in enumerate(between)] == [
        BounceDecision.NOTHING
    ] * 3
    assert decide_bounce(Bounce(kind=BounceKind.HARD, at=first.at + PAUSE), [first, *between]) is BounceDecision.BOUNCED


def test_a_letter_that_arrived_in_between_makes_it_the_first_again():
    """A hard bounce before the last letter that arrived does not count: the server's fault of a year ago is over."""
    old, new = bounce(BounceKind.HARD), bounce(BounceKind.HARD, 365)
    assert decide_bounce(new, [old]) is BounceDecision.BOUNCED
    assert decide_bounce(new, [old], arrived=NOW + 300 * DAY) is BounceDecision.PAUSED
    assert decide_bounce(new, [old], arrived=NOW - DAY) is BounceDecision.BOUNCED


def test_soft_bounces_on_five_days_within_thirty_end():
    """Soft bounces on five days within thirty end a subscription; several on one day count as one."""
    days = [bounce(BounceKind.SOFT, day) for day in (0, 0.1, 0.2, 7, 14, 21)]
    assert decide_bounce(bounce(BounceKind.SOFT, 21.1), days) is BounceDecision.NOTHING
    assert decide_bounce(bounce(BounceKind.SOFT, 28), days) is BounceDecision.BOUNCED
    assert decide_bounce(bounce(BounceKind.SOFT, 31), days) is BounceDecision.NOTHING


def test_a_complaint_ends_at_once_and_the_rest_says_nothing():
    """A complaint ends a subscription at once; policy and other bounces never do, however many there are."""
    assert decide_bounce(bounce(BounceKind.COMPLAINT), []) is BounceDecision.COMPLAINED
    many = [bounce(kind, day) for day in range(60) for kind in (BounceKind.POLICY, BounceKind.OTHER)]
    assert decide_bounce(bounce(BounceKind.POLICY, 60), many) is BounceDecision.NOTHING
    assert decide_bounce(bounce(BounceKind.OTHER, 60), many) is BounceDecision.NOTHING


@given(
    st.lists(
        st.tuples(
            st.sampled_from([BounceKind.HARD, BounceKind.SOFT, BounceKind.POLICY, BounceKind.OTHER]), st.floats(0, 6.99)
        )
    ),
    st.sampled_from([BounceKind.HARD, BounceKind.POLICY, BounceKind.OTHER]),
)
def test_bounces_within_a_week_never_end_a_subscription(before, new):
    """No bounce within a week of the first ends a subscription, except soft ones on five days."""
    earlier = [bounce(kind, days) for kind, days in before]
    assert decide_bounce(bounce(new, 6.99), earlier) is not BounceDecision.BOUNCED


@pytest.mark.parametrize(
    ("hard", "policy", "deliveries", "is_fault"),
    [
        (MIN_BOUNCES, 0, 20 * MIN_BOUNCES - 1, True),
        (MIN_BOUNCES, 0, 20 * MIN_BOUNCES, False),
        (MIN_BOUNCES - 1, 0, MIN_BOUNCES, False),
        (5000, 0, 5000, True),
        (0, MIN_BOUNCES, 100 * MIN_BOUNCES - 1, True),
        (0, MIN_BOUNCES, 100 * MIN_BOUNCES, False),
        (0, MIN_BOUNCES - 1, MIN_BOUNCES, False),
        (0, 0, 0, False),
        (MIN_BOUNCES, 0, 0, True),
    ],
)
def test_many_at_one_domain_are_its_fault(hard, policy, deliveries, is_fault):
    """More than 5 % hard or 1 % policy bounces of an issue at a domain are the domain's fault, if there are ten."""
    assert bool(domain_fault(hard, policy, deliveries)) is is_fault
    assert may_be_outage(hard, policy) or not is_fault


def test_an_outage_is_suspected_unless_its_bounces_were_applied_already():
    """Bounces that the operator has trusted are not a reason to suspect an outage again, nor are later ones."""
    assert outage_reason((30, 0), (2, 0), 100) == "30 of 100 recipients bounced as unknown mailboxes (30%)"
    assert outage_reason((31, 0), (30, 0), 100) == ""
    assert outage_reason((2, 0), (0, 0), 100) == ""


def test_domains_are_checked_for_hard_and_policy_bounces_of_issues():
    """Each domain and issue with a hard or policy bounce is checked once; bounces without an issue are not checked."""
    found = [
        record(1, "b.example", 2, "hard"),
        record(2, "a.example", 2, "policy"),
        record(3, "b.example", 2, "policy"),
        record(4, "b.example", 1, "hard"),
        record(5, "c.example", 2, "soft"),
        record(6, "d.example", None, "hard"),
    ]
    assert domains_to_check(found) == [("b.example", 2), ("a.example", 2), ("b.example", 1)]


def test_a_report_on_several_addresses_is_about_the_best_of_them():
    """Of several failures behind one subscriber's address, the mildest counts."""
    assert mildest_kind([BounceKind.HARD, BounceKind.SOFT]) is BounceKind.SOFT
    assert mildest_kind([BounceKind.HARD]) is BounceKind.HARD
