"""A publish that finds nothing changed: told without loading what would do it.

`told` answers for a pass whose outcome is known from the seal that the last one left; `remember` leaves one. Only what
every Python has loaded already, and `feeds.edges.cache.fast_path_state`, is imported here: the whole answer takes as long as looking at
the files does.
"""

from __future__ import annotations

import os
import sys
import time

from feeds.edges.cache import fast_path_state, fingerprint
from feeds.edges.files.scan import Scan, scan_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from feeds.config import Config
    from feeds.jobs.report import PublishReport

#: For a pass that nothing but a change will ever make necessary.
_NEVER = float("inf")
#: Where what is to be told begins among the fields of a seal.
_TOLD = 8
#: What was seen of a posts folder in vain, so that the pass need not look again a moment later.
last_scan: dict[str, Scan] = {}


def try_fast_publish(words: list[str]) -> int | None:
    """Tell what a publish with these words would, if it is known to do nothing; return the exit code, else None."""
    started = time.perf_counter()
    asked = _asked(words)
    if asked is None:
        return None
    config = asked.get("--config") or os.environ.get("FEEDS_CONFIG") or "config.toml"
    folder = os.path.dirname(os.path.realpath(config))
    fields = fast_path_state.load_state(_file(folder))
    if fields is None or not _is_meant(asked, fields) or not _holds(config, folder, fields):
        return None
    lines = [field.decode() for field in fields[_TOLD:]]
    return _tell(lines, time.perf_counter() - started, as_json="--json" in asked)


def _is_meant(asked: dict[str, str], fields: list[bytes]) -> bool:
    """Return whether the sealed pass was for what is *asked*: the same moment, and no letters that could be due."""
    _, since, until, now, letters, *_ = fields
    if letters and "--feeds-only" not in asked:
        return False
    if "--now" in asked:
        return os.fsencode(asked["--now"]) == now
    return float(since) <= time.time() < float(until)


def _holds(config: str, folder: str, fields: list[bytes]) -> bool:
    """Return whether everything is as the sealed pass left it."""
    known, _, _, _, _, posts, paths, state, *_ = fields
    if known != fast_path_state.environment_fingerprint(config, os.environ) or not fast_path_state.is_unlocked(folder):
        return False
    found = scan_folder(os.fsdecode(posts))
    holds = state == fast_path_state.watched_state(map(os.fsdecode, paths.split(b"\0")), found)
    if not holds:
        last_scan[os.fsdecode(posts)] = found
    return holds


def _asked(words: list[str]) -> dict[str, str] | None:
    """Return the options among *words*; None where some ask for more than can be told from a seal."""
    found = {}
    rest = iter(words)
    for word in rest:
        name, joint, value = word.partition("=")
        if name in {"--config", "--now"}:
            value = value if joint else next(rest, "")
            if not value:
                return None
        elif joint or name not in {"--feeds-only", "--json", "--yes"}:
            return None
        found[name] = value
    return found


def _tell(lines: list[str], seconds: float, *, as_json: bool) -> int:
    from feeds.cli import output

    plain, summary, warnings, errors = lines
    output.print_diagnostics(errors.splitlines(), warnings.splitlines())
    if as_json:
        sys.stdout.write(f'{summary.removesuffix("}")}, "seconds": {seconds:.3f}}}\n')
    else:
        sys.stdout.write(f"{plain}{seconds:.2f} s\n")
    return 1 if errors else 0


def capture_environment(config: Path) -> bytes:
    """Return what a pass finds around it when it begins; what changes later breaks its seal."""
    return fast_path_state.environment_fingerprint(str(config), os.environ)


def remember_state(config: Config, report: PublishReport, found: bytes, *, now: datetime, words: str | None) -> None:
    """Leave a seal, if the pass has come to rest; *found* is what it found around it, *words* what --now was."""
    if report.fast_path is None:
        return
    import json

    from feeds.cli import output
    from feeds.jobs.report import truncate_warnings

    again = report.as_unchanged()
    plain = "".join(f"{line}\n" for line in output.format_report(config, again, dry_run=False))
    rest = report.fast_path
    fields = (
        found,
        repr(now.timestamp()),
        repr(rest.until.timestamp() if rest.until else _NEVER),
        words or "",
        "letters" if rest.letters else "",
        rest.posts,
        "\0".join(rest.watched),
        rest.state,
        plain,
        json.dumps(output.report_to_dict(again), ensure_ascii=False),
        "\n".join(map(output.escape_controls, truncate_warnings(again.warnings))),
        "\n".join(map(output.escape_controls, again.errors)),
    )
    fast_path_state.save_state(
        _file(str(config.folder)), (f if isinstance(f, bytes) else os.fsencode(f) for f in fields)
    )


def _file(folder: str) -> str:
    return f"{folder}/{fingerprint.CACHE}/seal"
