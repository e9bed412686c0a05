"""What follows from bounces."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.subscribers.bounces import (
    LEAST,
    PAUSE,
    Bounce,
    Decision,
    Kind,
    answered,
    decision,
    domains_fault,
    kind,
    mildest,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def bounce(what, days=0.0):
    return Bounce(kind=what, at=NOW + days * DAY)


@pytest.mark.parametrize("status", ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"])
def test_these_say_that_there_is_no_such_mailbox(status):
    """The list of the design, to the letter."""
    assert kind(status) is Kind.HARD


@pytest.mark.parametrize(
    ("status", "what"),
    [
        ("5.2.2", Kind.OTHER),
        ("5.3.4", Kind.OTHER),
        ("5.0.0", Kind.OTHER),
        ("5.1.7", Kind.OTHER),
        ("5.1.11", Kind.OTHER),
        ("5.7.1", Kind.POLICY),
        ("5.7.515", Kind.POLICY),
        ("4.7.0", Kind.POLICY),
        ("4.2.2", Kind.SOFT),
        ("4.4.7", Kind.SOFT),
        ("", Kind.SOFT),
    ],
)
def test_everything_else_is_milder(status, what):
    """Also what begins like a hard code; what has only words is not believed at once."""
    assert kind(status) is what


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("550 5.1.1 The email account that you tried to reach does not exist", (Kind.HARD, "5.1.1")),
        ("550-5.1.1 no", (Kind.HARD, "5.1.1")),
        ("550 5.1.1", (Kind.HARD, "5.1.1")),
        ("550 5.7.1 refused", (Kind.POLICY, "5.7.1")),
        ("550 no such user", (Kind.OTHER, "5.0.0")),
        ("552 5.2.2 full", (Kind.OTHER, "5.2.2")),
        ("550 5.1.1.9 is no code", (Kind.OTHER, "5.0.0")),
        ("given up after 9 tries: 452 4.2.2 full", (Kind.SOFT, "4.2.2")),
        ("given up after 9 tries: 451 later", (Kind.SOFT, "4.0.0")),
        ("451 4.3.0 later", None),
        ("250 2.0.0 OK", None),
        ("cancelled", None),
        ("left before it was known to be sent", None),
        ("", None),
    ],
)
def test_what_ended_a_delivery_is_read_from_the_answer(answer, found):
    """A refusal without enhanced code may be about anything; what no server said says nothing."""
    assert answered(answer) == found


def test_the_first_hard_bounce_pauses_and_a_second_a_week_later_ends():
    """Not a second before, however many come in between."""
    first = bounce(Kind.HARD)
    assert decision(first, []) is Decision.PAUSED
    between = [bounce(Kind.HARD, days) for days in (0.1, 3, 6.99)]
    assert [decision(new, [first, *between[:at]]) for at, new in enumerate(between)] == [Decision.NOTHING] * 3
    assert decision(Bounce(kind=Kind.HARD, at=first.at + PAUSE), [first, *between]) is Decision.BOUNCED


def test_a_letter_that_arrived_in_between_makes_it_the_first_again():
    """A year-old fault of a server is no reason to give up somebody whose mailbox was full for a day."""
    old, new = bounce(Kind.HARD), bounce(Kind.HARD, 365)
    assert decision(new, [old]) is Decision.BOUNCED
    assert decision(new, [old], arrived=NOW + 300 * DAY) is Decision.PAUSED
    assert decision(new, [old], arrived=NOW - DAY) is Decision.BOUNCED


def test_soft_bounces_on_five_days_within_thirty_end():
    """Several on one day are one."""
    days = [bounce(Kind.SOFT, day) for day in (0, 0.1, 0.2, 7, 14, 21)]
    assert decision(bounce(Kind.SOFT, 21.1), days) is Decision.NOTHING
    assert decision(bounce(Kind.SOFT, 28), days) is Decision.BOUNCED
    assert decision(bounce(Kind.SOFT, 31), days) is Decision.NOTHING


def test_a_complaint_ends_at_once_and_the_rest_says_nothing():
    """What is about us, or the letter, is no reason to lose a reader."""
    assert decision(bounce(Kind.COMPLAINT), []) is Decision.COMPLAINED
    many = [bounce(what, day) for day in range(60) for what in (Kind.POLICY, Kind.OTHER)]
    assert decision(bounce(Kind.POLICY, 60), many) is Decision.NOTHING
    assert decision(bounce(Kind.OTHER, 60), many) is Decision.NOTHING


@given(
    st.lists(st.tuples(st.sampled_from([Kind.HARD, Kind.SOFT, Kind.POLICY, Kind.OTHER]), st.floats(0, 6.99))),
    st.sampled_from([Kind.HARD, Kind.POLICY, Kind.OTHER]),
)
def test_nobody_is_given_up_for_what_happens_within_a_week(before, new):
    """Soft ones aside, of which there would have to be five days."""
    earlier = [bounce(what, days) for what, days in before]
    assert decision(bounce(new, 6.99), earlier) is not Decision.BOUNCED


@pytest.mark.parametrize(
    ("hard", "policy", "deliveries", "to_blame"),
    [
        (LEAST, 0, 20 * LEAST - 1, True),
        (LEAST, 0, 20 * LEAST, False),
        (LEAST - 1, 0, LEAST, False),
        (5000, 0, 5000, True),
        (0, LEAST, 100 * LEAST - 1, True),
        (0, LEAST, 100 * LEAST, False),
        (0, LEAST - 1, LEAST, False),
        (0, 0, 0, False),
        (LEAST, 0, 0, True),
    ],
)
def test_many_at_one_domain_are_its_fault(hard, policy, deliveries, to_blame):
    """More than one in twenty without mailbox, one in a hundred refused for what we are, and never only a few."""
    assert bool(domains_fault(hard, policy, deliveries)) is to_blame


def test_a_report_on_several_addresses_is_about_the_best_of_them():
    """Behind a reader's address there may be more than one."""
    assert mildest([Kind.HARD, Kind.SOFT]) is Kind.SOFT
    assert mildest([Kind.HARD]) is Kind.HARD
