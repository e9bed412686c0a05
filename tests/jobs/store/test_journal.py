"""Which records are written to the journal, and when, on real sites."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta

import pytest
import sqlalchemy as sa

from feeds.edges.store import journal_file as file
from feeds.edges.store.database import open_store
from feeds.edges.store.journal_records import record_statuses
from feeds.errors import FeedsError
from feeds.jobs.context import Context
from feeds.jobs.newsletters import approve, resume
from feeds.jobs.store import backup, journal
from feeds.jobs.subscribers import erase, subscribe
from feeds.model import IdAssigned, IssueRecorded, SubscriberEvent
from tests.conftest import CONFIG, NEWSLETTER, NOW
from tests.edges.store.fresh_schema import migrate

URL = "sqlite:///.feeds/feeds.db"
WEEK = timedelta(days=7)
ADA = "ada@example.org"


def _records(site, kind=object):
    errors = []
    found = [
        line
        for line in file.read_records(site.folder / ".feeds/feeds.db.journal", errors.append)
        if isinstance(line, kind)
    ]
    assert errors == []
    return found


def _add(site, email=ADA, *, again=False, now=NOW):
    subscribe.add_subscriber(site.config, email, [], lang=None, now=now, again=again)


def _issues(site):
    return [(one.number, one.state, one.entries) for one in _records(site, IssueRecorded)]


def test_every_id_is_written_once_before_a_feed_shows_it(site):
    """Each assigned id is recorded once; an edited post gives no record."""
    site.post("a", title="A")
    site.publish()
    [line] = _records(site)
    with open_store(URL, site.folder) as store:
        [known] = store.entries.load_entries()
    assert line == IdAssigned(
        id=known.id,
        path="a.md",
        text=known.text_digest,
        title="A",
        published=known.published.isoformat(),
        sketch=known.sketch,
    )
    site.post("a", title="B")
    site.post("b", "Other words.\n")
    site.publish()
    assert [line.path for line in _records(site)] == ["a.md", "b.md"]
    assert not (site.folder / ".feeds/feeds.key").exists()


def test_a_journal_that_cannot_be_written_is_told_and_nothing_is_forgotten(site):
    """If the journal cannot be written, an error is reported, and the next run writes the records."""
    path = site.folder / ".feeds/feeds.db.journal"
    path.mkdir(parents=True)
    site.post("a")
    report = site.publish()
    assert report.exit_code == 1
    assert "feeds.db.journal: cannot be written" in report.errors[0]
    path.rmdir()
    assert site.publish().errors == []
    assert len(_records(site)) == 1


def test_a_pass_that_finds_nothing_changed_leaves_it_alone(site):
    """A dry run creates no journal, and a run without changes does not write to it; a lost one begins again."""
    site.post("a")
    site.publish(dry_run=True)
    assert not (site.folder / ".feeds/feeds.db.journal").exists()
    site.publish()
    before = (path := site.folder / ".feeds/feeds.db.journal").stat()
    site.publish()
    assert path.stat() == before
    records = _records(site)
    path.unlink()
    site.publish()
    assert _records(site) == records


def test_an_issue_is_written_down_before_it_leaves_and_when_it_has_arrived(letter_site):
    """An issue is recorded before it is sent and when it is sent; one that waits for approval when it is approved."""
    letter_site.publish()
    [one] = {line.number for line in _records(letter_site, IssueRecorded)}
    assert one == 1
    assert [state for _, state, _ in _issues(letter_site)] == ["sending", "sent"]
    [entry] = _records(letter_site, IdAssigned)
    assert _issues(letter_site)[0][2] == {"story": (entry.id,)}
    letter_site.configure(CONFIG + NEWSLETTER.replace("[mail]", "approve = true\n[mail]"))
    letter_site.post("second", date="2026-11-25")
    letter_site.publish(NOW + WEEK)
    assert len(_issues(letter_site)) == 2
    resume.cancel_issue(letter_site.config, "weekly")
    letter_site.publish(NOW + WEEK)
    assert len(_issues(letter_site)) == 2
    approve.approve_issue(letter_site.config, "weekly", Context(clock=lambda: NOW + WEEK))
    assert [(number, state) for number, state, _ in _issues(letter_site)[2:]] == [(2, "sending"), (2, "sent")]


def test_what_was_adopted_is_written_down(letter_site):
    """Adopted posts are recorded as passed over, also without any issue."""
    letter_site.publish(feeds_only=True)
    backup.adopt_public(letter_site.config, NOW, Context(clock=lambda: NOW))
    [entry] = _records(letter_site, IdAssigned)
    assert _issues(letter_site) == [(0, "sent", {"passed_over": (entry.id,)})]
    letter_site.post("second", date="2026-11-22")
    backup.adopt_public(letter_site.config, NOW, Context(clock=lambda: NOW))
    assert len(_issues(letter_site)[1][2]["passed_over"]) == 2


def test_who_has_gone_or_come_back_is_written_down_and_nobody_named(letter_site):
    """Each change of a subscriber who is gone or back is recorded with a digest, and no address is stored."""
    site = letter_site
    _add(site)
    _add(site, "bob@example.org")
    assert not (site.folder / ".feeds/feeds.key").exists()
    subscribe.remove_subscriber(site.config, ADA, NOW)
    _add(site, again=True)
    subscribe.suppress_address(site.config, ADA, NOW)
    subscribe.allow_address(site.config, ADA, NOW)
    subscribe.suppress_address(site.config, ADA, NOW)
    erase.erase_subscriber(site.config, ADA, NOW)
    events = [line.what for line in _records(site, SubscriberEvent)]
    assert events == ["unsubscribed", "active", "suppressed", "unsubscribed", "allowed", "suppressed", "erased"]
    assert len({line.who for line in _records(site, SubscriberEvent)}) == 1
    assert "ada" not in site.read(".feeds/feeds.db.journal")
    assert b"ada@" not in (site.folder / ".feeds/feeds.db").read_bytes()


def test_without_the_key_what_is_about_people_waits(letter_site):
    """If the key is missing, events about subscribers stay pending and an error is reported; ids are recorded."""
    _add(letter_site)
    subscribe.suppress_address(letter_site.config, "eve@example.org", NOW)
    key = (letter_site.folder / ".feeds/feeds.key").rename(letter_site.folder / "kept")
    with pytest.raises(FeedsError, match="is missing; restore this file from your backup"):
        subscribe.remove_subscriber(letter_site.config, ADA, NOW)
    assert any("restore this file from your backup" in line for line in letter_site.publish().errors)
    assert len(_records(letter_site, IdAssigned)) == 1
    key.rename(letter_site.folder / ".feeds/feeds.key")
    assert letter_site.publish().errors == []
    assert [line.what for line in _records(letter_site, SubscriberEvent)] == ["suppressed", "unsubscribed"]


def _downgrade(file, version):
    """Replace a store by one with the tables of an older version, and the rows that they can have."""
    new = file.rename(file.with_name("new.db"))
    with sa.create_engine(f"sqlite:///{file}", poolclass=sa.NullPool).begin() as connection:
        migrate(connection, version)
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("ATTACH ? AS new", [str(new)])
        query = "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name != 'alembic_version'"
        for (table,) in db.execute(query).fetchall():
            columns = [
                {row[0] for row in db.execute("SELECT name FROM pragma_table_info(?, ?)", [table, schema])}
                for schema in ("main", "new")
            ]
            names = ", ".join(f'"{name}"' for name in sorted(set.intersection(*columns)))
            db.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM new.{table}")
    new.unlink()


def test_a_store_from_before_the_journal_begins_it_with_what_it_knows(letter_site):
    """A store that is migrated to have a journal records its ids, issues, gone subscribers and suppression list."""
    _add(letter_site)
    _add(letter_site, "bob@example.org")
    letter_site.publish()
    subscribe.suppress_address(letter_site.config, ADA, NOW)
    before = _records(letter_site)
    (letter_site.folder / ".feeds/feeds.db.journal").unlink()
    _downgrade(letter_site.folder / ".feeds/feeds.db", "0005")
    letter_site.publish()
    found = _records(letter_site)
    assert {line.what for line in found if isinstance(line, SubscriberEvent)} == {"unsubscribed", "suppressed"}
    assert all(line in before for line in found)
    assert {type(line) for line in found} == {IdAssigned, IssueRecorded, SubscriberEvent}


def test_kill_minus_9_at_random_moments_loses_no_line(letter_site):
    """If the process is killed at any time, no record is lost, and the last event of each person stays the last."""
    _add(letter_site)
    people, statuses = 200, ("unsubscribed", "active", "bounced")
    with open_store(URL, letter_site.folder) as store, store.database.transaction():
        for status in statuses * 50:
            record_statuses(store.database, [(status, f"p{n}@example.org", NOW) for n in range(people)])
    code = (
        "from pathlib import Path\nfrom feeds.config import load_config\n"
        "from feeds.edges.store.database import open_store\n"
        "from feeds.jobs.store import journal\njournal._BATCH_RECORDS = 300\n"
        "config = load_config(Path('config.toml'), {})\n"
        f"with open_store({URL!r}, config.folder) as store:\n    print('ready', flush=True)\n"
        "    journal.append_pending(config, store)\n"
    )
    kills = 0
    while kills < 6:
        process = subprocess.Popen([sys.executable, "-c", code], cwd=letter_site.folder, stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.004 * kills)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        kills += 1
    with open_store(URL, letter_site.folder) as store:
        journal.append_pending(letter_site.config, store)
        assert not store.journal.has_pending(people=True)
    last, number = {}, 0
    for line in file.read_records(letter_site.folder / ".feeds/feeds.db.journal", lambda _: None):
        if isinstance(line, SubscriberEvent):
            last[line.who], number = line.what, number + 1
    assert number >= people * 150
    assert set(last.values()) == {"bounced"}
    assert len(last) == people
