"""Restoring a backup of the store and replaying the journal, on real sites."""

import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from feeds.core.subscribers.suppression import AddressHasher
from feeds.edges.store import journal_file as file
from feeds.edges.store.database import open_store
from feeds.edges.store.journal_records import record_issue
from feeds.errors import FeedsError, LockedError, StoreError
from feeds.jobs.store import restore
from feeds.jobs.store.backup import backup_store
from feeds.jobs.store.journal import mask_address
from feeds.jobs.store.missing_records import find_missing
from feeds.jobs.subscribers import erase, subscribe
from feeds.model import (
    ImportRow,
    IssueContent,
    IssuePage,
    IssueRecorded,
    IssueState,
    Letter,
    NewIssue,
    RenderedIssue,
    Selection,
    SubscriberPreferences,
)
from tests.conftest import CONFIG, NEWSLETTER, NOW, SampleSite
from tests.core.factory import entry
from tests.mailing import Mailing, addresses
from tests.mailing import subscribe as join
from tests.smtpserver import SmtpServer

URL = "sqlite:///.feeds/feeds.db"
WEEK = timedelta(days=7)
LATER = NOW + timedelta(days=1)
SUBSCRIBERS = ("ada", "bob", "cy", "eve", "flo")


def _add(site, name, *, now=NOW, again=False):
    subscribe.add_subscriber(site.config, f"{name}@example.org", [], lang=None, now=now, again=again)


def _restore(site, name="b.db", *, dry_run=False):
    return restore.restore_store(site.config, site.folder / name, LATER, dry_run=dry_run)


def _recipients(site, number):
    return {re.split("[/@]", name)[2] for name in site.letters() if name.startswith(f"weekly/{number}/")}


def _statuses(site):
    return {person.email.split("@")[0]: person.status for person in subscribe.list_subscribers(site.config)}


@pytest.fixture(scope="module")
def lost_once(tmp_path_factory):
    """A site that was backed up after its first issue, has sent a second one, and has lost its store."""
    site = SampleSite(tmp_path_factory.mktemp("lost"))
    site.configure(CONFIG + NEWSLETTER)
    site.post("first")
    for name in SUBSCRIBERS:
        _add(site, name)
    for name in ("old", "odd"):
        subscribe.suppress_address(site.config, f"{name}@example.org", NOW)
    site.publish()
    backup_store(site.config, site.folder / "b.db")
    _add(site, "new", now=LATER)
    _add(site, "gone", now=LATER)
    site.post("second", "Other words.\n", date="2026-11-25")
    site.publish(NOW + WEEK)
    subscribe.remove_subscriber(site.config, "ada@example.org", LATER)
    subscribe.suppress_address(site.config, "bob@example.org", LATER)
    subscribe.allow_address(site.config, "odd@example.org", LATER)
    erase.erase_subscriber(site.config, "cy@example.org", LATER)
    subscribe.remove_subscriber(site.config, "eve@example.org", LATER)
    _add(site, "eve", now=LATER, again=True)
    subscribe.remove_subscriber(site.config, "gone@example.org", LATER)
    (site.folder / ".feeds/feeds.db").unlink()
    return site


@pytest.fixture
def lost(lost_once, tmp_path):
    """A copy of this site."""
    shutil.copytree(lost_once.folder, tmp_path, dirs_exist_ok=True)
    return SampleSite(tmp_path)


def test_nobody_is_told_again_and_who_left_gets_nothing(lost, feeds):
    """After a restore, no issue is repeated, ids, pages and numbers continue, and unsubscribed people get nothing."""
    before = lost.files("public")
    shutil.rmtree(lost.folder / ".feeds/outbox")
    done = feeds("store", "restore", "b.db")
    assert done.returncode == 0
    assert done.stdout == (
        "restored feeds.db from b.db (last change 2026-11-23 12:00 UTC)\n"
        "from the journal: 1 id; weekly 2 marked as sent; subscribers: 2 unsubscribed, 1 erased; 3 changes of the"
        " suppression list\n"
    )
    assert done.stderr == (
        "warning: subscribers added since the backup are lost, since the journal has no addresses: add them again\n"
    )
    assert lost.publish(NOW + WEEK).issues == []
    assert lost.letters() == []
    assert lost.files("public") == before
    assert _statuses(lost) == {"ada": "unsubscribed", "bob": "unsubscribed", "eve": "active", "flo": "active"}
    lost.post("third", "Third words.\n", date="2026-12-02")
    [issue] = lost.publish(NOW + 2 * WEEK).issues
    assert (issue.number, issue.posts, issue.state) == (3, 1, "sent")
    assert _recipients(lost, 3) == {"desk", "eve", "flo"}


def test_no_list_brings_back_who_left_and_was_not_in_the_backup(lost):
    """An unsubscribed or erased person who is not in the backup cannot be added without --again."""
    _restore(lost)
    for name in ("gone", "cy", "old", "bob"):
        with pytest.raises(FeedsError, match="--again"):
            _add(lost, name)
    for name in ("new", "odd"):
        _add(lost, name)
    assert b"cy@example" not in (lost.folder / ".feeds/feeds.db").read_bytes()


def test_what_is_there_is_kept_aside(lost):
    """The previous store is kept under another name, with the files that SQLite has put beside it."""
    store = lost.folder / ".feeds/feeds.db"
    store.write_bytes(b"no store at all")
    store.with_name("feeds.db-wal").write_bytes(b"rubbish")
    store.with_name(".feeds.db-unfinished").write_bytes(b"of a process that was killed")
    found = _restore(lost)
    assert "the store cannot be used" in found.warnings[0]
    aside = lost.folder / ".feeds/feeds.db.until-2026-11-24T12-00-00"
    assert any(aside.name in line for line in found.lines)
    assert aside.read_bytes() == b"no store at all"
    assert aside.with_name(f"{aside.name}-wal").read_bytes() == b"rubbish"
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    assert sorted(p.name for p in store.parent.glob("*feeds.db*") if aside.name not in p.name) == [
        "feeds.db",
        "feeds.db.journal",
    ]
    _restore(lost)
    assert aside.with_name(f"{aside.name}-2").exists()


def test_what_the_present_store_had_still_to_write_is_not_lost(letter_site):
    """Pending journal records of the present store are replayed; in a dry run they are counted."""
    _add(letter_site, "ada")
    backup_store(letter_site.config, letter_site.folder / "b.db")
    with open_store(URL, letter_site.folder) as store:
        store.subscribers.unsubscribe("ada@example.org", LATER)
    lines = "from the journal: subscribers: 1 unsubscribed"
    before = letter_site.files(".")
    assert lines in _restore(letter_site, dry_run=True).lines
    assert letter_site.files(".") == before
    assert lines in _restore(letter_site).lines
    assert _statuses(letter_site) == {"ada": "unsubscribed"}


def test_what_only_the_backup_knows_is_the_last_word(letter_site):
    """A pending event of the backup that is newer than the journal is kept."""
    _add(letter_site, "ada")
    subscribe.remove_subscriber(letter_site.config, "ada@example.org", NOW)
    _add(letter_site, "ada", again=True)
    with open_store(URL, letter_site.folder) as store:
        store.subscribers.unsubscribe("ada@example.org", LATER)
    backup_store(letter_site.config, letter_site.folder / "b.db")
    (letter_site.folder / ".feeds/feeds.db").unlink()
    for _ in range(2):
        _restore(letter_site)
        assert _statuses(letter_site) == {"ada": "unsubscribed"}
        letter_site.publish(LATER)


def test_a_store_in_a_folder_that_is_not_there_yet_is_brought_back(lost):
    """A store can be restored into a new folder, with or without a journal beside it."""
    lost.configure(CONFIG + NEWSLETTER + '[store]\nurl = "sqlite:///memory/feeds.db"\n')
    _restore(lost)
    assert _statuses(lost)["ada"] == "active"
    (lost.folder / ".feeds/feeds.db.journal").rename(lost.folder / "memory/feeds.db.journal")
    _restore(lost)
    assert _statuses(lost)["ada"] == "unsubscribed"
    assert lost.publish(NOW + WEEK).issues == []


def test_a_dry_run_touches_nothing(lost):
    """A dry run reports the same changes, and changes no file."""
    before = lost.files(".")
    dry = _restore(lost, dry_run=True)
    assert lost.files(".") == before
    done = _restore(lost)
    assert [line.replace("would restore", "restored") for line in dry.lines] == done.lines
    assert dry.warnings == done.warnings


def test_whoever_got_a_copy_and_was_erased_since_is_erased(lost):
    """A `copy_to` recipient who was erased since the backup is erased in it."""
    with open_store("sqlite:///b.db", lost.folder) as store:
        assert len(list(store.subscribers.iterate_deliveries("desk@example.com"))) == 1
    with open_store(URL, lost.folder):
        pass
    erase.erase_subscriber(lost.config, "desk@example.com", LATER)
    assert "2 erased" in _restore(lost).lines[1]
    with open_store(URL, lost.folder) as store:
        assert list(store.subscribers.iterate_deliveries("desk@example.com")) == []


def test_who_left_a_newsletter_or_all_and_came_back_reads_again(letter_site):
    """Subscriptions that ended or were renewed since the backup are restored, for each newsletter."""
    site = letter_site
    site.configure(CONFIG + NEWSLETTER + NEWSLETTER.partition("[mail]")[0].replace("weekly", "daily"))
    for name in ("ada", "bob", "cy", "eve"):
        _add(site, name)

    def leave(name, newsletter):
        with open_store(URL, site.folder) as store, store.bounces.transaction():
            person = store.subscribers.find(f"{name}@example.org")
            store.bounces.unsubscribe_from(store.bounces.find_subscriber(person.id), newsletter, LATER)

    leave("ada", "daily")
    subscribe.remove_subscriber(site.config, "cy@example.org", NOW)
    backup_store(site.config, site.folder / "b.db")
    _add(site, "ada", again=True)
    leave("ada", "weekly")
    leave("bob", "daily")
    leave("eve", "daily")
    for name in ("cy", "eve"):
        _add(site, name, again=True)
    site.publish(feeds_only=True)
    lines = _restore(site).lines[1]
    assert lines == "from the journal: 1 id; subscribers: 1 returned daily, 1 left weekly, 1 left daily, 1 active"
    reads = {person.email: person.newsletters for person in subscribe.list_subscribers(site.config)}
    assert reads == {"ada@example.org": ("daily",), "bob@example.org": ("weekly",)} | dict.fromkeys(
        ("cy@example.org", "eve@example.org"), ("daily", "weekly")
    )


def test_a_store_that_cannot_be_replaced_is_named(lost):
    """If the store cannot be replaced, an error names it, and no file is changed."""
    (lost.folder / ".feeds/feeds.db").mkdir()
    before = lost.files(".")
    with pytest.raises(StoreError, match=r"feeds\.db: cannot be replaced by the backup"):
        _restore(lost)
    assert lost.files(".") == before


def test_each_issue_keeps_a_slot_of_its_own(tmp_path):
    """Two recorded issues with the same slot get different slots."""
    one = IssueRecorded(newsletter="weekly", number=1, slot=NOW, subject="S", state=IssueState.SENT, composed_at=NOW)
    with open_store(URL, tmp_path) as store:
        assert store.replay.record_issues([one, msgspec.structs.replace(one, number=2)], lambda *_: "P") == [
            "weekly 1",
            "weekly 2",
        ]
        assert [issue.slot for issue in store.issues.load_issues()] == [NOW, NOW + timedelta(seconds=1)]


def test_what_was_taken_back_or_corrected_stays_so(lost):
    """A retraction or correction since the backup is restored."""
    _restore(lost)
    with open_store(URL, lost.folder) as store:
        first, second = store.issues.load_issues()
        store.issues.retract(first.id, datetime(2026, 12, 1, tzinfo=UTC), "wrong")
        with store.database.transaction():
            store.database.connection.execute("UPDATE issues SET corrects = 1 WHERE number = 2")
            record_issue(store.database, second.id)
    query = "SELECT number, retracted_at, retraction, corrects FROM issues ORDER BY number"
    for _ in range(2):
        with closing(sqlite3.connect(lost.folder / ".feeds/feeds.db")) as db:
            assert db.execute(query).fetchall() == [
                (1, "2026-12-01 00:00:00.000000", "wrong", None),
                (2, None, "", 1),
            ]
        _restore(lost)


def test_doing_it_twice_is_the_same_as_once(lost):
    """Restoring twice, or from a backup of the restored store, changes nothing more."""
    _restore(lost)
    lost.publish(NOW + WEEK)
    size = (lost.folder / ".feeds/feeds.db.journal").stat().st_size
    backup_store(lost.config, lost.folder / "c.db")
    before = _statuses(lost)
    for name in ("b.db", "c.db"):
        found = _restore(lost, name)
        assert _statuses(lost) == before
        assert lost.publish(NOW + WEEK).issues == []
    assert found.lines[1] == "from the journal: nothing new"
    assert (lost.folder / ".feeds/feeds.db.journal").stat().st_size == size


def test_on_another_machine_the_keys_come_with_the_backup(lost):
    """Without a key file, the backup's is restored; keys that do not match are an error, and nothing is changed."""
    key = lost.folder / ".feeds/feeds.key"
    kept = key.read_bytes()
    key.unlink()
    _restore(lost, dry_run=True)
    assert not key.exists()
    _restore(lost)
    assert (key.read_bytes(), stat.S_IMODE(key.stat().st_mode)) == (kept, 0o600)
    (lost.folder / ".feeds/feeds.db").unlink()
    key.write_text(f"leave 1 {'ab' * 32}\nsuppress 1 {'cd' * 32}\n", "ascii")
    before = lost.files(".")
    with pytest.raises(FeedsError, match=r"feeds\.key: these keys do not match .*b\.db\.key\)\. Nothing was changed"):
        _restore(lost)
    assert lost.files(".") == before
    (lost.folder / "b.db.key").unlink()
    key.unlink()
    with pytest.raises(FeedsError, match="these keys do not match"):
        _restore(lost)


def test_without_a_journal_nobody_knows_what_happened_since(lost):
    """A damaged line of the journal, or a missing journal, gives a warning."""
    path = lost.folder / ".feeds/feeds.db.journal"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"rubbish\n", *lines[2:]]))
    assert "feeds.db.journal:3: cannot be read" in _restore(lost).warnings[0]
    path.unlink()
    (lost.folder / ".feeds/feeds.db").unlink()
    assert any("there is no journal" in line for line in _restore(lost).warnings)
    assert _statuses(lost)["ada"] == "active"


@pytest.mark.parametrize("name", ["config.toml", "nothing.db", ".feeds/feeds.db", "other.db", "newer.db", "damaged.db"])
def test_what_is_no_backup_is_refused(letter_site, name):
    """A file that is not a valid backup is an error, and no file is changed."""
    letter_site.publish()
    with closing(sqlite3.connect(letter_site.folder / "other.db")) as db:
        db.execute("CREATE TABLE t (c)")
    for other in ("newer.db", "damaged.db"):
        backup_store(letter_site.config, letter_site.folder / other)
    with closing(sqlite3.connect(letter_site.folder / "newer.db")) as db, db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    content = (letter_site.folder / "damaged.db").read_bytes()
    (letter_site.folder / "damaged.db").write_bytes(content[:8192] + b"\xff" * 4096 + content[12288:])
    before = letter_site.files(".")
    with pytest.raises(StoreError, match=name):
        _restore(letter_site, name)
    assert letter_site.files(".") == before


def test_kill_minus_9_at_any_moment_leaves_a_whole_store(lost):
    """If the process is killed at any time, the store is intact, and erased addresses are not in it."""
    with open_store(URL, lost.folder):
        pass
    command = [sys.executable, "-m", "feeds", "store", "restore", "b.db"]
    for delay in (0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55):
        process = subprocess.Popen(command, cwd=lost.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.kill()
        process.wait()
        with closing(sqlite3.connect(lost.folder / ".feeds/feeds.db")) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert db.execute("SELECT count(*) FROM subscribers WHERE email LIKE 'cy@%'").fetchone() == (0,)
    _restore(lost)
    assert _statuses(lost)["ada"] == "unsubscribed"
    assert not (lost.folder / ".feeds.db-unfinished").exists()


def test_while_a_publish_is_at_work_nothing_is_brought_back(lost):
    """During a publish run, a restore is refused."""
    from feeds.edges.process import lock

    with lock.lock_site(lost.folder), pytest.raises(LockedError):
        _restore(lost)


# Issues in progress -----------------------------------------------------------------------------------------------


def _halfway(site, server):
    """Stop a send after three deliveries, and back up the store."""
    server.stop_after = 3
    mailing = Mailing(site, server)
    mailing.configure()
    join(site.folder, addresses(6))
    report = mailing.publish(stopping=lambda: len(server.accepted) >= 3)
    assert report.issues[0].state == "sending"
    backup_store(site.config, site.folder / "b.db")
    return mailing


def test_an_issue_that_has_arrived_since_is_done(letter_site):
    """An issue that was finished since the backup is marked as sent, and nothing is sent again."""
    with SmtpServer() as server:
        mailing = _halfway(letter_site, server)
        assert mailing.publish().issues[0].state == "sent"
        (letter_site.folder / ".feeds/feeds.db").unlink()
        found = _restore(letter_site)
        assert len(found.warnings) == 1
        assert mailing.publish().issues == []
        assert mailing.resume().issues == []
        assert set(server.counts().values()) == {1}
        with open_store(URL, letter_site.folder) as store:
            [issue] = store.issues.load_issues()
        assert (issue.sent, issue.recipients, issue.state) == (6, 6, "sent")


def test_an_issue_of_which_nobody_knows_how_far_it_came_is_held(letter_site):
    """An issue whose progress since the backup is unknown is held until it is resumed."""
    with SmtpServer() as server:
        mailing = _halfway(letter_site, server)
        (letter_site.folder / ".feeds/feeds.db").unlink()
        found = _restore(letter_site)
        assert found.warnings[0].startswith("weekly 1 was being sent and is held: the store was restored")
        taken = len(server.accepted)
        report = mailing.publish()
        assert "`feeds resume weekly` resumes it" in report.alerts[0]
        assert len(server.accepted) == taken
        assert mailing.resume().issues[0].state == "sent"
        assert set(server.counts().values()) == {1}
        assert len(server.accepted) == 6


def test_an_issue_that_was_composed_and_cut_short_since_is_told_of(letter_site):
    """An issue composed since the backup and not finished is marked as sent, with a warning."""
    with SmtpServer() as server:
        mailing = Mailing(letter_site, server)
        mailing.configure()
        join(letter_site.folder, addresses(6))
        letter_site.publish(feeds_only=True)
        backup_store(letter_site.config, letter_site.folder / "b.db")
        mailing.publish(stopping=lambda: len(server.accepted) >= 3)
        (letter_site.folder / ".feeds/feeds.db").unlink()
        found = _restore(letter_site)
        assert found.warnings[0].startswith("weekly 1 was being sent, and its letters are not in the backup")
        taken = len(server.accepted)
        assert mailing.publish().issues == []
        assert len(server.accepted) == taken


def test_an_issue_that_was_approved_since_is_not_approved_again(letter_site):
    """An issue approved since the backup no longer waits for approval."""
    letter_site.configure(CONFIG + NEWSLETTER.replace("[mail]", "approve = true\n[mail]"))
    letter_site.publish()
    backup_store(letter_site.config, letter_site.folder / "b.db")
    from feeds.jobs.context import Context
    from feeds.jobs.newsletters import approve

    approve.approve_issue(letter_site.config, "weekly", Context(clock=lambda: NOW))
    assert len(letter_site.letters()) == 1
    shutil.rmtree(letter_site.folder / ".feeds/outbox")
    _restore(letter_site)
    assert letter_site.publish().issues == []
    with pytest.raises(FeedsError, match="no issue of weekly waits"):
        approve.approve_issue(letter_site.config, "weekly", Context(clock=lambda: NOW))
    assert letter_site.letters() == []


# Any sequence of changes ------------------------------------------------------------------------------------------

START = datetime(2026, 11, 1, tzinfo=UTC)
HASHER = AddressHasher({1: b"k" * 32})
NAMES = ("ada", "bob", "cy")
NEWSLETTERS = ("weekly", "daily")
STATUSES = ("bounced", "pending", "unsubscribed")
CHANGES = st.one_of(
    st.tuples(st.sampled_from(["add", "remove", "suppress", "allow", "erase"]), st.sampled_from(NAMES)),
    st.tuples(st.sampled_from([f"leave {name}" for name in NEWSLETTERS]), st.sampled_from(NAMES)),
    st.tuples(st.sampled_from(STATUSES), st.sampled_from(NAMES)),
    st.tuples(st.just("send"), st.sampled_from(NEWSLETTERS)),
    st.tuples(st.just("keep"), st.just("")),
    st.tuples(st.just("backup"), st.just("")),
    st.tuples(st.just("go_away"), st.just("")),
    st.tuples(st.just("come_back"), st.just("")),
)


class _History:
    """A store with a sequence of changes, its journal, and backups of it."""

    def __init__(self, folder):
        self.folder, self.now, self.copies, self.sent = folder, START, [], 0
        self.journal = folder / ".feeds/feeds.db.journal"
        #: How many copies there were, and who was erased then.
        self.erased = []
        #: Whether it is on a database without a journal, and who was erased there.
        self.is_away, self.erased_away = False, set()

    def do(self, store, what, who):
        self.now += timedelta(hours=1)
        key = f"{who}@example.org"
        if (self.is_away and what == "backup") or (what in ("add", "allow") and key in self.erased_away):
            return
        self.change(store, what, who, key)
        if self.is_away:
            store.journal.drop((), after=0)

    def change(self, store, what, who, key):
        match what.split():
            case ["add"]:
                store.suppressions.allow(HASHER.digests(key), self.now)
                wanted = dict.fromkeys(NEWSLETTERS)
                store.subscribers.subscribe(key, key, wanted, lang=None, consent="c", source="add", at=self.now)
            case ["remove"]:
                store.subscribers.unsubscribe(key, self.now)
            case ["suppress"]:
                new = store.suppressions.find(HASHER.digests(key)) is None
                store.suppressions.suppress(key, HASHER.digests(key)[0] if new else None, self.now)
            case ["allow"]:
                store.suppressions.allow(HASHER.digests(key), self.now)
            case ["erase"]:
                store.suppressions.erase(key, {key}, HASHER.digests(key)[0], self.now)
                self.erased.append((len(self.copies), key))
                self.erased_away |= {key} if self.is_away else set()
            case ["leave", newsletter]:
                with store.bounces.transaction():
                    if person := store.subscribers.find(key):
                        store.bounces.unsubscribe_from(store.bounces.find_subscriber(person.id), newsletter, self.now)
            case [status] if status in STATUSES:
                row = ImportRow(number=1, email=key, key=key, status=status, consent="l", digests=HASHER.digests(key))
                store.subscriber_import.stage([row])
                store.subscriber_import.commit_import("list", self.now, apply=True)
            case [other]:
                getattr(self, other)(store, who)

    def send(self, store, newsletter):
        self.sent += 1
        story = entry(f"{self.sent}.md")
        store.entries.save_entries([story], self.now)
        chosen = Selection(stories=(story,))
        letter = Letter(lang="en", subject="S", html="<p>", text="T")
        plan = NewIssue(
            newsletter=newsletter,
            number=store.issues.last_issue(newsletter)[1] + 1,
            slot=self.now,
            subject="S",
            selection=chosen,
            page=IssuePage(html="P"),
            content=IssueContent(selection=chosen, texts={}),
            seed=b"seed",
            rendered=RenderedIssue(letters=[letter], letter_index={SubscriberPreferences(): 0}),
        )
        assert store.issues.freeze(plan, self.now)
        if self.sent % 2:
            store.issues.finish(store.issues.load_issues()[-1].id)

    def backup(self, store, _):
        self.copies.append(self.folder / f"{len(self.copies)}.db")
        store.database.copy(self.copies[-1])

    def keep(self, store, _):
        for people in (False, True):
            with store.journal.take_batch(1000, people=people) as lines:
                file.append_records(self.journal, [mask_address(HASHER, line) for line in lines])

    def go_away(self, store, who):
        """Be copied to a database without a journal."""
        self.keep(store, who)
        self.is_away = True

    def come_back(self, store, _):
        """Be copied back to the place beside the journal."""
        lines = list(file.read_records(self.journal, pytest.fail))
        file.append_records(self.journal, find_missing(store, lines, lambda: HASHER, self.now))
        self.is_away, self.erased_away = False, set()

    def replay(self, copy):
        with open_store(f"sqlite:///{copy}", self.folder) as store:
            lines = list(file.read_records(self.journal, pytest.fail))
            restore.replay_records(store, lines, HASHER, lambda _name, _number: "P", self.now)


def _state(store):
    """Return the state of subscribers, suppression list, announcements and ids."""
    people = {
        person.key: (person.status, frozenset(store.subscribers.unsubscribed_newsletters(person.key)))
        for person in store.subscribers.iterate()
    }
    suppressed = {
        key: found.reason
        for key in map("{}@example.org".format, NAMES)
        if (found := store.suppressions.find(HASHER.digests(key)))
    }
    sent = {name: (store.issues.announced_ids(name), store.issues.last_issue(name)) for name in NEWSLETTERS}
    return people, suppressed, sent, {known.id for known in store.entries.load_entries()}


@settings(max_examples=int(os.environ.get("FEEDS_RESTORES", "40")))
@given(st.lists(CHANGES, max_size=14))
@example([("suppress", "ada"), ("go_away", ""), ("allow", "ada")])
@example([("leave weekly", "ada"), ("backup", ""), ("go_away", ""), ("add", "ada")])
def test_any_backup_comes_to_what_the_store_is(changes):
    """Replaying the journal on any backup gives the state of the store, and replaying it again changes nothing.

    Also if the store was on a database without a journal meanwhile. Then the journal does not know of whom was erased,
    and allowed again, there.
    """
    with tempfile.TemporaryDirectory() as name:
        history = _History(Path(name))
        with open_store(URL, history.folder) as store:
            for what, who in [("add", "ada"), ("backup", ""), *changes, ("backup", ""), ("keep", "")]:
                history.do(store, what, who)
            if history.is_away:
                history.do(store, "come_back", "")
            people, suppressed, sent, ids = _state(store)
        for number, copy in enumerate(history.copies):
            with open_store(f"sqlite:///{copy}", history.folder) as store:
                keys_before = _state(store)[0].keys()
            erased = {key for since, key in history.erased if since > number}
            history.replay(copy)
            with open_store(f"sqlite:///{copy}", history.folder) as store:
                now = found, found_suppressed, found_sent, found_ids = _state(store)
            assert (found_sent, found_ids) == (sent, ids)
            assert found.keys() == keys_before - erased
            assert all(found[key] == people[key] for key in found)
            gone = {key for key, (status, _) in people.items() if status not in ("active", "pending")} - found.keys()
            assert found_suppressed == dict.fromkeys(gone, "suppressed") | suppressed
            history.replay(copy)
            with open_store(f"sqlite:///{copy}", history.folder) as store:
                assert _state(store) == now
