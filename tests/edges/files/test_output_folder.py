"""Folders that the program writes to, on a real disk."""

import os
import resource
import signal
import stat

import pytest

from feeds.edges.files.output_folder import OutputFolder
from feeds.errors import OutputError


def test_a_file_whose_content_is_the_same_is_not_written(tmp_path):
    """It keeps its inode and its time of modification, so the caches of web servers stay valid."""
    output = OutputFolder(tmp_path)
    assert output.write("a/b.xml", b"one")
    before = (tmp_path / "a/b.xml").stat()
    assert not output.write("a/b.xml", b"one")
    assert (tmp_path / "a/b.xml").stat().st_ino == before.st_ino
    assert output.write("a/b.xml", b"two")
    assert output.read("a/b.xml") == b"two"


def test_a_dry_run_returns_what_would_change_and_writes_nothing(tmp_path):
    """`write` returns True and creates neither file nor folder."""
    assert OutputFolder(tmp_path, dry_run=True).write("a/b.xml", b"one")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["../out.xml", "a/../../out.xml", "/tmp/out.xml", "link/out.xml"])
def test_a_path_outside_of_the_folder_is_rejected(tmp_path, path):
    """A path with `..`, an absolute path and a path through a link are errors, and no file is written."""
    root = tmp_path / "public"
    root.mkdir()
    (root / "link").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(OutputError, match="is outside of"):
        OutputFolder(root).write(path, b"x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["public"]


def test_public_files_follow_the_umask_and_private_ones_are_for_their_owner(tmp_path):
    """Feeds get the permissions that the umask leaves; letters, which hold addresses, get 0600."""
    before = os.umask(0o022)
    try:
        OutputFolder(tmp_path).write("feeds/a.xml", b"x")
        OutputFolder(tmp_path, private=True).write("outbox/a.eml", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "feeds/a.xml").stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / "outbox/a.eml").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "outbox").stat().st_mode) == 0o700


def test_a_full_disk_leaves_the_old_file_unchanged(tmp_path):
    """The write is an OutputError, the file has its old content, and no temporary file is left."""
    output = OutputFolder(tmp_path)
    output.write("a.xml", b"old")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(OutputError, match=r"a\.xml: cannot be written: File too large"):
            output.write("a.xml", b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.xml", b"old")]


def test_temporary_files_of_a_killed_process_are_removed(tmp_path):
    """Only temporary files are removed, and only in the folders that are named."""
    for folder in ("feeds", "images"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / ".feeds-unfinished-x").touch()
    (tmp_path / "feeds" / "atom.xml").touch()
    OutputFolder(tmp_path).remove_temp_files("feeds")
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()) == [
        "feeds/atom.xml",
        "images/.feeds-unfinished-x",
    ]
