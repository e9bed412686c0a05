"""What follows from bounces."""

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
    classify_answer,
    classify_status,
    decide_bounce,
    domain_fault,
    mildest_kind,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def bounce(what, days=0.0):
    return Bounce(kind=what, at=NOW + days * DAY)


@pytest.mark.parametrize("status", ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"])
def test_these_say_that_there_is_no_such_mailbox(status):
    """The list of the design, to the letter."""
    assert classify_status(status) is BounceKind.HARD


@pytest.mark.parametrize(
    ("status", "what"),
    [
        ("5.2.2", BounceKind.OTHER),
        ("5.3.4", BounceKind.OTHER),
        ("5.0.0", BounceKind.OTHER),
        ("5.1.7", BounceKind.OTHER),
        ("5.1.11", BounceKind.OTHER),
        ("5.7.1", BounceKind.POLICY),
        ("5.7.515", BounceKind.POLICY),
        ("4.7.0", BounceKind.POLICY),
        ("4.2.2", BounceKind.SOFT),
        ("4.4.7", BounceKind.SOFT),
        ("", BounceKind.SOFT),
    ],
)
def test_everything_else_is_milder(status, what):
    """Also what begins like a hard code; what has only words is not believed at once."""
    assert classify_status(status) is what


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("550 5.1.1 The email account that you tried to reach does not exist", (BounceKind.HARD, "5.1.1")),
        ("550-5.1.1 no", (BounceKind.HARD, "5.1.1")),
        ("550 5.1.1", (BounceKind.HARD, "5.1.1")),
        ("550 5.7.1 refused", (BounceKind.POLICY, "5.7.1")),
        ("550 no such user", (BounceKind.OTHER, "5.0.0")),
        ("552 5.2.2 full", (BounceKind.OTHER, "5.2.2")),
        ("550 5.1.1.9 is no code", (BounceKind.OTHER, "5.0.0")),
        ("given up after 9 tries: 452 4.2.2 full", (BounceKind.SOFT, "4.2.2")),
        ("given up after 9 tries: 451 later", (BounceKind.SOFT, "4.0.0")),
        ("451 4.3.0 later", None),
        ("250 2.0.0 OK", None),
        ("cancelled", None),
        ("left before it was known to be sent", None),
        ("", None),
    ],
)
def test_what_ended_a_delivery_is_read_from_the_answer(answer, found):
    """A refusal without enhanced code may be about anything; what no server said says nothing."""
    assert classify_answer(answer) == found


def test_the_first_hard_bounce_pauses_and_a_second_a_week_later_ends():
    """Not a second before, however many come in between."""
    first = bounce(BounceKind.HARD)
    assert decide_bounce(first, []) is BounceDecision.PAUSED
    between = [bounce(BounceKind.HARD, days) for days in (0.1, 3, 6.99)]
    assert [decide_bounce(new, [first, *between[:at]]) for at, new in enumerate(between)] == [
        BounceDecision.NOTHING
    ] * 3
    assert decide_bounce(Bounce(kind=BounceKind.HARD, at=first.at + PAUSE), [first, *between]) is BounceDecision.BOUNCED


def test_a_letter_that_arrived_in_between_makes_it_the_first_again():
    """A year-old fault of a server is no reason to give up somebody whose mailbox was full for a day."""
    old, new = bounce(BounceKind.HARD), bounce(BounceKind.HARD, 365)
    assert decide_bounce(new, [old]) is BounceDecision.BOUNCED
    assert decide_bounce(new, [old], arrived=NOW + 300 * DAY) is BounceDecision.PAUSED
    assert decide_bounce(new, [old], arrived=NOW - DAY) is BounceDecision.BOUNCED


def test_soft_bounces_on_five_days_within_thirty_end():
    """Several on one day are one."""
    days = [bounce(BounceKind.SOFT, day) for day in (0, 0.1, 0.2, 7, 14, 21)]
    assert decide_bounce(bounce(BounceKind.SOFT, 21.1), days) is BounceDecision.NOTHING
    assert decide_bounce(bounce(BounceKind.SOFT, 28), days) is BounceDecision.BOUNCED
    assert decide_bounce(bounce(BounceKind.SOFT, 31), days) is BounceDecision.NOTHING


def test_a_complaint_ends_at_once_and_the_rest_says_nothing():
    """What is about us, or the letter, is no reason to lose a reader."""
    assert decide_bounce(bounce(BounceKind.COMPLAINT), []) is BounceDecision.COMPLAINED
    many = [bounce(what, day) for day in range(60) for what in (BounceKind.POLICY, BounceKind.OTHER)]
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
def test_nobody_is_given_up_for_what_happens_within_a_week(before, new):
    """Soft ones aside, of which there would have to be five days."""
    earlier = [bounce(what, days) for what, days in before]
    assert decide_bounce(bounce(new, 6.99), earlier) is not BounceDecision.BOUNCED


@pytest.mark.parametrize(
    ("hard", "policy", "deliveries", "to_blame"),
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
def test_many_at_one_domain_are_its_fault(hard, policy, deliveries, to_blame):
    """More than one in twenty without mailbox, one in a hundred refused for what we are, and never only a few."""
    assert bool(domain_fault(hard, policy, deliveries)) is to_blame


def test_a_report_on_several_addresses_is_about_the_best_of_them():
    """Behind a reader's address there may be more than one."""
    assert mildest_kind([BounceKind.HARD, BounceKind.SOFT]) is BounceKind.SOFT
    assert mildest_kind([BounceKind.HARD]) is BounceKind.HARD
