"""The benchmark: its corpus contains the planted cases, and its tables contain the measured figures."""

import importlib.util
import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def bench():
    """The benchmark's modules by name; bench/ is a folder of scripts, not a package."""
    modules = {}
    sys.path.insert(0, str(ROOT / "bench"))
    try:
        for name in ("corpus", "chart", "page", "run"):
            spec = importlib.util.spec_from_file_location(name, ROOT / "bench" / f"{name}.py")
            modules[name] = sys.modules[name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(modules[name])
        yield modules
    finally:
        sys.path.remove(str(ROOT / "bench"))
        for name in modules:
            del sys.modules[name]


@pytest.fixture(scope="module")
def corpora(bench, tmp_path_factory):
    """Two corpora of 300 posts, made with the same seed; each is its folder and what was planted."""
    folders = [tmp_path_factory.mktemp("corpus") for _ in range(2)]
    return [(folder, bench["corpus"].make(300, folder)) for folder in folders]


def test_the_same_number_and_seed_give_the_same_bytes(corpora):
    """Two corpora with the same number and seed are equal byte by byte, so figures can be checked on other machines."""
    files = [{file.name: file.read_bytes() for file in (folder / "posts").iterdir()} for folder, _ in corpora]
    assert files[0] == files[1]
    assert len(files[0]) == 300


def test_what_was_planted_is_there(corpora):
    """A corpus contains the planned number of each kind, and truth.json lists them."""
    folder, truth = corpora[0]
    assert {kind: len(found) for kind, found in truth.items()} == {
        "drafts": 3,
        "future": 3,
        "repeated": 3,
        "exact": 6,
        "near": 6,
        "instalments": 3,
        "similarity": 6,
    }
    assert json.loads((folder / "truth.json").read_text("utf-8")) == truth
    bodies = {
        name: (folder / "posts" / name).read_text("utf-8").split("\n---\n", 1)[1]
        for kind in ("exact", "near", "repeated")
        for found in truth[kind]
        for name in ([found] if isinstance(found, str) else found)
    }
    assert all(bodies[one] == bodies[other] for one, other in truth["exact"])
    assert all(bodies[one] != bodies[other] for one, other in truth["near"])
    assert all("\n---END---\n" in bodies[name] for name in truth["repeated"])
    assert all(0.6 < part < 1 for part in truth["similarity"])


def test_the_program_finds_what_was_planted_and_nothing_else(corpora, bench):
    """Exact copies and near copies above the threshold are found; instalments and shared disclaimers are not."""
    folder, truth = corpora[0]
    (folder / "config.toml").write_text(bench["run"]._CONFIG, "utf-8")  # noqa: SLF001
    found = bench["run"].found_duplicates(folder, truth)
    assert found["found"] == found["planted"] > 6
    assert found["wrong"] == 0


def test_ratios_are_to_hugo_in_the_same_state(bench):
    """A row's ratio is to Hugo's row with the same posts and state; Hugo's own rows have no ratio."""
    row = bench["run"].Row
    rows = [
        row(1000, "feeds", "cold", 0.5, 0.8, 70.4),
        row(1000, "hugo", "cold", 0.25, 0.3, 117.0),
        row(1000, "stat", "limit", 0.003, 0.003, None),
    ]
    assert bench["run"].table(rows).splitlines()[2:] == [
        "| 1,000 | cold | feeds | 0.500 | 0.800 | 70 | 2.00 |",
        "| 1,000 | cold | hugo | 0.250 | 0.300 | 117 |  |",
        "| 1,000 | limit | stat | 0.003 | 0.003 |  |  |",
    ]
    drawn = bench["run"].charted(rows)
    assert "1,000 posts, cold, feeds: 0.50 s." in drawn
    assert drawn.count("<rect") == 2


def test_a_table_is_written_between_its_marks(bench, tmp_path):
    """Only the text between the marks is replaced."""
    readme = tmp_path / "README.md"
    readme.write_text("# A\n<!-- measured -->\nold\n<!-- /measured -->\nB\n", "utf-8")
    bench["page"].written("new\n", readme, "measured")
    assert readme.read_text("utf-8") == "# A\n<!-- measured -->\nnew\n<!-- /measured -->\nB\n"


_ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title>{}</feed>'


def test_titles_are_read_from_every_feed(bench, tmp_path):
    """Titles of entries are grouped by category in lower case; the title of the feed itself is not among them."""
    for folder, titles in (("", "AB"), ("categories/Gardens", "A")):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        entries = "".join(f"<entry><title>{title}</title></entry>" for title in titles)
        (tmp_path / folder / "atom.xml").write_text(_ATOM.format(entries), "utf-8")
    assert bench["run"].shown(tmp_path) == {"": ["A", "B"], "gardens": ["A"]}


@pytest.mark.parametrize(
    ("ours", "theirs", "dropped", "expected"),
    [
        ({"": ["a", "b"]}, {"": ["a", "b"]}, set(), 0),
        ({"": ["a", "b", "c"]}, {"": ["a", "copy", "b"]}, {"copy"}, 0),
        ({"": ["a", "b", "c"]}, {"": ["a", "a", "b"]}, {"a"}, 0),
        ({"": ["a", "b", "c"]}, {"": ["a", "other", "b"]}, {"copy"}, 1),
        ({"": ["a", "b"]}, {"": ["b", "a"]}, set(), 1),
        ({"": ["a", "b"]}, {"": ["a"]}, set(), 1),
        ({"": ["a"], "gardens": ["a"]}, {"": ["a"]}, set(), 1),
        ({"": ["a"]}, {"": ["a"], "gardens": ["a"]}, set(), 1),
    ],
)
def test_programs_are_compared_only_if_they_show_the_same(bench, ours, theirs, dropped, expected):
    """The feeds must be equal, except that Hugo's may contain posts that ours dropped as duplicates."""
    assert len(bench["run"].differences(ours, theirs, dropped)) == expected


def test_an_attack_on_the_sign_up_runs_against_the_server_and_has_a_row():
    """The script of the attack table calls the program as it is now, and a forged token is refused each time."""
    command = [sys.executable, ROOT / "bench" / "signups.py", "--requests", "2", "--only", "a forged token"]
    table = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert table[2:] == ["| a forged token | 2 | 400: 2 | 0 | 0 | signature |"]
