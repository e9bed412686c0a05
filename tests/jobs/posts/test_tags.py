"""`feeds tags`: the list, suggestions, and fixed spellings in front matter."""

import json
import subprocess
import sys

from tests.conftest import CONFIG

TAGS = '\n[tags]\naliases = { "人工知能" = "AI" }\nrules = [ { tag = "Chips", match = ["TPU"] } ]\n'
NOW = ("--now", "2026-11-23")


def test_each_tag_is_a_line_in_a_pipe_and_an_object_as_json(site, feeds):
    """In a pipe, each tag is a line; with `--json`, an object with the documented fields. Drafts are not counted."""
    site.configure(CONFIG + TAGS)
    site.post("a", "The TPU.\n", tags="[ai, AI/Chips]")
    site.post("b", tags="[AI, 人工知能]")
    site.post("c", tags="[AI, secret]", draft="true")
    lines = feeds("tags", *NOW)
    assert (lines.returncode, lines.stderr) == (0, "")
    assert [line.split("\t")[:3] for line in lines.stdout.splitlines()] == [
        ["AI", "2", "0"],
        ["AI/Chips", "1", "0"],
        ["Chips", "1", "1"],
    ]
    found = [json.loads(line) for line in feeds("tags", "--json", *NOW).stdout.splitlines()]
    assert found[0] == {
        "tag": "AI",
        "spellings": {"AI": 1, "ai": 1, "人工知能": 1},
        "posts": 2,
        "below": 0,
        "rule_hits": 0,
        "aliases": ["人工知能"],
        "paths": ["a.md", "b.md"],
    }


def test_fix_shows_a_patch_and_writes_nothing(site, feeds):
    """`--fix` prints a patch and writes nothing; patch(1) gives the same bytes as `--write`."""
    site.configure(CONFIG + TAGS)
    right, wrong = site.post("a", tags="[AI]"), site.post("b", tags="[AI, x] # 'mine'")
    wrong.write_bytes(wrong.read_bytes().replace(b"[AI, x]", "['人工知能', x]".encode()).replace(b"\n", b"\r\n"))
    before = site.files("posts")
    shown = subprocess.run(
        [sys.executable, "-m", "feeds", "tags", "--fix", *NOW], capture_output=True, check=True, cwd=site.folder
    )
    assert site.files("posts") == before
    done = feeds("tags", "--fix", "--write", *NOW)
    assert done.returncode == 0, done.stderr
    assert right.read_bytes() == before["posts/a.md"]
    assert wrong.read_bytes() == before["posts/b.md"].replace("人工知能".encode(), b"AI")
    wrong.write_bytes(before["posts/b.md"])
    subprocess.run(["patch", "-p1", "--binary"], input=shown.stdout, check=True, cwd=site.folder / "posts")
    assert wrong.read_bytes() == before["posts/b.md"].replace("人工知能".encode(), b"AI")
    assert feeds("tags", "--fix", *NOW).stdout == ""


def test_drafts_are_fixed_but_not_counted(site, feeds):
    """Drafts get the spelling of public posts, even if most drafts use another; a file keeps its mode."""
    site.post("a", tags="[ai]")
    drafts = [site.post(f"d{n}", tags="[AI]", draft="true") for n in range(3)]
    drafts[0].chmod(0o640)
    assert feeds("tags", "--fix", "--write", *NOW).returncode == 0
    assert all("tags: [ai]" in draft.read_text("utf-8") for draft in drafts)
    assert drafts[0].stat().st_mode & 0o777 == 0o640


def test_a_file_that_cannot_be_fixed_is_an_error_and_the_others_are_fixed(site, feeds):
    """A file that cannot be fixed is an error with its reason and exit code 1; the others are fixed."""
    site.configure(CONFIG + TAGS)
    odd, good = site.post("a", tags=">-\n  人工知能"), site.post("b", tags="[人工知能]")
    before = odd.read_bytes()
    done = feeds("tags", "--fix", "--write", "--json", *NOW)
    assert done.returncode == 1
    assert "posts/a.md:1: tags: is written in a way that cannot be edited; change it by hand" in done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(f["path"], f["written"], bool(f["reason"])) for f in found] == [
        ("a.md", False, True),
        ("b.md", True, False),
    ]
    assert odd.read_bytes() == before
    assert "tags: [AI]" in good.read_text("utf-8")


def test_suggestions_come_with_their_reason_and_can_be_switched_off(site, feeds):
    """`--suggest` prints tags for untagged public posts with the reason, and changes nothing; "off" turns it off."""
    body = "The dough needs flour, yeast and a hot oven.\n\nWord {} word.\n"
    for n in range(5):
        site.post(f"p{n}", body.format(f"un{chr(97 + n)}"), tags="[baking]")
        for topic in ("feeds", "boats", "maps"):
            site.post(
                f"{topic}{n}", f"Much of {topic}, more {topic}xyz. Thing{chr(97 + n)}{topic}.\n", tags=f"[{topic}]"
            )
    site.post("new", body.format("new"))
    site.post("draft", body.format("draft"), draft="true")
    done = feeds("tags", "--suggest", *NOW)
    assert done.returncode == 0, done.stderr
    path, tag, because = done.stdout.rstrip("\n").split("\t")
    assert (path, tag) == ("new.md", "baking")
    assert because.startswith("because 5 of 5 posts with “")
    (found,) = [json.loads(line) for line in feeds("tags", "--suggest", "--json", *NOW).stdout.splitlines()]
    assert {k: found[k] for k in ("path", "tag", "posts", "of")} == {
        "path": "new.md",
        "tag": "baking",
        "posts": 5,
        "of": 5,
    }
    posts = [json.loads(line) for line in feeds("posts", "--json", *NOW).stdout.splitlines()]
    assert next(p["tags"] for p in posts if p["path"] == "new.md") == []
    site.configure(CONFIG + '[tags]\nsuggest = "off"\n')
    silent = feeds("tags", "--suggest", *NOW)
    assert silent.stdout == ""
    assert 'tags.suggest: is "off"' in silent.stderr


def test_options_that_contradict_each_other_are_wrong_usage(site, feeds):
    """Options that cannot be combined are a usage error, exit code 2."""
    assert feeds("tags", "--write").returncode == 2
    assert feeds("tags", "--suggest", "--fix").returncode == 2


def test_a_link_is_kept_and_its_target_fixed(site, feeds):
    """A symbolic link stays one, and `--write` fixes the file that it points to."""
    site.post("a", tags="[ai, b]")
    site.post("c", tags="[ai]")
    real = site.post("sub/real", tags="[AI]")
    (site.folder / "posts" / "link.md").symlink_to("sub/real.md")
    assert feeds("tags", "--fix", "--write", *NOW).returncode == 0
    assert (site.folder / "posts" / "link.md").is_symlink()
    assert "tags: [ai]" in real.read_text("utf-8")


def test_suggested_tags_are_published_only_if_they_are_applied(site):
    """Suggested tags are published only with `suggest = "apply"`, and suggested again when a post changes."""
    subjects = {
        "baking": "Sourdough, oven, flour",
        "sky": "Telescope, comet, orbit",
        "sea": "Harbour, anchor, tide",
        "wood": "Chisel, timber, plane",
    }
    for tag, words in subjects.items():
        for n in range(5):
            site.post(f"{tag}{n}", f"{words} and number {n}. " * 5, tags=f"[{tag}]", date=f"2026-10-0{n + 1}")
    site.post("untagged", "Sourdough, oven, flour and a last loaf. " * 5, date="2026-11-01")

    def published(suggest):
        site.configure(f'{CONFIG}\n[tags]\nsuggest = "{suggest}"\n')
        site.publish()
        feed = site.read("public/feeds/atom.xml")
        entry = feed[feed.index("<title>untagged") :].partition("</entry>")[0]
        return 'term="baking"' in entry

    assert [published(suggest) for suggest in ("off", "show", "apply", "apply")] == [False, False, True, True]
    site.post("untagged", "Telescope, comet, orbit and a last night. " * 5, date="2026-11-01")
    assert not published("apply")
