"""Subscribers in a real store: imports, suppressions and erasure."""

import multiprocessing
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


def _row(email, status="active", number=2, **values):
    return ImportRow(
        **{"number": number, "email": email, "key": email.lower(), "status": status, "consent": "list"} | values
    )


def _import(store, *rows, at=NOW, apply=True):
    store.subscriber_import.stage(rows)
    return store.subscriber_import.commit_import("list.csv", at, apply=apply)


def _subscribe(store, email, newsletters=("weekly",), at=NOW):
    wanted = dict.fromkeys(newsletters)
    store.subscribers.subscribe(email, email, wanted, lang=None, consent="asked", source="add", at=at)


def _statuses(store):
    return {person.email: person.status for person in store.subscribers.iterate()}


def _issue(store, number=1, *, copies=()):
    selection = Selection(stories=())
    letter = Letter(lang="en", subject="S", html="<p>", text="T")
    store.issues.freeze(
        NewIssue(
            newsletter="weekly",
            number=number,
            slot=NOW + timedelta(days=number),
            subject="S",
            selection=selection,
            page=IssuePage(html="P"),
            content=IssueContent(selection=selection, texts={}),
            seed=b"seed",
            rendered=RenderedIssue(
                letters=[letter], letter_index={SubscriberPreferences(): 0}, copies=[(c, c) for c in copies]
            ),
        ),
        NOW,
    )


def _states(store, issue_id=1):
    return {result.recipient: result.state for result in store.deliveries.load_results(issue_id)}


# Single subscribers -----------------------------------------------------------------------------------------------


def test_everybody_is_read_a_page_at_a_time(store):
    """Subscribers are read in pages, in the order of addresses, filtered by newsletter or status."""
    people = [_row(f"p{n:04}@example.org", subscriptions=(("weekly", ()),) if n % 2 else ()) for n in range(2500)]
    _import(store, *people)
    found = store.subscribers.iterate()
    first = next(found)
    _subscribe(store, "zoe@example.org")  # another write meanwhile
    subscribers = [first, *found]
    assert [person.email for person in subscribers] == [*(p.email for p in people), "zoe@example.org"]
    weekly = list(store.subscribers.iterate(newsletter="weekly"))
    assert len(weekly) == 1251
    assert store.subscribers.count_by_status(newsletter="weekly") == {"active": 1251}
    store.subscribers.unsubscribe("p0001@example.org", NOW)
    assert [p.email for p in store.subscribers.iterate(status="unsubscribed")] == ["p0001@example.org"]
    assert store.subscribers.count_by_status() == {"active": 2500, "unsubscribed": 1}


def test_consent_grows_with_what_it_is_to(store):
    """A consent text is appended for a new subscription or a return, and not for a repetition."""
    _subscribe(store, ADA)
    _subscribe(store, ADA)
    assert store.subscribers.find(ADA).consent == "asked"
    _subscribe(store, ADA, ("weekly", "daily"))
    assert store.subscribers.find(ADA).consent == "asked; asked"
    store.subscribers.unsubscribe(ADA, LATER)
    assert store.subscribers.find(ADA).status_at == LATER
    store.subscribers.unsubscribe(ADA, LATER + timedelta(hours=1))
    assert store.subscribers.find(ADA).status_at == LATER
    _subscribe(store, ADA)
    assert store.subscribers.find(ADA).consent == "asked; asked; asked"


def _subscribe_with_others(url, folder, newsletter, start):
    with open_store(url, folder) as store:
        start.wait()
        for number in range(20):
            _subscribe(store, f"p{number}@example.org", (newsletter,))


def test_an_address_that_is_subscribed_twice_at_once_is_one_subscriber(tmp_path, store_url):
    """Two processes that subscribe the same addresses at the same time make one subscriber of each, with both."""
    with open_store(store_url, tmp_path):
        pass
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(2)
    processes = [
        context.Process(target=_subscribe_with_others, args=(store_url, tmp_path, newsletter, start))
        for newsletter in ("weekly", "daily")
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    with open_store(store_url, tmp_path) as store:
        assert [process.exitcode for process in processes] == [0, 0]
        assert store.subscribers.count_by_status() == {"active": 20}
        assert {person.newsletters for person in store.subscribers.iterate()} == {("daily", "weekly")}


# Imports ----------------------------------------------------------------------------------------------------------


def test_who_is_new_comes_in_with_what_the_list_says(store):
    """A new person is imported with all values of the row, and the name of the file as source."""
    counts = _import(
        store,
        _row(
            "Ada@example.org",
            lang="ja",
            timezone="Asia/Tokyo",
            created_at=LATER,
            subscriptions=(("weekly", ("B", "A")),),
        ),
        _row(BOB, "bounced"),
    )
    assert (counts.added, counts.merged, counts.kept_out) == ({"active": 1, "bounced": 1}, 0, 0)
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
    """A known subscriber gets missing values, newsletters and topics; their own choices stay."""
    values = {"lang": "de", "consent": "asked", "at": NOW}
    store.subscribers.subscribe(ADA, ADA, {"weekly": ["X"], "daily": None}, **values)
    subscriptions = (("weekly", ("Y",)), ("daily", ("Y",)), ("monthly", ()))
    row = _row(ADA, lang="en", timezone="Asia/Tokyo", subscriptions=subscriptions)
    assert _import(store, row, at=LATER).merged == 1
    ada = store.subscribers.find(ADA)
    assert (ada.lang, ada.timezone, ada.newsletters, ada.topics) == (
        "de",
        "Asia/Tokyo",
        ("daily", "monthly", "weekly"),
        {"weekly": ("X", "Y")},
    )
    assert (ada.consent, ada.status_at) == ("asked; list", NOW)
    again = _import(store, row)
    assert (again.merged, again.unchanged) == (0, 1)
    assert store.subscribers.find(ADA) == ada


def test_a_person_who_is_named_twice_is_one(store):
    """Rows with the same address are merged, and the worst status counts."""
    first, second = (
        _row(ADA, lang="ja", subscriptions=(("weekly", ("X",)),)),
        _row(ADA, subscriptions=(("weekly", ("Y",)),)),
    )
    assert _import(store, first, second).added == {"active": 1}
    ada = store.subscribers.find(ADA)
    assert (ada.lang, ada.topics) == ("ja", {"weekly": ("X", "Y")})
    assert _import(store, _row(BOB, "complained"), _row(BOB), _row(BOB, "unsubscribed")).added == {"complained": 1}


def test_a_list_that_says_that_somebody_left_ends_what_waits_for_them(store):
    """An unsubscribe in a list cancels the pending deliveries of that subscriber only."""
    _subscribe(store, ADA)
    _subscribe(store, BOB)
    _issue(store)
    counts = _import(store, _row(ADA, "unsubscribed"), at=LATER)
    assert (counts.newly_gone, counts.added) == (1, {})
    assert (store.subscribers.find(ADA).status, store.subscribers.find(ADA).status_at) == ("unsubscribed", LATER)
    assert _states(store) == {ADA: DeliveryState.CANCELLED, BOB: DeliveryState.READY}


def test_whom_a_list_would_bring_back_is_kept_out_by_name(store):
    """An import never reactivates a person who is gone or on the suppression list, and names them."""
    _import(store, _row(ADA, "complained"))
    store.suppressions.suppress(BOB, "1:b", NOW)
    rows = (_row(ADA, number=2), _row("eve@example.org", number=3), _row(BOB, number=4, digests=("1:b",)))
    counts = _import(store, *rows)
    assert (counts.kept_out, counts.added) == (2, {"active": 1})
    assert list(store.subscriber_import.kept_out()) == [
        KeptOut(number=2, email=ADA, status="complained"),
        KeptOut(number=4, email=BOB, status=""),
    ]
    assert _statuses(store) == {ADA: "complained", "eve@example.org": "active"}
    assert _import(store, _row(BOB, "unsubscribed", digests=("1:b",))).kept_out == 1


def test_no_list_brings_anybody_back_to_a_newsletter_that_they_have_left(store):
    """An import does not subscribe a person again to a newsletter that they have unsubscribed from."""
    _subscribe(store, ADA, ("weekly", "daily"))
    with store.bounces.transaction():
        store.bounces.unsubscribe_from(store.bounces.find_subscriber(store.subscribers.find(ADA).id), "daily", LATER)
    assert store.subscribers.unsubscribed_newsletters(ADA) == {"daily": LATER}
    assert _import(store, _row(ADA, subscriptions=(("daily", ()), ("weekly", ())))).unchanged == 1
    assert _import(store, _row(ADA, lang="ja", subscriptions=(("daily", ()),))).merged == 1
    assert store.subscribers.find(ADA).newsletters == ("weekly",)
    _subscribe(store, ADA, ("daily",))
    assert (store.subscribers.find(ADA).newsletters, store.subscribers.unsubscribed_newsletters(ADA)) == (
        ("daily", "weekly"),
        {},
    )


def test_rows_with_one_address_add_what_the_first_one_lacks(store):
    """The first language, time zone and date of an address are imported, from whichever row has them first."""
    others = (_row(f"p{n:04}@example.org") for n in range(5000))  # the rows of one address are loaded apart
    rows = (
        _row("Ada@example.org", number=2, timezone="Asia/Tokyo"),
        *others,
        _row("ADA@example.org", number=5002, lang="ja", timezone="Europe/Berlin", created_at=LATER),
        _row(ADA, "bounced", number=5003, lang="de", created_at=NOW),
    )
    assert _import(store, *rows).added == {"active": 5000, "bounced": 1}
    ada = store.subscribers.find(ADA)
    assert (ada.email, ada.lang, ada.timezone, ada.created_at, ada.status) == (
        "Ada@example.org",
        "ja",
        "Asia/Tokyo",
        LATER,
        "bounced",
    )


def _topics_after(*given):
    """Return the topics that the subscriptions of one address have after rows with these subscriptions."""
    joined = {}
    for newsletter, topics in (pair for subscriptions in given for pair in subscriptions):
        known = joined.get(newsletter)
        joined[newsletter] = topics if known is None else known and tuple(sorted({*known, *topics}))
    return joined


def _assert_joined(store, given):
    _import(store, *(_row(ADA, subscriptions=subscriptions) for subscriptions in given), _row(BOB))
    ada, expected = store.subscribers.find(ADA), _topics_after(*given)
    assert (ada.newsletters, ada.topics) == (
        tuple(sorted(expected)),
        {newsletter: topics for newsletter, topics in expected.items() if topics},
    )


@pytest.mark.parametrize(
    "given",
    [
        [(("weekly", ("X",)),), (("weekly", ("Y",)),), (("daily", ()), ("weekly", ("Z",)))],
        [(("weekly", ()),), (("weekly", ("Y",)),)],
        [(("weekly", ("X",)),), (("weekly", ()),), (("weekly", ("X",)),), (("weekly", ("A",)),)],
        [(), (("weekly", ()), ("daily", ("X",))), (), (("daily", ("W",)),)],
    ],
    ids=["three", "all first", "none later", "empty"],
)
def test_rows_with_one_address_join_their_topics(store, given):
    """Topics are joined; a first row without topics has all of them, a later one without topics adds none."""
    _assert_joined(store, given)


TOPICS = st.sets(st.sampled_from("ABC"), max_size=2).map(lambda names: tuple(sorted(names)))
SUBSCRIPTIONS = st.dictionaries(st.sampled_from(("weekly", "daily")), TOPICS).map(lambda found: tuple(found.items()))


@given(st.lists(SUBSCRIPTIONS, min_size=1, max_size=5))
def test_topics_are_joined_in_the_order_of_the_list(given):
    """Whatever the rows of an address subscribe to, the result is the same as of one row after the other."""
    with tempfile.TemporaryDirectory() as folder, open_store(URL, Path(folder)) as store:
        _assert_joined(store, given)


def test_topics_of_many_subscribers_are_joined_with_their_own(store):
    """Each known subscriber gets the topics of the list in addition to those that they had; all topics stay all."""
    own = {"a": ("X",), "b": ("Y", "Z"), "c": (), "d": ("X",), "e": None}
    for name, topics in own.items():
        if topics is not None:
            key = f"{name}@example.org"
            store.subscribers.subscribe(key, key, {"weekly": topics}, lang=None, consent="c", at=NOW)
    counts = _import(store, *(_row(f"{name}@example.org", subscriptions=(("weekly", ("X", "Y")),)) for name in own))
    assert (counts.merged, counts.unchanged, counts.added) == (3, 1, {"active": 1})
    found = {person.key[0]: person.topics.get("weekly", ()) for person in store.subscribers.iterate()}
    assert found == {"a": ("X", "Y"), "b": ("X", "Y", "Z"), "c": (), "d": ("X", "Y"), "e": ("X", "Y")}


def test_any_digest_of_a_suppressed_address_keeps_it_out(store):
    """An address on the list under an older key is kept out, also if the list names it twice."""
    store.suppressions.suppress(ADA, "1:a", NOW)
    rows = (_row(ADA, digests=("2:x", "1:a")), _row(BOB, digests=("2:y", "1:b")), _row(ADA, digests=("2:x", "1:a")))
    counts = _import(store, *rows)
    assert (counts.kept_out, counts.added, _statuses(store)) == (1, {"active": 1}, {BOB: "active"})


def test_a_list_that_says_less_than_the_store_changes_no_status(store):
    """Who has complained stays so, since the same time, if a list says that they have unsubscribed."""
    _import(store, _row(ADA, "complained"))
    assert _import(store, _row(ADA, "unsubscribed"), at=LATER).unchanged == 1
    assert (store.subscribers.find(ADA).status, store.subscribers.find(ADA).status_at) == ("complained", NOW)


def test_an_import_is_recorded_in_the_journal(sqlite_store):
    """Who is gone, newly or anew, is recorded, and who becomes active; who is new and active is not."""
    _import(sqlite_store, _row(ADA, "pending"), _row(BOB), _row("cy@example.org", "bounced"))
    rows = (_row(ADA), _row(BOB, "unsubscribed"), _row("cy@example.org", "complained"), _row("dee@example.org"))
    _import(sqlite_store, *rows, at=LATER)
    events = [(record.what, record.who, record.at) for record in sqlite_store.journal.load_pending().values()]
    assert events == [
        ("bounced", "cy@example.org", NOW),
        ("active", ADA, LATER),
        ("unsubscribed", BOB, LATER),
        ("complained", "cy@example.org", LATER),
    ]


ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(STATUSES)), max_size=6)


@given(st.lists(ROWS, min_size=1, max_size=4), st.randoms(use_true_random=False))
@example([[("a", "unsubscribed"), ("a", "active")], [("a", "active")]], None)
def test_the_order_of_lists_and_rows_brings_nobody_back(lists, random):
    """The order of lists and rows does not matter: the worst status counts."""
    expected = {}
    for name, status in (row for rows in lists for row in rows):
        email = f"{name}@example.org"
        expected[email] = max(expected.get(email, "pending"), status, key=STATUSES.index)
    if random:
        lists = [random.sample(rows, len(rows)) for rows in random.sample(lists, len(lists))]
    with tempfile.TemporaryDirectory() as folder, open_store(URL, Path(folder)) as store:
        for rows in lists:
            known = _statuses(store)
            counts = _import(store, *(_row(f"{name}@example.org", status) for name, status in rows))
            numbers = [*counts.added.values(), counts.merged, counts.unchanged, counts.newly_gone, counts.kept_out]
            assert sum(numbers) == len({name for name, _ in rows})
            assert sum(counts.added.values()) == len(_statuses(store)) - len(known)
        assert _statuses(store) == expected


def test_without_keep_everything_is_told_and_nothing_done(store):
    """Without *apply*, an import returns the same counts and changes nothing."""
    _subscribe(store, ADA)
    _import(store, _row(BOB, "complained"))
    before = list(store.subscribers.iterate())
    rows = (_row(ADA, "unsubscribed"), _row(BOB), _row("eve@example.org"))
    dry = _import(store, *rows, apply=False)
    assert list(store.subscribers.iterate()) == before
    assert [one.email for one in store.subscriber_import.kept_out()] == [BOB]
    assert _import(store, *rows) == dry


def test_while_a_list_is_read_the_store_is_free(tmp_path, sqlite_store):
    """Other processes can write to the store while a list is read."""

    def rows():
        for n in range(5):
            with closing(sqlite3.connect(tmp_path / "feeds.db", timeout=0)) as other, other:
                other.execute("INSERT INTO retired (path, at) VALUES (?, '2026-01-01')", (f"{n}",))
            yield _row(f"p{n}@example.org")

    assert _import(sqlite_store, *[_row(ADA)]).added == {"active": 1}
    sqlite_store.subscriber_import.stage(rows())
    assert sqlite_store.subscriber_import.commit_import("list.csv", NOW, apply=True).added == {"active": 5}


def test_a_list_that_breaks_off_leaves_nothing(store):
    """If reading a list fails, the next import starts with an empty temporary table."""

    def rows():
        yield _row(ADA)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        store.subscriber_import.stage(rows())
    assert _import(store, _row(BOB)).added == {"active": 1}
    assert _statuses(store) == {BOB: "active"}


# Suppressions and erasure -----------------------------------------------------------------------------------------


def test_who_is_suppressed_has_left_and_is_found_by_any_digest(store):
    """A suppressed address is unsubscribed and found by any digest; removed from the list, it stays unsubscribed."""
    _subscribe(store, ADA)
    _issue(store)
    assert store.suppressions.find(("1:a",)) is None
    store.suppressions.suppress(ADA, "1:a", NOW)
    store.suppressions.suppress(ADA, "1:a", LATER)
    assert store.suppressions.key_ids() == {"1"}
    assert store.suppressions.find(("2:x", "1:a")) == Suppression(reason="suppressed", at=NOW)
    assert (_statuses(store), _states(store)) == ({ADA: "unsubscribed"}, {ADA: DeliveryState.CANCELLED})
    assert store.suppressions.allow(("2:x", "1:a"), LATER)
    assert not store.suppressions.allow(("2:x", "1:a"), LATER)
    assert _statuses(store) == {ADA: "unsubscribed"}


def test_who_is_erased_leaves_numbers(store):
    """Deliveries to an erased address keep their state, and pending ones fail; answers lose the address."""
    _subscribe(store, ADA)
    _subscribe(store, BOB)
    for number in (1, 2):
        _issue(store, number)
    [first, *_] = store.deliveries.claim(1, 1, NOW, resend=1)
    sent = DeliveryOutcome(id=first.id, state=DeliveryState.SENT, answer=f"250 <{ADA}> is pleased")
    store.deliveries.commit_and_begin([sent], [], NOW)
    store.deliveries.halt(2, f"20 in a row were refused, the last with: 550 <{ADA.upper()}>")
    assert store.suppressions.erase(ADA, {ADA}, "1:a", LATER) == 2
    assert store.subscribers.find(ADA) is None
    assert _states(store, 1) == {"(erased)": DeliveryState.SENT, BOB: DeliveryState.READY}
    assert _states(store, 2) == {"(erased)": DeliveryState.CANCELLED, BOB: DeliveryState.READY}
    assert [result.answer for result in store.deliveries.load_results(1)] == ["", ""]
    assert [issue.halt_reason[-14:] for issue in store.issues.load_issues()] == ["", "550 <(erased)>"]
    assert store.suppressions.find(("1:a",)) == Suppression(reason="erased", at=LATER)
    assert list(store.subscribers.iterate_deliveries(ADA)) == []


def test_an_erased_address_is_in_no_reason_of_a_pause(store):
    """The reason why a domain is paused loses an erased address; other addresses, and other spellings' pauses, stay."""
    reasons = {"example.org": f"550 <{ADA.upper()}> is unknown", "example.com": f"550 <{BOB}>", "example.net": "450"}
    with store.bounces.transaction():
        for domain, reason in reasons.items():
            store.bounces.pause_domain(domain, 0, LATER, reason, NOW)
    store.suppressions.erase(ADA, {ADA}, "1:a", NOW)
    store.suppressions.secure_vacuum()
    found = {domain.domain: domain.reason for domain in store.bounces.paused_domains(NOW)}
    assert found == reasons | {"example.org": "550 <(erased)> is unknown"}


def test_a_copy_that_is_erased_is_one_like_others(store):
    """Two copies of one issue can be erased."""
    _issue(store, copies=(ADA, BOB))
    for email in (ADA, BOB):
        assert store.suppressions.erase(email, {email}, f"1:{email}", NOW) == 1
    assert [result.recipient for result in store.deliveries.load_results(1)] == ["(erased)", "(erased)"]


def test_the_file_is_written_anew_when_nobody_looks(tmp_path, sqlite_store):
    """Rewriting the file fails while another process reads the store, and works afterwards."""
    _subscribe(sqlite_store, ADA)
    sqlite_store.database.connection.execute("PRAGMA busy_timeout = 100")  # not ten seconds
    with closing(sqlite3.connect(tmp_path / "feeds.db", isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM subscribers").fetchall()
        with pytest.raises(LockedError, match="another process is reading the store"):
            sqlite_store.suppressions.secure_vacuum()
        other.execute("COMMIT")
    sqlite_store.database.connection.execute("PRAGMA journal_mode = WAL")  # as while letters are sent
    sqlite_store.suppressions.erase(ADA, {ADA}, "1:a", NOW)
    assert any(ADA.encode() in file.read_bytes() for file in tmp_path.iterdir())
    sqlite_store.suppressions.secure_vacuum()
    assert not any(ADA.encode() in file.read_bytes() for file in tmp_path.iterdir())


@pytest.mark.parametrize("join", [_subscribe, lambda store, email: _import(store, _row(email))], ids=["add", "import"])
def test_the_id_of_an_erased_subscriber_is_not_given_again(store, join):
    """Who is added or imported after the newest subscribers were erased gets a new id."""
    _subscribe(store, ADA)
    _import(store, _row(BOB))
    for email in (ADA, BOB):
        store.suppressions.erase(email, {email}, f"1:{email}", NOW)
    join(store, "cy@example.org")
    assert store.subscribers.find("cy@example.org").id > 2
