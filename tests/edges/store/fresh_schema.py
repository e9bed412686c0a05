"""The tables of a new store, made from the migrations: `make schema` writes them, and a test compares them.

The migrations are run on an empty SQLite file, and its tables are written as statements of both databases, with the
comments of `columns.toml`. PostgreSQL began with the tables of migration 0015: it has no older stores. Both files are
in the package, since SQLAlchemy and Alembic take longer to import than a whole publish run.
"""

import re
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from feeds.edges.store import schema
from feeds.edges.store.statements import SQL_FOLDER

_COMMENTS = tomllib.loads(Path(__file__).with_name("columns.toml").read_text("utf-8"))
_VERSION = "alembic_version"
#: Only a SQLite file has a journal beside it.
_ONLY_SQLITE = {"journal"}
#: Their ids are those of other rows.
_GIVEN_IDS = {"erased_subscribers"}
#: PostgreSQL does not check what their rows refer to, see `feeds.edges.store.postgresql`.
_UNCHECKED = {"deliveries"}
_DIALECTS = {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect()}
_HEAD = "-- The tables of a new store. Made by `make schema` from the migrations and tests/edges/store/columns.toml.\n"


def fresh_schemas(folder: Path, version: str = schema.SCHEMA_VERSION) -> dict[Path, str]:
    """Return the text of the file of each database, as of a version; *folder* is for a SQLite file."""
    engine = sa.create_engine(f"sqlite:///{folder / f'migrated-{version}.db'}", poolclass=sa.NullPool)
    with engine.begin() as connection:
        migrate(connection, version)
        tables = [table for table in _reflect(connection) if table.name != _VERSION]
    texts = {name: "".join([_HEAD, *_statements(tables, name), *_store_version(version)]) for name in _DIALECTS}
    return {SQL_FOLDER / name / "tables.sql": text for name, text in texts.items()}


def _store_version(version: str) -> Iterator[str]:
    yield f"CREATE TABLE {_VERSION} (version_num VARCHAR(32) NOT NULL PRIMARY KEY);\n"
    yield f"INSERT INTO {_VERSION} VALUES ('{version}');\n"


def migrate(connection: sa.Connection, version: str) -> None:
    """Apply the migrations up to a version."""
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, version)


def _reflect(connection: sa.Connection) -> list[sa.Table]:
    metadata = sa.MetaData()
    metadata.reflect(connection)
    return metadata.sorted_tables


def _statements(tables: list[sa.Table], name: str) -> Iterator[str]:
    for table in tables if name == "sqlite" else _port(tables):
        yield _create_table(table, name)
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            yield f"{_create_index(index, name)};\n"


def _create_table(table: sa.Table, name: str) -> str:
    comments = _COMMENTS[table.name]
    statement = str(CreateTable(table).compile(dialect=_DIALECTS[name])).strip()
    lines = _sorted([re.sub(r"^\t", "    ", line).rstrip().removesuffix(",") for line in statement.splitlines()])
    about = _comment(comments.get("", ""), "-- ")
    return "\n".join([*about, *(f"{comment}{line}" for line in lines for comment in [_about(line, comments)])]) + ";\n"


def _sorted(lines: list[str]) -> list[str]:
    """Return the lines of a statement with their commas; constraints, whose order is that of a set, by their names."""
    head, *parts, foot = lines
    parts.sort(key=lambda line: line.strip() if line.strip().startswith("CONSTRAINT ") else "")
    return [head, *(f"{part}," for part in parts[:-1]), parts[-1], foot]


def _about(line: str, comments: dict[str, str]) -> str:
    """Return the comment above the line of a column, with the ends of its lines."""
    column = re.match(r'    "?([a-z_]+)"? [A-Z]', line)
    text = comments.get(column[1], "") if column else ""
    return "".join(f"{part}\n" for part in _comment(text, "    -- "))


def _comment(text: str, mark: str) -> list[str]:
    return textwrap.wrap(text, 118, initial_indent=mark, subsequent_indent=mark)


def _create_index(index: sa.Index, name: str) -> str:
    where = index.dialect_options["sqlite"].get("where")
    if where is not None:
        index.dialect_options["postgresql"]["where"] = where
    return str(CreateIndex(index).compile(dialect=_DIALECTS[name]))


def _port(tables: list[sa.Table]) -> list[sa.Table]:
    """Return the tables with PostgreSQL's types, and with ids that it assigns."""
    metadata = sa.MetaData()
    ported = [table.to_metadata(metadata) for table in tables if table.name not in _ONLY_SQLITE]
    for table in ported:
        for column in table.columns:
            column.type = _port_type(column)
            if column.server_default is not None and isinstance(column.type, sa.Boolean):
                column.server_default = sa.DefaultClause(
                    sa.true() if "1" in str(column.server_default.arg) else sa.false()
                )
            if table.name in _GIVEN_IDS:
                column.autoincrement = False
            elif column.name == "id" and isinstance(column.type, sa.BigInteger):
                column.server_default = column.identity = sa.Identity()
        if table.name in _UNCHECKED:
            table.constraints -= table.foreign_key_constraints
    return ported


def _port_type(column: sa.Column[object]) -> sa.types.TypeEngine[object]:
    match column.type:
        case sa.DateTime():
            return sa.TIMESTAMP(timezone=True)
        case sa.String() | sa.Text():
            return sa.Text(collation="C")  # texts sort as SQLite sorts them, whatever the language of the server
        case sa.Integer() if column.foreign_keys or column.name in ("id", "corrects"):
            return sa.BigInteger()
        case sa.Float():
            return sa.Double()
        case sa.LargeBinary():
            return sa.LargeBinary()
        case _:
            return column.type


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for path, text in fresh_schemas(Path(folder)).items():
            path.write_text(text, "utf-8")
