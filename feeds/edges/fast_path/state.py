"""The state that a finished publish run saves for the next one: what it read and wrote, and what it printed.

The classes are plain and encoded with `marshal`: importing dataclasses or msgspec takes longer than all the rest of a
run that changes nothing. The file is a cache, read only by the build of Python and Feeds that wrote it.
"""

from __future__ import annotations

import marshal
from zlib import crc32

_MAGIC = b"feeds fast path 3"
#: The moment of a state that nothing but a change ends.
NEVER = float("inf")


class Footprint:
    """The files that a run read and wrote, and the moment at which another run would do something.

    Paths below the site's folder are relative to it: a copy of the site is not the site that the run has seen.
    """

    def __init__(
        self,
        *,
        until: float,
        newsletters: bool,
        posts_folder: str,
        skipped_folder: str,
        watched: tuple[str, ...],
        digest: bytes,
    ) -> None:
        #: Seconds since 1970 at which a post appears or expires or the slot of a newsletter begins; else `NEVER`.
        self.until = until
        #: True if the site has newsletters, so that runs with and without `--feeds-only` differ.
        self.newsletters = newsletters
        self.posts_folder = posts_folder
        #: A folder below it without posts; empty if there is none.
        self.skipped_folder = skipped_folder
        #: Every other file and folder that decided what the run did.
        self.watched = watched
        #: Of all of them; see `check.digest_files`.
        self.digest = digest


class FastPathState:
    """The last run: under which conditions it holds for the next one, and what that one prints."""

    def __init__(
        self,
        *,
        environment: bytes,
        since: float,
        now_option: str,
        feeds_only: bool,
        footprint: Footprint,
        lines: str,
        summary: str,
        warnings: tuple[str, ...] | None,
        errors: tuple[str, ...],
    ) -> None:
        #: The build, the config file and the variables; see `check.environment_fingerprint`.
        self.environment = environment
        #: Seconds since 1970: the moment of the run. It does not hold before.
        self.since = since
        #: What `--now` was; empty without.
        self.now_option = now_option
        self.feeds_only = feeds_only
        self.footprint = footprint
        #: For people, for programs (a JSON object), and what goes to standard error. The warnings are None if
        #: `--quiet` kept back some that no run has printed.
        self.lines = lines
        self.summary = summary
        self.warnings = warnings
        self.errors = errors


def save_state(file: str, state: FastPathState) -> None:
    """Replace the state in *file* in one step; if that fails, the next run only takes longer."""
    from contextlib import suppress

    from feeds.edges.files.write_files import replace_file

    content = marshal.dumps({**vars(state), "footprint": vars(state.footprint)})
    with suppress(OSError):
        replace_file(file, [b"%b %08x\n" % (_MAGIC, crc32(content)), content], mode=0o600, durable=False)


def load_state(file: str) -> FastPathState | None:
    """Return the state in *file*; None if there is none, or it is damaged or of another version."""
    try:
        with open(file, "rb") as opened:
            head, content = opened.readline(), opened.read()
    except OSError:
        return None
    if head != b"%b %08x\n" % (_MAGIC, crc32(content)):
        return None
    try:
        fields = marshal.loads(content)  # noqa: S302 - our own file, and its checksum is right
        return FastPathState(**(fields | {"footprint": Footprint(**fields["footprint"])}))
    except (EOFError, ValueError, TypeError, KeyError):
        return None
