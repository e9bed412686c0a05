"""What a PostgreSQL server refuses is one line: the store without its password, what is wrong, what to do."""

import re
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feeds.config_types import StoreUrl
from feeds.edges.store.database import open_store
from feeds.edges.store.postgresql_errors import hide_password
from feeds.edges.store.postgresql_server import find_problem
from feeds.edges.store.schema import COPYING, set_version
from feeds.errors import LockedError, StoreError, StoreUnavailable
from tests.postgresql import change, new_role, run_sql, schema_of, schema_url, server_url

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def url():
    """The URL of an empty schema."""
    with schema_url() as found:
        yield found


def refused(url, folder, *, create=True):
    """Return the one line with which a store is refused, after its name and with exit code 1."""
    with pytest.raises(StoreError) as raised, open_store(url, folder, create=create):
        pass
    assert raised.value.exit_code == 1
    (line,) = raised.value.lines
    assert line.startswith(f"{hide_password(url)}: ")
    assert "\n" not in line
    return line.removeprefix(f"{hide_password(url)}: ").removeprefix("the database cannot be used: ")


@pytest.mark.parametrize(
    ("place", "reason", "advice"),
    [
        ("feeds:secret@db.invalid/feeds", "failed to resolve host", "correct the host and the port"),
        ("feeds:secret@127.0.0.1:1/feeds", "port 1 failed: Connection refused", "start the server, or correct the"),
        ("/feeds?host=/nowhere&password=secret", "No such file or directory", "start the server, or correct the"),
        ("/?service=nowhere&password=secret", 'service file "/nowhere" not found', "~/.pg_service.conf"),
        ("feeds:secret@db.invalid:port/feeds", "failed to resolve host", "correct the host and the port"),
        ("feeds:secret@db.invalid/feeds?sslmod=require", 'query parameter: "sslmod"', "correct the URL"),
        ("feeds:secret@[::1/feeds", 'in URI: "postgresql://feeds@[::1/feeds"', "correct the URL"),
        ("feeds:secret@[]/feeds", 'in URI: "postgresql://feeds@[]/feeds"', "correct the URL"),
        ("feeds:secret@[::1]x/feeds", '"postgresql://feeds@[::1]x/feeds"', "correct the URL"),
    ],
)
@pytest.mark.parametrize("driver", ["postgresql", "postgresql+psycopg"])
def test_a_server_that_is_not_there_is_one_line(tmp_path, monkeypatch, driver, place, reason, advice):
    """It says what libpq has found, and what to correct."""
    monkeypatch.setenv("PGSERVICEFILE", "/nowhere")
    line = refused(f"{driver}://{place}", tmp_path)
    assert reason in line
    assert advice in line
    assert "secret" not in line


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"role": "nobody_here"}, 'role "nobody_here" does not exist; create it with `createuser --pwprompt`'),
        ({"path": "/nowhere"}, 'database "nowhere" does not exist; create it with `createdb --encoding UTF8'),
        ({"options": "search_path=nowhere"}, "no schema of `search_path` exists, or the role may use none; create it"),
        ({"options": "no_setting=1"}, 'unrecognized configuration parameter "no_setting"'),
        ({"options": "statement_timeout=foo"}, 'parameter "statement_timeout": "foo"; correct the URL'),
    ],
)
@pytest.mark.parametrize("create", [True, False])
def test_what_the_server_does_not_have_is_one_line(tmp_path, url, given, line, create):
    """For commands that only read as well: none takes it for an empty store."""
    assert line in refused(change(url, **given), tmp_path, create=create)


@pytest.mark.parametrize("password", ["wrong", "p@ss:w/rd%", None])
def test_a_wrong_or_missing_password_is_one_line_without_it(tmp_path, url, password):
    """It says where libpq reads passwords."""
    with new_role("with_password", password="right") as role:
        as_role = change(url, role=role, password=password)
        try:
            line = refused(as_role, tmp_path)
        except pytest.fail.Exception:
            pytest.skip(
                "the server of FEEDS_POSTGRESQL asks nobody for a password; .ci/postgresql starts one that does"
            )
    assert "~/.pgpass" in line
    assert role in line or password is None
    assert password is None or password not in line


def test_a_password_with_special_characters_is_taken_percent_encoded(tmp_path, url):
    """As libpq takes it."""
    with new_role("with_password", password="p@s:s/w%rd") as role:
        run_sql(url, f"GRANT USAGE, CREATE ON SCHEMA {schema_of(url)} TO {role}")
        as_role = StoreUrl.parse(change(url, role=role, password="p@s:s/w%rd"))
        with open_store(as_role, tmp_path) as store:
            assert store.entries.load_entries() == ()


def test_a_role_that_may_not_create_tables_is_one_line(tmp_path, url):
    """Nothing is created."""
    with new_role() as role:
        run_sql(url, f"GRANT USAGE ON SCHEMA {schema_of(url)} TO {role}")
        line = refused(change(url, role=role), tmp_path)
    assert line.startswith(f"permission denied for schema {schema_of(url)}; let the role own the schema")
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()").fetchone() == (
            0,
        )


def test_a_role_that_may_use_no_schema_is_one_line(tmp_path, url):
    """Also for commands that only read."""
    with new_role() as role:
        for create in (True, False):
            assert "the role may use none" in refused(change(url, role=role), tmp_path, create=create)


def test_a_role_that_may_only_read_reads_and_is_refused_where_something_is_written(tmp_path, url):
    """Before anything is: not at the first row, when files are written already."""
    with open_store(url, tmp_path):
        pass
    with new_role() as role:
        run_sql(url, f"GRANT USAGE ON SCHEMA {schema_of(url)} TO {role}")
        assert "permission denied for table alembic_version" in refused(change(url, role=role), tmp_path, create=False)
        run_sql(url, f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema_of(url)} TO {role}")
        with open_store(change(url, role=role), tmp_path, create=False) as store:
            assert store.entries.load_entries() == ()
        line = refused(change(url, role=role), tmp_path)
        assert line.startswith(
            "nothing can be written: the role may not change the table address_changes; let the role"
        )
        run_sql(url, f"GRANT ALL ON ALL TABLES IN SCHEMA {schema_of(url)} TO {role}")
        with open_store(change(url, role=role), tmp_path):
            pass


def test_a_server_that_is_read_only_is_one_line(tmp_path, url):
    """As a replica is, or a role with `default_transaction_read_only`; whoever only reads does not notice."""
    read_only = change(url, options="default_transaction_read_only=on")
    assert "read-only transaction; connect as a role, and to a server, that may write" in refused(read_only, tmp_path)
    with open_store(url, tmp_path):
        pass
    assert refused(read_only, tmp_path).startswith("nothing can be written: the server, or the role, is read-only;")
    with open_store(read_only, tmp_path, create=False) as store:
        assert store.entries.load_entries() == ()


@pytest.mark.parametrize(
    ("tables", "shown"),
    [
        (["CREATE TABLE theirs (id integer)"], "theirs"),
        (["CREATE TABLE alembic_version (version_num text)"], "alembic_version"),
        (["CREATE TABLE alembic_version AS SELECT '0001' AS version_num"], "alembic_version"),
        (["CREATE TABLE alembic_version AS SELECT 'ae1027a6acf3' AS version_num"], "alembic_version"),
        (
            ["CREATE TABLE entries (id integer)", "CREATE TABLE alembic_version AS SELECT '0015x' AS version_num"],
            "alembic_version",
        ),
    ],
)
@pytest.mark.parametrize("create", [True, False])
def test_tables_of_another_program_are_left_alone(tmp_path, url, tables, shown, create):
    """Whether or not it uses Alembic as we do, and whatever its version; commands that only read refuse them too."""
    run_sql(url, *tables)
    line = refused(url, tmp_path, create=create)
    assert line.startswith(f"the database has tables of another program ({shown}); create one for Feeds alone")
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()").fetchone()
    assert found == (len(tables),)


@pytest.mark.parametrize(
    ("version", "line"),
    [("9999", "was written by a newer version (its tables are at 9999); upgrade"), (COPYING, "run `feeds store copy`")],
)
@pytest.mark.parametrize("create", [True, False])
def test_tables_of_a_newer_version_and_an_unfinished_copy_are_one_line(tmp_path, url, version, line, create):
    """For commands that only read as well."""
    with open_store(url, tmp_path) as store:
        set_version(store.database, version)
    assert line in refused(url, tmp_path, create=create)


@pytest.mark.parametrize(
    ("statement", "error", "line"),
    [
        ("SELECT pg_sleep(5)", StoreError, "statement timeout; raise the `statement_timeout` in the URL"),
        ("SELECT pg_advisory_lock(20261123)", LockedError, "has kept the database locked for long; try again later"),
        ("SELECT pg_terminate_backend(pg_backend_pid())", StoreUnavailable, "administrator command; try again later"),
        ("SELECT E'a\\x00'", StoreError, "0x00; remove the NUL character"),
    ],
)
def test_what_strikes_while_a_command_is_at_work_is_one_line(tmp_path, url, statement, error, line):
    """Limits of the URL hold; what is locked, or lost, can be tried again later."""
    limited = change(url, options="statement_timeout=100 lock_timeout=50")
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(20261123)")
        with pytest.raises(error, match=re.escape(line)) as raised, open_store(limited, tmp_path) as store:
            store.database.connection.execute(statement)
    assert raised.value.exit_code == (1 if error is StoreError else 3)


def test_text_with_a_nul_character_is_one_line(tmp_path, url):
    """PostgreSQL cannot store it."""
    with pytest.raises(StoreError, match=r"NUL .*; remove the NUL character"), open_store(url, tmp_path) as store:
        store.alerts.record("a\0b", NOW)


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"version": 130014}, "this is PostgreSQL 13; Feeds needs version 14 or newer"),
        ({"version": 90624}, "this is PostgreSQL 9; Feeds needs version 14 or newer"),
        ({"encoding": "LATIN1"}, "the encoding of the database is LATIN1; create one with `createdb --encoding UTF8`"),
        ({"encoding": "SQL_ASCII"}, "the encoding of the database is SQL_ASCII"),
        ({}, ""),
        ({"version": 180000}, ""),
    ],
)
def test_old_servers_and_other_encodings_are_refused(wrong, line):
    """The rest of a server is checked by a connection."""
    found = find_problem(**{"version": 140000, "encoding": "UTF8", "schema": "public"} | wrong)
    assert found.startswith(line)
    assert bool(found) == bool(line)


def test_a_database_in_another_encoding_is_one_line(tmp_path):
    """It could not store every letter."""
    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE in_latin1 ENCODING LATIN1 LOCALE 'C' TEMPLATE template0")
        try:
            line = refused(change(server_url(), path="/in_latin1"), tmp_path)
        finally:
            connection.execute("DROP DATABASE in_latin1")
    assert line.startswith("the encoding of the database is LATIN1;")


@pytest.mark.parametrize("password", ["word", "p%40ss", "a:b", "a?b", "a#b", "a[b", "a@b", "a/b", "a%b", "@:/%?&#[]"])
@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgres", "mysql"])
@pytest.mark.parametrize(
    "rest", ["db.example.com/feeds", "db.example.com:5432/feeds?sslmode=require", "/feeds", "[::1]/"]
)
def test_no_message_has_the_password(scheme, password, rest):
    """However it is written, and in the errors about how it is written."""
    url = f"{scheme}://feeds:{password}@{rest}"
    assert hide_password(url) == f"{scheme}://feeds@{rest}"
    try:
        StoreUrl.parse(url)
    except ValueError as e:
        assert password not in str(e).replace("postgresql://feeds@db.example.com/feeds", "").replace("%40", "")
    else:
        assert not {*"@/"} & {*password}


@pytest.mark.parametrize("name", ["password", "PASSWORD", "sslpassword", "pass%77ord"])
def test_a_password_among_the_parameters_is_hidden(name):
    """The other parameters are shown."""
    place = "postgresql://feeds@db.example.com/feeds"
    assert hide_password(f"{place}?{name}=secret") == place
    assert hide_password(f"{place}?sslmode=require&{name}=secret&a=b") == f"{place}?sslmode=require&a=b"


@example("%80")
@example("%00")
@example("%0A")
@example("%E6%B8%AF")
@given(st.lists(st.one_of(st.characters(), st.from_regex("%[0-9A-Fa-f]{2}", fullmatch=True))).map("".join))
def test_a_url_that_is_taken_has_its_password_where_libpq_sees_it(password):
    """What would be read as part of the host is refused, so that no error of libpq can show it."""
    try:
        url = StoreUrl.parse(f"postgresql://feeds:{password}@db.example.com/feeds")
    except ValueError:
        return
    assert psycopg.conninfo.conninfo_to_dict(url)["host"] == "db.example.com"
    assert hide_password(url) == "postgresql://feeds@db.example.com/feeds"


def test_a_socket_and_a_service_are_other_ways_to_the_server(tmp_path, url, monkeypatch):
    """The role, the password and the schema may be in the file of the service."""
    parts = urlsplit(url)
    with psycopg.connect(url) as connection:
        folder = connection.execute("SHOW unix_socket_directories").fetchone()[0].split(",")[0]
    service = tmp_path / "services"
    options = f"options=-csearch_path={schema_of(url)}"
    service.write_text(
        f"[here]\nhost={parts.hostname}\nport={parts.port}\nuser={parts.username}\ndbname=feeds\n{options}\n", "ascii"
    )
    monkeypatch.setenv("PGSERVICEFILE", str(service))
    by_socket = f"postgresql://{parts.username}@/feeds?host={quote(folder, safe='')}&port={parts.port}&{parts.query}"
    for other in ("postgresql:///?service=here", by_socket):
        with open_store(other, tmp_path) as store:
            assert store.database.connection.execute("SELECT current_schema()").fetchone() == (schema_of(url),)


@pytest.mark.parametrize("command", [["publish"], ["status", "--json"], ["check"], ["store", "check"]])
def test_a_command_ends_with_the_line_alone(site, feeds, command):
    """Without the password, a traceback, or a file that is written."""
    done = feeds(*command, FEEDS_STORE_URL="postgresql://feeds:s%40cret@127.0.0.1:1/feeds")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: postgresql://feeds@127.0.0.1:1/feeds: the database cannot be used: ")
    assert "cret" not in done.stderr + done.stdout
    assert not site.files("public")


@pytest.mark.parametrize("version", ["", "0000", "16", "abc", "0016x"])
def test_a_damaged_version_is_one_line(tmp_path, url, version):
    """Nothing is migrated."""
    with open_store(url, tmp_path) as store:
        set_version(store.database, version)
    assert refused(url, tmp_path).startswith(f"the version of the tables, {version!r}, is not one of this program's;")


def test_a_missing_version_is_one_line(tmp_path, url):
    """The tables are ours, so they are not another program's."""
    with open_store(url, tmp_path):
        pass
    run_sql(url, "DELETE FROM alembic_version")
    assert refused(url, tmp_path).startswith("the version of the tables, '', is not one of this program's; restore")


def test_texts_are_utf_8_whatever_the_environment_says(tmp_path, url, monkeypatch):
    """PGCLIENTENCODING, and the parameter of the URL, are for other programs."""
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    for text, ending in {"港 ✓": "", "船 ✓": "&client_encoding=EUC_JP", "波 ✓": "&client_encoding=SQL_ASCII"}.items():
        with open_store(url + ending, tmp_path) as store, store.database.transaction():
            store.database.execute("alerts.record", about=text, at=NOW)
            assert (text,) in [*store.database.query("SELECT about FROM alerts")]


def test_the_scheme_may_be_short(url):
    """As libpq and many providers write it."""
    short = StoreUrl.parse(url.replace("postgresql://", "postgres://"))
    assert short == url
