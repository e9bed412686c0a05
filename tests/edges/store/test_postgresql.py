"""What PostgreSQL does and SQLite does not: connections that are lost, roles, passwords, other programs' tables."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from feeds.edges.store.database import open_store
from feeds.edges.store.postgresql import connect
from feeds.errors import LockedError
from feeds.model import DeliveryOutcome, DeliveryState
from tests.edges.store.issue_factory import new_issue, only_issue_id
from tests.postgresql import run_sql, schema_url

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


SENT = {"state": DeliveryState.SENT, "answer": "250 OK"}


def crash(store, url, delivery):
    """Do to the store what a crash of its server may: the connection ends, and a commit is gone."""
    run_sql(
        url, f"UPDATE deliveries SET state = 'handing_over', answer = NULL, sent_at = NULL WHERE id = {delivery.id}"
    )
    lose_connection(store.database)


@pytest.mark.parametrize("with_work", [True, False])
def test_answers_that_a_crashed_server_has_lost_are_recorded_again(tmp_path, url, with_work):
    """With the next answers, or when it is time to sync: else these letters would be sent twice."""
    with open_store(url, tmp_path) as store, store.deliveries.bulk_mode():
        store.issues.freeze(new_issue(copies=("ada@example.org", "bob@example.org", "eve@example.org")), NOW)
        ada, bob, eve = store.deliveries.claim(only_issue_id(store), 10, NOW, resend=1)
        store.deliveries.commit_and_begin([DeliveryOutcome(id=ada.id, **SENT)], [bob.id, eve.id], NOW)
        store.deliveries.commit_and_begin([DeliveryOutcome(id=bob.id, **SENT)], [], NOW + timedelta(milliseconds=1))
        crash(store, url, bob)
        work = [DeliveryOutcome(id=eve.id, **SENT)] if with_work else []
        store.deliveries.commit_and_begin(work, [], NOW + timedelta(seconds=1))
        counts = store.deliveries.count_states(only_issue_id(store))
        assert counts[DeliveryState.SENT] == 2 + with_work


def test_answers_that_were_synced_are_not_recorded_again(tmp_path, url):
    """What another process has changed since then stays, although the connection was lost."""
    with open_store(url, tmp_path) as store, store.deliveries.bulk_mode():
        store.issues.freeze(new_issue(copies=("ada@example.org", "bob@example.org")), NOW)
        ada, bob = store.deliveries.claim(only_issue_id(store), 10, NOW, resend=1)
        store.deliveries.commit_and_begin([DeliveryOutcome(id=ada.id, **SENT)], [bob.id], NOW)
        crash(store, url, ada)
        store.deliveries.commit_and_begin([DeliveryOutcome(id=bob.id, **SENT)], [], NOW)
        assert store.deliveries.count_states(only_issue_id(store))[DeliveryState.SENT] == 1
