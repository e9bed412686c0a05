"""A publish that finds nothing changed is told without being done, and nothing else ever is."""

import fcntl
import json
import os
import shutil
import time
from datetime import timedelta

import pytest

from tests.conftest import CONFIG, NEWSLETTER, NOW, SampleSite

WORDS = ("publish", "--feeds-only", "--now", "2026-11-23")


@pytest.fixture
def sealed(site, feeds):
    """A site whose last publish has come to rest."""
    site.post("a", categories="[X]")
    (site.folder / "templates").mkdir()
    time.sleep(0.05)
    feeds(*WORDS)
    assert seal(site) is not None
    assert "0 written, 6 unchanged" in feeds(*WORDS).stdout
    return site


def seal(site):
    """What changes when a publish has left a seal anew."""
    file = site.folder / ".feeds-cache" / "last-run"
    return (file.stat().st_mtime_ns, file.stat().st_ino) if file.exists() else None


def was_done(site, feeds, *words, **environ):
    """Whether the publish was really done: then it has left another seal, or was refused one."""
    before = seal(site)
    feeds(*(words or WORDS), **environ)
    return seal(site) != before


def test_it_tells_what_a_real_pass_would(sealed, feeds):
    """Lines, object, warnings and exit code, but for the seconds."""
    sealed.post("broken", title=None)
    sealed.post("odd", catagories="[x]")
    time.sleep(0.05)
    done = [feeds(*WORDS) for _ in range(3)]
    told = [(d.returncode, d.stderr, d.stdout.rpartition("\n")[0].rpartition("\n")[0]) for d in done]
    assert told[1] == told[2]
    assert told[2][0] == 1
    assert "error: posts/broken.md:1: title: is missing" in told[2][1]
    assert "warning: posts/odd.md:4: catagories: is not a known key" in told[2][1]
    objects = [json.loads(feeds(*WORDS, "--json", *more).stdout) for more in ((), ("--no-cache",))]
    assert [o.pop("seconds") < 60 for o in objects] == [True, True]
    assert objects[0] == objects[1]


CHANGES = {
    "a post": lambda site: site.post("a", "Other words.\n"),
    "a new post": lambda site: site.post("b"),
    "a post that is gone": lambda site: (site.folder / "posts" / "a.md").unlink(),
    "a post that was touched": lambda site: os.utime(site.folder / "posts" / "a.md"),
    "the settings": lambda site: site.configure(CONFIG + "\n"),
    "a feed": lambda site: (site.folder / "public/feeds/atom.xml").write_text("damaged", "utf-8"),
    "a feed that is gone": lambda site: (site.folder / "public/feeds/category/x/atom.xml").unlink(),
    "a template": lambda site: (site.folder / "templates" / "digest.txt").write_text("x", "utf-8"),
    "the store": lambda site: (site.folder / "feeds.db").unlink(),
    "the cache": lambda site: (site.folder / ".feeds-cache" / "last-run").write_bytes(b"feeds fast path 2 00000000\nx"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_changes_is_seen(sealed, feeds, change):
    """Posts, settings, outputs, templates, store: the pass is done, and mends what has to be mended."""
    change(sealed)
    assert was_done(sealed, feeds)
    assert "damaged" not in sealed.read("public/feeds/atom.xml")


def test_other_words_and_variables_are_another_question(sealed, feeds):
    """Another moment, another option, another site title."""
    assert not was_done(sealed, feeds)
    assert not was_done(sealed, feeds, "publish", "--feeds-only", "--json", "--now=2026-11-23")
    assert was_done(sealed, feeds, "publish", "--feeds-only", "--now", "2026-11-24")
    assert was_done(sealed, feeds, *WORDS, FEEDS_SITE_TITLE="Another")


def test_the_moment_at_which_a_post_appears_or_expires_is_not_slept_through(site, feeds):
    """The clock goes on, and the seal holds no longer."""
    site.post("a", expirydate="2126-01-01")
    site.post("b", date="2126-01-01")
    time.sleep(0.05)
    feeds("publish", "--feeds-only")
    assert not was_done(site, feeds, "publish", "--feeds-only")
    site.post("soon", date=(NOW + timedelta(hours=1)).isoformat())
    time.sleep(0.05)
    feeds("publish", "--feeds-only")
    before, after = ((NOW + timedelta(seconds=n)).isoformat() for n in (-30, 3601))
    assert was_done(site, feeds, "publish", "--feeds-only", FEEDS_CLOCK=before)
    assert not was_done(site, feeds, "publish", "--feeds-only")
    assert was_done(site, feeds, "publish", "--feeds-only", FEEDS_CLOCK=after)
    assert "soon" in site.read("public/feeds/atom.xml")


def test_a_clock_that_went_back_is_not_trusted(sealed, feeds):
    """What was found from one moment on is not told of an earlier one."""
    feeds("publish", "--feeds-only", "--now", "2126-01-01")
    assert was_done(sealed, feeds, "publish", "--feeds-only")


def test_letters_are_not_forgotten(letter_site, feeds):
    """A site with newsletters may have something to send though no file has changed."""
    time.sleep(0.05)
    feeds(*WORDS)
    assert not was_done(letter_site, feeds)
    assert letter_site.letters() == []
    feeds("publish", "--now", "2026-11-23T12:00+00:00")
    assert letter_site.letters() == ["weekly/1/desk@example.com.eml"]


def test_while_another_publish_is_at_work_nothing_is_told(sealed, feeds):
    """It may be changing what we look at; exit code 3."""
    number = os.open(sealed.folder, os.O_RDONLY)
    fcntl.flock(number, fcntl.LOCK_EX)
    try:
        done = feeds(*WORDS)
    finally:
        os.close(number)
    assert done.returncode == 3
    assert "another publish is running" in done.stderr


def test_what_is_not_at_rest_is_not_sealed(site, feeds):
    """A feed that cannot be written, a dry run, a pass without a cache."""
    site.post("a", categories="[X]")
    time.sleep(0.05)
    feeds(*WORDS, "--dry-run")
    feeds(*WORDS, "--no-cache")
    assert seal(site) is None
    shutil.rmtree(site.folder / "public/feeds/category/x")
    (site.folder / "public/feeds/category/x").write_text("in the way", "utf-8")
    assert feeds(*WORDS).returncode == 1
    assert seal(site) is None


def test_another_folder_is_another_site(sealed, feeds, tmp_path_factory):
    """The seal is looked for where the config lies."""
    other = SampleSite(tmp_path_factory.mktemp("other"))
    (other.folder / "posts").mkdir()
    other.configure(CONFIG + NEWSLETTER)
    other.post("z")
    told = feeds(*WORDS, "--config", str(other.folder / "config.toml"))
    assert "written" in told.stdout
    assert "z" in other.read("public/feeds/atom.xml")
