"""Move what earlier versions kept beside the config file into the state folder, once."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

from feeds.config import Config
from feeds.edges.files.private_folder import close_folder, has_only, move_path, remove_tree
from feeds.edges.process import lock
from feeds.edges.store.database import merge_wal

_STORE, _KEYS, _CACHE = "feeds.db", "feeds.key", ".feeds-cache"
#: What belongs to the store, and may be there while it is not open.
_BESIDE_STORE = ("feeds.db.journal", "feeds.db.until-*")
#: What is directly in a state folder.
_OURS = re.compile(r"feeds\.(db|key)([.-].*)?|outbox|bounces|cache|mailbox\.json")
#: Folders that earlier versions wrote, and the names of the files that they put there.
_FOLDERS = {
    "outbox": re.compile(r"(test/)?[a-z0-9-]+/\d+/.+\.eml|(new|cur|tmp)/.+"),
    "bounces": re.compile(r"\d{4}-\d\d-\d\d-[0-9a-f]{16}\.eml|\.gitignore"),
}


def move_state(config: Config) -> list[str]:
    """Move the store, its journal, the keys, the outbox and kept bounces into the state folder; delete the old cache.

    Return a line that names what was moved; none if nothing was there. What `store.url` or `secrets.file` name stays.
    A state folder that exists and is not private yet becomes so.
    A process that is killed leaves each file at one of the two places, and the next one moves the rest.

    Raises:
        LockedError: a publish run or a sender is at work.
        FeedsError: a file exists at both places, or cannot be moved.
    """
    close_folder(config.state, _OURS)
    names = list(_names_to_move(config))
    if not names:
        return []
    with ExitStack() as locks:
        locks.enter_context(lock.lock_site(config.folder))
        if _STORE in names:
            locks.enter_context(lock.lock_task(config.folder / _STORE, "sending"))
            merge_wal(config.folder / _STORE)
        for name in names:
            move_path(config.folder / name, config.state / name)
    remove_tree(config.folder / _CACHE)
    return [f"moved to {config.settings.state}/: {', '.join(names)}"]


def _names_to_move(config: Config) -> Iterator[str]:
    """Yield the names of what is to be moved; the store is the last one, so that it stays until all is moved."""
    folder = config.folder
    if config.settings.secrets.file is None and (folder / _KEYS).is_file():
        yield _KEYS
    yield from (name for name, ours in _FOLDERS.items() if has_only(folder / name, ours))
    if config.settings.store.url is None and (folder / _STORE).is_file():
        yield from sorted(file.name for pattern in _BESIDE_STORE for file in folder.glob(pattern))
        yield _STORE
