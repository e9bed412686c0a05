"""Load whatever a publish run and the commands need, for the server of `tests/command.py`."""

import tempfile
from pathlib import Path

import feeds.cli.commands  # noqa: F401 - what is loaded counts
from tests.conftest import CONFIG, NEWSLETTER, SampleSite

with tempfile.TemporaryDirectory() as folder:
    site = SampleSite(Path(folder))
    site.configure(CONFIG + NEWSLETTER)
    site.post("first")
    site.publish()
