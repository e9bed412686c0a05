"""The memory, on a real database."""

import sqlite3
import stat
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from feeds.edges.store import opening
from feeds.edges.store.memory import Plan, Recipient
from feeds.edges.store.opening import opened
from feeds.edges.store.schema import metadata
from feeds.errors import StoreError
from feeds.model import DeliveryState, IssueState, Known, Letter, Selection
from tests.core.factory import entry

URL = "sqlite:///feeds.db"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    with opened(URL, tmp_path) as found:
        yield found


@pytest.fixture
def memory(store):
    return store.memory


def plan(number=1, slot=NOW, stories=(), recipients=("ada@example.org",)):
    return Plan(
        newsletter="weekly",
        number=number,
        slot=slot,
        selection=Selection(stories=tuple(stories)),
        letters=[Letter(lang="en", subject="S", html="<p>", text="T", page="P")],
        recipients=[Recipient(email=r, key=r, message_id=f"<{number}.{r}>", lang="en") for r in recipients],
    )


def test_migrating_ends_at_the_schema(tmp_path, memory):
    """What the migrations build is what the program asks."""
    with sa.create_engine(f"sqlite:///{tmp_path}/feeds.db", poolclass=sa.NullPool).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_head_is_the_last_migration():
    """The constant that saves loading Alembic tells the truth."""
    assert ScriptDirectory(str(opening._MIGRATIONS)).get_current_head() == opening.HEAD  # noqa: SLF001


def test_only_its_owner_may_read_the_store(tmp_path, memory):
    """It holds addresses."""
    assert stat.S_IMODE((tmp_path / "feeds.db").stat().st_mode) == 0o600


def test_without_create_a_missing_store_is_empty_and_leaves_no_trace(tmp_path):
    """A dry run looks and touches nothing."""
    with opened(URL, tmp_path, create=False) as store:
        assert store.entries.known() == ()
        assert not store.has_issues
        assert store.memory.issues() == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"this is no database, just words that somebody saved here", b"SQLite format 3\0" + b"\xff" * 200]
)
def test_a_damaged_store_is_named(tmp_path, content):
    """It is never overwritten."""
    (tmp_path / "feeds.db").write_bytes(content)
    with pytest.raises(StoreError, match=r"feeds\.db: the store cannot be used"), opened(URL, tmp_path):
        pass
    assert (tmp_path / "feeds.db").read_bytes() == content


def test_a_store_of_a_newer_version_is_left_alone(tmp_path):
    """Writing to tables one does not know would lose what they know."""
    with opened(URL, tmp_path):
        pass
    with sqlite3.connect(tmp_path / "feeds.db") as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    db.close()
    with pytest.raises(StoreError, match="was written by a newer version"), opened(URL, tmp_path):
        pass


def test_what_was_public_is_remembered(store):
    """Where it lay and what it said, brought up to date; an id once given stays known."""
    store.entries.remember([entry("a.md"), entry("b.md")], NOW)
    store.entries.remember([entry("a.md", text_digest="new")], NOW)
    assert {(k.path, k.text_digest) for k in store.entries.known()} == {("a.md", "new"), ("b.md", "b.md")}


def test_a_slot_gives_one_issue(memory):
    """Whoever comes second is told, and nothing of theirs is kept."""
    assert memory.freeze(plan(1), NOW)
    assert not memory.freeze(plan(2, recipients=("bob@example.org",)), NOW)
    assert not memory.freeze(plan(1, slot=NOW + timedelta(days=7)), NOW)
    assert [(i.number, i.recipients) for i in memory.issues()] == [(1, 1)]
    assert memory.last("weekly") == (NOW, 1)


def test_an_entry_is_announced_once_in_each_newsletter(store, memory):
    """The database holds it, not only the program."""
    told = entry("a.md")
    store.entries.remember([told], NOW)
    memory.freeze(plan(1, stories=[told]), NOW)
    with pytest.raises(sa.exc.IntegrityError):
        memory.freeze(plan(2, slot=NOW + timedelta(days=7), stories=[told]), NOW)
    assert memory.announced("weekly") == {told.id}
    assert memory.announced("daily") == frozenset()


def test_an_address_gets_one_delivery_of_an_issue(memory):
    """Even if it was asked for twice; then nothing of the issue is kept."""
    with pytest.raises(sa.exc.IntegrityError):
        memory.freeze(plan(recipients=("ada@example.org", "ada@example.org")), NOW)
    assert memory.issues() == ()


def test_the_date_of_a_message_is_that_of_its_first_hand_over(memory):
    """A second attempt repeats it."""
    memory.freeze(plan(), NOW)
    first = memory.hand_over(memory.waiting(1)[0].id, NOW)
    again = memory.hand_over(first.id, NOW + timedelta(hours=1))
    assert first == again
    assert (again.handed_over_at, again.state) == (NOW, DeliveryState.HANDING_OVER)


def test_what_was_sent_waits_no_longer(memory):
    """And an issue is finished when it is said to be."""
    memory.freeze(plan(recipients=("ada@example.org", "bob@example.org")), NOW)
    memory.sent(memory.waiting(1)[0].id, NOW, "250 OK")
    assert [d.recipient for d in memory.waiting(1)] == ["bob@example.org"]
    assert [(i.state, i.sent) for i in memory.issues(unfinished=True)] == [(IssueState.SENDING, 1)]
    memory.finish(1)
    assert memory.issues(unfinished=True) == ()


def test_people_join_more_newsletters_and_leave_all(memory):
    """Joining adds; leaving is remembered, not forgotten."""
    for newsletter in ("weekly", "daily", "weekly"):
        memory.subscribe("Ada@example.org", "ada@example.org", [newsletter], lang=None, consent="asked", at=NOW)
    assert [s.newsletters for s in memory.subscribers()] == [("daily", "weekly")]
    memory.unsubscribe("ada@example.org", NOW)
    assert [s.status for s in memory.subscribers()] == ["unsubscribed"]
    assert memory.subscribers(active=True) == ()
    assert memory.subscriber("nobody@example.org") is None


def _tables(path):
    """What a database is made of, white space and the order of columns' definitions as written aside."""
    with sqlite3.connect(path) as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
        found = {
            name: (
                sorted(row[1:] for row in db.execute(f"PRAGMA table_info({name})")),
                sorted(row[2:] for row in db.execute(f"PRAGMA foreign_key_list({name})")),
                sorted(
                    row[1:4] for row in db.execute(f"PRAGMA index_list({name})") if not row[1].startswith("sqlite_")
                ),
            )
            for name in names
            if name != "alembic_version"
        }
    db.close()
    return found


def test_a_new_store_is_what_the_migrations_make(tmp_path, store):
    """`fresh.sql` saves loading Alembic and tells the same; and a store of the first version is brought up to date."""
    old = tmp_path / "old.db"
    with sa.create_engine(f"sqlite:///{old}", poolclass=sa.NullPool).begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(opening._MIGRATIONS))  # noqa: SLF001
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql(
            "INSERT INTO entries VALUES ('urn:1', 'a.md', 'digest', '2026-01-01 00:00:00.000000')"
        )
    with opened("sqlite:///old.db", tmp_path) as upgraded:
        assert upgraded.entries.version() == opening.HEAD
        assert upgraded.entries.known() == (Known(id="urn:1", path="a.md", text_digest="digest"),)
    assert _tables(old) == _tables(tmp_path / "feeds.db")
