"""Copying the store of a site to another database, and checking a store."""

import json
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from feeds.edges.process.lock import lock_site, lock_task
from feeds.edges.store import copy_tables
from feeds.edges.store.database import open_database, open_store
from feeds.edges.store.schema import read_version, set_version
from feeds.edges.store.sites import load_site
from feeds.errors import FeedsError, LockedError, StoreError
from feeds.jobs.store.check_store import check_store
from feeds.jobs.store.copy_store import copy_to
from feeds.jobs.subscribers import subscribe
from tests.conftest import CONFIG, NEWSLETTER, NOW, asked
from tests.postgresql import change, new_role, run_sql, schema_of, schema_url

COPY = "sqlite:///copy.db"
WEEK = timedelta(days=7)


@pytest.fixture
def sent(letter_site):
    """A site with a subscriber that has sent its first issue."""
    subscribe.add_subscriber(letter_site.config, "ada@example.org", [], lang=None, now=NOW, again=False)
    letter_site.publish()
    return letter_site


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request):
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield COPY
    else:
        with schema_url() as url:
            yield url


def copy(site, url=COPY, **context):
    """Copy the store of a site."""
    return copy_to(site.config, url, asked(**context)[1])


def test_a_site_goes_on_with_the_copy(sent, target):
    """Nothing is announced or sent again, ids stay, and the next issue has the next number."""
    steps = []
    done = copy(sent, target, progress=lambda work, number, total: steps.append((work, number, total)))
    assert done.copied == done.compared == steps[-1][1] == steps[-1][2] > 0
    sent.configure(f'{CONFIG}{NEWSLETTER}[store]\nurl = "{target}"\n')
    before = sent.files("public")
    assert sent.publish().issues == []
    assert sent.files("public") == before
    sent.post("second", "Other words.\n", date="2026-11-25")
    [issue] = sent.publish(NOW + WEEK).issues
    assert (issue.number, issue.sent) == (2, 2)


def test_an_interrupted_copy_is_no_store_and_goes_on(sent, target, monkeypatch):
    """Until all rows are there, other commands refuse it; the same command finishes it."""
    monkeypatch.setattr(copy_tables, "_RANGE", 1)

    class Stopped(Exception):  # noqa: N818 - as a signal does
        pass

    def stop(_work, done, total):
        if done > total // 2:
            raise Stopped

    with pytest.raises(Stopped):
        copy(sent, target, progress=stop)
    with pytest.raises(StoreError, match="run `feeds store copy` again"), open_store(target, sent.folder):
        pass
    done = copy(sent, target)
    assert 0 < done.copied < done.compared
    with open_store(target, sent.folder) as store:
        assert [person.email for person in store.subscribers.iterate()] == ["ada@example.org"]


def test_a_store_that_has_changed_since_an_interrupted_copy_is_an_error(sent, monkeypatch):
    """It names the row; the copy stays unfinished."""
    copy(sent)
    with closing(sqlite3.connect(sent.folder / "copy.db")) as db, db:
        db.execute("UPDATE alembic_version SET version_num = 'copying'")
    subscribe.remove_subscriber(sent.config, "ada@example.org", NOW)
    with pytest.raises(StoreError, match=r"copy\.db: differs from the store at subscribers 1"):
        copy(sent)
    with pytest.raises(StoreError, match="run `feeds store copy` again"), open_store(COPY, sent.folder):
        pass


def test_only_an_empty_database_is_copied_to(sent, target):
    """Another store is left alone."""
    copy(sent, target)
    with pytest.raises(StoreError, match=r"has [0-9,]+ rows already; copy to an empty database"):
        copy(sent, target)


@pytest.fixture
def reading(sent):
    """The URL of a PostgreSQL store that this role may only read, and that of its owner; the site has it."""
    with schema_url() as url, new_role() as role:
        copy(sent, url)
        schema = schema_of(url)
        run_sql(
            url,
            f"GRANT USAGE ON SCHEMA {schema} TO {role}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
        )
        yield change(url, role=role), url


@pytest.mark.parametrize("kind", ["role", "server"])
def test_a_store_that_can_only_be_read_is_copied(sent, target, reading, kind):
    """By a role that may only read, or from a server that is read-only, as a replica is; with all rows."""
    role_url, owner_url = reading
    url = role_url if kind == "role" else change(owner_url, options="default_transaction_read_only=on")
    sent.configure(f'{CONFIG}{NEWSLETTER}[store]\nurl = "{url}"\n')
    run_sql(owner_url, "DELETE FROM sites")
    with pytest.raises(StoreError, match="nothing can be written"):
        sent.publish()
    done = copy(sent, target)
    assert done.copied == done.compared > 0
    with open_database(owner_url, sent.folder) as database:
        assert load_site(database) is None


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("0015", "the tables are at 0015; run `feeds store upgrade` before you copy them"),
        ("9999", r"written by a newer version \(its tables are at 9999\); upgrade feeds"),
        ("copying", "rows are being copied to this store"),
        ("00", "the version of the tables, '00', is not one of this program's"),
    ],
)
def test_tables_of_another_version_are_not_copied(sent, target, reading, version, message):
    """They stay as they are, and nothing is created elsewhere."""
    role_url, owner_url = reading
    for url, table in (role_url, owner_url), ("sqlite:///.feeds/feeds.db", "sqlite:///.feeds/feeds.db"):
        with open_database(table, sent.folder) as database:
            set_version(database, version)
        sent.configure(f'{CONFIG}{NEWSLETTER}[store]\nurl = "{url}"\n')
        with pytest.raises(StoreError, match=message):
            copy(sent, target)
        with open_database(table, sent.folder) as database:
            assert read_version(database) == version
        with open_database(target, sent.folder, create=False) as database:
            assert database is None or read_version(database) is None


def test_without_a_store_there_is_nothing_to_copy(site):
    """It is an error, and no file is created."""
    with pytest.raises(FeedsError, match=r"feeds\.db: there is no store to copy yet"):
        copy(site)
    assert not (site.folder / "copy.db").exists()


def test_a_site_that_is_at_work_is_not_copied(sent):
    """While a publish run, or a sender, is at work, nothing is copied."""
    with lock_site(sent.folder), pytest.raises(LockedError):
        copy(sent)
    for task in ("sending", "mailing"):
        with lock_task(sent.folder / ".feeds/feeds.db", task), pytest.raises(LockedError):
            copy(sent)
    assert not (sent.folder / "copy.db").exists()


def test_the_command_copies_and_says_what_to_set(sent, feeds):
    """A URL of neither database is wrong usage."""
    done = feeds("store", "copy", "--to", COPY)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("now set store.url in config.toml\n")
    assert "must be the URL of a database" in (wrong := feeds("store", "copy", "--to", "copy.db")).stderr
    assert wrong.returncode == 2


def test_the_help_names_every_command_of_the_store_in_one_line_each(site, feeds):
    """No summary is cut."""
    text = feeds("store", "--help").stdout
    assert "..." not in text.partition("\n")[2]
    for name in "adopt", "back up", "restore", "check", "copy", "upgrade", "claim":
        assert name in text.splitlines()[2].lower()
    assert "Adopt, back up, restore, check, copy, upgrade, claim a store.\n" in feeds("--help").stdout


def test_backup_and_restore_print_the_commands_of_postgresql(sent, reading, feeds):
    """With the schema of the store."""
    url, _ = reading
    sent.configure(f'{CONFIG}{NEWSLETTER}[store]\nurl = "{url}"\n')
    for name, command in ("backup", "pg_dump --format=custom"), ("restore", "pg_restore"):
        done = feeds("store", name, "my.dump")
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
        assert f"run `{command} --schema={schema_of(url)} " in done.stderr


def test_a_check_counts_the_rows_of_a_sound_store(sent, target, feeds):
    """It finds nothing; --json has the same."""
    copy(sent, target)
    sent.configure(f'{CONFIG}{NEWSLETTER}[store]\nurl = "{target}"\n')
    found = check_store(sent.config)
    assert (found.problems, found.rows["subscribers"], found.rows["issues"]) == ([], 1, 1)
    done = feeds("store", "check", "--json")
    assert (done.returncode, json.loads(done.stdout)["rows"]) == (0, dict(found.rows))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("DELETE FROM issues", "row 1 refers to a row of issues that is missing"),
        ("DROP TABLE pings", "the table pings is missing"),
        ("ALTER TABLE issues DROP COLUMN whole", "the table issues has no column whole"),
        ("UPDATE alembic_version SET version_num = '9999'", "written by a newer version; upgrade feeds"),
        ("UPDATE alembic_version SET version_num = 'copying'", "run `feeds store copy` again"),
    ],
)
def test_a_check_finds_what_is_wrong(sent, feeds, change, problem):
    """It is printed as an error, and the exit code is 1."""
    with closing(sqlite3.connect(sent.folder / ".feeds/feeds.db")) as db, db:
        db.execute(change)
    done = feeds("store", "check")
    assert done.returncode == 1
    assert problem in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("table", ["issues", "letters", "subscribers"])
def test_a_check_finds_deliveries_that_refer_to_missing_rows(sent, target, table):
    """On both databases: PostgreSQL does not check these references itself."""
    copy(sent, target)
    sent.configure(f'{CONFIG}{NEWSLETTER}[store]\nurl = "{target}"\n')
    with open_store(target, sent.folder) as store:
        if store.database.dialect == "sqlite":
            store.database.connection.execute("PRAGMA foreign_keys = OFF")
        store.database.connection.execute(
            f"UPDATE deliveries SET {table.removesuffix('s')}_id = 77 WHERE recipient = 'ada@example.org'"
        )
        [number] = next(store.database.query("SELECT id FROM deliveries WHERE recipient = 'ada@example.org'"))
    assert check_store(sent.config).problems == [
        f"deliveries: row {number} refers to a row of {table} that is missing",
    ]


def test_without_a_store_there_is_nothing_to_check(site):
    """It is an error that says how to create one."""
    with pytest.raises(FeedsError, match="there is no store yet; `feeds publish` creates it"):
        check_store(site.config)
