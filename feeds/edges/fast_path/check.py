"""Check whether the last publish run still holds: same build, settings, files and store, and nothing has become due.

A run that changes nothing should cost no more than looking at the files. So a run that is finished leaves a state
(`state.py`). The next run would do the same as long as everything that it read and wrote is unchanged and no post
appears, expires, and no slot begins. Any difference ends that: in posts, settings, templates, notes, outputs, the store
or the program itself. docs/design.md has the table.
"""

from __future__ import annotations

import fcntl
import os
from array import array

from feeds.edges.cache import fingerprint
from feeds.edges.fast_path.state import load_state
from feeds.edges.files.scan import UNKNOWN, Scan, file_stamp, scan_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from feeds.edges.fast_path.state import FastPathState, Footprint


#: The file of the state, in the cache folder.
FILE = "cache/last-run"
#: The variable that sets the clock of a process; the time is compared by itself.
CLOCK = "FEEDS_CLOCK"


class Check:
    """The outcome of a check: the state if it holds, and what was seen of the posts folder if it does not."""

    def __init__(self, state: FastPathState | None = None, scan: Scan | None = None) -> None:
        self.state = state
        #: So that the run that follows need not list the folder again.
        self.scan = scan


def check(
    config: str, environ: Mapping[str, str], *, now: float, now_option: str = "", feeds_only: bool = False
) -> Check:
    """Return the last run's state if a run with these options would change nothing and print the same.

    *config* is the path of the config file, *now* the current time in seconds since 1970.
    """
    folder = os.path.dirname(os.path.realpath(config))
    state = load_state(f"{_state_folder(config, folder, environ)}/{FILE}")
    if state is None or not _answers(state, now, now_option, feeds_only=feeds_only):
        return Check()
    if state.environment != environment_fingerprint(config, environ) or not _is_unlocked(folder):
        return Check()
    scan = scan_posts(state.footprint, folder)
    return Check(state) if is_unchanged(state.footprint, folder, scan) else Check(scan=scan)


def scan_posts(footprint: Footprint, folder: str) -> Scan:
    """Return the posts folder of the site in *folder* as it is now."""
    return scan_folder(os.path.join(folder, footprint.posts_folder), footprint.skipped_folder)


def is_unchanged(footprint: Footprint, folder: str, scan: Scan) -> bool:
    """Return whether every file of the site in *folder* is as a run left it; *scan* is from `scan_posts`."""
    return footprint.digest == digest_files(footprint.watched, folder, scan)


def _answers(state: FastPathState, now: float, now_option: str, *, feeds_only: bool) -> bool:
    """Return whether the state is one of a run with these options, and of this time."""
    if state.footprint.newsletters and state.feeds_only != feeds_only:
        return False
    if now_option or state.now_option:
        return now_option == state.now_option
    return state.since <= now < state.footprint.until


def _state_folder(config: str, folder: str, environ: Mapping[str, str]) -> str:
    """Return the state folder that a variable or the config file names.

    Reading TOML takes too long here. If the file names the folder in an unusual form, no state is found.
    """
    name = environ.get("FEEDS_STATE") or _find_state_key(_read(config)) or ".feeds"
    return os.path.join(folder, os.path.expanduser(name))


def _find_state_key(content: bytes) -> str:
    """Return the value of a line `state = "..."` above the first table; empty without one."""
    for line in content.splitlines():
        key, _, value = line.partition(b"=")
        if key.strip() == b"state":
            return value.split(b'"')[1].decode() if value.count(b'"') == len('""') else ""
        if line.lstrip().startswith(b"["):
            break
    return ""


def environment_fingerprint(config: str, environ: Mapping[str, str]) -> bytes:
    """Return the inputs of a run besides the posts: the build, the content of the config file, and variables."""
    variables = [f"{name}={environ[name]}" for name in sorted(environ) if name.startswith("FEEDS_") and name != CLOCK]
    return b"\0".join([fingerprint.build_fingerprint().encode(), _read(config), *map(os.fsencode, variables)])


def _read(config: str) -> bytes:
    try:
        with open(config, "rb") as file:
            return file.read()
    except OSError:
        return b""


def digest_files(paths: Iterable[str], folder: str, posts: Scan) -> bytes:
    """Return bytes that differ whenever one of the files or folders, or the posts, have changed.

    Relative paths start at *folder*.
    """
    numbers = array("q")
    for path in paths:
        try:
            about = os.stat(os.path.join(folder, path))
        except OSError:
            numbers.extend(UNKNOWN)
        else:
            numbers.extend(file_stamp(about))
    return numbers.tobytes() + posts.digest()


def _is_unlocked(folder: str) -> bool:
    """Return whether no publish run of the site is at work at this moment."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(number)
    return True
