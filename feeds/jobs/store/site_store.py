"""Open the store of a site. Jobs open it here, and nowhere else."""

from contextlib import AbstractContextManager

from feeds.config import Config
from feeds.edges.store.database import Store, open_store


def open_site_store(config: Config, *, create: bool = True) -> AbstractContextManager[Store]:
    """Open the store of a site for the block, as `open_store` does; raise what that raises."""
    return open_store(config.store_url, config.folder, create=create)
