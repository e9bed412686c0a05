"""What is kept between passes, and when it is not trusted."""

import fcntl
import os

import msgspec
import pytest

from feeds.edges.cache.build_manifest import BuildManifest
from feeds.edges.cache.post_cache import CachedPost, PostCache, with_trusted_stamp
from feeds.model import TextSimilarity
from tests.core.factory import post

STAMP = (1, 2, 3, 4)
PAIR = ("a.md", "手紙.md")
LIKE = TextSimilarity(jaccard=0.9, characters=900)


def reading(path, **values):
    return CachedPost(path, STAMP, "digest", post(path, **values))


def saved(folder, *paths, build="b1", gone=(), likeness=None):
    cache = PostCache(folder, build)
    cache.load()
    cache.save({path: reading(path) for path in paths}, list(gone), likeness or {})
    return cache


def loaded(folder, build="b1"):
    cache = PostCache(folder, build)
    cache.load()
    return cache


def test_what_was_read_is_there_again(tmp_path):
    """Whole: posts with dates in their own zones, and how alike texts are."""
    saved(tmp_path / "c", "a.md", "手紙.md", likeness={PAIR: LIKE})
    found = loaded(tmp_path / "c")
    assert found.readings == {"a.md": reading("a.md"), "手紙.md": reading("手紙.md")}
    assert (found.likeness, found.warnings) == ({PAIR: LIKE}, [])


def test_a_small_change_is_added_and_many_are_written_anew(tmp_path):
    """A pass costs what it changed, and the file does not grow for ever."""
    folder = tmp_path / "c"
    saved(folder, "a.md", "b.md")
    size = (folder / "posts").stat().st_size
    saved(folder, "c.md", gone=["a.md"])
    assert (folder / "posts").stat().st_size > size
    assert loaded(folder).readings.keys() == {"b.md", "c.md"}
    for _ in range(20):
        saved(folder, "c.md")
    assert (folder / "posts").stat().st_size < 4 * size


def test_another_build_starts_with_nothing_and_says_nothing(tmp_path):
    """A newer version, other libraries, other settings: it is nobody's fault."""
    saved(tmp_path / "c", "a.md", build="b1")
    found = loaded(tmp_path / "c", "b2")
    assert (found.readings, found.warnings) == ({}, [])
    found.save({"b.md": reading("b.md")}, [], {})
    assert loaded(tmp_path / "c", "b2").readings.keys() == {"b.md"}


DAMAGES = {
    "a bit": lambda content: content[:-20] + bytes([content[-20] ^ 1]) + content[-19:],
    "the end": lambda content: content[:-20],
    "the middle": lambda content: content[:200] + content[300:],
    "all of it": lambda _: b"\x00" * 5000,
    "another file": lambda _: b"SQLite format 3\0 and so on\n" * 20,
    "nothing left": lambda _: b"",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_cache_is_told_and_nothing_of_it_is_used(tmp_path, damage):
    """And the next one is whole again."""
    folder = tmp_path / "c"
    saved(folder, "a.md", "b.md")
    (folder / "posts").write_bytes(damage((folder / "posts").read_bytes()))
    found = loaded(folder)
    assert found.readings == {}
    assert len(found.warnings) == 1
    assert "it is made anew from the posts" in found.warnings[0]
    found.save({"a.md": reading("a.md")}, [], {})
    again = loaded(folder)
    assert (again.readings.keys(), again.warnings) == ({"a.md"}, [])


def test_of_two_processes_the_second_leaves_what_the_first_has_changed(tmp_path):
    """What it found out it finds out again; nothing is torn or mixed."""
    folder = tmp_path / "c"
    saved(folder, "a.md")
    one, other = loaded(folder), loaded(folder)
    one.save({"b.md": reading("b.md")}, [], {})
    other.save({"c.md": reading("c.md")}, ["a.md"], {})
    assert loaded(folder).readings.keys() == {"a.md", "b.md"}


def test_a_cache_that_somebody_writes_to_is_left_alone(tmp_path):
    """Nobody waits for it."""
    folder = tmp_path / "c"
    saved(folder, "a.md")
    number = os.open(folder, os.O_RDONLY)
    fcntl.flock(number, fcntl.LOCK_EX)
    saved(folder, "b.md")
    os.close(number)
    assert loaded(folder).readings.keys() == {"a.md"}


def test_a_cache_that_cannot_be_written_is_a_warning(tmp_path):
    """A file stands where the folder should."""
    (tmp_path / "c").write_text("", "utf-8")
    cache = saved(tmp_path / "c", "a.md")
    assert "the cache cannot be" in cache.warnings[-1]
    assert cache.trust_threshold() == 0


def test_what_is_not_to_be_kept_leaves_no_trace(tmp_path):
    """A dry run reads the cache and writes nothing."""
    cache = PostCache(tmp_path / "c", "b1", keep=False)
    cache.save({"a.md": reading("a.md")}, [], {})
    assert cache.trust_threshold() == 0
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_changed_a_moment_ago_is_read_again():
    """It may change once more in the same tick of the file system's clock."""
    at_rest = CachedPost("a.md", (100, 200, 3, 4), "digest", None)
    assert with_trusted_stamp(at_rest, 201) == at_rest
    assert with_trusted_stamp(at_rest, 200) == msgspec.structs.replace(at_rest, stamp=(0, 0, 0, 0))


def test_an_output_is_fresh_as_long_as_recipe_and_file_are(tmp_path):
    """A file that somebody touched, and a recipe that is another, are looked at."""
    public = tmp_path / "public"
    public.mkdir()

    def made():
        return BuildManifest(tmp_path / "made", public, "b1")

    (public / "atom.xml").write_text("x", "utf-8")
    first = made()
    assert not first.is_fresh("atom.xml", "r1")
    first.record("atom.xml", "r1")
    first.save()
    assert made().is_fresh("atom.xml", "r1")
    assert not made().is_fresh("atom.xml", "r2")
    assert not BuildManifest(tmp_path / "made", public, "b2").is_fresh("atom.xml", "r1")
    (public / "atom.xml").write_text("y", "utf-8")
    assert not made().is_fresh("atom.xml", "r1")
    (public / "atom.xml").unlink()
    assert not made().is_fresh("atom.xml", "r1")


def test_damaged_recipes_are_none(tmp_path):
    """Then everything is made and compared."""
    (tmp_path / "atom.xml").write_text("x", "utf-8")
    made = BuildManifest(tmp_path / "made", tmp_path, "b1")
    made.record("atom.xml", "r1")
    made.save()
    content = (tmp_path / "made").read_bytes()
    for damaged in (content[:-1], content.replace(b"r1", b"r3"), b"", b"\xff" * 90):
        (tmp_path / "made").write_bytes(damaged)
        assert not BuildManifest(tmp_path / "made", tmp_path, "b1").is_fresh("atom.xml", "r1")
