"""Listing the posts of a folder."""

import os

from hypothesis import given
from hypothesis import strategies as st

from feeds.edges.files.scan import is_post, scan_folder


def test_only_posts_are_found(tmp_path):
    """Posts are Markdown and HTML files other than section pages, READMEs and hidden files."""
    for name in (
        "a.md",
        "b.MD",
        "c.markdown",
        "d.mdx",
        "e.html",
        "f.txt",
        "_index.md",
        "_index.fr.md",
        "_Index.pt-br.markdown",
        "README.md",
        "Readme.ja.md",
        ".g.md",
        "md",
    ):
        (tmp_path / name).touch()
    assert scan_folder(str(tmp_path)).paths == ["a.md", "b.MD", "c.markdown", "d.mdx", "e.html"]


def test_hidden_files_are_left_out_and_the_rest_is_sorted(tmp_path):
    """Backup files of editors and folders such as `.git` are not posts."""
    for name in ("b.md", "a/c.md", ".git/x.md", ".b.md.swp", "a/.hidden.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert scan_folder(str(tmp_path)).paths == ["b.md", "a/c.md"]


def test_a_link_to_a_folder_is_not_followed(tmp_path):
    """A folder that links to itself is read once."""
    (tmp_path / "a.md").touch()
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert scan_folder(str(tmp_path)).paths == ["a.md"]


def test_a_scan_equals_another_as_long_as_nothing_changed(tmp_path):
    """Touching or swapping files makes another one."""
    (tmp_path / "a.md").write_text("a", "utf-8")
    (tmp_path / "b.md").write_text("b", "utf-8")

    def state():
        found = scan_folder(str(tmp_path))
        return found.digest(), found.paths, found.stamps()

    before = state()
    assert state() == before
    os.utime(tmp_path / "a.md", ns=(1, 1))
    touched = state()
    assert touched != before
    os.utime(tmp_path / "b.md", ns=(1, 1))
    (tmp_path / "a.md").rename(tmp_path / "c.md")
    (tmp_path / "b.md").rename(tmp_path / "a.md")
    (tmp_path / "c.md").rename(tmp_path / "b.md")
    assert [s[:1] for s in state()[2]] == [(1,), (1,)]
    assert state() not in (before, touched)


def test_broken_links_and_invalid_names_are_part_of_a_scan(tmp_path):
    """Reading such a file later gives the error; links to folders are not followed."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "gone.md").symlink_to(tmp_path / "nowhere.md")
    (tmp_path / "self.md").symlink_to(tmp_path / "self.md")
    (tmp_path / os.fsdecode(b"caf\xe9.md")).touch()
    found = scan_folder(str(tmp_path))
    assert found.paths == ["caf\udce9.md", "gone.md", "self.md"]
    assert found.stamps()[1:] == [(0, 0, 0, 0)] * 2
    assert b"caf\xe9.md\0gone.md" in found.digest()


@given(st.text(max_size=12))
def test_is_post_accepts_any_name(name):
    """It raises no error, and a hidden file is not a post."""
    assert is_post(name) in {True, False}
    assert not is_post("." + name)
