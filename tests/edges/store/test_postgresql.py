"""What PostgreSQL does and SQLite does not: connections that are lost, roles, passwords, other programs' tables."""

from contextlib import closing
from datetime import UTC, datetime

import psycopg
import pytest

from feeds.edges.store.database import open_store
from feeds.edges.store.postgresql import connect
from feeds.errors import LockedError
from tests.postgresql import schema_url

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TERMINATE = "SELECT pg_terminate_backend(pg_backend_pid())"


@pytest.fixture
def url():
    """The URL of an empty schema."""
    with schema_url() as found:
        yield found


@pytest.fixture
def database(url):
    """A connection to an empty schema."""
    with closing(connect(url)) as found:
        yield found


def lose_connection(database):
    """End the session on the server, as a restart does."""
    with pytest.raises(psycopg.OperationalError):
        database.connection.execute(TERMINATE)


def test_a_connection_that_was_lost_between_transactions_is_not_noticed(tmp_path, url):
    """Reading goes on, and a transaction begins."""
    with open_store(url, tmp_path) as store:
        lose_connection(store.database)
        assert store.entries.load_entries() == ()
        lose_connection(store.database)
        with store.database.transaction():
            assert store.feeds.is_undeployed() is False


def test_a_transaction_whose_connection_is_lost_is_an_error_and_changes_nothing(tmp_path, url):
    """What it has done before is not half there, and what follows in it is not done alone."""
    with open_store(url, tmp_path) as store:

        def work():
            with store.database.transaction():
                store.database.execute("feeds.mark_undeployed", since=NOW)
                lose_connection(store.database)
                store.feeds.is_undeployed()

        with pytest.raises(psycopg.OperationalError):
            work()
        assert store.feeds.is_undeployed() is False


def test_a_transaction_that_can_be_repeated_is_done_again(database):
    """As often as the connection is lost."""
    tries = []

    def work():
        with database.transaction():
            tries.append(1)
            return database.connection.execute(TERMINATE if len(tries) < 3 else "SELECT 7").fetchone()[0]

    assert (database.retry(work), len(tries)) == (7, 3)


def test_a_sender_holds_its_lock_after_a_lost_connection(url, database):
    """Nobody takes it over; and if somebody has, the sender ends."""
    with closing(connect(url)) as other, database.lock("sending"):
        lose_connection(database)
        with database.transaction():
            pass
        with pytest.raises(LockedError, match="another process is sending letters"), other.lock("sending"):
            pass
        lose_connection(database)
        with (
            other.lock("sending"),
            pytest.raises(LockedError, match="another process is sending letters"),
            database.transaction(),
        ):
            pass


def test_the_settings_of_a_sender_outlive_a_lost_connection(database):
    """They are those of the session: the patience, and when a commit is on the disk."""

    def settings():
        names = ("lock_timeout", "synchronous_commit")
        return [database.connection.execute(f"SHOW {name}").fetchone()[0] for name in names]

    with database.bulk_mode():
        lose_connection(database)
        with database.transaction("shared", synced=False):
            assert settings() == ["4min", "off"]
    assert settings() == ["10s", "on"]
