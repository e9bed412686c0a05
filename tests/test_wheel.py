"""The templates and the sample site are found in an installed wheel and in a checkout."""

import os
import subprocess
import sys
import zipfile

import pytest

from feeds.edges.files import resources
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The wheel of this checkout, unpacked in an empty folder."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = folder.glob("feeds-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_a_checkout_finds_its_own_templates():
    """A checkout, also installed as editable, uses the templates at its top level."""
    assert resources.resource_folder() == ROOT
    assert (resources.resource_folder() / "templates" / "digest.mjml").is_file()


def test_a_wheel_carries_templates_migrations_and_the_sample(unpacked, tmp_path):
    """A wheel without the checkout can create a site and publish it, letters included."""
    environ = os.environ | {"PYTHONPATH": str(unpacked)}
    for arguments in (("init", "--sample", "."), ("publish", "--now", "2026-11-23")):
        command = [sys.executable, "-m", "feeds", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert (unpacked / "feeds" / "shipped" / "templates" / "digest.mjml").is_file()
    assert (tmp_path / ".feeds/outbox/weekly/1/desk@example.com.eml").is_file()


def test_a_wheel_carries_nothing_else(unpacked):
    """A wheel contains no tests, no benchmarks and no other files."""
    assert sorted(p.name for p in unpacked.iterdir() if not p.name.endswith(".dist-info")) == ["feeds"]
    assert sorted(p.name for p in (unpacked / "feeds" / "shipped").iterdir()) == ["config.toml", "posts", "templates"]
