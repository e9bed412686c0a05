"""What lies in a folder, without opening any of it."""

import os

from hypothesis import given
from hypothesis import strategies as st

from feeds.edges.files.scan import is_post, scan_folder


def test_only_what_is_meant_to_be_a_post_is_found(tmp_path):
    """Markdown and HTML; no section page, no README, nothing hidden."""
    for name in (
        "a.md",
        "b.MD",
        "c.markdown",
        "d.mdx",
        "e.html",
        "f.txt",
        "_index.md",
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
    """A file that was touched, grown, replaced, added or taken away makes another one."""
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


def test_links_and_names_of_any_kind_end_no_scan(tmp_path):
    """Loops are not entered, dangling links and odd bytes are there for whoever reads them to explain."""
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
def test_any_name_can_be_asked_about(name):
    """Whatever is_post says, it says it without an error."""
    assert is_post(name) in {True, False}
    assert not is_post("." + name)
