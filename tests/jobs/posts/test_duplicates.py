"""`feeds duplicates`: every pair, which post is kept and why."""

import json

from tests.conftest import CONFIG

NOW = ("--now", "2026-11-23")


def make_words(seed, count=220):
    parts = ["bread", "water", "salt", "flour", "oven", "crust", "table", "knife", "morning", "guest", "yeast", "song"]
    return [parts[(n * n + seed * 7 + n // 5) % len(parts)] for n in range(count)]


def prose(words):
    return " ".join(words) + "\n"


def sample(site):
    copy = make_words(1)
    copy[100] = "butter"
    site.post("a", prose(make_words(1)))
    site.post("b", prose(copy), date="2026-11-21")
    site.post("c", prose(make_words(3)), date="2026-11-19")
    site.post("d", prose(make_words(3)), date="2026-11-21")
    site.post("e1", prose(make_words(5)) + "Number 1.\n")
    site.post("e2", prose(make_words(5)) + "Number 2.\n", date="2026-11-21")


def test_each_pair_is_a_line_in_a_pipe_and_an_object_as_json(site, feeds):
    """In a pipe, each pair is a line with kind, similarity, outcome and paths; with `--json`, an object."""
    sample(site)
    plain = feeds("duplicates", *NOW)
    assert (plain.returncode, plain.stderr) == (0, "")
    lines = plain.stdout.splitlines()
    assert [line.split("\t")[0::2] for line in lines[:3]] == [
        ["near", "dropped", "a.md"],
        ["text", "dropped", "c.md"],
        ["instalment", "stays", "e1.md"],
    ]
    assert lines[3] == "3 pairs: 2 dropped, 1 only reported"
    found = [json.loads(line) for line in feeds("duplicates", "--json", *NOW).stdout.splitlines()]
    assert [(f["path"], f["other"], f["kind"], f["dropped"]) for f in found] == [
        ("b.md", "a.md", "near", True),
        ("d.md", "c.md", "text", True),
        ("e2.md", "e1.md", "instalment", False),
    ]
    assert 0.85 < found[0]["similarity"] < 1 == found[1]["similarity"]
    assert found[0]["reason"] == f"{int(found[0]['similarity'] * 100)} % of its text as a.md"


def test_texts_are_printed_side_by_side(site, feeds):
    """`--show` prints the paragraphs of both texts side by side and marks those that differ."""
    site.post("a", prose(make_words(1)) + "\nThe same end.\n")
    site.post("b", prose(make_words(1)).replace("guest", "friend", 1) + "\nThe same end.\n", date="2026-11-21")
    shown = feeds("duplicates", "--show", *NOW).stdout
    assert "a.md" in shown
    assert "b.md" in shown
    assert shown.count("≠") == 1
    assert shown.count("The same end.") == 2


def test_near_duplicates_may_be_published_with_a_warning(site, feeds):
    """With `near = "report"`, near-duplicates are published with a warning; with `"keep"`, they are not looked for."""
    sample(site)
    site.configure(CONFIG + '[duplicates]\nnear = "report"\n')
    done = feeds("publish", *NOW)
    assert done.returncode == 0
    assert "warning: posts/b.md: " in done.stderr
    assert "% of its text as a.md; it is published anyway (duplicates.near)" in done.stderr
    site.configure(CONFIG + '[duplicates]\nnear = "keep"\n')
    assert feeds("publish", *NOW).stderr == ""
    assert [line.split("\t")[0] for line in feeds("duplicates", *NOW).stdout.splitlines()] == [
        "text",
        "1 pair: 1 dropped, 0 only reported",
    ]
