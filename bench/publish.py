"""How long a publish takes, as ratios to the least any program could do: reading and hashing the same files.

    python bench/publish.py [POSTS]

Makes a folder of POSTS posts (default 2,000; seeded, so always the same), then runs, in turn and five times, `feeds
publish --feeds-only` from nothing, the same again unchanged, and the limit. Prints a Markdown table of medians.
"""

import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

_WORDS = [
    *("river", "paper", "morning", "letter", "garden", "window", "market", "season", "printer", "reader", "margin"),
    *("column", "archive", "editor", "station", "harbour", "mountain", "lantern", "orchard", "ledger", "compass"),
]
_CATEGORIES = ("Notes", "Feeds", "Letters", "日本語", "投資分析")
_CONFIG = """[site]
title = "Bench"
url = "https://bench.example/"
id_authority = "bench.example,2026"
[feeds]
formats = ["atom"]
"""
_RUNS = 5


def main() -> None:
    """Measure and print."""
    posts = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with tempfile.TemporaryDirectory() as place:
        site = Path(place)
        _make(site, posts)
        runs = [
            (_timed(lambda: _fresh(site)), _timed(lambda: _publish(site)), _timed(lambda: _limit(site)))
            for _ in range(_RUNS)
        ]
    cold, unchanged, limit = (statistics.median(column) for column in zip(*runs, strict=True))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{posts:,} posts, medians of {_RUNS} interleaved runs, peak memory {peak:.0f} MB\n")
    print("| work | seconds | ratio to reading and hashing |\n|---|---:|---:|")
    for name, seconds in (("from nothing", cold), ("unchanged", unchanged), ("reading and hashing", limit)):
        print(f"| {name} | {seconds:.3f} | {seconds / limit:.1f} |")


def _make(site: Path, posts: int) -> None:
    """Write the posts: about 7 kB each, half of them Japanese."""
    chance = random.Random(1)
    (site / "config.toml").write_text(_CONFIG, "utf-8")
    for n in range(posts):
        japanese = n % 2
        words = [
            f"{'雨風空海山川' if japanese else ''}{chance.choice(_WORDS)}" for _ in range(600 if japanese else 1000)
        ]
        end = "。" if japanese else ". "
        text = "".join(
            " ".join(words[i : i + 12]) + end + ("\n\n" if i % 60 == 0 else "") for i in range(0, len(words), 12)
        )
        date = f"{2010 + n % 16}-{1 + n % 12:02}-{1 + n % 28:02}"
        front = f"title: Post {n}\ndate: {date}\ncategories: [{_CATEGORIES[n % len(_CATEGORIES)]}]\ntags: [a{n % 50}]"
        file = site / "posts" / f"{n % 100:02}" / f"{date}-post-{n}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"---\n{front}\n---\n\n{text}\n", "utf-8")


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _fresh(site: Path) -> None:
    shutil.rmtree(site / "public", ignore_errors=True)
    (site / "feeds.db").unlink(missing_ok=True)
    _publish(site)


def _publish(site: Path) -> None:
    command = [sys.executable, "-m", "feeds", "publish", "--feeds-only", "--now", "2026-11-23"]
    subprocess.run(command, cwd=site, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _limit(site: Path) -> None:
    code = "import hashlib,sys,pathlib\nfor p in pathlib.Path('posts').rglob('*.md'): hashlib.sha256(p.read_bytes())"
    subprocess.run([sys.executable, "-c", code], cwd=site, check=True)


if __name__ == "__main__":
    main()
