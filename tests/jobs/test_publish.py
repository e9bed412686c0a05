"""A publish run, on real files and a real store."""

import fcntl
import os
import re
import signal
from datetime import timedelta

import feedparser
import pytest
import sqlalchemy as sa

from feeds.edges.process import lock
from feeds.errors import LockedError
from tests.conftest import CONFIG, NEWSLETTER, NOW

DUE = NOW + timedelta(days=7)


def test_feeds_and_a_page_are_written(site):
    """A run writes the feed of everything, a feed and a page for each category, and the lists of feeds."""
    site.post("a", categories="[X]")
    report = site.publish()
    assert sorted(report.written) == [
        *("feeds/all/index.html", "feeds/atom.xml", "feeds/category/x/atom.xml", "feeds/category/x/index.html"),
        *("feeds/feeds.opml", "feeds/index.html"),
    ]
    assert report.counts["public"] == 1
    page = site.read("public/feeds/index.html")
    for address in ("https://example.com/feeds/atom.xml", "https://example.com/feeds/category/x/atom.xml"):
        assert re.search(rf'<link rel="alternate" type="application/atom\+xml"[^>]*href="{address}"', page)
        assert f'href="{address}"' in page


def test_the_second_pass_writes_nothing(site):
    """A second run without a change writes nothing; ids and bytes are the same."""
    site.post("a")
    site.publish()
    before = site.files("public")
    report = site.publish(NOW + timedelta(hours=1))
    assert (report.written, report.unchanged) == ([], len(before))
    assert site.files("public") == before


def test_a_changed_post_changes_its_feeds_only(site):
    """An edited post changes only the feeds that show it, and keeps its id."""
    site.post("a", categories="[X]")
    site.post("b", categories="[Y]")
    site.publish()
    before = feedparser.parse(site.read("public/feeds/category/x/atom.xml")).entries[0].id
    site.post("a", "Other words.\n", categories="[X]")
    assert sorted(site.publish().written) == [
        *("feeds/all/index.html", "feeds/atom.xml", "feeds/category/x/atom.xml", "feeds/category/x/index.html"),
    ]
    assert feedparser.parse(site.read("public/feeds/category/x/atom.xml")).entries[0].id == before


def test_a_renamed_post_keeps_its_id(site):
    """A renamed file keeps the id of its entry."""
    file = site.post("a", "Words that stay the same. " * 20)
    site.publish()
    before = feedparser.parse(site.read("public/feeds/atom.xml")).entries[0].id
    file.rename(file.with_name("2026-11-20-b.md"))
    site.publish()
    assert feedparser.parse(site.read("public/feeds/atom.xml")).entries[0].id == before


def test_a_feed_that_nothing_is_in_any_more_is_told(site):
    """The feed of a category without posts stays, with no entries."""
    site.post("a", categories="[X]")
    assert site.publish().warnings == []
    site.post("a", categories="[X]", draft="true")
    warnings = site.publish().warnings
    assert len(warnings) == 1
    assert "public/feeds/category/x: no public post is in this feed; it is written without entries" in warnings[0]
    found = feedparser.parse(site.read("public/feeds/category/x/atom.xml"))
    assert (found.bozo, found.feed.title, found.entries) == (False, "X · Test", [])


def test_a_dry_run_says_what_it_would_do_and_leaves_no_trace(letter_site):
    """A dry run writes no feed, no letter and no store."""
    before = letter_site.files(".")
    report = letter_site.publish(dry_run=True)
    assert sorted(report.written) == ["feeds/all/index.html", "feeds/atom.xml", "feeds/feeds.opml", "feeds/index.html"]
    assert [(i.number, i.posts, i.recipients, i.state) for i in report.issues] == [(1, 1, 1, "due")]
    assert letter_site.files(".") == before


def test_one_publish_at_a_time(site):
    """A second publish fails while another one runs, and succeeds after that one was killed."""
    site.post("a")
    pid = os.fork()
    if not pid:
        number = os.open(site.folder, os.O_RDONLY)
        fcntl.flock(number, fcntl.LOCK_EX)
        (site.folder / "locked").touch()
        signal.pause()
    while not (site.folder / "locked").exists():
        pass
    with pytest.raises(LockedError, match="another publish is running"):
        site.publish()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert site.publish().written


def test_the_lock_is_given_back(tmp_path):
    """The lock is released after a run, and after a run that failed."""
    for _ in range(2):
        with lock.lock_site(tmp_path):
            pass


BROKEN = {
    "binary.md": b"\x89PNG\r\n\x1a\n\x00\xff\xfe" * 20,
    "truncated.md": b"---\ntitle: Truncated\ndate: 2026-01-01\nBody without a fence",
    "explodes.md": b"---\na: &a [x]\n"
    + b"".join(b"%c: &%c [%s*a]\n" % (c, c, b"*a," * 9) for c in b"bcdefg")
    + b"---\nx",
    "large.md": b"---\ntitle: Large\ndate: 2026-01-01\n---\n" + b"x" * 20_000_000,
    "nul.md": b"---\ntitle: Nul\ndate: 2026-01-01\n---\nx\x00y",
    "impossible.md": b"---\ntitle: Impossible\ndate: 2026-02-30\n---\nx",
    "2026-13-45-name.md": b"---\ntitle: Name\n---\nx",
    "passwd.md": b"---\ntitle: Passwd\ndate: 2026-01-01\nslug: ../../etc/passwd\n---\nx",
    "category.md": b'---\ntitle: Category\ndate: 2026-01-01\ncategory: "\\n<script>"\n---\nx',
    "deep.md": b"---\n" + b"- " * 50_000 + b"x\n---\nx",
    "list.md": b"---\n- a\n---\nx",
    "empty.md": b"",
    "toml.md": b"+++\ntitle = \n+++\nx",
}


def test_in_a_folder_where_every_other_file_is_broken_the_good_post_is_published(site):
    """Each hostile file is rejected with a reason; nothing is written outside `public/` and the store."""
    for name, content in BROKEN.items():
        (site.folder / "posts" / name).write_bytes(content)
    site.post("good")
    report = site.publish()
    assert [e.title for e in feedparser.parse(site.read("public/feeds/atom.xml")).entries] == ["good"]
    assert report.counts | {"rejected": 0} == {
        "public": 1,
        "draft": 0,
        "future": 0,
        "expired": 0,
        "duplicate": 0,
        "rejected": 0,
    }
    named = sorted(line.removeprefix("posts/").split(":")[0] for line in report.errors)
    assert named == sorted(BROKEN)
    assert {path.split("/")[0] for path in site.files(".")} == {
        "posts",
        "public",
        "config.toml",
        ".feeds",
    }


def test_a_folder_that_cannot_be_written_is_one_error_a_file(site):
    """If one feed cannot be written, the others are."""
    site.post("a", categories="[X]")
    (site.folder / "public" / "feeds" / "category").mkdir(parents=True)
    (site.folder / "public" / "feeds" / "category" / "x").write_text("a file where a folder should be", "utf-8")
    report = site.publish()
    assert [error.partition("/public/")[2].partition(": ")[0] for error in report.errors] == [
        *("feeds/category/x/atom.xml", "feeds/category/x/index.html"),
    ]
    assert "cannot be written" in report.errors[0]
    assert "feeds/atom.xml" in report.written


def test_a_template_with_a_fault_stops_its_letter_only(letter_site):
    """With a broken template feeds are published and nothing is frozen; once it is fixed, the issue is sent."""
    template = letter_site.folder / "templates" / "digest.mjml"
    template.parent.mkdir()
    template.write_text("<mjml>\n{{ letter.nothing }}</mjml>", "utf-8")
    report = letter_site.publish()
    assert "feeds/atom.xml" in report.written
    assert len(report.errors) == 1
    assert report.errors[0].startswith("templates/digest.mjml:2: ")
    template.unlink()
    assert [i.state for i in letter_site.publish().issues] == ["sent"]


def _killed_at(site, step):
    """Publish in another process that is killed at its *step*-th rename or commit; return whether it got there."""
    pid = os.fork()
    if pid:
        return os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    left = [step]

    def count(*_):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    import sys

    sys.addaudithook(lambda event, _: count() if event in {"os.rename", "os.mkdir"} else None)
    sa.event.listen(sa.Engine, "commit", count)
    try:
        site.publish(DUE)
    finally:
        os._exit(0)


def test_killed_at_any_step_nothing_is_lost_doubled_or_torn(letter_site, tmp_path):
    """After a kill at any rename or commit, the next run ends with the same files as a run that was not killed."""
    letter_site.configure(CONFIG + NEWSLETTER.replace("desk@", 'a@example.com", "b@example.com", "desk@', 1))
    letter_site.publish()
    letter_site.post("second", date="2026-11-25")
    clean = letter_site.files(".")
    letter_site.publish(DUE)
    finished = letter_site.files("public", ".feeds/outbox")
    step = 0
    while True:
        for name in letter_site.files("public", ".feeds/outbox"):
            (letter_site.folder / name).unlink()
        for name, content in clean.items():
            (letter_site.folder / name).write_bytes(content)
        killed = _killed_at(letter_site, step)
        for name, content in letter_site.files("public").items():
            assert ".feeds-unfinished-" in name or content in {finished[name], clean.get(name)}, f"torn at step {step}"
        letter_site.publish(DUE)
        assert letter_site.files("public", ".feeds/outbox") == finished, f"after a kill at step {step}"
        assert [i.number for i in letter_site.publish(DUE).issues] == []
        step += 1
        if not killed:
            break
    assert step > 12
