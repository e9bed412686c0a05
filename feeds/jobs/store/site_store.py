"""Open the store of a site, and check that it is not another site's. Jobs open it here, and nowhere else."""

import shlex
from contextlib import AbstractContextManager
from pathlib import Path

from feeds.config import Config
from feeds.edges.store.database import Store, is_in_folder, open_database, open_store, store_name
from feeds.edges.store.sites import CLAIM, check_site
from feeds.errors import FeedsError, OtherSiteError
from feeds.settings import SiteSettings


def open_site_store(config: Config, *, create: bool = True) -> AbstractContextManager[Store]:
    """Open the store of a site for the block, as `open_store` does; raise what that raises."""
    return open_store(config.store_url, config.folder, create=create, site=site_to_check(config))


def site_to_check(config: Config, url: str = "") -> SiteSettings | None:
    """Return the site that its store, or the one of a *url*, must be of; None for a file in its own folder."""
    return None if is_in_folder(url or config.store_url, config.folder) else config.settings.site


def refuse_other_site(config: Config) -> None:
    """Check that the store of a site is not another one's, for what would go on with a store that cannot be opened.

    Raises:
        OtherSiteError: it is.
    """
    try:
        check_database(config, config.store_url, store_name(config.store_url, config.folder))
    except OtherSiteError:
        raise
    except FeedsError:
        return


def check_database(config: Config, url: str, name: str) -> None:
    """Check that a database is not another site's, whatever its tables; *name* is for messages.

    Raises:
        OtherSiteError: it is.
        StoreError, LockedError: it cannot be read.
    """
    site = site_to_check(config)
    if site is None:
        return
    with open_database(url, config.folder, create=False) as database:
        if database:
            check_site(database, site, name, _claim_command(config, url, name))


def _claim_command(config: Config, url: str, name: str) -> str:
    """Return the command that makes a database this site's; a backup is named by its file."""
    if url == config.store_url:
        return CLAIM
    return f"FEEDS_STORE_URL={shlex.quote(f'sqlite:///{Path(name).resolve()}')} {CLAIM}"
