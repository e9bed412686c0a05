"""Reading a folder with a memory gives what reading it without one does."""

import os
import shutil
import sys
import time
from collections.abc import Callable
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
    """A text long enough to be compared; neighbouring seeds are nearly the same."""
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


def apply(site, what, place, other, stamp):
    """Do one edit. Each file has the same age and size as far as possible: that is the hardest to tell apart."""
    file, to = (site.folder / "posts" / f"p{n}.md" for n in (place, other))
    front = {"draft": "draft: true\n", "future": "date: 2026-12-10\n"}.get(what, "date: 2026-11-01\n")
    if what in {"write", "draft", "future"}:
        file.write_text(f"---\ntitle: Title {other}\ncategory: C{other % 3}\n{front}---\n{body(other)}", "utf-8")
    elif what == "break":
        file.write_text("---\ntitle: Broken\n", "utf-8")
    elif file.exists() and what == "remove":
        file.unlink()
    elif file.exists() and what == "rename":
        file.replace(to)
    elif file.exists() and to.exists() and what == "swap" and file != to:
        spare = file.with_suffix(".spare")
        file.rename(spare)
        to.rename(file)
        spare.rename(to)
    elif file.exists() and what == "copy" and file != to:
        shutil.copy2(file, to)
    elif file.exists() and what == "touch":
        os.utime(file)
    if file.exists() and what != "touch":
        os.utime(file, ns=(stamp, stamp))


@given(STEPS)
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_with_and_without_a_cache_the_outputs_are_the_same_bytes(tmp_path_factory, steps):
    """After any edits, at any moment, also where files keep their size and time of modification."""
    made = []
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
        made.append(outcomes)
    assert made[0] == made[1]


def outcome(site, now, *, use_cache):
    report = site.publish(now, use_cache=use_cache)
    return (
        report.counts,
        report.errors,
        [line.replace(str(site.folder), "") for line in report.warnings],
        site.files("public"),
    )


#: What hears of every file that this process opens; the last one only.
ears: list[Callable[[str], None]] = []


def _hear(event, arguments):
    if event == "open" and ears and isinstance(arguments[0], str):
        ears[-1](arguments[0])


sys.addaudithook(_hear)


@contextmanager
def heard(ear):
    ears.append(ear)
    try:
        yield
    finally:
        ears.pop()


def publish_listening(site):
    """Publish; return what was written and which posts were opened for it."""
    opened: set[str] = set()
    time.sleep(0.05)  # a file that was changed within a tick of the clock is read again, to be sure
    with heard(lambda name: opened.add(Path(name).name) if name.endswith(".md") else None):
        return site.publish().written, opened


def test_what_has_not_changed_is_not_opened(site):
    """And of what has, only that is; only its feeds are written."""
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
    """Return an ear that does *act* before a file is opened for the second time: it was read, and is to be shown."""
    times = []

    def ear(opened):
        if Path(opened).name == name:
            times.append(opened)
            if len(times) == 2:
                act()

    return ear


def test_a_file_that_changes_while_it_is_read_is_read_again(site):
    """What is published is one state of it, whole."""
    site.post("a", "First. " * 40)
    with heard(at_second_opening("a.md", lambda: site.post("a", "Second. " * 40, title="Two"))):
        report = site.publish()
    assert report.errors == []
    feed = site.read("public/feeds/atom.xml")
    assert ("Second." in feed, "First." in feed, "<title>Two</title>" in feed) == (True, False, True)


def test_a_file_that_is_taken_away_while_it_is_read_was_never_there(site):
    """The others go on."""
    file = site.post("a", "First. " * 40)
    site.post("b", "Second. " * 40)
    with heard(at_second_opening("a.md", file.unlink)):
        report = site.publish()
    assert (report.errors, report.counts["public"]) == ([], 1)


def test_a_file_that_never_comes_to_rest_is_told(site):
    """Nobody publishes half of it."""
    turns = []

    def restless(opened):
        if opened.endswith("a.md") and len(turns) % 2 == 0:
            turns.append(opened)
            site.post("a", f"{len(turns)}. " * 40)
            turns.append(opened)

    site.post("a", "First. " * 40)
    with heard(restless), pytest.raises(PostChangedDuringRead, match=r"a\.md: keeps changing while it is read"):
        site.publish()


def test_a_post_that_cannot_be_shown_is_rejected_and_the_others_go_on(site):
    """It reads well; rendered, a few characters become a thousand times as many."""
    site.post("a", "Good. " * 40)
    site.post("b", "[^1]" * 30_000 + "\n\n[^1]: x\n")
    report = site.publish()
    assert report.errors == ["posts/b.md:5: its HTML is more than 20 times as long as its Markdown"]
    assert (report.counts["public"], report.counts["rejected"]) == (1, 1)
    assert "feeds/atom.xml" in report.written


def test_a_thousand_files_that_are_the_same_are_one_post(site):
    """Read by several processes, and nothing is compared a million times."""
    first = site.post("0000", "The same words again and again, in every file. " * 20)
    for n in range(1, 1000):
        shutil.copy(first, first.with_name(f"{n:04}.md"))
    report = site.publish()
    assert report.counts["public"] == 1
    assert report.counts["duplicate"] == 999


def test_many_posts_read_by_workers_give_what_one_process_gives(site):
    """Whoever reads them; a process that is bound to one core starts no other."""
    for n in range(700):
        date = f"2026-{1 + n % 11:02}-{1 + n % 28:02}"
        site.post(f"p{n:03}", f"{body(n)} Number {n}.\n", date=date, category=f"C{n % 9}")
    together = site.publish(use_cache=False)
    files = site.files("public")
    shutil.rmtree(site.folder / "public")
    (site.folder / "feeds.db").unlink()
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        alone = site.publish(use_cache=False)
    finally:
        os.sched_setaffinity(0, cores)
    assert (together.counts, together.warnings, files) == (alone.counts, alone.warnings, site.files("public"))


@pytest.mark.parametrize("name", [b"caf\xe9.md", "線.md".encode()])
def test_names_of_any_kind_are_read_with_a_cache(site, name):
    """What is not UTF-8 is refused each time, and keeps nothing else from being known."""
    site.post("a")
    (site.folder / "posts" / os.fsdecode(name)).write_text("---\ntitle: T\ndate: 2026-11-01\n---\nx", "utf-8")
    first = site.publish()
    assert site.publish().counts == first.counts
    assert first.counts["public"] + first.counts["rejected"] == 2
