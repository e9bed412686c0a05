"""Folders that only their owner may enter."""

import stat

from feeds.edges.files.private_folder import create_private_folder


def test_a_private_folder_is_closed_and_ignored_by_git(tmp_path):
    """All missing folders are created with mode 0700; the topmost of them gets a `.gitignore`, the others none."""
    create_private_folder(tmp_path / "a/b/c")
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b", "a/b/c")} == {0o700}
    create_private_folder(tmp_path / "a/b/d")
    assert [str(file.relative_to(tmp_path)) for file in tmp_path.rglob(".gitignore")] == ["a/.gitignore"]
    assert (tmp_path / "a/.gitignore").read_bytes() == b"*\n"


def test_a_folder_that_exists_stays_as_it_is(tmp_path):
    """An existing folder keeps its mode and gets no `.gitignore`; the one of a repository does not count as ours."""
    tmp_path.chmod(0o755)
    (tmp_path / ".gitignore").write_text("*.log\n", "utf-8")
    create_private_folder(tmp_path)
    create_private_folder(tmp_path / "state")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert (tmp_path / ".gitignore").read_text("utf-8") == "*.log\n"
    assert (tmp_path / "state/.gitignore").exists()
