"""Reading posts and writing files."""

import os
import resource
import signal
import stat

import pytest

from feeds.edges.files import folder
from feeds.edges.files.folder import OutputFolder
from feeds.edges.files.scan import scan_folder
from feeds.errors import OutputError, PostError


def test_hidden_files_are_left_out_and_the_rest_is_sorted(tmp_path):
    """Editors leave things behind."""
    for name in ("b.md", "a/c.md", ".git/x.md", ".b.md.swp", "a/.hidden.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert scan_folder(str(tmp_path)).paths == ["b.md", "a/c.md"]


def test_links_that_never_end_are_not_followed(tmp_path):
    """A folder that holds itself is read once."""
    (tmp_path / "a.md").touch()
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert scan_folder(str(tmp_path)).paths == ["a.md"]


def test_a_link_that_leads_out_is_refused_by_name(tmp_path):
    """A post folder may come from anybody; what lies elsewhere is not published."""
    (tmp_path / "secret.md").write_text("secret", "utf-8")
    posts = tmp_path / "posts"
    posts.mkdir()
    (posts / "a.md").symlink_to(tmp_path / "secret.md")
    (posts / "gone.md").symlink_to(tmp_path / "nowhere.md")
    with pytest.raises(PostError, match=r"a\.md: is a link that leads out of the posts folder"):
        folder.read_file(posts, "a.md", 100)
    with pytest.raises(PostError, match=r"gone\.md: cannot be read: No such file"):
        folder.read_file(posts, "gone.md", 100)


def test_a_large_file_is_refused_before_it_is_read(tmp_path):
    """By its size; a sparse file costs nothing."""
    with (tmp_path / "a.md").open("wb") as opened:
        opened.truncate(20_000_000)
    with pytest.raises(PostError, match=r"a\.md: is too large: 20 MB; at most 10 MB are read"):
        folder.read_file(tmp_path, "a.md", 10_000_000)


def test_a_pipe_is_no_post(tmp_path):
    """Reading it would wait for ever."""
    os.mkfifo(tmp_path / "a.md")
    with pytest.raises(PostError, match="is no plain file"):
        folder.read_file(tmp_path, "a.md", 100)


def test_a_name_that_is_not_utf8_is_shown_and_refused(tmp_path):
    """With its odd bytes spelt out."""
    name = os.fsdecode(b"caf\xe9.md")
    (tmp_path / name).touch()
    with pytest.raises(PostError, match=r"caf\\xe9\.md: the file's name is not UTF-8"):
        folder.read_file(tmp_path, name, 100)


def test_no_change_is_no_write(tmp_path):
    """The file stays the same file: a server's cache sees nothing new."""
    output = OutputFolder(tmp_path)
    assert output.write("a/b.xml", b"one")
    before = (tmp_path / "a/b.xml").stat()
    assert not output.write("a/b.xml", b"one")
    assert (tmp_path / "a/b.xml").stat().st_ino == before.st_ino
    assert output.write("a/b.xml", b"two")
    assert output.read("a/b.xml") == b"two"


def test_a_dry_run_answers_and_writes_nothing(tmp_path):
    """It says what would change."""
    assert OutputFolder(tmp_path, dry_run=True).write("a/b.xml", b"one")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["../out.xml", "a/../../out.xml", "/tmp/out.xml", "link/out.xml"])
def test_nothing_is_written_outside(tmp_path, path):
    """Not by dots, not by an absolute path, not through a link."""
    root = tmp_path / "public"
    root.mkdir()
    (root / "link").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(OutputError, match="leads out of"):
        OutputFolder(root).write(path, b"x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["public"]


def test_feeds_are_for_everybody_and_letters_for_their_owner(tmp_path):
    """Rights follow the umask for what the web shows, and are narrow for addresses."""
    before = os.umask(0o022)
    try:
        OutputFolder(tmp_path).write("feeds/a.xml", b"x")
        OutputFolder(tmp_path, private=True).write("outbox/a.eml", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "feeds/a.xml").stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / "outbox/a.eml").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "outbox").stat().st_mode) == 0o700


def test_a_disk_that_is_full_leaves_the_old_file_whole(tmp_path):
    """The write fails in words, the old bytes stand, nothing half-written is left."""
    output = OutputFolder(tmp_path)
    output.write("a.xml", b"old")
    was = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, was[1]))
    try:
        with pytest.raises(OutputError, match=r"a\.xml: cannot be written: File too large"):
            output.write("a.xml", b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, was)
        signal.signal(signal.SIGXFSZ, handler)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.xml", b"old")]


def test_what_a_killed_process_left_is_swept_away(tmp_path):
    """Only unfinished files, only in our folders."""
    for place in ("feeds", "images"):
        (tmp_path / place).mkdir()
        (tmp_path / place / ".feeds-unfinished-x").touch()
    (tmp_path / "feeds" / "atom.xml").touch()
    OutputFolder(tmp_path).remove_temp_files("feeds")
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()) == [
        "feeds/atom.xml",
        "images/.feeds-unfinished-x",
    ]


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path):
    """What somebody wrote in between is worth more than our edit."""
    (tmp_path / "a.md").write_bytes(b"theirs")
    with pytest.raises(OutputError, match=r"a\.md: has changed meanwhile"):
        folder.rewrite_file(tmp_path, "a.md", b"read", b"ours")
    assert (tmp_path / "a.md").read_bytes() == b"theirs"
    with pytest.raises(OutputError, match=r"gone\.md: cannot be written"):
        folder.rewrite_file(tmp_path, "gone.md", b"", b"ours")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.md"]
