"""What happens to a sign-up: limits, signs of a program, complaints."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feeds.core.subscribers.addresses import parse_address
from feeds.core.subscribers.signup import (
    CONFIRMATION_EVERY,
    FormSignal,
    SignupFacts,
    SignupOutcome,
    choose_newsletters,
    decide_signup,
    is_closed_by_complaints,
    network_of,
)
from tests.conftest import NOW

FACTS = st.builds(
    SignupFacts,
    address=st.sampled_from(["ada@example.org", "info@example.org", "a.d.a.x.y@gmail.com"]).map(parse_address),
    form=st.lists(st.sampled_from(FormSignal), unique=True).map(tuple),
    has_mail_server=st.sampled_from([True, False, None]),
    of_client=st.integers(0, 30),
    of_network=st.integers(0, 30),
    is_suppressed=st.booleans(),
    is_subscribed=st.booleans(),
    confirmation_at=st.none() | st.timedeltas(timedelta(0), timedelta(days=3)).map(lambda ago: NOW - ago),
    budget=st.integers(-3, 3),
    is_form_closed=st.booleans(),
    is_full=st.booleans(),
)


#: Numbers that contradict each other must not make points that count against the other signs.
CONTRADICTION = SignupFacts(
    address=parse_address("ada@example.org"), form=(), has_mail_server=False, of_client=11, of_network=0
)


@given(FACTS)
@example(CONTRADICTION)
def test_a_confirmation_is_sent_only_within_every_limit(facts):
    """No facts lead to a confirmation that breaks a limit, and only a held sign-up has a reason."""
    outcome, reason = decide_signup(facts, NOW)
    assert bool(reason) == (outcome is SignupOutcome.HOLD)
    if outcome is SignupOutcome.CONFIRM:
        assert (facts.is_suppressed, facts.is_subscribed, facts.is_form_closed) == (False, False, False)
        assert facts.budget > 0
        assert facts.has_mail_server is not False
        assert facts.confirmation_at is None or NOW - facts.confirmation_at >= CONFIRMATION_EVERY
    if outcome is SignupOutcome.HOLD:
        assert not facts.is_full


@given(FACTS)
def test_more_signs_never_help_a_sign_up(facts):
    """A sign-up that is held is not confirmed if there are more signs of a program."""
    worse = replace(facts, form=tuple(FormSignal), of_client=facts.of_client + 1, of_network=facts.of_network + 1)
    if decide_signup(facts, NOW)[0] is not SignupOutcome.CONFIRM:
        assert decide_signup(worse, NOW)[0] is not SignupOutcome.CONFIRM


@pytest.mark.parametrize(
    ("sent", "complaints", "is_closed"),
    [(1, 1, False), (2, 2, True), (99, 1, False), (199, 2, True), (200, 2, False), (200, 3, True), (0, 0, False)],
)
def test_more_than_one_complaint_in_a_hundred_closes_the_form(sent, complaints, is_closed):
    """Exactly one in a hundred does not close it, and one alone never does."""
    assert is_closed_by_complaints(sent, complaints) == is_closed


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_clients_are_limited_by_their_network(client, network):
    """The network is the /24 of IPv4, also inside of IPv6, and the /48 of IPv6."""
    assert network_of(client) == network


@pytest.mark.parametrize(
    ("wanted", "offered", "chosen"),
    [
        (["b", "x"], ["a", "b"], ("b",)),
        ([], ["a", "b"], ()),
        ([], ["a"], ("a",)),
        (["x"], ["a"], ("a",)),
        (["a"], [], ()),
        (["b", "a", "a"], ["a", "b"], ("a", "b")),
    ],
)
def test_only_newsletters_that_are_offered_can_be_chosen(wanted, offered, chosen):
    """Names that are not offered are ignored; a single newsletter needs no choice."""
    assert choose_newsletters(wanted, offered) == chosen
