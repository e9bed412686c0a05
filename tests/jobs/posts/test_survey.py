"""Reading the posts folder gives the same result with a cache and without one."""

import os
import re
import shutil
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feeds.errors import PostChangedDuringRead
from tests.conftest import CONFIG, NOW, SampleSite

WORDS = ["reading", "paper", "gym", "lyric", "of", "a", "the", "song", "every", "longer", "year"]


def body(seed):
    """A text long enough to be compared; neighbouring seeds give nearly the same text."""
    words = [WORDS[(n * 7 + n // 11 + seed // 3) % len(WORDS)] + str(n % 5) * (n % 4 == 0) for n in range(160)]
    words[seed % 3 * 40] = "other" * (seed % 3 > 0)
    return " ".join(words) + "\n"


#: Each publishes two sites several times.
EXAMPLES = 60 if settings().max_examples <= 100 else 300
PLACES = st.integers(0, 5)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), PLACES, st.integers(0, 11)),
        st.tuples(st.just("draft"), PLACES, st.integers(0, 11)),
        st.tuples(st.just("break"), PLACES, st.just(0)),
        st.tuples(st.just("future"), PLACES, st.integers(0, 11)),
        st.tuples(st.just("remove"), PLACES, st.just(0)),
        st.tuples(st.just("rename"), PLACES, PLACES),
        st.tuples(st.just("swap"), PLACES, PLACES),
        st.tuples(st.just("copy"), PLACES, PLACES),
        st.tuples(st.just("touch"), PLACES, st.just(0)),
        st.tuples(st.just("clock"), st.integers(1, 40), st.just(0)),
        st.tuples(st.just("publish"), st.just(0), st.just(0)),
    ),
    min_size=2,
    max_size=14,
)


def apply(site, edit, place, other, stamp):
    """Do one edit. All files get the same time and nearly the same size, so that changes are hard to notice."""
    file, to = (site.folder / "posts" / f"p{n}.md" for n in (place, other))
    front = {"draft": "draft: true\n", "future": "date: 2026-12-10\n"}.get(edit, "date: 2026-11-01\n")
    if edit in {"write", "draft", "future"}:
        file.write_text(f"---\ntitle: Title {other}\ncategory: C{other % 3}\n{front}---\n{body(other)}", "utf-8")
    elif edit == "break":
        file.write_text("---\ntitle: Broken\n", "utf-8")
    elif file.exists() and edit == "remove":
        file.unlink()
    elif file.exists() and edit == "rename":
        file.replace(to)
    elif file.exists() and to.exists() and edit == "swap" and file != to:
        spare = file.with_suffix(".spare")
        file.rename(spare)
        to.rename(file)
        spare.rename(to)
    elif file.exists() and edit == "copy" and file != to:
        shutil.copy2(file, to)
    elif file.exists() and edit == "touch":
        os.utime(file)
    if file.exists() and edit != "touch":
        os.utime(file, ns=(stamp, stamp))


@given(STEPS)
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_with_and_without_a_cache_the_outputs_are_the_same_bytes(tmp_path_factory, steps):
    """After any edits at any time, outputs with and without a cache are the same, also if files keep size and time."""
    results = []
    for use_cache in (True, False):
        folder = tmp_path_factory.mktemp("site")
        (folder / "posts").mkdir()
        site = SampleSite(folder)
        site.configure(CONFIG)
        now, outcomes = NOW, []
        for what, place, other in steps:
            if what == "clock":
                now += timedelta(days=place)
            elif what == "publish":
                outcomes.append(outcome(site, now, use_cache=use_cache))
            else:
                apply(site, what, place, other, stamp=1_700_000_000_000_000_000)
        outcomes.append(outcome(site, now, use_cache=use_cache))
        results.append(outcomes)
    assert results[0] == results[1]


def outcome(site, now, *, use_cache):
    report = site.publish(now, use_cache=use_cache)
    return (
        report.counts,
        report.errors,
        [line.replace(str(site.folder), "") for line in report.warnings],
        site.files("public"),
    )


@contextmanager
def listening(listener):
    """Call *listener* with the name of every file before it is opened.

    No audit hook: one stays for good, and under coverage.py two threads that begin at once then fail (CPython 3.11
    refuses a trace function while a hook hears of another one).
    """

    def opening(name, *arguments, **keywords):
        listener(os.fspath(name))
        return real(name, *arguments, **keywords)

    real, os.open = os.open, opening
    try:
        yield
    finally:
        os.open = real


def publish_listening(site):
    """Publish; return which files were written and which posts were opened."""
    opened: set[str] = set()
    time.sleep(0.05)  # a file that was changed within the last tick of the clock would be read again
    with listening(lambda name: opened.add(Path(name).name) if name.endswith(".md") else None):
        return site.publish().written, opened


def test_only_files_in_folders_of_a_name_are_posts(site):
    """`posts.only_in` leaves out other files; in Jekyll the folders above are categories, and each counts once."""
    front = {"date": "2026-11-01", "categories": "[Coll, x]"}
    for name in ("Blog/_posts/sub/a", "coll/_posts/b", "_posts/c", "coll/page", "x_posts/d"):
        site.post(name, f"Words of {name} that no other has.\n", **front)
    jekyll = '[posts]\ngenerator = "jekyll"\nonly_in = "_posts"\npermalink = "/:categories/:title/"\n'
    site.configure(f"{CONFIG}{jekyll}")
    site.publish()
    links = re.findall(r'<link href="https://example.com(/[^"]*)" rel="alternate"', site.read("public/feeds/atom.xml"))
    assert sorted(links) == ["/", "/blog/coll/x/a/", "/coll/x/b/", "/coll/x/c/"]


def test_what_has_not_changed_is_not_opened(site):
    """A run opens only the posts that have changed, and writes only their feeds."""
    for n in range(6):
        site.post(f"p{n}", f"Text {n} of its own. " * 30, categories=f"[C{n % 2}]")
    assert publish_listening(site)[1] == {f"p{n}.md" for n in range(6)}
    assert publish_listening(site) == ([], set())
    site.post("p1", "Another text. " * 30, categories="[C1]", draft="true")
    written, opened = publish_listening(site)
    assert sorted(written) == [
        *("feeds/all/index.html", "feeds/atom.xml", "feeds/category/c1/atom.xml", "feeds/category/c1/index.html"),
        "feeds/index.html",
    ]
    assert "p1.md" in opened
    assert publish_listening(site) == ([], set())


def at_second_opening(name, act):
    """Return a listener that calls *act* before a file is opened for the second time, to be rendered."""
    times = []

    def listener(opened):
        if Path(opened).name == name:
            times.append(opened)
            if len(times) == 2:
                act()

    return listener


def test_a_file_that_changes_while_it_is_read_is_read_again(site):
    """If a post changes between reading and rendering, title and text of one and the same version are published."""
    site.post("a", "First. " * 40)
    with listening(at_second_opening("a.md", lambda: site.post("a", "Second. " * 40, title="Two"))):
        report = site.publish()
    assert report.errors == []
    feed = site.read("public/feeds/atom.xml")
    assert ("Second." in feed, "First." in feed, "<title>Two</title>" in feed) == (True, False, True)


def test_a_file_that_is_removed_while_it_is_read_is_left_out(site):
    """If a post is removed between reading and rendering, the others are published without it."""
    file = site.post("a", "First. " * 40)
    site.post("b", "Second. " * 40)
    with listening(at_second_opening("a.md", file.unlink)):
        report = site.publish()
    assert (report.errors, report.counts["public"]) == ([], 1)


def test_a_file_that_keeps_changing_is_an_error(site):
    """A post that changes whenever it is read is an error with its path."""
    turns = []

    def restless(opened):
        if opened.endswith("a.md") and len(turns) % 2 == 0:
            turns.append(opened)
            site.post("a", f"{len(turns)}. " * 40)
            turns.append(opened)

    site.post("a", "First. " * 40)
    with listening(restless), pytest.raises(PostChangedDuringRead, match=r"a\.md: keeps changing while it is read"):
        site.publish()


def test_a_post_that_cannot_be_rendered_is_rejected_and_the_others_go_on(site):
    """A post that is read but cannot be rendered, as its HTML is too large, is rejected; the others are published."""
    site.post("a", "Good. " * 40)
    site.post("b", "[^1]" * 30_000 + "\n\n[^1]: x\n")
    report = site.publish()
    assert report.errors == ["posts/b.md:5: its HTML is more than 20 times as long as its Markdown"]
    assert (report.counts["public"], report.counts["rejected"]) == (1, 1)
    assert "feeds/atom.xml" in report.written


def test_a_thousand_files_that_are_the_same_are_one_post(site):
    """Of a thousand equal files one is published; workers read them, and not every pair is compared."""
    first = site.post("0000", "The same words again and again, in every file. " * 20)
    for n in range(1, 1000):
        shutil.copy(first, first.with_name(f"{n:04}.md"))
    report = site.publish()
    assert report.counts["public"] == 1
    assert report.counts["duplicate"] == 999


def test_many_posts_read_by_workers_give_what_one_process_gives(site):
    """Several worker processes give the same result as one process."""
    for n in range(700):
        date = f"2026-{1 + n % 11:02}-{1 + n % 28:02}"
        site.post(f"p{n:03}", f"{body(n)} Number {n}.\n", date=date, category=f"C{n % 9}")
    together = site.publish(use_cache=False)
    files = site.files("public")
    shutil.rmtree(site.folder / "public")
    (site.folder / ".feeds/feeds.db").unlink()
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        alone = site.publish(use_cache=False)
    finally:
        os.sched_setaffinity(0, cores)
    assert (together.counts, together.warnings, files) == (alone.counts, alone.warnings, site.files("public"))


@pytest.mark.parametrize("name", [b"caf\xe9.md", "線.md".encode()])
def test_names_of_any_kind_are_read_with_a_cache(site, name):
    """A file name that is not UTF-8 is rejected in each run, and the cache works for the others."""
    site.post("a")
    (site.folder / "posts" / os.fsdecode(name)).write_text("---\ntitle: T\ndate: 2026-11-01\n---\nx", "utf-8")
    first = site.publish()
    assert site.publish().counts == first.counts
    assert first.counts["public"] + first.counts["rejected"] == 2
