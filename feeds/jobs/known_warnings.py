"""Warnings that an earlier run has printed: they are only counted, so that a new one is not lost among them."""

from collections.abc import Sequence

from feeds.config import Config
from feeds.display import format_count
from feeds.edges.files.output_folder import OutputFolder
from feeds.jobs.report import truncate_warnings

#: In the cache folder: the warnings of the last run, one line each. Without it, all are printed again.
_FILE = "warnings"


def select_new(config: Config, warnings: Sequence[str], *, use_cache: bool, dry_run: bool) -> list[str]:
    """Return the warnings that the last run did not have, and a line that counts the others.

    A warning that has changed is new, and so is one that was gone for a run. Without the cache all are new; after a dry
    run all are as new as before.
    """
    if not use_cache:
        return truncate_warnings(warnings)
    cache = OutputFolder(config.cache_folder, private=True)
    known = set((cache.read(_FILE) or b"").decode().split("\n"))
    new = [line for line in warnings if _encode(line) not in known]
    if not dry_run:
        cache.write(_FILE, "\n".join(sorted(map(_encode, warnings))).encode())
    return [*truncate_warnings(new), *count_known(len(warnings) - len(new))]


def count_known(number: int) -> list[str]:
    """Return a line that counts warnings that were printed before; none if there are none."""
    if not number:
        return []
    are = format_count(number, "warning is", "warnings are")
    return [f"{are} as before; `feeds check` prints all"]


def _encode(line: str) -> str:
    """Return a warning as a line that can be written."""
    return line.encode(errors="backslashreplace").decode().replace("\n", " ")
