"""PgBouncer works in session mode, and is refused where it does not keep a session for a client."""

from contextlib import ExitStack

import psycopg
import pytest

from feeds.edges.store.database import open_store
from feeds.errors import LockedError, StoreError
from tests.pgbouncer import pgbouncer
from tests.postgresql import change, new_role, run_sql, schema_of, schema_url


@pytest.fixture
def url():
    """The URL of an empty schema, which its role finds without any options."""
    with schema_url() as schema, new_role() as role:
        run_sql(
            schema,
            f"ALTER ROLE {role} SET search_path = {schema_of(schema)}",
            f"GRANT USAGE, CREATE ON SCHEMA {schema_of(schema)} TO {role}",
        )
        yield change(schema.partition("?")[0], role=role)


def is_empty(url):
    """Return whether the schema has no tables."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()").fetchone()
    return found == (0,)


def test_in_session_mode_settings_and_locks_are_those_of_a_session(tmp_path, url):
    """As without PgBouncer; the next client of the session has none of them."""
    with pgbouncer(url, tmp_path, "session") as pooled:
        with open_store(pooled, tmp_path) as store, store.lock("sending"):
            assert store.database.connection.execute("SHOW lock_timeout").fetchone() == ("10s",)
            with (
                open_store(pooled, tmp_path) as other,
                pytest.raises(LockedError, match="another process is sending"),
                other.lock("sending"),
            ):
                pass
        with open_store(pooled, tmp_path) as store, store.lock("sending"):
            pass
        with psycopg.connect(pooled) as connection:
            assert connection.execute("SHOW lock_timeout").fetchone() == ("0",)


@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("turns", [0, 1])
@pytest.mark.parametrize("used", [0, 3])
def test_in_the_other_modes_it_is_refused(tmp_path, url, mode, turns, used):
    """Whichever of its sessions it lends next, and however many it has already: nothing is written or set."""
    with pgbouncer(url, tmp_path, mode, server_round_robin=turns) as pooled:
        with ExitStack() as stack:
            for _ in range(used if mode == "transaction" else 0):
                stack.enter_context(psycopg.connect(pooled)).execute("SELECT 1")
        for create in (True, False):
            with pytest.raises(StoreError, match="use session mode, or connect to the server") as raised:
                open_store(pooled, tmp_path, create=create).__enter__()
            assert raised.value.lines[0].startswith(f"{pooled}: ")
        with psycopg.connect(pooled, autocommit=True) as connection:
            assert connection.execute("SHOW lock_timeout").fetchone() == ("0",)
    assert is_empty(url)


@pytest.mark.parametrize("ignored", ["", "options"])
def test_options_that_it_does_not_pass_on_are_refused(tmp_path, url, ignored):
    """Else the tables of the site were in another schema than the URL says."""
    with pgbouncer(url, tmp_path, "session", ignore_startup_parameters=ignored) as pooled:
        with pytest.raises(StoreError, match="PgBouncer does not pass on the `options` of the URL; set them for the"):
            open_store(f"{pooled}?options=-csearch_path%3Delsewhere", tmp_path).__enter__()
        assert is_empty(url)
        with open_store(pooled, tmp_path) as store:
            assert store.entries.load_entries() == ()
