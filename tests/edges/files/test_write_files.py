"""Writing files in one step, on a real disk."""

import os
import stat
from pathlib import Path

import pytest

from feeds.edges.files import write_files


@pytest.fixture
def synced(monkeypatch):
    """The paths of everything that `os.fsync` is called for, in order."""
    found = []
    fsync = os.fsync

    def record(descriptor):
        found.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    return found


def test_a_durable_write_syncs_the_file_and_then_its_folder(tmp_path, synced):
    """Without the second fsync the rename itself could be lost with the power (fsync(2))."""
    write_files.replace_file(tmp_path / "a", [b"one", b"two"])
    assert (tmp_path / "a").read_bytes() == b"onetwo"
    assert synced[0].startswith(f"{tmp_path}/{write_files.TEMP_PREFIX}")
    assert synced[1:] == [str(tmp_path)]
    synced.clear()
    write_files.replace_file(tmp_path / "a", [b"three"], durable=False)
    assert ((tmp_path / "a").read_bytes(), synced) == (b"three", [])


def test_a_file_that_exists_is_not_created_again(tmp_path):
    """Of two processes that create a file the first wins; no temporary file is left."""
    write_files.create_file(tmp_path / "a", [b"first"], mode=0o600)
    with pytest.raises(FileExistsError):
        write_files.create_file(tmp_path / "a", [b"second"])
    assert (tmp_path / "a").read_bytes() == b"first"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_content_that_fails_leaves_the_old_file(tmp_path):
    """An error while the content is produced leaves the old file and no temporary one."""

    def content():
        yield b"new"
        raise ZeroDivisionError

    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(ZeroDivisionError):
        write_files.replace_file(tmp_path / "a", content())
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("a", b"old")]


def test_a_mode_is_exact_and_the_default_follows_the_umask(tmp_path):
    """The umask limits the permissions of a file only if no mode is given."""
    before = os.umask(0o027)
    try:
        write_files.replace_file(tmp_path / "a", [])
        write_files.replace_file(tmp_path / "b", [], mode=0o666)
    finally:
        os.umask(before)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "ab"] == [0o640, 0o666]


def test_a_name_without_a_folder_is_a_file_in_the_current_folder(tmp_path, monkeypatch):
    """Both write functions accept a bare file name."""
    monkeypatch.chdir(tmp_path)
    write_files.create_file("a", [b"1"])
    write_files.replace_file("b", [b"2"])
    assert sorted((file.name, file.read_bytes()) for file in tmp_path.iterdir()) == [("a", b"1"), ("b", b"2")]
