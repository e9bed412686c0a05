"""Permanent ids: what an entry was, and all ids to and from a file that can be committed with the posts.

The file holds one JSON object a line, sorted by id, so that a diff shows what was added.
"""

import json
from base64 import b64decode, b64encode
from datetime import datetime
from pathlib import Path
from typing import Any

from feeds.config import Config
from feeds.edges.files.output_folder import OutputFolder
from feeds.edges.process import lock
from feeds.edges.store.database import open_store
from feeds.errors import FeedsError
from feeds.jobs.store.journal import append_pending
from feeds.model import EntryVersion, KnownEntry


def entry_history(config: Config, path: str) -> dict[str, tuple[EntryVersion, ...]]:
    """Return what the entries were that lie or once lay in a post file, by id, the present one first.

    Raises:
        FeedsError: no entry was ever published from this file.
    """
    inside = path.removeprefix(config.settings.posts.folder.rstrip("/") + "/")
    with open_store(config.settings.store.url, config.folder, create=False) as store:
        found = {identity: store.entries.history(identity) for identity in store.entries.ids_at(inside)}
    if not found:
        raise FeedsError(f"{inside}: nothing was published from this file; name it as `feeds posts` does")
    return found


def export_ids(config: Config, file: Path) -> int:
    """Write every id that was ever given to *file*; return how many.

    Raises:
        OutputError: it cannot be written.
    """
    with open_store(config.settings.store.url, config.folder, create=False) as store:
        known = sorted(store.entries.load_entries(), key=lambda k: k.id)
    lines = (json.dumps(_written(k), ensure_ascii=False) + "\n" for k in known)
    place = file.resolve()
    OutputFolder(place.parent).write(place.name, "".join(lines).encode())
    return len(known)


def import_ids(config: Config, file: Path, now: datetime) -> tuple[int, int]:
    """Keep the ids in *file* that the store does not know; return how many were new and how many known.

    Raises:
        FeedsError: the file cannot be read or holds a line that is none of ours; nothing was kept.
        Busy: a publish is at work on this site.
    """
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as e:
        raise FeedsError(f"{file}: cannot be read: {getattr(e, 'strerror', None) or e}") from e
    found = [_read(file, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    with lock.lock_site(config.folder), open_store(config.settings.store.url, config.folder) as store:
        new = store.entries.add_known(found, now)
        append_pending(config, store)
    return new, len(found) - new


def _written(known: KnownEntry) -> dict[str, Any]:
    return {
        "id": known.id,
        "path": known.path,
        "title": known.title,
        "published": known.published and known.published.isoformat(),
        "text": known.text_digest,
        "sketch": None if known.sketch is None else b64encode(known.sketch).decode(),
    }


def _read(file: Path, number: int, line: str) -> KnownEntry:
    try:
        found = json.loads(line)
        return KnownEntry(
            id=_text(found["id"]),
            path=_text(found["path"]),
            text_digest=_text(found["text"]),
            title=found["title"] and _text(found["title"]),
            published=found["published"] and datetime.fromisoformat(found["published"]),
            sketch=None if found["sketch"] is None else b64decode(found["sketch"], validate=True),
        )
    except (ValueError, KeyError, TypeError) as e:
        reason = f"has no {e}" if isinstance(e, KeyError) else str(e)
        raise FeedsError(f"{file}:{number}: is no line of `feeds ids export`: {reason}; nothing was taken over") from e


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} stands where a text should")
    return value
