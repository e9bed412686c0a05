"""Load whatever a publish run and the commands need, for the server of `tests/command.py`."""

import tempfile
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import feeds
from tests.conftest import CONFIG, NEWSLETTER, SampleSite

for module in walk_packages(feeds.__path__, "feeds."):
    if not module.name.startswith(("feeds.__main__", "feeds.edges.store.migrations.")):  # those run what they are for
        import_module(module.name)
with tempfile.TemporaryDirectory() as folder:
    site = SampleSite(Path(folder))
    site.configure(CONFIG + NEWSLETTER)
    site.post("first")
    site.publish()
