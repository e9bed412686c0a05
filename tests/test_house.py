"""Rules of this project that a program can check."""

import ast
import subprocess
import sys
import time

import pytest

from feeds.cli.commands import commands
from tests.conftest import ROOT, unmeasured

TESTS = sorted((ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_every_test_states_its_rule(file):
    """Every test has a docstring that states its rule."""
    functions = [n for n in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(n, ast.FunctionDef)]
    undocumented = [f.name for f in functions if f.name.startswith("test_") and not ast.get_docstring(f)]
    assert undocumented == []


def test_every_command_is_documented_and_has_help():
    """Every command and option is in docs/commands.md, and every command has a help text."""
    guide = (ROOT / "docs" / "commands.md").read_text("utf-8")
    for name, command in commands.commands.items():
        assert command.help
        assert f"feeds {name}" in guide
        for inner in getattr(command, "commands", {}).values():
            assert inner.help
            assert f"feeds {name} {inner.name}" in guide
        for parameter in command.params:
            assert all(option in guide for option in parameter.opts if option.startswith("--"))


def test_asking_for_the_version_loads_nothing_heavy():
    """`feeds --version` loads no heavy library."""
    heavy = {"lxml", "jinja2", "sqlalchemy", "mjml", "alembic", "babel", "feedgen", "apscheduler", "rich"}
    code = "import sys; from feeds.cli import main\ntry: main()\nexcept SystemExit: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, "--version"], capture_output=True, text=True, check=True)
    assert heavy & set(done.stdout.split()) == set()


def _run(folder, *arguments):
    """Return the modules that a command has loaded when it ends, and its output."""
    code = (
        "import sys; from feeds.cli import main\ntry: main()\nexcept SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env=unmeasured(),
    )
    return set(done.stderr.splitlines()[-1].split()), done.stdout


def test_a_publish_that_finds_nothing_changed_loads_next_to_nothing(site):
    """The fast path loads no parser, template engine, database or MJML, and not even click."""
    site.post("a", categories="[X]")
    time.sleep(0.05)
    first, output = _run(site.folder, "publish", "--feeds-only", "--now", "2026-11-23")
    assert "6 written, 0 unchanged" in output
    assert {"sqlalchemy", "alembic", "mjml"} & first == set()
    again, output = _run(site.folder, "publish", "--feeds-only", "--now", "2026-11-23")
    assert "0 written, 6 unchanged" in output
    heavy = {"lxml", "jinja2", "sqlalchemy", "sqlite3", "mjml", "yaml", "msgspec", "click", "re", "json", "pathlib"}
    assert heavy & again == set()


def test_an_import_of_the_core_touches_no_clock():
    """No function of `feeds.core` reads the clock."""
    for file in sorted((ROOT / "feeds" / "core").rglob("*.py")):
        calls = [n.func for n in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(n, ast.Call)]
        names = {function.attr for function in calls if isinstance(function, ast.Attribute)}
        assert not names & {"now", "today", "utcnow"}, file


#: The one that opens the store of a site, and what also opens a backup, which is the store of no site yet.
_MAY_OPEN_STORES = {"feeds/jobs/store/site_store.py", "feeds/jobs/store/restore.py"}


def test_only_one_function_opens_the_store_of_a_site():
    """Jobs, commands and the web open it with `open_site_store`, so none of them forgets what that checks."""
    files = [file for part in ("jobs", "cli", "web") for file in sorted((ROOT / "feeds" / part).rglob("*.py"))]
    naming = {str(file.relative_to(ROOT)) for file in files if _uses(file, "open_store")}
    assert naming == _MAY_OPEN_STORES


def _uses(file, name):
    """Return whether a module imports or names something."""
    nodes = [*ast.walk(ast.parse(file.read_text("utf-8")))]
    imported = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    return name in imported | {node.attr for node in nodes if isinstance(node, ast.Attribute)}
