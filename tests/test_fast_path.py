"""The fast path of `feeds publish`: it answers a run that would change nothing, and no other."""

import fcntl
import json
import os
import shutil
import time
from datetime import timedelta

import pytest

from tests.conftest import CONFIG, NEWSLETTER, NOW, SampleSite
from tests.mailing import subscribe as join

WORDS = ("publish", "--feeds-only", "--now", "2026-11-23")


@pytest.fixture
def finished(site, feeds):
    """A site whose last publish run left nothing to do."""
    site.post("a", categories="[X]")
    (site.folder / "templates").mkdir()
    time.sleep(0.05)
    feeds(*WORDS)
    assert saved(site) is not None
    assert "0 written, 6 unchanged" in feeds(*WORDS).stdout
    return site


def saved(site):
    """Return the identity of the saved state; it differs once a run has saved another one."""
    file = site.folder / ".feeds/cache" / "last-run"
    return (file.stat().st_mtime_ns, file.stat().st_ino) if file.exists() else None


def was_done(site, feeds, *words, **environ):
    """Return whether the publish run was done instead of answered: then it has saved another state, or none."""
    before = saved(site)
    feeds(*(words or WORDS), **environ)
    return saved(site) != before


def test_it_tells_what_a_real_pass_would(finished, feeds):
    """The fast path prints the same lines, JSON, warnings and exit code as a real run, except for the seconds."""
    finished.post("broken", title=None)
    finished.post("odd", catagories="[x]")
    time.sleep(0.05)
    done = [feeds(*WORDS) for _ in range(3)]
    printed = [(d.returncode, d.stderr, d.stdout.rpartition("\n")[0].rpartition("\n")[0]) for d in done]
    assert printed[1] == printed[2]
    assert printed[2][0] == 1
    assert "error: posts/broken.md:1: title: is missing" in printed[2][1]
    assert "warning: posts/odd.md:4: catagories: is not a known key" in printed[0][1]
    assert "warning: 1 warning is as before" in printed[2][1]
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
    "the store": lambda site: (site.folder / ".feeds/feeds.db").unlink(),
    "the cache": lambda site: (site.folder / ".feeds/cache" / "last-run").write_bytes(b"feeds fast path 3 00000000\nx"),
}


def test_a_copy_of_a_site_is_not_the_site(finished, feeds):
    """In a copy of a finished site, a new post is published, although nothing has changed in the site itself."""
    copy = SampleSite(finished.folder / "copy")
    shutil.copytree(finished.folder, copy.folder, ignore=shutil.ignore_patterns("copy"))
    copy.post("two", categories="[X]")
    done = feeds("publish", "--feeds-only", "--now", "2026-11-23", "--config", "copy/config.toml")
    assert done.stdout.startswith("posts: 2 public\n")
    assert "two" in copy.read("public/feeds/category/x/atom.xml")
    assert "two" not in finished.read("public/feeds/category/x/atom.xml")


def test_a_moved_site_still_holds(finished, feeds):
    """A site whose folder was renamed is answered: what the last run saw is the same."""
    (finished.folder / "config.toml").rename(finished.folder / "elsewhere.toml")
    feeds("publish", "--config", "elsewhere.toml")
    moved = finished.folder.with_name("moved")
    finished.folder.rename(moved)
    finished.folder.mkdir()
    before = saved(SampleSite(moved))
    done = feeds("publish", "--config", f"{moved}/elsewhere.toml")
    assert (done.stderr, saved(SampleSite(moved))) == ("", before)


def test_another_state_folder_is_found(finished, feeds):
    """The fast path answers also if `state`, or its variable, names another folder."""
    finished.configure(f'state = "kept here" # private\n{CONFIG}')
    for environ in ({}, {"FEEDS_STATE": "elsewhere"}):
        state = SampleSite(finished.folder / environ.get("FEEDS_STATE", "kept here"))
        time.sleep(0.05)
        feeds(*WORDS, **environ)
        before = (state.folder / "cache/last-run").stat().st_ino
        feeds(*WORDS, **environ)
        assert (state.folder / "cache/last-run").stat().st_ino == before


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_changes_is_seen(finished, feeds, change):
    """A change of a post, settings, an output, a template or the store makes the run real; it repairs outputs."""
    change(finished)
    assert was_done(finished, feeds)
    assert "damaged" not in finished.read("public/feeds/atom.xml")


def test_other_words_and_variables_are_another_question(finished, feeds):
    """Another time, another option or another variable makes the run real."""
    assert not was_done(finished, feeds)
    assert not was_done(finished, feeds, "publish", "--feeds-only", "--json", "--now=2026-11-23")
    assert was_done(finished, feeds, "publish", "--feeds-only", "--now", "2026-11-24")
    assert was_done(finished, feeds, *WORDS, FEEDS_SITE_TITLE="Another")


def test_the_moment_at_which_a_post_appears_or_expires_is_not_slept_through(site, feeds):
    """At the time at which a post appears, and at a time before the last run, the run is real."""
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


def test_a_clock_that_went_back_is_not_trusted(finished, feeds):
    """If the clock is earlier than at the last run, the run is real."""
    feeds("publish", "--feeds-only", "--now", "2126-01-01")
    assert was_done(finished, feeds, "publish", "--feeds-only")


def test_letters_are_not_forgotten(letter_site, feeds):
    """A run with `--feeds-only` does not answer for a run that may send letters."""
    time.sleep(0.05)
    feeds(*WORDS)
    assert not was_done(letter_site, feeds)
    assert letter_site.letters() == []
    feeds("publish", "--now", "2026-11-23T12:00+00:00")
    assert letter_site.letters() == ["weekly/1/desk@example.com.eml"]


def test_a_site_with_newsletters_is_answered_until_the_next_slot(letter_site, feeds):
    """If an issue was sent and nothing changed, the fast path answers until the next slot; then the run is real."""
    letter_site.configure(letter_site.read("config.toml").replace("0 8 * * mon", "0 8 * * *"))
    time.sleep(0.05)
    for _ in range(2):
        assert feeds("publish").returncode == 0
    assert not was_done(letter_site, feeds, "publish")
    assert not was_done(letter_site, feeds, "publish", FEEDS_CLOCK="2026-11-24T07:59:30+00:00")
    assert was_done(letter_site, feeds, "publish", FEEDS_CLOCK="2026-11-24T08:00:01+00:00")
    assert letter_site.letters() == ["weekly/1/desk@example.com.eml"]
    letter_site.post("second", date="2026-11-24")
    time.sleep(0.05)
    feeds("publish", FEEDS_CLOCK="2026-11-24T08:00:02+00:00")
    assert len(letter_site.letters()) == 2


CHANGES_OF_NEWSLETTERS = {
    "the page of an issue": lambda site: (site.folder / "public/newsletters/weekly/1/index.html").write_text("damaged"),
    "a note for the next issue": lambda site: _write(site.folder / "letters/weekly/next.md", "A note.\n"),
    "a subscriber": lambda site: join(site.folder, ["ada@example.org"]),
}


def _write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


@pytest.mark.parametrize("change", CHANGES_OF_NEWSLETTERS.values(), ids=CHANGES_OF_NEWSLETTERS)
def test_whatever_changes_of_newsletters_is_seen(letter_site, feeds, change):
    """A change of an issue's page, an editor's note or the subscribers makes the run real."""
    (letter_site.folder / "letters").mkdir()
    time.sleep(0.05)
    for _ in range(2):
        feeds("publish")
    assert not was_done(letter_site, feeds, "publish")
    change(letter_site)
    assert was_done(letter_site, feeds, "publish")
    assert "damaged" not in letter_site.read("public/newsletters/weekly/1/index.html")


def test_an_issue_that_waits_for_approval_is_still_reported(letter_site, feeds):
    """The fast path prints the waiting issue as a real run does."""
    letter_site.configure(letter_site.read("config.toml").replace('"weekly"', '"weekly"\napprove = true'))
    time.sleep(0.05)
    for _ in range(2):
        feeds("publish")
    before = saved(letter_site)
    done = feeds("publish")
    assert saved(letter_site) == before
    assert "weekly 1: 1 post, waits for `feeds approve weekly`" in done.stdout


def test_while_another_publish_is_at_work_nothing_is_told(finished, feeds):
    """While another publish run is at work, the command fails with exit code 3."""
    number = os.open(finished.folder, os.O_RDONLY)
    fcntl.flock(number, fcntl.LOCK_EX)
    try:
        done = feeds(*WORDS)
    finally:
        os.close(number)
    assert done.returncode == 3
    assert "another publish is running" in done.stderr


def test_an_unfinished_run_saves_no_state(site, feeds):
    """A run with an unwritable feed, a dry run and a run without cache save no state."""
    site.post("a", categories="[X]")
    time.sleep(0.05)
    feeds(*WORDS, "--dry-run")
    feeds(*WORDS, "--no-cache")
    assert saved(site) is None
    shutil.rmtree(site.folder / "public/feeds/category/x")
    (site.folder / "public/feeds/category/x").write_text("in the way", "utf-8")
    assert feeds(*WORDS).returncode == 1
    assert saved(site) is None


def test_another_folder_is_another_site(finished, feeds, tmp_path_factory):
    """The state is that of the site whose config is named, not of the current folder."""
    other = SampleSite(tmp_path_factory.mktemp("other"))
    (other.folder / "posts").mkdir()
    other.configure(CONFIG + NEWSLETTER)
    other.post("z")
    done = feeds(*WORDS, "--config", str(other.folder / "config.toml"))
    assert "written" in done.stdout
    assert "z" in other.read("public/feeds/atom.xml")
