"""Check the store for damage; nothing is changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from feeds.config import Config
from feeds.edges.store.database import open_database, store_name
from feeds.edges.store.interface import Database
from feeds.edges.store.schema import COPYING, NO_VERSION, SCHEMA_VERSION, is_version, read_columns, read_version
from feeds.edges.store.sites import StoredSite, check_site, load_site
from feeds.edges.store.table_shapes import count_rows, table_shapes
from feeds.errors import FeedsError
from feeds.jobs.store.site_store import site_to_check


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreReport:
    """The result of a check."""

    #: The store, as messages name it, and the version of its tables.
    name: str
    version: str
    #: The site that it is of; None: a store in the site's own folder, or no site has written to it yet.
    site: StoredSite | None
    #: Table -> rows; empty if tables are missing.
    rows: Mapping[str, int]
    problems: list[str]


def check_store(config: Config) -> StoreReport:
    """Return how many rows each table has, and the problems.

    Raises:
        FeedsError: there is no store, it cannot be opened, or it is another site's.
    """
    name = store_name(config.store_url, config.folder)
    with open_database(config.store_url, config.folder, create=False) as database:
        version = read_version(database) if database else None
        if database is None or version is None:
            raise FeedsError(f"{name}: there is no store yet; `feeds publish` creates it")
        if site := site_to_check(config):
            check_site(database, site, name)
        stored = load_site(database)
        problems = [*_version_problems(version), *database.find_damage()]
        missing = [*_missing_columns(database)] if version == SCHEMA_VERSION else []
        rows = {} if missing or version != SCHEMA_VERSION else count_rows(database)
    return StoreReport(name=name, version=version, site=stored, rows=rows, problems=problems + missing)


def _version_problems(version: str) -> Iterator[str]:
    if version == COPYING:
        yield "rows are being copied to this store; run `feeds store copy` again to go on"
    elif not is_version(version):
        yield NO_VERSION.format(version)
    elif version > SCHEMA_VERSION:
        yield f"the tables are at {version}, written by a newer version; upgrade feeds"
    elif version < SCHEMA_VERSION:
        yield f"the tables are at {version}; run `feeds store upgrade`"


def _missing_columns(database: Database) -> Iterator[str]:
    for table in table_shapes():
        found = read_columns(database, table.name)
        if not found:
            yield f"the table {table.name} is missing"
        elif missing := [column.name for column in table.columns if column.name not in found]:
            yield f"the table {table.name} has no column {', '.join(missing)}"
