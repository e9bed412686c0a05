"""The same site gives the same bytes, whichever database has its store."""

import shutil
from datetime import timedelta

import pytest

from feeds.jobs.feeds.retire import retire_feed, unretire_feed
from feeds.jobs.newsletters.correct import send_correction
from feeds.jobs.newsletters.retract import retract_issue
from feeds.jobs.subscribers import subscribe
from tests.conftest import NOW, ROOT, SampleSite, asked
from tests.postgresql import empty_schema_url

#: Soon after the next slot.
NEXT = NOW + timedelta(days=6, hours=20)


def add_post(site):
    site.post("one-more", category="Letters")
    site.publish()


def edit_post(site):
    file = site.folder / "posts/one-more.md"
    file.write_text(file.read_text("utf-8").replace("Letters", "Novel") + "Another sentence.\n", "utf-8")
    site.publish(NOW + timedelta(hours=1))


def rename_post(site):
    (site.folder / "posts/one-more.md").rename(site.folder / "posts/renamed.md")
    site.publish(NOW + timedelta(hours=2))


def send_next_issue(site):
    site.post("next", date="2026-11-25", category="Novel")
    site.publish(NEXT)


def correct_and_retract(site):
    file = site.folder / "correction.md"
    file.write_text("The second paragraph was wrong.\n", "utf-8")
    send_correction(site.config, "weekly", 1, file, *asked(NEXT))
    retract_issue(site.config, "weekly", 2, "It was wrong.", asked(NEXT)[1])


def retire_and_return(site):
    _, context = asked(NEXT)
    for path in ("category/novel", "category/letters"):
        retire_feed(site.config, path, context)
    unretire_feed(site.config, "category/letters", context)


def withdraw_post(site):
    (site.folder / "posts/renamed.md").unlink()
    site.publish(NEXT)


#: In this order.
CHANGES = (add_post, edit_post, rename_post, send_next_issue, correct_and_retract, retire_and_return, withdraw_post)


@pytest.mark.parametrize("readers", [0, 3])
def test_the_sample_site_is_published_and_sent_alike(tmp_path, monkeypatch, readers):
    """Its feeds, pages, archive and letters, and what every kind of change makes of them."""
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
        assert site.publish().written == []
        states = [site.files("public", ".feeds/outbox")]
        for change in CHANGES:
            change(site)
            states.append(site.files("public", ".feeds/outbox"))
            assert states[-1] != states[-2], change
        made.append(states)
    assert made[0] == made[1]
    assert sum(path.endswith(".eml") for path in made[0][-1]) == 3 * (1 + readers)


def _copy_keys(folder, name):
    """Give the second site the keys of the first."""
    first = folder / "sqlite/.feeds/feeds.key"
    if name != "sqlite" and first.exists():
        shutil.copy(first, folder / name / ".feeds")
