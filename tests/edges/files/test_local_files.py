"""Files of the site that lie on this machine: found where a site keeps them, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.edges.files.local_files import LocalFiles

SITE = "https://example.com/"
POST = "https://example.com/2026/rain/"


@pytest.fixture
def files(tmp_path):
    """What finds the files of a site in `site/`, beside which lies what is nobody's business."""
    for name in ("posts/2026", "static/pics", "public/pics"):
        (tmp_path / "site" / name).mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(b"x" * 99)
    folder = tmp_path / "site"
    return LocalFiles(SITE, [folder, folder / "static", folder / "public"], folder / "posts")


def size(files, url, post_path="2026/rain.md"):
    return files.size(url, POST, post_path)


@pytest.mark.parametrize(
    ("place", "url"),
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
def test_a_file_is_found_where_sites_keep_it(tmp_path, files, place, url):
    """At the root, where generators keep what they copy, where the site is built, beside the post; by its address."""
    assert size(files, url) is None
    (tmp_path / "site" / place).write_bytes(b"x" * 7)
    assert size(LocalFiles(SITE, *_places(tmp_path)), url) == 7


def _places(tmp_path):
    folder = tmp_path / "site"
    return [folder, folder / "static", folder / "public"], folder / "posts"


def test_the_first_place_counts(tmp_path, files):
    """What lies at the root is served, whatever else has the same name."""
    (tmp_path / "site" / "pics").mkdir()
    for number, place in enumerate(("pics", "static/pics", "public/pics"), 1):
        (tmp_path / "site" / place / "a.png").write_bytes(b"x" * number)
    assert size(files, "https://example.com/pics/a.png") == 1


def test_a_file_beside_the_post_is_of_this_post(tmp_path, files):
    """Another post's folder on the web is another folder here."""
    (tmp_path / "site" / "posts" / "2026" / "a.png").write_bytes(b"x")
    assert size(files, "https://example.com/2026/snow/a.png") is None


def test_another_post_that_names_the_file_first_does_not_hide_it(tmp_path, files):
    """The answer for one post is not that for another: only beside its own post it lies here."""
    (tmp_path / "site" / "posts" / "2026" / "a.png").write_bytes(b"x" * 7)
    url = "https://example.com/2026/rain/a.png"
    assert files.size(url, "https://example.com/2026/snow/", "2026/deeper/snow.md") is None
    assert size(files, url) == 7


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
    """Only a file with something in it has one, and only of this site."""
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
def test_nothing_outside_of_the_site_is_looked_at(tmp_path, files, inside):
    """Neither above it nor from the root of the machine, however it is written and whatever folders there are."""
    for name in ("a?", "a#", "a"):
        (tmp_path / "site" / "posts" / "2026" / name).mkdir()
    assert size(files, SITE + inside.format(folder=str(tmp_path).lstrip("/"))) is None


@pytest.mark.parametrize(
    "inside",
    ["a%00.png", "2026/rain/a%00.png", "2026/rain/?%00", "2026/rain/#%00", "a" * 5000, "%ff.png", "2026/rain/"],
)
def test_names_that_no_file_can_have_are_no_file(files, inside):
    """They are answered, not raised: a post is anybody's."""
    assert size(files, SITE + inside) is None


@given(parts=st.lists(st.sampled_from(["..", ".", "a", "secret.png", "", "%2e%2e", "?", "#", "%2F", "%00", "雨"])))
def test_whatever_is_written_only_places_of_the_site_are_looked_at(parts):
    """Every place starts in one of the site's folders and goes up from none."""
    finder = LocalFiles(SITE, *_nowhere())
    finder.size(SITE + "/".join(parts), POST, "2026/rain.md")
    finder.size(POST + "/".join(parts), POST, "2026/rain.md")
    for place in finder.looked_at:
        assert place.startswith("nowhere/")
        assert ".." not in place.split("/")


def _nowhere():
    from pathlib import Path

    return [Path("nowhere")], Path("nowhere/posts")


def test_a_file_is_looked_at_once(tmp_path, files):
    """Many feeds show the same posts; every place that was looked at is told, found or not."""
    (tmp_path / "site" / "static" / "pics" / "a.png").write_bytes(b"x" * 7)
    for _ in range(3):
        assert size(files, "https://example.com/pics/a.png") == 7
    assert files.looked_at == [f"{tmp_path}/site/pics/a.png", f"{tmp_path}/site/static/pics/a.png"]
    missing = LocalFiles(SITE, *_places(tmp_path))
    for _ in range(3):
        assert size(missing, "https://example.com/none.png") is None
    assert missing.looked_at == [f"{tmp_path}/site/{place}none.png" for place in ("", "static/", "public/")]
