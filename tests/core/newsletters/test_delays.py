"""How long the deliveries of a domain wait after a server limited their rate, or rejected their sender."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from feeds.core.newsletters.delays import lengthen, shorten
from feeds.core.newsletters.replies import LONGEST
from feeds.model import ReplyAction

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LIMIT, REJECTED = ReplyAction.LIMIT, ReplyAction.REJECTED


def delays(action, times, last=None, longest=LONGEST):
    """Return the delays after so many answers in a row."""
    found = []
    for _ in range(times):
        last = lengthen(last, "example.org", action, "450 4.7.1 slower", NOW, longest)
        found.append(last)
    return found


def test_a_rate_limit_is_waited_for_a_minute_and_then_twice_as_long_each_time_up_to_an_hour():
    """Two days without a success end the deliveries, since some mailboxes limit what they do not want at all."""
    found = list(itertools.takewhile(lambda one: not one.has_given_up, delays(LIMIT, 60)))
    minutes = [(one.until - NOW) / timedelta(minutes=1) for one in found]
    assert minutes[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert set(minutes[8:]) == {60}
    assert 47 * 60 < sum(minutes) <= 48 * 60
    assert len(found) < 60


def test_a_domain_that_rejects_the_sender_is_given_up_when_a_delivery_would_be():
    """The waits are those of a single delivery; after the last one the delay has no end."""
    found = delays(REJECTED, 20, longest=timedelta(minutes=60))
    assert [one.until and one.until - NOW for one in found[:5]] == [
        *(timedelta(minutes=n) for n in (2, 5, 15, 30)),
        None,
    ]
    assert found[4].has_given_up


def test_another_cause_starts_again():
    """A domain that limited its rate and then rejects the sender has been tried once for that."""
    [*_, limited] = delays(LIMIT, 5)
    rejected = lengthen(limited, "example.org", REJECTED, "550 5.7.26 no", NOW, LONGEST)
    assert (rejected.times, rejected.answer) == (1, "550 5.7.26 no")


@given(st.integers(1, 20))
def test_after_a_success_a_rate_limit_waits_as_long_as_what_was_enough(times):
    """The wait after the next refusal is the last one again; a rejection is forgotten at once."""
    [*_, last] = delays(LIMIT, times)
    remembered = shorten(last)
    assert (remembered is None) == (times == 1)
    if remembered:
        assert remembered.until is None
        again = lengthen(remembered, "example.org", LIMIT, "450 4.7.1 slower", NOW, LONGEST)
        assert again.until == last.until
    assert shorten(delays(REJECTED, 1)[-1]) is None
