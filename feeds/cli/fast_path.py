"""`feeds publish` if nothing has changed: print what the last run found, without loading what a run needs.

Only what every Python process has loaded, and `feeds.edges.fast_path`, is imported at the top. Of the command line it
knows the few forms that schedulers use; everything else is for `feeds.cli.commands`.
"""

from __future__ import annotations

import os
import sys
import time

from feeds.cli import clock
from feeds.cli.find_config import find_config
from feeds.edges.fast_path.check import FILE, check, environment_fingerprint
from feeds.edges.fast_path.state import FastPathState, save_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from feeds.config import Config
    from feeds.edges.files.scan import Scan
    from feeds.jobs.options import PublishOptions
    from feeds.jobs.report import PublishReport

#: The posts folders that were listed in vain, so that the run that follows need not list them again.
last_scan: dict[str, Scan] = {}


def try_fast_publish(words: list[str]) -> int | None:
    """Print what a publish with these words would, if it would change nothing; return the exit code, else None."""
    started = time.perf_counter()
    asked = _parse(words)
    if asked is None:
        return None
    config = asked.get("--config") or find_config(os.environ)
    now_option = asked.get("--now", "")
    feeds_only = "--feeds-only" in asked
    found = check(config, os.environ, now=clock.now_seconds(), now_option=now_option, feeds_only=feeds_only)
    if found.scan is not None:
        last_scan[config] = found.scan
    if found.state is None or (found.state.warnings is None and "--quiet" not in asked):
        return None
    return _print(found.state, time.perf_counter() - started, as_json="--json" in asked, quiet="--quiet" in asked)


def _parse(words: list[str]) -> dict[str, str] | None:
    """Return the options among *words*; None if some ask for more than the last run can answer."""
    found = {}
    rest = iter(words)
    for word in rest:
        name, joint, value = word.partition("=")
        if name in {"--config", "--now"}:
            value = value if joint else next(rest, "")
            if not value:
                return None
        elif joint or name not in {"--feeds-only", "--json", "--yes", "--quiet"}:
            return None
        found[name] = value
    return found


def _print(state: FastPathState, seconds: float, *, as_json: bool, quiet: bool) -> int:
    from feeds.cli import output

    output.print_diagnostics(state.errors, () if quiet else state.warnings or ())
    if as_json:
        sys.stdout.write(f'{state.summary.removesuffix("}")}, "seconds": {seconds:.3f}}}\n')
    elif not quiet:
        sys.stdout.write(f"{state.lines}{seconds:.2f} s\n")
    return 1 if state.errors else 0


def capture_environment(config: Path) -> bytes:
    """Return the fingerprint of a run's surroundings, taken when it begins: what changes later ends its state."""
    return environment_fingerprint(str(config), os.environ)


def remember(
    config: Config,
    report: PublishReport,
    options: PublishOptions,
    environment: bytes,
    now_option: str,
    *,
    has_unprinted: bool,
) -> None:
    """Save the state of a run that left nothing to do, and whether it has warnings that were not printed."""
    if report.footprint is None:
        return
    import json

    from feeds.cli import output
    from feeds.jobs.known_warnings import count_known

    again = report.as_unchanged()
    state = FastPathState(
        environment=environment,
        since=options.now.timestamp(),
        now_option=now_option,
        feeds_only=options.feeds_only,
        footprint=report.footprint,
        lines="".join(f"{line}\n" for line in output.format_report(config, again, dry_run=False)),
        summary=json.dumps(output.report_to_dict(again), ensure_ascii=False),
        warnings=None if has_unprinted else tuple(count_known(len(again.warnings))),
        errors=tuple(again.errors),
    )
    save_state(str(config.state / FILE), state)
