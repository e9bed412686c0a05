"""Issues in a real store, on both databases."""

import sqlite3
from datetime import timedelta

import psycopg
import pytest
from msgspec.structs import replace

from feeds.model import (
    AdoptedIssue,
    DeliveryOutcome,
    DeliveryState,
    IssueState,
    Letter,
    SubscriberPreferences,
)
from tests.core.factory import entry
from tests.edges.store.issue_factory import LETTER, NOW, new_issue, only_issue_id, subscribe

WEEK = timedelta(days=7)
ALL = {SubscriberPreferences(): 0}
#: Only SQLite has a journal.
ON_SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


@pytest.fixture
def issues(store):
    return store.issues


def journalled(store):
    """Return the numbers of the issues that the journal has pending records about."""
    return [int(row[0]) for row in store.database.connection.execute("SELECT who FROM journal WHERE what = 'issue'")]


def test_a_slot_gives_one_issue(issues):
    """A second issue with the same slot or number is not stored."""
    assert issues.freeze(new_issue(1), NOW)
    assert not issues.freeze(new_issue(2, copies=("bob@example.org",)), NOW)
    assert not issues.freeze(new_issue(1, slot=NOW + timedelta(days=7)), NOW)
    assert [(i.number, i.recipients) for i in issues.load_issues()] == [(1, 1)]
    assert issues.last_issue("weekly") == (NOW, 1)


def test_an_entry_is_announced_once_in_each_newsletter(store, issues):
    """The database rejects a second announcement of an entry in a newsletter."""
    story = entry("a.md")
    store.entries.save_entries([story], NOW)
    issues.freeze(new_issue(1, stories=[story]), NOW)
    with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError)):
        issues.freeze(new_issue(2, slot=NOW + timedelta(days=7), stories=[story]), NOW)
    assert issues.announced_ids("weekly") == {story.id}
    assert issues.announced_ids("daily") == frozenset()


def test_an_address_gets_one_delivery_of_an_issue(store, issues):
    """A subscriber whose address is in `copy_to` gets one delivery, as a subscriber."""
    subscribe(store, "ada@example.org")
    copies = ("ada@example.org", "bob@example.org", "bob@example.org")
    issues.freeze(new_issue(copies=copies, letter_index={SubscriberPreferences(): 0}), NOW)
    claimed = store.deliveries.claim(only_issue_id(store), 10, NOW, resend=1)
    assert [(d.recipient, d.subscriber_id) for d in claimed] == [
        ("ada@example.org", store.subscribers.find("ada@example.org").id),
        ("bob@example.org", None),
    ]
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
    issue_id = only_issue_id(store)
    letters_by_recipient = {
        d.recipient[0]: issues.load_letters(issue_id)[d.letter_id].lang
        for d in store.deliveries.claim(issue_id, 10, NOW, resend=1)
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


def test_a_letter_for_a_language_reaches_only_subscribers_with_it(store, issues):
    """Preferences without a language match subscribers without one, and no others."""
    subscribe(store, "ada@example.org", lang="ja")
    subscribe(store, "bob@example.org")
    issues.freeze(new_issue(copies=(), letter_index=ALL), NOW)
    [delivery] = store.deliveries.claim(only_issue_id(store), 10, NOW, resend=1)
    assert delivery.recipient == "bob@example.org"


def test_deliveries_have_the_domains_of_their_addresses(store, issues):
    """The domain follows the last `@` of the address, of subscribers and of copies."""
    subscribe(store, "ada@example.org")
    issues.freeze(new_issue(copies=['"x@y"@sub.example.com'], letter_index=ALL), NOW)
    rows = store.database.connection.execute("SELECT recipient_key, domain FROM deliveries ORDER BY id").fetchall()
    assert rows == [("ada@example.org", "example.org"), ('"x@y"@sub.example.com', "sub.example.com")]


@pytest.mark.parametrize("table", ["pauses", "chosen_pauses", "paused_domains"])
def test_paused_subscribers_get_no_delivery(store, issues, table):
    """A subscriber who is paused, or whose domain is, gets no delivery; one at a domain with a longer name does."""
    subscribe(store, "ada@example.com")
    subscribe(store, "bob@sub.example.com")
    columns, values = ("domain, until, reason", "domain, status_at, 'x'")
    if table != "paused_domains":
        columns, values = ("subscriber_id, until", "id, status_at")
    query = f"INSERT INTO {table} ({columns}) SELECT {values} FROM subscribers WHERE email = 'ada@example.com'"
    store.database.connection.execute(query)
    assert issues.load_preferences("weekly") == {SubscriberPreferences(): 1}
    issues.freeze(new_issue(copies=(), letter_index=ALL), NOW)
    [delivery] = store.deliveries.claim(only_issue_id(store), 10, NOW, resend=1)
    assert delivery.recipient == "bob@sub.example.com"


def test_a_correction_goes_to_those_who_got_the_issue(store, issues):
    """A correction goes to subscribers whose delivery was sent or may have arrived, and to no one else."""
    for name in ("ada", "bob", "eve"):
        subscribe(store, f"{name}@example.org")
    issues.freeze(new_issue(copies=(), letter_index=ALL), NOW)
    issue_id = only_issue_id(store)
    claimed = [delivery.id for delivery in store.deliveries.claim(issue_id, 10, NOW, resend=1)]
    store.deliveries.commit_and_begin([], claimed, NOW)
    states = (DeliveryState.SENT, DeliveryState.UNKNOWN, DeliveryState.FAILED)
    outcomes = [DeliveryOutcome(id=i, state=s, answer="x") for i, s in zip(claimed, states, strict=True)]
    store.deliveries.commit_and_begin(outcomes, [], NOW)
    keys = ["ada@example.org", "bob@example.org", "eve@example.org", "none@example.org"]
    assert issues.reached_keys(issue_id, keys[1:]) == {"bob@example.org"}
    assert issues.reached_keys(issue_id, []) == frozenset()
    assert issues.load_preferences("weekly", recipients_of=issue_id) == {SubscriberPreferences(): 2}
    correction = new_issue(2, NOW + WEEK, copies=(), letter_index=ALL, recipients_of=issue_id, corrects=issue_id)
    assert issues.freeze(correction, NOW)
    _, corrected = issues.load_issues()
    assert (corrected.corrects, corrected.recipients) == (1, 2)
    assert issues.last_issue("weekly") == (NOW, 2)
    assert issues.correction_digests(issue_id) == {""}


def test_preferences_are_in_the_order_of_their_code_points(store, issues):
    """The order of preferences does not depend on the collation of the database."""
    for number, (lang, topics) in enumerate([("zh", None), (None, ["é"]), (None, ["Z"]), (None, ["a"]), ("de", None)]):
        subscribe(store, f"{number}@example.org", topics, lang)
    order = [(preferences.lang, *preferences.topics) for preferences in issues.load_preferences("weekly")]
    assert order == [(None, "Z"), (None, "a"), (None, "é"), ("de",), ("zh",)]


def test_an_issue_that_waits_can_be_cancelled_and_composed_again(store, issues):
    """Cancelling an issue that waits for approval frees its slot, number and entries; an approved one stays."""
    story = entry("a.md")
    store.entries.save_entries([story], NOW)
    new = new_issue(stories=[story])
    issues.freeze(replace(new, rendered=None), NOW)
    issues.cancel(only_issue_id(store))
    assert (issues.load_issues(), issues.announced_ids("weekly"), store.has_issues) == ((), frozenset(), False)
    assert issues.freeze(new, NOW)
    issues.cancel(only_issue_id(store))
    assert [(issue.posts, issue.seed) for issue in issues.load_issues()] == [(1, b"seed")]


def test_letters_and_pages_are_loaded_as_they_were_stored(store, issues):
    """Pages, letters and encoded letters come back as they were stored."""
    issues.freeze(new_issue(), NOW)
    issue_id = only_issue_id(store)
    assert issues.load_page(issue_id) == new_issue().page
    [(letter_id, letter)] = issues.load_letters(issue_id).items()
    assert (letter, issues.load_encoded(letter_id)) == (LETTER, None)
    issues.save_encoded(letter_id, b"\x00encoded")
    assert issues.load_encoded(letter_id) == b"\x00encoded"
    assert (issues.has_sent_by(""), issues.has_sent_by("smtp"), issues.note_digests("weekly")) == (True, False, set())


def test_a_retraction_can_be_undone(store, issues):
    """A retraction is stored with its time, and removed again."""
    issues.freeze(new_issue(), NOW)
    issue_id = only_issue_id(store)
    issues.retract(issue_id, NOW, "wrong")
    assert [(issue.retracted_at, issue.retraction) for issue in issues.load_issues()] == [(NOW, "wrong")]
    issues.retract(issue_id, None)
    assert [(issue.retracted_at, issue.retraction) for issue in issues.load_issues()] == [(None, "")]


def test_adopted_issues_have_slots_of_their_own(store, issues):
    """Adopted issues are sent, in their order; entries are announced once, also when it is repeated."""
    store.entries.save_entries([entry("a.md"), entry("b.md")], NOW)
    ids = [entry("a.md").id, entry("b.md").id]
    adopted = [AdoptedIssue(number=n, subject=f"S{n}", page="P") for n in (1, 2)]
    assert issues.adopt("weekly", adopted, ids[:1], NOW) == 1
    assert issues.adopt("weekly", [], ids, NOW) == 1
    assert [(i.number, i.state, i.slot, i.seed, i.composed_at) for i in issues.load_issues()] == [
        (1, IssueState.SENT, NOW - timedelta(seconds=1), b"", NOW),
        (2, IssueState.SENT, NOW, b"", NOW),
    ]
    assert issues.announced_ids("weekly", {"urn:new": ids[0]}) == {*ids, "urn:new"}
    assert issues.load_content(only_issue_id_of(issues, 1)) is None


def only_issue_id_of(issues, number):
    [found] = [issue.id for issue in issues.load_issues() if issue.number == number]
    return found


def test_entries_without_issues_are_announced_by_a_hidden_issue(store, issues):
    """Without any issue, announcements belong to one with the number 0, which is not listed."""
    store.entries.save_entries([entry("a.md")], NOW)
    assert issues.adopt("weekly", [], [entry("a.md").id], NOW) == 1
    assert (issues.load_issues(), issues.last_issue("weekly")) == ((), (NOW, 0))
    assert issues.announced_ids("weekly") == {entry("a.md").id}


def test_ids_that_replace_announced_ones_are_announced(store, issues):
    """An entry that got another id after its announcement counts as announced."""
    store.entries.save_entries([entry("a.md"), entry("b.md")], NOW)
    old, new = entry("a.md").id, entry("b.md").id
    issues.freeze(new_issue(stories=[entry("a.md")]), NOW)
    store.entries.replace_ids({new: old})
    assert issues.announced_ids("weekly") == {old, new}


@ON_SQLITE
def test_each_change_of_an_approved_issue_is_recorded_in_the_journal(store, issues):
    """An issue is recorded once when it is approved, finished and retracted; one that waits is not."""
    stories = [entry("a.md"), entry("b.md")]
    store.entries.save_entries(stories, NOW)
    new = new_issue(stories=stories)
    issues.freeze(replace(new, rendered=None), NOW)
    [issue] = issues.load_issues()
    assert journalled(store) == []
    issues.approve(issue, new.rendered)
    issues.approve(issue, new.rendered)
    assert journalled(store) == [1]
    issues.finish(issue.id)
    issues.retract(issue.id, NOW, "wrong")
    issues.freeze(new_issue(2, NOW + WEEK), NOW)
    assert journalled(store) == [1, 1, 1, 2]


@ON_SQLITE
def test_adopted_issues_and_later_announcements_are_recorded_in_the_journal(store, issues):
    """Each adopted issue is recorded once; later announcements record the last issue again."""
    store.entries.save_entries([entry("a.md"), entry("b.md")], NOW)
    adopted = [AdoptedIssue(number=n, subject="S", page="P") for n in (1, 2)]
    issues.adopt("weekly", adopted, [entry("a.md").id], NOW)
    assert journalled(store) == [1, 2]
    for _ in range(2):
        issues.adopt("weekly", [], [entry("b.md").id], NOW)
    assert journalled(store) == [1, 2, 2]
