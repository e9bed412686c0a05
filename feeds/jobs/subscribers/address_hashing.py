"""The site's key, and the list of those who must not be written to again, which nobody can read without it."""

from feeds.config import Config
from feeds.core.subscribers.suppression import AddressHasher
from feeds.edges.files.keys import load_keys
from feeds.edges.store.database import Store
from feeds.errors import FeedsError


def load_hasher(config: Config, store: Store) -> AddressHasher:
    """Return what finds an address on the list; as long as nobody is on it, it takes no key, and finds nobody.

    Raises:
        FeedsError: the list was made with a key that is not there any more, so nobody can tell whom it holds.
    """
    marks = store.suppressions.key_ids()
    if not marks:
        return AddressHasher({})
    file = config.resolve(config.settings.secrets.file)
    found = AddressHasher(load_keys(file).suppress if file.exists() else {})
    if marks - found.key_ids:
        raise FeedsError(
            f"{file}: the key that tells who must not be written to again is not there; take the file from your backup"
        )
    return found


def ensure_hasher(config: Config, store: Store) -> AddressHasher:
    """Return what puts an address on the list; keys are made where there are none yet.

    Raises:
        FeedsError: as above, or the file of keys cannot be made.
    """
    found = load_hasher(config, store)
    return found if found.key_ids else AddressHasher(load_keys(config.resolve(config.settings.secrets.file)).suppress)
