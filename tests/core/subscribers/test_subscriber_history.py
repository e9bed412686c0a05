"""Replaying the journal's events about subscribers."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from feeds.core.subscribers.subscriber_history import JournalEvent, SubscriberHistory, merge_histories, replay_events
from feeds.model import SubscriberEvent

START = datetime(2026, 11, 23, tzinfo=UTC)
NAMES = ("active", "unsubscribed", "bounced", "left", "returned", "erased", "suppressed", "allowed")
EVENTS = st.lists(st.tuples(st.sampled_from(["1-a:x", "2-b:x", "1-a:y"]), st.sampled_from(NAMES)), max_size=12)


def _events(spec):
    return [
        SubscriberEvent(
            who=who, what=what, newsletter="n" * (what in ("left", "returned")), at=START + timedelta(hours=at)
        )
        for at, (who, what) in enumerate(spec)
    ]


def _comparable(history):
    """Return the content of a history without positions."""

    def plain(event):
        return event and (event.name, event.at)

    newsletters = {newsletter: plain(event) for newsletter, event in history.newsletters.items()}
    return plain(history.status), newsletters, plain(history.erased), plain(history.suppression)


@given(EVENTS, st.integers(0, 12), st.integers(0, 12))
def test_words_that_were_written_twice_change_nothing(spec, start, number):
    """Events that are written twice, as after a killed process, give the same history."""
    events = _events(spec)
    again = events[: start + number] + events[start:]
    assert {who: _comparable(history) for who, history in replay_events(again).items()} == {
        who: _comparable(history) for who, history in replay_events(events).items()
    }


@given(EVENTS)
def test_a_person_known_by_two_keys_is_one_person(spec):
    """A person with digests of two keys has one history: the last event counts, and an erasure ends earlier ones."""
    alike = _events((who.replace("2-b", "1-a"), what) for who, what in spec)
    one, two = replay_events(alike).get("1-a:x"), merge_histories(replay_events(_events(spec)), ("1-a:x", "2-b:x"))
    assert (one is None) == (two is None)
    if one and two:
        assert _comparable(one) == _comparable(two)


def test_who_came_back_after_being_erased_is_another():
    """A subscriber who was added after an erasure is another person, unless the address is still on the list."""
    erased = JournalEvent(0, "erased", START)
    later, earlier = START + timedelta(days=1), START - timedelta(days=1)
    still, off = (
        SubscriberHistory(erased=erased, suppression=one) for one in (erased, JournalEvent(1, "allowed", later))
    )
    assert still.is_erased(later)
    assert not off.is_erased(later)
    assert off.is_erased(earlier)
    assert not SubscriberHistory().is_erased(earlier)
