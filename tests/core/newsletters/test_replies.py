"""Replies of mail servers and retries."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.newsletters.replies import LONGEST, ReplyAction, classify_reply, is_policy_refusal, next_retry_at

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
