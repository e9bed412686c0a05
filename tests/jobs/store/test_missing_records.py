"""Restoring a backup of a store that was on another database, or was brought from elsewhere, on real sites."""

import shutil
import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from feeds.edges.store import journal_file
from feeds.edges.store.database import open_store
from feeds.errors import FeedsError, OutputError, StoreError
from feeds.jobs.newsletters import retract
from feeds.jobs.store.backup import backup_store
from feeds.jobs.store.copy_store import copy_to
from feeds.jobs.store.restore import restore_store
from feeds.jobs.subscribers import erase, subscribe
from tests.conftest import CONFIG, NEWSLETTER, NOW, asked
from tests.postgresql import schema_url

URL = "sqlite:///.feeds/feeds.db"
DAY, WEEK = timedelta(days=1), timedelta(days=7)
PEOPLE = ("ada", "bob", "cy", "eve", "flo")


@pytest.fixture
def sent(letter_site):
    """A site with five subscribers that has sent its first issue."""
    for name in PEOPLE:
        add(letter_site, name)
    letter_site.publish()
    return letter_site


@pytest.fixture(params=["postgresql", "sqlite"])
def elsewhere(request):
    """The URL of an empty database that a site may move to."""
    if request.param == "sqlite":
        yield "sqlite:///elsewhere/other.db"
    else:
        with schema_url() as url:
            yield url


def add(site, name, now=NOW, *, again=False):
    subscribe.add_subscriber(site.config, f"{name}@example.org", [], lang=None, now=now, again=again)


def use(site, url):
    """Set the store of a site."""
    site.configure(f'{CONFIG}{NEWSLETTER}[store]\nurl = "{url}"\n')


def move(site, url, now):
    """Copy the store of a site to another database, and set that; an older file there is moved away."""
    if url == URL:
        (site.folder / ".feeds/feeds.db").rename(site.folder / "feeds.db.old")
    copy_to(site.config, url, asked(now)[1])
    use(site, url)


def change(site, now=NOW + DAY):
    """Let people go, and send the second issue."""
    subscribe.remove_subscriber(site.config, "bob@example.org", now)
    subscribe.suppress_address(site.config, "eve@example.org", now)
    erase.erase_subscriber(site.config, "flo@example.org", now)
    site.post("second", "Other words.\n", date="2026-11-25")
    assert [issue.number for issue in site.publish(NOW + WEEK).issues] == [2]


def restore(site, name="b.db", now=NOW + 2 * WEEK, *, dry_run=False):
    return restore_store(site.config, site.folder / name, now, dry_run=dry_run)


def statuses(site):
    return {person.email.split("@")[0]: person.status for person in subscribe.list_subscribers(site.config)}


def check_nothing_is_forgotten(site):
    """Check that a restored site knows what `change` has done, and announces nothing twice."""
    assert statuses(site) == {"ada": "active", "bob": "unsubscribed", "cy": "active", "eve": "unsubscribed"}
    assert site.publish(NOW + 2 * WEEK).issues == []
    for name in ("eve", "flo"):
        with pytest.raises(FeedsError, match="--again"):
            add(site, name)
    with open_store(URL, site.folder) as store:
        assert [issue.number for issue in store.issues.load_issues()] == [1, 2]


def test_a_backup_from_before_another_database_learns_what_happened_there(sent, elsewhere):
    """The store goes to another database and comes back; an older backup is restored. Nothing is forgotten."""
    backup_store(sent.config, sent.folder / "b.db")
    move(sent, elsewhere, NOW)
    change(sent)
    move(sent, URL, NOW + WEEK)
    dry = restore(sent, dry_run=True)
    done = restore(sent)
    assert (
        done.lines[1]
        == dry.lines[1]
        == (
            "from the journal: 1 id; weekly 2 marked as sent; subscribers: 2 unsubscribed, 1 erased; 1 change of the"
            " suppression list"
        )
    )
    check_nothing_is_forgotten(sent)


def test_the_store_may_be_lost_after_it_has_come_back(sent, elsewhere):
    """The journal is complete as soon as the copy is."""
    backup_store(sent.config, sent.folder / "b.db")
    move(sent, elsewhere, NOW)
    change(sent)
    move(sent, URL, NOW + WEEK)
    (sent.folder / ".feeds/feeds.db").unlink()
    restore(sent)
    check_nothing_is_forgotten(sent)


def test_who_has_come_back_elsewhere_is_active_whatever_the_journal_says(sent, elsewhere):
    """People who left, or were suppressed, before the store went away, and came back there, get mail again."""
    backup_store(sent.config, sent.folder / "before.db")
    change(sent)
    backup_store(sent.config, sent.folder / "after.db")
    with open_store(URL, sent.folder) as store, store.bounces.transaction():
        person = store.subscribers.find("cy@example.org")
        store.bounces.unsubscribe_from(store.bounces.find_subscriber(person.id), "weekly", NOW + DAY)
    backup_store(sent.config, sent.folder / "last.db")
    move(sent, elsewhere, NOW + WEEK)
    for name in ("bob", "eve", "cy"):
        add(sent, name, NOW + WEEK + DAY, again=True)
    subscribe.allow_address(sent.config, "flo@example.org", NOW + WEEK + DAY)
    subscribe.remove_subscriber(sent.config, "ada@example.org", NOW + WEEK + DAY)
    retract.retract_issue(sent.config, "weekly", 2, "wrong", asked(NOW + WEEK + DAY)[1])
    move(sent, URL, NOW + WEEK + DAY)
    for name in ("before.db", "after.db", "last.db"):
        (sent.folder / ".feeds/feeds.db").unlink()
        restore(sent, name)
        assert statuses(sent) == {"ada": "unsubscribed", "bob": "active", "cy": "active", "eve": "active"}
        people = subscribe.list_subscribers(sent.config)
        assert all(one.newsletters == ("weekly",) for one in people if one.status == "active")
        with open_store(URL, sent.folder) as store:
            assert [issue.retraction for issue in store.issues.load_issues()] == ["", "wrong"]
        add(sent, "flo", NOW + 2 * WEEK)
        assert statuses(sent)["flo"] == "active"


def test_a_copy_to_another_file_begins_a_journal_there(sent):
    """Without any older journal, ids, issues, people who are gone and the suppression list are in the new one."""
    backup_store(sent.config, sent.folder / "b.db")
    change(sent)
    use(sent, URL)
    move(sent, "sqlite:///elsewhere/other.db", NOW + WEEK)
    (sent.folder / "elsewhere/other.db").unlink()
    restore(sent)
    shutil.copy(sent.folder / "elsewhere/other.db", sent.folder / ".feeds/feeds.db")
    check_nothing_is_forgotten(sent)


def test_a_second_copy_adds_nothing_to_the_journal(sent, elsewhere):
    """Only what the journal lacks is appended."""
    change(sent)
    size = (journal := sent.folder / ".feeds/feeds.db.journal").stat().st_size
    move(sent, elsewhere, NOW + WEEK)
    move(sent, URL, NOW + WEEK)
    assert journal.stat().st_size == size


def test_a_copy_of_a_file_from_elsewhere_only_reads_it(sent):
    """A backup may be copied as it is: no journal begins beside it, and its bytes stay."""
    backup_store(sent.config, file := sent.folder / "b.db")
    use(sent, "sqlite:///b.db")
    before = file.read_bytes()
    copy_to(sent.config, "sqlite:///copy.db", asked()[1])
    assert file.read_bytes() == before
    assert not (sent.folder / "b.db.journal").exists()
    assert (sent.folder / "copy.db.journal").exists()


def test_a_copy_whose_journal_cannot_be_written_is_not_complete(sent):
    """It is an error, no other command uses the copy, and the same command completes it."""
    (sent.folder / "copy.db.journal").mkdir()
    with pytest.raises(OutputError, match=r"copy\.db\.journal: cannot be"):
        copy_to(sent.config, "sqlite:///copy.db", asked()[1])
    with pytest.raises(StoreError, match="run `feeds store copy` again"), open_store("sqlite:///copy.db", sent.folder):
        pass
    (sent.folder / "copy.db.journal").rmdir()
    assert copy_to(sent.config, "sqlite:///copy.db", asked()[1]).copied == 0
    with open_store("sqlite:///copy.db", sent.folder):
        assert (sent.folder / "copy.db.journal").read_bytes().count(b"\n") == 3


#: Copies the store back, one record at a time, and is killed where the third is written to the disk.
KILLED = """
import os, signal
from pathlib import Path
from feeds.config import load_config
from feeds.jobs.store import copy_store, journal
from tests.conftest import asked
def die_later(work, done, total):
    if work == "comparing":
        os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL) if steps.pop() == 0 else None
steps = [0, 1, 2]
journal._BATCH_RECORDS = 1
copy_store.copy_to(load_config(Path("config.toml"), {}), "sqlite:///.feeds/feeds.db", asked(progress=die_later)[1])
"""


def test_a_copy_that_is_killed_while_it_writes_the_journal_is_completed_later(sent, elsewhere):
    """After kill -9 between two records the copy is not complete; the same command appends the others."""
    backup_store(sent.config, sent.folder / "b.db")
    move(sent, elsewhere, NOW)
    change(sent)
    (store := sent.folder / ".feeds/feeds.db").rename(sent.folder / "feeds.db.old")
    lines = (journal := sent.folder / ".feeds/feeds.db.journal").read_bytes().count(b"\n")
    code = subprocess.run([sys.executable, "-c", KILLED], cwd=sent.folder, check=False).returncode
    assert (code, journal.read_bytes().count(b"\n")) == (-signal.SIGKILL, lines + 3)
    with pytest.raises(StoreError, match="run `feeds store copy` again"), open_store(URL, sent.folder):
        pass
    assert copy_to(sent.config, URL, asked(NOW + WEEK)[1]).copied == 0
    use(sent, URL)
    store.unlink()
    restore(sent)
    check_nothing_is_forgotten(sent)


def test_a_file_that_was_brought_from_elsewhere_is_known_to_a_restore(sent):
    """If the file of the store was replaced by hand, a restore takes what only that one knows."""
    backup_store(sent.config, sent.folder / "b.db")
    move(sent, "sqlite:///elsewhere/other.db", NOW)
    change(sent)
    shutil.copy(sent.folder / "elsewhere/other.db", sent.folder / ".feeds/feeds.db")
    use(sent, URL)
    dry = restore(sent, dry_run=True)
    assert restore(sent).lines[1] == dry.lines[1]
    check_nothing_is_forgotten(sent)
    (sent.folder / ".feeds/feeds.db").unlink()
    restore(sent)
    check_nothing_is_forgotten(sent)


@pytest.mark.parametrize("has_journal", [True, False])
def test_the_first_run_with_a_file_from_elsewhere_completes_the_journal(sent, has_journal):
    """If the file of the store was replaced by hand and is lost later, the journal knows what only that one knew."""
    backup_store(sent.config, sent.folder / "b.db")
    move(sent, "sqlite:///elsewhere/other.db", NOW)
    change(sent)
    shutil.copy(sent.folder / "elsewhere/other.db", sent.folder / ".feeds/feeds.db")
    if not has_journal:
        (sent.folder / ".feeds/feeds.db.journal").unlink()
    use(sent, URL)
    sent.publish(NOW + WEEK + DAY)
    size = (journal := sent.folder / ".feeds/feeds.db.journal").stat().st_size
    add(sent, "dan")
    sent.publish(NOW + WEEK + 2 * DAY)
    assert journal.stat().st_size == size
    (sent.folder / ".feeds/feeds.db").unlink()
    restore(sent)
    check_nothing_is_forgotten(sent)


def test_an_older_file_that_was_put_in_place_by_hand_is_not_the_last_word(sent):
    """If the file of the store was replaced by an older one, the journal counts: no one comes back by it."""
    subscribe.remove_subscriber(sent.config, "cy@example.org", NOW)
    backup_store(sent.config, sent.folder / "b.db")
    add(sent, "cy", NOW + DAY, again=True)
    change(sent)
    size = (journal := sent.folder / ".feeds/feeds.db.journal").stat().st_size
    shutil.copy(sent.folder / "b.db", sent.folder / ".feeds/feeds.db")
    restore(sent)
    check_nothing_is_forgotten(sent)
    assert journal.stat().st_size == size


def test_a_journal_that_was_lost_begins_again_with_the_present_store(sent):
    """If the journal is missing, a restore takes what the present store knows."""
    backup_store(sent.config, sent.folder / "b.db")
    change(sent)
    (journal := sent.folder / ".feeds/feeds.db.journal").unlink()
    restore(sent)
    check_nothing_is_forgotten(sent)
    assert [*journal_file.read_records(journal, pytest.fail)]
