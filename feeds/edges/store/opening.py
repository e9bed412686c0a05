"""Opening the memory: the file, its rights, its tables brought up to date."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from feeds.edges.store.memory import Memory
from feeds.errors import StoreError

_MIGRATIONS = Path(__file__).parent / "migrations"
#: The last migration; a test holds that it is.
HEAD = "0001"


@contextmanager
def opened(url: str, folder: Path, *, create: bool = True) -> Iterator[Memory]:
    """Hold the store open; a relative SQLite path starts at *folder*.

    Without *create*, a store that does not exist yet is an empty one that leaves no trace.

    Raises:
        StoreError: it cannot be opened, is damaged, or belongs to a newer version of this program.
    """
    file = folder / url.removeprefix("sqlite:///")
    exists = file.is_file() and file.stat().st_size > 0
    target = f"sqlite:///{file}" if exists or create else "sqlite://"
    try:
        if target != "sqlite://":
            _make_private(file)
        engine = sa.create_engine(target, poolclass=sa.StaticPool if target == "sqlite://" else sa.NullPool)
        sa.event.listen(engine, "connect", _prepare)
        sa.event.listen(engine, "begin", _begin)
        try:
            with engine.connect() as connection:
                _upgrade(connection, file)
                yield Memory(connection)
        finally:
            engine.dispose()
    except (sa.exc.SQLAlchemyError, sqlite3.Error) as e:
        reason = str(getattr(e, "orig", None) or e)
        raise StoreError(f"{file}: the store cannot be used: {reason}") from e


def _make_private(file: Path) -> None:
    """Create the file so that only its owner can read the addresses in it."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as e:
        raise StoreError(f"{file}: the store cannot be opened: {e.strerror or e}") from e


def _prepare(raw: Any, _record: object) -> None:
    """Set a new SQLite connection up: keys are checked, a lock is waited for, and transactions begin where we say."""
    raw.isolation_level = None  # the driver would begin only before the first write
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute("PRAGMA busy_timeout = 10000")
    raw.execute("PRAGMA synchronous = FULL")


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _upgrade(connection: sa.Connection, file: Path) -> None:
    """Bring the tables to `HEAD`. Alembic is loaded only when there is something to do."""
    with connection.begin():
        found = _version(connection)
        if found == HEAD:
            return
        if found is not None and found > HEAD:
            raise StoreError(
                f"{file}: the store was written by a newer version (its tables are at {found}); upgrade feeds"
            )
        from alembic import command  # noqa: PLC0415 - slow to load, seldom needed
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
