"""Measures the store on SQLite and on PostgreSQL: importing, freezing an issue, claiming deliveries, copying.

    POSTGRESQL_SETTINGS= bash .ci/postgresql python bench/store.py [--readers 1000000] [--rows 20000000] [--write]

FEEDS_POSTGRESQL is the URL of a server, as a role that may create databases; without it, only SQLite is measured. Each
step is a process of its own, so that its peak memory is its own. --readers is the number of subscribers that are
imported, get an issue and are copied. --rows is the number of deliveries that are in the store when 256 of an issue are
claimed. Seconds differ between machines; compare both databases in one run. --write puts the results into README.md.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import page

from feeds.edges.store.copy_tables import copy_rows, find_difference
from feeds.edges.store.database import open_database, open_store
from feeds.edges.store.interface import Database
from feeds.edges.store.postgresql import connect
from feeds.edges.store.schema import create_tables
from feeds.model import (
    ImportRow,
    IssueContent,
    IssuePage,
    Letter,
    NewIssue,
    RenderedIssue,
    Selection,
    SubscriberPreferences,
)

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LIMIT = 256
_PER_ISSUE = 1_000_000
_ADD_ISSUE = (
    "INSERT INTO issues (newsletter, number, slot, state, subject, composed_at)"
    " VALUES ('weekly', {number}, '2026-01-01 00:00:{number:02}.000000', 'sent', '', '2026-01-01 00:00:00.000000')"
)
_ADD_LETTER = "INSERT INTO letters (issue_id, lang, subject, html, text) VALUES ({number}, 'en', '', '', '')"
#: Deliveries of an issue: the numbers are made by the database.
_ADD_DELIVERIES = """
    INSERT INTO deliveries (issue_id, letter_id, recipient, recipient_key, domain, state, answer, sent_at)
    SELECT {number}, {number}, 'r' || n || '@example.org', 'r' || n || '@example.org', 'example.org', {state}
    FROM {numbers}
"""
_NUMBERS = {
    "sqlite": (
        "(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count}) SELECT n FROM s) AS s"
    ),
    "postgresql": "generate_series(1, {count}) AS s (n)",
}
_SENT, _READY = "'sent', '250 ok', '2026-01-01 00:00:00.000000'", "'ready', NULL, NULL"


def import_readers(url: str, count: int) -> float:
    """Import subscribers; return the seconds."""
    rows = (
        ImportRow(
            number=n,
            email=f"r{n}@example.org",
            key=f"r{n}@example.org",
            consent="imported",
            subscriptions=(("weekly", ()),),
        )
        for n in range(1, count + 1)
    )
    with open_store(url, Path.cwd()) as store:
        started = time.perf_counter()
        store.subscriber_import.stage(rows)
        store.subscriber_import.commit_import("bench", NOW, apply=True)
        return time.perf_counter() - started


def freeze_issue(url: str, _count: int) -> float:
    """Freeze an issue for all of them; return the seconds."""
    letter = Letter(lang="en", subject="S", html="<p>", text="T")
    selection = Selection(stories=())
    issue = NewIssue(
        newsletter="weekly",
        number=1,
        slot=NOW,
        subject="S",
        selection=selection,
        page=IssuePage(html="P"),
        content=IssueContent(selection=selection, texts={}),
        seed=b"seed",
        rendered=RenderedIssue(letters=[letter], letter_index={SubscriberPreferences(): 0}, copies=[]),
    )
    with open_store(url, Path.cwd()) as store:
        started = time.perf_counter()
        store.issues.freeze(issue, NOW)
        return time.perf_counter() - started


def claim(url: str, count: int) -> float:
    """Claim 256 deliveries of an issue among *count*; return the median of 20 times, in seconds."""
    with open_store(url, Path.cwd()) as store:
        _fill(store.database, count)
        with store.deliveries.bulk_mode():
            return statistics.median(_timed(lambda: store.deliveries.claim_untried(1, LIMIT)) for _ in range(20))


def _fill(database: Database, count: int) -> None:
    """Add deliveries: an issue that is being sent, and others that are sent."""
    for number in range(1, count // _PER_ISSUE + 1):
        values = {"number": number, "state": _READY if number == 1 else _SENT}
        values["numbers"] = _NUMBERS[database.dialect].format(count=_PER_ISSUE)
        with database.transaction():
            for statement in (_ADD_ISSUE, _ADD_LETTER, _ADD_DELIVERIES):
                database.connection.execute(statement.format(**values))
    if database.dialect == "postgresql":
        database.connection.execute("VACUUM ANALYZE deliveries")  # as its own service does it after a while


def copy(url: str, _count: int) -> float:
    """Copy the SQLite store beside to *url*, and compare; return the seconds."""
    with open_database("sqlite:///readers.db", Path.cwd()) as source, open_database(url, Path.cwd()) as target:
        create_tables(target, "target")
        started = time.perf_counter()
        with source.transaction("read"):
            copy_rows(source, target, lambda *_: None)
            if find_difference(source, target, lambda *_: None):
                sys.exit("the copy differs")
        return time.perf_counter() - started


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


STEPS = {"import": import_readers, "freeze": freeze_issue, "claim": claim, "copy": copy}
_TITLES = {
    "import": "{readers:,} subscribers imported",
    "freeze": "an issue frozen for {readers:,}",
    "claim": f"{LIMIT} deliveries claimed among {{rows:,}}",
    "copy": "{readers:,} subscribers copied to it, and compared",
}


def peak_megabytes() -> float:
    """Return the peak memory of this process; `ru_maxrss` begins with that of the process that has started it."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    assert found, "Linux"
    return int(found[1]) / 1024


def run_step(step: str, url: str, count: int) -> tuple[float, float]:
    """Run a step as another process; return its seconds and its peak memory in MB."""
    command = [sys.executable, __file__, "--step", step, url, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{step} on {url}: {done.stderr[-2000:]}")
    seconds, megabytes = done.stdout.split()
    return float(seconds), float(megabytes)


def create_database(server: str, name: str) -> str:
    """Create an empty database on a server; return its URL."""
    with closing(connect(server)) as database:
        database.connection.execute(f"DROP DATABASE IF EXISTS {name}")
        database.connection.execute(f"CREATE DATABASE {name}")
    return f"{server.rpartition('/')[0]}/{name}"


def measure(options: argparse.Namespace) -> dict[str, dict[str, tuple[float, float]]]:
    """Return seconds and peak memory: database -> step -> both."""
    server = os.environ.get("FEEDS_POSTGRESQL")
    urls = {"SQLite": {name: f"sqlite:///{name}.db" for name in ("readers", "rows", "copied")}}
    if server:
        urls["PostgreSQL"] = {name: create_database(server, f"bench_{name}") for name in ("readers", "rows", "copied")}
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for database, url in urls.items():
        found[database] = {
            "import": run_step("import", url["readers"], options.readers),
            "freeze": run_step("freeze", url["readers"], options.readers),
            "claim": run_step("claim", url["rows"], options.rows),
            "copy": run_step("copy", url["copied"], options.readers),
        }
    return found


def table(found: dict[str, dict[str, tuple[float, float]]], options: argparse.Namespace) -> str:
    """Return the results as a Markdown table."""
    lines = [f"| | {' | '.join(f'{name}, s | peak MB' for name in found)} |", f"|---|{'---:|' * 2 * len(found)}"]
    for step, title in _TITLES.items():
        cells = (f"{seconds:,.3f} | {peak:.0f}" for seconds, peak in (steps[step] for steps in found.values()))
        lines.append(f"| {title.format(readers=options.readers, rows=options.rows)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and print the table, or run one step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        step, url, count = options.step
        seconds = STEPS[step](url, int(count))
        print(seconds, peak_megabytes())
        return
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        text = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores.\n\n{table(measure(options), options)}"
    print(text)
    if options.write:
        page.written(text, HERE / "README.md", "store")


if __name__ == "__main__":
    main()
