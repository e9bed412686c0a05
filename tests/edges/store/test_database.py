"""The store: tables, issues and deliveries in a real database."""

import sqlite3
import stat
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from feeds.edges.store.database import open_store
from feeds.errors import StoreError
from feeds.model import (
    DeliveryOutcome,
    DeliveryState,
    IssueContent,
    IssuePage,
    IssueState,
    KnownEntry,
    Letter,
    NewIssue,
    RenderedIssue,
    Selection,
    SubscriberPreferences,
)
from tests.core.factory import entry

URL = "sqlite:///feeds.db"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    with open_store(URL, tmp_path) as found:
        yield found


@pytest.fixture
def issues(store):
    return store.issues


LETTER = Letter(lang="en", subject="S", html="<p>", text="T")


def new_issue(number=1, slot=NOW, stories=(), copies=("ada@example.org",), **rendered):
    """Return an issue that goes only to its copies by default."""
    selection = Selection(stories=tuple(stories))
    return NewIssue(
        newsletter="weekly",
        number=number,
        slot=slot,
        subject="S",
        selection=selection,
        page=IssuePage(html="P"),
        content=IssueContent(selection=selection, texts={}),
        seed=b"seed",
        rendered=RenderedIssue(
            **{"letters": [LETTER], "letter_index": {}, "copies": [(c, c) for c in copies]} | rendered
        ),
    )


def test_only_its_owner_may_read_the_store(tmp_path, issues):
    """The store is readable by its owner only."""
    assert stat.S_IMODE((tmp_path / "feeds.db").stat().st_mode) == 0o600


def test_without_create_a_missing_store_is_empty_and_leaves_no_trace(tmp_path):
    """Without *create*, a missing store is empty, and no file is created."""
    with open_store(URL, tmp_path, create=False) as store:
        assert store.entries.load_entries() == ()
        assert not store.has_issues
        assert store.issues.load_issues() == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"this is not a database, just some words in a file", b"SQLite format 3\0" + b"\xff" * 200]
)
def test_a_damaged_store_is_named(tmp_path, content):
    """A file that is not a database is an error, and is not overwritten."""
    (tmp_path / "feeds.db").write_bytes(content)
    with pytest.raises(StoreError, match=r"feeds\.db: the store cannot be used"), open_store(URL, tmp_path):
        pass
    assert (tmp_path / "feeds.db").read_bytes() == content


def test_a_store_of_a_newer_version_is_left_alone(tmp_path):
    """A store of a newer version is an error."""
    with open_store(URL, tmp_path):
        pass
    with sqlite3.connect(tmp_path / "feeds.db") as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    db.close()
    with pytest.raises(StoreError, match="was written by a newer version"), open_store(URL, tmp_path):
        pass


def test_what_was_public_is_remembered(store):
    """Entries are stored with their last path and text."""
    store.entries.save_entries([entry("a.md"), entry("b.md")], NOW)
    store.entries.save_entries([entry("a.md", text_digest="new")], NOW)
    assert {(k.path, k.text_digest) for k in store.entries.load_entries()} == {("a.md", "new"), ("b.md", "b.md")}


def test_a_slot_gives_one_issue(issues):
    """A second issue with the same slot or number is not stored."""
    assert issues.freeze(new_issue(1), NOW)
    assert not issues.freeze(new_issue(2, copies=("bob@example.org",)), NOW)
    assert not issues.freeze(new_issue(1, slot=NOW + timedelta(days=7)), NOW)
    assert [(i.number, i.recipients) for i in issues.load_issues()] == [(1, 1)]
    assert issues.last_issue("weekly") == (NOW, 1)


def test_ids_are_replaced_in_a_row_and_back(store):
    """An id that was replaced by a replaced id names the last one; an id that is used again is not replaced."""
    store.entries.add_known([KnownEntry(id=f"urn:{n}", path="a.md", text_digest="d") for n in range(3)], NOW)

    def replaced():
        return [entry.replaced_by for entry in store.entries.load_entries()]

    store.entries.replace_ids({"urn:1": "urn:0"})
    store.entries.replace_ids({"urn:2": "urn:1"})
    assert replaced() == ["urn:2", "urn:2", None]
    store.entries.replace_ids({"urn:0": "urn:2"})
    assert replaced() == [None, "urn:0", "urn:0"]
    assert len(store.journal.load_pending()) == 3 + 1 + 2 + 3


def test_of_several_entries_with_one_id_the_last_is_stored(store):
    """A journal may have an id more than once: its last line counts, and what replaced a known id is stored too."""
    given = [KnownEntry(id="urn:0", path=path, text_digest="d") for path in ("a.md", "b.md")]
    assert store.entries.add_known(given, NOW) == 1
    later = KnownEntry(id="urn:0", path="c.md", text_digest="d", replaced_by="urn:1")
    assert store.entries.add_known([later], NOW) == 0
    assert store.entries.load_entries() == (replace(given[1], replaced_by="urn:1"),)


def test_an_entry_is_announced_once_in_each_newsletter(store, issues):
    """The database rejects a second announcement of an entry in a newsletter."""
    story = entry("a.md")
    store.entries.save_entries([story], NOW)
    issues.freeze(new_issue(1, stories=[story]), NOW)
    with pytest.raises(sa.exc.IntegrityError):
        issues.freeze(new_issue(2, slot=NOW + timedelta(days=7), stories=[story]), NOW)
    assert issues.announced_ids("weekly") == {story.id}
    assert issues.announced_ids("daily") == frozenset()


def test_an_address_gets_one_delivery_of_an_issue(store, issues):
    """A subscriber whose address is in `copy_to` gets one delivery, as a subscriber."""
    store.subscribers.subscribe(
        "ada@example.org", "ada@example.org", {"weekly": None}, lang=None, consent="asked", at=NOW
    )
    copies = ("ada@example.org", "bob@example.org", "bob@example.org")
    issues.freeze(new_issue(copies=copies, letter_index={SubscriberPreferences(): 0}), NOW)
    claimed = store.deliveries.claim(1, 10, NOW, resend=1)
    assert [(d.recipient, d.subscriber_id) for d in claimed] == [("ada@example.org", 1), ("bob@example.org", None)]
    assert [i.recipients for i in issues.load_issues()] == [2]


def test_readers_get_the_letter_of_their_choice(store, issues):
    """Subscribers get the letter of their language and topics; without such a letter, none."""
    subscribers = (
        ("a", None, None),
        ("b", "ja", None),
        ("c", "ja", ["X", "Y"]),
        ("d", "ja", ["Y", "X"]),
        ("e", "de", ["Z"]),
    )
    for name, lang, topics in subscribers:
        email = f"{name}@example.org"
        store.subscribers.subscribe(
            email, email, {"weekly": topics, "daily": ["Q"]}, lang=lang, consent="asked", at=NOW
        )
    default, ja, few, without_letter = (
        SubscriberPreferences(),
        SubscriberPreferences(lang="ja"),
        SubscriberPreferences(lang="ja", topics=("X", "Y")),
        SubscriberPreferences(lang="de", topics=("Z",)),
    )
    assert issues.load_preferences("weekly") == {default: 1, without_letter: 1, ja: 1, few: 2}
    letters = [LETTER, Letter(lang="ja", subject="J", html="<p>", text="T")]
    issues.freeze(new_issue(copies=(), letters=letters, letter_index={default: 0, ja: 1, few: 1}), NOW)
    letters_by_recipient = {
        d.recipient[0]: issues.load_letters(1)[d.letter_id].lang for d in store.deliveries.claim(1, 10, NOW, resend=1)
    }
    assert letters_by_recipient == {"a": "en", "b": "ja", "c": "ja", "d": "ja"}


def test_what_an_issue_tells_is_kept_until_it_is_approved(store, issues):
    """An issue that waits for approval keeps its content, and has no deliveries until it is approved."""
    new = new_issue(stories=[entry("a.md")])
    store.entries.save_entries([entry("a.md")], NOW)
    issues.freeze(replace(new, rendered=None), NOW)
    [issue] = issues.load_issues()
    assert (issue.state, issue.recipients, issues.load_content(issue.id)) == (IssueState.COMPOSED, 0, new.content)
    assert issues.load_issues(unfinished=True) == ()
    issues.approve(issue, new.rendered)
    assert [(i.state, i.recipients) for i in issues.load_issues(unfinished=True)] == [(IssueState.SENDING, 1)]


def test_the_date_of_a_message_is_that_of_its_first_hand_over(store, issues):
    """A delivery keeps the time of its first attempt."""
    issues.freeze(new_issue(), NOW)
    [claimed] = store.deliveries.claim(1, 10, NOW, resend=1)
    assert store.deliveries.commit_and_begin([], [claimed.id], NOW) == {claimed.id}
    later = NOW + timedelta(hours=1)
    deferred = DeliveryOutcome(id=claimed.id, state=DeliveryState.DEFERRED, answer="451 later", tries=1, next_at=later)
    store.deliveries.commit_and_begin([deferred], [], NOW)
    assert store.deliveries.claim(1, 10, NOW, resend=1) == []
    assert store.deliveries.pending(1, resend=1) == (1, later, 0)
    [again] = store.deliveries.claim(1, 10, later, resend=1)
    store.deliveries.commit_and_begin([], [again.id], later)
    store.deliveries.recover(1)
    [third] = store.deliveries.claim(1, 10, later, resend=1)
    assert [(d.tries, d.handed_over_at) for d in (again, third)] == [(1, NOW), (1, NOW)]


def test_what_was_sent_waits_no_longer(store, issues):
    """A sent delivery is not claimed again; an issue is finished when that is recorded."""
    issues.freeze(new_issue(copies=("ada@example.org", "bob@example.org")), NOW)
    [first, _] = store.deliveries.claim(1, 10, NOW, resend=1)
    store.deliveries.commit_and_begin(
        [DeliveryOutcome(id=first.id, state=DeliveryState.SENT, answer="250 OK")], [], NOW
    )
    store.deliveries.release(1)
    assert [d.recipient for d in store.deliveries.claim(1, 10, NOW, resend=1)] == ["bob@example.org"]
    assert [i.state for i in issues.load_issues(unfinished=True)] == [IssueState.SENDING]
    issues.finish(1)
    assert issues.load_issues(unfinished=True) == ()
    assert [i.sent for i in issues.load_issues()] == [1]


def test_what_a_killed_sender_left_is_taken_up(store, issues):
    """After a killed sender, a delivery being handed over is tried once more, then held; leased ones are ready."""
    issues.freeze(new_issue(copies=("ada@example.org", "bob@example.org")), NOW)
    for held in (0, 1):
        claimed = store.deliveries.claim(1, 10, NOW, resend=1)
        assert [d.recipient for d in claimed] == ["ada@example.org", "bob@example.org"]
        store.deliveries.commit_and_begin([], [claimed[0].id], NOW)
        store.deliveries.recover(1)
        assert store.deliveries.pending(1, resend=1) == (2 - held, None, held)
    assert [d.recipient for d in store.deliveries.claim(1, 10, NOW, resend=1)] == ["bob@example.org"]
    store.deliveries.retry_now(1)
    assert [d.recipient for d in store.deliveries.claim(1, 10, NOW, resend=0)] == ["ada@example.org"]


def test_people_join_more_newsletters_and_leave_all(store):
    """Subscribing adds newsletters; unsubscribing keeps the person and cancels pending deliveries."""
    subscribers = store.subscribers
    for newsletter, topics in (("weekly", None), ("daily", ["B", "A"]), ("weekly", None), ("daily", None)):
        wanted = {newsletter: topics}
        subscribers.subscribe("Ada@example.org", "ada@example.org", wanted, lang=None, consent="asked", at=NOW)
    [found] = subscribers.iterate()
    assert (found.newsletters, found.topics) == (("daily", "weekly"), {"daily": ("A", "B")})
    store.issues.freeze(new_issue(copies=(), letter_index={SubscriberPreferences(): 0}), NOW)
    [claimed] = store.deliveries.claim(1, 10, NOW, resend=1)
    subscribers.unsubscribe("ada@example.org", NOW)
    assert [s.status for s in subscribers.iterate()] == ["unsubscribed"]
    assert store.issues.load_preferences("weekly") == {}
    assert store.deliveries.commit_and_begin([], [claimed.id], NOW) == set()
    assert subscribers.find("nobody@example.org") is None
