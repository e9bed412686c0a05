"""Reading and rewriting files that people wrote, on a real disk."""

import os
import stat

import pytest

from feeds.edges.files import source_files
from feeds.errors import OutputError, PostError


def test_a_link_to_a_file_outside_the_folder_is_rejected(tmp_path):
    """Posts may come from a stranger; a link in their folder publishes no other file of this machine."""
    (tmp_path / "secret.md").write_text("secret", "utf-8")
    posts = tmp_path / "posts"
    posts.mkdir()
    (posts / "a.md").symlink_to(tmp_path / "secret.md")
    (posts / "gone.md").symlink_to(tmp_path / "nowhere.md")
    with pytest.raises(PostError, match=r"a\.md: is a link to a file outside of .*/posts"):
        source_files.read_file(posts, "a.md", 100)
    with pytest.raises(PostError, match=r"gone\.md: cannot be read: No such file"):
        source_files.read_file(posts, "gone.md", 100)


def test_a_large_file_is_rejected_before_it_is_read(tmp_path):
    """The size decides; the test's sparse file takes no space on the disk."""
    with (tmp_path / "a.md").open("wb") as opened:
        opened.truncate(20_000_000)
    with pytest.raises(PostError, match=r"a\.md: is too large: 20 MB; the limit is 10 MB"):
        source_files.read_file(tmp_path, "a.md", 10_000_000)


def test_a_pipe_is_rejected(tmp_path):
    """Reading a pipe would wait until another process writes to it."""
    os.mkfifo(tmp_path / "a.md")
    with pytest.raises(PostError, match="is not a regular file"):
        source_files.read_file(tmp_path, "a.md", 100)


def test_a_name_that_is_not_utf8_is_printed_and_rejected(tmp_path):
    """The error shows the invalid bytes as escapes."""
    name = os.fsdecode(b"caf\xe9.md")
    (tmp_path / name).touch()
    with pytest.raises(PostError, match=r"caf\\xe9\.md: the file's name is not UTF-8"):
        source_files.read_file(tmp_path, name, 100)


def test_a_file_that_changed_in_the_meantime_is_not_rewritten(tmp_path):
    """It keeps what another program wrote between our read and our write."""
    (tmp_path / "a.md").write_bytes(b"theirs")
    with pytest.raises(OutputError, match=r"a\.md: was changed by another program"):
        source_files.rewrite_file(tmp_path, "a.md", b"read", b"ours")
    assert (tmp_path / "a.md").read_bytes() == b"theirs"
    with pytest.raises(OutputError, match=r"gone\.md: cannot be written"):
        source_files.rewrite_file(tmp_path, "gone.md", b"", b"ours")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.md"]


def test_a_rewritten_file_keeps_its_mode_and_its_link(tmp_path):
    """Rewriting through a link replaces the content of its target."""
    file = tmp_path / "real.md"
    file.write_bytes(b"old")
    file.chmod(0o664)
    (tmp_path / "a.md").symlink_to(file)
    source_files.rewrite_file(tmp_path, "a.md", b"old", b"new")
    assert (tmp_path / "a.md").is_symlink()
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o664)
