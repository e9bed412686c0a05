"""A publish that finds nothing changed: told without loading what would do it.

`told` answers for a pass whose outcome is known from the seal that the last one left; `remember` leaves one. Only what
every Python has loaded already, and `feeds.edges.seal`, is imported here: the whole answer takes as long as looking at
the files does.
"""

from __future__ import annotations

import os
import sys
import time

from feeds.edges import build, seal
from feeds.edges.scan import Scan, scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from feeds.config import Config
    from feeds.jobs.report import Report

#: For a pass that nothing but a change will ever make necessary.
_NEVER = float("inf")
#: Where what is to be told begins among the fields of a seal.
_TOLD = 8
#: What was seen of a posts folder in vain, so that the pass need not look again a moment later.
seen: dict[str, Scan] = {}


def told(words: list[str]) -> int | None:
    """Tell what a publish with these words would, if it is known to do nothing; return the exit code, else None."""
    started = time.perf_counter()
    asked = _asked(words)
    if asked is None:
        return None
    config = asked.get("--config") or os.environ.get("FEEDS_CONFIG") or "config.toml"
    folder = os.path.dirname(os.path.realpath(config))
    fields = seal.read(_file(folder))
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
    if known != seal.surroundings(config, os.environ) or not seal.is_free(folder):
        return False
    found = scan(os.fsdecode(posts))
    holds = state == seal.state(map(os.fsdecode, paths.split(b"\0")), found)
    if not holds:
        seen[os.fsdecode(posts)] = found
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
    from feeds.cli import telling

    plain, summary, warnings, errors = lines
    telling.complain(errors.splitlines(), warnings.splitlines())
    if as_json:
        sys.stdout.write(f'{summary.removesuffix("}")}, "seconds": {seconds:.3f}}}\n')
    else:
        sys.stdout.write(f"{plain}{seconds:.2f} s\n")
    return 1 if errors else 0


def before(config: Path) -> bytes:
    """Return what a pass finds around it when it begins; what changes later breaks its seal."""
    return seal.surroundings(str(config), os.environ)


def remember(config: Config, report: Report, found: bytes, *, now: datetime, words: str | None) -> None:
    """Leave a seal, if the pass has come to rest; *found* is what it found around it, *words* what --now was."""
    if report.rest is None:
        return
    import json

    from feeds.cli import telling
    from feeds.jobs.report import few

    again = report.again()
    plain = "".join(f"{line}\n" for line in telling.told(config, again, dry_run=False))
    rest = report.rest
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
        json.dumps(telling.summary(again), ensure_ascii=False),
        "\n".join(map(telling.printable, few(again.warnings))),
        "\n".join(map(telling.printable, again.errors)),
    )
    seal.write(_file(str(config.folder)), (f if isinstance(f, bytes) else os.fsencode(f) for f in fields))


def _file(folder: str) -> str:
    return f"{folder}/{build.CACHE}/seal"
