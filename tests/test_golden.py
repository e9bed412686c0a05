"""Whole outputs, byte for byte: tests/golden/<case>/{posts,config.toml} give the files in expected/.

`pytest --update-golden` rewrites the expected files; review the diff like code. Share pictures are left out: fonts of
the machine draw their texts.
"""

import shutil

import pytest

from tests.conftest import NOW, ROOT, SampleSite

CASES = sorted(path for path in (ROOT / "tests" / "golden").iterdir() if path.is_dir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_folder_of_posts_gives_exactly_these_files(case, tmp_path, request):
    """A folder of posts and a config give exactly the expected feeds, pages and messages."""
    shutil.copytree(case / "posts", tmp_path / "posts")
    shutil.copy(case / "config.toml", tmp_path)
    site = SampleSite(tmp_path)
    site.publish(NOW)
    written = site.files("public", ".feeds/outbox").items()
    found = {name.removeprefix(".feeds/"): content for name, content in written if not name.endswith("/share.png")}
    if request.config.getoption("--update-golden"):
        shutil.rmtree(case / "expected", ignore_errors=True)
        for name, content in found.items():
            (case / "expected" / name).parent.mkdir(parents=True, exist_ok=True)
            (case / "expected" / name).write_bytes(content)
    expected = SampleSite(case / "expected").files("public", "outbox")
    assert sorted(found) == sorted(expected)
    for name, content in expected.items():
        assert found[name] == content, f"{name} differs; --update-golden rewrites it, then read the diff"
