"""Sizes of files: found in the folders of the site, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.edges.files.local_files import LocalFiles

SITE = "https://example.com/"
POST = "https://example.com/2026/rain/"


@pytest.fixture
def files(tmp_path):
    """The local files of a site in `site/`, beside which there is a secret file."""
    for name in ("posts/2026", "static/pics", "public/pics"):
        (tmp_path / "site" / name).mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(b"x" * 99)
    folder = tmp_path / "site"
    return LocalFiles(SITE, [folder, folder / "static", folder / "public"], folder / "posts")


def size(files, url, post_path="2026/rain.md"):
    return files.size(url, POST, post_path)


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("a.png", "https://example.com/a.png"),
        ("static/pics/a.png", "https://example.com/pics/a.png"),
        ("public/pics/a.png", "https://example.com/pics/a.png"),
        ("posts/2026/a.png", "https://example.com/2026/rain/a.png"),
        ("static/pics/雨 1.png", "https://example.com/pics/%E9%9B%A8%201.png"),
        ("static/pics/a.png", "https://example.com/pics/a.png?v=2#top"),
        ("posts/2026/a.png", "https://example.com/2026/rain/a.png?v=2#top"),
    ],
)
def test_a_file_is_found_in_the_folders_of_a_site(tmp_path, files, path, url):
    """At the root, in the static folder of a generator, in the built site, and beside the post."""
    assert size(files, url) is None
    (tmp_path / "site" / path).write_bytes(b"x" * 7)
    assert size(LocalFiles(SITE, *_folders(tmp_path)), url) == 7


def _folders(tmp_path):
    folder = tmp_path / "site"
    return [folder, folder / "static", folder / "public"], folder / "posts"


def test_the_first_folder_counts(tmp_path, files):
    """A file at the root is used before files of the same name in other folders."""
    (tmp_path / "site" / "pics").mkdir()
    for number, folder in enumerate(("pics", "static/pics", "public/pics"), 1):
        (tmp_path / "site" / folder / "a.png").write_bytes(b"x" * number)
    assert size(files, "https://example.com/pics/a.png") == 1


def test_a_file_beside_a_post_is_found_by_the_url_of_this_post_only(tmp_path, files):
    """The URL of another post does not lead to its folder."""
    (tmp_path / "site" / "posts" / "2026" / "a.png").write_bytes(b"x")
    assert size(files, "https://example.com/2026/snow/a.png") is None


def test_a_file_is_found_though_another_post_has_linked_to_it_before(tmp_path, files):
    """The result for one post is not reused for another: the file is beside its own post only."""
    (tmp_path / "site" / "posts" / "2026" / "a.png").write_bytes(b"x" * 7)
    url = "https://example.com/2026/rain/a.png"
    assert files.size(url, "https://example.com/2026/snow/", "2026/deeper/snow.md") is None
    assert size(files, url) == 7


def test_a_file_in_the_folder_of_the_name_of_its_post_is_found(tmp_path, files):
    """Hexo copies the files of `rain.md` from the folder `rain` beside it."""
    (tmp_path / "site" / "posts" / "2026" / "rain").mkdir()
    (tmp_path / "site" / "posts" / "2026" / "rain" / "a.png").write_bytes(b"x" * 7)
    url = "https://example.com/2026/rain/a.png"
    assert files.path(url, POST, "2026/rain.md") == f"{tmp_path}/site/posts/2026/rain/a.png"
    assert files.path(url, "", "") is None


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a.png",
        "http://example.com/a.png",
        "https://example.com/",
        "https://example.com/pics",
        "https://example.com/empty.png",
    ],
)
def test_other_sites_folders_and_empty_files_have_no_size(tmp_path, files, url):
    """Only a file of this site that is not empty has a size."""
    (tmp_path / "site" / "a.png").write_bytes(b"x")
    (tmp_path / "site" / "empty.png").touch()
    assert size(files, url) is None


@pytest.mark.parametrize(
    "inside",
    [
        "../secret.png",
        "%2e%2e/secret.png",
        "pics/../../secret.png",
        "pics/%2E%2E/..%2F../secret.png",
        "2026/rain/../../../secret.png",
        "{folder}/secret.png",
        "/{folder}/secret.png",
        "%2F{folder}/secret.png",
        "2026/rain/{folder}/secret.png",
        "2026/rain/%2F{folder}/secret.png",
        "2026/rain/a?/../../../../secret.png",
        "2026/rain/a%3F/../../../../secret.png",
        "2026/rain/a#/../../../../secret.png",
    ],
)
def test_no_url_leads_out_of_the_site(tmp_path, files, inside):
    """Neither to a parent folder nor to the root of the machine, in any spelling."""
    for name in ("a?", "a#", "a"):
        (tmp_path / "site" / "posts" / "2026" / name).mkdir()
    assert size(files, SITE + inside.format(folder=str(tmp_path).lstrip("/"))) is None


@pytest.mark.parametrize(
    "inside",
    ["a%00.png", "2026/rain/a%00.png", "2026/rain/?%00", "2026/rain/#%00", "a" * 5000, "%ff.png", "2026/rain/"],
)
def test_a_name_that_no_file_can_have_has_no_size(files, inside):
    """It raises no error: posts may come from strangers."""
    assert size(files, SITE + inside) is None


@given(parts=st.lists(st.sampled_from(["..", ".", "a", "secret.png", "", "%2e%2e", "?", "#", "%2F", "%00", "雨"])))
def test_only_paths_in_the_folders_of_the_site_are_checked(parts):
    """Every path starts with one of the folders and has no `..`."""
    finder = LocalFiles(SITE, *_missing_folders())
    finder.size(SITE + "/".join(parts), POST, "2026/rain.md")
    finder.size(POST + "/".join(parts), POST, "2026/rain.md")
    for path in finder.checked_paths:
        assert path.startswith("nowhere/")
        assert ".." not in path.split("/")


def _missing_folders():
    from pathlib import Path

    return [Path("nowhere")], Path("nowhere/posts")


def test_a_path_is_checked_once(tmp_path, files):
    """Many feeds have the same posts; all paths that were checked are listed, whether a file was found or not."""
    (tmp_path / "site" / "static" / "pics" / "a.png").write_bytes(b"x" * 7)
    for _ in range(3):
        assert size(files, "https://example.com/pics/a.png") == 7
    assert files.checked_paths == [f"{tmp_path}/site/pics/a.png", f"{tmp_path}/site/static/pics/a.png"]
    missing = LocalFiles(SITE, *_folders(tmp_path))
    for _ in range(3):
        assert size(missing, "https://example.com/none.png") is None
    assert missing.checked_paths == [f"{tmp_path}/site/{folder}none.png" for folder in ("", "static/", "public/")]
