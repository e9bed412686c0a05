"""The same site gives the same bytes, whichever database has its store."""

import shutil

import pytest

from feeds.jobs.subscribers import subscribe
from tests.conftest import NOW, ROOT, SampleSite
from tests.postgresql import empty_schema_url


@pytest.mark.parametrize("readers", [0, 3])
def test_the_sample_site_is_published_and_sent_alike(tmp_path, monkeypatch, readers):
    """Its feeds, pages, archive and letters, also after a second run that has a changed and a new post."""
    made = []
    for name, url in ("sqlite", "sqlite:///.feeds/feeds.db"), ("postgresql", empty_schema_url()):
        monkeypatch.setenv("FEEDS_STORE_URL", url)
        site = SampleSite(tmp_path / name)
        shutil.copytree(ROOT / "posts", site.folder / "posts")
        shutil.copy(ROOT / "config.toml", site.folder)
        for number in range(readers):
            address = f"r{number}@example.org"
            subscribe.add_subscriber(site.config, address, ["weekly"], lang=None, now=NOW, again=False)
        _copy_keys(tmp_path, name)
        site.publish()
        site.post("one-more", category="Letters")
        site.publish()
        made.append(site.files("public", ".feeds/outbox"))
    assert made[0] == made[1]
    assert any(path.endswith(".eml") for path in made[0])


def _copy_keys(folder, name):
    """Give the second site the keys of the first."""
    first = folder / "sqlite/.feeds/feeds.key"
    if name != "sqlite" and first.exists():
        shutil.copy(first, folder / name / ".feeds")
