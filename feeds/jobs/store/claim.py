"""Make a store that is of another site, or of this one under its former address, this site's."""

from feeds.config import Config
from feeds.edges.store.database import open_database, store_name
from feeds.edges.store.interface import Database
from feeds.edges.store.schema import check_writable, read_version, refuse_foreign
from feeds.edges.store.sites import StoredSite, is_same_site, load_site, replace_site, to_stored
from feeds.jobs.store.site_store import site_to_check


def claim_store(config: Config, *, dry_run: bool = False) -> str:
    """Make the store this site's; return a line that says which site it was of, or why it needs no claim.

    Nothing else in it is changed, so its tables may be of any version. In a dry run, nothing is.

    Raises:
        StoreError: it cannot be read or written, or is another program's.
        LockedError: another process does not release it.
    """
    name = store_name(config.store_url, config.folder)
    with open_database(config.store_url, config.folder, create=False) as database:
        stored = _load(database, name) if database else None
        if stored is None or database is None:
            return f"{name}: {_without_site(config)}"
        if is_same_site(stored, config.settings.site):
            return f"{name}: the store is this site's already, {stored}"
        if not dry_run:
            check_writable(database, name)
            replace_site(database, config.settings.site)
    wanted = to_stored(config.settings.site)
    changed = f"is of {stored}; it would be of {wanted}" if dry_run else f"was of {stored}; it is now of {wanted}"
    return f"{name}: the store {changed}"


def _load(database: Database, name: str) -> StoredSite | None:
    if read_version(database) is None:
        refuse_foreign(database, name)
    return load_site(database)


def _without_site(config: Config) -> str:
    if site_to_check(config) is None:
        return "a store in the site's own folder needs no claim"
    return "the store is of no site yet; the first command that writes to it makes it this site's"
