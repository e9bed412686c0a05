"""Fixtures: real sites in temporary folders, independent of the machine."""

import gc
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings

from feeds.config import Config, load_config
from feeds.edges.store import sqlite
from feeds.edges.store.database import open_store
from feeds.jobs.context import Context
from feeds.jobs.options import PublishOptions
from feeds.jobs.publish import publish
from feeds.jobs.report import PublishReport
from tests.command import run_command
from tests.postgresql import change, empty_schema_url, remove_schemas

# In CI the same examples each time, so that a change is judged by what it changed; elsewhere new ones. No deadlines:
# tests do not time.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile("deep", deadline=None, max_examples=1500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "here"))

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

CONFIG = """
[site]
title = "Test"
url = "https://example.com/"
id_authority = "example.com,2026"
timezone = "UTC"
[feeds]
formats = ["atom"]
"""
NEWSLETTER = """
[[newsletters]]
name = "weekly"
title = "The weekly"
schedule = "0 8 * * mon"
copy_to = ["desk@example.com"]
[mail]
from = "Test <letters@example.com>"
reply_to = "desk@example.com"
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden/*/expected; read the diff")


def pytest_collection_finish() -> None:
    """Let the garbage collector not look at thousands of collected tests again and again; they stay to the end."""
    gc.freeze()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failure: the part it needs should have been installed."""
    remove_schemas()
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and os.environ.get("FEEDS_NO_SKIPS") and reporter.stats.get("skipped"):
        reporter.write_line("skipped tests are failures here (FEEDS_NO_SKIPS)", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def away_from_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs in its own folder, without FEEDS_* variables of the machine; commands it starts begin at NOW."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("FEEDS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FEEDS_CLOCK", NOW.isoformat())


def unmeasured() -> dict[str, str]:
    """Return an environment for a process whose loaded modules are looked at: measuring coverage loads some itself."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}


def asked(now: datetime = NOW, **given: object) -> tuple[PublishOptions, Context]:
    """Return the options and the context of a publish run at *now*, with nothing random in it."""
    context = {"clock": lambda: now, "random_bytes": bytes} | {k: given.pop(k) for k in _OF_CONTEXT & given.keys()}
    return PublishOptions(now=now, **given), Context(**context)


def store_variable() -> dict[str, str]:
    """Return the variable that `databases` sets, if it does."""
    return {name: os.environ[name] for name in ("FEEDS_STORE_URL",) if name in os.environ}


#: What a test may set of a context.
_OF_CONTEXT = {"clock", "random_bytes", "progress", "confirm", "stopping"}


@dataclass
class SampleSite:
    """A site in a temporary folder."""

    folder: Path

    @property
    def config(self) -> Config:
        return load_config(self.folder / "config.toml", store_variable())

    def configure(self, text: str) -> None:
        (self.folder / "config.toml").write_text(text, "utf-8")

    def post(self, name: str, body: str = "Some words of a post.\n", **front: object) -> Path:
        """Write a post; front matter values as YAML would have them."""
        values = {"title": name, "date": "2026-11-20"} | front
        file = self.folder / "posts" / f"{name}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = "".join(f"{key}: {value}\n" for key, value in values.items() if value is not None)
        file.write_text(f"---\n{lines}---\n\n{body}", "utf-8")
        return file

    def publish(self, now: datetime = NOW, **wish: object) -> PublishReport:
        return publish(self.config, *asked(now, **wish))

    def read(self, path: str) -> str:
        return (self.folder / path).read_text("utf-8")

    def run_sql(self, query: str) -> list[tuple[object, ...]]:
        """Run a statement that both databases understand; return its rows."""
        with open_store(self.config.store_url, self.folder) as store:
            cursor = store.database.connection.execute(query)  # type: ignore[attr-defined]
            return cursor.fetchall() if cursor.description else []

    def lose_store(self) -> None:
        """Let the store be as one that was never used."""
        if "FEEDS_STORE_URL" in os.environ:
            empty_schema_url()
        else:
            (self.folder / ".feeds/feeds.db").unlink()

    def files(self, *below: str) -> dict[str, bytes]:
        """Every file under the folders named, by path."""
        found = (file for name in below for file in sorted((self.folder / name).rglob("*")) if file.is_file())
        return {str(file.relative_to(self.folder)): file.read_bytes() for file in found}

    def letters(self) -> list[str]:
        """The messages in the outbox, by path below it."""
        return sorted(name.removeprefix(".feeds/outbox/") for name in self.files(".feeds/outbox"))


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, away_from_home: None) -> None:
    """The test runs on both databases: its one site, and the commands that it starts, have an empty store there."""
    if request.param == "postgresql":
        monkeypatch.setenv("FEEDS_STORE_URL", empty_schema_url())


@pytest.fixture
def impatient(databases: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """On both databases, what another process keeps locked is an error at once."""
    monkeypatch.setattr(sqlite, "PATIENCE", 0)
    if url := os.environ.get("FEEDS_STORE_URL"):
        monkeypatch.setenv("FEEDS_STORE_URL", change(url, options="lock_timeout=10ms"))


@pytest.fixture
def site(tmp_path: Path) -> SampleSite:
    """A site without posts and newsletters."""
    (tmp_path / "posts").mkdir()
    made = SampleSite(tmp_path)
    made.configure(CONFIG)
    return made


@pytest.fixture
def letter_site(site: SampleSite) -> SampleSite:
    """A site with a weekly newsletter that was due on the day of `NOW`, and one new post."""
    site.configure(CONFIG + NEWSLETTER)
    site.post("first")
    return site


@pytest.fixture
def feeds(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command, as another process. Its clock goes on from `NOW` as fast as the real one."""
    started = time.monotonic()

    def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        clock = NOW + timedelta(seconds=time.monotonic() - started)
        return run_command(words, tmp_path, {"FEEDS_CLOCK": clock.isoformat()} | environ)

    return run
