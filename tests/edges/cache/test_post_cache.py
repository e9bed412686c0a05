"""The post cache and the build manifest: what they store, and when they are not trusted."""

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
SIMILARITY = TextSimilarity(jaccard=0.9, characters=900)


def cached(path, **values):
    return CachedPost(path, STAMP, "digest", post(path, **values))


def save(folder, *paths, build="b1", gone=(), likeness=None):
    cache = PostCache(folder, build)
    cache.load()
    cache.save({path: cached(path) for path in paths}, list(gone), likeness or {})
    return cache


def load(folder, build="b1"):
    cache = PostCache(folder, build)
    cache.load()
    return cache


def test_the_cache_returns_what_was_saved(tmp_path):
    """Posts have their dates in their own zones, and similarities are saved too."""
    save(tmp_path / "c", "a.md", "手紙.md", likeness={PAIR: SIMILARITY})
    found = load(tmp_path / "c")
    assert found.posts == {"a.md": cached("a.md"), "手紙.md": cached("手紙.md")}
    assert (found.similarities, found.warnings) == ({PAIR: SIMILARITY}, [])


def test_a_small_change_is_appended_and_many_make_the_file_be_rewritten(tmp_path):
    """So a run costs what it changed, and the size of the file is bounded."""
    folder = tmp_path / "c"
    save(folder, "a.md", "b.md")
    size = (folder / "posts").stat().st_size
    save(folder, "c.md", gone=["a.md"])
    assert (folder / "posts").stat().st_size > size
    assert load(folder).posts.keys() == {"b.md", "c.md"}
    for _ in range(20):
        save(folder, "c.md")
    assert (folder / "posts").stat().st_size < 4 * size


def test_a_cache_of_another_build_is_ignored_without_a_warning(tmp_path):
    """Another version, other libraries or other settings are not an error."""
    save(tmp_path / "c", "a.md", build="b1")
    found = load(tmp_path / "c", "b2")
    assert (found.posts, found.warnings) == ({}, [])
    found.save({"b.md": cached("b.md")}, [], {})
    assert load(tmp_path / "c", "b2").posts.keys() == {"b.md"}


DAMAGES = {
    "a bit": lambda content: content[:-20] + bytes([content[-20] ^ 1]) + content[-19:],
    "the end": lambda content: content[:-20],
    "the middle": lambda content: content[:200] + content[300:],
    "all of it": lambda _: b"\x00" * 5000,
    "another file": lambda _: b"SQLite format 3\0 and so on\n" * 20,
    "nothing left": lambda _: b"",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_cache_is_a_warning_and_is_not_used(tmp_path, damage):
    """The next run writes a valid one."""
    folder = tmp_path / "c"
    save(folder, "a.md", "b.md")
    (folder / "posts").write_bytes(damage((folder / "posts").read_bytes()))
    found = load(folder)
    assert found.posts == {}
    assert len(found.warnings) == 1
    assert "it is rebuilt from the posts" in found.warnings[0]
    found.save({"a.md": cached("a.md")}, [], {})
    again = load(folder)
    assert (again.posts.keys(), again.warnings) == ({"a.md"}, [])


def test_a_process_does_not_overwrite_a_cache_that_another_has_changed(tmp_path):
    """Its own results are not saved, and nothing is mixed."""
    folder = tmp_path / "c"
    save(folder, "a.md")
    one, other = load(folder), load(folder)
    one.save({"b.md": cached("b.md")}, [], {})
    other.save({"c.md": cached("c.md")}, ["a.md"], {})
    assert load(folder).posts.keys() == {"a.md", "b.md"}


def test_a_cache_that_another_process_has_locked_is_not_written(tmp_path):
    """The run does not wait for the lock."""
    folder = tmp_path / "c"
    save(folder, "a.md")
    number = os.open(folder, os.O_RDONLY)
    fcntl.flock(number, fcntl.LOCK_EX)
    save(folder, "b.md")
    os.close(number)
    assert load(folder).posts.keys() == {"a.md"}


def test_a_cache_that_cannot_be_written_is_a_warning(tmp_path):
    """Here there is a file with the name of the folder."""
    (tmp_path / "c").write_text("", "utf-8")
    cache = save(tmp_path / "c", "a.md")
    assert "the cache cannot be" in cache.warnings[-1]
    assert cache.trust_threshold() == 0


def test_a_dry_run_writes_no_cache(tmp_path):
    """With `keep=False` no file and no folder is created."""
    cache = PostCache(tmp_path / "c", "b1", keep=False)
    cache.save({"a.md": cached("a.md")}, [], {})
    assert cache.trust_threshold() == 0
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_changed_a_moment_ago_is_read_again():
    """It may change again in the same tick of the file system's clock, and would have the same stamp."""
    at_rest = CachedPost("a.md", (100, 200, 3, 4), "digest", None)
    assert with_trusted_stamp(at_rest, 201) == at_rest
    assert with_trusted_stamp(at_rest, 200) == msgspec.structs.replace(at_rest, stamp=(0, 0, 0, 0))


def test_an_output_is_fresh_as_long_as_its_inputs_and_its_file_are_the_same(tmp_path):
    """It is not fresh with another digest, another build, or a file that was changed or removed."""
    public = tmp_path / "public"
    public.mkdir()

    def manifest():
        return BuildManifest(tmp_path / "made", public, "b1")

    (public / "atom.xml").write_text("x", "utf-8")
    first = manifest()
    assert not first.is_fresh("atom.xml", "digest 1")
    first.record("atom.xml", "digest 1")
    first.save()
    assert manifest().is_fresh("atom.xml", "digest 1")
    assert not manifest().is_fresh("atom.xml", "digest 2")
    assert not BuildManifest(tmp_path / "made", public, "b2").is_fresh("atom.xml", "digest 1")
    (public / "atom.xml").write_text("y", "utf-8")
    assert not manifest().is_fresh("atom.xml", "digest 1")
    (public / "atom.xml").unlink()
    assert not manifest().is_fresh("atom.xml", "digest 1")


def test_a_damaged_manifest_is_ignored(tmp_path):
    """No output is fresh then."""
    (tmp_path / "atom.xml").write_text("x", "utf-8")
    manifest = BuildManifest(tmp_path / "made", tmp_path, "b1")
    manifest.record("atom.xml", "digest 1")
    manifest.save()
    content = (tmp_path / "made").read_bytes()
    for damaged in (content[:-1], content.replace(b"digest 1", b"digest 3"), b"", b"\xff" * 90):
        (tmp_path / "made").write_bytes(damaged)
        assert not BuildManifest(tmp_path / "made", tmp_path, "b1").is_fresh("atom.xml", "digest 1")
