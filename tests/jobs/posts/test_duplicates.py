"""`feeds duplicates`: every pair, what stays and why."""

import json

from tests.conftest import CONFIG

NOW = ("--now", "2026-11-23")


def words(seed, count=220):
    parts = ["bread", "water", "salt", "flour", "oven", "crust", "table", "knife", "morning", "guest", "yeast", "song"]
    return [parts[(n * n + seed * 7 + n // 5) % len(parts)] for n in range(count)]


def prose(found):
    return " ".join(found) + "\n"


def sample(site):
    copy = words(1)
    copy[100] = "butter"
    site.post("a", prose(words(1)))
    site.post("b", prose(copy), date="2026-11-21")
    site.post("c", prose(words(3)), date="2026-11-19")
    site.post("d", prose(words(3)), date="2026-11-21")
    site.post("e1", prose(words(5)) + "Number 1.\n")
    site.post("e2", prose(words(5)) + "Number 2.\n", date="2026-11-21")


def test_each_pair_is_a_line_in_a_pipe_and_an_object_as_json(site, feeds):
    """Kind, part of common text, whether it is dropped, both paths, the reason."""
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


def test_texts_are_laid_side_by_side(site, feeds):
    """The paragraphs that differ are marked."""
    site.post("a", prose(words(1)) + "\nThe same end.\n")
    site.post("b", prose(words(1)).replace("guest", "friend", 1) + "\nThe same end.\n", date="2026-11-21")
    shown = feeds("duplicates", "--show", *NOW).stdout
    assert "a.md" in shown
    assert "b.md" in shown
    assert shown.count("≠") == 1
    assert shown.count("The same end.") == 2


def test_what_is_near_may_be_published_and_told(site, feeds):
    """`report` publishes both and warns; `keep` says nothing and looks for nothing."""
    sample(site)
    site.configure(CONFIG + '[duplicates]\nnear = "report"\n')
    done = feeds("publish", *NOW)
    assert done.returncode == 0
    assert "warning: posts/b.md: " in done.stderr
    assert "% of its text as a.md; it is published all the same (duplicates.near)" in done.stderr
    site.configure(CONFIG + '[duplicates]\nnear = "keep"\n')
    assert feeds("publish", *NOW).stderr == ""
    assert [line.split("\t")[0] for line in feeds("duplicates", *NOW).stdout.splitlines()] == [
        "text",
        "1 pair: 1 dropped, 0 only reported",
    ]
