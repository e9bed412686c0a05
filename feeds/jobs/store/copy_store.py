"""Copy the store to another database, and compare both row by row."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from feeds.config import Config
from feeds.edges.process import lock
from feeds.edges.store.copy_tables import copy_rows, find_difference
from feeds.edges.store.database import Store, open_database, store_name
from feeds.edges.store.interface import Database
from feeds.edges.store.schema import (
    COPYING,
    SCHEMA_VERSION,
    create_tables,
    is_version,
    prepare_tables,
    read_columns,
    read_version,
    set_version,
)
from feeds.edges.store.sites import check_site, save_site
from feeds.edges.store.table_shapes import count_rows
from feeds.errors import FeedsError, StoreError
from feeds.jobs.context import Context
from feeds.jobs.store.journal import append_pending, complete_journal
from feeds.jobs.store.site_store import site_to_check


@dataclass(frozen=True, kw_only=True, slots=True)
class CopyReport:
    """The result of a copy."""

    #: Rows that were copied now, and all that were compared.
    copied: int
    compared: int


def copy_to(config: Config, url: str, context: Context) -> CopyReport:
    """Copy the store to an empty database, or go on with a copy that was interrupted; then compare all rows.

    The settings stay as they are: the copy is used when `store.url` names it.

    Raises:
        StoreError: there is no store, it is another site's, its tables are not of this version, the other database is
            not empty, or a row differs.
        LockedError: a publish run or a sender is at work on this site.
    """
    with ExitStack() as stack:
        stack.enter_context(lock.lock_site(config.folder))
        source = stack.enter_context(_open_source(config))
        for task in ("sending", "mailing"):
            stack.enter_context(source.lock(task))
        _append_pending(config, Store(source))
        target = stack.enter_context(_open_target(url, config))
        report = _copy(source, target, store_name(url, config.folder), context)
        complete_journal(config, Store(target), url, context.clock())  # before the copy can be used
        set_version(target, SCHEMA_VERSION)
    return report


@contextmanager
def _open_source(config: Config) -> Iterator[Database]:
    """Open the store only to read it: the role may have no other rights, or the server is a replica."""
    name = store_name(config.store_url, config.folder)
    with open_database(config.store_url, config.folder, create=False) as database:
        version = read_version(database) if database else None
        if database is None or version is None:
            raise FeedsError(f"{name}: there is no store to copy yet")
        if site := site_to_check(config):
            check_site(database, site, name)
        if is_version(version) and version < SCHEMA_VERSION and read_columns(database, "entries"):
            raise StoreError(f"{name}: the tables are at {version}; run `feeds store upgrade` before you copy them")
        prepare_tables(database, name, version)  # refuses tables that are not complete, newer, or another program's
        yield database


def _append_pending(config: Config, store: Store) -> None:
    """Move pending records into the journal. Without any, neither is written, since a copy only reads a store."""
    if any(store.journal.has_pending(people=people) for people in (False, True)):
        append_pending(config, store)


@contextmanager
def _open_target(url: str, config: Config) -> Iterator[Database]:
    """Open the database that is copied to, and mark it as incomplete, and as this site's."""
    name, site = store_name(url, config.folder), site_to_check(config, url)
    with open_database(url, config.folder, create=True) as database:
        assert database is not None
        is_saved = site is None or check_site(database, site, name, claim="")
        if read_version(database) is None:
            create_tables(database, name)
        elif read_version(database) != COPYING and (number := _total(database)):
            raise StoreError(f"{name}: has {number:,} rows already; copy to an empty database")
        set_version(database, COPYING)
        if site and not is_saved:
            save_site(database, site, name)
        yield database


def _copy(source: Database, target: Database, name: str, context: Context) -> CopyReport:
    """Copy from one moment of the source, while others may write to it."""
    with source.transaction("read"):
        total = _total(source)
        copied = copy_rows(source, target, _Progress(context, "copying", total, total - _total(target)))
        if place := find_difference(source, target, _Progress(context, "comparing", total, total)):
            raise StoreError(
                f"{name}: differs from the store at {place}: the store has changed since this copy was begun; delete"
                " what was copied, and copy again"
            )
    return CopyReport(copied=copied, compared=total)


def _total(database: Database) -> int:
    return sum(count_rows(database).values())


class _Progress:
    """Shows how many rows are done."""

    def __init__(self, context: Context, work: str, total: int, left: int) -> None:
        self._context, self._work, self._total, self._done = context, work, total, total - left

    def __call__(self, _table: str, rows: int) -> None:
        self._done += rows
        self._context.progress(self._work, self._done, self._total)
