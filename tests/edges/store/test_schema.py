"""The tables of the store, for both databases, and the migrations that lead to them."""

import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import psycopg
import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from feeds.edges.store import schema
from feeds.edges.store.database import open_store
from feeds.model import IssuePage, KnownEntry
from tests.edges.store.fresh_schema import fresh_schemas, migrate
from tests.postgresql import run_sql, schema_url

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def scripts():
    """Return Alembic's view of the migrations."""
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    return ScriptDirectory.from_config(config)


VERSIONS = sorted(script.revision for script in scripts().walk_revisions())


def test_the_tables_of_a_new_store_are_those_of_the_migrations(tmp_path):
    """The files with the tables of a new store are made by `make schema` from the migrations."""
    for path, text in fresh_schemas(tmp_path).items():
        assert path.read_text("utf-8") == text, "run `make schema`"


def test_the_version_is_the_last_migration():
    """`SCHEMA_VERSION` is the last migration."""
    assert scripts().get_current_head() == VERSIONS[-1] == schema.SCHEMA_VERSION


@pytest.fixture
def migrated(tmp_path):
    """Migrates a new SQLite file to a version and calls a function with the connection."""

    def run(version, fill):
        engine = sa.create_engine(f"sqlite:///{tmp_path / 'old.db'}", poolclass=sa.NullPool)
        with engine.begin() as connection:
            migrate(connection, version)
            return fill(connection)

    return run


def fill_tables(connection):
    """Insert two rows into every table; return what was inserted: table -> rows as dicts."""
    metadata = sa.MetaData()
    metadata.reflect(connection)
    inserted = {}
    for table in metadata.sorted_tables:
        if table.name != "alembic_version":
            # Triggers of older versions add to the journal themselves.
            numbers = (1001, 1002) if table.name == "journal" else (1, 2)
            inserted[table.name] = [make_row(table, number) for number in numbers]
            connection.execute(table.insert(), inserted[table.name])
    return inserted


def make_row(table, number):
    """Return values for all columns of a table that its constraints allow."""
    checks = " ".join(str(check.sqltext) for check in table.constraints if isinstance(check, sa.CheckConstraint))
    return {column.name: make_value(table.name, column, checks, number) for column in table.columns}


def make_value(table, column, checks, number):
    """Return a value of a column in the *number*-th row."""
    allowed = re.search(rf"\b{column.name} (?:IN \(|= ANY \(ARRAY\[)'(\w+)'", checks)
    return allowed[1] if allowed else special_value(table, column, number) or plain_value(table, column, number)


def special_value(table, column, number):
    """Return a value of a column that the program reads as JSON, an address, a language or another row."""
    if column.name in ("topics", "former", "newsletters", "signals", "entries"):
        return "[]"
    if column.name.endswith("_key") or column.name in ("email", "recipient"):
        return f"reader{number}@{table}.example.org".replace("_", "-")
    if column.name == "lang":  # by which the first versions found the letter of a delivery
        return f"x-{number}"
    for key in column.foreign_keys:
        other = key.column
        return number if isinstance(other.type, sa.Integer) else f"{other.table.name}.{other.name}.{number}"
    return None


def plain_value(table, column, number):
    """Return a value of the column's type."""
    match column.type:
        case sa.Boolean():
            return True
        case sa.Integer() | sa.Float():
            return number
        case sa.DateTime():
            return datetime(2026, 1, number % 1000, 12, 30, 15, 250)
        case sa.LargeBinary():
            return f"{table} {number}".encode()
        case _:
            return f"{table}.{column.name}.{number}"


def read_tables(file):
    """Return the rows of every table as sets of values by column, in text form."""
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in names}


def describe_tables(file):
    """Return columns, foreign keys and indexes of each table, and the triggers."""
    with closing(sqlite3.connect(file)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        kinds = ("table_info", "foreign_key_list", "index_list")
        found = {}
        for name in names:
            described = [connection.execute(f"PRAGMA {kind}({name})").fetchall() for kind in kinds]
            columns, keys, indexes = described
            named = sorted(row[1:4] for row in indexes if not row[1].startswith("sqlite_"))
            found[name] = (sorted(row[1:] for row in columns), sorted(row[2:] for row in keys), named)
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    return found, triggers


@pytest.mark.parametrize("version", VERSIONS[:-1])
def test_a_store_of_every_version_becomes_a_new_one_and_loses_nothing(tmp_path, migrated, version):
    """With rows in every table: the tables are those of a new store, and each row has its values."""
    before = migrated(version, fill_tables)
    stored = read_tables(tmp_path / "old.db")
    with open_store("sqlite:///old.db", tmp_path), open_store("sqlite:///new.db", tmp_path):
        pass
    assert describe_tables(tmp_path / "old.db") == describe_tables(tmp_path / "new.db")
    after = read_tables(tmp_path / "old.db")
    for table in before.keys() & after.keys():
        assert [
            {name: row[name] for name in old if name in row}
            for old, row in zip(stored[table], after[table], strict=False)
        ] == [{name: old[name] for name in old if name in after[table][0]} for old in stored[table]], table


#: The first version that a store on PostgreSQL had.
_FIRST_ON_POSTGRESQL = VERSIONS.index("0015")
#: A row for each column of a schema with its type, and for each index and constraint with its definition.
_DESCRIBE = """
    SELECT table_name, column_name, data_type, collation_name, is_nullable, column_default, is_identity
    FROM information_schema.columns WHERE table_schema = current_schema()
    UNION ALL SELECT tablename, indexname, replace(indexdef, current_schema() || '.', ''), '', '', '', ''
    FROM pg_indexes WHERE schemaname = current_schema()
    UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '', '', ''
    FROM pg_constraint WHERE connamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
"""


def read_rows(url, tables):
    """Return the rows of tables on PostgreSQL, as dicts."""
    with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
        return {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=str) for name in tables}


def describe_schema(url):
    """Return columns, indexes and constraints of a schema on PostgreSQL."""
    with psycopg.connect(url) as connection:
        return sorted(connection.execute(_DESCRIBE).fetchall(), key=str)


def fill_schema(url, script):
    """Create tables on PostgreSQL and fill them; return what they have."""
    run_sql(url, *script.split(";\n"))
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=sa.NullPool)
    with engine.begin() as connection:
        tables = fill_tables(connection)
    return read_rows(url, tables)


@pytest.mark.parametrize("version", VERSIONS[_FIRST_ON_POSTGRESQL:-1])
def test_a_store_on_postgresql_of_every_version_becomes_a_new_one_and_loses_nothing(tmp_path, version):
    """The same for PostgreSQL, whose first version is 0015: columns, indexes, constraints and rows."""
    [script] = [text for path, text in fresh_schemas(tmp_path, version).items() if path.parent.name == "postgresql"]
    with schema_url() as old, schema_url() as new:
        before = fill_schema(old, script)
        with open_store(old, tmp_path), open_store(new, tmp_path):
            pass
        assert describe_schema(old) == describe_schema(new)
        after = read_rows(old, before)
    for table, rows in before.items():
        assert len(rows) == 2
        for was, row in zip(rows, after[table], strict=True):
            assert {name: value for name, value in row.items() if name in was} == {
                name: value for name, value in was.items() if name in row
            }


def test_processes_that_migrate_a_store_at_once_all_find_it_migrated(tmp_path):
    """On PostgreSQL too one of them migrates, and the others wait for it."""
    [script] = [text for path, text in fresh_schemas(tmp_path, "0015").items() if path.parent.name == "postgresql"]

    def open_it():
        with open_store(url, tmp_path) as store:
            return schema.read_version(store.database)

    with schema_url() as url:
        run_sql(url, *script.split(";\n"))
        with ThreadPoolExecutor(4) as pool:
            found = [pool.submit(open_it) for _ in range(4)]
        assert {one.result() for one in found} == {schema.SCHEMA_VERSION}


_OLD_ROWS = """
INSERT INTO issues VALUES
    (1, 'weekly', 1, '2026-01-01 00:00:00.000000', 'sending', 'S', '2026-01-01 00:00:00.000000');
INSERT INTO letters VALUES (1, 'en', 'S', '<p>', 'T', 'P');
INSERT INTO deliveries VALUES
    (1, 1, NULL, 'a@example.org', 'a@example.org', 'en', 1, '<1>', 'sent', NULL, NULL, 'OK'),
    (2, 1, NULL, 'b@example.org', 'b@example.org', 'en', 1, '<2>', 'handing_over', NULL, NULL, NULL),
    (3, 1, NULL, 'c@example.org', 'c@example.org', 'en', 1, '<3>', 'failed', NULL, NULL, 'cancelled: no longer there'),
    (4, 1, NULL, 'd@example.org', 'd@example.org', 'en', 1, '<4>', 'failed', NULL, NULL, 'retracted'),
    (5, 1, NULL, 'e@example.org', 'e@example.org', 'en', 1, '<5>', 'failed', NULL, NULL, '550 no such user')
"""


def test_an_issue_of_the_first_version_is_sent_on(tmp_path, migrated):
    """Its letters, and what was and was not sent, are what they were."""

    def fill(connection):
        connection.exec_driver_sql(
            "INSERT INTO entries VALUES ('urn:1', 'a.md', 'digest', '2026-01-01 00:00:00.000000')"
        )
        for statement in _OLD_ROWS.split(";"):
            connection.exec_driver_sql(statement)

    migrated("0001", fill)
    with open_store("sqlite:///old.db", tmp_path) as upgraded:
        assert upgraded.entries.load_entries() == (KnownEntry(id="urn:1", path="a.md", text_digest="digest"),)
        assert [(i.state, i.recipients, i.sent, len(i.seed)) for i in upgraded.issues.load_issues()] == [
            ("sending", 5, 1, 16)
        ]
        assert upgraded.issues.load_page(1) == IssuePage(html="P")
        assert {state: n for state, n in upgraded.deliveries.count_states(1).items() if n} == {
            "sent": 1,
            "handing_over": 1,
            "cancelled": 2,
            "failed": 1,
        }
        upgraded.deliveries.recover(1)
        [recovered] = upgraded.deliveries.claim(1, 10, NOW, resend=1)
        letter = upgraded.issues.load_letters(1)[recovered.letter_id]
        assert (recovered.recipient, letter.html) == ("b@example.org", "<p>")
