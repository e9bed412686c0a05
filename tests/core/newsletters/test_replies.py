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
    MOST_REJECTED_DOMAINS,
    UNKNOWN_WAIT,
    Answer,
    SendHealth,
    classify_reply,
    decide_outcome,
    is_policy_refusal,
    next_retry_at,
    unconfirmed_outcome,
    update_health,
)
from feeds.model import Delivery, DeliveryOutcome, DeliveryState, ReplyAction

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
STAGES = ("mail", "rcpt", "data", "content")
ENHANCED = ("", "2.0.0", "4.2.2", "4.7.1", "5.0.0", "5.1.1", "5.1.7", "5.2.2", "5.7.1", "5.7.26", "5.7.515")


@dataclass(frozen=True)
class Reply:
    """A server's reply."""

    code: int
    enhanced: str
    words: str = "said"

    def __str__(self):
        return f"{self.code} {self.enhanced} {self.words}"


@pytest.mark.parametrize(
    ("code", "enhanced", "stage", "expected"),
    [
        (250, "2.0.0", "content", ReplyAction.SENT),
        (250, "", "content", ReplyAction.SENT),
        (250, "", "data", ReplyAction.LATER),  # success at another stage is not a delivery
        (354, "", "content", ReplyAction.LATER),
        (421, "4.3.2", "content", ReplyAction.LIMIT),
        (450, "4.2.0", "rcpt", ReplyAction.LATER),
        (451, "", "mail", ReplyAction.LIMIT),
        (452, "4.2.2", "rcpt", ReplyAction.LATER),
        (454, "4.7.0", "mail", ReplyAction.LIMIT),
        (452, "4.5.3", "rcpt", ReplyAction.LIMIT),
        (451, "4.7.28", "content", ReplyAction.LIMIT),
        (550, "5.7.28", "content", ReplyAction.LIMIT),
        (550, "5.1.1", "rcpt", ReplyAction.NEVER),
        (550, "", "rcpt", ReplyAction.NEVER),
        (552, "5.2.2", "content", ReplyAction.NEVER),
        (554, "5.7.1", "content", ReplyAction.NEVER),
        (550, "", "mail", ReplyAction.REJECTED),
        (553, "5.1.8", "rcpt", ReplyAction.REJECTED),
        (550, "5.1.7", "rcpt", ReplyAction.REJECTED),
        (530, "5.7.0", "mail", ReplyAction.REJECTED),
        (530, "", "rcpt", ReplyAction.REJECTED),
        (535, "5.7.8", "content", ReplyAction.REJECTED),
        (550, "5.7.26", "content", ReplyAction.REJECTED),
        (550, "5.7.515", "content", ReplyAction.REJECTED),
    ],
)
def test_a_reply_decides(code, enhanced, stage, expected):
    """A 4xx is retried, a 5xx about the recipient fails one delivery; others are about the sender or the rate."""
    assert classify_reply(Reply(code, enhanced), stage) is expected


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (450, "4.7.1 Error: too much mail from 192.0.2.1"),
        (451, "4.7.650 The mail server has been temporarily rate limited"),
        (452, "too many recipients this hour"),
        (550, "Sorry, you have exceeded your hourly limit for messages per connection"),
    ],
)
def test_words_tell_a_rate_limit_from_other_replies(code, words):
    """A server that sends too much is told so in words, whatever the code; greylisting is a common retry."""
    assert classify_reply(Reply(code, "", words), "rcpt") is ReplyAction.LIMIT
    assert classify_reply(Reply(450, "4.2.0", "Greylisted, come back in five minutes"), "rcpt") is ReplyAction.LATER


@given(st.integers(200, 599), st.sampled_from(ENHANCED), st.sampled_from(STAGES))
def test_only_success_for_the_content_is_a_delivery(code, enhanced, stage):
    """Only a 2xx for the content means sent, and a 4xx is always retried; to MAIL, it costs no try."""
    found = classify_reply(Reply(code, enhanced), stage)
    assert (found is ReplyAction.SENT) == (stage == "content" and 200 <= code < 300)
    if 400 <= code < 500:
        assert found is ReplyAction.LIMIT if stage == "mail" else found in (ReplyAction.LATER, ReplyAction.LIMIT)


@pytest.mark.parametrize(
    ("enhanced", "words", "stage", "expected"),
    [
        ("5.7.1", "", "rcpt", True),
        ("5.7.1", "", "content", True),
        ("", "", "content", True),
        ("5.6.0", "", "content", True),
        ("5.1.1", "looks like spam", "rcpt", True),
        ("5.1.1", "", "content", False),
        ("5.1.1", "", "rcpt", False),
        ("5.7.1", "No such user!", "rcpt", False),
        ("", "User unknown", "content", False),
        ("", "", "rcpt", False),
        ("5.2.2", "", "rcpt", False),
        ("5.2.2", "", "content", False),
        ("5.2.1", "receiving mail at a rate", "content", False),
    ],
)
def test_a_refusal_is_about_the_recipient_or_the_sender(enhanced, words, stage, expected):
    """An unknown or full mailbox is not a policy refusal, whatever its code; one of the sender or the content is."""
    assert is_policy_refusal(Reply(550, enhanced, words), stage) is expected


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
    """Return the health after replies for a domain through one server, unless a reply names others."""
    found = [Answer(reply=reply, stage=stage, **about) for reply, stage, about in map(complete, answers)]
    return reduce(update_health, found, SendHealth())


def complete(answer):
    reply, stage, *about = answer
    return reply, stage, {"domain": "example.org", "server": "relay"} | (about[0] if about else {})


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


def rejected(domain, server="relay"):
    return (Reply(550, "5.7.26"), "rcpt", {"domain": domain, "server": server})


def accepted(server):
    return (*OK, {"server": server})


def test_a_server_that_rejects_the_sender_before_it_knows_a_recipient_gets_no_more_mail():
    """A permanent reply to MAIL is the server's word about all mail; the issue is not halted."""
    health = health_after([OK, NO_SUCH_USER, BAD_SENDER])
    reason = "the server rejects this sender: 550 5.7.26 said (in reply to MAIL)"
    assert health.rejecting_servers == {"relay": reason}
    assert (health.refusals, health.halt_reason) == (1, "")


def test_three_domains_in_a_row_that_reject_the_sender_are_one_server():
    """Two domains may be wrong by themselves, and so may one with many readers; a success starts the count again."""
    two = [rejected("a.example"), rejected("b.example"), rejected("b.example")]
    assert not health_after([*two, OK, *two]).rejecting_servers
    health = health_after([*two, rejected("c.example")])
    reason = "the server rejects this sender: 550 5.7.26 said (in reply to RCPT)"
    assert health.rejecting_servers == {"relay": reason}
    assert health.rejected_domains == {"relay": frozenset({"a.example", "b.example", "c.example"})}


def test_a_server_is_judged_by_its_own_replies():
    """What one server accepts says nothing about another that rejects the sender."""
    domains = [f"{n}.example" for n in range(MOST_REJECTED_DOMAINS)]
    answers = [one for domain in domains for one in (rejected(domain, "bad"), accepted("good"))]
    assert list(health_after(answers).rejecting_servers) == ["bad"]


def test_policy_refusals_in_a_row_halt_the_issue():
    """Twenty in a row halt it, also with other failures between them; a success starts the count again."""
    almost = [POLICY] * (MOST_POLICY_REFUSALS - 1)
    assert health_after([*almost, OK, *almost]).halt_reason == ""
    health = health_after([*almost, LATER, NO_SUCH_USER, POLICY])
    assert health.halt_reason == "20 deliveries in a row were refused, the last with: 550 5.7.1 said"
    assert health.refusals == MOST_POLICY_REFUSALS + 1


@given(st.lists(st.sampled_from(ANSWERS), max_size=60))
def test_a_run_stops_only_for_a_reason(answers):
    """Without a rejected sender and twenty policy refusals, a run goes on; each permanent refusal is counted."""
    health = health_after(answers)
    assert health.refusals == sum(answer in (NO_SUCH_USER, POLICY) for answer in answers)
    if health.halt_reason:
        assert answers.count(POLICY) >= MOST_POLICY_REFUSALS
    assert bool(health.rejecting_servers) == (BAD_SENDER in answers)
