"""People in the memory, on a real database: who comes by the thousand, who must not come back, who is forgotten."""

import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feeds.edges.store.database import open_store
from feeds.edges.store.subscriber_import import KeptOut
from feeds.edges.store.suppressions import Suppression
from feeds.errors import LockedError
from feeds.model import (
    DeliveryOutcome,
    DeliveryState,
    ImportRow,
    IssueContent,
    IssuePage,
    Letter,
    NewIssue,
    RenderedIssue,
    Selection,
    SubscriberPreferences,
)

URL = "sqlite:///feeds.db"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
STATUSES = ("pending", "active", "unsubscribed", "bounced", "complained")
ADA, BOB = "ada@example.org", "bob@example.org"


@pytest.fixture
def store(tmp_path):
    with open_store(URL, tmp_path) as found:
        yield found


def _arrival(email, status="active", number=2, **values):
    return ImportRow(
        **{"number": number, "email": email, "key": email.lower(), "status": status, "consent": "list"} | values
    )


def _taken(store, *coming, at=NOW, keep=True):
    store.subscriber_import.stage(coming)
    return store.subscriber_import.commit_import("list.csv", at, keep=keep)


def _subscribed(store, email, newsletters=("weekly",), at=NOW):
    wanted = dict.fromkeys(newsletters)
    store.subscribers.subscribe(email, email, wanted, lang=None, consent="asked", source="add", at=at)


def _statuses(store):
    return {person.email: person.status for person in store.subscribers.iterate()}


def _issue(store, number=1, *, copies=()):
    nothing = Selection(stories=())
    letter = Letter(lang="en", subject="S", html="<p>", text="T")
    store.issues.freeze(
        NewIssue(
            newsletter="weekly",
            number=number,
            slot=NOW + timedelta(days=number),
            subject="S",
            selection=nothing,
            page=IssuePage(html="P"),
            content=IssueContent(selection=nothing, texts={}),
            seed=b"seed",
            rendered=RenderedIssue(
                letters=[letter], letter_index={SubscriberPreferences(): 0}, copies=[(c, c) for c in copies]
            ),
        ),
        NOW,
    )


def _states(store, issue_id=1):
    return {fared.recipient: fared.state for fared in store.deliveries.load_results(issue_id)}


# One by one --------------------------------------------------------------------------------------------------------


def test_everybody_is_read_a_page_at_a_time(store):
    """In the order of their addresses, however many; those who read something, those who stand somewhere."""
    people = [_arrival(f"p{n:04}@example.org", subscriptions=(("weekly", ()),) if n % 2 else ()) for n in range(2500)]
    _taken(store, *people)
    found = store.subscribers.iterate()
    first = next(found)
    _subscribed(store, "zoe@example.org")  # somebody else writes meanwhile
    everybody = [first, *found]
    assert [person.email for person in everybody] == [*(p.email for p in people), "zoe@example.org"]
    readers = list(store.subscribers.iterate(newsletter="weekly"))
    assert len(readers) == 1251
    assert store.subscribers.count_by_status(newsletter="weekly") == {"active": 1251}
    store.subscribers.unsubscribe("p0001@example.org", NOW)
    assert [p.email for p in store.subscribers.iterate(status="unsubscribed")] == ["p0001@example.org"]
    assert store.subscribers.count_by_status() == {"active": 2500, "unsubscribed": 1}


def test_consent_grows_with_what_it_is_to(store):
    """It is never overwritten, and repeating oneself is no consent."""
    _subscribed(store, ADA)
    _subscribed(store, ADA)
    assert store.subscribers.find(ADA).consent == "asked"
    _subscribed(store, ADA, ("weekly", "daily"))
    assert store.subscribers.find(ADA).consent == "asked; asked"
    store.subscribers.unsubscribe(ADA, LATER)
    assert store.subscribers.find(ADA).status_at == LATER
    store.subscribers.unsubscribe(ADA, LATER + timedelta(hours=1))
    assert store.subscribers.find(ADA).status_at == LATER
    _subscribed(store, ADA)
    assert store.subscribers.find(ADA).consent == "asked; asked; asked"


# Lists -------------------------------------------------------------------------------------------------------------


def test_who_is_new_comes_in_with_what_the_list_says(store):
    """Status, language, zone, consent, since when, what they read; the list's name is where they came from."""
    settled = _taken(
        store,
        _arrival(
            "Ada@example.org",
            lang="ja",
            timezone="Asia/Tokyo",
            created_at=LATER,
            subscriptions=(("weekly", ("B", "A")),),
        ),
        _arrival(BOB, "bounced"),
    )
    assert (settled.added, settled.merged, settled.kept_out) == ({"active": 1, "bounced": 1}, 0, 0)
    ada, bob = store.subscribers.iterate()
    assert (ada.email, ada.key, ada.lang, ada.timezone, ada.consent, ada.source, ada.created_at, ada.topics) == (
        "Ada@example.org",
        ADA,
        "ja",
        "Asia/Tokyo",
        "list",
        "list.csv",
        LATER,
        {"weekly": ("A", "B")},
    )
    assert (bob.status, bob.newsletters, bob.created_at, bob.status_at) == ("bounced", (), NOW, NOW)
    assert store.issues.load_preferences("weekly") == {SubscriberPreferences(lang="ja", topics=("A", "B")): 1}


def test_who_is_known_gets_what_they_had_not(store):
    """A newsletter, a topic, a language; what they chose themselves stays, and whoever wants all of it gets all."""
    values = {"lang": "de", "consent": "asked", "at": NOW}
    store.subscribers.subscribe(ADA, ADA, {"weekly": ["X"], "daily": None}, **values)
    wants = (("weekly", ("Y",)), ("daily", ("Y",)), ("monthly", ()))
    told = _arrival(ADA, lang="en", timezone="Asia/Tokyo", subscriptions=wants)
    assert _taken(store, told, at=LATER).merged == 1
    ada = store.subscribers.find(ADA)
    assert (ada.lang, ada.timezone, ada.newsletters, ada.topics) == (
        "de",
        "Asia/Tokyo",
        ("daily", "monthly", "weekly"),
        {"weekly": ("X", "Y")},
    )
    assert (ada.consent, ada.status_at) == ("asked; list", NOW)
    again = _taken(store, told)
    assert (again.merged, again.unchanged) == (0, 1)
    assert store.subscribers.find(ADA) == ada


def test_a_person_who_is_named_twice_is_one(store):
    """What either row says counts; that they have gone counts most."""
    first, second = (
        _arrival(ADA, lang="ja", subscriptions=(("weekly", ("X",)),)),
        _arrival(ADA, subscriptions=(("weekly", ("Y",)),)),
    )
    assert _taken(store, first, second).added == {"active": 1}
    ada = store.subscribers.find(ADA)
    assert (ada.lang, ada.topics) == ("ja", {"weekly": ("X", "Y")})
    assert _taken(store, _arrival(BOB, "complained"), _arrival(BOB), _arrival(BOB, "unsubscribed")).added == {
        "complained": 1
    }


def test_a_list_that_says_that_somebody_left_ends_what_waits_for_them(store):
    """The others go on."""
    _subscribed(store, ADA)
    _subscribed(store, BOB)
    _issue(store)
    settled = _taken(store, _arrival(ADA, "unsubscribed"), at=LATER)
    assert (settled.left, settled.added) == (1, {})
    assert (store.subscribers.find(ADA).status, store.subscribers.find(ADA).status_at) == ("unsubscribed", LATER)
    assert _states(store) == {ADA: DeliveryState.FAILED, BOB: DeliveryState.READY}


def test_whom_a_list_would_bring_back_is_kept_out_by_name(store):
    """Those who had gone, and those whom the suppression list holds, also if nobody knows them any more."""
    _taken(store, _arrival(ADA, "complained"))
    store.suppressions.suppress(BOB, "1:b", NOW)
    rows = (_arrival(ADA, number=2), _arrival("eve@example.org", number=3), _arrival(BOB, number=4, digests=("1:b",)))
    settled = _taken(store, *rows)
    assert (settled.kept_out, settled.added) == (2, {"active": 1})
    assert list(store.subscriber_import.kept_out()) == [
        KeptOut(number=2, email=ADA, status="complained"),
        KeptOut(number=4, email=BOB, status=""),
    ]
    assert _statuses(store) == {ADA: "complained", "eve@example.org": "active"}
    assert _taken(store, _arrival(BOB, "unsubscribed", digests=("1:b",))).kept_out == 1


def test_no_list_brings_anybody_back_to_a_newsletter_that_they_have_left(store):
    """They read others, so they are active; somebody who adds them by hand says that they came back."""
    _subscribed(store, ADA, ("weekly", "daily"))
    with store.bounces.transaction():
        store.bounces.unsubscribe_from(store.bounces.find_subscriber(store.subscribers.find(ADA).id), "daily", LATER)
    assert store.subscribers.left_newsletters(ADA) == {"daily": LATER}
    assert _taken(store, _arrival(ADA, subscriptions=(("daily", ()), ("weekly", ())))).unchanged == 1
    assert _taken(store, _arrival(ADA, lang="ja", subscriptions=(("daily", ()),))).merged == 1
    assert store.subscribers.find(ADA).newsletters == ("weekly",)
    _subscribed(store, ADA, ("daily",))
    assert (store.subscribers.find(ADA).newsletters, store.subscribers.left_newsletters(ADA)) == (
        ("daily", "weekly"),
        {},
    )


ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(STATUSES)), max_size=6)


@given(st.lists(ROWS, min_size=1, max_size=4), st.randoms(use_true_random=False))
@example([[("a", "unsubscribed"), ("a", "active")], [("a", "active")]], None)
def test_the_order_of_lists_and_rows_brings_nobody_back(lists, chance):
    """Who has gone in any of them is gone, as the worst that is said; who has not is active if anybody says so."""
    said = {}
    for name, status in (row for rows in lists for row in rows):
        said[f"{name}@example.org"] = max(said.get(f"{name}@example.org", "pending"), status, key=STATUSES.index)
    if chance:
        lists = [chance.sample(rows, len(rows)) for rows in chance.sample(lists, len(lists))]
    with tempfile.TemporaryDirectory() as folder, open_store(URL, Path(folder)) as store:
        for rows in lists:
            known = _statuses(store)
            settled = _taken(store, *(_arrival(f"{name}@example.org", status) for name, status in rows))
            counts = [*settled.added.values(), settled.merged, settled.unchanged, settled.left, settled.kept_out]
            assert sum(counts) == len({name for name, _ in rows})
            assert sum(settled.added.values()) == len(_statuses(store)) - len(known)
        assert _statuses(store) == said


def test_without_keep_everything_is_told_and_nothing_done(store):
    """As it would become."""
    _subscribed(store, ADA)
    _taken(store, _arrival(BOB, "complained"))
    before = list(store.subscribers.iterate())
    rows = (_arrival(ADA, "unsubscribed"), _arrival(BOB), _arrival("eve@example.org"))
    looked = _taken(store, *rows, keep=False)
    assert list(store.subscribers.iterate()) == before
    assert [one.email for one in store.subscriber_import.kept_out()] == [BOB]
    assert _taken(store, *rows) == looked


def test_while_a_list_is_read_the_store_is_free(tmp_path, store):
    """A sender writes a thousand times a second, and waits ten seconds at most; a list may take longer."""

    def rows():
        for n in range(5):
            with closing(sqlite3.connect(tmp_path / "feeds.db", timeout=0)) as other, other:
                other.execute("INSERT INTO retired (path, at) VALUES (?, '2026-01-01')", (f"{n}",))
            yield _arrival(f"p{n}@example.org")

    assert _taken(store, *[_arrival(ADA)]).added == {"active": 1}
    store.subscriber_import.stage(rows())
    assert store.subscriber_import.commit_import("list.csv", NOW, keep=True).added == {"active": 5}


def test_a_list_that_breaks_off_leaves_nothing(store):
    """The next one starts afresh."""

    def rows():
        yield _arrival(ADA)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        store.subscriber_import.stage(rows())
    assert _taken(store, _arrival(BOB)).added == {"active": 1}
    assert _statuses(store) == {BOB: "active"}


# Whom no mail goes to ------------------------------------------------------------------------------------------------


def test_who_is_suppressed_has_left_and_is_found_by_any_digest(store):
    """Twice is once; what waits for them ends; whoever is taken off the list is still gone."""
    _subscribed(store, ADA)
    _issue(store)
    assert store.suppressions.find(("1:a",)) is None
    store.suppressions.suppress(ADA, "1:a", NOW)
    store.suppressions.suppress(ADA, "1:a", LATER)
    assert store.suppressions.key_ids() == {"1"}
    assert store.suppressions.find(("2:x", "1:a")) == Suppression(reason="suppressed", at=NOW)
    assert (_statuses(store), _states(store)) == ({ADA: "unsubscribed"}, {ADA: DeliveryState.FAILED})
    assert store.suppressions.allow(("2:x", "1:a"))
    assert not store.suppressions.allow(("2:x", "1:a"))
    assert _statuses(store) == {ADA: "unsubscribed"}


def test_who_is_erased_leaves_numbers(store):
    """Letters went to somebody, and some reached them; what waits is over; each is still one of its issue."""
    _subscribed(store, ADA)
    _subscribed(store, BOB)
    for number in (1, 2):
        _issue(store, number)
    [first, *_] = store.deliveries.claim(1, 1, NOW, resend=1)
    sent = DeliveryOutcome(id=first.id, state=DeliveryState.SENT, answer=f"250 <{ADA}> is pleased")
    store.deliveries.commit_and_begin([sent], [], NOW)
    store.deliveries.halt(2, f"20 in a row were refused, the last with: 550 <{ADA.upper()}>")
    assert store.suppressions.erase(ADA, {ADA}, "1:a", LATER) == 2
    assert store.subscribers.find(ADA) is None
    assert _states(store, 1) == {"(erased)": DeliveryState.SENT, BOB: DeliveryState.READY}
    assert _states(store, 2) == {"(erased)": DeliveryState.FAILED, BOB: DeliveryState.READY}
    assert [fared.answer for fared in store.deliveries.load_results(1)] == ["", ""]
    assert [issue.halt_reason[-14:] for issue in store.issues.load_issues()] == ["", "550 <(erased)>"]
    assert store.suppressions.find(("1:a",)) == Suppression(reason="erased", at=LATER)
    assert list(store.subscribers.iterate_deliveries(ADA)) == []


def test_a_copy_that_is_erased_is_one_like_others(store):
    """Two of them in one issue do not stand in each other's way."""
    _issue(store, copies=(ADA, BOB))
    for email in (ADA, BOB):
        assert store.suppressions.erase(email, {email}, f"1:{email}", NOW) == 1
    assert [fared.recipient for fared in store.deliveries.load_results(1)] == ["(erased)", "(erased)"]


def test_the_file_is_written_anew_when_nobody_looks(tmp_path, store):
    """Somebody who reads sees pages that cannot be moved; they are waited for, and then it is said."""
    _subscribed(store, ADA)
    store.subscribers._db.execute("PRAGMA busy_timeout = 100")  # noqa: SLF001 - the test need not wait for ten seconds
    with closing(sqlite3.connect(tmp_path / "feeds.db", isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM subscribers").fetchall()
        with pytest.raises(LockedError, match="somebody reads the store"):
            store.suppressions.secure_vacuum()
        other.execute("COMMIT")
    store.subscribers._db.execute("PRAGMA journal_mode = WAL")  # noqa: SLF001 - as while letters are sent
    store.suppressions.erase(ADA, {ADA}, "1:a", NOW)
    assert any(ADA.encode() in file.read_bytes() for file in tmp_path.iterdir())
    store.suppressions.secure_vacuum()
    assert not any(ADA.encode() in file.read_bytes() for file in tmp_path.iterdir())
