"""Permanent ids of entries: their history, and an export file that can be committed with the posts.

The file has one JSON object per line, sorted by id, so that a diff shows what was added.
"""

import json
from base64 import b64decode, b64encode
from datetime import datetime
from pathlib import Path
from typing import Any

from feeds.config import Config
from feeds.edges.files.output_folder import OutputFolder
from feeds.edges.process import lock
from feeds.errors import FeedsError
from feeds.jobs.store.journal import append_pending
from feeds.jobs.store.site_store import open_site_store
from feeds.model import AdoptedDate, EntryVersion, KnownEntry


def entry_history(config: Config, path: str) -> dict[str, tuple[EntryVersion, ...]]:
    """Return the versions of the entries that are, or once were, in a post file, by id, the present entry first.

    Raises:
        FeedsError: no entry was ever published from this file.
    """
    post_path = path.removeprefix(config.settings.posts.folder.rstrip("/") + "/")
    with open_site_store(config, create=False) as store:
        found = {entry_id: store.entries.history(entry_id) for entry_id in store.entries.ids_at(post_path)}
    if not found:
        raise FeedsError(f"{post_path}: no entry was published from this file; use the path that `feeds posts` prints")
    return found


def export_ids(config: Config, file: Path) -> int:
    """Write every id that was ever assigned to *file*; return how many.

    Raises:
        OutputError: the file cannot be written.
    """
    with open_site_store(config, create=False) as store:
        known = sorted(store.entries.load_entries(), key=lambda entry: entry.id)
    lines = (json.dumps(_to_dict(entry), ensure_ascii=False) + "\n" for entry in known)
    target = file.resolve()
    OutputFolder(target.parent).write(target.name, "".join(lines).encode())
    return len(known)


def import_ids(config: Config, file: Path, now: datetime) -> tuple[int, int]:
    """Store the ids in *file* that the store does not have; return how many were new, and how many known.

    A file that does not exist has no ids: before the first export there is none.

    Raises:
        FeedsError: the file cannot be read, or has an invalid line; nothing was stored.
        LockedError: a publish run is at work on this site.
    """
    try:
        lines = file.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return 0, 0
    except (OSError, UnicodeDecodeError) as e:
        raise FeedsError(f"{file}: cannot be read: {getattr(e, 'strerror', None) or e}") from e
    found = [_parse_line(file, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    with lock.lock_site(config.folder), open_site_store(config) as store:
        added = store.entries.add_known(found, now)
        append_pending(config, store)
    return added, len(found) - added


def _to_dict(entry: KnownEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "path": entry.path,
        "title": entry.title,
        "published": entry.published and entry.published.isoformat(),
        "text": entry.text_digest,
        "sketch": None if entry.sketch is None else b64encode(entry.sketch).decode(),
        **_rare_fields(entry),
    }


def _rare_fields(entry: KnownEntry) -> dict[str, Any]:
    """Return the fields of ids that were adopted or replaced; other lines stay as they are."""
    fields: dict[str, Any] = {}
    if entry.adopted is not None:
        fields["adopted"] = [entry.adopted.own.isoformat(), entry.adopted.shown.isoformat()]
    if entry.replaced_by is not None:
        fields["replaced_by"] = entry.replaced_by
    return fields


def _parse_line(file: Path, number: int, line: str) -> KnownEntry:
    try:
        found = json.loads(line)
        return KnownEntry(
            id=_require_text(found["id"]),
            path=_require_text(found["path"]),
            text_digest=_require_text(found["text"]),
            title=found["title"] and _require_text(found["title"]),
            published=found["published"] and datetime.fromisoformat(found["published"]),
            sketch=None if found["sketch"] is None else b64decode(found["sketch"], validate=True),
            adopted=_parse_adopted(found.get("adopted")),
            replaced_by=found.get("replaced_by") and _require_text(found["replaced_by"]),
        )
    except (ValueError, KeyError, TypeError) as e:
        reason = f"has no {e}" if isinstance(e, KeyError) else str(e)
        raise FeedsError(f"{file}:{number}: is not a line of `feeds ids export`: {reason}; nothing was imported") from e


def _parse_adopted(dates: Any) -> AdoptedDate | None:
    if dates is None:
        return None
    own, shown = map(datetime.fromisoformat, dates)
    return AdoptedDate(own=own, shown=shown)


def _require_text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is not a non-empty string")
    return value
