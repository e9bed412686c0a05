"""The site's key, and the list of those who must not be written to again, which nobody can read without it."""

from feeds.config import Config
from feeds.core.subscribers.suppression import Digests
from feeds.edges.keys import keys
from feeds.edges.store.opening import Store
from feeds.errors import FeedsError


def digests(config: Config, store: Store) -> Digests:
    """Return what finds an address on the list; as long as nobody is on it, it takes no key, and finds nobody.

    Raises:
        FeedsError: the list was made with a key that is not there any more, so nobody can tell whom it holds.
    """
    marks = store.suppressions.marks()
    if not marks:
        return Digests({})
    file = config.resolve(config.settings.secrets.file)
    found = Digests(keys(file).suppress if file.exists() else {})
    if marks - found.marks:
        raise FeedsError(
            f"{file}: the key that tells who must not be written to again is not there; take the file from your backup"
        )
    return found


def made(config: Config, store: Store) -> Digests:
    """Return what puts an address on the list; keys are made where there are none yet.

    Raises:
        FeedsError: as above, or the file of keys cannot be made.
    """
    found = digests(config, store)
    return found if found.marks else Digests(keys(config.resolve(config.settings.secrets.file)).suppress)
