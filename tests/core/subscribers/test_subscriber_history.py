"""What words of a journal come to."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from feeds.core.subscribers.subscriber_history import JournalEvent, SubscriberHistory, merge_histories, replay_events
from feeds.model import SubscriberEvent

START = datetime(2026, 11, 23, tzinfo=UTC)
WHATS = ("active", "unsubscribed", "bounced", "left", "returned", "erased", "suppressed", "allowed")
WORDS = st.lists(st.tuples(st.sampled_from(["1-a:x", "2-b:x", "1-a:y"]), st.sampled_from(WHATS)), max_size=12)


def _words(said):
    return [
        SubscriberEvent(
            who=who, what=what, newsletter="n" * (what in ("left", "returned")), at=START + timedelta(hours=at)
        )
        for at, (who, what) in enumerate(said)
    ]


def _meant(fate):
    """What it means, wherever it stood."""

    def plain(said):
        return said and (said.what, said.at)

    said = {name: plain(one) for name, one in fate.newsletters.items()}
    return plain(fate.status), said, plain(fate.erased), plain(fate.listed)


@given(WORDS, st.integers(0, 12), st.integers(0, 12))
def test_words_that_were_written_twice_change_nothing(said, start, number):
    """As when a process is killed before it forgets what it has written: the same ones follow once more."""
    words = _words(said)
    again = words[: start + number] + words[start:]
    assert {who: _meant(fate) for who, fate in replay_events(again).items()} == {
        who: _meant(fate) for who, fate in replay_events(words).items()
    }


@given(WORDS)
def test_a_person_known_by_two_keys_is_one_person(said):
    """The last word counts, whichever key it was written with; what came before they were erased does not."""
    alike = _words((who.replace("2-b", "1-a"), what) for who, what in said)
    one, two = replay_events(alike).get("1-a:x"), merge_histories(replay_events(_words(said)), ("1-a:x", "2-b:x"))
    assert (one is None) == (two is None)
    if one and two:
        assert _meant(one) == _meant(two)


def test_who_came_back_after_being_erased_is_another():
    """Who is on the list still cannot have come back; else it counts since when somebody is known."""
    erased = JournalEvent(0, "erased", START)
    later, earlier = START + timedelta(days=1), START - timedelta(days=1)
    still, off = (SubscriberHistory(erased=erased, listed=one) for one in (erased, JournalEvent(1, "allowed", later)))
    assert still.was_forgotten(later)
    assert not off.was_forgotten(later)
    assert off.was_forgotten(earlier)
    assert not SubscriberHistory().was_forgotten(earlier)
