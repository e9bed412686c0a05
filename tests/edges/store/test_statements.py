"""The named statements of both databases."""

import re
from pathlib import Path

import pytest

from feeds.edges.store import statements
from feeds.edges.store.database import open_store
from feeds.edges.store.statements import SQL_FOLDER, load_file, parse_statements, to_psycopg
from tests.postgresql import schema_url

#: What is a property of SQLite's file: its journal, and the restored backup that the journal is replayed on.
ONLY_SQLITE = {"journal", "replay"}
TABLES = "tables"
REPOSITORIES = sorted({file.stem for file in SQL_FOLDER.rglob("*.sql")} - {TABLES})


def names_in(folder):
    """Return the names of the statements in a folder, with the file of each."""
    files = (file for file in (SQL_FOLDER / folder).glob("*.sql") if file.stem != TABLES)
    return {name: file.stem for file in files for name, _ in parse_statements(file.read_text("utf-8"))}


def used_names():
    """Return the names of statements that the repositories contain as strings."""
    code = "".join(file.read_text("utf-8") for file in Path(statements.__file__).parent.glob("*.py"))
    return {name for name in re.findall(r'"([a-z_]+\.[a-z_]+)"', code) if name.partition(".")[0] in REPOSITORIES}


def test_every_statement_is_used_and_every_name_has_one():
    """A statement that no repository names, and a name without a statement, are mistakes."""
    assert set(names_in("common")) | set(names_in("sqlite")) == used_names()


def test_a_statement_is_common_or_has_a_version_for_each_database():
    """No statement is both, and only those of the journal are SQLite's alone."""
    common, sqlite, postgresql = (set(names_in(folder)) for folder in ("common", "sqlite", "postgresql"))
    assert not common & (sqlite | postgresql)
    assert {name for name in sqlite ^ postgresql if name.partition(".")[0] not in ONLY_SQLITE} == set()


def test_a_statement_is_in_the_file_of_its_repository():
    """The first part of its name is the name of the file."""
    for folder in ("common", "sqlite", "postgresql"):
        for name, file in names_in(folder).items():
            assert name.partition(".")[0] == file


def prepared(sql):
    """Return a statement with numbered parameters, and their names."""
    names = list(dict.fromkeys(re.findall(r"%\(([a-z_]+)\)s", sql)))
    for number, name in enumerate(names, 1):
        sql = sql.replace(f"%({name})s", f"${number}")
    return sql.replace("%%", "%"), names


def create_temporary_tables(connection):
    """Create the tables of an import, which other statements may read too."""
    for sql in load_file("sqlite", "subscriber_import").values():
        if sql.startswith("CREATE TEMP"):
            connection.execute(sql)


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_sqlite_prepares_every_statement(tmp_path, repository):
    """All tables and columns exist, and the syntax is SQLite's."""
    with open_store("sqlite:///feeds.db", tmp_path) as store:
        connection = store.database.connection
        create_temporary_tables(connection)
        for sql in load_file("sqlite", repository).values():
            connection.execute(f"EXPLAIN {sql}", dict.fromkeys(re.findall(r":([a-z_]+)", sql)))


@pytest.mark.parametrize("repository", sorted(set(REPOSITORIES) - ONLY_SQLITE))
def test_postgresql_prepares_every_statement(tmp_path, repository):
    """The same for PostgreSQL, which also knows the type of every parameter."""
    with schema_url() as url, open_store(url, tmp_path) as store:
        connection = store.database.connection
        create_temporary_tables(connection)
        for sql in load_file("postgresql", repository).values():
            if re.match("SET|ANALYZE|CREATE|DROP|VACUUM", sql):
                connection.execute(sql)
            else:
                connection.execute(f"PREPARE checked AS {prepared(sql)[0]}")
                connection.execute("DEALLOCATE checked")


def test_parameters_are_translated_only_where_they_are_parameters():
    """Literals, quoted names, comments and casts stay; a percent sign is doubled, since psycopg reads it."""
    sql = "SELECT ':no', \"a:b\", '100%'::text, :a % :b_c -- :no\nWHERE x = ':y%' || :a"
    assert to_psycopg(sql) == (
        "SELECT ':no', \"a:b\", '100%%'::text, %(a)s %% %(b_c)s -- :no\nWHERE x = ':y%%' || %(a)s"
    )


@pytest.mark.parametrize(
    "text", ["SELECT 1;", "-- name: a.b\nSELECT 1;", "SELECT 1;\n-- name: a.b\n-- Do it.\nSELECT 2;"]
)
def test_a_statement_without_name_or_sentence_is_an_error(text):
    """Each has both."""
    with pytest.raises(ValueError, match="without a name and a sentence"):
        parse_statements(text)


def test_an_unknown_name_is_an_error():
    """It is a KeyError, also if the file exists."""
    with pytest.raises(KeyError, match=r"entries\.nothing"):
        statements.Statements("sqlite")["entries.nothing"]
