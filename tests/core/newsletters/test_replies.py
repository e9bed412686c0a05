"""Replies of mail servers: outcomes of deliveries, retries, and replies that stop a run."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.newsletters.replies import (
    LONGEST,
    MOST_POLICY_REFUSALS,
    UNKNOWN_WAIT,
    ReplyAction,
    SendHealth,
    classify_reply,
    decide_outcome,
    is_policy_refusal,
    next_retry_at,
    unconfirmed_outcome,
    update_health,
)
from feeds.model import Delivery, DeliveryOutcome, DeliveryState

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
STAGES = ("mail", "rcpt", "data", "content")
ENHANCED = ("", "2.0.0", "4.2.2", "4.7.1", "5.0.0", "5.1.1", "5.1.7", "5.2.2", "5.7.1", "5.7.26", "5.7.515")


@pytest.mark.parametrize(
    ("code", "enhanced", "stage", "expected"),
    [
        (250, "2.0.0", "content", ReplyAction.SENT),
        (250, "", "content", ReplyAction.SENT),
        (250, "", "data", ReplyAction.LATER),  # success at another stage is not a delivery
        (354, "", "content", ReplyAction.LATER),
        (421, "4.3.2", "content", ReplyAction.LATER),
        (450, "4.2.0", "rcpt", ReplyAction.LATER),
        (451, "", "mail", ReplyAction.LATER),
        (452, "4.2.2", "rcpt", ReplyAction.LATER),
        (454, "4.7.0", "mail", ReplyAction.LATER),
        (550, "5.1.1", "rcpt", ReplyAction.NEVER),
        (550, "", "rcpt", ReplyAction.NEVER),
        (552, "5.2.2", "content", ReplyAction.NEVER),
        (554, "5.7.1", "content", ReplyAction.NEVER),
        (550, "", "mail", ReplyAction.HALT),
        (553, "5.1.8", "rcpt", ReplyAction.HALT),
        (550, "5.1.7", "rcpt", ReplyAction.HALT),
        (530, "5.7.0", "mail", ReplyAction.HALT),
        (530, "", "rcpt", ReplyAction.HALT),
        (535, "5.7.8", "content", ReplyAction.HALT),
        (550, "5.7.26", "content", ReplyAction.HALT),
        (550, "5.7.515", "content", ReplyAction.HALT),
    ],
)
def test_a_reply_decides(code, enhanced, stage, expected):
    """A 4xx is retried, a 5xx about the recipient fails one delivery, a 5xx about the sender stops all."""
    assert classify_reply(code, enhanced, stage) is expected


@given(st.integers(200, 599), st.sampled_from(ENHANCED), st.sampled_from(STAGES))
def test_only_success_for_the_content_is_a_delivery(code, enhanced, stage):
    """Only a 2xx for the content means sent, and a 4xx is always retried."""
    found = classify_reply(code, enhanced, stage)
    assert (found is ReplyAction.SENT) == (stage == "content" and 200 <= code < 300)
    if 300 <= code < 500:
        assert found is ReplyAction.LATER


@pytest.mark.parametrize(
    ("enhanced", "stage", "expected"),
    [
        ("5.7.1", "rcpt", True),
        ("5.7.1", "content", True),
        ("", "content", True),
        ("5.6.0", "content", True),
        ("5.1.1", "content", False),
        ("5.1.1", "rcpt", False),
        ("", "rcpt", False),
        ("5.2.2", "rcpt", False),
    ],
)
def test_a_refusal_is_about_the_recipient_or_the_sender(enhanced, stage, expected):
    """An unknown recipient is not a policy refusal; a 5.7 code and a refusal of the content are."""
    assert is_policy_refusal(enhanced, stage) is expected


@given(st.integers(1, 100), st.timedeltas(timedelta(), timedelta(days=4)))
def test_each_wait_is_longer_until_all_have_taken_too_long(tries, longest):
    """Each wait is at least as long as the one before, and all together never exceed the limit."""
    retries = [next_retry_at(n, NOW, longest) for n in range(1, tries + 1)]
    waits = [moment - NOW for moment in retries if moment]
    assert retries[len(waits) :] == [None] * (tries - len(waits))
    assert waits == sorted(waits)
    assert sum(waits, timedelta()) <= longest
    assert all(wait >= timedelta(minutes=2) for wait in waits)


def test_a_letter_is_tried_for_two_days():
    """A letter is retried for about two days: first after two minutes, for greylisting, at last every four hours."""
    tries = next(n for n in range(1, 100) if next_retry_at(n, NOW, LONGEST) is None)
    waits = [next_retry_at(n, NOW, LONGEST) - NOW for n in range(1, tries)]
    assert (waits[0], waits[-1]) == (timedelta(minutes=2), 4 * HOUR)
    assert 40 * HOUR < sum(waits, timedelta()) <= 48 * HOUR


# Outcomes of deliveries, and of a run ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Reply:
    """A server's reply."""

    code: int
    enhanced: str

    def __str__(self):
        return f"{self.code} {self.enhanced} said"


OK, LATER = (Reply(250, "2.0.0"), "content"), (Reply(451, "4.3.0"), "rcpt")
NO_SUCH_USER, POLICY = (Reply(550, "5.1.1"), "rcpt"), (Reply(550, "5.7.1"), "rcpt")
BAD_SENDER = (Reply(550, "5.7.26"), "mail")
ANSWERS = (OK, LATER, NO_SUCH_USER, POLICY, BAD_SENDER)


def delivery(tries=0):
    return Delivery(
        id=7,
        letter_id=1,
        recipient="ada@example.org",
        state=DeliveryState.HANDING_OVER,
        handed_over_at=NOW,
        subscriber_id=1,
        tries=tries,
    )


def outcome(answer, tries=0, longest=LONGEST):
    return decide_outcome(delivery(tries), *answer, NOW, longest=longest)


def health_after(answers):
    return reduce(lambda health, answer: update_health(health, *answer), answers, SendHealth())


@pytest.mark.parametrize(
    ("answer", "state", "text"),
    [
        (OK, DeliveryState.SENT, "250 2.0.0 said"),
        (NO_SUCH_USER, DeliveryState.FAILED, "550 5.1.1 said"),
        (POLICY, DeliveryState.FAILED, "550 5.7.1 said"),
        (BAD_SENDER, DeliveryState.READY, "550 5.7.26 said"),
    ],
)
def test_a_reply_decides_the_state_of_a_delivery(answer, state, text):
    """Success sends it, a refusal of the recipient fails it, and a rejected sender leaves it ready; tries stay."""
    assert outcome(answer, tries=3) == DeliveryOutcome(id=7, state=state, answer=text, tries=3)


def test_a_delivery_is_deferred_until_its_next_try():
    """A 4xx counts a try, and the delivery waits as long as that number of tries says."""
    for tries in range(5):
        expected = DeliveryOutcome(
            id=7,
            state=DeliveryState.DEFERRED,
            answer="451 4.3.0 said",
            tries=tries + 1,
            next_at=next_retry_at(tries + 1, NOW, LONGEST),
        )
        assert outcome(LATER, tries=tries) == expected


def test_a_delivery_that_is_deferred_too_long_fails():
    """If all waits together take longer than allowed, the delivery fails, and the answer says after how many tries."""
    found = outcome(LATER, tries=4, longest=timedelta(hours=1))
    expected = "given up after 5 tries: 451 4.3.0 said"
    assert found == DeliveryOutcome(id=7, state=DeliveryState.FAILED, answer=expected, tries=5)


def test_a_delivery_without_a_reply_is_unknown_for_a_while():
    """If the connection ends before the reply, the delivery may have arrived, and waits before it is sent again."""
    reason = "the server closed the connection"
    expected = DeliveryOutcome(id=7, state=DeliveryState.UNKNOWN, answer=reason, next_at=NOW + UNKNOWN_WAIT)
    assert unconfirmed_outcome(7, reason, NOW) == expected


def test_a_rejected_sender_stops_the_run():
    """The run stops with the server's words; the next run may try again."""
    health = health_after([OK, NO_SUCH_USER, BAD_SENDER])
    assert health.fault == "the server rejects this sender: 550 5.7.26 said (in reply to MAIL)"
    assert (health.refusals, health.halt_reason) == (1, "")


def test_policy_refusals_in_a_row_halt_the_issue():
    """Twenty in a row halt it, also with other failures between them; a success starts the count again."""
    almost = [POLICY] * (MOST_POLICY_REFUSALS - 1)
    assert health_after([*almost, OK, *almost]).fault == ""
    health = health_after([*almost, LATER, NO_SUCH_USER, POLICY])
    assert health.fault == "20 deliveries in a row were refused, the last with: 550 5.7.1 said"
    assert (health.halt_reason, health.refusals) == (health.fault, MOST_POLICY_REFUSALS + 1)


@given(st.lists(st.sampled_from(ANSWERS), max_size=60))
def test_a_run_stops_only_for_a_reason(answers):
    """Without a rejected sender and twenty policy refusals, a run goes on; each permanent refusal is counted."""
    health = health_after(answers)
    assert health.refusals == sum(answer in (NO_SUCH_USER, POLICY) for answer in answers)
    if health.halt_reason:
        assert answers.count(POLICY) >= MOST_POLICY_REFUSALS
    assert bool(health.fault) == (BAD_SENDER in answers or bool(health.halt_reason))
