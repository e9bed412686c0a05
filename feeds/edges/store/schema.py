"""The tables of the store: which version they are at, creating them, and bringing them to the present version.

A new store gets `sql/<database>/tables.sql`; an older one is migrated by Alembic, which is imported only then.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from feeds.edges.store.interface import Database
from feeds.edges.store.statements import SQL_FOLDER, Dialect
from feeds.errors import StoreError

if TYPE_CHECKING:
    import sqlalchemy as sa

MIGRATIONS = Path(__file__).parent / "migrations"
#: The last migration; a test compares them.
SCHEMA_VERSION = "0016"
#: The version of a store that is being copied to.
COPYING = "copying"
#: The version is damaged.
NO_VERSION = "the version of the tables, {!r}, is not one of this program's; restore the database from a backup"
#: Of the table `entries` in every version; other programs have versions of tables from Alembic too.
_FIRST_COLUMNS = frozenset({"id", "path", "text_digest"})
_FOREIGN = "{}: the database has tables of another program ({}); create one for Feeds alone, or a schema"


def read_version(database: Database) -> str | None:
    """Return the last migration that was applied, empty if it is missing; None without tables of ours."""
    if not database.value("schema.has_version"):
        return None
    return str(database.value("schema.version") or "")


def is_version(text: str) -> bool:
    """Return whether a text is the version of a migration, of this or a newer version of this program."""
    return re.fullmatch(r"[0-9]{4}", text) is not None and text != "0000"


def read_columns(database: Database, table: str) -> frozenset[str]:
    """Return the names of the columns of a table; empty if there is no such table."""
    return frozenset(row[0] for row in database.all("schema.columns", table=table))


def set_version(database: Database, version: str) -> None:
    """Store a version of the tables: `SCHEMA_VERSION`, or `COPYING` until all rows are there."""
    database.execute("schema.set_version", version=version)


def prepare_tables(database: Database, name: str, version: str | None) -> None:
    """Create the tables, or bring them from *version* to `SCHEMA_VERSION`. *name* is the database's, for messages.

    Raises:
        StoreError: they were written by a newer version of this program, their version is damaged, or the database is
            another program's.
    """
    if version == SCHEMA_VERSION:
        return
    if version is not None and not read_columns(database, "entries") >= _FIRST_COLUMNS:
        raise StoreError(_FOREIGN.format(name, "alembic_version"))
    if version == COPYING:
        raise StoreError(f"{name}: rows are being copied to this store; run `feeds store copy` again to go on")
    if version is None:
        create_tables(database, name)
    elif not is_version(version):
        raise StoreError(f"{name}: {NO_VERSION.format(version)}")
    elif version > SCHEMA_VERSION:
        raise StoreError(
            f"{name}: the store was written by a newer version (its tables are at {version}); upgrade feeds"
        )
    else:
        migrate(database)


def check_writable(database: Database, name: str) -> None:
    """Check that the tables can be written, before anything else is.

    Raises:
        StoreError: the role may only read, or the server is read-only.
    """
    may_write, table = database.one("schema.write_obstacle") or (True, None)
    if not may_write:
        advice = "connect as a role, and to a server, that may write"
        raise StoreError(f"{name}: nothing can be written: the server, or the role, is read-only; {advice}")
    if table:
        advice = "let the role own the tables, or correct the URL"
        raise StoreError(f"{name}: nothing can be written: the role may not change the table {table}; {advice}")


def create_tables(database: Database, name: str) -> None:
    """Create the tables of a new store, unless another process has just done so.

    Raises:
        StoreError: the database is another program's.
    """
    with database.transaction():
        if read_version(database) is not None:
            return
        refuse_foreign(database, name)
        database.create(load_tables(database.dialect))


def refuse_foreign(database: Database, name: str) -> None:
    """Check that a database without a version of ours has no tables.

    Raises:
        StoreError: it has; the message names some.
    """
    if tables := database.all("schema.foreign_tables"):
        raise StoreError(_FOREIGN.format(name, ", ".join(row[0] for row in tables[:3])))


def load_tables(dialect: Dialect) -> str:
    """Return the statements that create the tables of a new store."""
    return (SQL_FOLDER / dialect / "tables.sql").read_text("utf-8")


def migrate(database: Database) -> None:
    """Apply the missing migrations in one exclusive transaction: what another process has applied is not missing."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with _create_engine(database).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _create_engine(database: Database) -> "sa.Engine":
    """Return an engine that opens a connection of its own for each use."""
    import sqlalchemy as sa

    url = {"sqlite": "sqlite://", "postgresql": "postgresql+psycopg://"}[database.dialect]
    engine = sa.create_engine(url, creator=database.connect_again, poolclass=sa.NullPool)
    for statement in database.begin_exclusive:
        sa.event.listen(engine, "begin", lambda opened, sql=statement: opened.exec_driver_sql(sql))
    return engine
