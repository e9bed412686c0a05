"""Load the keys that hash addresses for the suppression list and the journal."""

from feeds.config import Config
from feeds.core.subscribers.suppression import AddressHasher
from feeds.edges.files.keys import load_keys
from feeds.edges.store.database import Store
from feeds.errors import FeedsError


def load_hasher(config: Config, store: Store) -> AddressHasher:
    """Return the address hasher; one without keys if the suppression list is empty.

    Raises:
        FeedsError: the key file lacks a key of the suppression list, so the list cannot be searched.
    """
    key_ids = store.suppressions.key_ids()
    if not key_ids:
        return AddressHasher({})
    file = config.keys_file
    hasher = AddressHasher(load_keys(file).suppress if file.exists() else {})
    if key_ids - hasher.key_ids:
        raise FeedsError(f"{file}: a key of the suppression list is missing; restore this file from your backup")
    return hasher


def ensure_hasher(config: Config, store: Store) -> AddressHasher:
    """Return the address hasher; create the key file if there is none yet.

    Raises:
        FeedsError: as `load_hasher`, or the key file cannot be created.
    """
    hasher = load_hasher(config, store)
    return hasher if hasher.key_ids else AddressHasher(load_keys(config.keys_file).suppress)
